"""Rewards that stream to stakers by the second, and escrowed rewards that vest linearly (N4, N5)."""

from __future__ import annotations

from zlp.engine.fixed import RATE, mul_div_down, mul_div_up
from zlp.engine.mechanisms.base import Mechanism

PER_SHARE = 10**30
"""Scale of rewards per staked base unit."""


class RewardRate(Mechanism, frozen=True, kw_only=True):
    """Feeds are paid out evenly over a time; what is left of the last feed joins the next (reference 8.1).

    ``min_seconds`` and ``max_seconds`` bound the length of a feed. Rates are base units per second at 1e18.
    """

    min_seconds: int = 5 * 86_400
    max_seconds: int = 365 * 86_400

    def invalid(self) -> str | None:
        """A feed takes time."""
        return None if 0 < self.min_seconds <= self.max_seconds else "min_seconds must be from 1 to max_seconds"

    def allows(self, seconds: int) -> bool:
        """Whether a feed may take this long."""
        return self.min_seconds <= seconds <= self.max_seconds

    @staticmethod
    def rate(left: int, amount: int, seconds: int) -> int:
        """Rate (1e18, rounded down) that pays ``left`` and ``amount`` base units out over ``seconds``."""
        return mul_div_down(left + amount, RATE, seconds)

    @staticmethod
    def left(rate: int, seconds: int) -> int:
        """Base units (rounded down) still to be paid over ``seconds``."""
        return mul_div_down(rate, seconds, RATE)

    @staticmethod
    def per_share(seconds: int, rate: int, staked: int) -> int:
        """Growth of the reward per staked base unit (1e30, rounded down) in ``seconds``."""
        return mul_div_down(seconds * rate, PER_SHARE, RATE * staked)


def earned(staked: int, per_share: int) -> int:
    """Reward of ``staked`` base units since the start (rounded down)."""
    return mul_div_down(staked, per_share, PER_SHARE)


def not_earned(staked: int, per_share: int) -> int:
    """Reward that new stake must not claim (rounded up: against the staker)."""
    return mul_div_up(staked, per_share, PER_SHARE)


class LinearVesting(Mechanism, frozen=True, kw_only=True):
    """Escrowed rewards turn into the real token evenly over ``seconds``; leaving early forfeits the rest."""

    seconds: int = 365 * 86_400

    def invalid(self) -> str | None:
        """Vesting takes time."""
        return None if self.seconds > 0 else "seconds must be above zero"

    def vested(self, amount: int, elapsed: int) -> int:
        """Base units (rounded down) of ``amount`` that have vested after ``elapsed`` seconds."""
        return mul_div_down(amount, min(elapsed, self.seconds), self.seconds)
