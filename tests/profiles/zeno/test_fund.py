"""The fund: shares, weight fees, swaps, utilisation, claims, listing (N1, N2, N6, N13)."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.profiles.zeno.venue import POOL, USD, Venue, ref
from tests.storm.fund_scene import slow_net_pnl
from zlp.engine import ledger
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.cross_margin import CrossReduce, TakeMaxProfit
from zlp.engine.commands.fund import SettleClaims
from zlp.engine.commands.liquidity import Burn, Donate, Mint, Swap
from zlp.engine.commands.staking import SetAutomaticStaking, UnstakeShares
from zlp.engine.events.fund import ClaimPaid, ProfitUnpaid
from zlp.engine.events.liquidity import FeeCharged, SharesBurned, SharesMinted, Swapped
from zlp.engine.leaves.fund import Fund
from zlp.engine.rejections import Code


def value(venue: Venue) -> int:
    """The fund's value now."""
    return valuation.value_usd(venue.books().desk)


def books(venue: Venue) -> Fund:
    """The fund's books."""
    found = venue.root.state.get(Fund, (POOL,))
    assert found is not None
    return found


def unstaked(venue: Venue, account: str) -> int:
    """All shares of an account, taken out of staking."""
    amount = venue.held(f"staked:{POOL}", "ZLP")
    venue.do(account, UnstakeShares(pool=POOL, amount=amount))
    return amount


def test_the_first_deposit_buys_shares_at_one_dollar() -> None:
    """N1, N2: a share is 1 USD; a first deposit, and one toward the target, pay no fee."""
    venue = Venue()

    venue.mint("lp", "m.USDC", 1_000)
    assert venue.seen(SharesMinted)[0].shares == 1_000 * 10**18
    venue.mint("lp", "WETH", 0.25)  # 450 USD, below the target of half of the assets

    assert venue.seen(SharesMinted)[0].shares == 450 * 10**18
    assert venue.seen(FeeCharged) == []


def test_a_share_is_worth_assets_less_the_profit_of_traders() -> None:
    """N1: the fund's value falls by what an open position has gained, with nothing settled."""
    venue = Venue()
    venue.fund()
    venue.margin("alice", "m.USDC", 50_000)
    assert venue.trade("alice", "BTC", 1_000_000) is None
    before = value(venue)

    venue.post(BTC=30_600)

    assert abs(before - value(venue) - 20_020 * USD) < 25 * USD  # 2 %, marked at the close price with the skew


