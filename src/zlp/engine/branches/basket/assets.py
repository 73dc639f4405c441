"""Loading a basket pool and its assets, and bringing their funding up to the moment."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.draft import Draft
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.mechanisms.swap_fees import Inventory
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

DEBT_UNIT = 10**18
"""One USD of pool debt."""
USD_PER_DEBT = 10**12
"""USD at 1e30 per unit of pool debt."""


def load_pool(draft: Draft, name: str) -> PoolSettings:
    """The pool, or ``unknown_pool``."""
    return draft.need(PoolSettings, (name,), Code.UNKNOWN_POOL)


def load_listed(draft: Draft, pool: str, token: str, code: Code = Code.TOKEN_NOT_LISTED) -> AssetSettings:
    """The asset's settings, or ``code`` if the pool does not list it."""
    asset = draft.need(AssetSettings, (pool, token), code)
    if not asset.listed:
        raise Reject(code, detail=f"{pool}:{token}")
    return asset


def load_asset(reader: Reader, pool: str, token: str) -> PoolAsset:
    """The pool's record of a token; empty if nothing has happened yet."""
    return reader.get(PoolAsset, (pool, token)) or PoolAsset(pool, token)


def total_weight(reader: Reader, pool: PoolSettings) -> int:
    """Sum of the weights of the listed tokens."""
    total = 0
    for token in pool.tokens:
        asset = reader.get(AssetSettings, (pool.pool, token))
        if asset is not None and asset.listed:
            total += asset.weight
    return total


def inventory(draft: Draft, pool: PoolSettings, asset: AssetSettings, debt: int, supply: int) -> Inventory:
    """The asset as the fee curve sees it: its debt against its share of all pool debt."""
    weights = draft.memo.get(pool.share)
    if weights is None:
        weights = draft.memo[pool.share] = total_weight(draft, pool)
    return Inventory(debt, supply, asset.weight, weights, asset.stable)


def touch(draft: Draft, pool: PoolSettings, settings: AssetSettings) -> PoolAsset:
    """The asset with its funding index brought up to now (not yet stored)."""
    asset = load_asset(draft, pool.pool, settings.token)
    if pool.funding is None:
        return asset
    index, anchor = pool.funding.accrue(
        asset.funding_index, asset.funding_at, draft.time, asset.reserved, asset.amount, settings.stable
    )
    if anchor == asset.funding_at:
        return asset
    return replace(asset, funding_index=index, funding_at=anchor)
