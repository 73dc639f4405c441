"""Rows that a price makes due: positions of one market side, orders with one kind of trigger."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Generic, NamedTuple

import numpy as np

from zlp.screening.kernels import threshold_hits
from zlp.screening.margin import MOST_INDICES, THRESHOLD_MARGIN, UNDERFLOW_MARGIN
from zlp.screening.ratio import LIMIT, Number, nearest, nearest_variable
from zlp.screening.rows import Floats, Key, Rows

_NEVER = -LIMIT
_ALWAYS = math.inf
_BLOCK = 128  # rows that share one entry of the reach


class Direction(Enum):
    """On which side of its threshold a row is due. The value is the sign that turns it into `AT_OR_BELOW`."""

    AT_OR_BELOW = 1
    AT_OR_ABOVE = -1


class Threshold(NamedTuple):
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

    A price that no row reaches is told by one comparison: with `_nearest`, which no row's threshold is above, at
    the indices `_at` of the last look. `_reach` says the same of each block of rows.
    """

    __slots__ = ("_at", "_indices", "_nearest", "_reach", "_rows", "_sign")

    def __init__(self, direction: Direction, indices: int = 0) -> None:
        if not 0 <= indices <= MOST_INDICES:
            raise ValueError(f"a table has 0 to {MOST_INDICES} indices, not {indices}")
        self._sign = direction.value
        self._indices = indices
        self._rows: Rows[Key] = Rows(float_columns=2 + indices if indices else 1)
        self._at = (0.0,) * indices
        self._reach: Floats = np.empty(0)
        self._nearest = math.inf

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def upsert(self, key: Key, threshold: Threshold) -> None:
        """Add a row, or replace the one of this key. ValueError when the number of slopes does not fit."""
        column = self._fold(threshold)
        row = self._rows.claim(key)  # may replace the arrays
        self._rows.floats[:, row] = column
        self._reach_at_least(row, self._threshold(column))

    def remove(self, key: Key) -> None:
        """Forget a row. KeyError when there is none."""
        row = self._rows.row(key)
        self._rows.remove(key)  # moves the last row to this place
        block, last = row // _BLOCK, len(self._rows) // _BLOCK
        if block != last < self._reach.size:
            self._reach[block] = max(self._reach[block], self._reach[last])

    def due(self, price: Number, indices: Sequence[Number] = ()) -> list[Key]:
        """The keys of all rows that may be due at this price and these indices, in no meaningful order.

        Raises ValueError when the number of indices does not fit or one has a magnitude of 2**500 or more.
        """
        if len(indices) != self._indices:
            raise ValueError(f"this table has {self._indices} indices, not {len(indices)}")
        level, rows = self._signed(price), self._rows
        at = tuple(map(nearest_variable, indices))
        settled = at == self._at
        if not settled or self._reach.size * _BLOCK != rows.floats.shape[1]:
            self._at, self._reach = at, np.full(rows.floats.shape[1] // _BLOCK, np.inf)
            self._nearest = math.inf
        elif self._nearest < level:
            return []
        exact = settled or len(rows) <= _BLOCK  # a single block's reach costs nothing
        hits = threshold_hits(rows.floats, len(rows), level, np.array(at), THRESHOLD_MARGIN, self._reach, exact)
        if exact and len(rows):
            self._nearest = float(self._reach[: -(-len(rows) // _BLOCK)].max())
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
        if max(map(abs, (base, *slopes))) > LIMIT:
            return [_ALWAYS, 0.0, *([0.0] * self._indices)]
        return [fixed, base + (THRESHOLD_MARGIN * abs(base) + UNDERFLOW_MARGIN), *slopes]

    def _threshold(self, column: Sequence[float]) -> float:
        """A row's threshold at the indices of the last look, as the kernel computes it."""
        if not self._indices:
            return column[0]
        fixed, moving, *slopes = column
        for slope, index in zip(slopes, self._at, strict=True):
            term = slope * index
            moving += term + THRESHOLD_MARGIN * abs(term)
        return max(fixed, moving)

    def _reach_at_least(self, row: int, threshold: float) -> None:
        """A row came or changed: its block reaches as far as it does."""
        block = row // _BLOCK
        if block < self._reach.size and self._reach[block] < threshold:
            self._reach[block] = threshold
        self._nearest = max(self._nearest, threshold)

    def _signed(self, number: Number) -> float:
        return self._sign * nearest(number)
