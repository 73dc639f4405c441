"""Loading a pool and its vaults, bringing their borrow fees up to the moment, storing them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from zlp.engine import ledger, pricing
from zlp.engine.draft import Draft
from zlp.engine.events.borrowed import VaultChanged
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault, CoinVaultSettings
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader


class Coin(NamedTuple):
    """A token of a pool during one command: its settings, base units per token, and pair of prices (1e30)."""

    pool: BorrowPoolSettings
    settings: CoinVaultSettings
    unit: int
    low: int
    high: int


def load_pool(reader: Reader, name: str) -> BorrowPoolSettings:
    """The pool, or ``unknown_pool``."""
    pool = reader.get(BorrowPoolSettings, (name,))
    if pool is None:
        raise Reject(Code.UNKNOWN_POOL, detail=name)
    return pool


def listed(draft: Draft, pool: str, token: str) -> CoinVaultSettings:
    """The vault's settings, or ``coin_not_listed``."""
    return draft.need(CoinVaultSettings, (pool, token), Code.COIN_NOT_LISTED)


def enabled(draft: Draft, pool: str, token: str) -> CoinVaultSettings:
    """The vault's settings; refused unless it takes new business."""
    settings = listed(draft, pool, token)
    if not settings.enabled:
        raise Reject(Code.VAULT_DISABLED, detail=token)
    return settings


def priced(draft: Draft, pool: BorrowPoolSettings, settings: CoinVaultSettings) -> Coin:
    """The token with its prices."""
    low, high = pricing.bounds(draft, settings.token)
    return Coin(pool, settings, ledger.token(draft, settings.token).unit, low, high)


def each_vault(reader: Reader, pool: str) -> Iterator[CoinVaultSettings]:
    """Settings of every vault of a pool."""
    return (settings for settings in reader.each(CoinVaultSettings) if settings.pool == pool)


def touched(reader: Reader, settings: CoinVaultSettings, now: int) -> CoinVault:
    """The vault as it is at ``now``, not yet stored."""
    key = (settings.pool, settings.token)
    return (reader.get(CoinVault, key) or CoinVault(*key)).accrued(settings.borrow, now)


def store(draft: Draft, vault: CoinVault) -> None:
    """Keep a changed vault and publish it."""
    draft.put(vault)
    draft.record(
        VaultChanged(
            pool=vault.pool,
            token=vault.token,
            liquidity=vault.liquidity,
            reserved=vault.reserved,
            collateral=vault.collateral,
            protection=vault.protection,
            owed_e18=vault.owed_e18,
            rate_e18=vault.rate_e18,
        )
    )


def require_fresh(draft: Draft, settings: CoinVaultSettings, *, reducing: bool = False) -> None:
    """Refuse a token's price that is too old."""
    pricing.require_fresh(draft, settings.token, reducing=reducing)
