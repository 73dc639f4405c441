"""The one narrow door a keeper has to a venue, and its in-process implementation over a root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from zlp.engine import Command, Envelope, Receipt, Root
from zlp.engine.state import Reader

Listener = Callable[[Receipt], None]
"""Hears every accepted or rejected command of a venue, in the order of the log."""


class Port(Protocol):
    """What a keeper may do: look at the state, try a command out, submit one, hear what happened.

    A remote implementation follows the venue's log with a root of its own (every node computes the same state)
    and submits over the network; ``submit`` then returns once the venue has acknowledged.
    """

    @property
    def reader(self) -> Reader:
        """The venue's state."""

    def now(self) -> int:
        """The second at which a command submitted now would be applied."""

    def submit(self, command: Command) -> Receipt:
        """Send a command in the keeper's name."""

    def quote(self, command: Command) -> Receipt:
        """What ``submit`` would answer now; nothing changes."""

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every receipt from now on."""


class Keeper(Protocol):
    """One bot. ``work`` looks once and does what there is to do; it returns how many commands were accepted."""

    name: str

    def work(self) -> int:
        """One round."""


class VenueDoor(Protocol):
    """A venue in this process: its root to read, a way to apply, receipts to hear."""

    @property
    def root(self) -> Root:
        """The state machine; only ``apply`` changes it."""

    def apply(self, envelope: Envelope) -> Receipt:
        """Apply one envelope and tell everybody."""

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every receipt from now on."""


class LocalVenue:
    """A root with listeners: what stands around a venue when everything runs in one process."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._listeners: list[Listener] = []

    @property
    def root(self) -> Root:
        """The root."""
        return self._root

    def apply(self, envelope: Envelope) -> Receipt:
        """Apply one envelope and tell everybody."""
        receipt = self._root.apply(envelope)
        for listener in self._listeners:
            listener(receipt)
        return receipt

    def listen(self, listener: Listener) -> None:
        """Add a listener; it hears what comes after."""
        self._listeners.append(listener)


class LocalPort:
    """A port of one account to a venue in this process. ``clock`` gives the second."""

    def __init__(self, venue: VenueDoor, account: str, clock: Callable[[], int]) -> None:
        self._venue = venue
        self.account = account
        self.now = clock

    @property
    def reader(self) -> Reader:
        """The root's state."""
        return self._venue.root.state

    def submit(self, command: Command) -> Receipt:
        """Apply the command now."""
        return self._venue.apply(Envelope(time=self.now(), account=self.account, command=command))

    def quote(self, command: Command) -> Receipt:
        """Try the command out."""
        envelope = Envelope(time=self.now(), account=self.account, command=command)
        return self._venue.root.quote(envelope).receipt

    def listen(self, listener: Listener) -> None:
        """Hear the venue's receipts."""
        self._venue.listen(listener)
