"""Every plot of a report, as data and as a plotly figure; notebooks show the same objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped, unused-ignore]
import polars as pl

from zlp.simulator.metrics import REGISTRY, Metric
from zlp.simulator.report.study import Group, Study, short
from zlp.simulator.scenario import Axis

COLOURS = ("#3b82f6", "#e08a00", "#10a37f", "#e0559b", "#8b6cf0", "#7c8aa0")
"""Readable on white and on black."""
INK, GRID = "#6b7280", "rgba(128,128,128,0.25)"
LADDER_BUCKETS = 20
FEWEST = 5
"""Paths below which a histogram says nothing."""
UNITS = {"usd": ", USD", "bps": ", bps"}
FLOWS = ("deposits of liquidity", "withdrawals of liquidity")
"""Parts of the split that are money of LPs and no return."""


@dataclass(frozen=True)
class Figure:
    """One plot: ``data`` is what it shows, ``figure`` a plotly figure. Notebooks display it without network."""

    name: str
    title: str
    note: str
    data: pl.DataFrame
    figure: Any

    def _repr_html_(self) -> str:
        """The first one shown by a process brings plotly's script with it; the others find it in the page."""
        script = not _shown
        _shown.append(self.name)
        plot = self.figure.to_html(include_plotlyjs=script, full_html=False, config={"displaylogo": False})
        return f"<h4>{self.title}</h4><p>{self.note}</p>{plot}"


_shown: list[str] = []


Maker = Callable[[Study], Figure | None]


def figures(study: Study) -> list[Figure]:
    """Every plot that has something to show."""
    makers: list[Maker] = [_returns, lambda s: _fan(s, "index", "Share price", "1 is the start"), _drawdown]
    makers += [_utilisation, _ladder, _traders]
    found = [figure for maker in makers if (figure := maker(study)) is not None]
    return [*found, *_distributions(study), *_sensitivity(study)]


def _layout(figure: Any, y: str = "", x: str = "", *, percent: bool = False) -> Any:
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "family": "system-ui, sans-serif"},
        margin={"l": 20, "r": 20, "t": 20, "b": 20},
        height=380,
        showlegend=sum(trace.showlegend is not False for trace in figure.data) > 1,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        hoverlabel={"namelength": -1},
    )
    lines = {"gridcolor": GRID, "zerolinecolor": GRID, "automargin": True}
    figure.update_yaxes(title=y, tickformat=".1%" if percent else None, **lines)
    figure.update_xaxes(title=x, **lines)
    return figure


def _returns(study: Study) -> Figure:
    """Where the change of pool value came from, a bar per group; what is a dollar or less is left out."""
    splits = {group.label: group.split() for group in study.shown}
    rows = [(label, name, usd) for label, split in splits.items() for name, usd in split.items()]
    names = dict.fromkeys(name for _, name, usd in rows if name not in FLOWS and abs(usd) >= 1.0)
    figure = go.Figure()
    for place, (label, split) in enumerate(splits.items()):
        values = [split.get(name, 0.0) for name in names]
        figure.add_bar(
            y=[*names, "<b>all together</b>"],
            x=[*values, sum(values)],
            name=label,
            orientation="h",
            marker_color=_colour(place),
        )
    _layout(figure, x="USD, mean over paths").update_yaxes(autorange="reversed")
    figure.update_layout(height=140 + len(names) * (24 + 10 * len(splits)))
    frame = pl.DataFrame(rows, schema=["group", "part", "usd"], orient="row")
    note = "Mean over paths, without what LPs put in and took out."
    return Figure("lp_return_split", "Where the LPs' return came from", note, frame, figure)


