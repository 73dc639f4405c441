"""Leaving a position: who is paid what, in which token, and every refusal in its order."""

import pytest

from tests.profiles.zo.venue import TREASURY, USD, Venue
from zlp.engine import Code
from zlp.engine.commands import borrowed
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSide
from zlp.keepers import LiquidationKeeper, LocalPort, LocalVenue


def test_a_long_is_paid_in_the_token() -> None:
    """O5: profit leaves the reserve in BTC; the rest of the reserve returns, the collateral too."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.later(60, BTC=66_000)
    before = venue.held("ann", "BTC")
    venue.ok("ann", venue.close())
    paid = venue.held("ann", "BTC") - before
    # 6000 USD less the closing fee of 120 USD and a minute of borrowing, at 66000 USD a coin.
    profit = paid - (10**7 - 200_000)
    assert profit == pytest.approx(5_880 / 66_000 * 10**8, rel=1e-4)
    assert venue.held("ann", "USDC") == 0
    assert venue.vault("BTC").reserved == venue.vault("BTC").collateral == 0
    assert venue.root.audit() == []


def test_a_short_is_paid_in_stable_coins() -> None:
    """O5: a short's profit is USDC."""
    venue = Venue()
    venue.ok("bob", venue.short())
    venue.later(60, BTC=54_000)
    before = venue.held("bob", "USDC")
    venue.ok("bob", venue.close())
    # Collateral 6000 less 120 to open; profit 6000 less 120 to close and a minute of borrowing.
    assert venue.held("bob", "USDC") - before == pytest.approx(11_760 * 10**6, rel=1e-4)


def test_a_long_profit_leaves_the_pool_value_where_it_was() -> None:
    """O5, the document's first risk case: BTC rises 10 %, the trader takes about 0.089 BTC of its coins.

    The pool is long what it lent: its other 41.17 BTC gained as usual; on the position itself it neither won nor
    lost (the fees aside), because the coins it paid out rose by what it owed.
    """
    idle, lent = Venue(), Venue()
    for setting in ("open_fee", "close_fee"):
        lent.set("BorrowMarketSettings", ["main", "BTC"], f"rules.{setting}", 0)
    lent.ok("ann", lent.long(reserve=10**8))
    opened, waited = lent.value(), idle.value()
    for venue in (idle, lent):
        venue.later(60, BTC=66_000)
    coins = lent.vault("BTC").liquidity + lent.vault("BTC").reserved
    lent.ok("ann", lent.close())
    lost = coins - lent.vault("BTC").liquidity
    assert lost == pytest.approx(6_000 / 66_000 * 10**8, rel=1e-3)
    # Tokens shrink: 0.0909 BTC are gone. The value of one BTC of the pool's is what it was at the opening, 60000.
    gain_of_the_rest = (idle.value() - waited) * (coins - 10**8) // coins
    assert lent.value() - opened == pytest.approx(gain_of_the_rest, rel=1e-4)


def test_a_short_profit_lowers_the_pool_value() -> None:
    """O5, the document's second risk case: BTC falls 10 %, the pool pays 6000 USDC and nothing makes up for it."""
    idle, lent = Venue(), Venue()
    for setting in ("open_fee", "close_fee"):
        lent.set("BorrowMarketSettings", ["main", "BTC"], f"rules.{setting}", 0)
    lent.ok("bob", lent.short())
    for venue in (idle, lent):
        venue.later(60, BTC=54_000)
    lent.ok("bob", lent.close())
    assert idle.value() - lent.value() == pytest.approx(6_000 * USD, rel=1e-3)


