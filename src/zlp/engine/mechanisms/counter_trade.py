"""Profit of positions against a fund: one by one, and of all of a side at once from two accumulators (N1, N7, N8)."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine.fixed import BPS, USD, mul_div_down, mul_div_toward_zero
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.rejections import Code, Reject


class Outcome(NamedTuple):
    """Whether a position stands in profit, and by how much (USD 1e30, unsigned)."""

    is_profit: bool
    delta: int

    @property
    def signed(self) -> int:
        """Profit positive, loss negative."""
        return self.delta if self.is_profit else -self.delta


def outcome(size: int, average_price: int, mark_price: int) -> Outcome:
    """Profit or loss of a signed size entered at ``average_price``; rounded down (reference 3.2)."""
    if average_price == 0:
        return Outcome(False, 0)
    delta = mul_div_down(abs(size), abs(average_price - mark_price), average_price)
    return Outcome(mark_price > average_price if size > 0 else mark_price < average_price, delta)


def average_price(size: int, mark_price: int, pnl: int) -> int:
    """Entry price at which a signed ``size`` shows ``pnl`` (signed) when marked at ``mark_price`` (6.1 step 8)."""
    divisor = abs(size) + (pnl if size > 0 else -pnl)
    if divisor <= 0:
        raise Reject(Code.INVALID_AVERAGE_PRICE, limit=1, actual=divisor)
    return mul_div_toward_zero(mark_price, abs(size), divisor)


def size_over_entry(size: int, average: int) -> int:
    """Term of a position in the first accumulator, at 1e30 (rounded down)."""
    return mul_div_down(size, USD, average) if size else 0


def square_over_entry(size: int, average: int) -> int:
    """Term of a position in the second accumulator, at 1e30 (rounded down)."""
    return mul_div_down(size, size, average) if size else 0


def fund_pnl_of_side(
    *, price: int, skew: int, scale: int, size: int, over_entry: int, square: int, is_long: bool
) -> int:
    """What the fund has gained (signed USD 1e30) from all positions of one side (reference 2.2).

    Equals minus the sum of every position's raw profit at its own adaptive close price, up to rounding.
    ``over_entry`` and ``square`` are the sums of ``size/entry`` and ``size**2/entry``. Without a ``scale``
    every position is marked at the plain price.
    """
    signed = -over_entry if is_long else over_entry
    marked = mul_div_toward_zero(price, signed, USD)
    if scale:
        marked += mul_div_toward_zero(mul_div_toward_zero(price, skew, scale), signed, USD)
        marked += mul_div_down(price, square, 2 * scale)
    return marked + size if is_long else marked - size


class ProfitBuffer(Mechanism, frozen=True, kw_only=True):
    """When the traders' profit is too large for the fund: ``1 + net_pnl / assets`` below a threshold (N8).

    ``threshold_bps``: the least buffer; at exactly the threshold the fund is healthy (reference 6.4).
    """

    threshold_bps: int = 6_000

    def invalid(self) -> str | None:
        """A share of the assets."""
        return None if 0 <= self.threshold_bps <= BPS else "threshold_bps must be from 0 to 10000"

    def healthy(self, net_pnl_usd: int, assets_usd: int) -> bool:
        """Whether the buffer is at or above the threshold; ``net_pnl_usd`` is signed from the fund's side."""
        return net_pnl_usd >= 0 or -net_pnl_usd * BPS <= (BPS - self.threshold_bps) * assets_usd

    def ratio_bps(self, net_pnl_usd: int, assets_usd: int) -> int:
        """The buffer in bps, for people (signed, truncated); 10000 without assets."""
        return BPS + mul_div_toward_zero(net_pnl_usd, BPS, assets_usd) if assets_usd else BPS


class ProfitDelay(Mechanism, frozen=True, kw_only=True):
    """How long a profit must wait after the last increase before it counts (reference 3.2).

    ``seconds``: the same for all sizes. ``steps``: (from, to, seconds) by the size of the last increase
    (USD 1e30, from inclusive, to exclusive); the first that fits replaces ``seconds``.
    """

    seconds: int = 0
    steps: tuple[tuple[int, int, int], ...] = ()

    def invalid(self) -> str | None:
        """The reference bounds the flat value at 30 minutes."""
        return None if 0 <= self.seconds <= 1_800 else "seconds must be from 0 to 1800"

    def waiting(self, increased_at: int, increased_size: int, now: int) -> bool:
        """Whether the profit still has to wait."""
        for start, end, seconds in self.steps:
            if start <= increased_size < end:
                return now < increased_at + seconds
        return now < increased_at + self.seconds
