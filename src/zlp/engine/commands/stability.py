"""Commands that swap the stable token for collateral of a vault."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command
from zlp.engine.commands.credit import Report


class RequestStableSwap(Command, frozen=True, kw_only=True):
    """Put ``amount`` of the stable token aside, to receive at least ``min_amount`` of the vault's collateral."""

    scope: ClassVar[str] = "trade"
    vault: str
    amount: int
    min_amount: int = 0


class FulfilStableSwap(Command, frozen=True, kw_only=True):
    """Keeper: execute a swap at the price of a signed report of the vault's collateral."""

    scope: ClassVar[str] = "keep"
    swap: int
    report: Report


class RefundStableSwap(Command, frozen=True, kw_only=True):
    """Owner: take a swap back once its deadline has come; the base fee is kept."""

    scope: ClassVar[str] = "trade"
    reduces_risk: ClassVar[bool] = True
    swap: int


class RedeemSettled(Command, frozen=True, kw_only=True):
    """Swap the stable token for settlement tokens that vaults have already paid for their debt."""

    scope: ClassVar[str] = "trade"
    reduces_risk: ClassVar[bool] = True
    amount: int
    min_amount: int = 0
