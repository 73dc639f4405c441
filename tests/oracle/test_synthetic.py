"""Generators are deterministic to the last digit and have the statistics they claim."""

import hashlib
import math
import statistics
from fractions import Fraction
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.oracle.portable_math import exponential, logarithm, normal_deviates
from zlp.oracle.price_path import PricePath
from zlp.oracle.synthetic import AssetModel, Market, Regime, _visited, generate

PAIR = [
    AssetModel(asset="BTC", start_price="60000"),
    AssetModel(asset="ETH", start_price="3000", volatility=0.8),
]


def log_returns(path: PricePath, asset: str) -> list[float]:
    closes = [step.candles[asset].close for step in path.steps]
    return [math.log(later / earlier) for earlier, later in pairwise(closes)]


def test_the_same_seed_gives_the_same_digits_everywhere() -> None:
    """A2: the digest is a recorded constant; another machine or NumPy that differs in one digit fails."""
    market = Market(
        correlation=((1.0, 0.7), (0.7, 1.0)),
        regimes=(Regime(mean_seconds=86_400), Regime(mean_seconds=7_200, volatility_scale=4.0, drift=-2.0)),
        jumps_per_year=50.0,
    )
    assets = [msgspec.structs.replace(model, jumps_per_year=20.0, reversion=3.0) for model in PAIR]
    path = generate(20_231_011, assets, 2_000, 900, start_time=1_700_000_000, market=market)
    digest = hashlib.sha256(msgspec.json.encode(path)).hexdigest()
    assert digest == "94bbfeffcd73ad7d70340660fe785c1f95cd1ec00c135b2cd8f6f12c2d63b576"


def test_another_seed_gives_another_path() -> None:
    """A2: the seed matters, and only the seed."""
    assert generate(1, PAIR, 10, 60) == generate(1, PAIR, 10, 60)
    assert generate(1, PAIR, 10, 60) != generate(2, PAIR, 10, 60)


@given(st.floats(min_value=1e-300, max_value=1 - 1e-16, exclude_min=True))
def test_normal_deviates_invert_the_distribution(uniform: float) -> None:
    """The deviates agree with the standard library's inverse to a few last places."""
    [deviate] = normal_deviates(np.array([uniform])).tolist()
    assert deviate == pytest.approx(statistics.NormalDist().inv_cdf(uniform), rel=1e-13, abs=1e-14)


@given(st.floats(min_value=-600, max_value=600))
def test_exponential_and_logarithm_agree_with_the_library(x: float) -> None:
    """The portable functions are as good as libm's."""
    [grown] = exponential(np.array([x])).tolist()
    assert grown == pytest.approx(math.exp(x), rel=1e-15)
    assert float(logarithm(np.array([grown]))[0]) == pytest.approx(math.log(grown), rel=1e-14, abs=1e-15)


def test_volatility_and_correlation_are_those_asked_for() -> None:
    """Over 20,000 steps the sample statistics lie within five standard errors."""
    market = Market(correlation=((1.0, 0.7), (0.7, 1.0)))
    path = generate(11, PAIR, 20_000, 3_600, market=market)
    hour = math.sqrt(3_600 / 31_536_000)
    bitcoin, ether = log_returns(path, "BTC"), log_returns(path, "ETH")
    assert statistics.stdev(bitcoin) / hour == pytest.approx(0.6, rel=5 / math.sqrt(40_000))
    assert statistics.stdev(ether) / hour == pytest.approx(0.8, rel=5 / math.sqrt(40_000))
    assert statistics.correlation(bitcoin, ether) == pytest.approx(0.7, abs=5 * 0.51 / math.sqrt(20_000))


