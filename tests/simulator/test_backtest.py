"""The backtest tells the truth: reproducible, conserving, and right where the answer is known (A2, A3, E4, E8)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.auditor import Auditor
from tests.simulator.worlds import path_of, without_spread
from zlp.engine import Envelope, Root
from zlp.engine.fixed import USD
from zlp.oracle.replay import load_prices
from zlp.profiles.loader import load
from zlp.simulator import backtest
from zlp.simulator.accounting import OTHER
from zlp.simulator.agents import Founder, Hedger, NoiseTrader
from zlp.simulator.backtest import CROWD, Setup, run
from zlp.simulator.paths import made

HOURS = 24 * 30
FLAT = {"ETH": [2_000.0] * HOURS, "BTC": [40_000.0] * HOURS}
DIGEST = """
from zlp.profiles.loader import load
from zlp.simulator.backtest import Setup, run
from zlp.simulator.paths import made
print(run(load("zeus"), made(5, days=4).path, Setup(seed=5)).digest)
"""


def test_the_same_seed_gives_the_same_digest_in_another_process() -> None:
    """A2: nothing depends on hash order, on the process or on what ran before."""
    here = run(load("zeus"), made(5, days=4).path, Setup(seed=5)).digest

    for salt in ("1", "2"):
        command = [sys.executable, "-c", DIGEST]
        there = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, check=True)
        assert there.stdout.decode().strip() == here

    assert run(load("zeus"), made(5, days=4).path, Setup(seed=6)).digest != here


def test_a_run_is_a_log_that_replays_and_an_auditor_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A2, A3: the envelopes of a run give the same digest on a fresh root, and every balance follows from events."""
    log: list[Envelope] = []

    class Recording(Root):
        __slots__ = ()

        def apply(self, envelope: Envelope):  # type: ignore[no-untyped-def]
            log.append(envelope)
            return super().apply(envelope)

    monkeypatch.setattr(backtest, "Root", Recording)
    result = run(load("zeus"), made(9, days=6).path, Setup(seed=9, audit_every=100))
    again, auditor = Root(), Auditor()
    for envelope in log:
        auditor.observe(envelope, again.apply(envelope), again)

    assert again.chain.hex() == result.digest
    assert list(auditor.faults(again)) == []
    assert result.faults == []
    assert result.actions["order executed"] > 100


def test_without_traders_the_lps_own_the_assets_and_nothing_else() -> None:
    """E4: LP return is that of the coins the pool got; and, but for the mint fees' tilt, of the mix they put in."""
    path = path_of(ETH=[2_000, 2_500, 1_500, 3_000], BTC=[40_000, 38_000, 41_000, 60_000])
    result = run(without_spread(), path, Setup(crowd=(Founder(),), ticks=1))

    mix = 0.30 * 3_000 / 2_000 + 0.25 * 60_000 / 40_000 + 0.45
    assert result.series.total_return == pytest.approx(result.holding_return, abs=1e-12)
    assert result.series.total_return == pytest.approx(mix - 1, abs=5e-4)
    assert result.series.worst_drawdown > 0.05
    assert result.bad_debt == 0


def test_the_split_explains_the_pools_value() -> None:
    """E4: with one price for both directions, what the parts leave over is dust."""
    result = run(without_spread(), made(3, days=20).path, Setup(seed=3, crowd=(Founder(), *CROWD[2:])))

    assert result.end_value - result.start_value == sum(result.split.values())
    assert abs(result.split[OTHER]) < 100 * USD
    assert result.volume > 1_000_000 * USD
    assert result.bad_debt == 0 or result.bad_debts


def test_funding_is_what_the_closed_form_says() -> None:
    """E8: a short at constant utilisation pays size x rate x utilisation x hours."""
    crowd = (Founder(), Hedger(wealth=(100_000, 100_000), leverage=2.0, markets=("ETH",), term=10**9))
    result = run(without_spread(), path_of(**FLAT), Setup(crowd=crowd, ticks=1))

    size, stable_pool, open_hours = 160_000, 10_000_000 * 0.35 * (1 - 0.0025), HOURS - 2
    expected = size * (0.0001 / 8) * (size / stable_pool) * open_hours
    paid = size * 0.001 + expected
    assert -result.net_by_behaviour["hedger"] / USD == pytest.approx(paid, rel=0.01)
    assert result.series.total_return == pytest.approx(0, abs=1e-9)


