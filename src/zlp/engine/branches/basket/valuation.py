"""What a basket pool is worth (reference section 9): O(assets), never O(positions)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import DEBT_UNIT, load_asset, load_pool
from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import PoolMeasured
from zlp.engine.fixed import USD, mul_div_down, value_of
from zlp.engine.leaves.isolated import IsolatedSettings, Market
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader


def pool_value(reader: Reader, pool: PoolSettings, now: int, *, maximise: bool) -> int:
    """The pool's value in USD at 1e30, at every asset's maximum or minimum price.

    Tokens not reserved, what longs owe, the losses of shorts, less the profits of shorts; never below 0.
    """
    value = pool.value_addition
    owed_to_shorts = 0
    trading = reader.get(IsolatedSettings, (pool.pool,))
    for token in pool.tokens:
        settings = reader.get(AssetSettings, (pool.pool, token))
        if settings is None or not settings.listed:
            continue
        price = pricing.bounds_at(reader, token, now)[1 if maximise else 0]
        asset = load_asset(reader, pool.pool, token)
        if settings.stable:
            value += value_of(asset.amount, price, settings.unit)
            continue
        market = reader.get(Market, (pool.pool, token))
        if market is not None and market.short_size and trading is not None:
            profit = trading.shorts.profit(market.shorts, price)
            if profit > 0:
                owed_to_shorts += profit
            else:
                value -= profit
        if asset.reserved > asset.amount:
            raise Reject(Code.ARITHMETIC_UNDERFLOW, limit=asset.amount, actual=asset.reserved)
        value += asset.guaranteed + value_of(asset.amount - asset.reserved, price, settings.unit)
    return max(0, max(0, value - owed_to_shorts) - pool.value_deduction)


def pool_value_in_debt(reader: Reader, pool: PoolSettings, now: int, *, maximise: bool) -> int:
    """The pool's value in pool debt (1e18), rounded down: what shares are priced on."""
    return mul_div_down(pool_value(reader, pool, now, maximise=maximise), DEBT_UNIT, USD)


def share_price(reader: Reader, pool: PoolSettings, now: int, *, maximise: bool) -> int:
    """USD at 1e30 per whole share, rounded down; 0 while there are no shares."""
    supply = ledger.supply_of(reader, pool.share)
    if supply == 0:
        return 0
    return mul_div_down(pool_value(reader, pool, now, maximise=maximise), DEBT_UNIT, supply)


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
