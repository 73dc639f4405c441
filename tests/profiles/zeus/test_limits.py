"""Where positions end: leverage, caps, reserves, funding and liquidation, each at its exact edge (E6, E8, E10, E11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.profiles.zeus.desk import DOLLAR, ETHER, founded, held, immediate, refused, set_parameter
from zlp import Venue
from zlp.engine import Code
from zlp.engine.branches.basket.assets import load_asset
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.leaves.isolated import Position
from zlp.engine.leaves.pool import PoolSettings

HOUR = 3_600
MARKET = '["main", "ETH"]'


@pytest.fixture
def venue() -> Venue:
    """A balanced pool of 750 ETH less fees, at once; no cap of the market is in the way."""
    found = immediate(founded())
    for field in ("max_long", "max_short", "max_position"):
        set_parameter(found, "MarketSettings", MARKET, field, 0)
    return found


def long(size: int, amount: int = ETHER) -> IncreasePosition:
    """A long of ``size`` (USD 1e30) backed by ``amount`` of ETH."""
    return IncreasePosition(
        pool="main", market="ETH", collateral="ETH", is_long=True, amount=amount, size_delta=size
    )  # fmt: skip


def short(size: int) -> IncreasePosition:
    """A short of ``size`` (USD 1e30) backed by 2,000 USDC."""
    return IncreasePosition(
        pool="main", market="ETH", collateral="USDC", is_long=False, amount=2_000 * 10**6, size_delta=size
    )  # fmt: skip


def at(venue: Venue, price: str) -> None:
    """ETH stands at a price, in all rounds that are sampled."""
    for _ in range(3):
        venue.set_prices(ETH=price, BTC="40000", USDC="1", USDT="1")


def liquidation(account: str = "alice") -> LiquidatePosition:
    """Of the long."""
    return LiquidatePosition(pool="main", account=account, market="ETH", collateral="ETH", is_long=True)


def test_thirty_times_and_not_a_unit_more(venue: Venue) -> None:
    """E6: 60,000 on the 2,000 that are left of 2,060 after the margin fee is exactly 30x."""
    amount = 103 * ETHER // 100
    assert refused(venue, "alice", long(60_000 * DOLLAR + 1, amount)) is Code.MAX_LEVERAGE_EXCEEDED
    venue.apply("alice", long(60_000 * DOLLAR, amount))

    position = venue.root.state.get(Position, ("main", "alice", "ETH", "ETH", True))
    assert position is not None
    assert (position.size, position.collateral_usd) == (60_000 * DOLLAR, 2_000 * DOLLAR)


@pytest.mark.parametrize(
    ("field", "action", "code"),
    [
        ("max_position", long, Code.MAX_POSITION_SIZE_EXCEEDED),
        ("max_long", long, Code.MAX_LONGS_EXCEEDED),
        ("max_short", short, Code.MAX_SHORTS_EXCEEDED),
        ("max_short_hard", short, Code.MAX_SHORTS_EXCEEDED),
    ],
)
def test_a_cap_is_reached_but_not_passed(
    venue: Venue, field: str, action: Callable[[int], IncreasePosition], code: Code
) -> None:
    """E10: the size that fills it is taken, one unit more is not; of longs what they owe counts."""
    set_parameter(venue, "MarketSettings", MARKET, field, 10_000 * DOLLAR)
    assert refused(venue, "alice", action(10_000 * DOLLAR + 1)) is code
    venue.apply("alice", action(10_000 * DOLLAR))


def test_no_profit_is_promised_that_the_pool_does_not_hold(venue: Venue) -> None:
    """E10: the reserve may take the last token that was there before the collateral came, and no more."""
    free = load_asset(venue.root.state, "main", "ETH").amount
    size = free * 2_000 * DOLLAR // ETHER
    beyond = long(size + 2_000 * DOLLAR // ETHER, 60 * ETHER)
    assert refused(venue, "alice", beyond) is Code.RESERVE_EXCEEDS_POOL
    venue.apply("alice", long(size, 60 * ETHER))

    asset = load_asset(venue.root.state, "main", "ETH")
    assert asset.reserved == free
    assert venue.audit() == []


@pytest.mark.parametrize(("use", "cents"), [(1, 100), (2, 50)])
def test_what_eight_hours_cost(venue: Venue, use: int, cents: int) -> None:
    """E8, E15: 0.01 % of $10,000 at full utilisation is $1.00, at half $0.50; for stables as for the others."""
    settings = venue.root.state.get(PoolSettings, ("main",))
    assert settings is not None
    assert settings.funding is not None
    for stable in (True, False):
        index, at_second = settings.funding.accrue(0, 7 * HOUR, 15 * HOUR, 10**18 // use, 10**18, stable)
        fee = settings.funding.fee(10_000 * DOLLAR, 0, index)
        assert (fee, at_second) == (cents * DOLLAR // 100, 15 * HOUR)


def test_funding_accrues_by_the_hour_and_is_paid_on_closing(venue: Venue) -> None:
    """E8: not a second before the hour is full; the collateral stays until the position is closed."""
    venue.advance(HOUR - venue.now % HOUR)
    at(venue, "2000")
    venue.apply("alice", long(10_000 * DOLLAR))
    before = load_asset(venue.root.state, "main", "ETH")
    key = ("main", "alice", "ETH", "ETH", True)
    opened = venue.root.state.get(Position, key)
    assert opened is not None
    close = DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, whole=True)

    venue.advance(HOUR - 1)
    assert venue.quote("alice", close).event("PositionChanged").carry_usd == 0
    venue.advance(1)
    at(venue, "2000")
    assert venue.root.state.get(Position, key) == opened
    rate = 125_000 * before.reserved // before.amount
    assert venue.apply("alice", close).event("PositionChanged").carry_usd == 10_000 * DOLLAR * rate // 10**10


def test_over_leverage_closes_without_a_fee(venue: Venue) -> None:
    """E11: 333.33 dollars carry 10,000 at 30x; with less the position goes, and what is left is its owner's."""
    venue.apply("alice", long(10_000 * DOLLAR))
    at(venue, "1668.66666667")
    assert refused(venue, "carol", liquidation()) is Code.POSITION_NOT_LIQUIDATABLE

    at(venue, "1668.66666666")
    before, liquidator = held(venue, "alice", "ETH"), held(venue, "carol", "ETH")
    venue.apply("carol", liquidation())

    left = (held(venue, "alice", "ETH") - before) * 166_866_666_666 * DOLLAR // 10**8 // ETHER
    assert 333 * DOLLAR < left < 334 * DOLLAR
    assert held(venue, "carol", "ETH") == liquidator
    assert venue.audit() == []