def test_jumps_arrive_at_their_rate() -> None:
    """100 jumps a year of about -20%: their count is within five standard deviations of the Poisson mean."""
    model = AssetModel(
        asset="X", start_price="1e6", volatility=0.1, jumps_per_year=100, jump_mean=-0.2, jump_volatility=0.01
    )
    jumps = [move for move in log_returns(generate(5, [model], 8_760, 3_600), "X") if move < -0.1]
    assert abs(len(jumps) - 100) < 50
    assert statistics.mean(jumps) == pytest.approx(-0.2, abs=0.02)


def test_regimes_change_the_volatility() -> None:
    """With a calm and a wild regime the path is more volatile than the calm one alone."""
    regimes = (Regime(mean_seconds=36_000), Regime(mean_seconds=36_000, volatility_scale=5.0))
    mixed = log_returns(generate(3, PAIR[:1], 5_000, 3_600, market=Market(regimes=regimes)), "BTC")
    calm = log_returns(generate(3, PAIR[:1], 5_000, 3_600), "BTC")
    assert 2.5 < statistics.stdev(mixed) / statistics.stdev(calm) < 4.5


def test_reversion_keeps_a_stable_coin_near_its_start() -> None:
    """A7: a stable coin's model stays within a cent of one dollar for two years."""
    model = AssetModel(asset="USDC", start_price="1", volatility=0.01, reversion=500, decimals=6)
    path = generate(9, [model], 17_520, 3_600)
    assert all(step.candles["USDC"].low > 99 * 10**28 for step in path.steps)
    assert all(step.candles["USDC"].high < 101 * 10**28 for step in path.steps)
    assert all(step.candles["USDC"].close % 10**24 == 0 for step in path.steps)


@given(st.integers(0, 2**64), st.floats(0, 20), st.integers(1, 6))
def test_candles_hold_together(seed: int, volatility: float, ticks: int) -> None:
    """A3: prices are positive integers, each open is the close before, extremes bound the candle."""
    model = AssetModel(asset="A", start_price="0.5", volatility=volatility, jumps_per_year=100)
    before = 5 * 10**29
    for step in generate(seed, [model], 20, 86_400, ticks_per_step=ticks).steps:
        candle = step.candles["A"]
        assert candle.open == before
        assert 0 < candle.low <= min(candle.open, candle.close)
        assert candle.high >= max(candle.open, candle.close)
        before = candle.close


@pytest.mark.parametrize(
    ("market", "message"),
    [
        (Market(correlation=((1.0,),)), "2 by 2"),
        (Market(correlation=((1.0, 0.5), (0.4, 1.0))), "symmetric"),
        (Market(correlation=((1.0, 1.5), (1.5, 1.0))), "impossible"),
        (Market(regimes=(Regime(mean_seconds=0),)), "longer than 0"),
    ],
)
def test_impossible_markets_are_refused(market: Market, message: str) -> None:
    """A4: a model that makes no sense is an error that says why."""
    with pytest.raises(ValueError, match=message):
        generate(1, PAIR, 5, 60, market=market)


def test_impossible_assets_are_refused() -> None:
    """A4: repeated names, negative volatility, and no steps are errors."""
    with pytest.raises(ValueError, match="differ"):
        generate(1, [PAIR[0], PAIR[0]], 5, 60)
    with pytest.raises(ValueError, match="not negative"):
        generate(1, [AssetModel(asset="A", start_price="1", volatility=-1)], 5, 60)
    with pytest.raises(ValueError, match="at least 1"):
        generate(1, PAIR, 0, 60)


@given(
    start=st.integers(1, 2**60),
    cut=st.sampled_from((1, 1, 10**6)),
    factors=st.lists(st.one_of(st.floats(1e-20, 1e20), st.integers(1, 1_000).map(lambda n: 1 / n)), min_size=1),
)
def test_whole_arrays_are_cut_as_one_exact_product(start: int, cut: int, factors: list[float]) -> None:
    """A2: a float product decides only where it can't be wrong."""
    visited = _visited(start, cut, np.array(factors)).tolist()

    assert visited == [max(int(start * Fraction(factor) // cut), 1) * cut for factor in factors]
    assert all(type(price) is int for price in visited)
