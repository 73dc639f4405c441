"""Blending: what is dropped and why, median and depth, conversion, and the decision the guard makes of it."""

import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.engine.mechanisms.price_guard import Spread
from zlp.oracle.blending import Blend, BlendSettings, blend, median, to_usd
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.decision import GuardSettings, PriceState, decide
from zlp.oracle.observation import Observation

NOW = 1_700_000_000
PRICES = st.integers(10**20, 10**40)


def seen(source: str, price: str, *, age: int = 0, depth: int | None = 10**30, quote: str = "USD") -> Observation:
    return Observation(
        source=source, asset="ETH", price_e30=price_from_text(price), observed_at=NOW - age, received_at=NOW,
        depth_e30=depth, quote=quote,
    )  # fmt: skip


def test_the_median_of_three() -> None:
    """E5: the middle price wins, the blend is as old as its oldest part."""
    made = blend("ETH", [seen("a", "1801"), seen("b", "1800", age=7), seen("c", "1799")], BlendSettings(), NOW)
    assert (made.price_e30, made.observed_at) == (price_from_text("1800"), NOW - 7)
    assert (made.used, made.dropped) == (("a", "b", "c"), {})


def test_by_depth() -> None:
    """E5: with depth each price counts by what is offered; without depth it does not count."""
    settings = BlendSettings(method="depth")
    pair = [seen("a", "100", depth=3 * 10**30), seen("b", "100.5", depth=10**30)]
    assert blend("ETH", pair, settings, NOW).price_e30 == price_from_text("100.125")
    made = blend("ETH", [*pair, seen("c", "100", depth=None)], settings, NOW)
    assert made.dropped == {"c": "it gives no depth"}


@pytest.mark.parametrize(
    ("third", "reason"),
    [
        (seen("c", "1800", age=11), "11 s old"),
        (seen("c", "1800", age=-4), "its clock is 4 s ahead"),
        (seen("c", "1818.2"), "further than 100 bps from the median"),
        (seen("c", "9"), "further than 100 bps from the median"),
        (seen("c", "1800", quote="USDT"), "there is no price of USDT"),
    ],
)
def test_what_is_dropped_and_why(third: Observation, reason: str) -> None:
    """A7: lag, clock skew, spikes, garbage prices and unknown quotes are dropped by name; two good ones remain."""
    made = blend("ETH", [seen("a", "1800"), seen("b", "1800.1"), third], BlendSettings(), NOW)
    assert made.used == ("a", "b")
    assert made.dropped == {"c": reason}
    assert made.price_e30 is not None


def test_limits_are_inclusive() -> None:
    """A7: exactly the maximum age, skew and distance are still used."""
    edge = [seen("a", "100", age=10), seen("b", "100", age=-3), seen("c", "101")]
    assert blend("ETH", edge, BlendSettings(), NOW).used == ("a", "b", "c")


@pytest.mark.parametrize(
    ("observations", "reason"),
    [
        ([], "0 of 2 needed sources are fresh"),
        ([seen("a", "1800")], "1 of 2 needed sources are fresh"),
        ([seen("a", "1800"), seen("b", "1800", age=60)], "1 of 2 needed sources are fresh"),
        ([seen("a", "1800"), seen("b", "1900")], "the sources disagree: 0 of 2 agree"),
        ([seen("a", "1"), seen("b", "100"), seen("c", "10000")], "the sources disagree: 1 of 2 agree"),
    ],
)
def test_too_few_sources_give_no_price(observations: list[Observation], reason: str) -> None:
    """A7: silence of all but one, and disagreement, end in no price rather than a guess."""
    made = blend("ETH", observations, BlendSettings(), NOW)
    assert (made.price_e30, made.reason, made.used) == (None, reason, ())


