"""Orders of the registry on the vaults' credit: limits, stops and take-profits, and what ends them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.profiles.zaros.registry import Registry
from tests.profiles.zaros.venue import UNIT
from zlp.engine.codec import canonical, decode_command
from zlp.engine.commands import credit_positions, governance, orders
from zlp.engine.events.credit_positions import CreditOrderClosed
from zlp.engine.events.orders import OrderCancelled, OrderExecuted
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import USD
from zlp.engine.leaves.credit_positions import CreditOrder, CreditTradingSettings
from zlp.engine.leaves.orders import Order, OrderSettings
from zlp.engine.rejections import Code
from zlp.engine.root import Receipt
from zlp.keepers import CreditKeeper, OrderKeeper

BTC = 100_000 * USD


def code(receipt: Receipt) -> Code | None:
    """Why it was refused."""
    return None if receipt.rejection is None else receipt.rejection.code


def test_a_limit_rests_until_its_price_and_never_fills_worse() -> None:
    """Z10, E9: not before the posted price is past the trigger, not at a report worse than the limit."""
    scene = Registry()
    number = scene.rest(UNIT // 10, 98_000, above=False, acceptable_price=98_000 * USD)
    assert code(scene.execute(number, 100_000)) is Code.PRICE_NOT_REACHED

    scene.price(BTC=97_990)
    assert code(scene.execute(number, 98_010)) is Code.TARGET_NOT_REACHED
    done = scene.execute(number, 97_990)
    assert [type(event).__name__ for event in done.events[-2:]] == ["PositionChanged", "OrderExecuted"]
    assert scene.size() == UNIT // 10
    assert scene.root.state.get(Order, (number,)) is None
    (fill,) = [event for event in done.events if isinstance(event, PositionChanged)]
    assert 97_990 * USD < fill.price <= 98_000 * USD


def test_a_report_from_before_the_order_fills_nothing() -> None:
    """Z10: nobody may act on a price he knew when he ordered, nor on one he knew when he changed the order."""
    scene = Registry()
    number = scene.rest(UNIT // 10, 101_000, above=False)
    old = credit_positions.FillWaitingOrder(number=number, report=scene.report("BTC", BTC, valid_from=scene.now - 1))
    assert scene.refused("keeper", old) is Code.PRICE_NOT_NEWER
    scene.now += 5
    changed = orders.UpdateOrder(number=number, trigger_price=101_500 * USD, trigger_above=False)
    scene.must("t", changed)
    known = credit_positions.FillWaitingOrder(number=number, report=scene.report("BTC", BTC, valid_from=scene.now - 1))
    assert scene.refused("keeper", known) is Code.PRICE_NOT_NEWER
    assert code(scene.execute(number, 100_000)) is None


def test_an_order_for_nothing_is_not_placed() -> None:
    """Z10, A4: a size of 0 can never fill; the registry says so at once."""
    scene = Registry()
    order = credit_positions.PlaceCreditOrder(trading_account=1, market="BTC", size_delta=0)
    rests = orders.PlaceOrder(action=canonical(order).decode(), fee=0, resting=True)
    assert scene.refused("t", rests) is Code.ZERO_AMOUNT


def test_only_a_keeper_with_a_report_fills_it() -> None:
    """Z10, E9: the owner can't, a stranger can't, and running it without a report is refused."""
    scene = Registry()
    number = scene.rest(UNIT // 10, 101_000, above=False)
    fill = credit_positions.FillWaitingOrder(number=number, report=scene.report("BTC", BTC))
    assert scene.refused("t", fill) is Code.ROLE_REQUIRED
    assert scene.refused("keeper", orders.ExecuteOrder(number=number)) is Code.REPORT_REQUIRED
    deposit = orders.PlaceOrder(action='{"type":"Mint","pool":"v","token":"ETHx","amount":"1"}', fee=0)
    scene.give("t", "ETHx", 1)
    other = scene.must("t", deposit).events[-1].number
    wrong = credit_positions.FillWaitingOrder(number=other, report=scene.report("BTC", BTC))
    assert scene.refused("keeper", wrong) is Code.ACTION_NOT_ALLOWED


def test_a_stop_never_opens_or_flips() -> None:
    """Z10: it closes what is left, and with nothing left it ends as an event with the reason."""
    scene = Registry()
    scene.trade("t", 1, "BTC", UNIT // 10, BTC)
    first, second = scene.stop(-UNIT // 10, 99_000), scene.stop(-UNIT // 10, 99_000)
    scene.trade("t", 1, "BTC", -UNIT // 20, BTC)
    scene.price(BTC=98_900)

    assert code(scene.execute(first, 98_900)) is None
    assert scene.size() == 0
    ended = scene.execute(second, 98_900)
    assert ended.rejection is None
    (cancelled,) = [event for event in ended.events if isinstance(event, OrderCancelled)]
    assert cancelled.reason == Code.NO_POSITION
    assert scene.size() == 0
    assert scene.root.state.get(Order, (second,)) is None


def test_a_reduce_only_market_order_is_cut_or_closed() -> None:
    """Z10: a pending one fills with what the position has; a signed fill before it may have left nothing."""
    scene = Registry()
    closing = credit_positions.PlaceCreditOrder(
        trading_account=1, market="BTC", size_delta=-UNIT, reduce_only=True, acceptable_price=0
    )
    assert scene.refused("t", closing) is Code.NO_POSITION
    scene.trade("t", 1, "BTC", UNIT // 10, BTC)
    scene.must("t", closing)
    scene.fill(1, "BTC", BTC)
    assert scene.size() == 0

    scene.trade("t", 1, "BTC", UNIT // 10, BTC)
    stop = scene.stop(-UNIT, 101_000)
    scene.must("t", closing)
    assert code(scene.execute(stop, 100_000)) is None
    (closed,) = [event for event in scene.fill(1, "BTC", BTC).events if isinstance(event, CreditOrderClosed)]
    assert closed.reason == Code.NO_POSITION
    assert scene.size() == 0
    assert scene.root.state.get(CreditOrder, (1,)) is None


def test_a_triggered_order_does_not_take_the_pending_place() -> None:
    """Z10: a stop fills while a market order is pending, whatever its age, and blocks no margin while it rests."""
    scene = Registry()
    scene.trade("t", 1, "BTC", UNIT // 10, BTC)
    stop = scene.stop(-UNIT // 10, 101_000)
    scene.must("t", credit_positions.RemoveMargin(trading_account=1, token="USDC", amount=10**6))
    scene.must("t", credit_positions.PlaceCreditOrder(trading_account=1, market="BTC", size_delta=UNIT // 50))
    assert code(scene.execute(stop, 100_000)) is None
    scene.fill(1, "BTC", BTC)
    assert scene.size() == UNIT // 50


def test_a_pending_order_expires() -> None:
    """Z10: what can't be filled does not block the margin for ever: a keeper clears it, also without a report."""
    scene = Registry()
    scene.configure(CreditTradingSettings(order_lifetime=10, order_expiry=60))
    hopeless = credit_positions.PlaceCreditOrder(
        trading_account=1, market="BTC", size_delta=UNIT // 10, acceptable_price=USD
    )
    clear = credit_positions.CancelCreditOrder(trading_account=1)
    margin = credit_positions.RemoveMargin(trading_account=1, token="USDC", amount=10**6)
    scene.must("t", hopeless)
    assert scene.refused("t", margin) is Code.ORDER_PENDING
    scene.now += 59
    assert scene.refused("keeper", clear) is Code.SENDER_NOT_ALLOWED
    scene.now += 1
    assert scene.refused("other", clear) is Code.SENDER_NOT_ALLOWED
    assert [event.reason for event in scene.must("keeper", clear).events] == ["expired"]
    scene.must("t", margin)

    scene.must("t", hopeless)
    scene.now += 60
    scene.price(BTC=100_000)
    filled = credit_positions.FillCreditOrder(trading_account=1, report=scene.report("BTC", BTC))
    assert [event.reason for event in scene.must("keeper", filled).events] == ["expired"]


