"""Orders on the vaults' credit: one pending market order per account, orders of the registry, and signed ones.

Those of the registry and those signed away from the venue are filled in one step and never become pending.
"""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.access import has_role, require_role
from zlp.engine.branches.credit.values import checked, index_price, market_settings
from zlp.engine.branches.credit_positions import held
from zlp.engine.branches.credit_positions.fills import Trade, check_margin, check_trade, fill
from zlp.engine.branches.credit_positions.health import account_of, position_of, trading_settings
from zlp.engine.branches.credit_positions.margin import own_account
from zlp.engine.branches.custody import require_account
from zlp.engine.branches.orders import action_of, run_order
from zlp.engine.commands import credit_positions as commands
from zlp.engine.commands.credit import Report
from zlp.engine.draft import Draft
from zlp.engine.events import credit_positions as events
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.credit import CreditMarketSettings
from zlp.engine.leaves.credit_positions import CreditOrder, TradingAccount
from zlp.engine.leaves.orders import Order
from zlp.engine.rejections import Code, Reject


def place(draft: Draft, command: commands.PlaceCreditOrder) -> None:
    """Check an order as it would fill at the last prices and leave it for a keeper; an older one is replaced.

    How old those prices are does not matter yet: it fills at a report that is younger than the order.
    """
    command.require_form()
    account = own_account(draft, command.trading_account)
    settings = market_settings(draft, command.market)
    trade = Trade(settings, allowed_delta(draft, account, command), index_price(draft, settings.asset))
    check_trade(draft, account, trade)
    check_margin(draft, account, trade)
    pending = draft.get(CreditOrder, (account.number,))
    if pending is not None:
        _require_age(draft, pending)
        _close(draft, pending, "replaced")
    draft.put(
        CreditOrder(
            account=account.number,
            market=command.market,
            size_delta=command.size_delta,
            placed_at=draft.time,
            acceptable_price=command.acceptable_price,
            reduce_only=command.reduce_only,
        )
    )
    draft.record(
        events.CreditOrderPlaced(
            trading_account=account.number,
            owner=account.owner,
            market=command.market,
            size_delta=command.size_delta,
            acceptable_price=command.acceptable_price,
            reduce_only=command.reduce_only,
        )
    )


def allowed_delta(draft: Draft, account: TradingAccount, order: commands.PlaceCreditOrder | CreditOrder) -> int:
    """The size an order may trade now: all of it, or no more than takes a position back to nothing (reduce-only)."""
    if not order.reduce_only:
        return order.size_delta
    held = position_of(draft, account.number, order.market).size
    if held * order.size_delta >= 0:
        raise Reject(Code.NO_POSITION, detail=order.market)
    return max(order.size_delta, -held) if held > 0 else min(order.size_delta, -held)


def _require_age(draft: Draft, order: CreditOrder) -> None:
    age, least = draft.time - order.placed_at, trading_settings(draft).order_lifetime
    if age < least:
        raise Reject(Code.ORDER_TOO_YOUNG, limit=least, actual=age)


def _close(draft: Draft, order: CreditOrder, reason: str) -> None:
    draft.drop(order)
    owner = account_of(draft, order.account).owner
    draft.record(
        events.CreditOrderClosed(trading_account=order.account, owner=owner, market=order.market, reason=reason)
    )


def close_pending(draft: Draft, account: int, reason: str) -> None:
    """Drop the account's pending order, if it has one."""
    order = draft.get(CreditOrder, (account,))
    if order is not None:
        _close(draft, order, reason)


def cancel(draft: Draft, command: commands.CancelCreditOrder) -> None:
    """Withdraw a pending order that is old enough; a keeper clears one that has expired."""
    number = command.trading_account
    expired = draft.get(CreditOrder, (number,))
    if expired is not None and _expired(draft, expired) and has_role(draft, Role.KEEPER, draft.sender):
        _close(draft, expired, "expired")
        return
    account = own_account(draft, number)
    order = draft.need(CreditOrder, (account.number,), Code.UNKNOWN_ORDER)
    _require_age(draft, order)
    _close(draft, order, "cancelled")


def _expired(draft: Draft, order: CreditOrder) -> bool:
    return order.placed_at + trading_settings(draft).order_expiry <= draft.time