def test_the_liquidator_is_paid_when_the_fees_are_no_longer_covered(venue: Venue) -> None:
    """E11, E7: with exactly the fee of $5 left the owner still gets it; with less the liquidator does."""
    venue.apply("alice", long(10_000 * DOLLAR))
    at(venue, "1603")
    before = held(venue, "alice", "ETH")
    assert venue.quote("carol", liquidation()).event("PositionChanged").action == "close"

    at(venue, "1602.99999999")
    liquidator = held(venue, "carol", "ETH")
    event = venue.apply("carol", liquidation()).event("Liquidated")

    assert held(venue, "alice", "ETH") == before
    assert held(venue, "carol", "ETH") - liquidator == event.reward == 5 * 10**8 * ETHER // 160_299_999_999
    assert venue.audit() == []


@pytest.mark.parametrize(
    ("leaf", "key", "field", "most", "step"),
    [
        ("IsolatedSettings", '["main"]', "opening_fee_bps", 500, 1),
        ("IsolatedSettings", '["main"]', "closing_fee_bps", 500, 1),
        ("IsolatedSettings", '["main"]', "deposit_fee_bps", 500, 1),
        ("IsolatedSettings", '["main"]', "liquidation_fee", 100 * DOLLAR, 1),
        ("PoolSettings", '["main"]', "cooldown", 48 * HOUR, 1),
        ("PoolSettings", '["main"]', "fee_to_pool_bps", 10_000, 1),
        ("PoolSettings", '["main"]', "skew_surcharge_bps", 1_000, 1),
        ("PriceSettings", '["ETH"]', "spread.spread_bps", 50, 1),
        ("PriceSettings", '["ETH"]', "spread.adjustment_bps", 20, 1),
        ("PriceSettings", '["ETH"]', "sample_rounds", 16, 1),
        ("FastFeedSettings", "[]", "guard.price_duration", 1_800, 1),
        ("MarketSettings", MARKET, "max_leverage", 10_001, -1),
        ("RevenueSettings", '["main"]', "soulbound_bps", 10_000, 1),
    ],
)
def test_governance_stays_within_bounds(venue: Venue, leaf: str, key: str, field: str, most: int, step: int) -> None:
    """A8, E5, E7, E10: the outermost value is taken, the next one refused."""
    beyond = SetParameter(leaf=leaf, key=key, field=field, value=str(most + step))
    assert refused(venue, "governor", beyond) is Code.INVALID_SETTING
    set_parameter(venue, leaf, key, field, most)
