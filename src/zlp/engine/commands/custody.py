"""Commands that bring tokens in, send them around, and take them out."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command


class Deposit(Command, frozen=True, kw_only=True):
    """Bridge: credit tokens that arrived for ``account``. ``reference``: where they came from."""

    scope: ClassVar[str] = "keep"
    account: str
    token: str
    amount: int
    reference: str = ""


class RequestWithdrawal(Command, frozen=True, kw_only=True):
    """Ask the bridge to pay tokens out to ``destination``; they wait in escrow until it has."""

    scope: ClassVar[str] = "transfer"
    reduces_risk: ClassVar[bool] = True
    token: str
    amount: int
    destination: str


class SettleWithdrawal(Command, frozen=True, kw_only=True):
    """Bridge: a withdrawal was paid out (``paid``), or can't be and goes back to the account."""

    scope: ClassVar[str] = "keep"
    withdrawal: int
    paid: bool
    reference: str = ""


class Transfer(Command, frozen=True, kw_only=True):
    """Send tokens (pool shares are tokens too) to another account (O7)."""

    scope: ClassVar[str] = "transfer"
    token: str
    to: str
    amount: int


class Faucet(Command, frozen=True, kw_only=True):
    """Create tokens for the sender, up to the token's faucet limit; closed unless a demo opens it."""

    scope: ClassVar[str] = "transfer"
    token: str
    amount: int
