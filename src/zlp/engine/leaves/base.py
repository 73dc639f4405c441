"""What every leaf is: one immutable record of state, found by its key."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Key: TypeAlias = tuple[str | int | bool, ...]
"""The identifying fields of a leaf, in the order they are declared."""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """What a leaf says a holder must have: ``amount`` base units of ``token`` at ``holder``, at least."""

    holder: str
    token: str
    amount: int


class Leaf(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Base of all state. A leaf is replaced, never changed; its verbs need nothing but itself."""

    @property
    def key(self) -> Key:
        """The identifying fields; unique among leaves of the same kind."""
        raise NotImplementedError

    def broken(self) -> str | None:
        """The property of this record alone that does not hold, or ``None``. Checked on every commit."""
        return None

    def claim(self) -> Claim | None:
        """The tokens this record speaks for, or ``None``. Checked against the ledger on every commit."""
        return None


class Settings(Leaf, frozen=True):
    """A leaf that governance writes: parameters, never balances.

    ``Configure`` puts a whole record, ``SetParameter`` one field of it; both are refused when ``invalid``
    names a fault.
    """

    def invalid(self) -> str | None:
        """Why these numbers can't be used, in words, or ``None``."""
        return None

    def issues(self) -> tuple[str, ...]:
        """The tokens that the rules with these settings create and destroy: they must be marked as ``issued``."""
        return ()
