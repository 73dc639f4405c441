"""Deleveraging that protects the fund (N8)."""

from __future__ import annotations

from tests.profiles.zeno.venue import POOL, USD, Venue, ref
from zlp.engine.branches.cross_margin import forced, health
from zlp.engine.commands.cross_margin import Deleverage, LiquidateAccount
from zlp.engine.events.cross_margin import PositionSkipped
from zlp.engine.events.fund import BufferMeasured
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.cross_margin import CrossPosition
from zlp.engine.mechanisms.counter_trade import ProfitBuffer
from zlp.engine.rejections import Code

TRADERS = {"alice": 900_000, "bob": 600_000, "carol": 300_000, "dave": 100_000}


def crowded() -> Venue:
    """A fund of a million against four longs of 1.9 million that have gained 30 %, more than 40 % of the fund."""
    venue = Venue()
    venue.fund(1_000_000)
    venue.set("FundSettings", [POOL], "max_utilisation_bps", 10_000)
    venue.set("FundMarketSettings", [POOL, "BTC"], "max_profit_bps", 400_000)
    for owner, usd in TRADERS.items():
        venue.margin(owner, "m.USDC", 50_000)
        assert venue.trade(owner, "BTC", usd) is None
    venue.post(BTC=30_000 * 1.3)
    return venue


def ranked(venue: Venue) -> list[CrossPosition]:
    """Positions in profit, most first, as a keeper would rank them."""
    books = venue.books()
    positions = [p for p in venue.root.state.each(CrossPosition) if forced.capped_profit(books, p) > 0]
    return sorted(positions, key=lambda position: forced.capped_profit(books, position), reverse=True)


def test_most_profitable_first_until_the_buffer_is_restored() -> None:
    """N8: the run stops at the first check that finds the buffer at its threshold."""
    venue = crowded()
    order = [position.owner for position in ranked(venue)]
    assert order == ["alice", "bob", "carol", "dave"]

    venue.do("keeper", Deleverage(pool=POOL, positions=tuple(ref(owner, "BTC") for owner in order)))

    closed = [event.account for event in venue.seen(PositionChanged)]
    measured = venue.seen(BufferMeasured)[0]
    assert closed == ["alice", "bob"]
    assert (measured.closed, measured.restored) == (2, True)
    assert measured.buffer_bps >= 6_000
    venue.check()


def test_a_healthy_fund_is_never_deleveraged() -> None:
    """N8: at exactly the threshold it is healthy; the limit and the value come with the refusal."""
    venue = crowded()
    venue.post(BTC=30_000)

    command = Deleverage(pool=POOL, positions=(ref("alice", "BTC"),))
    assert venue.apply("keeper", command) is Code.BUFFER_HEALTHY


def test_at_the_threshold_the_buffer_is_healthy() -> None:
    """N8: 1 - 0.4 is 0.6, not below it; one unit more of loss is."""
    buffer = ProfitBuffer(threshold_bps=6_000)
    assert buffer.healthy(-40 * USD, 100 * USD)
    assert not buffer.healthy(-40 * USD - 1, 100 * USD)
    assert buffer.healthy(0, 0)
    assert not buffer.healthy(-1, 0)


def test_equals_may_stand_in_any_order() -> None:
    """N8: two who have gained the same to the unit, in either order."""
    for first, second in (("gus", "hal"), ("hal", "gus")):
        venue = Venue()
        venue.fund(1_000_000)
        venue.set("FundSettings", [POOL], "max_utilisation_bps", 10_000)
        venue.set("FundMarketSettings", [POOL, "BTC"], "max_profit_bps", 400_000)
        venue.set("FundMarketSettings", [POOL, "BTC"], "price.max_skew_scale", 0)
        for owner in ("gus", "hal"):
            venue.margin(owner, "m.USDC", 50_000)
            assert venue.trade(owner, "BTC", 900_000) is None
        venue.post(BTC=30_000 * 1.3)

        venue.do("keeper", Deleverage(pool=POOL, positions=(ref(first, "BTC"), ref(second, "BTC"))))
        assert [event.account for event in venue.seen(PositionChanged)] == [first]


def test_the_ranking_is_enforced() -> None:
    """N8: nobody can be closed before somebody who has gained more within the same run."""
    venue = crowded()

    backwards = Deleverage(pool=POOL, positions=(ref("dave", "BTC"), ref("alice", "BTC")))
    assert venue.apply("keeper", backwards) is Code.NOT_RANKED


