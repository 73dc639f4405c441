"""Collateral in and out, borrowed coins back, liquidation; and what is optional."""

from decimal import Decimal

import pytest

from tests.profiles.zo.venue import TREASURY, USD, Venue
from zlp.client.booking import Trigger, booked
from zlp.engine import Code
from zlp.engine.codec import canonical
from zlp.engine.commands import borrowed
from zlp.engine.commands.orders import CancelOrder, ExecuteOrder, PlaceOrder
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.events.orders import OrderCancelled, OrderExecuted
from zlp.engine.events.trading import Liquidated
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSide
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.mechanisms.borrowing import HourlyBorrow
from zlp.engine.mechanisms.triggers import trigger


def opened(**changes: int) -> Venue:
    """A venue with one long of ann's."""
    venue = Venue()
    venue.ok("ann", venue.long(**changes))
    return venue


def test_pledged_collateral_needs_no_price() -> None:
    """O8, A7: a trader can always defend a position; 0 is refused."""
    venue = opened()
    venue.give("ann", "BTC", 10**6)
    venue.now += 10**6
    assert venue.refused("ann", borrowed.PledgeCollateral(position=1, amount=0)) == Code.INVALID_PLEDGE_AMOUNT
    before = venue.position().collateral
    venue.ok("ann", borrowed.PledgeCollateral(position=1, amount=10**6))
    assert venue.position().collateral == before + 10**6


@pytest.mark.parametrize(
    ("code", "amount", "btc", "seconds"),
    [
        (Code.INVALID_REDEEM_AMOUNT, 0, 66_000, 1),
        (Code.INVALID_REDEEM_AMOUNT, 9_800_000, 66_000, 1),
        (Code.HOLDING_TOO_SHORT, 9_799_999, 66_000, 59),
        (Code.COLLATERAL_BELOW_MINIMUM, 9_799_999, 54_500, 60),
        (Code.MAX_LEVERAGE_EXCEEDED, 8_000_000, 54_500, 60),
        (Code.LIQUIDATION_TRIGGERED, 1_000_000, 54_500, 60),
    ],
)
def test_redeeming_is_refused_in_order(code: Code, amount: int, btc: int, seconds: int) -> None:
    """O8: amount, holding time, minimum, leverage, liquidation; each row breaks all later steps that it can."""
    venue = opened()
    venue.later(seconds, BTC=btc)
    assert venue.refused("ann", borrowed.RedeemCollateral(position=1, amount=amount)) == code


def test_redeeming_fixes_the_fees() -> None:
    """O8: collateral comes back; what was owed is still owed, counted exactly."""
    venue = opened()
    venue.later(86_400)
    owed = venue.position().borrow_fee_e18(venue.vault("BTC").accrued(HourlyBorrow(), venue.now).rate_e18)
    venue.ok("ann", borrowed.RedeemCollateral(position=1, amount=10**6))
    assert venue.held("ann", "BTC") == 10**6
    assert venue.position().owed_e18 == owed > 0
    assert venue.vault("BTC").owed_e18 == owed


def test_giving_borrowed_coins_back() -> None:
    """O1, O8: fewer coins carry the fee and cap the profit; all of them can't be given back, nor none."""
    venue = opened()
    for amount in (0, 5 * 10**7):
        command = borrowed.ReduceReserve(position=1, amount=amount)
        assert venue.refused("ann", command) == Code.INVALID_RESERVE_AMOUNT
    assert venue.refused("bob", borrowed.ReduceReserve(position=1, amount=1)) == Code.SENDER_NOT_ALLOWED
    before = venue.vault("BTC")
    venue.ok("ann", borrowed.ReduceReserve(position=1, amount=10**7))
    after = venue.vault("BTC")
    assert (after.liquidity - before.liquidity, before.reserved - after.reserved) == (10**7, 10**7)
    assert venue.position().reserved == 4 * 10**7


def test_a_position_keeps_to_the_least_reserve_of_its_opening() -> None:
    """O1: with a least reserve of 10 % of the size, 0.1 BTC must stay borrowed behind 1 BTC."""
    venue = Venue()
    venue.set("BorrowMarketSettings", ["main", "BTC"], "rules.min_reserve", 10**17)
    venue.ok("ann", venue.long())
    command = borrowed.ReduceReserve(position=1, amount=4 * 10**7 + 1)
    assert venue.refused("ann", command) == Code.RESERVE_BELOW_MINIMUM
    venue.ok("ann", borrowed.ReduceReserve(position=1, amount=4 * 10**7))


