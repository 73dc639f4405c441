"""The simulator's commands: tables for people, errors that name what is wrong, a report without network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from zlp.cli import app

RUNNER = CliRunner(env={"COLUMNS": "160"})
SCENARIO = """
title = "tiny <month>"
question = "does it run?"
paths = 2
ticks = 1
[prices]
type = "made"
days = 2
[[agents]]
type = "founder"
[[agents]]
type = "noise_trader"
count = 4
interval = 7200
"""


def test_backtest_on_a_bare_machine() -> None:
    """E4: without a file it makes its own path, and shows the split, the risk and the digest."""
    first = RUNNER.invoke(app, ["backtest", "--days", "2", "--seed", "4"])
    again = RUNNER.invoke(app, ["backtest", "--days", "2", "--seed", "4"])

    assert first.exit_code == 0, first.output
    for text in ("LP return", "price effect of the assets held", "bad debt", "no faults", "digest"):
        assert text in first.output
    digest = re.search(r"digest\W+([0-9a-f]{64})", first.output)
    assert digest is not None
    assert digest[1] in again.output


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ("2025-01-01T00:00:00Z,ETH,0", "row 1"),
        ("2025-01-01T00:00:00Z,ETH,100\n2025-01-01T01:00:00Z,ETH,x", "row 2"),
        ("yesterday,ETH,100", "time"),
    ],
)
def test_bad_prices_name_the_row_and_column(tmp_path: Path, rows: str, place: str) -> None:
    """E5: nothing is guessed from a damaged file."""
    file = tmp_path / "bad.csv"
    file.write_text(f"time,asset,close\n{rows}\n")

    shown = RUNNER.invoke(app, ["backtest", "--prices", str(file)])

    assert shown.exit_code == 1
    assert place in shown.output
    assert "column" in shown.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--profile", "nothing"], "nothing"),
        (["--ticks", "3"], "1 or 4"),
        (["--assume", "METIS"], "NAME=VALUE"),
        (["--prices", "missing.parquet"], "missing.parquet"),
        (["--from", "2025-10-01"], "which --prices names"),
        (["--column", "BTC=btc_usd"], "which --prices names"),
    ],
)
def test_backtest_refuses_what_it_cannot_use(arguments: list[str], reason: str) -> None:
    """A1: an error says what was wrong, and no table is printed."""
    shown = RUNNER.invoke(app, ["backtest", "--days", "1", *arguments])

    assert shown.exit_code == 1
    assert reason in shown.output


def test_simulate_writes_a_report_that_needs_nothing_else(tmp_path: Path) -> None:
    """The page carries its script and its inputs, escapes titles, and every plot has its data beside it."""
    file = tmp_path / "tiny.toml"
    file.write_text(SCENARIO)

    shown = RUNNER.invoke(app, ["simulate", str(file), "--out", str(tmp_path / "out"), "--workers", "1"])

    assert shown.exit_code == 0, shown.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "tiny &lt;month&gt;" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)\s*=", page)
    assert page.count('class="plotly-graph-div"') >= 5
    cells = pl.read_parquet(tmp_path / "out" / "data" / "cells.parquet")
    assert cells.height == 2
    for digest in (*cells["data_hash"], cells["profile"][0]):
        assert digest in page
    for name in re.findall(r'<div id="(\w+)" class="plotly-graph-div"', page):
        assert (tmp_path / "out" / "data" / f"{name}.parquet").exists()


def test_compare_puts_two_designs_side_by_side(tmp_path: Path) -> None:
    """The same prices and the same intentions: same holding return, and both trade."""
    arguments = ["compare", "zeus", "zo", "--days", "3", "--out", str(tmp_path), "--workers", "1"]

    shown = RUNNER.invoke(app, arguments)

    assert shown.exit_code == 0, shown.output
    cells = pl.read_parquet(tmp_path / "data" / "cells.parquet")
    assert cells["data_hash"].n_unique() == 1
    assert cells["volume"].min() > 100_000
    assert "zeus" in shown.output
    assert "zo" in shown.output


def test_a_table_of_some_points_says_so(tmp_path: Path) -> None:
    """More points than fit a terminal: one column a design, and a line that there are more."""
    file = tmp_path / "many.toml"
    file.write_text(
        'title = "many"\nticks = 1\n[prices]\ntype = "made"\ndays = 1\n[sweep]\n[[sweep.axis]]\n'
        'name = "a"\nagent = "noise.interval"\nvalues = [1e4, 2e4, 3e4, 4e4, 5e4, 6e4, 7e4]\n'
    )

    shown = RUNNER.invoke(app, ["simulate", str(file), "--out", str(tmp_path / "out"), "--workers", "1"])

    assert shown.exit_code == 0, shown.output
    assert "1 of 7 points; the report's table has them all" in shown.output


def test_compare_refuses_a_design_twice() -> None:
    """Their paths would be summed up as one design's."""
    shown = RUNNER.invoke(app, ["compare", "zeus", "zeus", "--days", "1"])

    assert shown.exit_code == 1
    assert "each profile once" in shown.output


def test_compare_names_the_row_of_a_damaged_file(tmp_path: Path) -> None:
    """E5: an error of the price file is a sentence, not a traceback."""
    file = tmp_path / "twice.csv"
    file.write_text("time,asset,close\n" + "2025-01-01T00:00:00Z,ETH,100\n" * 2)

    shown = RUNNER.invoke(app, ["compare", "zeus", "zo", "--prices", str(file), "--out", str(tmp_path / "out")])

    assert shown.exit_code == 1
    assert "row 2" in shown.output
    assert "Traceback" not in shown.output


@pytest.mark.parametrize(
    ("library", "arguments"),
    [("plotly", ["simulate", "first", "--paths", "1"]), ("numpy", ["backtest", "--days", "1"])],
)
def test_a_missing_extra_is_a_sentence(library: str, arguments: list[str]) -> None:
    """A newcomer who installed less than the command needs is told what to install."""
    script = f"import sys; sys.modules[{library!r}] = None; from zlp.cli import app; app({arguments!r})"

    ran = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)

    assert ran.returncode == 1
    assert library in ran.stderr.lower()
    assert "pip install" in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