def test_an_order_does_not_act_for_a_new_owner() -> None:
    """Z10: the account was given away; the old owner's stop ends and returns, the new owner's position stays."""
    scene = Registry()
    scene.trade("t", 1, "BTC", UNIT // 10, BTC)
    stop = scene.stop(-UNIT // 10, 101_000)
    scene.must("t", credit_positions.TransferTradingAccount(trading_account=1, to="heir"))
    ended = scene.execute(stop, 100_000)
    (cancelled,) = [event for event in ended.events if isinstance(event, OrderCancelled)]
    assert cancelled.reason == Code.SENDER_NOT_ALLOWED
    assert scene.size() == UNIT // 10


def test_what_stops_an_order_for_a_while_leaves_it_resting() -> None:
    """Z10, A7: too little margin, a closed market or a pause: it waits; a removed position ends it."""
    scene = Registry()
    scene.trade("t", 1, "BTC", UNIT // 5, BTC)
    big = scene.rest(100 * UNIT, 101_000, above=False)
    stop = scene.stop(-UNIT // 5, 101_000)
    assert code(scene.execute(big, 100_000)) is Code.INSUFFICIENT_MARGIN
    scene.must("guardian", governance.PauseScope(target="PlaceCreditOrder"))
    assert code(scene.execute(stop, 100_000)) is Code.PAUSED
    scene.must("governor", governance.ResumeScope(target="PlaceCreditOrder"))
    scene.price(BTC=2_000)
    scene.must("liquidator", credit_positions.LiquidateTradingAccount(trading_account=1))
    ended = scene.execute(stop, 2_000)
    assert [event.reason for event in ended.events if isinstance(event, OrderCancelled)] == [Code.NO_POSITION]
    assert scene.root.state.get(Order, (big,)) is not None
    scene.must("t", orders.CancelOrder(number=big))


def test_the_keepers_share_the_work() -> None:
    """E9, Z10: the credit keeper fills what is reached, the order keeper clears what expired, neither the other's."""
    scene = Registry()
    scene.trade("t", 1, "BTC", UNIT // 10, BTC)
    stop = scene.stop(-UNIT // 10, 99_000)
    late = scene.rest(UNIT // 10, 90_000, above=False, expires=scene.now + 10)
    orders_keeper, credit_keeper = OrderKeeper(scene.port()), CreditKeeper(scene.port())
    assert orders_keeper.work() == 0
    credit_keeper.work()
    assert scene.root.state.get(Order, (stop,)) is not None
    scene.price(BTC=98_000)
    assert orders_keeper.work() == 0
    assert scene.root.state.get(Order, (stop,)) is not None
    assert credit_keeper.work() == 1
    assert scene.size() == 0
    scene.now += 11
    assert credit_keeper.work() == 0
    assert orders_keeper.work() == 1
    assert scene.root.state.get(Order, (late,)) is None
    assert list(scene.root.audit()) == []


def test_the_fee_goes_to_whoever_fills() -> None:
    """E9: an execution fee, where a venue asks for one, is paid with the fill."""
    scene = Registry()
    scene.give("t", "WETH", 100)
    scene.configure(OrderSettings(fee_token="WETH", minimum_fee=70, immediate=("Mint", "PlaceCreditOrder")))
    action = credit_positions.PlaceCreditOrder(trading_account=1, market="BTC", size_delta=UNIT // 10)
    number = scene.must("t", orders.PlaceOrder(action=canonical(action).decode(), fee=70)).events[-1].number
    report = scene.report("BTC", BTC)
    done = scene.must("keeper", credit_positions.FillWaitingOrder(number=number, report=report, reward_to="till"))
    assert any(isinstance(event, OrderExecuted) for event in done.events)
    assert scene.balance("till", "WETH") == 70
    assert scene.size() == UNIT // 10


def test_a_venue_of_the_older_rules_is_brought_up_to_date() -> None:
    """E9: the two decisions of docs/operations.md let market orders through that the new rules would have wait."""
    scene = Registry()
    scene.configure(OrderSettings(fee_token="WETH", minimum_fee=2 * 10**14, immediate=("Mint",)))
    order = credit_positions.PlaceCreditOrder(trading_account=1, market="BTC", size_delta=UNIT // 10)
    assert scene.refused("t", order) is Code.ACTION_NOT_IMMEDIATE
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    decisions = re.findall(r"^zlp send '(\{\"type\": \"SetParameter\".*\})'$", page, re.MULTILINE)
    assert len(decisions) == 2
    for text in decisions:
        scene.must("governor", decode_command(text))
    scene.must("t", order)
    assert scene.leaf(OrderSettings).minimum_fee == 0
