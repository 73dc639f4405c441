"""Exact ratios of integers, and the only way from an engine integer to a float64."""

from __future__ import annotations

import math
from typing import NamedTuple

LIMIT = 2.0**500
"""Magnitudes above are not multiplied: sums of products of numbers below it stay in the range of floats."""


class Ratio(NamedTuple):
    """The exact number `numerator / denominator`. The denominator is positive."""

    numerator: int
    denominator: int = 1


Number = int | Ratio
"""An exact number."""


def nearest(number: Number) -> float:
    """The closest float64: monotone, relative error at most 2**-53, infinite when the number is too large.

    Raises ValueError for a denominator that is not positive.
    """
    numerator, denominator = number if isinstance(number, Ratio) else (number, 1)
    if denominator <= 0:
        raise ValueError(f"a ratio needs a positive denominator, not {denominator}")
    try:
        return numerator / denominator  # CPython rounds a division of integers correctly
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


def nearest_variable(number: Number) -> float:
    """The closest float64 of an index or variable of a tick.

    Raises ValueError for a magnitude of 2**500 or more.
    """
    value = nearest(number)
    if abs(value) >= LIMIT:
        raise ValueError("an index or variable of a tick must be below 2**500")
    return value
