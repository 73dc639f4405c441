"""Commands of traders on the vaults' credit, and of the keepers who fill and liquidate.

Where the owner acts, ``trading_account`` 0 means its main account: the first it opened.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zlp.engine.commands.base import Command, Signed
from zlp.engine.commands.credit import Report
from zlp.engine.leaves.credit_positions import TradingAccount
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader


class OpenTradingAccount(Command, frozen=True, kw_only=True):
    """Open a cross-margin account; its number is in the event."""


class TransferTradingAccount(Command, frozen=True, kw_only=True):
    """Give an account, with all it holds and owes, to another owner. Its signed orders lapse."""

    scope: ClassVar[str] = "transfer"
    trading_account: int
    to: str


class AddMargin(Command, frozen=True, kw_only=True):
    """Anyone: deposit margin into an account. 0: the sender's main account, opened if there is none."""

    trading_account: int
    token: str
    amount: int

    def pays(self, reader: Reader) -> tuple[str, ...]:
        """The account's owner."""
        account = reader.get(TradingAccount, (self.trading_account,))
        return () if account is None else (account.owner,)


class RemoveMargin(Command, frozen=True, kw_only=True):
    """Owner: withdraw margin that the positions do not need."""

    reduces_risk: ClassVar[bool] = True
    trading_account: int
    token: str
    amount: int


class PlaceCreditOrder(Command, frozen=True, kw_only=True):
    """Owner: ask to trade ``size_delta`` (signed, 1e18 of index units) at the price of a later report.

    ``acceptable_price`` (1e30): the order is not filled above it (buying) or below it (selling); 0 is any.
    ``reduce_only``: never opens or flips: the size is cut to what the position has when it is filled, and with
    nothing left to reduce the order ends with ``no_position``.

    An order of the registry that carries this (a limit, a stop, a take-profit) rests until the posted price
    reaches its trigger and fills in one step, by ``FillWaitingOrder``; it never takes the account's pending place.
    """

    reduces_risk: ClassVar[bool] = True
    orderable: ClassVar[bool] = True
    reported: ClassVar[bool] = True
    trading_account: int
    market: str
    size_delta: Signed
    acceptable_price: int = 0
    reduce_only: bool = False

    def require_form(self) -> None:
        """Something to trade."""
        if self.size_delta == 0:
            raise Reject(Code.ZERO_AMOUNT)

    def buys(self) -> bool:
        """A buy pays the ask."""
        return self.size_delta > 0


class CancelCreditOrder(Command, frozen=True, kw_only=True):
    """Owner: withdraw the pending order once it is old enough. Keeper: clear one that has expired."""

    reduces_risk: ClassVar[bool] = True
    trading_account: int


class FillCreditOrder(Command, frozen=True, kw_only=True):
    """Keeper: fill an account's pending order at a signed report's bid or ask, with the skew premium."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    trading_account: int
    report: Report


class FillWaitingOrder(Command, frozen=True, kw_only=True):
    """Keeper: fill order ``number`` of the registry at a signed report that is younger than it.

    Its trigger must be reached by the posted price. The execution fee goes to ``reward_to`` (empty: sender).
    """

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    number: int
    report: Report
    reward_to: str = ""


class SignedOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A limit order its owner signed away from the venue; the edge has recovered ``signer``.

    Valid while ``nonce`` is the account's; filled at most once. A buy fills at ``target_price`` or below, a
    sell at it or above. ``increase_nonce``: its fill voids all other orders of that nonce. ``evidence``: the signature.
    """

    trading_account: int
    market: str
    size_delta: Signed
    target_price: int
    increase_nonce: bool
    nonce: int
    salt: str
    signer: str
    evidence: str


class HoldSignedOrder(Command, frozen=True, kw_only=True):
    """Anyone: leave a signed order with the venue, whose keepers fill it when its price comes.

    It is kept until it is filled, voided with its nonce, or older than ``expires`` (seconds, 0 for never). The
    edge has checked its signature, so handing in somebody's order says nothing its owner has not signed.
    """

    reduces_risk: ClassVar[bool] = True
    order: SignedOrder
    expires: int = 0


class FillSignedOrders(Command, frozen=True, kw_only=True):
    """Keeper: fill signed orders of one market; an order that can't be filled is left out, with an event."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    market: str
    orders: tuple[SignedOrder, ...]
    report: Report


class CancelSignedOrders(Command, frozen=True, kw_only=True):
    """Owner: void every signed order of an account."""

    reduces_risk: ClassVar[bool] = True
    trading_account: int


class LiquidateTradingAccount(Command, frozen=True, kw_only=True):
    """Liquidator: close an account whose margin no longer covers its maintenance margin and the fee."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    trading_account: int
