"""The node as keepers and agents on another thread of its process see it.

They look at a replica, so that they never see a state that is half applied; what they send goes through the
node like anybody's command and is answered when it is durable.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from zlp.engine import Envelope, Receipt, Root
from zlp.keepers.replica import Replica
from zlp.node.facts import Fact
from zlp.node.node import Node


class NodeDoor:
    """What ``LocalVenue`` is to a bare root, over a node. Make it on the node's loop, use it on one other thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._loop = asyncio.get_running_loop()
        self._replica = Replica(node.copy())
        self._news: deque[Fact] = deque()
        self._listeners: list[Callable[[Receipt], None]] = []
        node.feed.listen(self._hear)

    @property
    def root(self) -> Root:
        """The replica's root."""
        return self._replica.root

    def apply(self, envelope: Envelope) -> Receipt:
        """Send one trusted command and wait until it is durable; the node stamps the time."""
        sent = self._node.command(envelope.account, envelope.command, local="zlp up")
        (fact,) = asyncio.run_coroutine_threadsafe(sent, self._loop).result()
        self.catch_up()
        return fact.receipt

    def listen(self, listener: Callable[[Receipt], None]) -> None:
        """Call ``listener`` with every receipt from now on."""
        self._listeners.append(listener)

    def catch_up(self) -> None:
        """Take what has happened since, also other people's commands."""
        while self._news:
            fact = self._news.popleft()
            if self._replica.follow(fact.account, fact.command, fact.receipt):
                for listener in self._listeners:
                    listener(fact.receipt)

    def _hear(self, facts: Sequence[Fact]) -> None:
        self._news.extend(facts)
