"""What stands around the engine: the desk's readings, the keeper that fills, a backtest of the shipped profile."""

from __future__ import annotations

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.desks import decimals_of
from zlp.desks.credit_positions import DESK
from zlp.engine import Code
from zlp.engine.commands import credit_positions as orders
from zlp.engine.commands import stability
from zlp.engine.fixed import BPS, USD
from zlp.engine.leaves.credit_positions import CreditOrder, CreditPosition
from zlp.engine.leaves.stability import StableSwapRequest
from zlp.keepers import CreditKeeper, LocalPort, LocalVenue
from zlp.profiles.loader import load
from zlp.server import views
from zlp.simulator.backtest import Setup, run
from zlp.simulator.paths import made

BTC = 100_000 * USD


def traded() -> CreditVenue:
    """A trader with 3,000 USD who is long one BTC."""
    scene = CreditVenue([market(), vault("v", "ETHx")])
    scene.deposit("lp", "v", 1_000 * UNIT)
    number = scene.trader("t", USDC=3_000 * 10**6)
    scene.trade("t", number, "BTC", UNIT, BTC)
    return scene


def test_the_desk_opens_and_closes() -> None:
    """Z10: its commands bring margin into the main account, trade the size asked for, and close a part of it."""
    scene = CreditVenue([market(), vault("v", "ETHx")])
    scene.deposit("lp", "v", 1_000 * UNIT)
    scene.give("t", "USDC", 3_000 * 10**6)
    commands = DESK.open(
        scene.root.state,
        scene.now,
        pool="",
        market="BTC",
        is_long=False,
        collateral="USDC",
        amount=3_000 * 10**6,
        size_usd=50_000 * USD,
    )
    for command in commands:
        scene.must("t", command)
    scene.fill(1, "BTC", BTC)
    (view,) = DESK.positions(scene.root.state, scene.now, "t")

    assert not view.is_long
    assert abs(view.size_usd - 50_000 * USD) < USD
    (closing,) = DESK.close(scene.root.state, scene.now, position=view.position, fraction_bps=BPS // 2)
    scene.must("t", closing)
    scene.fill(1, "BTC", BTC)
    assert scene.leaf(CreditPosition, 1, "BTC").size == -UNIT // 4


def test_the_liquidation_price_is_where_it_becomes_due() -> None:
    """Z10: a dollar above it the account stands, a dollar below it is due, and the engine agrees."""
    scene = traded()
    (view,) = DESK.positions(scene.root.state, scene.now)
    assert 97_000 * USD < view.liquidation_price < 98_000 * USD
    scene.price(raw=True, BTC=view.liquidation_price + USD)
    assert list(DESK.due(scene.root.state, scene.now)) == []
    scene.price(raw=True, BTC=view.liquidation_price - USD)
    (command,) = DESK.due(scene.root.state, scene.now)
    scene.must("liquidator", command)


def test_the_desk_values_vaults_and_markets() -> None:
    """Z2, Z3: a vault is worth its collateral less its debt; a market shows both sides and its leverage."""
    scene = traded()
    scene.price(BTC=101_000)
    (pool,) = DESK.pools(scene.root.state, scene.now)
    (seen,) = DESK.markets(scene.root.state, scene.now)

    assert abs(pool.value_usd - (2_000_000 - 1_000) * USD) < USD
    assert pool.utilisation_bps == 505
    assert seen.long_size == 101_000 * USD
    assert seen.short_size == 0
    assert seen.max_leverage == 100 * BPS


def test_a_share_is_counted_like_the_collateral_it_was_made_for() -> None:
    """Z2: base units are made one to one, so a whole share of a vault of USDC or WBTC is a whole USDC or WBTC's."""
    scene = CreditVenue([market(), vault("usdc", "USDC"), vault("wbtc", "WBTC"), vault("eth", "ETHx")])
    assert decimals_of(scene.root.state)["zlp-usdc"] == 6
    scene.deposit("lp", "usdc", 1_500 * 10**6)
    scene.deposit("lp", "wbtc", 2 * 10**8)
    scene.deposit("lp", "eth", 3 * UNIT)

    prices = {pool.pool: round(pool.share_price / USD) for pool in DESK.pools(scene.root.state, scene.now)}
    assert prices == {"usdc": 1, "wbtc": 100_000, "eth": 2_000}
    held = {row["token"]: row["amount"] for row in views.balances(scene.root.state, "lp")}
    assert held == {"zlp-usdc": "1500", "zlp-wbtc": "2", "zlp-eth": "3"}
    known = {row["symbol"]: row for row in views.tokens(scene.root)}
    assert (known["zlp-wbtc"]["decimals"], known["zlp-wbtc"]["supply"]) == ("8", "2")
    assert known["zlp-wbtc"]["supply_units"] == str(2 * 10**8)


def test_the_keeper_fills_what_waits_and_leaves_what_cannot() -> None:
    """Z6, Z10: pending orders and swaps are executed at reports; what would be refused stays out of the log."""
    scene = traded()
    keeper = CreditKeeper(LocalPort(LocalVenue(scene.root), "keeper", lambda: scene.now))
    scene.must("t", orders.PlaceCreditOrder(trading_account=1, market="BTC", size_delta=-UNIT))
    scene.give("h", "USDz", 1_000 * UNIT)
    scene.must("h", stability.RequestStableSwap(vault="v", amount=1_000 * UNIT))
    assert keeper.work() >= 2
    assert not list(scene.root.state.each(CreditOrder))
    assert not list(scene.root.state.each(StableSwapRequest))

    hopeless = orders.PlaceCreditOrder(trading_account=1, market="BTC", size_delta=UNIT, acceptable_price=USD)
    scene.must("t", hopeless)
    before = scene.root.sequence
    assert keeper.work() == 0
    assert scene.root.sequence == before


def test_a_backtest_of_the_shipped_profile_conserves() -> None:
    """A1, A3, Z10: a crowd trades five days on the vaults' credit; every audit is empty, and the run repeats."""
    setup = Setup(seed=3, audit_every=100)
    result = run(load("zaros"), made(3, days=5).path, setup)

    assert result.faults == []
    assert result.volume > 10**6 * USD
    assert result.actions["open"] > 50
    assert Code.STALE_PRICE not in result.rejections
    assert run(load("zaros"), made(3, days=5).path, setup).digest == result.digest
