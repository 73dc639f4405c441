"""Cross-margin accounts: collateral, trades, limits, fees, liquidation (N3, N4, N6, N7, N9, N12)."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from tests.profiles.zeno.venue import POOL, USD, Venue, ref
from zlp.engine.branches.cross_margin.health import Health, accrued_carry, require_free_figures
from zlp.engine.commands.cross_margin import (
    CloseDelisted,
    CrossReduce,
    LiquidateAccount,
    MoveMargin,
    SetMarketOpen,
    SwitchCollateral,
    TakeMaxProfit,
    WithdrawMargin,
)
from zlp.engine.commands.governance import PauseScope
from zlp.engine.events.cross_margin import DebtForgiven
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.engine.rejections import Code, Reject


@pytest.fixture
def venue() -> Venue:
    """A funded venue in which alice has 50,000 m.USDC of margin."""
    venue = Venue()
    venue.fund()
    venue.margin("alice", "m.USDC", 50_000)
    return venue


def test_collateral_counts_by_its_factor(venue: Venue) -> None:
    """N3: several collaterals, one equity; WETH counts 80 %."""
    venue.margin("alice", "WETH", 10)

    assert venue.health("alice").collateral == (50_000 + 10 * 1_800 * 8 // 10) * USD
    assert venue.health("alice").equity == venue.health("alice").collateral


def test_margins_are_fractions_of_the_size(venue: Venue) -> None:
    """N3: initial and maintenance margin per market; the liquidation fee is set aside once."""
    assert venue.trade("alice", "ETH", 100_000) is None
    assert venue.trade("alice", "SOL", -50_000) is None
    figures = venue.health("alice")

    assert figures.initial == (1_000 + 1_000) * USD
    assert figures.maintenance == (500 + 500) * USD
    closing_fees = (50 + 25) * USD  # maker: closing helps both markets' skew
    assert figures.fees == closing_fees + 5 * USD


def test_sub_accounts_stand_alone(venue: Venue) -> None:
    """N3: up to 256 accounts per owner, each with its own margin."""
    assert venue.trade("alice", "ETH", 100_000) is None
    assert venue.trade("alice", "ETH", 1_000, number=1) is Code.EQUITY_BELOW_INITIAL
    move = MoveMargin(pool=POOL, number=0, to_number=1, token="m.USDC", amount=1_000 * 10**6)
    venue.do("alice", move)
    assert venue.trade("alice", "ETH", 1_000, number=1) is None

    assert venue.trade("alice", "ETH", 1, number=256) is Code.INVALID_ACCOUNT_NUMBER
    venue.check()


def test_withdrawals_stop_at_the_initial_margin(venue: Venue) -> None:
    """N3: to the unit."""
    assert venue.trade("alice", "ETH", 100_000) is None
    free = venue.health("alice").free // 10**24

    too_much = WithdrawMargin(pool=POOL, number=0, token="m.USDC", amount=free + 1)
    assert venue.apply("alice", too_much) is Code.EQUITY_BELOW_INITIAL
    venue.do("alice", WithdrawMargin(pool=POOL, number=0, token="m.USDC", amount=free))


def test_collateral_can_be_switched(venue: Venue) -> None:
    """N3, N13: through the fund, at the swap fee."""
    switch = SwitchCollateral(pool=POOL, number=0, token="m.USDC", to_token="WETH", amount=18_000 * 10**6)
    venue.do("alice", switch)

    assert 9.9 * 10**18 < venue.collateral("alice", "WETH") < 10 * 10**18


def test_trades_open_extend_reduce_flip_and_close(venue: Venue) -> None:
    """N3: one net position per market; a flip closes and opens in one command."""
    actions = []
    for usd in (100_000, 50_000, -30_000, -200_000, 80_000):
        venue.wait(20)
        venue.post(ETH=venue.prices["ETH"] * 0.999)
        assert venue.trade("alice", "ETH", usd) is None
        actions += [event.action for event in venue.seen(PositionChanged)]

    assert actions == ["open", "extend", "reduce", "close", "open", "close"]
    assert venue.position("alice", "ETH") is None
    venue.check()


def test_a_flip_whose_second_leg_fails_changes_nothing(venue: Venue) -> None:
    """A4: all or nothing."""
    assert venue.trade("alice", "ETH", 100_000) is None
    before = venue.root.state_hash()

    assert venue.trade("alice", "ETH", -9_000_000) is Code.EQUITY_BELOW_INITIAL
    assert venue.root.state_hash() == before


def test_reduce_only_never_opens(venue: Venue) -> None:
    """N3: it closes at most what is there."""
    assert venue.trade("alice", "ETH", -1_000, reduce_only=True) is Code.NO_POSITION
    assert venue.trade("alice", "ETH", 1_000) is None
    venue.wait(20)
    assert venue.trade("alice", "ETH", -5_000, reduce_only=True) is None

    assert venue.position("alice", "ETH") is None


def test_open_interest_is_limited_per_side(venue: Venue) -> None:
    """N9: equality passes, on each side for itself."""
    venue.set("FundMarketSettings", [POOL, "ETH"], "max_long_usd", 100_000 * USD)

    assert venue.trade("alice", "ETH", 100_001) is Code.OPEN_INTEREST_EXCEEDED
    assert venue.trade("alice", "ETH", 100_000) is None
    venue.margin("bob", "m.USDC", 50_000)
    assert venue.trade("bob", "ETH", 1) is Code.OPEN_INTEREST_EXCEEDED
    assert venue.trade("bob", "ETH", -200_000) is None


def test_trading_fees_know_maker_from_taker(venue: Venue) -> None:
    """N4: 10 bps with the skew, 5 bps against it; 10 % to developers, the rest to the protocol."""
    revenue = venue.held("revenue:main", "m.USDC")
    assert venue.trade("alice", "ETH", 100_000) is None
    taker = venue.seen(FeeCharged)[0]
    venue.margin("bob", "m.USDC", 50_000)
    assert venue.trade("bob", "ETH", -40_000) is None
    maker = venue.seen(FeeCharged)[0]

    assert (taker.amount, maker.amount) == (100 * 10**6, 20 * 10**6)
    assert venue.held("revenue:main", "m.USDC") - revenue == 108 * 10**6


def test_profit_and_loss_settle_in_usdc_first(venue: Venue) -> None:
    """N4: a winner is paid in m.USDC though the fund holds WETH; a loser pays in m.USDC though he has WETH too."""
    venue.margin("bob", "m.USDC", 20_000)
    venue.margin("bob", "WETH", 10)
    assert venue.trade("alice", "BTC", 100_000) is None
    assert venue.trade("bob", "BTC", -100_000) is None
    venue.wait(20)
    venue.post(BTC=31_500)
    paid_before, weth = venue.collateral("bob", "m.USDC"), venue.held("fund:main", "WETH")

    venue.do("alice", CrossReduce(pool=POOL, number=0, market="BTC"))
    assert venue.collateral("alice", "m.USDC") > 54_000 * 10**6
    venue.do("bob", CrossReduce(pool=POOL, number=0, market="BTC"))

    assert venue.collateral("bob", "m.USDC") < paid_before - 4_900 * 10**6
    assert venue.collateral("bob", "WETH") == 10 * 10**18
    assert venue.held("fund:main", "WETH") == weth
    venue.check()


def test_borrowing_follows_utilisation_and_belongs_to_the_fund(venue: Venue) -> None:
    """N12, N4: twice the reserve costs twice the rate; after the developers' share it is the fund's."""
    assert venue.trade("alice", "ETH", 1_000_000) is None
    fund = venue.books().group("crypto")
    venue.wait(3_600)
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH", size=1_000 * USD))
    borrowed = next(event for event in venue.seen(FeeCharged) if event.kind == "borrow")
    once = venue.books().group("crypto").rate - fund.rate

    assert borrowed.to_pool == borrowed.amount - borrowed.amount // 10
    assert venue.trade("alice", "BTC", 1_000_000) is None
    before = venue.books().group("crypto").rate
    venue.wait(3_600)
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH", size=1_000 * USD))
    twice = venue.books().group("crypto").rate - before
    assert 1.95 < twice / once < 2.05


def test_a_waiting_profit_blocks_closing_a_loss_does_not(venue: Venue) -> None:
    """N7: fifteen seconds after an increase a profit does not count; exactly then it does."""
    assert venue.trade("alice", "ETH", 100_000) is None
    venue.now += 14
    venue.post(ETH=1_820)
    reduce = CrossReduce(pool=POOL, number=0, market="ETH")
    assert venue.apply("alice", reduce) is Code.PROFIT_WAITS
    venue.post(ETH=1_780)
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH", size=1_000 * USD))
    venue.now += 1
    venue.post(ETH=1_820)
    venue.do("alice", reduce)


def test_max_profit_closes_a_position_at_its_reserve(venue: Venue) -> None:
    """N7: the target is initial margin times 900 %: 9 % for ETH; the payout is the reserve to the unit."""
    assert venue.trade("alice", "ETH", 100_000) is None
    close = TakeMaxProfit(pool=POOL, position=ref("alice", "ETH"))
    venue.post(ETH=1_960)
    assert venue.apply("keeper", close) is Code.PROFIT_BELOW_RESERVE

    venue.post(ETH=1_990)  # inside the fifteen seconds: deleveraging does not wait
    venue.do("keeper", close)
    assert venue.seen(PositionChanged)[0].pnl_usd == 9_000 * USD
    venue.check()


def test_liquidation_pays_the_keeper_first_and_leaves_the_rest(venue: Venue) -> None:
    """N3: equity at the maintenance margin is healthy; below it all is closed, the remainder stays the trader's."""
    venue.margin("bob", "m.USDC", 2_000)
    assert venue.trade("bob", "ETH", 100_000) is None
    liquidate = LiquidateAccount(pool=POOL, owner="bob", number=0)
    assert venue.apply("anyone", liquidate) is Code.ACCOUNT_HEALTHY

    venue.wait(20)
    venue.post(ETH=1_775)
    venue.do("anyone", liquidate)

    assert venue.held("anyone", "m.USDC") == 5 * 10**6
    assert venue.seen(Liquidated)[0].bad_debt_usd == 0
    assert 0 < venue.collateral("bob", "m.USDC") < 500 * 10**6
    venue.check()


