"""The node as keepers and agents in its process see it: apply at once, read the state, hear every receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zlp.engine import Envelope, Receipt, Root
from zlp.node.facts import Fact, Submission
from zlp.node.node import Node


class NodeDoor:
    """What ``LocalVenue`` is to a bare root, over a node: nothing is answered before it is durable.

    Runs on the node's own event loop, so it never sees a state that is half applied.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self._listeners: list[Callable[[Receipt], None]] = []
        node.feed.listen(self._hear)

    @property
    def root(self) -> Root:
        """The durable state."""
        return self.node.root

    def apply(self, envelope: Envelope) -> Receipt:
        """Sequence one trusted command now; the node stamps the time."""
        reply = self.node.submit(Submission.trusted(envelope.account, envelope.command, local="zlp up"))
        self.node.flush()
        (fact,) = reply.result()
        return fact.receipt

    def listen(self, listener: Callable[[Receipt], None]) -> None:
        """Call ``listener`` with every receipt from now on."""
        self._listeners.append(listener)

    def _hear(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            for listener in self._listeners:
                listener(fact.receipt)
