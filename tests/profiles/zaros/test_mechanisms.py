"""The formulas of the credit design against exact rationals and against what they promise."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tests.profiles.zaros.venue import CURVE, UNIT, CreditVenue, market, vault
from zlp.engine.commands import governance, stability
from zlp.engine.fixed import RATE, USD
from zlp.engine.mechanisms.credit import assets_for, lent, net_assets, part_of, per_credit, recipient_parts, shares_for
from zlp.engine.mechanisms.deleverage_curve import DeleverageCurve
from zlp.engine.mechanisms.power import power, square_root
from zlp.engine.mechanisms.skew import MakerTakerFee, SkewFunding, SkewPrice, profit
from zlp.engine.mechanisms.stability import StableSwap
from zlp.engine.rejections import Code

RATIO = st.integers(0, RATE)
MONEY = st.integers(1, 10**12 * USD)
SIZE = st.integers(-(10**6) * UNIT, 10**6 * UNIT)
PRICE = st.integers(USD, 10**6 * USD)
MARK = SkewPrice(skew_scale=10**7 * UNIT)


@given(value=st.integers(0, 10**60))
def test_square_roots_are_exact(value: int) -> None:
    """Z5: the root squared is not above the value, the next one's square is."""
    root = square_root(value)
    assert root * root <= value < (root + 1) ** 2


@given(base=RATIO, whole=st.integers(1, 6), halves=st.integers(0, 1))
def test_powers_agree_with_rationals(base: int, whole: int, halves: int) -> None:
    """Z5, Z6: whole and half exponents, to two units of 1e-18."""
    exponent = whole * RATE + halves * RATE // 2
    exact = Fraction(base, RATE) ** whole * RATE
    if halves:
        exact = exact * Fraction(square_root(base * 10**42), square_root(RATE * 10**42))
    assert abs(power(base, exponent) - exact) <= 2


@given(base=RATIO, low=st.integers(1, 5 * RATE), more=st.integers(1, RATE))
def test_a_higher_power_of_a_share_is_lower(base: int, low: int, more: int) -> None:
    """Z5: any exponent, not only round ones."""
    assert power(base, low + more) <= power(base, low) + 1


