"""Trading on credit: accounts, margin, orders of both kinds, caps, funding, liquidation."""

from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine import Envelope
from zlp.engine.branches.credit_positions.health import account_of, health
from zlp.engine.commands import credit_positions as orders
from zlp.engine.commands import governance
from zlp.engine.events.credit import LossDeposited, ProfitMinted
from zlp.engine.events.credit_positions import ShortfallForgiven, SignedOrderSkipped
from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.engine.fixed import USD
from zlp.engine.leaves.credit import CreditCollateral, CreditMarketSettings
from zlp.engine.leaves.credit_positions import CreditPosition, CreditTradingSettings, SkewTotals, TradingAccount
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.rejections import Code

BTC = 100_000 * USD


def scene_with(**changes: object) -> CreditVenue:
    """One market with two million USD of credit behind it."""
    scene = CreditVenue([market(**changes), vault("v", "ETHx")])
    scene.deposit("lp", "v", 1_000 * UNIT)
    return scene


def place(number: int, delta: int, limit: int = 0) -> orders.PlaceCreditOrder:
    """A market order in BTC."""
    return orders.PlaceCreditOrder(trading_account=number, market="BTC", size_delta=delta, acceptable_price=limit)


def test_orders_are_refused_in_the_order_of_their_steps() -> None:
    """Z10, A4: size, owner, market, caps, margin; every refusal names its reason."""
    scene = scene_with(max_open_interest=10 * UNIT, max_skew=5 * UNIT)
    number = scene.trader("t", USDC=10**10)

    assert scene.refused("other", place(number, 0)) is Code.ZERO_AMOUNT
    assert scene.refused("other", place(number, UNIT)) is Code.SENDER_NOT_ALLOWED
    assert scene.refused("t", place(99, UNIT)) is Code.UNKNOWN_TRADING_ACCOUNT
    assert scene.refused("t", place(number, 0)) is Code.ZERO_AMOUNT
    assert scene.refused("t", place(number, 10**14)) is Code.TRADE_TOO_SMALL
    assert scene.refused("t", place(number, 11 * UNIT)) is Code.MAX_OPEN_INTEREST_EXCEEDED
    assert scene.refused("t", place(number, 6 * UNIT)) is Code.MAX_SKEW_EXCEEDED
    assert scene.refused("t", replace(place(number, UNIT), market="none")) is Code.UNKNOWN_MARKET
    poor = scene.trader("p", USDC=10**9)
    assert scene.refused("p", place(poor, UNIT)) is Code.INSUFFICIENT_MARGIN
    scene.must(
        "governor", governance.SetParameter(leaf="CreditMarketSettings", key='["BTC"]', field="enabled", value="false")
    )
    assert scene.refused("t", place(number, UNIT)) is Code.MARKET_DISABLED


def test_a_disabled_market_still_lets_positions_shrink() -> None:
    """A7: no new risk, but reducing and closing go on."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.configure(replace(scene.leaf(CreditMarketSettings, "BTC"), enabled=False))
    assert scene.refused("t", place(number, -2 * UNIT)) is Code.MARKET_DISABLED
    scene.trade("t", number, "BTC", -UNIT, BTC)
    assert scene.root.state.get(CreditPosition, (number, "BTC")) is None


def test_a_general_pause_lets_positions_only_shrink() -> None:
    """A7, A8: the guardian stops new risk, however an order came, and nobody's way out."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.must("t", place(number, UNIT))
    scene.must("guardian", governance.PauseScope(target="*"))

    waiting = orders.FillCreditOrder(trading_account=number, report=scene.report("BTC", BTC))
    assert scene.refused("keeper", waiting) is Code.PAUSED
    assert scene.refused("t", place(number, UNIT)) is Code.PAUSED
    assert scene.refused("t", place(number, -3 * UNIT)) is Code.PAUSED
    assert hand_in(scene, signed(scene, number, UNIT, BTC + USD)) == [Code.PAUSED]
    scene.trade("t", number, "BTC", -UNIT, BTC)
    assert scene.root.state.get(CreditPosition, (number, "BTC")) is None


