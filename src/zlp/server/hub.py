"""Who watches what. A message is built once per topic, and all of a tick's go out in one write per watcher."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from zlp.node import Fact, Node
from zlp.server.channels import CHANNELS, Channel, mentioned

Topic = tuple[str, str]
TICK_SECONDS = 0.01


class Watcher(Protocol):
    """A connection that takes ready frames. It drops itself when it can't keep up."""

    def push(self, frames: bytes) -> None:
        """Write frames."""


def frame(payload: bytes) -> bytes:
    """One unmasked WebSocket text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def message(channel: Channel, name: str, fact: Fact) -> bytes | None:
    """The frame of one fact on one topic, or ``None``. ``name`` has been checked to need no escaping."""
    part = channel.parts(fact, name)
    if part is None:
        return None
    head = b'{"op":"event","channel":"%b","id":"%b","seq":"%d","time":"%d","data":'
    return frame(head % (channel.name.encode(), name.encode(), fact.sequence, fact.receipt.time) + part + b"}")


class Hub:
    """Topics and their watchers. Ticks only while there is something to send."""

    def __init__(self, node: Node, tick_seconds: float = TICK_SECONDS) -> None:
        self.node = node
        self.tick_seconds = tick_seconds
        self._watchers: dict[Topic, list[Watcher]] = {}
        self._by_id: dict[str, list[Topic]] = {}
        self._frames: dict[Topic, list[bytes]] = {}
        self._tick: asyncio.TimerHandle | None = None
        self._last_tick = 0.0
        node.feed.listen(self._collect)

    def join(self, topic: Topic, watcher: Watcher) -> None:
        """From the next fact on. What is waiting goes out first, so nobody gets it twice."""
        self.flush()
        if topic not in self._watchers:
            self._watchers[topic] = []
            self._by_id.setdefault(topic[1], []).append(topic)
        self._watchers[topic].append(watcher)

    def leave(self, topic: Topic, watcher: Watcher) -> None:
        """No more of this topic."""
        watchers = self._watchers.get(topic, [])
        if watcher in watchers:
            watchers.remove(watcher)
        if not watchers and self._watchers.pop(topic, None) is not None:
            self._by_id[topic[1]].remove(topic)
            if not self._by_id[topic[1]]:
                del self._by_id[topic[1]]

    def _collect(self, facts: Sequence[Fact]) -> None:
        if not self._watchers:
            return
        for fact in facts:
            topics = self._by_id.get("", [])
            if len(self._by_id) > 1 or not topics:
                topics = [*topics, *(topic for name in mentioned(fact) for topic in self._by_id.get(name, ()))]
            for topic in topics:
                made = message(CHANNELS[topic[0]], topic[1], fact)
                if made is not None:
                    self._frames.setdefault(topic, []).append(made)
        if self._frames and self._tick is None:
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._last_tick + self.tick_seconds - loop.time())
            self._tick = loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """Send what the tick collected: one write per watcher and topic, the bytes shared."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if not self._frames:
            return
        self._last_tick = asyncio.get_running_loop().time()
        collected, self._frames = self._frames, {}
        for topic, frames in collected.items():
            together = b"".join(frames)
            for watcher in tuple(self._watchers.get(topic, ())):
                watcher.push(together)