def fill_order(draft: Draft, command: commands.FillCreditOrder) -> None:
    """Fill a pending order at a report that is younger than it; with nothing left to reduce, or expired, it ends."""
    require_role(draft, Role.KEEPER)
    order = draft.need(CreditOrder, (command.trading_account,), Code.UNKNOWN_ORDER)
    if _expired(draft, order):
        _close(draft, order, "expired")
        return
    settings = market_settings(draft, order.market)
    report = _younger(checked(draft, settings.asset, command.report), order.placed_at)
    account = account_of(draft, order.account)
    try:
        delta = allowed_delta(draft, account, order)
    except Reject as refused:
        _close(draft, order, refused.rejection.code)
        return
    _close(draft, order, "filled")
    _fill_within(draft, account, _trade(settings, delta, report), order.acceptable_price)


def _younger(report: Report, placed_at: int) -> Report:
    """Nobody may act on a price he knew when he ordered."""
    if report.valid_from < placed_at:
        raise Reject(Code.PRICE_NOT_NEWER, limit=placed_at, actual=report.valid_from)
    return report


def _fill_within(draft: Draft, account: TradingAccount, trade: Trade, limit: int) -> None:
    """Fill at the limit or better; 0 is any price."""
    buys = trade.delta > 0
    fill(draft, account, trade, above=limit * buys, below=limit * (not buys))


def fill_waiting(draft: Draft, command: commands.FillWaitingOrder) -> None:
    """Fill an order of the registry whose trigger the posted price has reached."""
    require_role(draft, Role.KEEPER)
    reward_to = command.reward_to or draft.sender
    require_account(reward_to)
    order = draft.need(Order, (command.number,), Code.UNKNOWN_ORDER)
    action = action_of(order)
    if not isinstance(action, commands.PlaceCreditOrder):
        raise Reject(Code.ACTION_NOT_ALLOWED, detail=type(action).__name__)
    settings = market_settings(draft, action.market)
    report = _younger(checked(draft, settings.asset, command.report), order.placed_at)

    def run(inner: Draft) -> None:
        account = own_account(inner, action.trading_account)
        delta = allowed_delta(inner, account, action)
        _fill_within(inner, account, _trade(settings, delta, report), action.acceptable_price)

    run_order(draft, order, reward_to, run)


def _trade(settings: CreditMarketSettings, delta: int, report: Report) -> Trade:
    """Buyers pay the ask, sellers receive the bid."""
    return Trade(settings, delta, report.ask if delta > 0 else report.bid)


def fill_signed(draft: Draft, command: commands.FillSignedOrders) -> None:
    """Fill signed orders one after the other; each stands or falls alone."""
    require_role(draft, Role.KEEPER)
    settings = market_settings(draft, command.market)
    report = checked(draft, settings.asset, command.report)
    for order in command.orders:
        if held.drop_expired(draft, order):
            continue
        inner = draft.nested()
        try:
            _fill_signed(inner, settings, order, report)
        except Reject as refused:
            draft.record(
                events.SignedOrderSkipped(
                    trading_account=order.trading_account, market=order.market, code=refused.rejection.code
                )
            )
        else:
            draft.absorb(inner)


def _fill_signed(draft: Draft, settings: CreditMarketSettings, order: commands.SignedOrder, report: Report) -> None:
    if order.market != settings.market:
        raise Reject(Code.UNKNOWN_MARKET, detail=order.market)
    account = account_of(draft, order.trading_account)
    used = held.require_valid(draft, account, order)
    if order.size_delta > 0 and not order.target_price:
        raise Reject(Code.TARGET_NOT_REACHED, limit=0, actual=report.ask)
    draft.put(used)
    held.forget(draft, used.digest)
    if order.increase_nonce:
        account = _next_nonce(draft, account)
    _fill_within(draft, account, _trade(settings, order.size_delta, report), order.target_price)
    draft.record(
        events.SignedOrderFilled(
            digest=used.digest, owner=account.owner, trading_account=account.number, market=order.market
        )
    )


def _next_nonce(draft: Draft, account: TradingAccount) -> TradingAccount:
    account = replace(account, nonce=account.nonce + 1)
    draft.put(account)
    draft.record(events.SignedOrdersVoided(trading_account=account.number, nonce=account.nonce))
    held.drop_voided(draft, account.number)
    return account


def cancel_signed(draft: Draft, command: commands.CancelSignedOrders) -> None:
    """Void all signed orders of an account."""
    _next_nonce(draft, own_account(draft, command.trading_account))