def test_caps_let_through_what_lowers_them() -> None:
    """Z10: above a cap that governance lowered, only trades that reduce pass."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**12)
    scene.trade("t", number, "BTC", 10 * UNIT, BTC)
    scene.configure(replace(scene.leaf(CreditMarketSettings, "BTC"), max_open_interest=UNIT, max_skew=UNIT))
    assert scene.refused("t", place(number, UNIT)) is Code.MAX_OPEN_INTEREST_EXCEEDED
    scene.trade("t", number, "BTC", -UNIT, BTC)
    assert scene.leaf(SkewTotals, "BTC").skew == 9 * UNIT


def test_a_pending_order_holds_its_margin_and_its_age() -> None:
    """Z10: margin is blocked while an order waits; it can be cancelled or replaced when old enough."""
    scene = scene_with()
    scene.configure(replace(scene.leaf(CreditTradingSettings), order_lifetime=10))
    number = scene.trader("t", USDC=10**11)
    scene.must("t", place(number, UNIT))
    cancel = orders.CancelCreditOrder(trading_account=number)

    assert scene.refused("t", orders.RemoveMargin(trading_account=number, token="USDC", amount=1)) is Code.ORDER_PENDING
    assert scene.refused("t", cancel) is Code.ORDER_TOO_YOUNG
    assert scene.refused("t", place(number, 2 * UNIT)) is Code.ORDER_TOO_YOUNG
    scene.now += 10
    scene.must("t", place(number, 2 * UNIT))
    scene.now += 10
    scene.must("t", cancel)
    assert scene.refused("t", cancel) is Code.UNKNOWN_ORDER


def test_a_market_order_needs_a_report_that_is_newer() -> None:
    """A6, Z10: buys fill at the ask, sells at the bid; reports from before the order, or beyond the limit, do not."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    old = scene.report("BTC", BTC)
    scene.now += 5
    scene.must("t", place(number, UNIT, limit=BTC + 100 * USD))
    fill = orders.FillCreditOrder(trading_account=number, report=old)
    assert scene.refused("keeper", fill) is Code.PRICE_NOT_NEWER
    assert scene.refused("t", replace(fill, report=scene.report("BTC", BTC))) is Code.ROLE_REQUIRED
    wide = scene.report("BTC", BTC, spread=200 * USD)
    assert scene.refused("keeper", replace(fill, report=wide)) is Code.TARGET_NOT_REACHED
    receipt = scene.must("keeper", replace(fill, report=scene.report("BTC", BTC, spread=50 * USD)))

    price = receipt.events[-1].price
    assert price == (BTC + 50 * USD) * (2 * 10**7 + 1) // (2 * 10**7)


def signed(scene: CreditVenue, number: int, delta: int, target: int, **changes: object) -> orders.SignedOrder:
    """An order its owner signed."""
    account = scene.leaf(TradingAccount, number)
    order = orders.SignedOrder(
        trading_account=number,
        market="BTC",
        size_delta=delta,
        target_price=target,
        increase_nonce=False,
        nonce=account.nonce,
        salt="1",
        signer=account.owner,
        evidence="signature",
    )
    return replace(order, **changes)


def hand_in(scene: CreditVenue, *items: orders.SignedOrder, price: int = BTC) -> list[str]:
    """Let the keeper fill signed orders; answers the codes of those left out."""
    command = orders.FillSignedOrders(market="BTC", orders=items, report=scene.report("BTC", price))
    events = scene.must("keeper", command).events
    return [event.code for event in events if isinstance(event, SignedOrderSkipped)]


