"""The order registry: limit, trigger and market orders around any action, executed by keepers (E9)."""

from __future__ import annotations

import functools
from collections.abc import Callable

from msgspec.structs import replace

from zlp.engine import codec, ledger, pricing
from zlp.engine.access import has_role, next_number, require_running
from zlp.engine.branches.base import Branch
from zlp.engine.branches.custody import require_account
from zlp.engine.commands import orders as commands
from zlp.engine.commands.base import Command, check_ranges
from zlp.engine.draft import Draft
from zlp.engine.events import orders as events
from zlp.engine.fixed import USD, mul_div_down, value_of
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.orders import CancelSchedule, OpenOrders, Order, OrderSettings
from zlp.engine.leaves.prices import PriceFeed
from zlp.engine.rejections import Code, Reject

FINAL = frozenset(
    {
        Code.NO_POSITION,
        Code.EMPTY_POSITION,
        Code.UNKNOWN_POSITION,
        Code.UNKNOWN_TRADING_ACCOUNT,
        Code.SENDER_NOT_ALLOWED,
        Code.INVALID_DECREASE_AMOUNT,
    }
)
"""Refusals of an action that no later price cures; a resting order ends with them instead of waiting for ever."""


def place(draft: Draft, command: commands.PlaceOrder) -> None:
    """Check the action's form, take the fee and what it spends into escrow, record the order."""
    settings = _settings(draft)
    action = _action(command.action)
    if command.fee < settings.minimum_fee:
        raise Reject(Code.EXECUTION_FEE_TOO_SMALL, limit=settings.minimum_fee, actual=command.fee)
    action.require_form()
    if command.resting and action.brings_margin and settings.minimum_margin:
        _require_margin(draft, action, settings.minimum_margin)
    if command.expires and command.expires <= draft.time:
        raise Reject(Code.DEADLINE_PASSED, limit=command.expires, actual=draft.time)
    _check_trigger(draft, command)
    _count(draft, draft.sender, 1, settings.maximum_open)
    order = Order(
        number=next_number(draft, "order"),
        account=draft.sender,
        action=command.action,
        trigger_asset=command.trigger_asset,
        trigger_quote=command.trigger_quote,
        trigger_price=command.trigger_price,
        trigger_above=command.trigger_above,
        resting=command.resting,
        fee=command.fee,
        fee_token=settings.fee_token,
        expires=command.expires,
        client=command.client,
        placed_at=draft.time,
        placed_in=draft.sequence,
    )
    ledger.move(draft, settings.fee_token, draft.sender, order.holder, command.fee)
    for token, amount in action.spends():
        ledger.move(draft, token, draft.sender, order.holder, amount)
    draft.put(order)
    draft.record(
        events.OrderPlaced(
            number=order.number,
            account=order.account,
            action=order.action,
            resting=order.resting,
            trigger_asset=order.trigger_asset,
            trigger_quote=order.trigger_quote,
            trigger_price=order.trigger_price,
            trigger_above=order.trigger_above,
            fee=order.fee,
            expires=order.expires,
            client=order.client,
        )
    )


def _require_margin(draft: Draft, action: Command, least: int) -> None:
    """Keep dust out of the book: what the order brings must be worth so much, at minimum prices."""
    worth = 0
    for token, amount in action.spends():
        unit = draft.need(Token, (token,), Code.UNKNOWN_TOKEN).unit
        worth += value_of(amount, pricing.bounds(draft, token)[0], unit)
    if worth < least:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=least, actual=worth)


def _check_trigger(draft: Draft, command: commands.PlaceOrder) -> None:
    if not command.trigger_asset:
        return
    if not command.resting or command.trigger_price == 0:
        raise Reject(Code.MALFORMED_COMMAND, detail="a trigger needs a price and an order that rests")
    for asset in (command.trigger_asset, command.trigger_quote):
        if asset:
            pricing.bounds(draft, asset)


def update(draft: Draft, command: commands.UpdateOrder) -> None:
    """Change a resting order."""
    order = draft.need(Order, (command.number,), Code.UNKNOWN_ORDER)
    _require_owner(draft, order)
    if not order.resting:
        raise Reject(Code.ACTION_NOT_ALLOWED, detail="a market order can't be changed")
    if order.trigger_asset and command.trigger_price == 0:
        raise Reject(Code.MALFORMED_COMMAND, detail="a trigger needs a price")
    if command.action:
        _require_same_escrow(_action(command.action), action_of(order))
    changed = replace(
        order,
        action=command.action or order.action,
        trigger_price=command.trigger_price,
        trigger_above=command.trigger_above,
        placed_at=draft.time,
        placed_in=draft.sequence,
    )
    draft.put(changed)
    draft.record(
        events.OrderUpdated(
            number=order.number,
            account=order.account,
            action=changed.action,
            trigger_price=changed.trigger_price,
            trigger_above=changed.trigger_above,
        )
    )


