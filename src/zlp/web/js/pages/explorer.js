// Explorer: every command, what it did, and how anybody can check that the log is whole.

import { get, segment } from "../api.js";
import { card, dialog, empty, facts, fill, h, table, tabs, throttled } from "../dom.js";
import { amount, clock, short, text } from "../numbers.js";
import { explained } from "../api.js";
import { leafRows } from "../panels.js";
import { decimals, on, state, stream } from "../store.js";

export function show(root, [wanted]) {
  const page = new Explorer(root);
  if (wanted && /^\d+$/.test(wanted)) page.receipt(wanted);
  else if (wanted) page.account(wanted);
  else page.latest();
  return () => page.end();
}

class Explorer {
  constructor(root) {
    this.tab = "log";
    this.quiet = true;
    this.rows = [];
    this.body = h("div");
    this.bar = h("div");
    const box = h("input", { type: "search", placeholder: "Account or sequence", "aria-label": "Account or sequence", name: "search" });
    fill(root,
      h("div.intro", {}, h("div", {}, h("h1", {}, "Explorer"), h("p", {}, "The log is the truth: state, prices and balances follow from its commands alone.")),
        h("form.search", { onsubmit: (event) => { event.preventDefault(); if (box.value.trim()) location.hash = `#/explorer/${segment(box.value.trim())}`; } }, box, h("button", { type: "submit" }, "Search"), h("button", { type: "button", onclick: () => this.verify() }, "Verify"))),
      h("section.card", { "aria-label": "Log" }, this.bar, this.body));
    this.ends = [];
  }

  end() {
    for (const end of this.ends) end();
  }

  drawBar() {
    fill(this.bar, h("div.lower-tabs", {},
      tabs([["log", "Commands"], ["govern", "Governance"], ["refused", "Refused"]], this.tab, (tab) => { this.tab = tab; this.latest(); }, { label: "What to list", kind: "plain" }),
      this.tab === "log" && h("label.check", {}, h("input", { type: "checkbox", checked: this.quiet, onchange: (event) => { this.quiet = event.target.checked; this.drawLog(); } }), "without prices")));
  }

  async latest() {
    this.end();
    this.ends = [];
    this.drawBar();
    fill(this.body, h("p.loading", {}, "Reading the log"));
    try {
      if (this.tab === "govern") {
        const page = await get("/v1/governance", { limit: 100 });
        this.rows = page.items;
      } else {
        const head = Number((await get("/v1/venue")).sequence);
        const page = await get("/v1/receipts", { after: Math.max(0, head - 400), limit: 400 });
        this.rows = page.items.reverse();
      }
      this.drawLog();
    } catch (fault) {
      fill(this.body, empty(fault.message));
      return;
    }
    if (this.tab !== "govern") {
      const more = throttled(async () => {
        const after = this.rows[0]?.sequence || 0;
        const page = await get("/v1/receipts", { after, limit: 200 }).catch(() => null);
        if (!page || !page.items.length) return;
        this.rows = [...page.items.reverse(), ...this.rows].slice(0, 600);
        if (!this.body.contains(document.activeElement)) this.drawLog();
      }, 2000);
      this.ends.push(stream.subscribe("log", "", more));
    }
  }

  drawLog() {
    let rows = this.rows;
    if (this.tab === "refused") rows = rows.filter((row) => row.receipt.rejection);
    if (this.tab === "log" && this.quiet) rows = rows.filter((row) => !/^(PostPrices|PostRounds|MeasurePool)$/.test(row.command.type));
    fill(this.body, table([
      ["Sequence", (row) => h("a", { href: `#/explorer/${row.sequence}` }, row.sequence)],
      ["Time", (row) => clock(row.receipt.time, true)],
      ["Account", (row) => h("a.mono", { href: `#/explorer/${segment(row.account)}` }, short(row.account))],
      ["Command", (row) => h("strong", {}, named(row.command))],
      ["Outcome", (row) => (row.receipt.rejection ? h("span.badge.bad", { title: explained(row.receipt.rejection) }, row.receipt.rejection.code.replaceAll("_", " ")) : h("span.badge.good", {}, row.receipt.events.length === 1 ? "1 event" : `${row.receipt.events.length} events`))],
      ["Digest", (row) => h("span.mono.dim", {}, `${row.receipt.digest.slice(0, 12)}…`)],
    ], rows.slice(0, 120), { label: "Commands", empty: this.tab === "govern" ? "Nothing was changed by governance lately." : "Nothing in this stretch of the log." }));
  }

