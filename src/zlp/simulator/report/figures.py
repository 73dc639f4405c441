"""Every plot of a report, as data and as a plotly figure; notebooks show the same objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped, unused-ignore]
import polars as pl

from zlp.simulator.metrics import REGISTRY, Metric
from zlp.simulator.report.study import Group, Study

COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#475569")
LADDER_BUCKETS = 20


@dataclass(frozen=True)
class Figure:
    """One plot: ``data`` is what it shows, ``figure`` a plotly figure, which notebooks display."""

    name: str
    title: str
    note: str
    data: pl.DataFrame
    figure: Any

    def _repr_html_(self) -> str:
        return str(self.figure.to_html(include_plotlyjs="cdn", full_html=False))


Maker = Callable[[Study], Figure | None]


def figures(study: Study) -> list[Figure]:
    """Every plot that has something to show."""
    makers: list[Maker] = [_returns, lambda s: _fan(s, "index", "Share price", "1 is the start"), _drawdown]
    makers += [_utilisation, _ladder, _traders]
    found = [figure for maker in makers if (figure := maker(study)) is not None]
    return [*found, *_distributions(study), *_sensitivity(study)]


def _layout(figure: Any, y: str = "", x: str = "", *, percent: bool = False) -> Any:
    figure.update_layout(
        template="plotly_white",
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        height=380,
        legend={"orientation": "h", "y": -0.25},
    )
    figure.update_yaxes(title=y, tickformat=".1%" if percent else None)
    figure.update_xaxes(title=x)
    return figure


def _returns(study: Study) -> Figure:
    """Where the change of pool value came from, a bar per group."""
    rows = [(group.label, name, usd) for group in study.shown for name, usd in group.split().items()]
    figure = go.Figure()
    for place, group in enumerate(study.shown):
        split = group.split()
        figure.add_bar(
            y=list(split), x=list(split.values()), name=group.label, orientation="h", marker_color=_colour(place)
        )
    _layout(figure, x="USD, mean over paths")
    figure.update_layout(height=420 + 20 * len(study.shown))
    frame = pl.DataFrame(rows, schema=["group", "part", "usd"], orient="row")
    return Figure("lp_return_split", "Where the LPs' return came from", "Mean over paths.", frame, figure)


def _fan(study: Study, curve: str, title: str, note: str, *, percent: bool = False) -> Figure:
    rows = []
    figure = go.Figure()
    for place, group in enumerate(study.shown):
        colour = _colour(place)
        bands = group.fan(curve)
        days = [(time - group.cells[0].times[0]) / 86_400 for time in group.cells[0].times][: len(bands)]
        rows += [(group.label, day, *band) for day, band in zip(days, bands, strict=True)]
        low, middle, high = ([band[part] for band in bands] for part in range(3))
        figure.add_scatter(x=days, y=high, line={"width": 0}, showlegend=False, hoverinfo="skip")
        figure.add_scatter(
            x=days,
            y=low,
            fill="tonexty",
            fillcolor=_faint(colour),
            line={"width": 0},
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_scatter(x=days, y=middle, name=group.label, line={"color": colour})
    frame = pl.DataFrame(rows, schema=["group", "day", "low", "middle", "high"], orient="row")
    text = f"Median and 5-95 % band over paths; {note}."
    return Figure(f"{curve}_fan", title, text, frame, _layout(figure, x="days", percent=percent))


def _drawdown(study: Study) -> Figure:
    return _fan(study, "drawdown", "Drawdown of a share", "fall from its highest so far", percent=True)


def _utilisation(study: Study) -> Figure:
    """Utilisation, with skew beside it, by its median."""
    found = _fan(study, "utilisation", "Utilisation and skew", "skew dotted: long less short, of both", percent=True)
    for place, group in enumerate(study.shown):
        bands = group.fan("skew")
        days = [(time - group.cells[0].times[0]) / 86_400 for time in group.cells[0].times][: len(bands)]
        line = {"color": _colour(place), "dash": "dot"}
        found.figure.add_scatter(x=days, y=[band[1] for band in bands], name=f"skew {group.label}", line=line)
    return found


def _ladder(study: Study) -> Figure | None:
    """Open size by the price move that liquidates it, at the end of the runs."""
    rows = []
    figure = go.Figure()
    for place, group in enumerate(study.shown):
        buckets: dict[int, float] = {}
        for cell in group.cells:
            for move, size in cell.ladder:
                bucket = int(max(-0.99, min(0.99, move)) * LADDER_BUCKETS // 1)
                buckets[bucket] = buckets.get(bucket, 0.0) + size / len(group.cells)
        moves = sorted(buckets)
        rows += [(group.label, move / LADDER_BUCKETS, buckets[move]) for move in moves]
        middles = [(move + 0.5) / LADDER_BUCKETS for move in moves]
        figure.add_bar(x=middles, y=[buckets[move] for move in moves], name=group.label, marker_color=_colour(place))
    if not rows:
        return None
    _layout(figure, "USD, mean over paths", "move of the price from the end of the run").update_xaxes(tickformat=".0%")
    frame = pl.DataFrame(rows, schema=["group", "move", "usd"], orient="row")
    return Figure("liquidation_ladder", "Liquidation ladder", "Open size that a move would liquidate.", frame, figure)


def _traders(study: Study) -> Figure | None:
    rows = [(group.label, usd) for group in study.shown for cell in group.cells for usd in cell.traders]
    if not rows:
        return None
    figure = go.Figure()
    for place, group in enumerate(study.shown):
        results = [usd for cell in group.cells for usd in cell.traders]
        figure.add_histogram(x=results, name=group.label, nbinsx=60, opacity=0.6, marker_color=_colour(place))
    figure.update_layout(barmode="overlay")
    frame = pl.DataFrame(rows, schema=["group", "usd"], orient="row")
    _layout(figure, "traders", "result in USD, after fees")
    return Figure("trader_results", "Results of traders", "One count per trader and path.", frame, figure)


def _distributions(study: Study) -> Iterator[Figure]:
    """Histograms over paths, of the metrics that ask for one."""
    if study.scenario.paths < 5:
        return
    for metric in REGISTRY.values():
        if metric.plot != "histogram":
            continue
        rows = [(group.label, value) for group in study.shown for value in group.values(metric.name)]
        figure = go.Figure()
        for place, group in enumerate(study.shown):
            figure.add_histogram(
                x=group.values(metric.name), name=group.label, nbinsx=40, opacity=0.6, marker_color=_colour(place)
            )
        figure.update_layout(barmode="overlay")
        _layout(figure, "paths", metric.title)
        figure.update_xaxes(tickformat=".1%" if metric.unit == "share" else None)
        frame = pl.DataFrame(rows, schema=["group", metric.name], orient="row")
        yield Figure(f"{metric.name}_distribution", metric.title.capitalize(), "Over paths.", frame, figure)


def _sensitivity(study: Study) -> Iterator[Figure]:
    """A tornado per profile: how far each axis moves the middle of LP return, the others averaged."""
    axes = study.scenario.sweep.axis if study.scenario.sweep is not None else ()
    if not axes:
        return
    metric = REGISTRY["lp_return"]
    for profile in study.scenario.profiles:
        groups = [group for group in study.groups if group.profile == profile]
        rows = sorted(
            ((axis.name, *_reach(groups, axis.name, metric)) for axis in axes), key=lambda row: abs(row[4] - row[2])
        )
        figure = go.Figure()
        for part, name in ((2, "at the lower values"), (4, "at the higher values")):
            figure.add_bar(y=[row[0] for row in rows], x=[row[part] for row in rows], name=name, orientation="h")
        figure.update_layout(barmode="group")
        _layout(figure, x=metric.title).update_xaxes(tickformat=".2%")
        frame = pl.DataFrame(rows, schema=["axis", "low_value", "at_low", "high_value", "at_high"], orient="row")
        title = f"Sensitivity of LP return, {profile}"
        yield Figure(f"tornado_{profile}", title, "Mean of the medians in the lower and upper half.", frame, figure)


def _reach(groups: list[Group], axis: str, metric: Metric) -> tuple[float, float, float, float]:
    """(mean low value, metric there, mean high value, metric there)."""
    ordered = sorted(groups, key=lambda group: group.point[axis])
    values = sorted({group.point[axis] for group in ordered})
    middle = values[(len(values) - 1) // 2]
    halves = ([g for g in ordered if g.point[axis] <= middle], [g for g in ordered if g.point[axis] > middle])
    low, high = (half or ordered for half in halves)
    return (
        sum(g.point[axis] for g in low) / len(low),
        sum(g.summary(metric)[1] for g in low) / len(low),
        sum(g.point[axis] for g in high) / len(high),
        sum(g.summary(metric)[1] for g in high) / len(high),
    )


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"