@given(first=st.integers(0, RATE), second=st.integers(0, RATE), exponent=st.integers(RATE // 4, 4 * RATE))
def test_the_payout_never_rises_with_debt(first: int, second: int, exponent: int) -> None:
    """Z5: whole before the start, nothing from the end, never more for more debt."""
    curve = DeleverageCurve(start=RATE // 2, end=6 * RATE // 10, exponent=exponent)
    less, more = sorted((first, second))
    assert curve.payout_factor(RATE, less) <= RATE
    assert curve.payout_factor(RATE, less) + 1 >= curve.payout_factor(RATE, more) >= 0
    assert curve.payout_factor(RATE, RATE // 2) == RATE
    assert curve.payout_factor(RATE, 6 * RATE // 10) == 0
    assert curve.payout_factor(RATE, -less) == RATE


@given(debt=MONEY, assets=MONEY)
def test_premium_and_discount_mirror_each_other(debt: int, assets: int) -> None:
    """Z6: a vault in debt pays what one as deep in credit takes, between nothing and 10 %."""
    up, down = CURVE.factor(assets, debt), CURVE.factor(assets, -debt)
    assert up - RATE == RATE - down
    assert 0 <= up - RATE <= RATE // 10


@given(st.integers(500, 10**9), st.integers(1, 10**8), st.integers(0, 9 * RATE // 10), st.sampled_from((6, 8, 12)))
def test_a_swap_rounds_once_whatever_the_decimals(usd: int, price: int, share: int, decimals: int) -> None:
    """Z6: amounts are reckoned at 18 decimals, and what a token with fewer can't hold is cut off at the end only."""
    terms = StableSwap(base_fee_usd=USD, fee_bps=30 * RATE, curve=CURVE)
    given = (usd * USD // 100, price * USD // 100)
    exact = terms.amounts(*given, RATE, 10**12 * USD, 0, share)
    paid = terms.amounts(*given, 10**decimals, 10**12 * USD, 0, share)
    assert paid.to_user == exact.to_user // 10 ** (18 - decimals)
    assert paid.to_protocol == exact.to_protocol // 10 ** (18 - decimals)
    assert paid.gross == paid.to_user + paid.base_fee + paid.swap_fee


@given(index=PRICE, sizes=st.lists(SIZE, min_size=1, max_size=4))
def test_every_order_of_closing_pays_the_same(index: int, sizes: list[int]) -> None:
    """Z4, Z10: the market's closing value is what closing all positions exchanges, in whatever order."""
    skew = sum(sizes)
    closing = MARK.closing_value(index, skew)
    for order in permutations(sizes):
        left, paid = skew, Fraction(0)
        for size in order:
            paid += Fraction(size * MARK.mark(index, left, -size), RATE)
            left -= size
        assert abs(paid - closing) <= 2 + sum(abs(size) for size in sizes) / RATE


@given(index=PRICE, skew=SIZE, size=SIZE, delta=SIZE, entry=PRICE)
def test_a_trade_at_its_mark_leaves_the_debt(index: int, skew: int, size: int, delta: int, entry: int) -> None:
    """Z4: realised profit and the change of the closing value cancel, so no LP gains by a trade's moment."""
    price = MARK.mark(index, skew, delta)
    before = MARK.closing_value(index, skew) - Fraction(size * entry, RATE)
    after = MARK.closing_value(index, skew + delta) - Fraction((size + delta) * price, RATE)
    assert abs(after + profit(size, entry, price) - before) <= 3 + (abs(size) + abs(delta)) / RATE


@given(skew=SIZE, delta=SIZE, mark=PRICE)
def test_makers_pay_no_more_than_takers(skew: int, delta: int, mark: int) -> None:
    """Z10: the fee lies between all made and all taken; an order split where the skew turns pays the same."""
    fees = MakerTakerFee(maker=4 * 10**14, taker=8 * 10**14)
    fee = fees.fee(skew, delta, mark)
    assert abs(delta) * 4 * 10**14 * mark // RATE**2 <= fee <= abs(delta) * 8 * 10**14 * mark // RATE**2 + 1
    if skew * (skew + delta) < 0:
        assert abs(fees.fee(skew, -skew, mark) + fees.fee(0, skew + delta, mark) - fee) <= 1


@given(skew=SIZE, first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_funding_rates_add_up_over_time(skew: int, first: int, second: int) -> None:
    """Z10: two accruals in a row are one over both, but for rounding; the velocity is bounded."""
    funding = SkewFunding(max_velocity=3 * 10**16, skew_scale=10**7 * UNIT)
    whole = funding.rate(0, skew, first + second)
    assert abs(funding.rate(funding.rate(0, skew, first), skew, second) - whole) <= 1
    assert abs(funding.velocity(skew * 10**6)) <= 3 * USD // 100


@given(amount=st.integers(-(10**40), 10**40), lenders=st.lists(MONEY, min_size=1, max_size=8))
def test_parts_of_an_index_never_exceed_the_whole(amount: int, lenders: list[int]) -> None:
    """Z4: what vaults receive of a distribution is the whole less at most a unit for each."""
    index = per_credit(amount, sum(lenders))
    parts = [part_of(index, credit) for credit in lenders]
    assert 0 <= abs(amount) - abs(sum(parts)) <= len(lenders)


@given(capacity=st.integers(-(10**40), 10**40), weights=st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_credit_by_weight_stays_within_capacity(capacity: int, weights: list[int]) -> None:
    """Z3: the sum of what a vault lends never exceeds what it has."""
    assert sum(lent(capacity, weight, sum(weights)) for weight in weights) <= max(0, capacity)


@given(
    assets=st.integers(0, 10**24),
    supply=st.integers(0, 10**24),
    amount=st.integers(1, 10**22),
    decimals=st.sampled_from((6, 8, 18)),
)
def test_in_and_out_again_gains_nothing(assets: int, supply: int, amount: int, decimals: int) -> None:
    """Z2: shares round against who asks, in both directions."""
    net = net_assets(assets, decimals, 0, USD)
    shares = shares_for(amount, net, supply)
    assert assets_for(shares, net + amount, supply + shares) <= amount


@given(amount=st.integers(0, 10**30), shares=st.lists(st.integers(1, RATE // 10), min_size=1, max_size=9))
def test_recipients_receive_everything(amount: int, shares: list[int]) -> None:
    """Z7: the parts add up to the amount and none is negative."""
    parts = recipient_parts(amount, tuple(shares))
    assert sum(parts) == amount
    assert min(parts) >= 0


def test_branches_leave_and_come_back_while_the_venue_runs() -> None:
    """Z1: without its branch a command is unknown; with the branch added again it works, the state as it was."""
    scene = CreditVenue([market(), vault("v", "ETHx")])
    scene.deposit("lp", "v", 100 * UNIT)
    scene.give("t", "USDz", 100 * UNIT)
    ask = stability.RequestStableSwap(vault="v", amount=100 * UNIT)
    for action in ("remove", "add"):
        cut = governance.BranchCut(action=action, branch="stability", version=1)
        scene.must("governor", governance.UpgradeBranches(cuts=(cut,)))
        if action == "remove":
            assert scene.refused("t", ask) is Code.UNKNOWN_COMMAND
    scene.must("t", ask)
