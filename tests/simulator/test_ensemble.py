"""Sweeps give the same bytes whoever runs them, keep what is finished, and read their inputs strictly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import zlp
from tests.simulator.worlds import path_of
from zlp.engine.fixed import USD
from zlp.simulator import cells, ensemble
from zlp.simulator.agents import Founder, NoiseTrader
from zlp.simulator.backtest import Result
from zlp.simulator.ensemble import run_all
from zlp.simulator.examples import FOLDER, find, names
from zlp.simulator.generators import Made, bootstrap, data_hash
from zlp.simulator.metrics import REGISTRY, Metric, quantile, register
from zlp.simulator.paths import made
from zlp.simulator.scenario import Axis, Scenario, ScenarioError, Sweep, load
from zlp.simulator.shocks import KeeperOutage, OracleLag, OracleOutage, PriceShock, moments, shaken
from zlp.simulator.stream import Stream

SMALL = Scenario(
    title="small",
    paths=2,
    ticks=1,
    prices=Made(days=2),
    agents=(Founder(), NoiseTrader(count=6, interval=7_200)),
    sweep=Sweep(
        axis=(
            Axis(name="fee", parameter="IsolatedSettings main opening_fee_bps", values=(5, 50)),
            Axis(name="interval", agent="noise.interval", values=(3_600,)),
        )
    ),
)


def encoded(results: object) -> bytes:
    return msgspec.json.encode(results)


def test_one_worker_and_several_give_the_same_bytes() -> None:
    """A2: the number of workers and the order in which they finish leave no trace."""
    alone = run_all(SMALL)

    assert encoded(run_all(SMALL, workers=2)) == encoded(alone)
    assert [cell.number for cell in alone] == [0, 1, 2, 3]
    assert all(cell.faults == [] for cell in alone)


def test_finished_cells_are_kept_and_only_the_missing_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rerun reads what is there; a damaged file and a new point are run."""
    first = run_all(SMALL, tmp_path)
    kept = sorted((tmp_path / "cells").glob("*.json"))
    assert len(kept) == 4
    (tmp_path / "cells" / f"{first[2].key}.json").write_text("{")
    ran: list[int] = []
    run_cell = ensemble.run_cell
    monkeypatch.setattr(ensemble, "run_cell", lambda s, c: ran.append(c.number) or run_cell(s, c))

    again = run_all(SMALL, tmp_path)

    assert ran == [2]
    assert encoded(again) == encoded(first)
    run_all(msgspec.structs.replace(SMALL, paths=3), tmp_path)
    assert len(ran) == 3


def test_the_points_of_a_sweep_share_a_made_path() -> None:
    """It is made once, a run leaves it as it was, and what comes of it is what a path of one's own gives."""
    cells_of = list(SMALL.cells())
    shared = cells.path_of(SMALL, cells_of[0])
    assert cells.path_of(SMALL, cells_of[2]) is shared
    before = [cells.run_cell(SMALL, cells_of[0]), cells.run_cell(SMALL, cells_of[2])]
    assert cells.path_of(SMALL, cells_of[0]) is shared
    assert data_hash(shared.prices) == shared.data_hash

    others = [
        cells.path_of(SMALL, cells_of[1]),
        cells.path_of(msgspec.structs.replace(SMALL, prices=Made(days=3)), cells_of[0]),
        cells.path_of(msgspec.structs.replace(SMALL, seed=SMALL.seed + 1), cells_of[0]),
        cells.path_of(msgspec.structs.replace(SMALL, common=False), cells_of[2]),
    ]
    assert len({shared.data_hash, *(other.data_hash for other in others)}) == 5
    assert len(cells._made) == 1
    assert encoded([cells.run_cell(SMALL, cells_of[0]), cells.run_cell(SMALL, cells_of[2])]) == encoded(before)


def test_kept_numbers_are_of_this_code(tmp_path: Path) -> None:
    """The same version with another line in it looks for its own numbers; the same code anywhere finds them."""
    key = (
        "from zlp.simulator.ensemble import key_of; from zlp.simulator.scenario import load; from pathlib import Path; "
    )
    key += f"s = load(Path({str(find('first'))!r})); print(key_of(s, next(s.cells())))"

    def asked(package: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-c", key], env={**os.environ, "PYTHONPATH": str(package)}, capture_output=True, check=True
        )
        return done.stdout.decode()

    shutil.copytree(Path(zlp.__file__).parent, tmp_path / "zlp", ignore=shutil.ignore_patterns("__pycache__"))
    same = asked(tmp_path)
    assert same == asked(Path(zlp.__file__).parents[1])
    with (tmp_path / "zlp" / "engine" / "fixed.py").open("a") as file:
        file.write("# another thought\n")
    assert asked(tmp_path) != same


