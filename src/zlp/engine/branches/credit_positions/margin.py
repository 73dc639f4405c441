"""Trading accounts and their margin: opening, passing on, depositing, withdrawing, and what is taken from them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.access import next_number
from zlp.engine.branches.credit.markets import pay_profit, payable, receive_fee, take_loss
from zlp.engine.branches.credit.values import collateral, credit_settings, market_settings, price_of, require_fresh
from zlp.engine.branches.credit_positions.health import account_of, health, trading_settings
from zlp.engine.branches.credit_positions.held import drop_voided
from zlp.engine.branches.custody import require_account, require_amount
from zlp.engine.commands import credit_positions as commands
from zlp.engine.draft import Draft
from zlp.engine.events import credit_positions as events
from zlp.engine.fixed import mul_div_up, value_of
from zlp.engine.leaves.credit import CreditMarketSettings
from zlp.engine.leaves.credit_positions import CreditOrder, MainAccount, MarginTotal, TradingAccount
from zlp.engine.rejections import Code, Reject

LOSS = "loss"


class Due(msgspec.Struct, frozen=True, gc=False):
    """USD an account owes: a fee of this kind, or a ``loss``, to a market."""

    kind: str
    market: str
    usd: int


def open_account(draft: Draft, command: commands.OpenTradingAccount) -> None:  # noqa: ARG001 - it says nothing more
    """Open an account for the sender."""
    _open(draft)


def _open(draft: Draft) -> TradingAccount:
    account = TradingAccount(next_number(draft, "trading_account"), draft.sender)
    draft.put(account)
    if _main(draft) is None:
        draft.put(MainAccount(draft.sender, account.number))
    draft.record(events.TradingAccountOpened(trading_account=account.number, owner=account.owner))
    return account


def _main(draft: Draft) -> TradingAccount | None:
    """The sender's main account, unless it has passed to someone else."""
    main = draft.get(MainAccount, (draft.sender,))
    account = draft.get(TradingAccount, (main.number,)) if main is not None else None
    return account if account is not None and account.owner == draft.sender else None


def own_account(draft: Draft, number: int) -> TradingAccount:
    """The sender's account of this number; 0 is its main account."""
    main = None if number else _main(draft)
    account = main or account_of(draft, number)
    if account.owner != draft.sender:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail=account.owner)
    return account


def transfer_account(draft: Draft, command: commands.TransferTradingAccount) -> None:
    """Pass an account on; orders the old owner signed lapse with the nonce."""
    account = own_account(draft, command.trading_account)
    require_account(command.to)
    require_no_order(draft, account)
    draft.put(replace(account, owner=command.to, nonce=account.nonce + 1))
    drop_voided(draft, account.number)
    draft.record(
        events.TradingAccountTransferred(trading_account=account.number, owner=command.to, previous=account.owner)
    )


def require_no_order(draft: Draft, account: TradingAccount) -> None:
    """Margin stays put while an order that counts on it is pending."""
    if draft.get(CreditOrder, (account.number,)) is not None:
        raise Reject(Code.ORDER_PENDING, actual=account.number)


def add_margin(draft: Draft, command: commands.AddMargin) -> None:
    """Deposit margin into any account, up to the token's cap; the sender's main account is opened if need be."""
    require_amount(command.amount)
    number = command.trading_account
    account = account_of(draft, number) if number else _main(draft) or _open(draft)
    require_no_order(draft, account)
    terms = collateral(draft, command.token)
    if not terms.enabled or not terms.loan_to_value:
        raise Reject(Code.NOT_MARGIN_COLLATERAL, detail=command.token)
    total = _total(draft, command.token) + command.amount
    if total > terms.margin_cap:
        raise Reject(Code.MARGIN_CAP_EXCEEDED, limit=terms.margin_cap, actual=total, detail=command.token)
    ledger.move(draft, command.token, draft.sender, account.holder, command.amount)
    change_total(draft, command.token, command.amount)
    draft.put(hold(draft, account, command.token))
    draft.record(events.MarginChanged(trading_account=account.number, token=command.token, change=command.amount))


