"""The whole state of a venue: tables of immutable leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from zlp.engine.leaves.base import Key, Leaf

L = TypeVar("L", bound=Leaf)


class Reader(Protocol):
    """Anything leaves can be read from: the state, or a draft laid over it."""

    def get(self, kind: type[L], key: Key) -> L | None:
        """The leaf of this kind and key, or ``None``."""

    def each(self, kind: type[L]) -> Iterator[L]:
        """Every leaf of this kind. Costs O(leaves): for views and keepers, never for commands."""


class State:
    """All leaves, by kind and key. Only the root writes it, by committing a draft.

    ``prices``: a second, and the bounds of assets that ``pricing`` has read off the leaves at it. It is replaced and
    never emptied, so that who reads on another thread can't bring back a price that has been replaced since.
    """

    __slots__ = ("prices", "tables")

    def __init__(self, leaves: Iterable[Leaf] = ()) -> None:
        self.tables: dict[type[Leaf], dict[Key, Leaf]] = {}
        self.prices: tuple[int, dict[str, tuple[int, int]]] = (0, {})
        for leaf in leaves:
            self.tables.setdefault(type(leaf), {})[leaf.key] = leaf

    def get(self, kind: type[L], key: Key) -> L | None:
        """The leaf of this kind and key, or ``None``."""
        table = self.tables.get(kind)
        return None if table is None else table.get(key)  # type: ignore[return-value]

    def each(self, kind: type[L]) -> Iterator[L]:
        """Every leaf of this kind, in the order they were first stored."""
        yield from self.tables.get(kind, {}).values()  # type: ignore[misc]

    def leaves(self) -> Iterator[Leaf]:
        """Every leaf of every kind."""
        for table in self.tables.values():
            yield from table.values()
