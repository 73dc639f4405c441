"""Who owns which leaves, so that one account's view costs its own leaves and not those of everybody.

The index is told by the root what every command wrote. Like the state it is of one sequence between two awaits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, get_type_hints
from weakref import WeakKeyDictionary

from zlp.engine import Root
from zlp.engine.draft import Draft
from zlp.engine.leaves import KINDS
from zlp.engine.leaves.access import Nonces
from zlp.engine.leaves.base import Key, Leaf
from zlp.engine.leaves.ledger import Balance
from zlp.engine.state import Reader
from zlp.node import Node

L = TypeVar("L", bound=Leaf)
OWNER_FIELDS = ("account", "owner", "trader")


def _owner_fields(kind: type[Leaf]) -> tuple[str, ...]:
    """Fields of a kind that name accounts; a trading account's number is none."""
    hints = get_type_hints(kind)
    return tuple(field for field in OWNER_FIELDS if hints.get(field) is str)


FIELDS = {kind: fields for kind in KINDS if kind not in (Balance, Nonces) and (fields := _owner_fields(kind))}
"""Owned kinds. Balances are looked up token by token, nonces are nobody's business."""


def owners(leaf: Leaf) -> tuple[str, ...]:
    """Whose leaf this is."""
    return tuple(getattr(leaf, field) for field in FIELDS[type(leaf)])


class Owned:
    """Keys of owned leaves by kind and account, in the order they were first stored."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._keys: dict[tuple[type[Leaf], str], dict[Key, None]] = {}
        self._owners: dict[type[Leaf], dict[Key, tuple[str, ...]]] = {kind: {} for kind in FIELDS}
        for kind in FIELDS:
            for leaf in root.state.each(kind):
                self._set(kind, leaf.key, owners(leaf))
        root.watch(self._take)

    def keys(self, kind: type[Leaf], account: str) -> Mapping[Key, None]:
        """What the account owns of a kind."""
        return self._keys.get((kind, account), {})

    def _take(self, writes: Mapping[type[Leaf], Mapping[Key, Leaf | None]]) -> None:
        for kind, changed in writes.items():
            if kind in FIELDS:
                for key, leaf in changed.items():
                    self._set(kind, key, () if leaf is None else owners(leaf))

    def _set(self, kind: type[Leaf], key: Key, names: tuple[str, ...]) -> None:
        known = self._owners[kind]
        before = known.get(key, ())
        if before == names:
            return
        for name in before:
            held = self._keys[kind, name]
            held.pop(key, None)
            if not held:
                del self._keys[kind, name]
        for name in names:
            self._keys.setdefault((kind, name), {})[key] = None
        if names:
            known[key] = names
        else:
            del known[key]


class AccountReader:
    """A state, or a quote's draft over it, of which one account's leaves alone are walked; ``get`` finds all."""

    def __init__(self, owned: Owned, account: str, reader: Reader | None = None) -> None:
        self._owned, self._account = owned, account
        self._reader: Reader = owned.root.state if reader is None else reader

    def get(self, kind: type[L], key: Key) -> L | None:
        """The leaf of this kind and key, or ``None``."""
        return self._reader.get(kind, key)

    def each(self, kind: type[L]) -> Iterator[L]:
        """Leaves of an owned kind that are this account's, every leaf of any other kind."""
        if kind not in FIELDS:
            yield from self._reader.each(kind)
            return
        keys = dict(self._owned.keys(kind, self._account))
        below = self._reader
        while isinstance(below, Draft):
            keys.update(dict.fromkeys(below.writes.get(kind, ())))
            below = below.base
        for key in keys:
            leaf = self._reader.get(kind, key)
            if leaf is not None and self._account in owners(leaf):
                yield leaf


_indices: WeakKeyDictionary[Node, Owned] = WeakKeyDictionary()


def owned_by(node: Node, account: str, reader: Reader | None = None) -> AccountReader:
    """The node's state as one account's own, or a draft over it; the index is made when first asked for."""
    found = _indices.get(node)
    if found is None or found.root is not node.root:
        found = _indices[node] = Owned(node.root)
    return AccountReader(found, account, reader)