def test_points_share_prices_and_draws_unless_told_otherwise() -> None:
    """A sweep compares like with like: the dearer fee meets the same path and the same traders."""
    cheap, _, dear, _ = run_all(SMALL)

    assert cheap.data_hash == dear.data_hash
    assert cheap.metrics["holding_return"] == dear.metrics["holding_return"]
    assert dear.metrics["trader_cost"] > 5 * cheap.metrics["trader_cost"]
    own = run_all(msgspec.structs.replace(SMALL, common=False))
    assert own[0].data_hash != own[2].data_hash


def test_sobol_points_fill_the_box_the_same_way_everywhere() -> None:
    """The first points of the unscrambled sequence are known."""
    axes = (Axis(name="a", agent="x.y", low=0, high=8), Axis(name="b", agent="x.z", low=1, high=2, whole=False))

    points = Sweep(axis=axes, method="sobol", samples=3).points()

    assert points == [{"a": 4.0, "b": 1.5}, {"a": 6.0, "b": 1.25}, {"a": 2.0, "b": 1.75}]


def test_the_examples_are_read_and_found_by_name() -> None:
    """Every shipped scenario is valid, says what it asks, and fits its profiles."""
    assert {"first", "crash", "fees", "outage", "designs"} <= set(names())
    for name in names():
        scenario = load(find(name))
        assert scenario.question
        assert list(scenario.cells())
    with pytest.raises(FileNotFoundError, match="crash"):
        find("nothing")


AXIS = "title = 'x'\n[sweep]\n[[sweep.axis]]\nname = 'a'\nvalues = [1]\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = 1", "str"),
        ('title = "x"\npath = 3', "path"),
        ('title = "x"\npaths = 0', "paths"),
        ('title = "x"\n[prices]\ntype = "dream"', "dream"),
        ('title = "x"\n[[agents]]\ntype = "founder"\n[[agents]]\ntype = "founder"', "same name"),
        ('title = "x"\n[sweep]\n[[sweep.axis]]\nname = "a"\nagent = "nobody.interval"\nvalues = [1]', "nobody"),
        ('title = "x"\n[sweep]\n[[sweep.axis]]\nname = "a"\nvalues = [1]', "parameter or an agent"),
        ("title = ", "x.toml"),
        ('title = "x"\nprofiles = []', "profiles"),
        ('title = "x"\nprofiles = ["zeus", "zeus"]', "each once"),
        ('title = "x"\n[prices]\ntype = "made"\nstep_seconds = 0', "step_seconds"),
        ('title = "x"\n[[shocks]]\ntype = "price"\nafter = 0\ndepth = 30.0', "below 1"),
        ('title = "x"\n[[agents]]\ntype = "noise_trader"\nleverage = []', "leverage is empty"),
        ('title = "x"\n[[agents]]\ntype = "noise_trader"\ninterval = -1', "interval"),
        ('title = "x"\n[[agents]]\ntype = "noise_trader"\nlong_bias = 5.0', "long_bias"),
        ('title = "x"\n[[agents]]\ntype = "hedger"\nwealth = [9.0, 1.0]', "wealth"),
        ('title = "x"\n[[agents]]\ntype = "hedger"\ncount = -1', "count"),
        ('title = "x"\n[sweep]\naxis = []', "needs axes"),
        (
            'title = "x"\n[sweep]\nmethod = "sobol"\nsamples = 0\n[[sweep.axis]]\nname = "a"\nagent = "noise.react"',
            "samples",
        ),
        (f"{AXIS}agent = 'noise.intervall'", "no number"),
        (f"{AXIS}agent = 'noise.markets'", "no number"),
        (f"{AXIS}parameter = 'PoolSettings'", "record, key and field"),
        (
            f"{AXIS}agent = 'noise.react'\n[[sweep.axis]]\nname = 'a'\nagent = 'noise.count'\nvalues = [1]",
            "different names",
        ),
    ],
)
def test_a_bad_scenario_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    """Unknown fields, kinds and agents are errors that name them."""
    file = tmp_path / "x.toml"
    file.write_text(text)

    with pytest.raises(ScenarioError, match=reason):
        load(file)


