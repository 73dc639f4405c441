"""Orders: waiting for prices, keepers, triggers, fees, cancelling (E7, E9)."""

from __future__ import annotations

import pytest

from tests.profiles.zeus.desk import DOLLAR, ETHER, NOW, founded, held, immediate, refused, send, set_parameter
from zlp import Venue
from zlp.engine import Code, Command
from zlp.engine.codec import canonical
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition
from zlp.engine.commands.liquidity import Swap
from zlp.engine.commands.orders import CancelOrder, ExecuteOrder, ExecuteOrders, PlaceOrder, UpdateOrder
from zlp.engine.leaves.isolated import Position
from zlp.engine.leaves.orders import Order
from zlp.engine.leaves.revenue import TREASURY

FEE = 180_000_000_000_000
LONG = ("main", "alice", "ETH", "ETH", True)


@pytest.fixture
def venue() -> Venue:
    """A venue with a balanced pool."""
    return founded()


def text(command: Command) -> str:
    """The JSON text an order carries."""
    return canonical(command).decode()


def opening(**changes: object) -> IncreasePosition:
    """A long of $10,000 backed by 1 ETH."""
    values = {
        "pool": "main",
        "market": "ETH",
        "collateral": "ETH",
        "is_long": True,
        "amount": ETHER,
        "size_delta": 10_000 * DOLLAR,
        **changes,
    }
    return IncreasePosition(**values)  # type: ignore[arg-type]


def closing(**changes: object) -> DecreasePosition:
    """Close all of it."""
    values = {"pool": "main", "market": "ETH", "collateral": "ETH", "is_long": True, "whole": True, **changes}
    return DecreasePosition(**values)  # type: ignore[arg-type]


def place(venue: Venue, command: Command, account: str = "alice", **changes: object) -> int:
    """Place an order; returns its number."""
    order = PlaceOrder(action=text(command), fee=FEE, **changes)  # type: ignore[arg-type]
    number: int = venue.apply(account, order).event("OrderPlaced").number
    return number


def test_a_priced_action_may_not_run_at_once(venue: Venue) -> None:
    """E9: what the sender knows when he signs is not the price he gets."""
    assert refused(venue, "alice", opening()) is Code.ACTION_NOT_IMMEDIATE


def test_a_market_order_runs_at_newer_prices_and_pays_the_keeper(venue: Venue) -> None:
    """E7, E9: 0.00018 ETH go to the keeper that executes, at prices posted after the order."""
    number = place(venue, opening())
    assert held(venue, f"order:{number}", "ETH") == FEE + ETHER
    assert refused(venue, "keeper", ExecuteOrder(number=number)) is Code.PRICE_NOT_NEWER

    venue.advance(1)
    venue.set_prices(ETH="2010", BTC="40000", USDC="1", USDT="1")
    keeper_before = held(venue, "keeper", "ETH")
    venue.apply("keeper", ExecuteOrder(number=number))

    position = venue.root.state.get(Position, LONG)
    assert position is not None
    assert position.average == 2_010 * DOLLAR
    assert held(venue, "keeper", "ETH") - keeper_before == FEE
    assert held(venue, f"order:{number}", "ETH") == 0
    assert venue.audit() == []


@pytest.mark.parametrize(
    ("account", "action"),
    [
        ("alice", opening(path=("BTC", "ETH"), amount=5 * 10**6)),
        ("bob", closing(path=("ETH", "BTC"))),
    ],
)
def test_what_is_swapped_on_the_way_needs_newer_prices_too(venue: Venue, account: str, action: Command) -> None:
    """E6, E9: nobody pays with a coin, or is paid in one, at a price of it that he knew when he ordered."""
    venue.act("bob", opening())
    number = place(venue, action, account)
    venue.advance(1)
    venue.set_prices(ETH="2000", USDC="1", USDT="1")
    assert refused(venue, "keeper", ExecuteOrder(number=number)) is Code.PRICE_NOT_NEWER

    venue.set_prices(BTC="40000")
    assert venue.apply("keeper", ExecuteOrder(number=number)).event("OrderExecuted").number == number


def test_a_dollar_on_the_way_may_be_as_old_as_its_feed_lets_it(venue: Venue) -> None:
    """E6, E9: a stable's feed speaks once a day; orders paid in it would expire before."""
    number = place(venue, opening(path=("USDC", "ETH"), amount=2_000 * 10**6))
    venue.advance(1)
    venue.set_prices(ETH="2000")
    assert venue.apply("keeper", ExecuteOrder(number=number)).event("OrderExecuted").number == number


