"""A real local Ray gives the same bytes, from prices, profiles and plugins that its workers do not have (A2)."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

from zlp.cli import app
from zlp.simulator.cells import CellResult
from zlp.simulator.ensemble import run_all
from zlp.simulator.parcel import pack
from zlp.simulator.scenario import Scenario, load

RUNNER = CliRunner(env={"COLUMNS": "160"})
SCENARIO = """
title = "on a cluster"
profiles = ["mine.toml"]
paths = 2
ticks = 1
plugins = ["orders_placed"]
[prices]
type = "{kind}"
{prices}
[[agents]]
type = "founder"
[[agents]]
type = "noise_trader"
count = 6
interval = 7200
[sweep]
[[sweep.axis]]
name = "fee"
parameter = "IsolatedSettings main opening_fee_bps"
values = [5, 50]
"""
PLUGIN = """
from zlp.simulator.metrics import Metric, register
register(Metric(name="orders_placed", title="orders", unit="count", function=lambda r: float(r.actions["open"])))
"""
ELSEWHERE = """
import pathlib, sys, msgspec
from zlp.simulator.parcel import Parcel, run_packed
parcel, cell = pathlib.Path(sys.argv[1]).read_bytes().split(b"\\n")
parcel = msgspec.json.decode(parcel, type=Parcel)
cell = list(parcel.scenario.cells())[int(cell)]
sys.stdout.buffer.write(msgspec.json.encode(run_packed(parcel, cell)))
"""


def scenario_in(folder: Path) -> Path:
    """A scenario whose prices and metric lie beside it, named by relative paths."""
    rows = [(hour, asset, price) for hour in range(48) for asset, price in (("ETH", 2_000 + hour), ("BTC", 40_000))]
    frame = pl.DataFrame(rows, schema=["hour", "asset", "close"], orient="row")
    start = pl.datetime(2025, 1, 1, time_zone="UTC")
    frame = frame.select(time=start + pl.duration(hours="hour"), asset="asset", close=pl.col("close").cast(pl.Float64))
    frame.write_parquet(folder / "prices.parquet")
    (folder / "orders_placed.py").write_text(PLUGIN)
    shipped = resources.files("zlp.profiles").joinpath("zeus.toml").read_text()
    (folder / "mine.toml").write_text(shipped.replace('title = "ZEUS"', 'title = "mine"'))
    file = folder / "cluster.toml"
    file.write_text(SCENARIO.format(kind="file", prices='file = "prices.parquet"'))
    return file


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    """Loaded, with the registry left as it was."""
    from zlp.simulator.metrics import REGISTRY

    yield load(scenario_in(tmp_path))  # type: ignore[misc]
    REGISTRY.pop("orders_placed", None)
    sys.modules.pop("orders_placed", None)


def encoded(results: list[CellResult]) -> bytes:
    return msgspec.json.encode(results)


def test_a_cell_runs_where_neither_file_nor_plugin_is(scenario: Scenario, tmp_path: Path) -> None:
    """A2: a parcel carries what its cells read; the result is kept under the same key as one made here."""
    here = run_all(scenario)
    parcel = tmp_path / "parcel"
    away = tmp_path / "away"
    away.mkdir()
    parcel.write_bytes(msgspec.json.encode(pack(scenario)) + b"\n1")
    for name in ("prices.parquet", "orders_placed.py", "mine.toml"):
        (tmp_path / name).unlink()

    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(parcel)], cwd=away, capture_output=True, check=True, timeout=120
    )

    assert json.loads(ran.stdout) == json.loads(msgspec.json.encode(here[1]))
    assert here[1].metrics["orders_placed"] > 0


@pytest.mark.cluster
def test_one_worker_several_and_ray_give_the_same_bytes(scenario: Scenario) -> None:
    """A2: results do not depend on who made them, nor on in which order."""
    pytest.importorskip("ray")
    alone = encoded(run_all(scenario))

    assert encoded(run_all(scenario, workers=2)) == alone
    assert encoded(run_all(scenario, workers=2, ray=True)) == alone
    assert encoded(run_all(scenario, workers=1, ray=True)) == alone


@pytest.mark.cluster
def test_the_command_runs_on_ray_and_keeps_what_it_made(scenario: Scenario, tmp_path: Path) -> None:
    """A2: `zlp simulate --ray` writes the same cells as one process does, and a fault of a task is one sentence."""
    pytest.importorskip("ray")
    file = str(tmp_path / "cluster.toml")

    for folder, options in (("ray", ["--ray"]), ("one", ["--workers", "1"])):
        shown = RUNNER.invoke(app, ["simulate", file, "--out", str(tmp_path / folder), *options])
        assert shown.exit_code == 0, shown.output

    kept = {
        folder: {f.name: f.read_bytes() for f in (tmp_path / folder / "cells").iterdir()} for folder in ("ray", "one")
    }
    assert len(kept["ray"]) == 4
    assert kept["ray"] == kept["one"]
    broken = (tmp_path / "cluster.toml").read_text().replace("opening_fee_bps", "opening_fee")
    (tmp_path / "broken.toml").write_text(broken)
    refused = RUNNER.invoke(app, ["simulate", str(tmp_path / "broken.toml"), "--out", str(tmp_path / "no"), "--ray"])
    assert refused.exit_code == 1
    assert "opening_fee" in refused.output
    assert "Traceback" not in refused.output


def test_without_ray_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: a missing extra is a sentence that names it."""
    monkeypatch.setitem(sys.modules, "ray", None)

    shown = RUNNER.invoke(app, ["simulate", "first", "--paths", "1", "--out", str(tmp_path), "--ray"])

    assert shown.exit_code == 1
    assert "zlp[cluster]" in shown.output
