"""Trading fees that know which side of the market they help (maker) or burden (taker)."""

from __future__ import annotations

from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.mechanisms.base import Mechanism

FEE_SCALE = 10**8
"""Scale of maker and taker rates: 10**8 is 100 %."""


class SkewFee(Mechanism, frozen=True, kw_only=True):
    """Maker and taker rates by the skew before the trade; flat rates where both are 0 (reference 4.3).

    ``maker_rate`` and ``taker_rate`` at 1e8, ``increase_bps`` and ``decrease_bps`` in bps.
    """

    maker_rate: int = 0
    taker_rate: int = 0
    increase_bps: int = 0
    decrease_bps: int = 0

    def invalid(self) -> str | None:
        """The reference allows at most 30 %."""
        rates = (self.maker_rate, self.taker_rate, self.increase_bps * BPS, self.decrease_bps * BPS)
        return None if all(0 <= rate <= 3 * 10**7 for rate in rates) else "fees must be from 0 to 3000 bps"

    def fee(self, size_delta: int, skew: int, increasing: bool) -> int:
        """Fee (USD 1e30, rounded down) of a signed trade in a market with signed ``skew`` before it."""
        size = abs(size_delta)
        if not (self.maker_rate or self.taker_rate):
            return mul_div_down(size, self.increase_bps if increasing else self.decrease_bps, BPS)
        if size_delta * skew > 0:
            return mul_div_down(size, self.taker_rate, FEE_SCALE)
        if size > abs(skew):
            maker = mul_div_down(abs(skew), self.maker_rate, FEE_SCALE)
            return maker + mul_div_down(abs(size_delta + skew), self.taker_rate, FEE_SCALE)
        return mul_div_down(size, self.maker_rate, FEE_SCALE)