@pytest.mark.parametrize(
    ("equity", "initial", "maintenance", "is_free", "is_liquidatable"),
    [
        (100, 100, 50, True, False),
        (99, 100, 50, False, False),
        (50, 100, 50, False, False),
        (49, 100, 50, False, True),
        (0, 0, 0, True, False),
        (-1, 0, 0, False, True),
    ],
)
def test_equality_is_healthy(equity: int, initial: int, maintenance: int, is_free: bool, is_liquidatable: bool) -> None:
    """N3: at the initial margin one may still open and withdraw, at the maintenance margin one still stands."""
    figures = Health(equity, 0, 0, 0, initial, maintenance)
    assert figures.is_liquidatable is is_liquidatable
    with nullcontext() if is_free else pytest.raises(Reject):
        require_free_figures(figures)


def test_a_liquidation_says_what_was_carried(venue: Venue) -> None:
    """N3, N10, N12: borrowing and funding of the whole time, both owed by the side that is heavier."""
    venue.margin("bob", "m.USDC", 2_000)
    assert venue.trade("bob", "ETH", 100_000) is None
    venue.wait(30 * 86_400)
    venue.post(ETH=1_775)
    books, position = venue.books(), venue.position("bob", "ETH")
    assert position is not None
    carry = accrued_carry(books, books.settings("ETH"), position)
    assert min(carry) > 0
    venue.do("anyone", LiquidateAccount(pool=POOL, owner="bob", number=0))

    assert venue.seen(PositionChanged)[0].carry_usd == carry.borrowing + carry.funding


