"""How all shorts of a market are valued together: soundly, or as the reference does with its defect (E10, E11)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.venue import USD, Venue
from zlp.engine import Receipt
from zlp.engine.branches.basket.valuation import pool_value
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.commands.liquidity import Mint
from zlp.engine.leaves.isolated import Market, Position
from zlp.engine.rejections import Code

ETH = {"pool": "mixed", "market": "ETH", "collateral": "USDC", "is_long": False}
TRADERS = ("ann", "ben", "cat", "dan")


def opened(shorts: str = "sound", spread_bps: int = 10) -> Venue:
    """A pool of 40 million USD with plain fees, and traders with money; positions are taken at once."""
    venue = Venue("mixed")
    venue.post()
    for field, value in (("shorts", {"type": shorts}), ("minimum_profit_time", 0), ("closing_fee_bps", 0)):
        parameter(venue, "IsolatedSettings", ["mixed"], field, value)
    parameter(venue, "PriceSettings", ["ETH"], "spread.spread_bps", spread_bps)
    parameter(venue, "PriceSettings", ["ETH"], "sample_rounds", 1)
    parameter(venue, "MarketSettings", ["mixed", "ETH"], "max_leverage", 500_000)
    for account in ("lp", *TRADERS):
        for token in venue.pool.tokens:
            venue.ask("bridge", Deposit(account=account, token=token, amount=venue.amount(token, 10_000_000)))
    for token in venue.pool.tokens:
        venue.ask("lp", Mint(pool="mixed", token=token, amount=venue.amount(token, 9_000_000)))
    return venue


def parameter(venue: Venue, leaf: str, key: list[str], field: str, value: object) -> None:
    """Governance sets a number."""
    command = SetParameter(leaf=leaf, key=json.dumps(key), field=field, value=json.dumps(value))
    assert venue.ask("governor", command).rejection is None


def short(venue: Venue, account: str, usd: int, collateral: int) -> Receipt:
    """Sell ETH for so many USD against so many USDC."""
    amount = venue.amount("USDC", collateral)
    return venue.ask(account, IncreasePosition(**ETH, amount=amount, size_delta=usd * USD))


def close(venue: Venue, account: str) -> Receipt:
    """Buy all of it back."""
    position = held(venue, account)
    assert position is not None
    return venue.ask(account, DecreasePosition(**ETH, size_delta=position.size))


def held(venue: Venue, account: str) -> Position | None:
    """The account's short."""
    return venue.root.state.get(Position, ("mixed", account, "USDC", "ETH", False))


def move(venue: Venue, usd: int) -> None:
    """ETH trades at so many USD."""
    venue.post(ETH=usd * 10**8)


def drifted(shorts: str) -> Venue:
    """Four equal top-ups of one short while ETH falls, with a spread, and a small second short left over."""
    venue = opened(shorts, spread_bps=50)
    move(venue, 3_000)
    assert short(venue, "ben", 60, 20).rejection is None
    for _ in range(4):
        assert short(venue, "ann", 20_000, 5_000).rejection is None
    return venue


def test_the_reference_blocks_a_close_that_the_sound_average_allows() -> None:
    """E10: nearly all shorts close after their averages drifted apart; the tracker underflows, sums do not."""
    for shorts, expected in (("reference", Code.ARITHMETIC_UNDERFLOW), ("sound", None)):
        venue = drifted(shorts)
        move(venue, 1_000)
        receipt = close(venue, "ann")
        assert (None if receipt.rejection is None else receipt.rejection.code) is expected, shorts


def test_the_sound_sums_return_to_zero() -> None:
    """When every short is closed nothing of them is left, in any order of closing."""
    venue = drifted("sound")
    move(venue, 1_500)
    for account in ("ben", "ann"):
        assert close(venue, account).rejection is None
    market = venue.root.state.get(Market, ("mixed", "ETH"))
    assert market is not None
    assert (market.shorts.size, market.shorts.entry_tokens) == (0, 0)


def test_a_liquidation_is_never_blocked_by_the_sums() -> None:
    """E11: the losing short goes although a winning one makes nearly all of the market."""
    venue = drifted("sound")
    move(venue, 10_000)
    for account in ("ann", "ben"):
        receipt = venue.ask("keeper", LiquidatePosition(**ETH, account=account))
        assert receipt.rejection is None
    assert venue.faults() == []


trades = st.lists(
    st.tuples(
        st.sampled_from(TRADERS),
        st.sampled_from(("open", "open", "part", "close")),
        st.integers(1, 400_000),
        st.integers(600, 9_000),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(trades=trades, last=st.integers(600, 9_000))
def test_the_pool_value_is_the_sum_over_positions(trades: list[tuple[str, str, int, int]], last: int) -> None:
    """E2, E10: after any shorts at any prices the value lies within dust below the exact sum, never above it.

    And every short that is in profit can be closed whole.
    """
    venue = opened()
    for account, action, usd, price in trades:
        move(venue, price)
        position = held(venue, account)
        if action == "open":
            short(venue, account, usd, usd // 5 + 10)
        elif position is not None:
            size = position.size if action == "close" else position.size * usd // 400_001
            venue.ask(account, DecreasePosition(**ETH, size_delta=size))
    move(venue, last)
    for maximise in (False, True):
        fast = pool_value(venue.root.state, venue.pool, venue.now, maximise=maximise)
        exact = venue.value(maximise=maximise)
        assert exact - venue.dust() <= fast <= exact
    for account in TRADERS:
        position = held(venue, account)
        if position is not None and position.average > venue.price("ETH")[1]:
            assert close(venue, account).rejection is None
    assert venue.faults() == []


@pytest.mark.parametrize("price", [1_500, 2_999, 3_000, 3_001, 6_000])
def test_both_agree_on_one_short(price: int) -> None:
    """With a single short nothing can drift: both values are the same to within dust."""
    values = []
    for shorts in ("reference", "sound"):
        venue = opened(shorts)
        move(venue, 3_000)
        short(venue, "ann", 100_000, 30_000)
        move(venue, price)
        values.append(pool_value(venue.root.state, venue.pool, venue.now, maximise=True))
    assert abs(values[0] - values[1]) <= venue.dust()


def test_the_pool_covers_collateral_that_lost_its_value() -> None:
    """A3, E10: 10,000 DAI back a short; DAI falls to half a dollar; the trader still gets 10,000 USD less fees.

    The tokens the collateral lacks come from the pool, and every claim on it still holds.
    """
    venue = opened()
    dai = {**ETH, "collateral": "DAI"}
    assert venue.ask("ann", IncreasePosition(**dai, amount=10_000 * 10**18, size_delta=20_000 * USD)).accepted
    venue.post(DAI=5 * 10**7)
    before = venue.held("ann", "DAI")
    assert venue.ask("ann", DecreasePosition(**dai, size_delta=20_000 * USD)).accepted
    paid = venue.held("ann", "DAI") - before
    assert 19_800 * 10**18 < paid < 20_000 * 10**18
    assert venue.faults() == []