def _require_same_escrow(action: Command, former: Command) -> None:
    action.require_form()
    if action.spends() != former.spends():
        raise Reject(Code.ACTION_NOT_ALLOWED, detail="the new action must spend the same")


def cancel(draft: Draft, command: commands.CancelOrder) -> None:
    """The owner takes back; a keeper clears what has expired."""
    settings = _settings(draft)
    order = draft.need(Order, (command.number,), Code.UNKNOWN_ORDER)
    if draft.sender == order.account:
        if not order.resting and not _expired(draft, settings, order):
            _require_age(draft, order, settings.owner_delay)
        _end(draft, order, "cancelled", order.account)
        return
    _require_keeper(draft, settings)
    if not _expired(draft, settings, order):
        raise Reject(Code.SENDER_NOT_ALLOWED, detail="the order has not expired")
    _end(draft, order, "expired", _expired_fee_to(draft, settings, order))


def schedule(draft: Draft, command: commands.ScheduleCancel) -> None:
    """Set the sender's dead-man switch. What has fallen stays fallen."""
    if command.at and command.at <= draft.time:
        raise Reject(Code.DEADLINE_PASSED, limit=command.at, actual=draft.time)
    draft.put(CancelSchedule(draft.sender, command.at, _void_before(draft, draft.sender)))
    draft.record(events.CancelScheduled(account=draft.sender, at=command.at))


def execute(draft: Draft, command: commands.ExecuteOrder) -> None:
    """Run one order, or say why not."""
    _execute(draft, command.number, command.reward_to or draft.sender)


def execute_many(draft: Draft, command: commands.ExecuteOrders) -> None:
    """Attempt each order in a draft of its own."""
    _require_keeper(draft, _settings(draft))
    for number in command.numbers:
        attempt = draft.nested()
        try:
            _execute(attempt, number, command.reward_to or draft.sender)
        except Reject as refused:
            draft.record(events.OrderSkipped(number=number, reason=refused.rejection.code))
        else:
            draft.absorb(attempt)


def _execute(draft: Draft, number: int, reward_to: str) -> None:
    require_account(reward_to)
    run_order(draft, draft.need(Order, (number,), Code.UNKNOWN_ORDER), reward_to)


def run_order(draft: Draft, order: Order, reward_to: str, run: Callable[[Draft], None] | None = None) -> None:
    """Run an order's action on its owner's behalf, or say why not.

    ``run``: how, for a branch that runs its actions itself; without it the action goes where it is sent to. A
    refused market order ends with the code, a resting one goes on waiting unless no later price can cure it.
    """
    settings = _settings(draft)
    if draft.sender == order.account and not has_role(draft, Role.KEEPER, draft.sender):
        _require_age(draft, order, settings.owner_delay)
    else:
        _require_keeper(draft, settings)
    if _expired(draft, settings, order):
        _end(draft, order, "expired", _expired_fee_to(draft, settings, order))
        return
    if not order.resting and order.placed_at + settings.keeper_delay > draft.time:
        raise Reject(Code.REQUEST_TOO_YOUNG, limit=order.placed_at + settings.keeper_delay, actual=draft.time)
    action = action_of(order)
    if action.reported and run is None:
        raise Reject(Code.REPORT_REQUIRED, detail=type(action).__name__)
    require_running(draft, action)
    if settings.newer_price:
        _require_newer_prices(draft, order, action)
    _require_trigger(draft, order, action)
    attempt = draft.nested()
    try:
        _run(attempt, order, action, reward_to, run)
    except Reject as refused:
        if order.resting and refused.rejection.code not in FINAL:
            raise
        _end(draft, order, refused.rejection.code, reward_to)
    else:
        draft.absorb(attempt)


def _run(draft: Draft, order: Order, action: Command, reward_to: str, run: Callable[[Draft], None] | None) -> None:
    """Give the escrow back, act for the owner, pay the keeper."""
    keeper = draft.sender
    _close(draft, order)
    for token, amount in action.spends():
        ledger.move(draft, token, order.holder, order.account, amount)
    if run is None:
        draft.run(action, order.account)
    else:
        with draft.acting_as(order.account):
            run(draft)
    ledger.move(draft, order.fee_token, order.holder, reward_to, order.fee)
    draft.record(
        events.OrderExecuted(
            number=order.number, account=order.account, keeper=keeper, fee=order.fee, client=order.client
        )
    )