def test_signed_orders_fill_once_at_their_target_or_better() -> None:
    """Z10: signer, nonce, target, single use; an order left out stays valid."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    good = signed(scene, number, UNIT, BTC + USD)

    assert hand_in(scene, replace(good, signer="thief")) == [Code.SIGNED_BY_ANOTHER]
    assert hand_in(scene, replace(good, evidence="")) == [Code.SIGNED_BY_ANOTHER]
    assert hand_in(scene, replace(good, nonce=1)) == [Code.SIGNED_NONCE_WRONG]
    assert hand_in(scene, replace(good, target_price=BTC)) == [Code.TARGET_NOT_REACHED]
    assert hand_in(scene, good) == []
    assert hand_in(scene, replace(good, evidence="other form of the same signature")) == [Code.SIGNED_ORDER_USED]
    assert scene.leaf(CreditPosition, number, "BTC").size == UNIT
    sell = signed(scene, number, -UNIT, BTC + 2 * USD, salt="2")
    assert hand_in(scene, sell) == [Code.TARGET_NOT_REACHED]
    scene.price(BTC=100_003)
    assert hand_in(scene, sell, price=100_003 * USD) == []


def test_a_signed_order_without_a_price_buys_nothing() -> None:
    """Z10: a target of 0 is a price like any other: no buy is filled at it or below, every sell at it or above."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)

    assert hand_in(scene, signed(scene, number, UNIT, 0)) == [Code.TARGET_NOT_REACHED]
    assert hand_in(scene, signed(scene, number, -UNIT, 0)) == []
    assert scene.leaf(CreditPosition, number, "BTC").size == -UNIT