def test_bad_debt_is_forgiven_and_borne_by_the_fund(venue: Venue) -> None:
    """N3, A3: what cannot be collected leaves the books; a later deposit is not seized."""
    venue.margin("bob", "m.USDC", 2_000)
    assert venue.trade("bob", "ETH", 100_000) is None
    venue.wait(20)
    venue.post(ETH=1_700)
    venue.do("anyone", LiquidateAccount(pool=POOL, owner="bob", number=0))

    assert venue.seen(Liquidated)[0].bad_debt_usd == venue.seen(DebtForgiven)[0].loss_usd > 3_000 * USD
    venue.margin("bob", "m.USDC", 100)
    assert venue.collateral("bob", "m.USDC") == 100 * 10**6
    venue.check()


def test_an_unhealthy_account_can_only_be_liquidated(venue: Venue) -> None:
    """N3: below the maintenance margin the trader cannot reduce."""
    venue.margin("bob", "m.USDC", 2_000)
    assert venue.trade("bob", "ETH", 100_000) is None
    venue.post(ETH=1_770)

    reduce = CrossReduce(pool=POOL, number=0, market="ETH", size=50_000 * USD)
    assert venue.apply("bob", reduce) is Code.EQUITY_BELOW_MAINTENANCE


def test_closed_and_delisted_markets(venue: Venue) -> None:
    """A7: nobody trades a closed market; a delisted one is closed for everybody by keepers."""
    assert venue.trade("alice", "ETH", 100_000) is None
    venue.do("keeper", SetMarketOpen(pool=POOL, market="ETH", is_open=False))
    assert venue.trade("alice", "ETH", 1_000) is Code.MARKET_CLOSED
    assert venue.apply("alice", CrossReduce(pool=POOL, number=0, market="ETH")) is Code.MARKET_CLOSED
    delisted = CloseDelisted(pool=POOL, position=ref("alice", "ETH"))
    assert venue.apply("keeper", delisted) is Code.MARKET_LISTED

    venue.set("FundMarketSettings", [POOL, "ETH"], "listed", False)
    assert venue.apply("alice", CrossReduce(pool=POOL, number=0, market="ETH")) is Code.MARKET_DELISTED
    venue.do("keeper", delisted)
    assert venue.position("alice", "ETH") is None