  async receipt(number) {
    fill(this.bar, h("p", {}, h("a", { href: "#/explorer" }, "All commands")));
    try {
      const row = await get(`/v1/receipts/${number}`);
      const before = Number(number) > 1 ? await get(`/v1/receipts/${Number(number) - 1}`).catch(() => null) : null;
      fill(this.body,
        h("h2", {}, `Sequence ${row.sequence}: ${named(row.command)}`),
        facts([
          ["Time", clock(row.receipt.time, true)],
          ["Account", h("a.mono", { href: `#/explorer/${segment(row.account)}` }, row.account)],
          ["Outcome", row.receipt.rejection ? h("span.down", {}, explained(row.receipt.rejection)) : "accepted"],
          ["Digest before", h("span.mono", {}, before?.receipt.digest || "the beginning")],
          ["Digest after", h("span.mono", {}, row.receipt.digest)],
        ], "lined"),
        h("h3", {}, "Command"), h("pre", {}, JSON.stringify(opened(row.command), null, 2)),
        h("h3", {}, `Events (${row.receipt.events.length})`), row.receipt.events.length ? row.receipt.events.map((event) => h("details.more", {}, h("summary", {}, summary(event)), h("pre", {}, JSON.stringify(event, null, 2)))) : h("p.hint", {}, "A refused command changes nothing."),
        h("div.row", {}, Number(number) > 1 && h("a.button", { href: `#/explorer/${Number(number) - 1}` }, "Previous"), h("a.button", { href: `#/explorer/${Number(number) + 1}` }, "Next")));
    } catch (fault) {
      fill(this.body, empty(fault.message, h("a", { href: "#/explorer" }, "All commands")));
    }
  }

  async account(name) {
    fill(this.bar, h("p", {}, h("a", { href: "#/explorer" }, "All commands")));
    try {
      const [held, trades] = await Promise.all([get(`/v1/accounts/${segment(name)}`), get("/v1/trades", { account: name, limit: 30 }).catch(() => ({ items: [] }))]);
      fill(this.body,
        h("h2.wrap", {}, name),
        h("div.two", {},
          card("Balances", table([["Token", (row) => row.token], ["Amount", (row) => amount(row.amount), "number"]], held.balances, { label: "Balances", empty: "Holds nothing." })),
          card("Trades", table([["Sequence", (row) => h("a", { href: `#/explorer/${row.sequence}` }, row.sequence)], ["Market", (row) => row.market], ["Action", (row) => row.action], ["USD", (row) => amount(row.traded_usd, 2), "number"]], trades.items, { label: "Trades", empty: "Has not traded." }))),
        [...held.positions, ...held.orders, ...held.other].map((leaf) => h("details.more", {}, h("summary", {}, leaf.type.replace(/([a-z])([A-Z])/g, "$1 $2")), facts(leafRows(leaf), "lined"))));
    } catch (fault) {
      fill(this.body, empty(fault.message, h("a", { href: "#/explorer" }, "All commands")));
    }
  }

  /** Read the head twice and say how to recompute it. */
  async verify() {
    const venue = await get("/v1/venue").catch(() => state.venue);
    dialog("Check this venue yourself", () => [
      h("p", {}, "Every receipt carries a digest that commits to all state so far:"),
      h("pre", {}, "digest n = SHA-256(digest n-1, command, events or rejection, changed leaves)"),
      facts([["Sequence", venue.sequence], ["Digest", h("span.mono.wrap", {}, venue.digest)], ["Profile", `${venue.profile} ${venue.profile_hash.slice(0, 12)}…`], ["Engine", venue.engine_version]], "lined"),
      h("p", {}, "With a copy of the journal, replay it from the first command; signatures, receipts and digests must all agree:"),
      h("pre", {}, "zlp verify --data ./venue\nzlp replay --data ./venue"),
      h("p", {}, "Without one, read the log over the API and compare its digests with those you were told when you traded:"),
      h("pre", {}, `curl ${location.origin}/v1/receipts/${venue.sequence}`),
    ]).classList.add("large");
  }
}

const named = (command) => (command.action ? `${command.type}: ${JSON.parse(command.action).type}` : command.type);

/** A carried action is JSON text: show it as what it is. */
const opened = (command) => (command.action ? { ...command, action: JSON.parse(command.action) } : command);

function summary(event) {
  const token = event.token || "";
  const worth = event.amount && state.tokens.has(token) ? ` ${amount(text(BigInt(event.amount), decimals(token)))} ${token}` : "";
  const what = event.market || event.asset || event.pool || "";
  return `${event.type}${worth}${what ? ` · ${what}` : ""}`;
}

export { on };
