"""Commands of traders who borrow the pool's tokens, of those who liquidate them, and of the pool's yield."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command
from zlp.engine.rejections import Code, Reject


class OpenBorrowed(Command, frozen=True, kw_only=True):
    """Open a position of ``amount`` index base units, backed by ``collateral`` of ``token``.

    ``reserve``: coins of the same token to borrow; they cap the profit and carry the borrow fee. Prices in USD at
    1e30, 0 for no limit: ``collateral_price_floor`` is the lowest price of the token, ``acceptable_price`` the
    highest index price for a long and the lowest for a short.
    """

    orderable: ClassVar[bool] = True
    brings_margin: ClassVar[bool] = True
    pool: str
    market: str
    is_long: bool
    token: str
    collateral: int
    amount: int
    reserve: int
    collateral_price_floor: int = 0
    acceptable_price: int = 0

    def require_form(self) -> None:
        """Something that backs it, and something to open."""
        if self.collateral == 0:
            raise Reject(Code.INVALID_PLEDGE_AMOUNT, limit=1, actual=0)
        if self.amount == 0:
            raise Reject(Code.INVALID_OPEN_AMOUNT, limit=1, actual=0)

    def spends(self) -> tuple[tuple[str, int], ...]:
        """The collateral."""
        return ((self.token, self.collateral),)

    def priced_by(self) -> tuple[str, ...]:
        """The index and the collateral."""
        return (self.market, self.token)

    def buys(self) -> bool:
        """A long pays the high price."""
        return self.is_long


class DecreaseBorrowed(Command, frozen=True, kw_only=True):
    """Close ``amount`` index base units of a position and settle all its fees.

    ``market``, ``token`` and ``is_long`` repeat what the position is, so that an order knows the prices it waits
    for. ``acceptable_price``: the lowest index price for a long, the highest for a short; 0 for no limit.
    """

    orderable: ClassVar[bool] = True
    reduces_risk: ClassVar[bool] = True
    position: int
    market: str
    token: str
    is_long: bool
    amount: int
    collateral_price_floor: int = 0
    acceptable_price: int = 0

    def require_form(self) -> None:
        """Something to close."""
        if self.amount == 0:
            raise Reject(Code.INVALID_DECREASE_AMOUNT, limit=1, actual=0)

    def priced_by(self) -> tuple[str, ...]:
        """The index and the collateral."""
        return (self.market, self.token)

    def buys(self) -> bool:
        """Leaving a short pays the high price."""
        return not self.is_long


class CloseBorrowed(Command, frozen=True, kw_only=True):
    """Close a whole position, whatever is left of it; fields as in ``DecreaseBorrowed``."""

    orderable: ClassVar[bool] = True
    reduces_risk: ClassVar[bool] = True
    position: int
    market: str
    token: str
    is_long: bool
    collateral_price_floor: int = 0
    acceptable_price: int = 0

    def priced_by(self) -> tuple[str, ...]:
        """The index and the collateral."""
        return (self.market, self.token)

    def buys(self) -> bool:
        """Leaving a short pays the high price."""
        return not self.is_long


class PledgeCollateral(Command, frozen=True, kw_only=True):
    """Add collateral to one's position. Needs no price."""

    reduces_risk: ClassVar[bool] = True
    position: int
    amount: int


class RedeemCollateral(Command, frozen=True, kw_only=True):
    """Take collateral out of one's position, as far as its rules allow."""

    position: int
    amount: int


class ReduceReserve(Command, frozen=True, kw_only=True):
    """Give borrowed coins back: a lower cap on the profit, a lower borrow fee."""

    reduces_risk: ClassVar[bool] = True
    position: int
    amount: int


class LiquidateBorrowed(Command, frozen=True, kw_only=True):
    """Anyone: close a position whose losses and fees have used up its collateral, for a bonus."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    position: int


class CloseExhausted(Command, frozen=True, kw_only=True):
    """Anyone: close a position whose profit has reached what it borrowed; its owner is paid all of that.

    It can win no more, and until it is closed its profit beyond the cap weighs on the pool's value.
    """

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    position: int


class SetReferrer(Command, frozen=True, kw_only=True):
    """Name, once, the account that shares in one's trading fees."""

    referrer: str


class UpdateYield(Command, frozen=True, kw_only=True):
    """Anyone: compute a pool's weekly APR, once more than a week has passed since the last."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
