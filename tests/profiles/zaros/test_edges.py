"""Limits met exactly, to the unit: what still passes, and what does not any more."""

from __future__ import annotations

from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine.branches.credit.markets import total_debt
from zlp.engine.branches.credit.values import checked
from zlp.engine.branches.credit_positions.health import account_of, health
from zlp.engine.commands import credit, liquidity, stability
from zlp.engine.commands import credit_positions as orders
from zlp.engine.fixed import USD
from zlp.engine.leaves.credit import CreditCollateral, CreditMarketSettings, ReportFeed
from zlp.engine.leaves.credit_positions import CreditPosition
from zlp.engine.leaves.stability import StabilitySettings
from zlp.engine.rejections import Code

BTC = 100_000 * USD
E12 = 10**12
"""USD at 1e30 in a base unit of the stable token."""


def scene_with(**terms: int) -> CreditVenue:
    """One market with two million USD of credit behind it."""
    scene = CreditVenue([market(**terms), vault("v", "ETHx")])
    scene.deposit("lp", "v", 1_000 * UNIT)
    return scene


def place(number: int, delta: int) -> orders.PlaceCreditOrder:
    """A market order in BTC."""
    return orders.PlaceCreditOrder(trading_account=number, market="BTC", size_delta=delta)


def test_above_a_cap_a_flip_of_the_same_size_does_not_pass() -> None:
    """Z10: only what lowers the open interest, or the skew, may pass above its cap; what leaves it as it is may not."""
    for field, code in (
        ("max_open_interest", Code.MAX_OPEN_INTEREST_EXCEEDED),
        ("max_skew", Code.MAX_SKEW_EXCEEDED),
    ):
        scene = scene_with()
        number = scene.trader("t", USDC=10**11)
        scene.trade("t", number, "BTC", UNIT, BTC)
        scene.configure(replace(scene.leaf(CreditMarketSettings, "BTC"), **{field: UNIT // 2}))
        assert scene.refused("t", place(number, -2 * UNIT)) is code
        scene.must("t", place(number, -UNIT))


def test_caps_may_be_used_up() -> None:
    """Z10, Z2: open interest, skew, margin and a deposit of just the cap; the next base unit is one too many."""
    scene = scene_with(max_open_interest=UNIT, max_skew=UNIT)
    scene.configure(replace(scene.leaf(CreditCollateral, "USDC"), margin_cap=10**10))
    number = scene.trader("t", USDC=10**10)
    scene.give("t", "USDC", 1)
    one_more = orders.AddMargin(trading_account=number, token="USDC", amount=1)
    assert scene.refused("t", one_more) is Code.MARGIN_CAP_EXCEEDED
    assert scene.refused("t", place(number, UNIT + 1)) is Code.MAX_OPEN_INTEREST_EXCEEDED
    scene.must("t", place(number, UNIT))

    scene.configure(vault("w", "WETH", deposit_cap=10 * UNIT))
    scene.give("lp", "WETH", 10 * UNIT + 1)
    scene.must("lp", liquidity.Mint(pool="w", token="WETH", amount=10 * UNIT))
    assert scene.refused("lp", liquidity.Mint(pool="w", token="WETH", amount=1)) is Code.DEPOSIT_CAP_EXCEEDED


def test_the_least_margin_is_enough() -> None:
    """Z10: an order whose margin is just what it needs is taken; a base unit less is not."""
    scene = scene_with()
    poor = scene.trader("p", USDz=UNIT)
    refused = scene.send("p", place(poor, UNIT)).rejection
    assert refused is not None
    assert refused.code is Code.INSUFFICIENT_MARGIN
    assert refused.limit is not None
    assert refused.limit % E12 == 0
    needed = refused.limit // E12
    assert scene.refused("q", place(scene.trader("q", USDz=needed - 1), UNIT)) is Code.INSUFFICIENT_MARGIN
    scene.must("e", place(scene.trader("e", USDz=needed), UNIT))


def test_just_the_initial_margin_may_stay_behind() -> None:
    """Z10: all above it can be withdrawn, and not a base unit more."""
    scene = scene_with()
    number = scene.trader("t", USDz=10_000 * UNIT)
    scene.trade("t", number, "BTC", UNIT, BTC)
    draft = scene.draft()
    state = health(draft, account_of(draft, number))
    spare = (state.margin - state.initial) // E12
    assert state.margin - state.initial == spare * E12
    more = orders.RemoveMargin(trading_account=number, token="USDz", amount=spare + 1)
    assert scene.refused("t", more) is Code.INSUFFICIENT_MARGIN
    scene.must("t", replace(more, amount=spare))


def test_the_smallest_trade_and_the_smallest_rest() -> None:
    """Z10: a trade of just the minimum passes, and one that leaves less than it behind does not."""
    scene = scene_with()
    number, least = scene.trader("t", USDC=10**11), UNIT // 1_000
    assert scene.refused("t", place(number, least - 1)) is Code.TRADE_TOO_SMALL
    scene.trade("t", number, "BTC", least, BTC)
    scene.trade("t", number, "BTC", least, BTC)
    assert scene.refused("t", place(number, 1 - 2 * least)) is Code.TRADE_TOO_SMALL
    scene.trade("t", number, "BTC", -2 * least, BTC)
    assert scene.root.state.get(CreditPosition, (number, "BTC")) is None


def test_a_report_is_good_to_its_last_second_and_its_last_basis_point() -> None:
    """Z6, A7: just as old, just expiring and just as far from the posted price as allowed."""
    scene = scene_with()
    scene.configure(ReportFeed("BTC", "BTC/USD", max_age=60, max_deviation_bps=100))
    for fields in ({"valid_from": scene.now - 60}, {"expires": scene.now}, {"price": 101_000 * USD}):
        report = scene.report("BTC", fields.pop("price", BTC), **fields)
        assert checked(scene.draft(), "BTC", report) == report
    beyond = scene.report("BTC", 101_010 * USD)
    assert scene.refused("keeper", orders.FillSignedOrders(market="BTC", orders=(), report=beyond)) is (
        Code.REPORT_DEVIATES
    )


def test_a_swap_is_fulfilled_in_its_last_second() -> None:
    """Z6: the keeper may until the deadline, and not after it."""
    scene = scene_with()
    scene.give("h", "USDz", 2_000 * UNIT)
    last = scene.leaf(StabilitySettings).max_execution_time
    swaps = [
        scene.must("h", stability.RequestStableSwap(vault="v", amount=1_000 * UNIT)).events[-1].swap for _ in range(2)
    ]
    scene.now += last
    report = scene.report("ETHx", 2_000 * USD)
    scene.must("keeper", stability.FulfilStableSwap(swap=swaps[0], report=report))
    scene.now += 1
    late = stability.FulfilStableSwap(swap=swaps[1], report=scene.report("ETHx", 2_000 * USD))
    assert scene.refused("keeper", late) is Code.STABLE_SWAP_EXPIRED


def test_a_market_whose_credit_is_just_used_up_pays_nothing() -> None:
    """Z3: a profit is refused, and so kept, rather than closed for nothing."""
    scene = scene_with()
    number = scene.trader("t", USDC=10**11)
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.price(BTC=101_000)
    scene.must("t", place(number, -UNIT))
    debt = total_debt(scene.draft(), scene.leaf(CreditMarketSettings, "BTC"))
    state = scene.market("BTC")
    scene.put(replace(state, issued=state.issued + state.delegated - debt))
    fill = orders.FillCreditOrder(trading_account=number, report=scene.report("BTC", 101_000 * USD))
    assert scene.refused("keeper", fill) is Code.INSUFFICIENT_CREDIT_CAPACITY
    scene.put(replace(scene.market("BTC"), issued=scene.market("BTC").issued - USD))
    scene.must("keeper", fill)


def test_redeeming_to_the_delay() -> None:
    """Z2: not a second before it, and in that second."""
    scene = CreditVenue([market(), vault("v", "ETHx", withdrawal_delay=60)])
    shares = scene.deposit("lp", "v", UNIT)
    request = scene.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1]
    scene.now += 59
    redeem = credit.RedeemShares(redemption=request.redemption)
    assert scene.refused("lp", redeem) is Code.REDEMPTION_TOO_EARLY
    scene.now += 1
    scene.must("lp", redeem)


def test_a_market_without_credit_stops_no_liquidation() -> None:
    """Z3, Z10: the profit of one position can't be paid; the loss of another is taken all the same."""
    scene = CreditVenue([market("BTC"), market("ETH"), vault("v", "ETHx", markets=(("BTC", 1), ("ETH", 1)))])
    scene.deposit("lp", "v", 1_000 * UNIT)
    number = scene.trader("t", USDC=3_000 * 10**6)
    scene.trade("t", number, "BTC", UNIT, BTC)
    scene.trade("t", number, "ETH", 40 * UNIT, 2_000 * USD)
    scene.price(BTC=101_000, ETH=1_900)
    state = scene.market("BTC")
    scene.put(replace(state, issued=state.issued + state.delegated))
    scene.must("liquidator", orders.LiquidateTradingAccount(trading_account=number))
    assert scene.supply("USDz") == 0
    assert scene.balance(f"margin:{number}", "USDC") == 0
