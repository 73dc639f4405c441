"""Prices that lean against the skew, and their calculator (N11)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.profiles.zeno.venue import USD, Venue
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.rejections import Code
from zlp.quotes.adaptive_price import adaptive_price

SCALE = 300_000_000 * USD
skews = st.integers(-200_000_000, 200_000_000).map(lambda usd: usd * USD)


def test_worked_example_in_the_calculator() -> None:
    """N11: the integer rule, the exact rationals, and the document's figures from ratios of 8 digits."""
    alice = adaptive_price(1_800 * USD, 0, 1_000_000 * USD, SCALE)
    bob = adaptive_price(1_800 * USD, 1_000_000 * USD, -500_000 * USD, SCALE)

    assert alice.price == 1802_9999999999999999999999999988 * 100
    assert bob.price == 1804_4999999999999999999999999982 * 100
    assert (alice.exact, bob.exact) == (Fraction(1803), Fraction("1804.5"))
    assert (alice.rounded, bob.rounded) == (Fraction("1802.999997"), Fraction("1804.5"))


def test_worked_example_in_the_venue() -> None:
    """N11: Alice and Bob trade on the shipped profile and enter at these prices."""
    venue = Venue()
    venue.fund()
    for owner in ("alice", "bob"):
        venue.margin(owner, "m.USDC", 50_000)

    assert venue.trade("alice", "ETH", 1_000_000) is None
    assert venue.trade("bob", "ETH", -500_000) is None

    alice, bob = venue.position("alice", "ETH"), venue.position("bob", "ETH")
    assert alice is not None
    assert bob is not None
    assert alice.average_price == 1802_9999999999999999999999999988 * 100
    assert bob.average_price == 1804_4999999999999999999999999982 * 100


@given(skew=skews, delta=skews, price=st.integers(1, 10**6).map(lambda usd: usd * USD))
def test_price_is_the_exact_mean_rounded_toward_the_oracle(skew: int, delta: int, price: int) -> None:
    """N11: within two units of the ratio's scale of the mean of the prices before and after."""
    found = AdaptivePrice(max_skew_scale=SCALE).execution_price(price, skew, delta)
    exact = Fraction(price) * (1 + Fraction(2 * skew + delta, 2 * SCALE))

    assert abs(exact - found) <= 2 * Fraction(price, USD) + 1


@given(skew=skews, delta=skews)
def test_going_and_coming_back_costs_nothing_and_earns_nothing(skew: int, delta: int) -> None:
    """N11: a trade and its reverse meet the same premium, so the skew alone cannot be traded against."""
    price = AdaptivePrice(max_skew_scale=SCALE)

    there = price.execution_price(1_800 * USD, skew, delta)
    assert there == price.execution_price(1_800 * USD, skew + delta, -delta)


def test_without_a_scale_the_price_is_the_oracles() -> None:
    """N11: scale 0 switches the mechanism off."""
    assert AdaptivePrice().execution_price(1_800 * USD, 10**40, 10**40) == 1_800 * USD


def test_a_premium_that_leaves_no_price_is_refused() -> None:
    """N11, A4: no negative prices, and no calculator that shows one."""
    with pytest.raises(ValueError, match="no price is left"):
        adaptive_price(1_800 * USD, -2 * SCALE, 0, SCALE)


def test_slippage_is_measured_on_the_adaptive_price() -> None:
    """N11: a buy must execute strictly below its acceptable price."""
    venue = Venue()
    venue.fund()
    venue.margin("alice", "m.USDC", 50_000)
    price = 1802_9999999999999999999999999988 * 100

    assert venue.trade("alice", "ETH", 1_000_000, acceptable_price=price) is Code.PRICE_ABOVE_ACCEPTABLE
    assert venue.trade("alice", "ETH", 1_000_000, acceptable_price=price + 1) is None
