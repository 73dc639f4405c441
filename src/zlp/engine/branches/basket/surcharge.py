"""The optional surcharge on an asset whose open interest lies on one side only (E3; off by default)."""

from __future__ import annotations

from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.isolated import Market
from zlp.engine.leaves.pool import PoolSettings


def skew_surcharge(draft: Draft, pool: PoolSettings, token: str) -> int:
    """Extra fee rate (at the fee mechanism's scale): the full surcharge when all open interest is on one side."""
    if pool.skew_surcharge_bps == 0:
        return 0
    market = draft.get(Market, (pool.pool, token))
    if market is None:
        return 0
    total = market.long_size + market.short_size
    if total == 0:
        return 0
    imbalance = mul_div_down(pool.skew_surcharge_bps, abs(market.long_size - market.short_size), total)
    return mul_div_down(imbalance, pool.swap_fees.scale, BPS)
