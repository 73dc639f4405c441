"""How a pool values all shorts of a market at once (reference section 8).

``sound``: sums of size and of size/entry are additive, so the sum over positions is exact to dust and no close
can be blocked. ``reference``: the deployed contracts' running averages, drift and blocked closes included; it
exists to replay recordings.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from zlp.engine.fixed import BPS, USD, div_down, mul_div_down, subtract
from zlp.engine.mechanisms.base import Mechanism


class Shorts(msgspec.Struct, frozen=True, gc=False):
    """All shorts of one market: USD ``size``; ``entry_tokens`` = sum of size/entry at 1e30, each rounded down.

    ``average`` is the pool's own running average and ``tracked`` the tracker's, both only kept by ``reference``.
    """

    size: int = 0
    entry_tokens: int = 0
    average: int = 0
    tracked: int = 0


class SoundShorts(Mechanism, frozen=True, kw_only=True, tag="sound"):
    """Exact sums: the profit of all shorts at a price is size - price * entry_tokens."""

    def profit(self, shorts: Shorts, price: int) -> int:
        """Profit of all shorts together at ``price`` (USD 1e30, signed)."""
        return shorts.size - mul_div_down(price, shorts.entry_tokens, USD)


class ReferenceShorts(Mechanism, frozen=True, kw_only=True, tag="reference"):
    """The contracts' averages; ``tracker_weight_bps`` blends the pool's own with the tracker's."""

    tracker_weight_bps: int = BPS

    def profit(self, shorts: Shorts, price: int) -> int:
        """Profit of all shorts together at ``price`` (USD 1e30, signed), from the blended average."""
        weight = self.tracker_weight_bps
        if weight == BPS:
            average = shorts.tracked
        elif weight == 0:
            average = shorts.average
        else:
            average = div_down(shorts.average * (BPS - weight) + shorts.tracked * weight, BPS)
        delta = mul_div_down(shorts.size, abs(average - price), average)
        return delta if average > price else -delta

    def tracked_after(self, shorts: Shorts, price: int, size_delta: int, realised: int, increase: bool) -> int:
        """The tracker's average after a change at ``price``; ``realised`` is the closing position's signed profit.

        A rejection when the profit left exceeds the size left: the reference blocks such a close (8.2).
        """
        after = shorts.size + size_delta if increase else subtract(shorts.size, size_delta)
        if after == 0:
            return 0
        if shorts.tracked == 0:
            return price
        delta = mul_div_down(shorts.size, abs(shorts.tracked - price), shorts.tracked)
        left = (delta if shorts.tracked > price else -delta) - (0 if increase else realised)
        divisor = subtract(after, left) if left >= 0 else after - left
        return mul_div_down(price, after, divisor)

    def average_after(self, shorts: Shorts, price: int, size_delta: int) -> int:
        """The pool's own average after an increase at ``price`` (8.1); it never changes on a decrease."""
        if shorts.size == 0:
            return price
        delta = mul_div_down(shorts.size, abs(shorts.average - price), shorts.average)
        after = shorts.size + size_delta
        divisor = subtract(after, delta) if shorts.average > price else after + delta
        return mul_div_down(price, after, divisor)


ShortsAverage: TypeAlias = SoundShorts | ReferenceShorts
"""Either way of valuing shorts."""


def entry_tokens(size: int, average: int) -> int:
    """Index tokens (1e30) a short of ``size`` sold at ``average``; rounded down, so the pool is never overvalued."""
    return mul_div_down(size, USD, average) if size else 0
