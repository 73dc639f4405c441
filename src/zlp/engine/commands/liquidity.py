"""Commands of liquidity providers and spot traders, the same for every pool design."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command
from zlp.engine.rejections import Code, Reject

LONGEST_PATH = 3


class Mint(Command, frozen=True, kw_only=True):
    """Put ``amount`` of ``token`` into a pool for at least ``min_shares`` of its share token."""

    scope: ClassVar[str] = "liquidity"
    orderable: ClassVar[bool] = True
    pool: str
    token: str
    amount: int
    min_shares: int = 0

    def spends(self) -> tuple[tuple[str, int], ...]:
        """The deposit."""
        return ((self.token, self.amount),)

    def priced_by(self) -> tuple[str, ...]:
        """The deposited token."""
        return (self.token,)


class Burn(Command, frozen=True, kw_only=True):
    """Give up ``shares`` of a pool for at least ``min_amount`` of ``token``, paid to ``to`` (empty: sender)."""

    scope: ClassVar[str] = "liquidity"
    orderable: ClassVar[bool] = True
    reduces_risk: ClassVar[bool] = True
    pool: str
    token: str
    shares: int
    min_amount: int = 0
    to: str = ""

    def priced_by(self) -> tuple[str, ...]:
        """The token paid out."""
        return (self.token,)


class Swap(Command, frozen=True, kw_only=True):
    """Trade ``amount`` of the first token of ``path`` for at least ``min_amount`` of its last, hop by hop."""

    scope: ClassVar[str] = "trade"
    orderable: ClassVar[bool] = True
    pool: str
    path: tuple[str, ...]
    amount: int
    min_amount: int = 0
    to: str = ""

    def require_form(self) -> None:
        """Two or three tokens, from one to another, and something to sell."""
        if not 2 <= len(self.path) <= LONGEST_PATH:
            raise Reject(Code.INVALID_PATH, limit=LONGEST_PATH, actual=len(self.path))
        if self.path[0] == self.path[-1]:
            raise Reject(Code.INVALID_PATH, detail="the path must lead to another token")
        if self.amount == 0:
            raise Reject(Code.ZERO_AMOUNT)

    def spends(self) -> tuple[tuple[str, int], ...]:
        """What is sold."""
        return ((self.path[0], self.amount),) if self.path else ()

    def priced_by(self) -> tuple[str, ...]:
        """Every token of the path."""
        return self.path


class Donate(Command, frozen=True, kw_only=True):
    """Give tokens to a pool for nothing."""

    scope: ClassVar[str] = "transfer"
    pool: str
    token: str
    amount: int


class MeasurePool(Command, frozen=True, kw_only=True):
    """Put on record what a pool is worth now. Changes nothing else; anybody may ask, the venue asks every minute."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
