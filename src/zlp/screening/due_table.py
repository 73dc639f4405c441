"""Rows that a price makes due: positions of one market side, orders with one kind of trigger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic

import numpy as np

from zlp.screening.kernels import threshold_hits
from zlp.screening.margin import MOST_INDICES, THRESHOLD_MARGIN, UNDERFLOW_MARGIN
from zlp.screening.ratio import LIMIT, Number, nearest, nearest_variable
from zlp.screening.rows import Floats, Key, Rows

_NEVER = -LIMIT
_ALWAYS = np.inf
_BLOCK = 128  # rows that share one entry of the reach


class Direction(Enum):
    """On which side of its threshold a row is due. The value is the sign that turns it into `AT_OR_BELOW`."""

    AT_OR_BELOW = 1
    AT_OR_ABOVE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The price that must be reached before a row can be due: exact, or a little nearer than the truth.

    It is whichever is reached first of

    - `fixed`: a price, or None;
    - `base + slopes[0] * index[0] + slopes[1] * index[1] + ...`: a price that moves with indices all rows of
      the table have in common (cumulative funding, a collateral's price), or None for `base`.

    Units are those of the price and of the indices that the caller passes to `due`.
    """

    fixed: Number | None = None
    base: Number | None = None
    slopes: tuple[Number, ...] = ()


class DueTable(Generic[Key]):
    """Finds the rows that a price makes due, among a million, in less than a millisecond.

    One table holds rows that share the price they look at, the indices that move them, and the direction: for
    example the longs of one market. `due` returns candidates: every row that is due, and rarely one that is
    within a rounding error of it. The caller confirms each with the engine's exact rule.
    """

    __slots__ = ("_at", "_direction", "_indices", "_reach", "_rows")

    def __init__(self, direction: Direction, indices: int = 0) -> None:
        if not 0 <= indices <= MOST_INDICES:
            raise ValueError(f"a table has 0 to {MOST_INDICES} indices, not {indices}")
        self._direction = direction
        self._indices = indices
        self._rows: Rows[Key] = Rows(float_columns=2 + indices if indices else 1)
        self._at: Floats = np.zeros(indices)  # the indices for which the reach holds
        self._reach: Floats = np.empty(0)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def upsert(self, key: Key, threshold: Threshold) -> None:
        """Add a row, or replace the one of this key. ValueError when the number of slopes does not fit."""
        column = self._fold(threshold)
        row = self._rows.claim(key)  # may replace the arrays
        self._rows.floats[:, row] = column
        self._forget_reach(row)

    def remove(self, key: Key) -> None:
        """Forget a row. KeyError when there is none."""
        row = self._rows.row(key)
        self._rows.remove(key)  # moves another row to this place
        self._forget_reach(row)

    def due(self, price: Number, indices: Sequence[Number] = ()) -> list[Key]:
        """The keys of all rows that may be due at this price and these indices, in no meaningful order.

        Raises ValueError when the number of indices does not fit or one has a magnitude of 2**500 or more.
        """
        if len(indices) != self._indices:
            raise ValueError(f"this table has {self._indices} indices, not {len(indices)}")
        level, rows = self._signed(price), self._rows
        at = np.array([nearest_variable(index) for index in indices])
        settled = np.array_equal(at, self._at)
        if not settled or self._reach.size * _BLOCK != rows.floats.shape[1]:
            self._at, self._reach = at, np.full(rows.floats.shape[1] // _BLOCK, np.inf)
        hits = threshold_hits(rows.floats, len(rows), level, at, THRESHOLD_MARGIN, self._reach, settled)
        return rows.keys_at(hits)

    def dump(self) -> tuple[list[Key], Floats]:
        """(keys, columns) to keep beside a snapshot: `load` brings the table back without folding again."""
        return self._rows.keys(), self._rows.floats[:, : len(self._rows)].copy()

    def load(self, keys: Iterable[Key], columns: Floats) -> None:
        """Replace all rows by what `dump` of a table of the same direction and indices gave.

        Raises ValueError, and changes nothing, for repeated keys, a wrong shape or a value `dump` cannot give.
        """
        if np.isnan(columns).any() or (np.abs(columns[1:]) > 2 * LIMIT).any():
            raise ValueError("columns to load hold a value that is no number, or too large")
        self._rows.load(keys, columns)
        self._reach = np.empty(0)

    def _fold(self, threshold: Threshold) -> list[float]:
        """The columns of one row, as a row that is due at or below its threshold."""
        if len(threshold.slopes) != (self._indices if threshold.base is not None else 0):
            raise ValueError(f"a moving threshold of this table has {self._indices} slopes")
        fixed = _NEVER if threshold.fixed is None else self._signed(threshold.fixed)
        base = _NEVER if threshold.base is None else self._signed(threshold.base)
        if not self._indices:
            return [max(fixed, base)]
        slopes = [self._signed(slope) for slope in threshold.slopes] or [0.0] * self._indices
        if max(abs(number) for number in (base, *slopes)) > LIMIT:
            return [_ALWAYS, 0.0, *([0.0] * self._indices)]
        return [fixed, base + (THRESHOLD_MARGIN * abs(base) + UNDERFLOW_MARGIN), *slopes]

    def _forget_reach(self, row: int) -> None:
        """A row changed: until its block is looked at again, it may reach anything."""
        if row // _BLOCK < self._reach.size:
            self._reach[row // _BLOCK] = np.inf

    def _signed(self, number: Number) -> float:
        return self._direction.value * nearest(number)
