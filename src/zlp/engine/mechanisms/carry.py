"""What holding a position costs over time: funding by velocity (N10) and borrowing by reserved liquidity (N12)."""

from __future__ import annotations

from zlp.engine.fixed import RATE, div_down, floor_to_multiple, mul_div_down, mul_div_toward_zero
from zlp.engine.mechanisms.base import Mechanism

DAY = 86_400


class VelocityFunding(Mechanism, frozen=True, kw_only=True):
    """The skew sets how fast the funding rate changes; the rate integrates over time (reference 4.2).

    ``max_velocity``: largest change of the daily rate per day, at 1e18. ``max_skew_scale``: USD (1e30) of skew
    at which it is reached. ``interval``: seconds below which nothing is accrued; 1 accrues exactly. The rate
    itself is not bounded and stays where it is when the skew is zero.
    """

    max_velocity: int
    max_skew_scale: int
    interval: int = 1

    def invalid(self) -> str | None:
        """The clock needs a step."""
        if self.interval < 1:
            return "interval must be at least 1 second"
        if self.max_velocity < 0 or self.max_skew_scale < 0:
            return "max_velocity and max_skew_scale must not be below zero"
        return None

    def velocity(self, skew: int) -> int:
        """Signed change of the daily rate per day (1e18) for a signed skew (USD 1e30)."""
        if self.max_velocity == 0 or self.max_skew_scale == 0:
            return 0
        wanted = mul_div_toward_zero(skew, self.max_velocity, self.max_skew_scale)
        return max(-self.max_velocity, min(self.max_velocity, wanted))

    def advance(self, rate: int, accrued: int, skew: int, seconds: int) -> tuple[int, int]:
        """Rate and accrued funding (signed, 1e18 of notional) after ``seconds`` at a constant skew.

        Trapezoid between the old and the new rate; each step truncated toward zero as the reference does.
        """
        elapsed = mul_div_down(seconds, RATE, DAY)
        after = rate + mul_div_toward_zero(self.velocity(skew), elapsed, RATE)
        mean = mul_div_toward_zero(rate + after, elapsed, 2)
        return after, accrued + mul_div_toward_zero(mean, 1, RATE)

    def due(self, updated_at: int, now: int) -> bool:
        """Whether a whole interval has passed."""
        return updated_at + self.interval <= now

    def anchor(self, now: int) -> int:
        """The second the clock is set to by an update."""
        return floor_to_multiple(now, self.interval)


def funding_fee(size: int, accrued: int, entry: int) -> int:
    """Funding a position of signed ``size`` (USD 1e30) owes since ``entry`` (1e18): positive is paid, negative got."""
    return mul_div_toward_zero(size, accrued - entry, RATE)


class ReserveBorrowing(Mechanism, frozen=True, kw_only=True):
    """Traders pay for the liquidity reserved for their profit, by utilisation (reference 4.1).

    ``base_rate``: rate per ``interval`` (seconds) at full utilisation, 1e18.
    """

    base_rate: int
    interval: int = 1

    def invalid(self) -> str | None:
        """The clock needs a step."""
        if self.interval < 1:
            return "interval must be at least 1 second"
        return "base_rate must not be below zero" if self.base_rate < 0 else None

    def next_rate(self, reserve_usd: int, updated_at: int, now: int, assets_usd: int) -> int:
        """Rate (1e18, rounded down) accrued since ``updated_at``; 0 before a whole interval, or without assets."""
        if updated_at + self.interval > now or assets_usd == 0:
            return 0
        intervals = div_down(now - updated_at, self.interval)
        return mul_div_down(self.base_rate * reserve_usd, intervals, assets_usd)

    def anchor(self, now: int) -> int:
        """The second the clock is set to by an update."""
        return floor_to_multiple(now, self.interval)


def borrowing_fee(reserve_usd: int, rate: int, entry: int) -> int:
    """Fee (USD 1e30, rounded down) on ``reserve_usd`` for the rate (1e18) accrued since ``entry``."""
    return mul_div_down(reserve_usd, rate - entry, RATE)