def test_a_parameter_that_does_not_exist_is_refused_with_its_name() -> None:
    """A8: a sweep changes parameters by governance's own command, which checks them."""
    sweep = Sweep(axis=(Axis(name="x", parameter="IsolatedSettings main opening_fee", values=(5,)),))

    with pytest.raises(ValueError, match="opening_fee"):
        run_all(msgspec.structs.replace(SMALL, sweep=sweep))


def test_a_bootstrap_is_made_of_the_historys_own_moves() -> None:
    """Every candle's move is one the history made, assets move together, and seeds differ."""
    history = made(3, days=10).path
    assets = history.assets

    path = bootstrap(history, 7, steps=200, block=24)

    moves = {
        tuple(round(now.candles[a].close / before.candles[a].close, 5) for a in assets)
        for before, now in zip(history.steps, history.steps[1:], strict=False)
    }
    drawn = [
        tuple(round(now.candles[a].close / before.candles[a].close, 5) for a in assets)
        for before, now in zip(path.steps, path.steps[1:], strict=False)
    ]
    assert len(path.steps) == 200
    assert set(drawn) <= moves
    assert bootstrap(history, 8, steps=200, block=24).steps != path.steps
    assert bootstrap(history, 7, steps=200, block=24) == path


def test_a_shock_falls_stays_and_comes_back() -> None:
    """The factor follows the script; stables are left alone unless named."""
    path = path_of(step_seconds=60, ETH=[100.0] * 10, USDC=[1.0] * 10)
    shock = PriceShock(after=60, depth=0.5, fall=120, stay=60, rise=120, recovery=0.5)

    closes = [step.candles["ETH"].close / USD for step in shaken(path, [shock]).steps]

    assert closes == [100, 75, 50, 50, 62.5, 75, 75, 75, 75, 75]
    assert {step.candles["USDC"].close for step in shaken(path, [shock]).steps} == {USD}
    depeg = PriceShock(after=0, depth=0.1, fall=0, rise=0, recovery=0.0, assets=("USDC",))
    assert {step.candles["USDC"].close for step in shaken(path, [depeg]).steps} == {USD * 9 // 10}


def test_an_oracle_may_be_silent_or_late_while_the_truth_goes_on() -> None:
    """A7: what is heard and what is true are kept apart."""
    path = path_of(step_seconds=60, ETH=[float(100 + n) for n in range(8)])
    told = list(moments(path, [OracleOutage(after=120, seconds=120), OracleLag(after=300, seconds=120, delay=180)], 1))

    assert [moment.truth.prices["ETH"] // USD for moment in told] == list(range(100, 108))
    heard = [None if moment.heard is None else moment.heard.prices["ETH"] // USD for moment in told]
    assert heard == [100, None, None, 103, 101, 102, 106, 107]


@pytest.mark.parametrize("per_candle", [1, 4])
def test_all_shocks_count_from_where_the_path_begins(per_candle: int) -> None:
    """Silence and sleep begin where a fall after as many seconds would, however many ticks a candle has."""
    path = path_of(step_seconds=900, ETH=[100.0] * 8)
    start = path.steps[0].time
    shocks = [OracleOutage(after=3_600, seconds=1_800), KeeperOutage(after=3_600, seconds=1_800)]

    told = list(moments(path, shocks, per_candle))

    within = [3_600 <= moment.truth.time - start < 5_400 for moment in told]
    assert any(within)
    assert [moment.heard is None for moment in told] == within
    assert [not moment.attended for moment in told] == within


def test_a_shock_of_what_has_no_price_is_refused() -> None:
    """A typo in a shock's asset would otherwise be a run without the shock."""
    path = path_of(step_seconds=60, ETH=[100.0] * 3)

    with pytest.raises(ValueError, match=r"names ETHH; the prices are of ETH"):
        shaken(path, [PriceShock(after=0, depth=0.1, assets=("ETHH",))])


def test_one_value_is_a_distribution_too() -> None:
    """``leverage = [5.0]`` is five times, always."""
    assert Stream("x").quantile((5.0,)) == 5.0


def test_users_add_metrics_and_names_stay_unique() -> None:
    """A metric is a name, a unit, a function, a summary and a plot."""

    def tickets(result: Result) -> float:
        return float(result.commands)

    added = Metric(name="commands", title="commands", unit="count", function=tickets)
    register(added)
    try:
        cell = run_all(msgspec.structs.replace(SMALL, paths=1, sweep=None))[0]
        assert cell.metrics["commands"] > 10
        with pytest.raises(ValueError, match="commands"):
            register(Metric(name="commands", title="other", unit="usd", function=tickets))
    finally:
        del REGISTRY["commands"]
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert FOLDER.is_dir()
