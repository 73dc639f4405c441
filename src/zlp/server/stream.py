"""The WebSocket at ``/v1/stream``: subscribe with a snapshot, then every message with its sequence; or resume.

Requests: ``{"op": "subscribe", "channel": ..., "id": ..., "from_seq": ...}``, ``{"op": "unsubscribe", ...}``,
``{"op": "ping"}``. The protocol's own state machine is the websockets library's; only outgoing events bypass it,
as frames that are built once for all. Who does not read fast enough is closed; the venue never waits for anybody.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from zlp.engine.codec import plain
from zlp.node import NodeDown, PastGone
from zlp.server.channels import CHANNELS
from zlp.server.hub import Hub, Topic, frame, message
from zlp.server.limits import Buckets, Connections
from zlp.server.problems import SERVER_CODES, Problem

PATH = "/v1/stream"
MESSAGE_BYTES = 4_096
PING_SECONDS = 15
NAME = re.compile(r"[0-9A-Za-z._:/-]{0,96}")
CATCH_UP_PAGE = 200
DRAIN_SECONDS = 10


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends. ``from_seq``: the last sequence it has seen; without it a snapshot comes first."""

    op: str
    channel: str = ""
    id: str = ""
    from_seq: str = ""


_ask = msgspec.json.Decoder(Ask).decode


