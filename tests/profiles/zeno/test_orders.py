"""Orders around the fund's actions: market, limit, take-profit and stop-loss, fees and expiry (N3, N7)."""

from __future__ import annotations

import pytest

from tests.profiles.zeno.venue import POOL, USD, Venue
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command
from zlp.engine.commands.cross_margin import CrossReduce, CrossTrade
from zlp.engine.commands.liquidity import Mint
from zlp.engine.commands.orders import ExecuteOrder, PlaceOrder, UpdateOrder
from zlp.engine.events.orders import OrderCancelled, OrderPlaced
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.orders import Order
from zlp.engine.rejections import Code

FEE = 5 * 10**15


@pytest.fixture
def venue() -> Venue:
    """A funded venue on the profile's own rule: everything priced waits; alice has margin and METIS for fees."""
    venue = Venue(orders=True)
    for account, token, amount in (("lp", "m.USDC", 5_000_000), ("lp", "WETH", 2_000)):
        venue.give(account, "METIS", 1)
        units = venue.give(account, token, amount)
        place(venue, account, Mint(pool=POOL, token=token, amount=units))
        venue.wait(1)
        execute(venue, account)
    venue.margin("alice", "m.USDC", 50_000)
    venue.give("alice", "METIS", 1)
    return venue


def place(venue: Venue, account: str, action: Command, **options: object) -> int:
    """Place an order; its number."""
    order = PlaceOrder(action=canonical(action).decode(), fee=FEE, **options)  # type: ignore[arg-type]
    venue.do(account, order)
    return int(venue.seen(OrderPlaced)[0].number)


def execute(venue: Venue, account: str) -> None:
    """A keeper executes the account's newest order."""
    newest = max(order.number for order in venue.root.state.each(Order) if order.account == account)
    venue.do("keeper", ExecuteOrder(number=newest))


def buy(usd: int, **options: object) -> CrossTrade:
    """A trade of alice's."""
    return CrossTrade(pool=POOL, number=0, market="ETH", size_delta=usd * USD, **options)  # type: ignore[arg-type]


def test_nothing_is_priced_at_what_its_sender_knows(venue: Venue) -> None:
    """A6: sent directly it is refused; an order executes only at prices posted after it."""
    assert venue.apply("alice", buy(1_000)) is Code.ACTION_NOT_IMMEDIATE
    number = place(venue, "alice", buy(1_000))

    assert venue.apply("keeper", ExecuteOrder(number=number)) is Code.PRICE_NOT_NEWER
    venue.wait(1)
    venue.do("keeper", ExecuteOrder(number=number))
    assert venue.seen(PositionChanged)[0].action == "open"
    assert venue.held("keeper", "METIS") == 3 * FEE


def test_a_limit_order_rests_until_its_price(venue: Venue) -> None:
    """N3: the trigger is the oracle price, strictly passed."""
    number = place(
        venue,
        "alice",
        buy(100_000),
        resting=True,
        trigger_asset="ETH",
        trigger_price=1_700 * USD,
        trigger_above=False,
    )
    venue.wait(1)
    assert venue.apply("keeper", ExecuteOrder(number=number)) is Code.PRICE_NOT_REACHED
    venue.post(ETH=1_700)
    assert venue.apply("keeper", ExecuteOrder(number=number)) is Code.PRICE_NOT_REACHED
    venue.post(ETH=1_699)
    venue.do("keeper", ExecuteOrder(number=number))

    assert venue.position("alice", "ETH") is not None


def test_take_profit_and_stop_loss_close_the_whole_position(venue: Venue) -> None:
    """N3: a pair of resting orders; when one has closed the position the other ends and opens nothing."""
    place(venue, "alice", buy(100_000))
    venue.wait(1)
    execute(venue, "alice")
    close = CrossReduce(pool=POOL, number=0, market="ETH")
    options = {"resting": True, "trigger_asset": "ETH"}
    profit = place(venue, "alice", close, **options, trigger_price=1_850 * USD, trigger_above=True)
    loss = place(venue, "alice", close, **options, trigger_price=1_780 * USD, trigger_above=False)

    venue.wait(20)
    venue.post(ETH=1_851)
    venue.do("keeper", ExecuteOrder(number=profit))
    assert venue.position("alice", "ETH") is None
    venue.post(ETH=1_779)
    venue.do("keeper", ExecuteOrder(number=loss))
    assert [event.reason for event in venue.seen(OrderCancelled)] == [Code.NO_POSITION]
    assert venue.position("alice", "ETH") is None
    venue.check()


def test_a_failed_market_order_is_cancelled_and_the_keeper_paid(venue: Venue) -> None:
    """N3: too little margin at execution."""
    number = place(venue, "alice", buy(9_000_000))
    venue.wait(1)
    venue.do("keeper", ExecuteOrder(number=number))

    assert venue.seen(OrderCancelled)
    assert venue.root.state.get(Order, (number,)) is None
    assert venue.held("keeper", "METIS") == 3 * FEE


def test_an_old_market_order_is_not_executed(venue: Venue) -> None:
    """N3: after five minutes it expires, and the trader has the execution fee back."""
    before = venue.held("alice", "METIS")
    number = place(venue, "alice", buy(1_000))
    venue.wait(301)
    venue.do("keeper", ExecuteOrder(number=number))

    assert [event.fee_to for event in venue.seen(OrderCancelled)] == ["alice"]
    assert venue.held("alice", "METIS") == before
    assert venue.position("alice", "ETH") is None


def test_a_limit_order_stays_one_and_trades_something(venue: Venue) -> None:
    """N3: no update turns it into a market order by a trigger price of 0, and a trade has a size from the start."""
    options = {"resting": True, "trigger_asset": "ETH", "trigger_price": 1_700 * USD}
    number = place(venue, "alice", buy(1_000), **options)
    for above in (True, False):
        change = UpdateOrder(number=number, trigger_price=0, trigger_above=above)
        assert venue.apply("alice", change) is Code.MALFORMED_COMMAND

    nothing = canonical(buy(0)).decode()
    assert venue.apply("alice", PlaceOrder(action=nothing, fee=FEE)) is Code.ZERO_AMOUNT
    change = UpdateOrder(number=number, action=nothing, trigger_price=1_700 * USD, trigger_above=False)
    assert venue.apply("alice", change) is Code.ZERO_AMOUNT