def test_deposits_and_withdrawals_pay_for_moving_away_from_the_target() -> None:
    """N2: both ways, in bps by the distance; toward the target they are free."""
    venue = Venue()
    venue.fund(1_000_000)
    shares = unstaked(venue, "lp")

    venue.mint("bob", "m.USDC", 100_000)
    away = venue.seen(SharesMinted)[0].fee_rate
    venue.mint("bob", "WETH", 10)
    toward = venue.seen(SharesMinted)[0].fee_rate
    venue.do("lp", Burn(pool=POOL, token="m.USDC", shares=shares // 50))
    toward_out = venue.seen(SharesBurned)[0].fee_rate
    venue.do("lp", Burn(pool=POOL, token="m.USDT", shares=shares // 10))
    away_out = venue.seen(SharesBurned)[0].fee_rate

    assert (away, toward, toward_out) == (10, 0, 0)
    assert 0 < away_out <= 50


def test_fees_of_deposits_go_to_developers_and_the_protocol() -> None:
    """N2, N4: 10 % to the developers' bucket, the rest to the protocol's; none of it to the fund."""
    venue = Venue()
    venue.mint("lp", "m.USDC", 1_000_000)
    venue.mint("bob", "m.USDC", 100_000)

    fee = venue.seen(FeeCharged)[0]
    assert fee.amount == 500 * 10**6
    assert venue.held("developer:main", "m.USDC") == fee.amount // 10
    assert venue.held("revenue:main", "m.USDC") == fee.amount - fee.amount // 10
    assert fee.to_pool == 0


def test_swaps_at_oracle_prices_with_a_weight_aware_fee() -> None:
    """N13: 25 bps toward the targets, up to 50 more away from them."""
    venue = Venue()
    venue.fund(1_000_000)
    venue.mint("lp", "m.USDT", 200_000)
    for token in ("m.USDC", "m.USDT"):
        venue.give("bob", token, 20_000)

    venue.do("bob", Swap(pool=POOL, path=("m.USDC", "m.USDT"), amount=10_000 * 10**6))
    toward = venue.seen(Swapped)[0]
    venue.do("bob", Swap(pool=POOL, path=("m.USDT", "m.USDC"), amount=10_000 * 10**6))
    away = venue.seen(Swapped)[0]

    assert toward.fee_rate < 25 < away.fee_rate <= 75
    assert toward.amount_out == 10_000 * 10**6 - 10_000 * 10**6 * toward.fee_rate // 10_000
    assert venue.apply("bob", Swap(pool=POOL, path=("m.USDC", "m.USDC"), amount=1)) is Code.SAME_TOKEN


def test_utilisation_blocks_opening_and_withdrawing_but_never_reducing() -> None:
    """N6: equality passes; closing works beyond the limit."""
    venue = Venue()
    venue.fund(1_000_000)
    shares = unstaked(venue, "lp")
    venue.margin("alice", "m.USDC", 500_000)
    assert venue.trade("alice", "BTC", 8_800_000) is None  # reserves 9 %: 792,000 of 1,000,000

    assert venue.trade("alice", "ETH", 200_000) is Code.UTILISATION_EXCEEDED
    burn = Burn(pool=POOL, token="m.USDC", shares=shares // 20)
    assert venue.apply("lp", burn) is Code.UTILISATION_EXCEEDED
    venue.wait(60)
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="BTC", size=1_000_000 * USD))
    venue.check()


def test_a_profit_the_fund_cannot_pay_waits_as_a_claim_paid_first() -> None:
    """N6, A3: recorded with an event, a liability of the fund, paid from the next liquidity before anything else."""
    venue = Venue()
    venue.mint("lp", "WETH", 100)  # 180,000 USD
    venue.margin("alice", "m.USDC", 50_000)
    assert venue.trade("alice", "BTC", 1_500_000) is None  # reserves 135,000
    venue.wait(60)
    venue.post(BTC=33_000, WETH=900)  # the fund halves to 90,000, the profit is 9 %

    venue.do("keeper", TakeMaxProfit(pool=POOL, position=ref("alice", "BTC")))
    unpaid = venue.seen(ProfitUnpaid)[0]
    assert 40_000 * USD < unpaid.value_usd < 50_000 * USD
    paid = sum(event.value_usd for event in venue.seen(ClaimPaid))  # the borrowing fee of this very close
    assert 0 < paid < USD
    assert books(venue).claims_usd == unpaid.value_usd - paid
    assert value(venue) == 0
    assert venue.apply("bob", SettleClaims(pool=POOL)) is Code.NOTHING_TO_CLAIM

    venue.do("lp", Donate(pool=POOL, token="m.USDC", amount=venue.give("lp", "m.USDC", 30_000)))
    assert venue.seen(ClaimPaid)[0].amount == 30_000 * 10**6
    venue.do("lp", Donate(pool=POOL, token="m.USDC", amount=venue.give("lp", "m.USDC", 30_000)))
    assert books(venue).claims_usd == 0
    assert venue.held("fund:main", "m.USDC") > 0
    venue.check()


def test_a_fund_worth_nothing_sells_no_shares() -> None:
    """N1: a deposit would be given to the holders of worthless shares."""
    venue = Venue()
    venue.mint("lp", "WETH", 100)
    venue.margin("alice", "m.USDC", 50_000)
    assert venue.trade("alice", "BTC", 1_500_000) is None
    venue.post(BTC=36_000, WETH=900)

    amount = venue.give("bob", "m.USDC", 100)
    assert venue.apply("bob", Mint(pool=POOL, token="m.USDC", amount=amount)) is Code.FUND_WORTHLESS


def test_governance_lists_another_asset() -> None:
    """N1, A8: METIS becomes part of the fund by two settings, no code."""
    venue = Venue()
    venue.fund()
    metis = venue.give("bob", "METIS", 100)
    assert venue.apply("bob", Mint(pool=POOL, token="METIS", amount=metis)) is Code.TOKEN_NOT_LISTED

    venue.configure("FundAssetSettings", pool=POOL, token="METIS", target_weight=5 * 10**16, collateral_bps=7_000)
    venue.set("FundSettings", [POOL], "assets", ["m.USDC", "m.USDT", "WETH", "METIS"])
    venue.do("bob", Mint(pool=POOL, token="METIS", amount=metis))

    assert venue.seen(SharesMinted)[0].shares == 2_000 * 10**18


def test_a_stale_price_stops_deposits_before_withdrawals() -> None:
    """A7: new shares need a fresh price; leaving works on a price up to a day old."""
    venue = Venue()
    venue.fund()
    shares = unstaked(venue, "lp")
    amount = venue.give("bob", "m.USDC", 100)
    venue.now += 3 * 3_600

    assert venue.apply("bob", Mint(pool=POOL, token="m.USDC", amount=amount)) is Code.STALE_PRICE
    venue.do("lp", Burn(pool=POOL, token="m.USDC", shares=shares // 100))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    trades=st.lists(
        st.tuples(
            st.sampled_from(("alice", "bob", "carol")),
            st.sampled_from(("ETH", "BTC", "SOL")),
            st.integers(-400_000, 400_000).filter(bool),
            st.floats(0.95, 1.05),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_the_funds_profit_is_the_sum_over_positions(trades: list[tuple[str, str, int, float]]) -> None:
    """N1: two accumulators per side give the exact sum, within the rounding of each term; tokens are conserved."""
    venue = Venue()
    venue.fund()
    for owner in ("alice", "bob", "carol"):
        venue.margin(owner, "m.USDC", 200_000)
    for owner, market, usd, step in trades:
        venue.trade(owner, market, usd)
        venue.wait(20)
        venue.post(**{market: venue.prices[market] * step})
        slow, dust = slow_net_pnl(venue.root, POOL)
        assert abs(Fraction(valuation.net_pnl_usd(venue.books().desk)) - slow) <= dust
    venue.check()


def test_shares_are_proportional() -> None:
    """N1: what half of the shares get back is half of the value, rounded down, less the fee."""
    venue = Venue()
    venue.mint("lp", "m.USDC", 1_001)
    shares = unstaked(venue, "lp")
    venue.do("lp", Burn(pool=POOL, token="m.USDC", shares=shares // 2))

    burned = venue.seen(SharesBurned)[0]
    assert burned.value_usd == 1_001 * USD // 2
    assert ledger.supply_of(venue.root.state, "ZLP") == shares - shares // 2


moves = st.lists(
    st.tuples(
        st.sampled_from(("alice", "bob", "carol", "lp")),
        st.sampled_from(("BTC", "ETH")),
        st.integers(-30_000, 30_000).filter(bool),
        st.sampled_from((0.5, 0.7, 1.01, 1.4, 1.9)),
    ),
    min_size=6,
    max_size=20,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves=moves)
def test_a_thin_fund_owes_what_it_cannot_pay_and_nothing_is_lost(moves: list[tuple[str, str, int, float]]) -> None:
    """A3, N6: through exhaustion and new deposits, claims are what events recorded less what events paid."""
    venue = Venue()
    venue.mint("lp", "WETH", 30)
    venue.set("FundSettings", [POOL], "max_utilisation_bps", 10_000)
    for market in ("BTC", "ETH"):
        venue.set("FundMarketSettings", [POOL, market], "max_profit_bps", 900_000)
    for owner in ("alice", "bob", "carol"):
        venue.margin(owner, "m.USDC", 20_000)
        assert venue.trade(owner, "BTC", 15_000) is None
    venue.wait(20)
    venue.post(BTC=54_000, ETH=540)  # the profits reach 36,000, the fund falls to 16,200
    owed = 0
    for who, market, usd, step in moves:
        if who == "lp":
            amount = venue.give("lp", "m.USDC", abs(usd) / 10)
            venue.do("lp", Donate(pool=POOL, token="m.USDC", amount=amount))
        else:
            held = venue.position(who, market)
            venue.trade(who, market, usd if held is None else -held.size // USD)
        owed += sum(event.value_usd for event in venue.seen(ProfitUnpaid))
        owed -= sum(event.value_usd for event in venue.seen(ClaimPaid))
        assert (venue.root.state.get(Fund, (POOL,)) or Fund(POOL)).claims_usd == owed
        venue.wait(20)
        venue.post(**{market: venue.prices[market] * step})
    venue.check()


def test_a_spread_costs_who_comes_and_who_goes() -> None:
    """N1: shares are sold on the fund's value at high prices and bought back on that at low ones."""
    venue = Venue()
    venue.fund()
    venue.set("PriceSettings", ["WETH"], "spread.spread_bps", 50)
    high = valuation.value_usd(venue.books().desk, maximise=True)
    assert value(venue) < high
    venue.do("bob", SetAutomaticStaking(pool=POOL, automatic=False))
    venue.mint("bob", "m.USDC", 1_000)
    assert venue.seen(SharesMinted)[0].pool_value_usd == high

    low = value(venue)
    venue.do("bob", Burn(pool=POOL, token="m.USDC", shares=venue.held("bob", "ZLP")))
    assert venue.seen(SharesBurned)[0].pool_value_usd == low
