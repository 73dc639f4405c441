"""What goes wrong in a scenario goes wrong in the venue: silence, lateness, sleep, crashes and depegs (A7, E11)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import correlation, fmean, pvariance

import pytest

from tests.simulator.worlds import HOUR, path_of, without_spread
from zlp.oracle.price_path import PricePath
from zlp.oracle.synthetic import AssetModel, Market, Regime, generate
from zlp.simulator.agents import Founder, NoiseTrader
from zlp.simulator.backtest import Result, Setup, run
from zlp.simulator.generators import bootstrap
from zlp.simulator.shocks import KeeperOutage, OracleLag, OracleOutage, PriceShock, Shock

CROWD = (Founder(), NoiseTrader(count=12, long_bias=1.0, leverage=(8.0, 12.0), markets=("ETH",)))
STEADY = path_of(step_seconds=900, ETH=[2_000.0] * 480, BTC=[40_000.0] * 480)
FALL = PriceShock(after=72 * HOUR, depth=0.2, fall=4 * HOUR, rise=0, recovery=0.0)
"""Slow enough that keepers who see it lose nothing."""


def after(*shocks: Shock, path: PricePath = STEADY) -> Result:
    return run(without_spread(), path, Setup(crowd=CROWD, ticks=1, shocks=shocks))


@pytest.mark.parametrize(
    "trouble",
    [
        OracleOutage(after=71 * HOUR, seconds=6 * HOUR),
        OracleLag(after=71 * HOUR, seconds=20 * HOUR, delay=6 * HOUR),
        KeeperOutage(after=71 * HOUR, seconds=6 * HOUR),
    ],
)
def test_whoever_is_missing_a_slow_fall_costs_the_pool(trouble: Shock) -> None:
    """Watched, a fall of 20 % leaves no bad debt; with a silent oracle or sleeping keepers it does."""
    watched, blind = after(FALL), after(FALL, trouble)

    assert watched.liquidations > 5
    assert watched.bad_debt == 0
    if isinstance(trouble, OracleLag):  # late prices are liquidated at, late: nobody jumps past his collateral
        assert blind.liquidations > 0
        assert blind.digest != watched.digest
    else:
        assert blind.bad_debt > 0
    assert blind.faults == []


def test_a_flash_crash_passes_and_leaves_its_liquidations() -> None:
    """The price comes back in full; who was liquidated stays so."""
    crash = PriceShock(after=72 * HOUR, depth=0.3, fall=1_800, stay=900, rise=HOUR)

    result = after(crash)

    assert result.liquidations > 5
    assert result.holding_return == pytest.approx(0.0, abs=1e-9)
    assert result.series.worst_drawdown > 0.05


def test_a_depeg_takes_its_weight_of_the_pool() -> None:
    """USDC at 0.88 is a loss of 12 % on 35 % for those who leave; minting goes on at a dollar."""
    depeg = PriceShock(after=72 * HOUR, depth=0.12, fall=HOUR, rise=0, recovery=0.0, assets=("USDC",))
    prices = {"ETH": [2_000.0] * 480, "BTC": [40_000.0] * 480, "USDC": [1.0] * 480}

    setup = Setup(crowd=(Founder(),), ticks=1, shocks=(depeg,))
    result = run(without_spread(), path_of(step_seconds=900, **prices), setup)

    assert result.leaving_return == pytest.approx(-0.12 * 0.35, abs=2e-3)
    assert result.holding_return == pytest.approx(-0.12 * 0.35, abs=2e-3)
    assert result.series.total_return == pytest.approx(0.0, abs=1e-9)


def moves(path: PricePath, asset: str) -> list[float]:
    closes = [step.candles[asset].close for step in path.steps]
    return [math.log(now / before) for before, now in pairwise(closes)]


def clustering(values: Sequence[float]) -> float:
    """Autocorrelation of squared moves over one step."""
    squares = [value * value for value in values]
    return correlation(squares[1:], squares[:-1])


def test_blocks_keep_what_single_steps_lose() -> None:
    """Volatility clusters within blocks and not in steps drawn alone; correlation and variance survive in both."""
    models = [AssetModel(asset=name, start_price="100", volatility=0.8) for name in ("ETH", "BTC")]
    moods = (Regime(mean_seconds=2 * 86_400, volatility_scale=0.3), Regime(mean_seconds=86_400, volatility_scale=2.5))
    market = Market(correlation=((1.0, 0.7), (0.7, 1.0)), regimes=moods)
    history = generate(5, models, 24 * 120, HOUR, market=market)

    blocks, steps = (bootstrap(history, 6, 24 * 240, block) for block in (48, 1))

    then = clustering(moves(history, "ETH"))
    assert then > 0.15
    assert clustering(moves(blocks, "ETH")) > 0.7 * then
    assert abs(clustering(moves(steps, "ETH"))) < 0.06
    for made in (blocks, steps):
        assert correlation(moves(made, "ETH"), moves(made, "BTC")) == pytest.approx(0.7, abs=0.08)
        assert pvariance(moves(made, "ETH")) == pytest.approx(pvariance(moves(history, "ETH")), rel=0.25)
        assert abs(fmean(moves(made, "ETH"))) < 4 * (pvariance(moves(made, "ETH")) / len(made.steps)) ** 0.5