def _total(draft: Draft, token: str) -> int:
    total = draft.get(MarginTotal, (token,))
    return 0 if total is None else total.amount


def hold(draft: Draft, account: TradingAccount, token: str) -> TradingAccount:
    """The account with its list of tokens right for ``token``, which just changed."""
    others = tuple(name for name in account.tokens if name != token)
    held = ledger.balance_of(draft, account.holder, token)
    return replace(account, tokens=(*others, token) if held else others)


def remove_margin(draft: Draft, command: commands.RemoveMargin) -> None:
    """Withdraw what the positions do not need: initial margin stays, and the liquidation fee without profits."""
    require_amount(command.amount)
    account = own_account(draft, command.trading_account)
    require_no_order(draft, account)
    ledger.move(draft, command.token, account.holder, draft.sender, command.amount)
    change_total(draft, command.token, -command.amount)
    account = hold(draft, account, command.token)
    draft.put(account)
    if account.markets:
        require_fresh_account(draft, account)
        after = health(draft, account)
        if after.initial > after.margin:
            raise Reject(Code.INSUFFICIENT_MARGIN, limit=after.initial, actual=after.margin)
        fee = trading_settings(draft).liquidation_fee_usd
        if after.collateral < fee:
            raise Reject(Code.INSUFFICIENT_MARGIN, limit=fee, actual=after.collateral)
    draft.record(events.MarginChanged(trading_account=account.number, token=command.token, change=-command.amount))


def change_total(draft: Draft, token: str, change: int) -> None:
    """Keep the sum of all accounts' balances of a token, which its cap is about."""
    if change:
        draft.put(MarginTotal(token, _total(draft, token) + change))


def add_profit(draft: Draft, settings: CreditMarketSettings, account: TradingAccount, profit: int) -> TradingAccount:
    """Pay a profit into the account in newly minted stable tokens, as much as the deleverage curve leaves of it."""
    stable = credit_settings(draft).stable
    payout, factor = payable(draft, settings, profit)
    minted = pay_profit(draft, settings, account.number, account.holder, profit, payout, factor)
    change_total(draft, stable, minted)
    account = hold(draft, account, stable)
    draft.put(account)
    return account


def require_fresh_account(draft: Draft, account: TradingAccount, *, reducing: bool = False) -> None:
    """Refuse stale prices of anything the account's health depends on."""
    for token in account.tokens:
        require_fresh(draft, token, reducing=reducing)
    for market in account.markets:
        pricing.require_fresh(draft, market_settings(draft, market).asset, reducing=reducing)


def deduct(draft: Draft, account: TradingAccount, dues: Iterable[Due]) -> tuple[TradingAccount, list[Due]]:
    """Take what an account owes from its tokens, in their order of priority, each at its full price.

    Every token pays the dues in the order given. Answers the account after it and what could not be paid.
    """
    missing = [due for due in dues if due.usd]
    for token in sorted(account.tokens, key=lambda name: (collateral(draft, name).priority, name)):
        price, unit = price_of(draft, token), ledger.token(draft, token).unit
        left: list[Due] = []
        for due in missing:
            held = ledger.balance_of(draft, account.holder, token)
            paid = min(held, mul_div_up(due.usd, unit, price))
            _pay(draft, account, due, token, paid)
            lacking = due.usd - value_of(paid, price, unit)
            if lacking > 0 and paid == held:
                left.append(Due(due.kind, due.market, lacking))
        account = hold(draft, account, token)
        missing = left
        if not missing:
            break
    draft.put(account)
    return account, missing


def _pay(draft: Draft, account: TradingAccount, due: Due, token: str, amount: int) -> None:
    if due.kind == LOSS:
        take_loss(draft, due.market, account.number, account.holder, token, amount)
    else:
        receive_fee(draft, due.market, due.kind, (account.owner, account.holder), token, amount)
    change_total(draft, token, -amount)
