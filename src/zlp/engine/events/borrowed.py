"""Facts about pools of coin vaults: what is lent out, and what the pool earns."""

from __future__ import annotations

from zlp.engine.events.base import Event


class VaultChanged(Event, frozen=True):
    """A vault after a command: base units; unpaid borrow fees and the cumulative borrow rate at 1e18."""

    pool: str
    token: str
    liquidity: int
    reserved: int
    collateral: int
    protection: int
    owed_e18: int
    rate_e18: int


class ReserveChanged(Event, frozen=True):
    """A position borrowed coins, gave some back, or used them up: base units before and after."""

    pool: str
    position: int
    token: str
    before: int
    after: int


class YieldUpdated(Event, frozen=True):
    """A week's figure: the pool's part of realised fees (USD 1e30) since ``since``, as a yearly return."""

    pool: str
    period: int
    since: int
    realised_fee_usd: int
    pool_usd: int
    apr_bps: int


class ReferrerSet(Event, frozen=True):
    """An account named who brought it."""

    account: str
    referrer: str