def test_liquidation_pays_a_bonus_to_anyone() -> None:
    """O8: 95 % of the collateral is lost; 1 % of it goes to whoever noticed, the rest and the reserve to the pool."""
    venue = opened()
    # 0.098 BTC * 95 % lost at p: 60000 - p = 0.0931 p, p = 54889.
    venue.later(60, BTC=54_900)
    assert venue.refused("kim", borrowed.LiquidateBorrowed(position=1)) == Code.POSITION_NOT_LIQUIDATABLE
    venue.later(1, BTC=54_880)
    before = venue.vault("BTC")
    receipt = venue.ok("kim", borrowed.LiquidateBorrowed(position=1))
    assert venue.held("kim", "BTC") == 98_000
    after = venue.vault("BTC")
    charged = next(event for event in receipt.events if isinstance(event, FeeCharged))
    assert after.liquidity - before.liquidity == 5 * 10**7 + 9_702_000 - (charged.amount - charged.to_pool)
    assert (after.reserved, after.collateral, after.owed_e18) == (0, 0, 0)
    done = next(event for event in receipt.events if isinstance(event, Liquidated))
    assert (done.liquidator, done.reward, done.bad_debt_usd) == ("kim", 98_000, 0)
    assert venue.root.audit() == []


def test_liquidation_can_be_switched_off_and_carry_a_protocol_fee() -> None:
    """O8: the market's switch comes before the test; an optional share of the collateral is the protocol's."""
    venue = Venue()
    venue.set("BorrowMarketSettings", ["main", "BTC"], "rules.liquidation_fee", 2 * 10**16)
    venue.ok("ann", venue.long())
    venue.set("BorrowMarketSettings", ["main", "BTC"], "liquidation_enabled", False)
    assert venue.refused("kim", borrowed.LiquidateBorrowed(position=1)) == Code.LIQUIDATION_DISABLED
    venue.set("BorrowMarketSettings", ["main", "BTC"], "liquidation_enabled", True)
    venue.later(60, BTC=50_000)
    before = venue.held(TREASURY, "BTC")
    receipt = venue.ok("kim", borrowed.LiquidateBorrowed(position=1))
    assert venue.held(TREASURY, "BTC") - before >= 9_800_000 * 2 // 100
    done = next(event for event in receipt.events if isinstance(event, Liquidated))
    assert done.bad_debt_usd == pytest.approx(5_100 * USD, rel=1e-3)  # 10000 lost, 4900 there


def test_funding_by_open_interest_is_an_option() -> None:
    """O1: off in the profile; switched on, the heavier side pays and the lighter receives."""
    funding = {"type": "open_interest_funding", "multiplier": 10**15, "max_8h": 5 * 10**14, "exponent": 1}
    venue = Venue()
    venue.set("BorrowMarketSettings", ["main", "BTC"], "funding", funding)
    venue.ok("ann", venue.long())
    venue.ok("bob", venue.short(amount=5 * 10**7))
    venue.later(28_800)
    venue.ok("ann", venue.decrease(10**6, 1))
    sides = {side.is_long: side for side in venue.root.state.each(BorrowMarketSide)}
    # (60000 - 30000) / 90000 of 0.1 % in 8 hours
    assert sides[True].funding_rate_e18 == 10**15 // 3 == -sides[False].funding_rate_e18
    assert sides[False].funding_usd == pytest.approx(-10 * USD, rel=1e-9)
    assert venue.root.audit() == []


def test_a_quick_profit_costs_extra_where_a_market_says_so() -> None:
    """O8: the first tier that matches, on profitable exits only; it is a trading fee and divided like one."""
    tiers = [{"seconds": 90, "fee": 10**15}, {"seconds": 3_600, "fee": 10**14}]
    fees = {}
    for held in (60, 100, 4_000):
        venue = opened()
        venue.set("BorrowMarketSettings", ["main", "BTC"], "instant_exit", {"type": "instant_exit_fee", "tiers": tiers})
        venue.later(held, BTC=61_000)
        receipt = venue.ok("ann", venue.close())
        fees[held] = next(e.amount for e in receipt.events if isinstance(e, FeeCharged) and e.kind == "trading")
    base = 120 / 61_000 * 10**8
    assert [fees[held] - base for held in fees] == pytest.approx([60 / 61_000 * 10**8, 6 / 61_000 * 10**8, 0], abs=2)


def test_losses_can_protect_later_profits() -> None:
    """O8: a tenth of a loss waits in a side vault that is not the LPs'; it pays the next profit first."""
    venue = Venue()
    venue.set("BorrowPoolSettings", ["main"], "protection", {"type": "loss_protection", "rate": 10**17})
    venue.ok("ann", venue.long())
    venue.later(60, BTC=57_000)
    collateral = venue.position().collateral
    venue.ok("ann", venue.close())
    parked = venue.vault("BTC").protection
    assert parked == (collateral - venue.held("ann", "BTC")) // 10
    venue.ok("cem", venue.long("cem"))
    venue.later(60, BTC=63_000)
    venue.ok("cem", venue.close(2))
    assert venue.vault("BTC").protection == 0
    assert venue.root.audit() == []


def test_a_referrer_shares_in_trading_fees() -> None:
    """O4: named once; his share comes out of the pool's."""
    venue = Venue()
    venue.set("BorrowPoolSettings", ["main"], "revenue.referral", 5 * 10**16)
    assert venue.refused("ann", borrowed.SetReferrer(referrer="ann")) == Code.INVALID_ACCOUNT
    venue.ok("ann", borrowed.SetReferrer(referrer="ref"))
    assert venue.refused("ann", borrowed.SetReferrer(referrer="kim")) == Code.REFERRER_ALREADY_SET
    venue.ok("ann", venue.long())
    assert venue.held("ref", "BTC") == 200_000 * 5 // 100


