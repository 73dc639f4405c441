"""What a pool of coin vaults is worth: O(vaults and markets), never O(positions) (O9)."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine import ledger, pricing
from zlp.engine.branches.borrow_pool.markets import each_market, touched_side
from zlp.engine.branches.borrow_pool.vaults import each_vault, load_pool, touched
from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import PoolMeasured
from zlp.engine.fixed import mul_div_down, value_of
from zlp.engine.leaves.borrowed import BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVaultSettings
from zlp.engine.mechanisms.swap_fees import Inventory
from zlp.engine.state import Reader


class Worth(NamedTuple):
    """USD (1e30) of each vault by token, of all vaults, and the sum of their weights."""

    vaults: dict[str, int]
    total: int
    total_weight: int

    def inventory(self, settings: CoinVaultSettings) -> Inventory:
        """One vault as the fee mechanism sees it."""
        value = self.vaults[settings.token]
        return Inventory(value, self.total, settings.weight, self.total_weight, settings.stable)


def vaults_worth(reader: Reader, pool: BorrowPoolSettings, now: int, *, maximise: bool) -> Worth:
    """Every vault's supply at the token's high or low price; unpaid borrow fees count at the pool's share."""
    values: dict[str, int] = {}
    weight = 0
    for settings in each_vault(reader, pool.pool):
        supply = touched(reader, settings, now).supply(pool.revenue)
        weight += settings.weight
        # A token that has never been posted a price is worth nothing while there is none of it.
        price = pricing.bounds_at(reader, settings.token, now)[maximise] if supply else 0
        values[settings.token] = value_of(supply, price, ledger.token(reader, settings.token).unit)
    return Worth(values, sum(values.values()), weight)


def markets_worth(reader: Reader, pool: BorrowPoolSettings, now: int, *, maximise: bool) -> int:
    """What traders' open losses and funding are worth to the pool (signed, 1e30)."""
    return sum(
        market_worth(reader, market, is_long, now, maximise=maximise)
        for market in each_market(reader, pool.pool)
        for is_long in (True, False)
    )


def market_worth(reader: Reader, market: BorrowMarketSettings, is_long: bool, now: int, *, maximise: bool) -> int:
    """One side's part; a high value for the pool takes the low price for longs and the high one for shorts."""
    side = touched_side(reader, market, is_long, now)
    if not side.amount:
        return side.funding_usd
    price = pricing.bounds_at(reader, market.market, now)[maximise != is_long]
    return side.value_usd(price, market.unit)


def pool_value(reader: Reader, pool: BorrowPoolSettings, now: int, *, maximise: bool) -> int:
    """The pool's value in USD at 1e30; signed, since traders may be owed more than there is."""
    vaults = vaults_worth(reader, pool, now, maximise=maximise)
    return vaults.total + markets_worth(reader, pool, now, maximise=maximise)


def share_price(reader: Reader, pool: BorrowPoolSettings, value: int) -> int:
    """A value of the pool (USD 1e30) per whole share, rounded down; 0 without shares or worth."""
    supply = ledger.supply_of(reader, pool.share)
    return mul_div_down(value, ledger.token(reader, pool.share).unit, supply) if supply and value > 0 else 0


def require_fresh(draft: Draft, pool: BorrowPoolSettings, *, reducing: bool) -> None:
    """Refuse unless every price the pool's value needs is fresh enough."""
    for settings in each_vault(draft, pool.pool):
        if touched(draft, settings, draft.time).supply(pool.revenue):
            pricing.require_fresh(draft, settings.token, reducing=reducing)
    for market in each_market(draft, pool.pool):
        if any(touched_side(draft, market, is_long, draft.time).amount for is_long in (True, False)):
            pricing.require_fresh(draft, market.market, reducing=reducing)


def measure(draft: Draft, command: MeasurePool) -> None:
    """Record the pool's value at both ends of the prices."""
    pool = load_pool(draft, command.pool)
    draft.record(
        PoolMeasured(
            pool=pool.pool,
            share=pool.share,
            low_usd=pool_value(draft, pool, draft.time, maximise=False),
            high_usd=pool_value(draft, pool, draft.time, maximise=True),
            supply=ledger.supply_of(draft, pool.share),
        )
    )
