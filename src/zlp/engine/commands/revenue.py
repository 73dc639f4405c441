"""Commands of fee collection, the treasury, the soulbound token and epochs."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command


class CollectFees(Command, frozen=True, kw_only=True):
    """Anybody: move a pool's collected fees of one token into their buckets."""

    scope: ClassVar[str] = "keep"
    pool: str
    token: str


class AllocateFees(Command, frozen=True, kw_only=True):
    """Treasurer: pay ``amount`` out of a bucket to an account (a reward programme, costs); never the holders'."""

    scope: ClassVar[str] = "govern"
    bucket: str
    token: str
    amount: int
    to: str


class Buyback(Command, frozen=True, kw_only=True):
    """Treasurer: swap ``amount`` of the buyback bucket along ``path`` at the pool's price."""

    scope: ClassVar[str] = "govern"
    pool: str
    path: tuple[str, ...]
    amount: int
    min_amount: int


class BurnBought(Command, frozen=True, kw_only=True):
    """Treasurer: destroy ``amount`` of a burnable token in the buyback bucket."""

    scope: ClassVar[str] = "govern"
    token: str
    amount: int


class MintSoulbound(Command, frozen=True, kw_only=True):
    """Become a holder of the soulbound token, once; pays its price in ``token`` to the treasury."""

    scope: ClassVar[str] = "transfer"
    pool: str
    token: str
    max_amount: int


class FundEpoch(Command, frozen=True, kw_only=True):
    """Treasurer: open an epoch with ``amount`` of ``token`` from a bucket; ``score`` is volume, fees or shares."""

    scope: ClassVar[str] = "govern"
    pool: str
    bucket: str
    token: str
    amount: int
    starts: int
    ends: int
    score: str


class JoinEpoch(Command, frozen=True, kw_only=True):
    """A soulbound holder takes part in an epoch from now on."""

    scope: ClassVar[str] = "transfer"
    epoch: int


class ClaimEpoch(Command, frozen=True, kw_only=True):
    """A participant takes his share of a finished epoch."""

    scope: ClassVar[str] = "transfer"
    reduces_risk: ClassVar[bool] = True
    epoch: int


class CloseEpoch(Command, frozen=True, kw_only=True):
    """Treasurer: return what nobody claimed once the claim window has passed."""

    scope: ClassVar[str] = "govern"
    epoch: int
