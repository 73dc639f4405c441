"""Exact ratios, and the only way from an engine integer to a float64 column.

A coefficient of a folded condition is a ratio of two integers. It becomes a float once, here, with a stated
direction, so that the direction of every conversion can be read where it happens.
"""

from __future__ import annotations

import math
from typing import NamedTuple

LIMIT = 2.0**500
"""Magnitudes from here on do not become columns: with 8 terms below `LIMIT * LIMIT`, no sum overflows."""


class Ratio(NamedTuple):
    """The exact number `numerator / denominator`. The denominator is positive."""

    numerator: int
    denominator: int = 1

    def nearest(self) -> float:
        """The closest float64: relative error at most 2**-53, infinite when the number is too large."""
        if self.denominator <= 0:
            raise ValueError(f"a ratio needs a positive denominator, not {self.denominator}")
        try:
            return self.numerator / self.denominator  # CPython rounds a division of integers correctly
        except OverflowError:
            return math.inf if self.numerator > 0 else -math.inf

    def up(self) -> float:
        """A float64 that is not below the number, at most two steps above it; zero stays zero."""
        return math.nextafter(self.nearest(), math.inf) if self.numerator else 0.0

    def down(self) -> float:
        """A float64 that is not above the number, at most two steps below it; zero stays zero."""
        return math.nextafter(self.nearest(), -math.inf) if self.numerator else 0.0

    def negated(self) -> Ratio:
        """The same number with the other sign."""
        return Ratio(-self.numerator, self.denominator)


ZERO = Ratio(0)
ONE = Ratio(1)


def as_ratio(number: int | Ratio) -> Ratio:
    """An integer as a ratio; a ratio as it is."""
    return number if isinstance(number, Ratio) else Ratio(number)


def as_variable(number: int | Ratio) -> float:
    """A price or index of a tick as the closest float64.

    Raises ValueError for a magnitude of 2**500 or more, which no engine integer reaches.
    """
    value = as_ratio(number).nearest()
    if abs(value) >= LIMIT:
        raise ValueError("a price or index of a tick must be below 2**500")
    return value