def test_settling_the_borrow_fee_does_not_move_the_share_price() -> None:
    """O4: unpaid borrow fees count at the pool's 75 %, so collecting them changes nothing but dust."""
    venue = Venue()
    for setting in ("open_fee", "close_fee"):
        venue.set("BorrowMarketSettings", ["main", "BTC"], f"rules.{setting}", 0)
    venue.ok("ann", venue.long())
    venue.later(30 * 86_400)
    share, treasury = venue.share(), venue.held(TREASURY, "BTC")
    receipt = venue.ok("ann", venue.close())
    fees = [event for event in receipt.events if isinstance(event, FeeCharged)]
    assert [event.kind for event in fees] == ["borrow"]
    assert fees[0].amount > 1_000
    assert venue.held(TREASURY, "BTC") - treasury == fees[0].amount // 4
    assert 0 <= venue.share() - share <= share // 10**9


def test_the_borrow_fee_is_a_hundredth_of_a_percent_an_hour_at_full_use() -> None:
    """O1: 1 hour at utilisation u costs 0.01 % * u of what is borrowed."""
    venue = Venue()
    venue.ok("ann", venue.long())
    vault = venue.vault("BTC")
    used = vault.reserved * 10**18 // (vault.liquidity + vault.reserved)
    venue.later(3_600)
    venue.ok("ann", venue.decrease(10**6))
    assert venue.vault("BTC").rate_e18 == 10**14 * used // 10**18


def test_a_capped_profit_closes_the_position_whole() -> None:
    """O8: a decrease that uses the reserve up leaves no residue in the market's totals."""
    venue = Venue()
    venue.ok("ann", venue.long(reserve=10**5))
    venue.later(60, BTC=66_000)
    venue.ok("ann", venue.decrease(8 * 10**7))
    assert venue.root.state.get(BorrowedPosition, (1,)) is None
    side = venue.root.state.get(BorrowMarketSide, ("main", "BTC", True))
    assert side is not None
    assert (side.amount, side.size_usd, side.funding_usd) == (0, 0, 0)
    assert venue.held("ann", "BTC") == 10**7 - 200_000 + 10**5


def test_a_loss_beyond_the_collateral_ends_there() -> None:
    """O8: the pool takes the collateral; fees nobody paid are not divided."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.later(60, BTC=40_000)
    treasury = venue.held(TREASURY, "BTC")
    venue.ok("ann", venue.close())
    assert venue.held("ann", "BTC") == 0
    # At 40000 USD the closing fee of 120 USD is 0.003 BTC; the collateral covers it, and a quarter is divided.
    assert venue.held(TREASURY, "BTC") - treasury == pytest.approx(300_000 // 4, rel=1e-2)
    assert venue.root.audit() == []


def test_anyone_may_close_what_has_won_all_it_can() -> None:
    """O1, O9: a profit beyond the borrowed coins makes shares too cheap until anyone ends it; the owner is paid."""
    venue = Venue()
    venue.ok("ann", venue.long(reserve=10**6))
    venue.later(59, BTC=66_000)
    assert venue.refused("kim", borrowed.CloseExhausted(position=1)) == Code.HOLDING_TOO_SHORT
    venue.later(1, BTC=60_500)
    assert venue.refused("kim", borrowed.CloseExhausted(position=1)) == Code.PROFIT_BELOW_RESERVE
    venue.later(1, BTC=66_000)
    value = venue.value()
    venue.ok("kim", borrowed.CloseExhausted(position=1))
    assert venue.held("ann", "BTC") == 10**7 - 200_000 + 10**6
    assert venue.held("kim", "BTC") == 0
    # 6000 USD were owed on paper, 0.01 BTC were paid.
    assert venue.value() - value == pytest.approx((6_000 - 660) * USD, rel=1e-2)


def test_a_keeper_ends_what_has_won_all_it_can() -> None:
    """O1, O9: nobody has to remember; while the holding time binds, nothing that would fail enters the log."""
    venue = Venue()
    venue.ok("ann", venue.long(reserve=10**6))
    keeper = LiquidationKeeper(LocalPort(LocalVenue(venue.root), "kim", lambda: venue.now))
    venue.later(59, BTC=66_000)
    before = venue.root.sequence
    assert keeper.work() == 0
    assert venue.root.sequence == before
    venue.later(1)
    assert keeper.work() == 1
    assert venue.root.state.get(BorrowedPosition, (1,)) is None
    assert venue.held("ann", "BTC") == 10**7 - 200_000 + 10**6


REFUSED = [
    (Code.PRICE_BELOW_ACCEPTABLE, {"acceptable_price": 66_001 * USD}, ()),
    (Code.DECREASING_DISABLED, {}, (("BorrowMarketSettings", ["main", "BTC"], "decrease_enabled", False),)),
    (Code.COLLATERAL_PRICE_BELOW_FLOOR, {"collateral_price_floor": 66_001 * USD}, ()),
    (Code.INVALID_DECREASE_AMOUNT, {"amount": 10**8 + 1}, ()),
    (Code.HOLDING_TOO_SHORT, {}, ()),
]


@pytest.mark.parametrize("place", range(len(REFUSED)), ids=[row[0].value for row in REFUSED])
def test_refusals_of_a_decrease_in_order(place: int) -> None:
    """O8: with every later step broken too, the earlier decides; the last row is broken in all of them."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.later(59, BTC=66_000)
    fields: dict = {}
    for _, changed, settings in REFUSED[place:]:
        fields |= changed
        for change in settings:
            venue.set(*change)
    amount = fields.pop("amount", 10**7)
    assert venue.refused("ann", venue.decrease(amount, **fields)) == REFUSED[place][0]


