"""A report shows what was asked, and a notebook shows the same objects."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import plotly.graph_objects as go
import pytest

from zlp.simulator.agents import Founder, NoiseTrader
from zlp.simulator.ensemble import run_all
from zlp.simulator.generators import Made
from zlp.simulator.metrics import REGISTRY, Metric, register
from zlp.simulator.notebook import study
from zlp.simulator.report import write_report
from zlp.simulator.report.figures import FLOWS
from zlp.simulator.report.study import Study
from zlp.simulator.scenario import Axis, Scenario, ScenarioError, Sweep

SWEPT = Scenario(
    title="swept",
    paths=2,
    ticks=1,
    prices=Made(days=2),
    agents=(Founder(), NoiseTrader(count=6, interval=7_200)),
    sweep=Sweep(axis=(Axis(name="fee", parameter="IsolatedSettings main opening_fee_bps", values=(5, 20, 50)),)),
    sensitivity=("trader_cost",),
)


@pytest.fixture(scope="module")
def swept() -> Study:
    """Three fees on two paths."""
    return study(SWEPT)


def test_a_sweep_is_drawn_for_the_metrics_it_names(swept: Study) -> None:
    """The tornado of the fee reaches as far as the table; every point lies on its axis."""
    tornado, along = swept.figures["tornado_zeus_trader_cost"].data, swept.figures["along_fee_trader_cost"].data
    middles = [group.summary(REGISTRY["trader_cost"])[1] for group in swept.groups]

    assert along["fee"].to_list() == [5.0, 20.0, 50.0]
    assert along["middle"].to_list() == pytest.approx(middles)
    assert tornado["low_value"][0] == 12.5
    assert tornado["at_high"][0] - tornado["at_low"][0] == pytest.approx(middles[2] - (middles[0] + middles[1]) / 2)
    with pytest.raises(ScenarioError, match="no metric is called luck"):
        run_all(msgspec.structs.replace(SWEPT, sensitivity=("luck",)))


def test_the_split_shows_returns_and_not_deposits(swept: Study) -> None:
    """What LPs put in and take out is in the data and not among the bars, and the bars add up."""
    split = swept.figures["lp_return_split"]

    assert set(FLOWS) <= set(split.data["part"])
    bars = split.figure.data[0]
    assert not set(FLOWS) & set(bars.y)
    assert sum(bars.x[:-1]) == pytest.approx(bars.x[-1])


def test_a_notebook_shows_the_reports_own_plots(swept: Study, tmp_path: Path) -> None:
    """The script comes with the first plot only, and nothing is loaded from elsewhere."""
    shown = [figure._repr_html_() for figure in list(swept.figures.values())[:3]]
    page = write_report(swept, tmp_path).read_text()

    assert all(len(text) < 200_000 for text in shown[1:])
    assert not any(re.search(r"<script[^>]+src", text) for text in (*shown, page))
    assert "LP return" in swept._repr_html_()
    for name in swept.figures:
        assert f'id="{name}"' in page
        assert (tmp_path / "data" / f"{name}.parquet").exists()
    for text in ("width=device-width", "prefers-color-scheme", "by the exact engine", swept.cells[0].profile_hash):
        assert text in page


def test_a_metric_may_draw_itself() -> None:
    """Its function gets each group's numbers."""
    given: dict[str, list[float]] = {}

    def plot(values: dict[str, list[float]]) -> go.Figure:
        given.update(values)
        return go.Figure().add_box(y=[number for numbers in values.values() for number in numbers])

    register(Metric(name="mine", title="mine", unit="count", function=lambda r: float(r.ticks), plot=plot))
    try:
        drawn = study(msgspec.structs.replace(SWEPT, sweep=None)).figures["mine_distribution"]
    finally:
        del REGISTRY["mine"]
    assert given == {"zeus": [48.0, 48.0]}
    assert drawn.figure.data[0].type == "box"