def test_signed_orders_lapse_with_the_nonce() -> None:
    """Z10: by the owner's word, by an order that raises it, by a new owner; agents may sign where approved."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    first = signed(scene, number, UNIT, BTC + USD)
    scene.must("t", orders.CancelSignedOrders(trading_account=number))
    assert hand_in(scene, first) == [Code.SIGNED_NONCE_WRONG]
    raising = signed(scene, number, UNIT, BTC + USD, increase_nonce=True)
    twin = signed(scene, number, UNIT, BTC + USD, salt="2")
    assert hand_in(scene, raising, twin) == [Code.SIGNED_NONCE_WRONG]
    agent = signed(scene, number, UNIT, BTC + USD, signer="agent")
    assert hand_in(scene, agent) == [Code.SIGNED_BY_ANOTHER]
    scene.must("t", governance.ApproveAgent(agent="agent", scopes=("trade",), expires=scene.now))
    assert hand_in(scene, agent) == []
    mine = signed(scene, number, -UNIT, USD, salt="3")
    scene.must("t", orders.TransferTradingAccount(trading_account=number, to="u"))
    assert hand_in(scene, mine) == [Code.SIGNED_BY_ANOTHER]


def test_margin_counts_at_its_ratio_and_leaves_by_priority() -> None:
    """Z10: ETHx counts 70 %; a loss takes the stable token first, and no more than needed."""
    scene = scene_with()
    number = scene.trader("t", ETHx=50 * UNIT, USDz=500 * UNIT)
    draft = scene.draft()
    assert health(draft, account_of(draft, number)).margin == 70_500 * USD
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.price(BTC=99_000)
    scene.trade("t", number, "BTC", -UNIT, 99_000 * USD)

    assert scene.balance(f"margin:{number}", "USDz") == 0
    paid = 50 * UNIT - scene.balance(f"margin:{number}", "ETHx")
    assert 0 < paid < UNIT
    cap = replace(scene.leaf(CreditCollateral, "USDC"), margin_cap=10)
    scene.configure(cap)
    scene.give("t", "USDC", 11)
    add = orders.AddMargin(trading_account=number, token="USDC", amount=11)
    assert scene.refused("t", add) is Code.MARGIN_CAP_EXCEEDED
    scene.configure(replace(cap, loan_to_value=0))
    assert scene.refused("t", add) is Code.NOT_MARGIN_COLLATERAL


def test_margin_that_positions_need_stays() -> None:
    """Z10: withdrawals leave the initial margin, profits included, and the liquidation fee without them."""
    scene = scene_with()
    number = scene.trader("t", USDC=2_000 * 10**6)
    scene.trade("t", number, "BTC", UNIT, BTC)
    remove = orders.RemoveMargin(trading_account=number, token="USDC", amount=1_000 * 10**6)
    assert scene.refused("t", remove) is Code.INSUFFICIENT_MARGIN
    scene.price(BTC=105_000)
    held = scene.balance(f"margin:{number}", "USDC")
    assert scene.refused("t", replace(remove, amount=held - 4 * 10**6)) is Code.INSUFFICIENT_MARGIN
    scene.must("t", replace(remove, amount=held - 5 * 10**6))


def test_liquidation_takes_what_is_owed_and_forgives_aloud() -> None:
    """Z10: not before maintenance plus fee is missed; then every position goes, the shortfall is named."""
    scene = scene_with()
    number = scene.trader("t", USDC=2_000 * 10**6)
    scene.trade("t", number, "BTC", UNIT, BTC)
    liquidate = orders.LiquidateTradingAccount(trading_account=number)
    assert scene.refused("liquidator", liquidate) is Code.ACCOUNT_NOT_LIQUIDATABLE
    scene.price(BTC=97_000)
    before = scene.owed("v")[0]
    assert scene.refused("t", liquidate) is Code.ROLE_REQUIRED
    events = scene.must("liquidator", liquidate).events

    forgiven = sum(event.shortfall_usd for event in events if isinstance(event, ShortfallForgiven))
    closed = next(event for event in events if isinstance(event, Liquidated))
    assert 1_080 * USD < forgiven < 1_090 * USD
    assert closed.bad_debt_usd == forgiven
    assert any(isinstance(event, PositionChanged) and event.action == "liquidate" for event in events)
    assert scene.leaf(TradingAccount, number).markets == ()
    assert abs(scene.owed("v")[0] - before - forgiven) < USD // 1_000
    assert scene.root.audit() == []


def test_liquidation_pays_each_market_what_it_is_owed() -> None:
    """Z10: a profit in one market is paid into the margin first, a loss goes to the market that is owed it."""
    scene = CreditVenue([market("BTC"), market("ETH"), vault("v", "ETHx", markets=(("BTC", 1),))])
    scene.configure(vault("w", "WBTC", markets=(("ETH", 1),)))
    scene.deposit("lp", "v", 1_000 * UNIT)
    scene.deposit("lp", "w", 20 * 10**8)
    number = scene.trader("t", USDC=3_000 * 10**6)
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.trade("t", number, "ETH", 40 * UNIT, 2_000 * USD)
    scene.price(BTC=96_000, ETH=2_040)
    before = {name: scene.owed(name)[0] for name in ("v", "w")}
    events = scene.must("liquidator", orders.LiquidateTradingAccount(trading_account=number)).events

    for market_name, name in (("BTC", "v"), ("ETH", "w")):
        mine = [event for event in events if getattr(event, "market", "") == market_name]
        paid = sum(event.value_usd for event in mine if isinstance(event, LossDeposited))
        minted = sum(event.minted * USD // UNIT for event in mine if isinstance(event, ProfitMinted))
        (closed,) = [event for event in mine if isinstance(event, PositionChanged)]
        result = closed.pnl_usd - closed.carry_usd
        assert paid > 0
        assert (minted > 0) == (result > 0)
        assert abs(scene.owed(name)[0] - before[name] - (minted - result - paid)) < USD // 1_000
    assert scene.root.audit() == []


def test_funding_runs_between_longs_and_shorts() -> None:
    """Z10: longs on a long skew pay shorts; the vaults take only what is not matched."""
    scene = scene_with(skew_scale=1_000 * UNIT)
    long, short = scene.trader("l", USDC=10**12), scene.trader("s", USDC=10**12)
    scene.trade("l", long, "BTC", 20 * UNIT, BTC)
    scene.trade("s", short, "BTC", -10 * UNIT, BTC)
    before = scene.owed("v")[0]
    scene.now += 86_400
    scene.price(BTC=100_000)
    draft = scene.draft()
    longs, shorts = (health(draft, account_of(draft, number)).profit for number in (long, short))
    vaults = before - scene.owed("v")[0]

    assert vaults > 0
    closing = scene.trade("l", long, "BTC", -20 * UNIT, BTC).events[-1]
    assert closing.carry_usd > 0
    gained = scene.trade("s", short, "BTC", 10 * UNIT, BTC).events[-1]
    assert gained.carry_usd < 0
    assert abs(closing.carry_usd + gained.carry_usd - vaults) < USD // 1_000
    assert longs < 0 < shorts + closing.carry_usd


def test_stale_prices_stop_new_risk_and_much_later_all() -> None:
    """A7: an order may wait on an old price; opening needs fresh ones, closing only ones not hopelessly old."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    scene.configure(PriceSettings("BTC", answer_decimals=30, max_age=60, max_age_reducing=600))
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.now += 61
    scene.must("t", place(number, UNIT))
    fill = orders.FillCreditOrder(trading_account=number, report=scene.report("BTC", BTC))
    assert scene.refused("keeper", fill) is Code.STALE_PRICE
    scene.trade("t", number, "BTC", -UNIT // 2, BTC)
    scene.now += 600
    scene.must("t", place(number, -UNIT // 2))
    late = orders.FillCreditOrder(trading_account=number, report=scene.report("BTC", BTC))
    assert scene.refused("keeper", late) is Code.STALE_PRICE


def test_at_most_so_many_positions() -> None:
    """Z10: an account's upkeep stays bounded."""
    scene = CreditVenue([market("A", asset="BTC"), market("B", asset="BTC")])
    scene.configure(vault("v", "ETHx", markets=(("A", 1), ("B", 1))))
    scene.configure(replace(scene.leaf(CreditTradingSettings), max_positions=1))
    scene.deposit("lp", "v", 1_000 * UNIT)
    number = scene.trader("t", USDC=10**11)
    command = orders.PlaceCreditOrder(trading_account=number, market="A", size_delta=UNIT)
    scene.must("t", command)
    scene.must("keeper", orders.FillCreditOrder(trading_account=number, report=scene.report("BTC", BTC)))
    assert scene.refused("t", replace(command, market="B")) is Code.TOO_MANY_POSITIONS


def test_an_agent_brings_margin_to_its_own_account_only() -> None:
    """A8, Z10: a key that may trade can't give its owner's tokens away by way of somebody else's margin."""
    scene = scene_with()
    own, other = scene.trader("t", USDC=10**6), scene.trader("u", USDC=10**6)
    scene.give("t", "USDC", 10**6)
    scene.must("t", governance.ApproveAgent(agent="key", scopes=("trade",), expires=scene.now))

    def brought(number: int) -> Code | None:
        command = orders.AddMargin(trading_account=number, token="USDC", amount=10**6 // 2)
        rejection = scene.root.apply(Envelope(time=scene.now, account="t", signer="key", command=command)).rejection
        return None if rejection is None else rejection.code

    assert brought(other) is Code.AGENT_OUT_OF_SCOPE
    assert brought(own) is None
    assert brought(0) is None
    scene.give("t", "USDC", 10**6)
    scene.must("t", governance.ApproveAgent(agent="key", scopes=("trade", "transfer"), expires=scene.now))
    assert brought(other) is None


def test_the_main_account_needs_no_number() -> None:
    """Z10: 0 names the sender's first account and opens it with the first margin; one given away is its no more."""
    scene = scene_with()
    scene.give("t", "USDC", 10**12)
    add = orders.AddMargin(trading_account=0, token="USDC", amount=10**11)
    assert scene.refused("t", place(0, UNIT)) is Code.UNKNOWN_TRADING_ACCOUNT
    scene.must("t", add)
    scene.must("t", place(0, UNIT))
    scene.fill(1, "BTC", BTC)
    assert scene.leaf(CreditPosition, 1, "BTC").size == UNIT
    scene.must("t", orders.TransferTradingAccount(trading_account=0, to="u"))
    assert scene.refused("t", place(0, UNIT)) is Code.UNKNOWN_TRADING_ACCOUNT
    scene.must("t", add)
    assert scene.leaf(TradingAccount, 2).owner == "t"