def test_a_failed_market_order_is_cancelled_and_the_keeper_is_paid(venue: Venue) -> None:
    """E9: a market order never rests: what it spends returns, its fee pays for the attempt."""
    before = held(venue, "alice", "ETH")
    number = place(venue, opening(acceptable_price=1_990 * DOLLAR))
    venue.advance(1)
    venue.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")

    event = venue.apply("keeper", ExecuteOrder(number=number)).event("OrderCancelled")

    assert event.reason == Code.PRICE_ABOVE_ACCEPTABLE
    assert event.fee_to == "keeper"
    assert held(venue, "alice", "ETH") == before - FEE
    assert venue.root.state.get(Order, (number,)) is None


def test_a_limit_order_waits_for_its_price(venue: Venue) -> None:
    """E9: strictly past the trigger, on the side the action pays."""
    number = place(
        venue, opening(), resting=True, trigger_asset="ETH", trigger_price=1_950 * DOLLAR, trigger_above=False
    )
    for price, code in (("2000", Code.PRICE_NOT_REACHED), ("1950", Code.PRICE_NOT_REACHED)):
        venue.advance(60)
        for _ in range(3):
            venue.set_prices(ETH=price, BTC="40000", USDC="1", USDT="1")
        assert refused(venue, "keeper", ExecuteOrder(number=number)) is code

    venue.advance(60)
    for _ in range(3):
        venue.set_prices(ETH="1949", BTC="40000", USDC="1", USDT="1")
    venue.apply("keeper", ExecuteOrder(number=number))

    position = venue.root.state.get(Position, LONG)
    assert position is not None
    assert position.average == 1_949 * DOLLAR


def test_stop_loss_and_take_profit_close_the_whole_position(venue: Venue) -> None:
    """E9: a trigger order on closing takes whatever the position is by then."""
    venue.act("alice", opening())
    stop = place(venue, closing(), resting=True, trigger_asset="ETH", trigger_price=1_900 * DOLLAR)
    take = place(venue, closing(), resting=True, trigger_asset="ETH", trigger_price=2_100 * DOLLAR, trigger_above=True)
    venue.act("alice", opening(amount=0, size_delta=1_000 * DOLLAR))
    venue.advance(60)
    for _ in range(3):
        venue.set_prices(ETH="2101", BTC="40000", USDC="1", USDT="1")

    assert refused(venue, "keeper", ExecuteOrder(number=stop)) is Code.PRICE_NOT_REACHED
    venue.apply("keeper", ExecuteOrder(number=take))

    assert venue.root.state.get(Position, LONG) is None
    assert refused(venue, "keeper", ExecuteOrder(number=stop)) is Code.PRICE_NOT_REACHED
    venue.apply("alice", CancelOrder(number=stop))
    assert venue.audit() == []


def test_a_swap_order_triggers_on_the_ratio(venue: Venue) -> None:
    """E9: BTC in ETH must pass the trigger."""
    sale = Swap(pool="main", path=("ETH", "BTC"), amount=ETHER)
    number = place(
        venue,
        sale,
        resting=True,
        trigger_asset="BTC",
        trigger_quote="ETH",
        trigger_price=19 * DOLLAR,
        trigger_above=False,
    )
    venue.advance(60)
    for _ in range(3):
        venue.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")
    assert refused(venue, "keeper", ExecuteOrder(number=number)) is Code.PRICE_NOT_REACHED
    for _ in range(3):
        venue.set_prices(ETH="2000", BTC="37990", USDC="1", USDT="1")
    before = held(venue, "alice", "BTC")

    venue.apply("keeper", ExecuteOrder(number=number))

    assert held(venue, "alice", "BTC") > before


def test_the_owner_takes_a_resting_order_back_whole(venue: Venue) -> None:
    """E9: cancelling one's own order returns the fee and the collateral."""
    before = held(venue, "alice", "ETH")
    number = place(venue, opening(), resting=True, trigger_asset="ETH", trigger_price=1_900 * DOLLAR)
    assert held(venue, "alice", "ETH") == before - FEE - ETHER

    venue.apply("alice", CancelOrder(number=number))

    assert held(venue, "alice", "ETH") == before


def test_nobody_else_can_cancel_what_has_not_expired(venue: Venue) -> None:
    """E9: not bob, not a keeper."""
    number = place(venue, opening(), resting=True, trigger_asset="ETH", trigger_price=1_900 * DOLLAR)

    assert refused(venue, "bob", CancelOrder(number=number)) is Code.ROLE_REQUIRED
    assert refused(venue, "keeper", CancelOrder(number=number)) is Code.SENDER_NOT_ALLOWED


