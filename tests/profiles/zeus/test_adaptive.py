"""Mechanisms compose: the basket pool with prices that lean on the skew (A1, N11)."""

from __future__ import annotations

from tests.profiles.zeus.desk import DOLLAR, ETHER, founded, immediate, refused, set_parameter
from zlp import Venue
from zlp.engine import Code
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition

SCALE = 300_000_000


def leaning() -> Venue:
    """A pool whose ETH market has the document's scale, at 1800."""
    venue = immediate(founded())
    pricing = f'{{"type":"adaptive_price","max_skew_scale":{SCALE * DOLLAR},"max_premium_bps":500}}'
    set_parameter(venue, "MarketSettings", '["main","ETH"]', "pricing", pricing)
    for _ in range(3):
        venue.set_prices(ETH="1800", BTC="40000", USDC="1", USDT="1")
    return venue


def opening(dollars: int, is_long: bool, amount: int) -> IncreasePosition:
    """A position of some size."""
    return IncreasePosition(
        pool="main",
        market="ETH",
        collateral="ETH" if is_long else "USDC",
        is_long=is_long,
        amount=amount,
        size_delta=dollars * DOLLAR,
    )


def test_the_documents_adaptive_price_on_an_isolated_position() -> None:
    """N11 on a basket pool: a long of a million pays 1803 (rounded down), then a short of half of it gets 1804.5."""
    venue = leaning()

    bought = venue.apply("alice", opening(1_000_000, True, 60 * ETHER)).event("PositionChanged")
    sold = venue.apply("bob", opening(500_000, False, 60_000 * 10**6)).event("PositionChanged")

    assert bought.price == 1_802_9999999999999999999999999988_00
    assert sold.price == 1_804_4999999999999999999999999982_00
    assert venue.audit() == []


def test_closing_undoes_the_premium() -> None:
    """N11: with nobody else in the market a position closes at what it opened at."""
    venue = leaning()
    venue.apply("alice", opening(1_000_000, True, 60 * ETHER))
    close = DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, whole=True)

    closed = venue.apply("alice", close).event("PositionChanged")

    assert abs(closed.pnl_usd) < DOLLAR // 10**20
    assert venue.audit() == []


def test_no_skew_blocks_a_close() -> None:
    """A7, E10: past its bound the premium stops; opening further is refused, closing goes on."""
    venue = immediate(founded())
    pricing = f'{{"type":"adaptive_price","max_skew_scale":{1_000 * DOLLAR},"max_premium_bps":500}}'
    venue.apply("alice", opening(100_000, True, 20 * ETHER))
    set_parameter(venue, "MarketSettings", '["main","ETH"]', "pricing", pricing)

    assert refused(venue, "alice", opening(10_000, True, ETHER)) is Code.PREMIUM_TOO_LARGE
    close = DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, whole=True)
    closed = venue.apply("alice", close).event("PositionChanged")
    assert closed.price == 2_100 * DOLLAR
    assert venue.audit() == []


def test_a_market_that_leans_needs_a_bound() -> None:
    """A8: governance can't set a premium without a bound on isolated positions."""
    venue = founded()
    pricing = f'{{"type":"adaptive_price","max_skew_scale":{DOLLAR}}}'
    change = SetParameter(leaf="MarketSettings", key='["main","ETH"]', field="pricing", value=pricing)

    assert refused(venue, "governor", change) is Code.INVALID_SETTING