def test_nobody_but_a_keeper_chooses_who_is_closed() -> None:
    """N8: a list that leaves out the most profitable is still a falling list; its author must be answerable."""
    venue = crowded()

    command = Deleverage(pool=POOL, positions=(ref("bob", "BTC"),))
    assert venue.apply("alice", command) is Code.ROLE_REQUIRED


def test_the_ranking_counts_what_would_be_paid() -> None:
    """N8: a profit beyond its reserve weighs no more than the reserve; a smaller one paid in full goes first."""
    venue = crowded()
    venue.set("FundMarketSettings", [POOL, "BTC"], "max_profit_bps", 90_000)
    venue.margin("ida", "m.USDC", 50_000)
    venue.post(BTC=30_000)
    assert venue.trade("ida", "BTC", 500_000) is None
    venue.post(BTC=30_000 * 1.3)
    books = venue.books()
    capped = {p.owner: (health.marked(books, books.settings("BTC"), p).delta, p.reserve_usd) for p in venue.positions()}
    assert capped["ida"][0] > capped["carol"][0]
    assert capped["ida"][1] < capped["carol"][0] < capped["carol"][1]

    by_paper = Deleverage(pool=POOL, positions=(ref("ida", "BTC"), ref("carol", "BTC")))
    assert venue.apply("keeper", by_paper) is Code.NOT_RANKED
    venue.do("keeper", Deleverage(pool=POOL, positions=(ref("carol", "BTC"), ref("ida", "BTC"))))
    assert venue.seen(PositionChanged)[0].account == "carol"


def test_losing_positions_are_never_deleveraged() -> None:
    """N8: only profits weigh on the fund."""
    venue = crowded()
    venue.margin("erin", "m.USDC", 400_000)
    assert venue.trade("erin", "BTC", -100_000) is None
    venue.wait(20)
    venue.post(BTC=30_000 * 1.35)

    command = Deleverage(pool=POOL, positions=(ref("erin", "BTC"),))
    assert venue.apply("keeper", command) is Code.NOT_PROFITABLE

    venue.set("FundMarketSettings", [POOL, "BTC"], "price.max_skew_scale", 0)
    venue.margin("joe", "m.USDC", 400_000)
    assert venue.trade("joe", "BTC", 1_000) is None  # neither profit nor loss
    command = Deleverage(pool=POOL, positions=(ref("joe", "BTC"),))
    assert venue.apply("keeper", command) is Code.NOT_PROFITABLE


def test_a_waiting_profit_does_not_protect_from_deleveraging() -> None:
    """N8: the fifteen seconds after an increase block the trader's close, never this one."""
    venue = crowded()
    assert venue.trade("alice", "BTC", -100_000) is Code.PROFIT_WAITS

    venue.do("keeper", Deleverage(pool=POOL, positions=(ref("alice", "BTC"),)))
    assert venue.position("alice", "BTC") is None


def test_who_has_to_be_liquidated_is_skipped() -> None:
    """N8: an account below its maintenance margin is left to liquidators, with an event, and the run goes on."""
    venue = crowded()
    venue.margin("frank", "m.USDC", 12_000)
    venue.post(BTC=30_000, SOL=100)
    assert venue.trade("frank", "BTC", 200_000) is None
    assert venue.trade("frank", "SOL", 100_000) is None
    venue.post(BTC=30_000 * 1.3, SOL=1)
    books = venue.books()
    assert not forced.buffer_healthy(books)

    venue.do("keeper", Deleverage(pool=POOL, positions=(ref("frank", "BTC"), ref("dave", "BTC"))))
    assert [event.owner for event in venue.seen(PositionSkipped)] == ["frank"]
    assert venue.seen(PositionSkipped)[0].reason == Code.EQUITY_BELOW_MAINTENANCE
    assert [event.account for event in venue.seen(PositionChanged)] == ["dave"]
    venue.do("keeper", LiquidateAccount(pool=POOL, owner="frank", number=0))
    venue.check()


def test_runs_end_restored_or_with_no_profit_left() -> None:
    """N8: whatever the price, repeating the run reaches one of the two."""
    for factor in (1.32, 1.45, 1.6, 2.5):
        venue = crowded()
        venue.post(BTC=30_000 * factor)
        while not forced.buffer_healthy(venue.books()) and ranked(venue):
            refs = tuple(ref(position.owner, position.market) for position in ranked(venue))
            venue.do("keeper", Deleverage(pool=POOL, positions=refs))
            assert venue.seen(PositionChanged)
        assert forced.buffer_healthy(venue.books()) or not ranked(venue)
        venue.check()