def test_borrowing_is_what_the_closed_form_says() -> None:
    """E8, O7: a short in ZO pays 0.01 % an hour of its borrowed coins at full utilisation; 75 % of it is the LPs'."""
    crowd = (Founder(), Hedger(wealth=(200_000, 200_000), stake=0.5, leverage=5.0, markets=("ETH",), term=10**9))
    result = run(without_spread("zo"), path_of(**FLAT), Setup(crowd=crowd, ticks=1))

    lent, vault, hours = 500_000, 10_000_000 * 0.26, HOURS - 2
    expected = lent * 0.0001 * (lent / vault) * hours
    assert result.split["fees accrued, not yet paid"] / USD == pytest.approx(0.75 * expected, rel=0.02)
    assert result.split["fees kept: trading"] / USD == pytest.approx(0.75 * 500_000 * 0.002, rel=0.01)


def test_providers_earn_the_fees_of_traders_who_toss_a_coin() -> None:
    """E4: ZO's LPs keep 75 % of fees; beside the price of their coins they gain that, within three standard errors."""
    gains, fees = [], []
    for seed in range(8):
        crowd = (Founder(), NoiseTrader(count=10, long_bias=0.5, leverage=(1.5, 3.0), holding_hours=(1.0, 8.0)))
        result = run(without_spread("zo"), made(seed, days=15).path, Setup(seed=seed, crowd=crowd, ticks=1))
        split = result.split
        fees.append(sum(usd for part, usd in split.items() if part.startswith("fees")) / USD)
        gains.append((sum(split.values()) - split["price effect of the assets held"]) / USD - fees[-1])
    mean = sum(gains) / len(gains)
    error = (sum((gain - mean) ** 2 for gain in gains) / len(gains) / (len(gains) - 1)) ** 0.5
    assert min(fees) > 2_000
    assert abs(mean) < 3 * error
    assert 3 * error < 5 * min(fees)  # the band is narrow enough to miss a fee counted twice or not at all


def test_traders_who_toss_a_coin_lose_their_fees() -> None:
    """E4, E7: on a driftless path many traders together lose what they paid, within three standard errors."""
    losses, fees = [], []
    for seed in range(6):
        crowd = (Founder(), NoiseTrader(count=10, long_bias=0.5, leverage=(1.5, 3.0), holding_hours=(1.0, 8.0)))
        result = run(without_spread(), made(seed, days=15).path, Setup(seed=seed, crowd=crowd, ticks=1))
        fees.append(sum(result.fees_elsewhere.values()) / USD)
        losses.append(-result.net_by_behaviour["noise"] / USD - fees[-1])
    mean = sum(losses) / len(losses)
    error = (sum((loss - mean) ** 2 for loss in losses) / len(losses) / (len(losses) - 1)) ** 0.5
    assert min(fees) > 1_000
    assert abs(mean) < 3 * error


def test_a_crash_that_outruns_liquidations_names_its_bad_debt() -> None:
    """E11: the pool bears what a jump takes beyond collateral, and the result says whose."""
    fall = [2_000.0] * 200 + [1_000.0] * 4
    crowd = (Founder(), NoiseTrader(count=12, long_bias=1.0, leverage=(8.0, 12.0), markets=("ETH",)))
    result = run(without_spread(), path_of(ETH=fall, BTC=[40_000.0] * 204), Setup(crowd=crowd, ticks=1))

    assert result.liquidations > 0
    assert result.bad_debt > 0
    assert len(result.bad_debts) == result.liquidations
    assert result.faults == []


def test_october_2025_conserves(test_data: Path) -> None:
    """A3, E4: the crash of 10 October 2025 on real prices: no fault, bad debt explained, parts add up."""
    path = load_prices(test_data / "candles-1h-2024-2026.parquet").prices.window(1_759_968_000, 1_760_313_600)
    result = run(load("zeus"), path, Setup(seed=10, audit_every=50))

    assert result.faults == []
    assert result.series.worst_drawdown > 0.05
    assert result.end_value - result.start_value == sum(result.split.values())
    assert (result.bad_debt > 0) == bool(result.bad_debts)


def test_agents_of_no_market_are_refused() -> None:
    """A typo in a market's name would otherwise be a run without these traders."""
    crowd = (Founder(), NoiseTrader(markets=("ETHH",)))

    with pytest.raises(ValueError, match="noise: no market is called ETHH; there are"):
        run(load("zeus"), made(1, days=1).path, Setup(crowd=crowd, ticks=1))
