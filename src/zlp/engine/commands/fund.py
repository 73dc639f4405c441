"""Commands about a fund's own books: claims, revenue, the funding reserve."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command


class SettleClaims(Command, frozen=True, kw_only=True):
    """Anyone: pay waiting profit claims from the fund's liquidity, oldest first."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str


class DistributeRevenue(Command, frozen=True, kw_only=True):
    """Keeper or treasurer: split the protocol's fees: the stakers' part streams to them, the rest is the treasury's."""

    scope: ClassVar[str] = "keep"
    pool: str


class WithdrawRevenue(Command, frozen=True, kw_only=True):
    """Treasurer: pay ``amount`` of ``token`` out of the ``treasury`` or the ``developer`` bucket to ``to``."""

    scope: ClassVar[str] = "govern"
    pool: str
    bucket: str
    token: str
    amount: int
    to: str


class ConvertFundingReserve(Command, frozen=True, kw_only=True):
    """Keeper or treasurer: exchange the funding reserve's other tokens for ``stable`` at oracle prices."""

    scope: ClassVar[str] = "keep"
    pool: str
    stable: str


class SweepFundingSurplus(Command, frozen=True, kw_only=True):
    """Treasurer: move what the funding reserve holds of ``stable`` beyond all it owes into the fund."""

    scope: ClassVar[str] = "keep"
    pool: str
    stable: str
