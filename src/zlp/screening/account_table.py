"""Cross-margin accounts that prices make due: several positions and collaterals, one equity."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic

import numpy as np

from zlp.screening.kernels import account_hits
from zlp.screening.legs import FoldedLeg, Legs
from zlp.screening.margin import HEADROOM_MARGIN, MOST_LEGS, UNDERFLOW_MARGIN
from zlp.screening.ratio import LIMIT, Number, nearest, nearest_variable
from zlp.screening.rows import Floats, Key, Rows

Variable = Hashable
"""Names what a tick changes: a price, a skewed price, a funding or borrow index."""

_NOTHING = 0  # the variable of an unused term; its value is 0
_BITS = 62  # variables share the bits of one int64 column
_AWAKE = 1 << _BITS  # set on accounts that are evaluated whatever changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`min(cap, sum of coefficient * variable + constant)`: what one holding adds to an account.

    At most two terms; a cap is not negative. The exact contribution is never below it.
    """

    terms: tuple[tuple[Variable, Number], ...]
    constant: Number = 0
    cap: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """By how much an account is safe: `constant + sum(legs) + min(P, share * P)` with P = sum(profit_legs).

    Equity less what it must cover, never above the exact value. The account may be due when it is not
    positive. The share, `profit_share` (0 to 1), is the part of a net profit that counts as equity.
    """

    constant: Number
    legs: tuple[Leg, ...] = ()
    profit_legs: tuple[Leg, ...] = ()
    profit_share: Number = 1


class AccountTable(Generic[Key]):
    """Finds the accounts that the present prices make due.

    A row is an account, its exposures are sparse. A tick of one market evaluates the accounts exposed to it;
    an account that was changed, or was due before, is evaluated in any case. So every call returns all
    accounts that may be due at the present values. The caller confirms each with the engine's exact rule.
    """

    __slots__ = ("_columns", "_legs", "_rows", "_values")

    def __init__(self) -> None:
        self._rows: Rows[Key] = Rows(float_columns=2, integer_columns=4)
        self._legs = Legs()
        self._columns: dict[Variable, int] = {}
        self._values: Floats = np.zeros(1)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def upsert(self, key: Key, headroom: Headroom) -> None:
        """Add an account, or replace the one of this key.

        Raises ValueError, and changes nothing, for too many legs or terms, a negative cap, a wrong share.
        """
        _check(headroom)
        profit_legs = [self._fold(leg) for leg in headroom.profit_legs]
        other_legs = [self._fold(leg) for leg in headroom.legs]
        constant = nearest(headroom.constant)
        if any(abs(number) > LIMIT for leg in (*profit_legs, *other_legs) for number in leg.numbers[:3]):
            constant, profit_legs, other_legs = -np.inf, [], []  # too large for a float: always a candidate
        if key in self._rows:
            self._discard_legs(self._rows.row(key))
        segment = self._legs.append(profit_legs, other_legs)
        row = self._rows.claim(key)
        self._rows.floats[:, row] = constant, nearest(headroom.profit_share)
        self._rows.integers[:, row] = *segment, _AWAKE | _bits(profit_legs, other_legs)
        self._pack_when_half_garbage()

    def remove(self, key: Key) -> None:
        """Forget an account. KeyError when there is none."""
        self._discard_legs(self._rows.row(key))
        self._rows.remove(key)
        self._pack_when_half_garbage()

    def due(self, changes: Mapping[Variable, int | Number]) -> list[Key]:
        """Take the new values of some variables; the keys of all accounts that may be due, in no set order.

        A variable keeps its value until a later call changes it. An account exposed to one that never had a
        value is a candidate. Raises ValueError, and changes nothing, for a magnitude of 2**500 or more.
        """
        values = {variable: nearest_variable(value) for variable, value in changes.items()}
        changed = _AWAKE
        for variable, value in values.items():
            column = self._column(variable)
            self._values[column] = value
            changed |= _bit(column)
        rows, count = self._rows, len(self._rows)
        hits = account_hits(
            rows.floats,
            rows.integers,
            count,
            self._legs.floats,
            self._legs.variables,
            self._values,
            changed,
            HEADROOM_MARGIN,
            UNDERFLOW_MARGIN,
        )
        rows.integers[3, :count] &= _AWAKE - 1
        rows.integers[3, hits] |= _AWAKE
        return rows.keys_at(hits)

    def _fold(self, leg: Leg) -> FoldedLeg:
        coefficients = [nearest(coefficient) for _, coefficient in leg.terms]
        variables = [self._column(variable) for variable, _ in leg.terms]
        unused = 2 - len(leg.terms)
        cap = np.inf if leg.cap is None else nearest(leg.cap)
        numbers = [*coefficients, *([0.0] * unused), nearest(leg.constant), cap]
        return FoldedLeg(numbers, [*variables, *([_NOTHING] * unused)])

    def _column(self, variable: Variable) -> int:
        """Where the value of a variable is; a new one has no value yet, which is NaN."""
        column = self._columns.get(variable)
        if column is None:
            column = self._columns[variable] = self._values.size
            self._values = np.append(self._values, np.nan)
        return column

    def _discard_legs(self, row: int) -> None:
        begin, _, end = self._rows.integers[:3, row].tolist()
        self._legs.garbage += end - begin

    def _pack_when_half_garbage(self) -> None:
        if self._legs.garbage > 1024 and 2 * self._legs.garbage > len(self._legs):
            self._legs.pack(self._rows.integers[:3, : len(self._rows)])


def _check(headroom: Headroom) -> None:
    legs = (*headroom.legs, *headroom.profit_legs)
    if len(legs) > MOST_LEGS:
        raise ValueError(f"an account has at most {MOST_LEGS} legs, not {len(legs)}")
    for leg in legs:
        if len(leg.terms) > 2:
            raise ValueError(f"a leg has at most two terms, not {len(leg.terms)}")
        if leg.cap is not None and nearest(leg.cap) < 0:
            raise ValueError("the cap of a leg is not negative")
    if not 0 <= nearest(headroom.profit_share) <= 1:
        raise ValueError("the share of a profit that counts lies between 0 and 1")


def _bit(column: int) -> int:
    return 1 << (column % _BITS)


def _bits(*groups: list[FoldedLeg]) -> int:
    bits = 0
    for group in groups:
        for leg in group:
            for column in leg.variables:
                bits |= _bit(column) if column != _NOTHING else 0
    return bits
