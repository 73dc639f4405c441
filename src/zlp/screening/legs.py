"""The legs of all accounts, each account's in one contiguous segment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zlp.screening.rows import Floats, Integers


class FoldedLeg(NamedTuple):
    """One leg as columns: [coefficient, coefficient, constant, cap] and the two variables they belong to."""

    numbers: list[float]
    variables: list[int]


class Legs:
    """Segments in growing arrays. What a replaced or removed account leaves is garbage until `pack`."""

    __slots__ = ("_used", "floats", "garbage", "variables")

    def __init__(self, capacity: int = 1024) -> None:
        self.floats: Floats = np.zeros((4, capacity), dtype=np.float64)
        self.variables: Integers = np.zeros((2, capacity), dtype=np.int64)
        self._used = 0
        self.garbage = 0

    def __len__(self) -> int:
        return self._used

    def append(self, profit_legs: list[FoldedLeg], other_legs: list[FoldedLeg]) -> tuple[int, int, int]:
        """Store the legs of one account; its segment: begin, end of the profit legs, end."""
        legs = profit_legs + other_legs
        begin, end = self._used, self._used + len(legs)
        if end > self.floats.shape[1]:
            self._grow(max(end, 2 * self._used))
        if legs:
            self.floats[:, begin:end] = np.array([leg.numbers for leg in legs]).T
            self.variables[:, begin:end] = np.array([leg.variables for leg in legs]).T
        self._used = end
        return begin, begin + len(profit_legs), end

    def pack(self, segments: Integers) -> None:
        """Copy the live segments together. `segments` (3, accounts): begins, middles, ends, updated in place.

        Costs one pass over all legs; called when half of them is garbage, it adds a constant to each change.
        """
        begins, middles, ends = segments
        sizes = ends - begins
        new_ends = np.cumsum(sizes)
        new_begins = new_ends - sizes
        used = int(sizes.sum())
        source = np.arange(used) + np.repeat(begins - new_begins, sizes)
        capacity = max(1024, 2 * used)
        floats, variables = self.floats[:, source], self.variables[:, source]
        self.floats, self.variables = np.zeros((4, capacity)), np.zeros((2, capacity), dtype=np.int64)
        self.floats[:, :used], self.variables[:, :used] = floats, variables
        segments[1] = middles - begins + new_begins
        segments[0], segments[2] = new_begins, new_ends
        self._used, self.garbage = used, 0

    def _grow(self, capacity: int) -> None:
        floats, variables = self.floats, self.variables
        self.floats, self.variables = np.zeros((4, capacity)), np.zeros((2, capacity), dtype=np.int64)
        self.floats[:, : self._used] = floats[:, : self._used]
        self.variables[:, : self._used] = variables[:, : self._used]