class StreamProtocol(asyncio.Protocol):
    """One WebSocket connection, plugged into uvicorn in place of its ASGI bridge."""

    def __init__(
        self,
        hub: Hub,
        connections_open: Connections,
        config: Config,  # noqa: ARG002 - uvicorn passes it by name
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002 - uvicorn passes it by name
    ) -> None:
        self.hub, self.connections_open = hub, connections_open
        self.limits = connections_open.limits
        self.loop = asyncio.get_running_loop()
        self.connections = server_state.connections
        self.connection = ServerProtocol(max_size=MESSAGE_BYTES)
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.topics: set[Topic] = set()
        self._starting: dict[Topic, asyncio.Task[None]] = {}
        self._asks = Buckets(self.limits.stream_asks_per_second, self.limits.stream_asks_burst, "too_many_requests")
        self._address = ""
        self._ping: asyncio.TimerHandle | None = None
        self._alive = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection becomes a stream."""
        self.transport = transport  # type: ignore[assignment]
        self.connections.add(self)  # type: ignore[arg-type]
        remote = get_remote_addr(self.transport)
        self._address = remote[0] if remote else "local"
        self.transport.set_write_buffer_limits(high=self.limits.stream_buffer_bytes)
        self.hub.node.metrics.subscribers.inc()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget it."""
        self._alive = False
        if self._ping is not None:
            self._ping.cancel()
        for topic in tuple(self.topics):
            self._leave(topic)
        self.connections.discard(self)
        self.connections_open.close(self._address)
        self.hub.node.metrics.subscribers.dec()

    def data_received(self, data: bytes) -> None:
        """Bytes of the handshake or of frames."""
        self.connection.receive_data(data)
        for event in self.connection.events_received():
            if isinstance(event, Request):
                self._handshake(event)
            elif isinstance(event, Frame):
                self._on_frame(event)
        self._send_pending()

    def _handshake(self, request: Request) -> None:
        if request.path.partition("?")[0] == PATH:
            response = self.connection.accept(request)
        else:
            response = self.connection.reject(404, f"streams are at {PATH}\n")
        self.connection.send_response(response)
        if self.connection.state is State.OPEN:
            self._ping = self.loop.call_later(PING_SECONDS, self._keep_alive, False)

    def _on_frame(self, event: Frame) -> None:
        if self._ping is not None:
            self._ping.cancel()
            self._ping = self.loop.call_later(PING_SECONDS, self._keep_alive, False)
        if event.opcode is Opcode.TEXT and event.fin:
            self._on_message(bytes(event.data))
        elif event.opcode in (Opcode.BINARY, Opcode.CONT) or (event.opcode is Opcode.TEXT and not event.fin):
            self.connection.fail(CloseCode.UNSUPPORTED_DATA, "one text frame per request")

    def _keep_alive(self, asked: bool) -> None:
        """Ping a silent client; close one that stays silent."""
        if asked:
            self.transport.abort()
            return
        self.connection.send_ping(b"zlp")
        self._send_pending()
        self._ping = self.loop.call_later(PING_SECONDS, self._keep_alive, True)

    def _send_pending(self) -> None:
        for data in self.connection.data_to_send():
            if data:
                self.transport.write(data)
            else:
                self.transport.close()
        if self.connection.close_expected() and not self.transport.is_closing():
            self.loop.call_later(1, self.transport.abort)

    def _on_message(self, data: bytes) -> None:
        try:
            self._asks.take("")
            ask = _ask(data)
        except Problem as problem:
            self._refuse(problem.code, f"at most {self.limits.stream_asks_per_second} requests a second on a stream")
            return
        except (msgspec.DecodeError, UnicodeError, RecursionError) as fault:
            self._refuse("malformed_request", str(fault))
            return
        topic = (ask.channel, ask.id)
        if ask.op == "ping":
            self.say({"op": "pong", "seq": str(self.hub.node.feed.last)})
        elif ask.op == "unsubscribe" and topic in self.topics:
            self._leave(topic)
            self.say({"op": "unsubscribed", "channel": ask.channel, "id": ask.id})
        elif ask.op == "subscribe":
            self._subscribe(topic, ask.from_seq)
        else:
            self._refuse("malformed_request", f"nothing to {ask.op[:32]}: subscribe, unsubscribe or ping")

    def _subscribe(self, topic: Topic, from_seq: str) -> None:
        name, identifier = topic
        if name not in CHANNELS:
            self._refuse("not_found", f"channels are {', '.join(CHANNELS)}")
        elif NAME.fullmatch(identifier) is None or not re.fullmatch(r"[0-9]{0,18}", from_seq):
            self._refuse("malformed_request", "an id is a short name, from_seq is decimal text")
        elif topic in self.topics:
            self._refuse("malformed_request", f"subscribed to {name} {identifier} already")
        elif len(self.topics) >= self.limits.stream_subscriptions:
            self._refuse("too_many_requests", f"at most {self.limits.stream_subscriptions} subscriptions")
        elif from_seq and int(from_seq) < self.hub.node.feed.oldest() - 1:
            self._refuse("compacted", f"the log starts at {self.hub.node.feed.oldest()}; subscribe without from_seq")
        else:
            self._start(topic, int(from_seq) if from_seq else None)

    def _start(self, topic: Topic, from_seq: int | None) -> None:
        self.topics.add(topic)
        if from_seq is None and self.hub.node.is_durable:
            self._show(topic)
        else:
            self._starting[topic] = self.loop.create_task(self._start_later(topic, from_seq))

    def _show(self, topic: Topic) -> None:
        """The state now, then every change of it. Only while the state is durable."""
        node = self.hub.node
        snapshot = plain(CHANNELS[topic[0]].first(node, topic[1]))
        said = {"op": "subscribed", "channel": topic[0], "id": topic[1], "seq": str(node.feed.last)}
        self.say({**said, "snapshot": snapshot})
        self.hub.join(topic, self)

    async def _start_later(self, topic: Topic, from_seq: int | None) -> None:
        try:
            if from_seq is None:
                await self.hub.node.durable()
                self._show(topic)
            else:
                await self._catch_up(topic, from_seq)
        except PastGone as fault:
            self._refuse("compacted", str(fault))
        except NodeDown:
            self.transport.close()
        finally:
            self._starting.pop(topic, None)

    async def _catch_up(self, topic: Topic, after: int) -> None:
        """Send the past in pages, then join the present in the same step, so that nothing is lost or doubled."""
        feed, channel = self.hub.node.feed, CHANNELS[topic[0]]
        said = {"op": "subscribed", "channel": topic[0], "id": topic[1], "seq": str(feed.last)}
        self.say({**said, "from_seq": str(after)})
        while after < feed.last:
            facts = feed.read(after, CATCH_UP_PAGE)
            self.push(b"".join(made for fact in facts if (made := message(channel, topic[1], fact)) is not None))
            after = facts[-1].sequence
            await self._drained()
        self.hub.join(topic, self)

    async def _drained(self) -> None:
        """Give others their turn, and the client time to read what it asked for."""
        await asyncio.sleep(0)
        patience = self.loop.time() + DRAIN_SECONDS
        while self._alive and self.transport.get_write_buffer_size() > self.limits.stream_buffer_bytes // 4:
            if self.loop.time() > patience:
                self._drop()
                return
            await asyncio.sleep(0.01)

    def _leave(self, topic: Topic) -> None:
        self.topics.discard(topic)
        task = self._starting.pop(topic, None)
        if task is not None:
            task.cancel()
        self.hub.leave(topic, self)

    def push(self, frames: bytes) -> None:
        """Write ready frames; drop the client if it is too far behind."""
        if not self._alive or self.transport.is_closing() or self.connection.state is not State.OPEN:
            return
        self.transport.write(frames)
        if self.transport.get_write_buffer_size() > self.limits.stream_buffer_bytes:
            self._drop()

    def _drop(self) -> None:
        self.hub.node.metrics.dropped.inc()
        for topic in tuple(self.topics):
            self._leave(topic)
        self.transport.abort()

    def say(self, answer: dict[str, Any]) -> None:
        """Send one answer."""
        self.push(frame(msgspec.json.encode(answer)))

    def _refuse(self, code: str, detail: str) -> None:
        self.say({"op": "error", "code": code, "title": SERVER_CODES[code][1], "detail": detail[:300]})

    def shutdown(self) -> None:
        """The server stops: say so, close."""
        if self.connection.state is State.OPEN:
            self.hub.flush()
            self.connection.send_close(CloseCode.SERVICE_RESTART)
            self._send_pending()
        self.transport.close()
