"""Commands of traders with a margin account, and of the keepers that close positions for them."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zlp.engine.commands.base import Command, Signed
from zlp.engine.rejections import Code, Reject


class DepositMargin(Command, frozen=True, kw_only=True):
    """Put ``amount`` of ``token`` behind the sender's margin account ``number``."""

    reduces_risk: ClassVar[bool] = True
    pool: str
    number: int
    token: str
    amount: int


class WithdrawMargin(Command, frozen=True, kw_only=True):
    """Take collateral out (``amount`` 0: all of the token), down to the initial margin."""

    reduces_risk: ClassVar[bool] = True
    pool: str
    number: int
    token: str
    amount: int


class MoveMargin(Command, frozen=True, kw_only=True):
    """Move collateral from one of the sender's margin accounts to another, down to the initial margin."""

    pool: str
    number: int
    to_number: int
    token: str
    amount: int


class SwitchCollateral(Command, frozen=True, kw_only=True):
    """Swap collateral of a margin account through the fund, for at least ``min_amount``."""

    orderable: ClassVar[bool] = True
    pool: str
    number: int
    token: str
    to_token: str
    amount: int
    min_amount: int = 0

    def priced_by(self) -> tuple[str, ...]:
        """Both tokens."""
        return (self.token, self.to_token)


class CrossTrade(Command, frozen=True, kw_only=True):
    """Buy (``size_delta`` above 0) or sell USD notional (1e30) in a market: opens, extends, reduces, closes or flips.

    ``acceptable_price`` (1e30): a buy must execute below it, a sell above it; 0 accepts any. ``reduce_only``:
    never opens. ``profit_token``: asset of the fund to take profit in first. ``relayer``: is paid
    ``relay_fee_usd`` (1e30) from the collateral for bringing this command.
    """

    orderable: ClassVar[bool] = True
    pool: str
    number: int
    market: str
    size_delta: Signed
    acceptable_price: int = 0
    reduce_only: bool = False
    profit_token: str = ""
    relayer: str = ""
    relay_fee_usd: int = 0

    def require_form(self) -> None:
        """A trade has a size."""
        if self.size_delta == 0:
            raise Reject(Code.ZERO_AMOUNT)

    def priced_by(self) -> tuple[str, ...]:
        """The market's asset."""
        return (self.market,)

    def buys(self) -> bool:
        """A buy pays the high price."""
        return self.size_delta > 0


class CrossReduce(Command, frozen=True, kw_only=True):
    """Close up to ``size`` (USD 1e30; 0: all) of the position of a market, whichever side it is on.

    Take-profit and stop-loss orders carry this: it never opens, and a pause leaves it open.
    """

    reduces_risk: ClassVar[bool] = True
    orderable: ClassVar[bool] = True
    pool: str
    number: int
    market: str
    size: int = 0
    acceptable_price: int = 0
    profit_token: str = ""

    def priced_by(self) -> tuple[str, ...]:
        """The market's asset."""
        return (self.market,)


class PositionRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which position: its owner, margin account and market."""

    owner: str
    number: int
    market: str


class TakeMaxProfit(Command, frozen=True, kw_only=True):
    """Anyone: close a position whose profit has reached all that is reserved for it (N7)."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
    position: PositionRef
    profit_token: str = ""


class Deleverage(Command, frozen=True, kw_only=True):
    """Keeper, while the fund's buffer is short: close these positions, most profitable first (N8).

    The buffer is checked again before each; the first check that finds it restored ends the command.
    """

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
    positions: tuple[PositionRef, ...]


class CloseDelisted(Command, frozen=True, kw_only=True):
    """Anyone: close a position of a market that is no longer listed."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
    position: PositionRef


class LiquidateAccount(Command, frozen=True, kw_only=True):
    """Close every position of an account whose equity is below its maintenance margin; the sender earns the fee."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
    owner: str
    number: int


class SetMarketOpen(Command, frozen=True, kw_only=True):
    """Keeper or guardian: the underlying market of ``market`` opened or closed for the day."""

    scope: ClassVar[str] = "keep"
    pool: str
    market: str
    is_open: bool
