"""The overlay a command works on: commit keeps it, a rejection drops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from zlp.engine.commands.base import Command
from zlp.engine.events.base import Event
from zlp.engine.leaves.base import Key, Leaf
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader, State

L = TypeVar("L", bound=Leaf)
MOST_NESTED = 16
"""Commands inside one another; approvals of multisigs that are members of each other could go on for ever."""
_ABSENT: Any = object()


class Draft:
    """Leaves a command has touched, laid over a reader, with the events it recorded.

    ``time`` is the envelope's second, ``sender`` the account the command acts for, ``sequence`` its place in
    the log. ``route`` is the root's dispatch, for commands that carry another command (orders, proposals).
    ``memo`` caches pure readings (prices, weights) for the length of one command. A draft over a draft reads what those
    below it have written, newest first, without asking each.
    """

    __slots__ = (
        "_layers",
        "_tables",
        "base",
        "depth",
        "events",
        "memo",
        "route",
        "sender",
        "sequence",
        "time",
        "writes",
    )

    def __init__(
        self, base: Reader, *, time: int, sender: str, sequence: int, route: Callable[[Draft, Command], None]
    ) -> None:
        self.base = base
        self._tables: dict[type[Leaf], dict[Key, Leaf]] | None = None
        self._layers: tuple[dict[type[Leaf], dict[Key, Leaf | None]], ...] = ()
        if isinstance(base, State):
            self._tables = base.tables
        elif isinstance(base, Draft):
            self._tables, self._layers = base._tables, (base.writes, *base._layers)
        self.route = route
        self.time = time
        self.sender = sender
        self.sequence = sequence
        self.depth = 0
        self.writes: dict[type[Leaf], dict[Key, Leaf | None]] = {}
        self.events: list[Event] = []
        self.memo: dict[Any, Any] = {}

    def get(self, kind: type[L], key: Key) -> L | None:
        """The leaf as this command sees it, or ``None``."""
        table = self.writes.get(kind)
        if table is not None:
            leaf = table.get(key, _ABSENT)
            if leaf is not _ABSENT:
                return leaf  # type: ignore[no-any-return]
        for writes in self._layers:
            table = writes.get(kind)
            if table is not None:
                leaf = table.get(key, _ABSENT)
                if leaf is not _ABSENT:
                    return leaf  # type: ignore[no-any-return]
        if self._tables is None:
            return self.base.get(kind, key)
        below = self._tables.get(kind)  # reading the state's table here saves a call on the hottest path
        return None if below is None else below.get(key)  # type: ignore[return-value]

    def need(self, kind: type[L], key: Key, code: Code) -> L:
        """The leaf, or a rejection with ``code``."""
        leaf = self.get(kind, key)
        if leaf is None:
            raise Reject(code, detail=":".join(str(part) for part in key))
        return leaf

    def each(self, kind: type[L]) -> Iterator[L]:
        """Every leaf of this kind as this command sees it (O(leaves): keep it out of hot commands)."""
        touched = self.writes.get(kind, {})
        for leaf in self.base.each(kind):
            if leaf.key not in touched:
                yield leaf
        for changed in touched.values():
            if changed is not None:
                yield changed  # type: ignore[misc]

    def put(self, leaf: Leaf) -> None:
        """Store a new or changed leaf."""
        kind = type(leaf)
        table = self.writes.get(kind)
        if table is None:
            table = self.writes[kind] = {}
        table[leaf.key] = leaf

    def drop(self, leaf: Leaf) -> None:
        """Delete a leaf."""
        self.writes.setdefault(type(leaf), {})[leaf.key] = None

    def record(self, event: Event) -> None:
        """Append an event to the receipt."""
        self.events.append(event)

    def run(self, command: Command, account: str) -> None:
        """Run another command inside this one, on behalf of ``account``; ``nested_too_deep`` beyond a bound."""
        if self.depth >= MOST_NESTED:
            raise Reject(Code.NESTED_TOO_DEEP, limit=MOST_NESTED, actual=self.depth + 1)
        sender, self.sender = self.sender, account
        self.depth += 1
        try:
            self.route(self, command)
        finally:
            self.depth -= 1
            self.sender = sender

    @contextmanager
    def acting_as(self, account: str) -> Iterator[None]:
        """Run a step on behalf of another account (orders, requests, approved proposals)."""
        sender, self.sender = self.sender, account
        try:
            yield
        finally:
            self.sender = sender

    def nested(self) -> Draft:
        """A draft over this one, for a step that may fail without failing the command."""
        inner = Draft(self, time=self.time, sender=self.sender, sequence=self.sequence, route=self.route)
        inner.depth = self.depth
        return inner

    def absorb(self, inner: Draft) -> None:
        """Keep what a nested draft did."""
        for kind, table in inner.writes.items():
            self.writes.setdefault(kind, {}).update(table)
        self.events.extend(inner.events)
        self.memo.clear()