def _end(draft: Draft, order: Order, reason: str, fee_to: str) -> None:
    """Return what was set aside and pay the fee to whom it is due."""
    _close(draft, order)
    for token, amount in action_of(order).spends():
        ledger.move(draft, token, order.holder, order.account, amount)
    ledger.move(draft, order.fee_token, order.holder, fee_to, order.fee)
    draft.record(
        events.OrderCancelled(
            number=order.number,
            account=order.account,
            reason=reason,
            fee_to=fee_to,
            fee=order.fee,
            client=order.client,
        )
    )


def _close(draft: Draft, order: Order) -> None:
    draft.drop(order)
    _count(draft, order.account, -1, 0)


def _count(draft: Draft, account: str, change: int, maximum: int) -> None:
    held = draft.get(OpenOrders, (account,))
    count = (0 if held is None else held.count) + change
    if change > 0 and count > maximum:
        raise Reject(Code.TOO_MANY_ORDERS, limit=maximum, actual=count)
    draft.put(OpenOrders(account, count))


def _settings(draft: Draft) -> OrderSettings:
    return draft.need(OrderSettings, (), Code.UNKNOWN_SETTING)


def action_of(order: Order) -> Command:
    """The command an order carries."""
    return _action(order.action)


@functools.lru_cache(maxsize=1_024)
def _action(text: str) -> Command:
    """The command an order carries; only orderable ones, and no order inside an order.

    Remembered from when it is placed to when it runs: it follows from the text alone.
    """
    action = codec.decode_command(text)
    if not action.orderable:
        raise Reject(Code.ACTION_NOT_ALLOWED, detail=type(action).__name__)
    check_ranges(action)
    return action


def _require_owner(draft: Draft, order: Order) -> None:
    if draft.sender != order.account:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail=f"order {order.number}")


def _require_keeper(draft: Draft, settings: OrderSettings) -> None:
    if not settings.public and not has_role(draft, Role.KEEPER, draft.sender):
        raise Reject(Code.ROLE_REQUIRED, detail=Role.KEEPER)


def _require_age(draft: Draft, order: Order, delay: int) -> None:
    if delay == 0:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail="only keepers execute orders here")
    if order.placed_at + delay > draft.time:
        raise Reject(Code.REQUEST_TOO_YOUNG, limit=order.placed_at + delay, actual=draft.time)


def _void_before(draft: Draft, account: str) -> int:
    switch = draft.get(CancelSchedule, (account,))
    return 0 if switch is None else switch.voids_before(draft.time)


def _expired(draft: Draft, settings: OrderSettings, order: Order) -> bool:
    if order.placed_at < _void_before(draft, order.account):
        return True
    if order.resting:
        return bool(order.expires) and draft.time > order.expires
    return order.placed_at + settings.market_lifetime <= draft.time


def _expired_fee_to(draft: Draft, settings: OrderSettings, order: Order) -> str:
    return draft.sender if settings.expired_fee_to_keeper else order.account


def _require_newer_prices(draft: Draft, order: Order, action: Command) -> None:
    for asset in pricing.awaited(draft, action):
        feed = draft.get(PriceFeed, (asset,))
        posted = 0 if feed is None else feed.posted_in
        if posted <= order.placed_in:
            raise Reject(Code.PRICE_NOT_NEWER, limit=order.placed_in, actual=posted, detail=asset)


def _require_trigger(draft: Draft, order: Order, action: Command) -> None:
    """Strictly past the trigger, on the side of the price the action would pay."""
    if not order.trigger_asset:
        return
    side = 1 if action.buys() else 0
    price = pricing.bounds(draft, order.trigger_asset)[side]
    if order.trigger_quote:
        price = mul_div_down(price, USD, pricing.bounds(draft, order.trigger_quote)[1 - side])
    reached = price > order.trigger_price if order.trigger_above else price < order.trigger_price
    if not reached:
        raise Reject(Code.PRICE_NOT_REACHED, limit=order.trigger_price, actual=price)


BRANCH = Branch(
    name="orders",
    version=1,
    summary="limit, trigger and market orders around any action, executed by keepers",
    handlers={
        commands.PlaceOrder: place,
        commands.UpdateOrder: update,
        commands.CancelOrder: cancel,
        commands.ScheduleCancel: schedule,
        commands.ExecuteOrder: execute,
        commands.ExecuteOrders: execute_many,
    },
)