def test_conversion_from_the_quote_asset() -> None:
    """A7: a price in a stable coin is worth what the coin is worth, not one dollar by assumption."""
    rates = {"USDC": price_from_text("0.875")}
    converted = to_usd(seen("a", "2000", quote="USDC"), rates)
    assert converted is not None
    assert (converted.price_e30, converted.quote) == (price_from_text("1750"), "USD")
    assert converted.depth_e30 == 875 * 10**27
    pair = [seen("a", "2000", quote="USDC"), seen("b", "1750")]
    assert blend("ETH", pair, BlendSettings(), NOW, rates).price_e30 == price_from_text("1750")


@given(st.lists(PRICES, min_size=1, max_size=9))
def test_the_median_is_exact(prices: list[int]) -> None:
    """A3: the median equals the exact one, rounded down."""
    assert median(prices) == statistics.median([Fraction(price) for price in prices]) // 1


@given(
    st.lists(st.tuples(PRICES, st.integers(1, 10**40)), min_size=2, max_size=6), st.sampled_from(["median", "depth"])
)
def test_a_blend_lies_between_what_it_used(parts: list[tuple[int, int]], method: str) -> None:
    """A3, A7: no blend leaves the range of its sources, and no used source is an outlier."""
    observations = [
        Observation(source=str(n), asset="X", price_e30=price, observed_at=NOW, received_at=NOW, depth_e30=depth)
        for n, (price, depth) in enumerate(parts)
    ]
    made = blend("X", observations, BlendSettings(method=method), NOW)  # type: ignore[arg-type]
    used = [one.price_e30 for one in observations if one.source in made.used]
    if made.price_e30 is None:
        assert not used
        return
    assert min(used) <= made.price_e30 <= max(used)
    middle = median([price for price, _ in parts])
    assert all(abs(price - middle) * 10_000 <= 100 * middle for price in used)
    assert set(made.used) | set(made.dropped) == {one.source for one in observations}


def fast(price: str, age: int = 0) -> Blend:
    return Blend(asset="ETH", price_e30=price_from_text(price), observed_at=NOW - age, used=("a",), dropped={})


ROUNDS = [price_from_text(text) for text in ("1790", "1810", "1800")]


@pytest.mark.parametrize(
    ("last", "sample", "state", "low", "high", "deviation"),
    [
        (fast("1801"), 1, PriceState.FAST, "1801", "1801", 5),
        (fast("1845"), 1, PriceState.FAST, "1845", "1845", 250),
        (fast("1846"), 1, PriceState.BOTH, "1800", "1846", 255),
        (fast("1750"), 1, PriceState.BOTH, "1750", "1800", 277),
        (fast("1801", 300), 1, PriceState.FAST, "1801", "1801", 5),
        (fast("1801", 301), 1, PriceState.PRIMARY_INACTIVE, "1796.4", "1803.6", 5),
        (fast("1801", 301), 3, PriceState.PRIMARY_INACTIVE, "1786.42", "1813.62", 61),
        (fast("1801", 3_601), 1, PriceState.PRIMARY_CHAIN_ERROR, "1710", "1890", 5),
        (None, 1, PriceState.PRIMARY_CHAIN_ERROR, "1710", "1890", None),
    ],
)
def test_what_the_venue_would_use(
    last: Blend | None, sample: int, state: PriceState, low: str, high: str, deviation: int | None
) -> None:
    """E5: the guard's five outcomes, with the engine's own mechanism and its truncated deviation."""
    made = decide(ROUNDS, last, GuardSettings(sample_rounds=sample), NOW)
    assert (made.state, made.deviation_bps) == (state, deviation)
    assert (made.low_e30, made.high_e30) == (price_from_text(low), price_from_text(high))


def test_no_primary_round_and_the_spread_of_the_asset() -> None:
    """E5: without a primary round there is no price at all; the asset's own spread comes last."""
    assert decide([], fast("1800"), GuardSettings(), NOW).state is PriceState.NONE
    made = decide(ROUNDS, fast("1800"), GuardSettings(spread=Spread(spread_bps=20)), NOW)
    assert (made.low_e30, made.high_e30) == (price_from_text("1796.4"), price_from_text("1803.6"))
