"""Velocity funding: paid by one side, received by the other, the fund takes the imbalance (N10)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.profiles.zeno.venue import POOL, USD, Venue
from zlp.engine import Event
from zlp.engine.commands.cross_margin import CrossReduce
from zlp.engine.commands.fund import ConvertFundingReserve, SweepFundingSurplus
from zlp.engine.events.fund import FundingPaid, FundingReceived, FundingReserveConverted, FundingSurplusSwept
from zlp.engine.leaves.fund import Fund
from zlp.engine.mechanisms.carry import DAY, VelocityFunding
from zlp.engine.rejections import Code

FUNDING = VelocityFunding(max_velocity=9 * 10**16, max_skew_scale=300_000_000 * USD)


def test_the_skew_sets_the_velocity_not_the_rate() -> None:
    """N10: half of the scale moves the daily rate by half of the bound per day; at zero skew the rate stays."""
    half = FUNDING.max_skew_scale // 2

    rate, accrued = FUNDING.advance(0, 0, half, DAY)
    assert (rate, accrued) == (45 * 10**15, 225 * 10**14)
    assert FUNDING.advance(rate, accrued, 0, DAY) == (45 * 10**15, accrued + 45 * 10**15)
    assert FUNDING.velocity(3 * FUNDING.max_skew_scale) == FUNDING.max_velocity


@given(skew=st.integers(-(10**39), 10**39), seconds=st.integers(1, 10**6), cut=st.integers(1, 99))
def test_accruing_in_two_steps_is_accruing_in_one(skew: int, seconds: int, cut: int) -> None:
    """N10: the trapezoid is exact for a constant skew, up to truncation."""
    first = seconds * cut // 100
    whole = FUNDING.advance(10**15, 0, skew, seconds)
    parts = FUNDING.advance(*FUNDING.advance(10**15, 0, skew, first), skew, seconds - first)

    assert abs(whole[0] - parts[0]) <= 4
    assert abs(whole[1] - parts[1]) <= 4 + 4 * seconds // DAY


def test_longs_pay_shorts_when_longs_are_more() -> None:
    """N10: paid from the reserve first, the fund lends what is missing and is repaid first."""
    venue = Venue()
    venue.fund()
    for owner, usd in (("alice", 2_000_000), ("bob", -500_000)):
        venue.margin(owner, "m.USDC", 100_000)
        assert venue.trade(owner, "ETH", usd) is None
    venue.wait(DAY)

    venue.do("bob", CrossReduce(pool=POOL, number=0, market="ETH"))
    received = venue.seen(FundingReceived)[0]
    assert received.lent
    assert books(venue).loan_usd == received.value_usd > 0
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH"))
    repaid, kept = venue.seen(FundingPaid)
    assert (repaid.repaid, kept.repaid) == (True, False)
    assert books(venue).loan_usd == 0

    venue.do("keeper", SweepFundingSurplus(pool=POOL, stable="m.USDC"))
    assert venue.held("funding:main", "m.USDC") == 0
    assert venue.apply("keeper", SweepFundingSurplus(pool=POOL, stable="m.USDC")) is Code.NO_FUNDING_SURPLUS
    venue.check()


def test_the_reserve_is_converted_at_oracle_prices() -> None:
    """N10: other tokens become m.USDC, value for value."""
    venue = Venue()
    venue.fund()
    venue.margin("alice", "WETH", 100)
    assert venue.trade("alice", "ETH", 2_000_000) is None
    venue.wait(5 * DAY)
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH", size=10_000 * USD))
    weth = venue.held("funding:main", "WETH")

    venue.do("keeper", ConvertFundingReserve(pool=POOL, stable="m.USDC"))
    converted = venue.seen(FundingReserveConverted)[0]
    assert converted.amount_in == weth > 0
    assert converted.amount_out == weth * 1_800 // 10**12
    assert venue.held("funding:main", "WETH") == 0


def books(venue: Venue) -> Fund:
    """The fund's books."""
    return venue.root.state.get(Fund, (POOL,)) or Fund(POOL)


class Statement:
    """Every term of the funding's balance, from events alone."""

    def __init__(self) -> None:
        self.reserve: Counter[str] = Counter()
        self.loan = 0

    def read(self, events: list[Event]) -> None:
        """Book what one command did."""
        for event in events:
            name = f"_{type(event).__name__.lower()}"
            getattr(self, name, lambda _: None)(event)

    def _fundingpaid(self, event: FundingPaid) -> None:
        if event.repaid:
            self.loan -= event.value_usd
        else:
            self.reserve[event.token] += event.amount

    def _fundingreceived(self, event: FundingReceived) -> None:
        if event.lent:
            self.loan += event.value_usd
        else:
            self.reserve[event.token] -= event.amount

    def _fundingreserveconverted(self, event: FundingReserveConverted) -> None:
        self.reserve[event.token_in] -= event.amount_in
        self.reserve[event.token_out] += event.amount_out

    def _fundingsurplusswept(self, event: FundingSurplusSwept) -> None:
        self.reserve[event.token] -= event.amount


steps = st.lists(
    st.tuples(
        st.sampled_from(("alice", "bob", "carol", "convert", "sweep")),
        st.sampled_from(("ETH", "BTC")),
        st.integers(-900_000, 900_000).filter(bool),
        st.integers(60, 10 * DAY),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_funding_balances_with_every_term_named(steps: list[tuple[str, str, int, int]]) -> None:
    """N10, A3: reserve = paid in - paid out +- converted - swept; loan = lent - repaid; nothing else touches them.

    And over a market: what both sides still owe is what accrued on them less what they have settled.
    """
    venue, statement = Venue(), Statement()
    venue.fund()
    venue.set("FundMarketSettings", [POOL, "ETH"], "funding.max_velocity", 5 * 10**18)
    for owner, token, amount in (("alice", "m.USDC", 60_000), ("bob", "WETH", 60), ("carol", "m.USDT", 60_000)):
        venue.margin(owner, token, amount)
    for who, market, usd, seconds in steps:
        venue.wait(seconds)
        if who == "convert":
            venue.apply("keeper", ConvertFundingReserve(pool=POOL, stable="m.USDC"))
        elif who == "sweep":
            venue.apply("keeper", SweepFundingSurplus(pool=POOL, stable="m.USDC"))
        else:
            venue.trade(who, market, usd)
        statement.read(venue.events)
        for token in ("m.USDC", "m.USDT", "WETH"):
            assert venue.held("funding:main", token) == statement.reserve[token]
        assert books(venue).loan_usd == statement.loan
    assert all(abs(dust) <= 2 * len(steps) for dust in market_dust(venue))
    venue.check()


def market_dust(venue: Venue) -> list[Fraction]:
    """Per market and side: what its positions owe as last accrued, less what the market says the side owes."""
    found = []
    for name in ("ETH", "BTC"):
        market = venue.books().market(name)
        for is_long, kept in ((True, market.owed_long), (False, market.owed_short)):
            positions = [venue.position(owner, name) for owner in ("alice", "bob", "carol")]
            owed = sum(
                Fraction(p.size * (market.accrued - p.entry_funding), 10**18)
                for p in positions
                if p is not None and p.is_long == is_long
            )
            found.append(Fraction(owed - kept))
    return found
