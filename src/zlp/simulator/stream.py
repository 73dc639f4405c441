"""Random numbers of one agent: its own stream, the same on every machine and Python."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def seed_of(*parts: object) -> int:
    """A 128-bit seed from names and numbers, so that no two streams of a run share one."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])


class Stream:
    """Draws from `Random.random`, whose sequence Python guarantees; nothing here calls the platform's `libm`."""

    def __init__(self, *parts: object) -> None:
        self._random = random.Random(seed_of(*parts)).random

    def uniform(self) -> float:
        """From 0 up to 1."""
        return self._random()

    def between(self, low: float, high: float) -> float:
        """Uniform from ``low`` to ``high``."""
        return low + (high - low) * self._random()

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely."""
        return items[int(self._random() * len(items))]

    def wait(self, mean: float) -> float:
        """Time to the next of events that come at random, ``mean`` apart."""
        return mean * -_logarithm(1.0 - self._random())

    def quantile(self, values: Sequence[float]) -> float:
        """A draw from the distribution whose evenly spaced quantiles (0 % to 100 %) are ``values``."""
        place = self._random() * (len(values) - 1)
        index = int(place)
        following = values[min(index + 1, len(values) - 1)]
        return values[index] + (following - values[index]) * (place - index)


def _logarithm(number: float) -> float:
    """The natural logarithm from additions, multiplications and divisions alone: the same bits everywhere.

    With the mantissa in [sqrt(1/2), sqrt(2)), 2 * artanh(ratio) is a short odd series in the ratio.
    """
    mantissa, power = math.frexp(number)
    if mantissa < 0.7071067811865476:
        mantissa, power = mantissa * 2.0, power - 1
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square, total = ratio * ratio, 0.0
    for order in range(25, 0, -2):
        total = total * square + 1.0 / order
    return power * 0.6931471805599453 + 2.0 * ratio * total
