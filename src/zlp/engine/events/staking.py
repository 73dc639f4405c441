"""Facts about stakes, streams and vesting."""

from __future__ import annotations

from zlp.engine.events.base import Event


class SharesStaked(Event, frozen=True):
    """An account's stake, before and after."""

    pool: str
    account: str
    before: int
    after: int


class StreamFed(Event, frozen=True):
    """A reward stream was fed ``amount`` and now pays ``rate`` base units per second (1e18) until ``ends_at``."""

    pool: str
    token: str
    amount: int
    rate: int
    ends_at: int


class RewardClaimed(Event, frozen=True):
    """A staker collected rewards."""

    pool: str
    account: str
    token: str
    amount: int


class RevenueDistributed(Event, frozen=True):
    """``to_stakers`` of ``token`` (after exchange into ``paid_token``: ``paid``) streams, ``to_treasury`` is kept."""

    pool: str
    token: str
    to_stakers: int
    paid_token: str
    paid: int
    to_treasury: int


class VestingStarted(Event, frozen=True):
    """Escrowed rewards began to vest."""

    pool: str
    account: str
    vesting: int
    amount: int


class Vested(Event, frozen=True):
    """``amount`` was paid in the vested token; ``forfeited`` of the escrow token is gone; ``left`` still vests."""

    pool: str
    account: str
    vesting: int
    amount: int
    forfeited: int
    left: int
