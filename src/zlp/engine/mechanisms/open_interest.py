"""Funding by the difference between longs and shorts."""

from __future__ import annotations

from zlp.engine.fixed import RATE, USD, mul_div_down
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.mechanisms.borrowing import PERIOD


class OpenInterestFunding(Mechanism, frozen=True, kw_only=True):
    """The heavier side pays: ``min(multiplier * |L - S| ** exponent / (L + S), max_8h)`` per 8 hours.

    L and S are the sizes opened long and short (USD at 1e30). ``multiplier`` and ``max_8h`` at 1e18. Both sides
    move by the same rate, so what one pays and the other receives differ; the difference is the pool's. The sign
    of L - S is kept for every exponent. Every step rounds down.
    """

    multiplier: int
    max_8h: int
    exponent: int = 1

    def invalid(self) -> str | None:
        """The bounds the reference's administrators have."""
        if not 10**11 <= self.multiplier <= 10**17:
            return "multiplier must be from 1e11 to 1e17"
        if not 10**14 <= self.max_8h <= 10**16:
            return "max_8h must be from 1 bp to 1 %"
        return None if 1 <= self.exponent <= 10 else "exponent must be from 1 to 10"

    def accrued(self, long_usd: int, short_usd: int, elapsed: int) -> int:
        """Signed increment (1e18) of the longs' cumulative rate; the shorts' is its negative."""
        total = long_usd + short_usd
        if total == 0:
            return 0
        difference = power = abs(long_usd - short_usd)
        for _ in range(self.exponent - 1):
            power = mul_div_down(power, difference, USD)
        skew = mul_div_down(power, RATE, total)
        rate = min(mul_div_down(self.multiplier, skew, RATE), self.max_8h)
        increment = mul_div_down(rate, elapsed, PERIOD)
        return increment if long_usd >= short_usd else -increment