@pytest.mark.parametrize(
    ("intent", "limit", "waits_at", "due_at"),
    [("take_profit", 63_000, 62_999, 63_000), ("stop_loss", 57_000, 57_001, 57_000)],
)
def test_take_profit_and_stop_loss_wait_for_their_price(intent, limit: int, waits_at: int, due_at: int) -> None:
    """O8: a long's take-profit rests until the index is at or above it, its stop-loss until at or below it."""
    venue = opened()
    venue.give("ann", "SUI", 10**9)
    condition = trigger(intent, True, limit * USD)
    order = PlaceOrder(
        action=canonical(venue.close()).decode(),
        fee=10**7,
        resting=True,
        trigger_asset="BTC",
        trigger_price=condition.price,
        trigger_above=condition.above,
    )
    venue.ok("ann", order)
    venue.later(60, BTC=waits_at)
    assert venue.refused("keeper", ExecuteOrder(number=1)) == Code.PRICE_NOT_REACHED
    venue.later(1, BTC=due_at)
    receipt = venue.ok("keeper", ExecuteOrder(number=1))
    assert any(isinstance(event, OrderExecuted) for event in receipt.events)
    assert venue.root.state.get(BorrowedPosition, (1,)) is None
    assert venue.held("keeper", "SUI") == 10**7


@pytest.mark.parametrize(("limit", "above"), [(63_000, True), (57_000, False)])
def test_a_limit_of_the_client_executes_at_its_price(limit: int, above: bool) -> None:
    """O8, E9: what the SDK and the command line call "this price or a better one" runs at exactly this price."""
    venue = opened()
    venue.give("ann", "SUI", 10**7)
    settings = venue.root.state.get(OrderSettings, ())
    order = booked(venue.close(), "BTC", Trigger(Decimal(limit), above), settings, "")
    venue.ok("ann", order)
    venue.later(60, BTC=limit - 1 if above else limit + 1)
    assert venue.refused("keeper", ExecuteOrder(number=1)) == Code.PRICE_NOT_REACHED
    venue.later(1, BTC=limit)
    venue.ok("keeper", ExecuteOrder(number=1))
    assert venue.root.state.get(BorrowedPosition, (1,)) is None


def resting(action: borrowed.OpenBorrowed | borrowed.DecreaseBorrowed, limit: int) -> PlaceOrder:
    """A take-profit of a long at a whole price."""
    condition = trigger("take_profit", True, limit * USD)
    return PlaceOrder(
        action=canonical(action).decode(),
        fee=10**7,
        resting=True,
        trigger_asset="BTC",
        trigger_price=condition.price,
        trigger_above=condition.above,
    )


def test_an_order_for_more_than_is_left_ends() -> None:
    """O8, E9: a position never grows again, so no later price cures it; the keeper is paid for having come."""
    venue = opened()
    venue.give("ann", "SUI", 10**7)
    venue.later(60)
    venue.ok("ann", resting(venue.decrease(6 * 10**7), 63_000))
    venue.ok("ann", venue.decrease(6 * 10**7))
    venue.later(60, BTC=63_000)
    (ended,) = (e for e in venue.ok("keeper", ExecuteOrder(number=1)).events if isinstance(e, OrderCancelled))
    assert (ended.reason, ended.fee_to) == (Code.INVALID_DECREASE_AMOUNT, "keeper")
    assert venue.position().amount == 4 * 10**7


def test_an_order_that_could_never_run_is_not_placed() -> None:
    """O8, A4: no collateral, nothing to open, nothing to close: said when it is placed, not when its price comes."""
    venue = opened()
    venue.give("ann", "SUI", 10**9)
    for action, code in (
        (venue.long(collateral=0), Code.INVALID_PLEDGE_AMOUNT),
        (venue.long(amount=0), Code.INVALID_OPEN_AMOUNT),
        (venue.decrease(0), Code.INVALID_DECREASE_AMOUNT),
    ):
        assert venue.refused("ann", resting(action, 63_000)) == code


def test_a_limit_opening_waits_with_its_collateral() -> None:
    """O8: collateral and fee are set aside, returned by a cancel, used when the price comes."""
    venue = Venue()
    venue.give("ann", "SUI", 10**9)
    condition = trigger("open", True, 59_000 * USD)
    action = venue.long(acceptable_price=59_000 * USD)
    order = PlaceOrder(
        action=canonical(action).decode(),
        fee=10**7,
        resting=True,
        trigger_asset="BTC",
        trigger_price=condition.price,
        trigger_above=condition.above,
    )
    venue.ok("ann", order)
    assert venue.held("ann", "BTC") == 0
    venue.ok("ann", CancelOrder(number=1))
    assert (venue.held("ann", "BTC"), venue.held("ann", "SUI")) == (10**7, 10**9)
    venue.ok("ann", order)
    venue.later(10, BTC=59_000)
    venue.ok("keeper", ExecuteOrder(number=2))
    assert venue.position().size_usd == 59_000 * USD