def test_a_market_order_can_be_taken_back_only_after_a_while(venue: Venue) -> None:
    """E9: otherwise it would be a free option on the next price."""
    number = place(venue, opening())
    assert refused(venue, "alice", CancelOrder(number=number)) is Code.REQUEST_TOO_YOUNG

    venue.advance(180)
    venue.apply("alice", CancelOrder(number=number))

    assert venue.root.state.get(Order, (number,)) is None


def test_an_expired_order_pays_the_keeper_that_clears_it(venue: Venue) -> None:
    """E9: the keeper gets the execution fee, the owner his collateral."""
    before = held(venue, "alice", "ETH")
    number = place(venue, opening())
    venue.advance(301)

    event = venue.apply("keeper", CancelOrder(number=number)).event("OrderCancelled")

    assert (event.reason, event.fee_to) == ("expired", "keeper")
    assert held(venue, "alice", "ETH") == before - FEE


def test_a_resting_order_expires_when_it_says_so(venue: Venue) -> None:
    """E9: after ``expires`` a keeper can only clear it."""
    number = place(
        venue, opening(), resting=True, trigger_asset="ETH", trigger_price=1_900 * DOLLAR, expires=NOW + 1_000
    )
    venue.advance(2_000)
    for _ in range(3):
        venue.set_prices(ETH="1800", BTC="40000", USDC="1", USDT="1")

    assert venue.apply("keeper", ExecuteOrder(number=number)).event("OrderCancelled").reason == "expired"


def test_a_batch_skips_what_can_not_run(venue: Venue) -> None:
    """E9: one bad order does not stop the others; each says why it was skipped."""
    good, bad = (
        place(venue, opening()),
        place(venue, opening(), "bob", resting=True, trigger_asset="ETH", trigger_price=1_000 * DOLLAR),
    )
    venue.advance(1)
    venue.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")

    outcome = venue.apply("keeper", ExecuteOrders(numbers=(bad, 999, good)))

    assert [event.reason for event in outcome.events if type(event).__name__ == "OrderSkipped"] == [
        Code.PRICE_NOT_REACHED,
        Code.UNKNOWN_ORDER,
    ]
    assert outcome.event("OrderExecuted").number == good


def test_an_update_moves_the_trigger(venue: Venue) -> None:
    """E9: only the owner, only of a resting order."""
    number = place(venue, opening(), resting=True, trigger_asset="ETH", trigger_price=1_900 * DOLLAR)
    change = UpdateOrder(number=number, trigger_price=1_999 * DOLLAR, trigger_above=False)
    assert refused(venue, "bob", change) is Code.SENDER_NOT_ALLOWED

    venue.apply("alice", change)

    order = venue.root.state.get(Order, (number,))
    assert order is not None
    assert order.trigger_price == 1_999 * DOLLAR


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fee": FEE - 1}, Code.EXECUTION_FEE_TOO_SMALL),
        ({"action": '{"type":"Faucet","token":"ETH","amount":1}'}, Code.ACTION_NOT_ALLOWED),
        ({"action": "nonsense"}, Code.MALFORMED_COMMAND),
        ({"expires": NOW - 1}, Code.DEADLINE_PASSED),
        ({"trigger_asset": "ETH", "trigger_price": 1}, Code.MALFORMED_COMMAND),
        ({"trigger_asset": "DOGE", "trigger_price": 1, "resting": True}, Code.UNKNOWN_FEED),
    ],
)
def test_a_bad_order_is_refused(venue: Venue, changes: dict[str, object], code: Code) -> None:
    """E9, A4: each fault has its own code."""
    values = {"action": text(opening()), "fee": FEE, **changes}

    assert refused(venue, "alice", PlaceOrder(**values)) is code  # type: ignore[arg-type]


def test_only_so_many_orders_at_once(venue: Venue) -> None:
    """E9: an account may have a hundred."""
    order = PlaceOrder(action=text(opening(amount=10**15)), fee=FEE, resting=True)
    for _ in range(100):
        assert send(venue, "alice", order).rejection is None

    assert refused(venue, "alice", order) is Code.TOO_MANY_ORDERS


