"""The dead-man switch: orders of somebody who no longer says that he is there are void (A4, E9)."""

from __future__ import annotations

import pytest

from tests.profiles.zeus.desk import DOLLAR, NOW, founded, held, refused
from tests.profiles.zeus.test_orders import FEE, opening, place
from zlp import Venue
from zlp.engine import Code
from zlp.engine.commands.orders import CancelOrder, ExecuteOrder, ScheduleCancel
from zlp.engine.leaves.orders import Order

DAY = 86_400


@pytest.fixture
def venue() -> Venue:
    """A venue with a balanced pool."""
    return founded()


def resting(venue: Venue, account: str = "alice") -> int:
    """An order that every price below 1900 would run."""
    return place(venue, opening(), account, resting=True, trigger_asset="ETH", trigger_price=1_900 * DOLLAR)


def fall(venue: Venue, seconds: int) -> None:
    """Time passes, and the price falls to where resting orders run."""
    venue.advance(seconds)
    for _ in range(3):
        venue.set_prices(ETH="1800", BTC="40000", USDC="1", USDT="1")


def test_what_was_placed_before_the_switch_falls_is_void(venue: Venue) -> None:
    """A4: it is cleared instead of executed, and what it set aside comes back; others' orders are not touched."""
    before = held(venue, "alice", "ETH")
    mine, other = resting(venue), resting(venue, "bob")
    venue.apply("alice", ScheduleCancel(at=NOW + 60))
    fall(venue, 60)

    assert venue.apply("keeper", ExecuteOrder(number=mine)).event("OrderCancelled").reason == "expired"
    assert held(venue, "alice", "ETH") == before - FEE
    assert venue.apply("keeper", ExecuteOrder(number=other)).event("OrderExecuted").number == other


def test_who_moves_the_switch_on_in_time_keeps_his_orders(venue: Venue) -> None:
    """A4: also who takes it back."""
    first, second = resting(venue), resting(venue, "bob")
    for account in ("alice", "bob"):
        venue.apply(account, ScheduleCancel(at=NOW + 60))
    venue.advance(59)
    venue.apply("alice", ScheduleCancel(at=NOW + DAY))
    venue.apply("bob", ScheduleCancel(at=0))
    fall(venue, 60)

    for number in (first, second):
        assert venue.apply("keeper", ExecuteOrder(number=number)).event("OrderExecuted").number == number


def test_what_is_void_stays_void(venue: Venue) -> None:
    """A4: setting the switch again, or taking it back, revives nothing; what is placed afterwards lives."""
    old = resting(venue)
    venue.apply("alice", ScheduleCancel(at=NOW + 60))
    venue.advance(60)
    venue.apply("alice", ScheduleCancel(at=NOW + DAY))
    new = resting(venue)
    fall(venue, 10)
    assert venue.apply("keeper", ExecuteOrder(number=old)).event("OrderCancelled").number == old
    venue.apply("alice", ScheduleCancel(at=0))
    assert venue.apply("keeper", ExecuteOrder(number=new)).event("OrderExecuted").number == new


def test_a_keeper_may_clear_what_is_void_and_nothing_else(venue: Venue) -> None:
    """A4: the switch is no way to end somebody's orders early."""
    number = resting(venue)
    venue.apply("alice", ScheduleCancel(at=NOW + 60))
    venue.advance(59)
    assert refused(venue, "keeper", CancelOrder(number=number)) is Code.SENDER_NOT_ALLOWED
    venue.advance(1)
    assert venue.apply("keeper", CancelOrder(number=number)).event("OrderCancelled").number == number
    assert venue.root.state.get(Order, (number,)) is None


@pytest.mark.parametrize("at", [1, NOW - 1, NOW])
def test_a_switch_lies_ahead(venue: Venue, at: int) -> None:
    """A4: one in the past would be a surprise."""
    assert refused(venue, "alice", ScheduleCancel(at=at)) is Code.DEADLINE_PASSED
