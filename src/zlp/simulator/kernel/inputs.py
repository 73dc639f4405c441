"""From a profile to the arrays of the fast world; refuses what it does not know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zlp.engine import ledger
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition
from zlp.engine.fixed import BPS, USD
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.mechanisms.shorts import SoundShorts
from zlp.engine.state import Reader
from zlp.simulator.kernel.state import Pool, Rules
from zlp.simulator.world import LEAD

TRADES = (IncreasePosition.__name__, DecreasePosition.__name__)


class NotFastError(ValueError):
    """The fast world can't do this; the exact engine can."""


def pool_settings(reader: Reader) -> PoolSettings:
    """The one basket pool of an isolated design, checked for what the kernel knows."""
    if reader.get(Installed, ("isolated",)) is None:
        raise NotFastError("the fast world knows isolated positions only; use engine = 'exact'")
    pools = list(reader.each(PoolSettings))
    if len(pools) != 1:
        raise NotFastError("the fast world knows one pool")
    pool = pools[0]
    rules = reader.get(IsolatedSettings, (pool.pool,))
    if rules is None or pool.funding is None or not isinstance(rules.shorts, SoundShorts):
        raise NotFastError("the fast world needs utilisation funding and sound shorts")
    if pool.fee_to_pool_bps or rules.minimum_profit_time or rules.deposit_fee_bps:
        raise NotFastError("the fast world keeps no fee in the pool, and knows no minimum profit and no deposit fee")
    return pool


def rules_of(reader: Reader) -> tuple[Rules, list[str], list[str]]:
    """(rules, assets, markets)."""
    pool = pool_settings(reader)
    trading = reader.get(IsolatedSettings, (pool.pool,))
    assets = list(pool.tokens)
    settings = [reader.get(AssetSettings, (pool.pool, token)) for token in assets]
    limits = [limit for limit in reader.each(MarketSettings) if limit.token in assets and limit.enabled]
    if trading is None or pool.funding is None or any(record is None for record in settings):
        raise NotFastError("the pool's settings are incomplete")
    if any(limit.pricing is not None for limit in limits):
        raise NotFastError("the fast world knows no price impact")
    orders = reader.get(OrderSettings, ())
    if orders is None or orders.fee_token not in assets:
        raise NotFastError("the fast world needs orders whose fee is paid in a token of the pool")
    if orders.keeper_delay > LEAD or not orders.newer_price or {*TRADES} & {*orders.immediate}:
        raise NotFastError("the fast world executes every trade at the next prices, and at no others")
    stable = [record is not None and record.stable for record in settings]
    funding = pool.funding
    rules = Rules(
        opening=trading.opening_fee_bps / BPS,
        closing=trading.closing_fee_bps / BPS,
        liquidation_fee=trading.liquidation_fee / USD,
        interval=funding.interval,
        scale=float(funding.scale),
        short_asset=stable.index(True),
        fee_asset=assets.index(orders.fee_token),
        execution_fee=orders.minimum_fee / ledger.token(reader, orders.fee_token).unit,
        lifetime=orders.market_lifetime,
        unit=np.array([float(ledger.token(reader, asset).unit) for asset in assets]),
        factor=np.array([float(funding.stable_factor if flag else funding.factor) for flag in stable]),
        stable=np.array(stable),
        asset=np.array([assets.index(limit.token) for limit in limits]),
        most_leverage=np.array([limit.max_leverage / BPS for limit in limits]),
        most_long=np.array([limit.max_long / USD for limit in limits]),
        most_short=np.array([(limit.max_short or limit.max_short_hard) / USD for limit in limits]),
        most_position=np.array([limit.max_position / USD for limit in limits]),
    )
    return rules, assets, [limit.token for limit in limits]


def pool_of(reader: Reader, assets: Sequence[str], markets: int) -> Pool:
    """The books of a founded pool on which nothing is open."""
    name = pool_settings(reader).pool
    leaves = [reader.get(PoolAsset, (name, token)) or PoolAsset(name, token) for token in assets]
    units = [settings.unit for token in assets if (settings := reader.get(AssetSettings, (name, token))) is not None]
    count = len(assets)
    return Pool(
        amount=np.array([leaf.amount / unit for leaf, unit in zip(leaves, units, strict=True)]),
        reserved=np.zeros(count),
        guaranteed=np.zeros(count),
        index=np.array([float(leaf.funding_index) for leaf in leaves]),
        anchor=np.array([leaf.funding_at for leaf in leaves], dtype=np.int64),
        projected=np.zeros(count),
        long_size=np.zeros(markets),
        short_size=np.zeros(markets),
        short_tokens=np.zeros(markets),
    )
