"""Skew pricing of a market: the mark price, the funding it causes and who pays the taker's fee (Z10).

Sizes and skew are signed at 1e18 (whole units of the index asset), prices and USD at 1e30. reference section 10.
"""

from __future__ import annotations

from zlp.engine.fixed import RATE, USD, div_up, mul_div_down, mul_div_toward_zero
from zlp.engine.mechanisms.base import Mechanism

DAY = 86_400


class SkewPrice(Mechanism, frozen=True, kw_only=True):
    """The mark price is the index moved by the skew over ``skew_scale`` (1e18 units); linear in the skew."""

    skew_scale: int

    def invalid(self) -> str | None:
        """The scale divides."""
        return None if self.skew_scale > 0 else "skew_scale must be above 0"

    def mark(self, index: int, skew: int, delta: int) -> int:
        """Mean of the mark before and after ``delta`` joins ``skew``; a price can't fall below 0."""
        return max(0, mul_div_toward_zero(index, 2 * (self.skew_scale + skew) + delta, 2 * self.skew_scale))

    def closing_value(self, index: int, skew: int) -> int:
        """What closing every position would exchange, at 1e30, rounded up.

        Each close pays the mean of two marks, so any order of closing sums to the same: the integral of the
        mark from 0 to ``skew``. A trade at its own mark therefore leaves the market's total debt as it was.
        """
        doubled = index * skew * (2 * self.skew_scale + skew)
        scale = 2 * self.skew_scale * RATE
        return div_up(doubled, scale) if doubled >= 0 else -mul_div_down(-doubled, 1, scale)


class SkewFunding(Mechanism, frozen=True, kw_only=True):
    """Funding whose velocity follows the skew: the rate (1e30 per day) integrates it without a cap of its own.

    ``max_velocity``: per day squared at 1e18, reached when the skew is a whole ``skew_scale``.
    """

    max_velocity: int
    skew_scale: int

    def invalid(self) -> str | None:
        """The scale divides."""
        return None if self.skew_scale > 0 else "skew_scale must be above 0"

    def velocity(self, skew: int) -> int:
        """Change of the rate per day, at 1e30, signed."""
        clamped = max(-self.skew_scale, min(self.skew_scale, skew))
        return mul_div_toward_zero(clamped * self.max_velocity, USD, self.skew_scale * RATE)

    def rate(self, last: int, skew: int, elapsed: int) -> int:
        """The rate after ``elapsed`` seconds of constant skew."""
        return last + mul_div_toward_zero(self.velocity(skew), elapsed, DAY)

    def fee_change(self, last: int, rate: int, elapsed: int, mark: int) -> int:
        """What one unit long receives (negative: pays) over ``elapsed`` seconds, USD at 1e30."""
        return -mul_div_toward_zero((last + rate) * elapsed, mark, 2 * DAY * USD)


class MakerTakerFee(Mechanism, frozen=True, kw_only=True):
    """Order fees at 1e18: reducing the skew is making, everything else is taking."""

    maker: int
    taker: int

    def invalid(self) -> str | None:
        """A fee is a share."""
        return None if 0 <= self.maker <= RATE and 0 <= self.taker <= RATE else "fees must be from 0 to 100 %"

    def fee(self, skew: int, delta: int, mark: int) -> int:
        """Fee in USD of an order of ``delta`` at ``mark``; a flip pays taker on the new side, maker before it."""
        after = skew + delta
        flips = skew * after < 0
        if flips:
            taking = abs(after)
        elif skew * delta < 0:
            taking = 0
        else:
            taking = abs(delta)
        weighted = taking * self.taker + (abs(delta) - taking) * self.maker
        return mul_div_toward_zero(weighted, mark, RATE * RATE)


def profit(size: int, entry: int, mark: int) -> int:
    """Profit of a signed ``size`` between two prices, truncated."""
    return mul_div_toward_zero(size, mark - entry, RATE)


def notional(size: int, mark: int) -> int:
    """Value of a position, rounded down."""
    return mul_div_down(abs(size), mark, RATE)