def _fan(study: Study, curve: str, title: str, note: str, *, percent: bool = False) -> Figure:
    rows = []
    figure = go.Figure()
    for place, group in enumerate(study.shown):
        colour = _colour(place)
        bands = group.fan(curve)
        days = [(time - group.cells[0].times[0]) / 86_400 for time in group.cells[0].times][: len(bands)]
        rows += [(group.label, day, *band) for day, band in zip(days, bands, strict=True)]
        low, middle, high = ([band[part] for band in bands] for part in range(3))
        edge = {"mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        if study.scenario.paths > 1:
            figure.add_scatter(x=days, y=high, **edge)
            figure.add_scatter(x=days, y=low, fill="tonexty", fillcolor=_faint(colour), **edge)
        figure.add_scatter(x=days, y=middle, name=group.label, mode="lines", line={"color": colour})
    frame = pl.DataFrame(rows, schema=["group", "day", "low", "middle", "high"], orient="row")
    band = "Median and 5-95 % band over paths; " if study.scenario.paths > 1 else "One path; "
    return Figure(f"{curve}_fan", title, band + note + ".", frame, _layout(figure, x="days", percent=percent))


def _drawdown(study: Study) -> Figure:
    found = _fan(study, "drawdown", "Drawdown of a share", "fall from its highest so far", percent=True)
    found.figure.update_yaxes(rangemode="tozero")
    return found


def _utilisation(study: Study) -> Figure:
    """Utilisation, with skew beside it, by its median."""
    note = "dotted: skew, long less short of both"
    found = _fan(study, "utilisation", "Utilisation and skew", note, percent=True)
    for place, group in enumerate(study.shown):
        bands = group.fan("skew")
        days = [(time - group.cells[0].times[0]) / 86_400 for time in group.cells[0].times][: len(bands)]
        line = {"color": _colour(place), "dash": "dot"}
        found.figure.add_scatter(
            x=days, y=[band[1] for band in bands], name=f"skew {group.label}", line=line, mode="lines"
        )
    found.figure.update_layout(showlegend=True)
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
        sizes = [buckets[move] for move in moves]
        width = 0.9 / LADDER_BUCKETS / len(study.shown)
        figure.add_bar(x=middles, y=sizes, name=group.label, marker_color=_colour(place), width=width)
    if not rows:
        return None
    _layout(figure, "USD, mean over paths", "move of the price from the end of the run").update_xaxes(tickformat=".0%")
    frame = pl.DataFrame(rows, schema=["group", "move", "usd"], orient="row")
    note = "Open size that a move would liquidate; a move beyond 95 % counts in the outermost bar."
    return Figure("liquidation_ladder", "Liquidation ladder", note, frame, figure)


def _traders(study: Study) -> Figure | None:
    rows = [(group.label, usd) for group in study.shown for cell in group.cells for usd in cell.traders]
    if not rows:
        return None
    results = {group.label: [usd for cell in group.cells for usd in cell.traders] for group in study.shown}
    figure = _histogram(results)
    frame = pl.DataFrame(rows, schema=["group", "usd"], orient="row")
    _layout(figure, "traders", "result in USD, after fees")
    return Figure("trader_results", "Results of traders", "One count per trader and path.", frame, figure)


def _distributions(study: Study) -> Iterator[Figure]:
    """Over paths, of the metrics that ask for one: a histogram, or the metric's own plot."""
    for metric in REGISTRY.values():
        if metric.plot == "none" or (metric.plot == "histogram" and study.scenario.paths < FEWEST):
            continue
        values = {group.label: group.values(metric.name) for group in study.shown}
        rows = [(label, value) for label, numbers in values.items() for value in numbers]
        if callable(metric.plot):
            figure = metric.plot(values)
        else:
            figure = _layout(_histogram(values), "paths", f"{metric.title}{UNITS.get(metric.unit, '')}")
            figure.update_xaxes(tickformat=".1%" if metric.unit == "share" else None)
        frame = pl.DataFrame(rows, schema=["group", metric.name], orient="row")
        title = metric.title[0].upper() + metric.title[1:]
        yield Figure(f"{metric.name}_distribution", title, "Over paths.", frame, figure)


def _histogram(values: dict[str, list[float]]) -> Any:
    """Bars that share their bins; about twice the root of the largest count of them."""
    everything = [value for numbers in values.values() for value in numbers]
    low, high = min(everything), max(everything)
    bins = max(6, min(60, 2 * int(max(map(len, values.values())) ** 0.5)))
    size = (high - low) / bins or 1.0
    figure = go.Figure()
    for place, (label, numbers) in enumerate(values.items()):
        figure.add_histogram(
            x=numbers,
            name=label,
            xbins={"start": low, "end": high + size, "size": size},
            opacity=0.6 if len(values) > 1 else 1.0,
            marker_color=_colour(place),
        )
    figure.update_layout(barmode="overlay", bargap=0.05)
    return figure


def _sensitivity(study: Study) -> Iterator[Figure]:
    """What the sweep moved: a tornado of its axes, and each point along each axis."""
    if study.scenario.sweep is None:
        return
    for metric in (REGISTRY[name] for name in study.scenario.sensitivity):
        for profile in study.scenario.profiles:
            groups = [group for group in study.groups if group.profile == profile]
            yield _tornado(study.scenario.sweep.axis, profile, groups, metric)
        for axis in study.scenario.sweep.axis:
            yield _response(study, axis, metric)


def _tornado(axes: Sequence[Axis], profile: str, groups: list[Group], metric: Metric) -> Figure:
    """How far each axis moves the middle of a metric, the others averaged."""
    reaches = {axis.name: _reach(groups, axis.name, metric) for axis in axes}
    rows = sorted(reaches.items(), key=lambda row: abs(row[1][3] - row[1][1]))
    figure = go.Figure()
    for part, name in ((1, "lower half of its values"), (3, "upper half")):
        figure.add_bar(
            y=[axis for axis, _ in rows],
            x=[reach[part] - (reach[1] + reach[3]) / 2 for _, reach in rows],
            text=[f"{reach[part - 1]:,.4g}" for _, reach in rows],
            name=name,
            orientation="h",
            marker_color=_colour(part // 3),
        )
    _layout(figure, x=f"change of {metric.title}{UNITS.get(metric.unit, '')}")
    figure.update_xaxes(tickformat="+.2%" if metric.unit == "share" else None)
    figure.update_layout(barmode="relative", height=160 + 50 * len(rows))
    frame = pl.DataFrame(
        [(axis, *reach) for axis, reach in rows],
        schema=["axis", "low_value", "at_low", "high_value", "at_high"],
        orient="row",
    )
    title = f"Sensitivity of {metric.title}, {short(profile)}"
    note = "Mean of the medians over each half, from their middle; the mean value of the half stands in the bar."
    return Figure(_plain(f"tornado_{short(profile)}_{metric.name}"), title, note, frame, figure)


def _response(study: Study, axis: Axis, metric: Metric) -> Figure:
    """Every point of the sweep along one axis, with its band."""
    rows = [
        (group.profile, group.point[axis.name], *group.summary(metric))
        for group in sorted(study.groups, key=lambda group: group.point[axis.name])
    ]
    figure = go.Figure()
    for place, profile in enumerate(study.scenario.profiles):
        mine = [row for row in rows if row[0] == profile]
        figure.add_scatter(
            x=[row[1] for row in mine],
            y=[row[3] for row in mine],
            error_y={
                "array": [row[4] - row[3] for row in mine],
                "arrayminus": [row[3] - row[2] for row in mine],
                "thickness": 1,
            },
            mode="markers",
            marker={"size": 9, "color": _colour(place)},
            name=short(profile),
        )
    _layout(figure, f"{metric.title}{UNITS.get(metric.unit, '')}", axis.name, percent=metric.unit == "share")
    frame = pl.DataFrame(rows, schema=["profile", axis.name, "low", "middle", "high"], orient="row")
    title = f"{metric.title[0].upper()}{metric.title[1:]} along {axis.name}"
    note = "Median and 5-95 % band of every point; the other axes vary too."
    return Figure(_plain(f"along_{axis.name}_{metric.name}"), title, note, frame, figure)


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


def _plain(text: str) -> str:
    """A name that can be a file's and an element's."""
    return "".join(letter if letter.isalnum() else "_" for letter in text)


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"
