"""How a fee is divided between the pool and the protocol (O4), and what the pool's part comes to in a year (O6)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from zlp.engine.fixed import BPS, RATE, div_down, mul_div_down
from zlp.engine.mechanisms.base import Mechanism

WEEK = 604_800
YEAR = 31_536_000

Source: TypeAlias = Literal["trading", "borrow", "liquidity"]
"""What a fee was paid for: opening and closing; borrowing; minting, burning and swapping."""


class RevenueShare(Mechanism, frozen=True, kw_only=True):
    """The protocol's share (1e18) of each fee by its source, and a referrer's of trading fees; the rest is the pool's.

    Shares are taken of the unrounded fee and rounded down; the pool keeps the rest.
    """

    trading: int = 25 * 10**16
    borrow: int = 25 * 10**16
    liquidity: int = 25 * 10**16
    referral: int = 0

    def invalid(self) -> str | None:
        """No more than the whole fee is given away."""
        if min(self.trading, self.borrow, self.liquidity, self.referral) < 0:
            return "trading, borrow, liquidity and referral can't be negative"
        if max(self.trading + self.referral, self.borrow, self.liquidity) > RATE:
            return "trading and referral together, borrow and liquidity must be at most 100 %"
        return None

    def rate(self, source: Source) -> int:
        """The protocol's share of fees of this source."""
        if source == "trading":
            return self.trading
        return self.borrow if source == "borrow" else self.liquidity

    def pool_part(self, owed_e18: int) -> int:
        """What of unpaid borrow fees (token units at 1e18) will be the pool's, rounded down."""
        return mul_div_down(owed_e18, RATE - self.borrow, RATE)


def share_of(fee_e18: int, rate: int) -> int:
    """Base units (rounded down) of a fee in token units at 1e18 that a share (1e18) comes to."""
    return div_down(mul_div_down(fee_e18, rate, RATE), RATE)


def yield_due(updated_at: int, now: int) -> bool:
    """Whether more than a week has passed."""
    return now > updated_at + WEEK


def apr_bps(realised_fee_usd: int, pool_usd: int, elapsed: int) -> int:
    """Yearly return in basis points, rounded down: fees of ``elapsed`` seconds on a pool of ``pool_usd``."""
    return mul_div_down(realised_fee_usd, YEAR * BPS, pool_usd * elapsed)