def test_what_is_left_must_be_worth_the_minimum() -> None:
    """O8: half of a position leaves and its loss takes the collateral below the minimum."""
    venue = Venue()
    venue.set("BorrowMarketSettings", ["main", "BTC"], "rules.min_collateral_usd", 1_400 * USD)
    venue.ok("ann", venue.long(collateral=2_600_000, reserve=10**7))
    venue.later(60, BTC=59_900)
    assert venue.refused("ann", venue.decrease(5 * 10**7)) == Code.COLLATERAL_BELOW_MINIMUM


def test_what_is_left_must_keep_to_the_leverage() -> None:
    """O8: a short lost, and its remainder is 51 times its collateral; at that price it is also due, but later."""
    venue = Venue()
    venue.ok("bob", venue.short(collateral=1_400 * 10**6, reserve=10**9))
    venue.later(60, BTC=64_000)
    assert venue.refused("bob", venue.decrease(10**6)) == Code.MAX_LEVERAGE_EXCEEDED


def test_what_is_left_must_not_be_due() -> None:
    """O8: at 54600 the rest has lost 0.9 * 5400 = 4860 USD, more than 95 % of the collateral left."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.later(60, BTC=54_600)
    assert venue.refused("ann", venue.decrease(10**7)) == Code.LIQUIDATION_TRIGGERED


def test_losses_may_be_taken_at_any_time() -> None:
    """O8: the holding time binds profits only, and equality with it is enough."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.later(1, BTC=59_000)
    venue.ok("ann", venue.decrease(10**7))
    venue.later(59, BTC=61_000)
    venue.ok("ann", venue.close())


def test_only_the_owner_leaves_and_only_what_was_named() -> None:
    """A4: another's position, a position that is something else, one that is not there."""
    venue = Venue()
    venue.ok("ann", venue.long())
    assert venue.refused("bob", venue.close()) == Code.SENDER_NOT_ALLOWED
    assert venue.refused("ann", venue.close(is_long=False)) == Code.UNKNOWN_POSITION
    command = venue.close()
    venue.ok("ann", command)
    assert venue.refused("ann", command) == Code.UNKNOWN_POSITION


def test_stale_prices_do_not_lock_a_trader_in() -> None:
    """A7: closing goes on long after opening has stopped, and ends at its own limit."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.now += 86_401
    assert venue.refused("ann", venue.close()) == Code.STALE_PRICE
    venue.now -= 1
    fresh = Venue()
    fresh.ok("ann", fresh.long())
    fresh.now += 3_600
    fresh.ok("ann", fresh.close())
