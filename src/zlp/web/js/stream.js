// One WebSocket. Every message carries its sequence; after a break each subscription goes on from the last one seen.

const STEPS = [500, 1000, 2000, 4000, 8000];

export class Stream {
  constructor(onstate) {
    this.onstate = onstate;
    this.topics = new Map();
    this.tries = 0;
    this.socket = null;
    this.heard = Date.now();
    this.open();
    setInterval(() => this.watch(), 5000);
    addEventListener("online", () => this.open());
  }

  open() {
    if (this.socket && this.socket.readyState <= 1) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/stream`);
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      this.heard = Date.now();
      for (const topic of this.topics.values()) this.ask(topic);
      this.onstate("live");
    };
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.onstate("lost");
      setTimeout(() => this.open(), STEPS[Math.min(this.tries++, STEPS.length - 1)]);
    };
  }

  /** A line that is silent for long is asked; one that does not answer is dropped. */
  watch() {
    if (!this.socket || this.socket.readyState !== 1) return;
    const silent = Date.now() - this.heard;
    if (silent > 20000) this.socket.close();
    else if (silent > 8000) this.say({ op: "ping" });
  }

  say(message) {
    if (this.socket && this.socket.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  ask(topic) {
    const from = topic.seq ? { from_seq: topic.seq } : {};
    this.say({ op: "subscribe", channel: topic.channel, id: topic.id, ...from });
  }

  /** `take({snapshot})` first, then `take({data, seq, time})` for every message. Answers a function that ends it. */
  subscribe(channel, id, take) {
    const key = `${channel}/${id}`;
    let topic = this.topics.get(key);
    if (!topic) {
      topic = { channel, id, seq: "", takers: new Set() };
      this.topics.set(key, topic);
      this.ask(topic);
    }
    topic.takers.add(take);
    return () => {
      topic.takers.delete(take);
      if (topic.takers.size || !this.topics.has(key)) return;
      this.topics.delete(key);
      this.say({ op: "unsubscribe", channel, id });
    };
  }

  take(message) {
    this.heard = Date.now();
    if (message.op === "error" && message.code === "compacted") {
      for (const topic of this.topics.values()) {
        topic.seq = "";
        this.ask(topic);
      }
      return;
    }
    const topic = this.topics.get(`${message.channel}/${message.id}`);
    if (!topic) return;
    if (message.op === "subscribed") {
      topic.seq ||= message.seq;
      if ("snapshot" in message) for (const taker of topic.takers) taker({ snapshot: message.snapshot, seq: message.seq });
    } else if (message.op === "event") {
      if (BigInt(message.seq) <= BigInt(topic.seq || 0)) return;
      topic.seq = message.seq;
      for (const taker of topic.takers) taker(message);
    }
  }
}