@pytest.mark.parametrize(
    ("price", "expected"), [("1500", Code.LOSSES_EXCEED_COLLATERAL), ("1605", Code.FEES_EXCEED_COLLATERAL)]
)
def test_a_close_that_its_collateral_does_not_carry_says_why(venue: Venue, price: str, expected: Code) -> None:
    """A4, E6: losses first, then fees; a liquidator may act, the owner is told."""
    immediate(venue)
    set_parameter(venue, "IsolatedSettings", '["main"]', "closing_fee_bps", 50)
    venue.apply("alice", opening())
    for _ in range(3):
        venue.advance(60)
        venue.set_prices(ETH=price, BTC="40000", USDC="1", USDT="1")
    assert refused(venue, "alice", closing()) is expected


@pytest.mark.parametrize(
    "action",
    [
        opening(path=("USDC", "BTC", "ETH")),
        opening(path=("USDC", "BTC")),
        closing(path=("USDC",)),
        closing(path=("ETH", "BTC", "USDC")),
        Swap(pool="main", path=("ETH",), amount=1),
        Swap(pool="main", path=("ETH", "BTC", "ETH"), amount=1),
    ],
)
def test_a_path_that_can_never_run_is_refused_at_once(venue: Venue, action: Command) -> None:
    """E9: not when a keeper tries it, hours later; nor does it get in by an update."""
    assert refused(venue, "alice", PlaceOrder(action=text(action), fee=FEE, resting=True)) is Code.INVALID_PATH
    resting = place(venue, opening(), resting=True)
    change = UpdateOrder(number=resting, action=text(action), trigger_price=0, trigger_above=False)
    assert refused(venue, "alice", change) is Code.INVALID_PATH


def test_an_order_to_sell_nothing_is_refused(venue: Venue) -> None:
    """E9: it would be refused whenever it runs."""
    order = PlaceOrder(action=text(Swap(pool="main", path=("ETH", "BTC"), amount=0)), fee=FEE)
    assert refused(venue, "alice", order) is Code.ZERO_AMOUNT


def test_a_deposit_fee_can_be_declined(venue: Venue) -> None:
    """E10: collateral that lowers a long's leverage pays the deposit fee, unless the order says it would rather not."""
    set_parameter(venue, "IsolatedSettings", '["main"]', "deposit_fee_bps", 30)
    run(venue, place(venue, opening()))
    paid_before = held(venue, TREASURY, "ETH")
    declined = place(venue, opening(size_delta=0, keep_leverage=True), resting=True)
    assert run(venue, declined) is Code.LEVERAGE_LOWERED
    lower = place(venue, opening(size_delta=DOLLAR, keep_leverage=True), resting=True)
    assert run(venue, lower) is Code.LEVERAGE_LOWERED
    higher = place(venue, opening(amount=0, keep_leverage=True), resting=True)
    assert run(venue, higher) is None
    assert held(venue, TREASURY, "ETH") == paid_before

    assert run(venue, place(venue, opening(size_delta=0), resting=True)) is None
    assert held(venue, TREASURY, "ETH") == paid_before + ETHER * 30 // 10_000


def run(venue: Venue, number: int) -> Code | None:
    """A keeper executes an order at newer prices; why it refused."""
    venue.advance(1)
    venue.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")
    rejection = send(venue, "keeper", ExecuteOrder(number=number)).rejection
    return None if rejection is None else rejection.code


def test_the_limit_of_longs_is_the_markets_whatever_backs_them(venue: Venue) -> None:
    """E10: it is asked before the tokens are, and of the index, not of what was brought as collateral."""
    immediate(venue)
    venue.apply("bob", opening())
    set_parameter(venue, "MarketSettings", '["main", "ETH"]', "max_long", 10_000 * DOLLAR)

    assert refused(venue, "alice", opening(collateral="BTC", amount=10**6)) is Code.MAX_LONGS_EXCEEDED


def test_dust_stays_out_of_the_book(venue: Venue) -> None:
    """E9: where governance sets a least margin, a resting order to open must bring it; swaps and requests need not."""
    set_parameter(venue, "OrderSettings", "[]", "minimum_margin", 10 * DOLLAR)
    small = {"amount": ETHER // 201, "size_delta": 100 * DOLLAR}
    order = PlaceOrder(action=text(opening(**small)), fee=FEE, resting=True)
    assert refused(venue, "alice", order) is Code.AMOUNT_BELOW_MINIMUM
    place(venue, opening(amount=ETHER // 200), resting=True)
    place(venue, opening(**small))
    place(venue, Swap(pool="main", path=("ETH", "BTC"), amount=1), resting=True)