def test_a_pause_leaves_reducing_open(venue: Venue) -> None:
    """A7, A8: a general pause stops new risk, not closing, adding or withdrawing margin."""
    assert venue.trade("alice", "ETH", 100_000) is None
    venue.wait(20)
    venue.do("guardian", PauseScope(target="*"))

    assert venue.trade("alice", "ETH", 1_000) is Code.PAUSED
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH"))
    venue.do("alice", WithdrawMargin(pool=POOL, number=0, token="m.USDC", amount=10**6))


def test_old_prices_stop_new_risk_first(venue: Venue) -> None:
    """A7: after two hours nothing opens; closing works for a day."""
    assert venue.trade("alice", "ETH", 100_000) is None
    venue.now += 3 * 3_600

    assert venue.trade("alice", "ETH", 1_000) is Code.STALE_PRICE
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH"))


def test_most_positions_per_account(venue: Venue) -> None:
    """N3: the number of positions of an account is bounded, so every close is too."""
    venue.set("CrossMarginSettings", [POOL], "max_positions", 2)
    assert venue.trade("alice", "ETH", 1_000) is None
    assert venue.trade("alice", "BTC", 1_000) is None
    assert venue.trade("alice", "SOL", 1_000) is Code.TOO_MANY_POSITIONS


def test_a_new_borrowing_class_counts_once_nothing_is_open(venue: Venue) -> None:
    """A8, N12: governance can't tear open positions from the class that holds their reserves."""
    assert venue.trade("alice", "ETH", 100_000) is None
    venue.configure(
        "BorrowingClassSettings", pool=POOL, name="other", borrowing={"type": "reserve_borrowing", "base_rate": 1}
    )
    venue.set("FundMarketSettings", [POOL, "ETH"], "borrowing_class", "other")
    venue.wait(20)
    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH", size=40_000 * USD))
    assert venue.books().group("crypto").reserve_usd == 5_400 * USD
    venue.check()

    venue.do("alice", CrossReduce(pool=POOL, number=0, market="ETH"))
    assert venue.trade("alice", "ETH", 100_000) is None
    assert venue.books().group("other").reserve_usd == 9_000 * USD
    assert venue.books().group("crypto").reserve_usd == 0
    venue.check()
