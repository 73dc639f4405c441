"""Which price the venue uses: sampled primary rounds, a fast price beside them, deviation, spreads (E5, A7).

All prices are USD at 1e30 per whole token. Source: reference sections 2 and 13.
"""

from __future__ import annotations

from zlp.engine.fixed import BPS, USD, div_down, mul_div_down
from zlp.engine.mechanisms.base import Mechanism

DELTA_SCALE = 10**7
"""Scale of cumulative price movements: 10**7 is 100 %."""
LONGEST_LIFE = 1_800
"""Seconds a fast price may be live at most, as in the reference."""


def widened(price: int, spread_bps: int, maximise: bool) -> int:
    """The price moved away by ``spread_bps``: up when maximising, down otherwise; rounded down."""
    return mul_div_down(price, BPS + spread_bps if maximise else BPS - spread_bps, BPS)


class Spread(Mechanism, frozen=True, kw_only=True):
    """Turns one price into a price for each direction (reference 2.4).

    ``strict_stable``: the token counts as exactly 1 USD while within ``strict_deviation`` (1e30) of it, and
    beyond that the pool keeps the better side; its ``spread_bps`` is not applied. ``adjustment_bps`` shifts
    both directions the same way and comes last.
    """

    spread_bps: int = 0
    strict_stable: bool = False
    strict_deviation: int = 0
    adjustment_bps: int = 0
    adjustment_upward: bool = True

    def invalid(self) -> str | None:
        """The reference's bounds: spread at most 50 bps, adjustment at most 20 bps."""
        if not 0 <= self.spread_bps <= 50:
            return "spread_bps must be from 0 to 50"
        if not 0 <= self.adjustment_bps <= 20:
            return "adjustment_bps must be from 0 to 20"
        return None

    def price(self, price: int, maximise: bool) -> int:
        """The price of one direction."""
        if self.strict_stable:
            price = self._stable(price, maximise)
        elif self.spread_bps:
            price = widened(price, self.spread_bps, maximise)
        if self.adjustment_bps:
            price = widened(price, self.adjustment_bps, self.adjustment_upward)
        return price

    def _stable(self, price: int, maximise: bool) -> int:
        if abs(price - USD) <= self.strict_deviation:
            return USD
        if (price > USD) == maximise:
            return price
        return USD


class FastPriceGuard(Mechanism, frozen=True, kw_only=True):
    """When the fast price may be used, and what is used instead (reference 13).

    Ages in seconds, spreads and deviation in bps. ``price_duration``: how long a fast price is live.
    ``max_update_delay``: after it the chain counts as faulty. ``max_deviation_bps``: largest distance (rounded
    down) from the primary at which the fast price alone is used. ``data_interval``: window of the cumulative
    movement watch. ``votes_to_dispute``: signers needed to force the spread; 0 forces it always.
    ``dispute_spread_bps``: widens the pair of prices while the fast price is disputed (0 as the reference).
    ``zero_clears``: a posted fast price of 0 is accepted and means none, as in the reference, where it blocks
    every later post of that asset; otherwise it is refused. ``shared_age``: a post of any asset renews the
    fast prices of all, as in the reference; otherwise each is as old as its own last post, so that an asset
    whose exchanges fell silent does not look fresh because its neighbours are. (An asset that was never
    posted has no price to be old: it uses the primary while the feed as a whole is alive.)
    """

    price_duration: int
    max_update_delay: int
    max_time_deviation: int
    max_deviation_bps: int
    spread_inactive_bps: int
    spread_chain_error_bps: int
    data_interval: int
    votes_to_dispute: int
    min_post_interval: int = 0
    dispute_spread_bps: int = 0
    zero_clears: bool = False
    shared_age: bool = False

    def invalid(self) -> str | None:
        """Intervals must exist, a fast price dies, spreads must leave a positive price."""
        if self.data_interval <= 0:
            return "data_interval must be at least 1 second"
        if self.price_duration > LONGEST_LIFE:
            return f"price_duration must be at most {LONGEST_LIFE} seconds"
        if self.max_update_delay < self.price_duration:
            return "max_update_delay must not be below price_duration"
        widest = max(self.spread_inactive_bps, self.spread_chain_error_bps, self.dispute_spread_bps)
        return "spreads must be below 10000 bps" if widest >= BPS else None

    def price(self, primary: int, fast: int, age: int, favoured: bool, maximise: bool) -> int:
        """The price of one direction, from the primary price of that direction and the fast price (13.1)."""
        if age > self.max_update_delay:
            return widened(primary, self.spread_chain_error_bps, maximise)
        if age > self.price_duration:
            return widened(primary, self.spread_inactive_bps, maximise)
        if fast == 0:
            return primary
        # the deviation rounded down is within the limit just when it is below the limit plus one: no division
        if favoured and abs(primary - fast) * BPS < (self.max_deviation_bps + 1) * primary:
            return fast
        wider = max(primary, fast) if maximise else min(primary, fast)
        return widened(wider, self.dispute_spread_bps, maximise)

    def new_window(self, last: int, now: int) -> bool:
        """Whether the watch of cumulative movement starts again (13.3)."""
        return div_down(last, self.data_interval) != div_down(now, self.data_interval)


def movement(old: int, new: int) -> int:
    """Size of a price movement at 1e7, rounded down; a rejection when the old price was 0."""
    return mul_div_down(abs(new - old), DELTA_SCALE, old)
