"""Puts a report together: inputs, headline, plots, and the command that makes it again."""

from __future__ import annotations

import html
import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import msgspec
import polars as pl
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped, unused-ignore]

import zlp
from zlp.simulator.report.figures import Figure
from zlp.simulator.report.study import Study, headline

STYLE = """
:root { color-scheme: light dark; --ink: #1f2937; --quiet: #667085; --line: #e5e7eb; --page: #fff; --box: #f3f4f6;
  --good: #067647; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --quiet: #98a2b3; --line: #344054; --page: #101828; --box: #1d2939;
    --good: #47cd89; --bad: #f97066; }
}
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem;
  color: var(--ink); background: var(--page); }
h1 { font-size: 1.7rem; margin-bottom: 0.4rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 0.2rem; }
.lead { font-size: 1.05rem; margin: 0 0 0.6rem; } .note { color: var(--quiet); margin: 0.2rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.6rem 0; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: 0.35rem 0.9rem 0.35rem 0; text-align: left;
  vertical-align: top; }
th { font-weight: 600; } .numbers td + td, .numbers th + th { text-align: right; min-width: 6.5rem; }
.numbers td:first-child, .numbers th:first-child { min-width: 11rem; }
.fault { color: var(--bad); } .good { color: var(--good); }
code { background: var(--box); padding: 0.1rem 0.3rem; overflow-wrap: anywhere; }
pre { background: var(--box); padding: 0.8rem; overflow-x: auto; } summary { cursor: pointer; }
"""
PAINT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.querySelectorAll(".plotly-graph-div").forEach((plot) =>
  Plotly.relayout(plot, { "font.color": dark.matches ? "#e5e7eb" : "#344054" }));
dark.addEventListener("change", paint); paint();
"""
"""The plots' ink follows the page's; everything else in them suits both."""
CASES = 50
"""Cases of bad debt that are listed."""
LIBRARIES = ("numpy", "numba", "polars", "plotly")


def write_report(study: Study, folder: Path) -> Path:
    """Write ``report.html``, ``data/*.parquet`` (one per plot, and ``cells``); returns the report's path."""
    drawn = list(study.figures.values())
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for figure in drawn:
        figure.data.write_parquet(data / f"{figure.name}.parquet")
    cells_frame(study).write_parquet(data / "cells.parquet")
    file = folder / "report.html"
    file.write_text(_page(study, drawn), encoding="utf-8")
    return file


def cells_frame(study: Study) -> pl.DataFrame:
    """One row per run: what it was and every metric."""
    rows = [
        {
            "cell": cell.number,
            "profile": cell.profile,
            "path": cell.path,
            **cell.point,
            **cell.metrics,
            "digest": cell.digest,
            "data_hash": cell.data_hash,
            "engine": cell.engine,
        }
        for cell in study.cells
    ]
    return pl.DataFrame(rows)


def _page(study: Study, drawn: Sequence[Figure]) -> str:
    title = html.escape(study.scenario.title)
    parts = [
        f"<h1>{title}</h1>",
        f"<p class='lead'>{html.escape(study.scenario.question)}</p>" if study.scenario.question else "",
        _checks(study),
        "<h2>Results</h2>",
        headline_table(study),
        _choice(study),
        *map(_section, drawn),
        *_bad_debts(study),
        "<h2>Inputs</h2>",
        _inputs(study),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>{''.join(parts)}<script>{PAINT}</script></body></html>"
    )


def _section(figure: Figure) -> str:
    settings = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    plot = figure.figure.to_html(include_plotlyjs=False, full_html=False, config=settings, div_id=figure.name)
    return f"<h2>{html.escape(figure.title)}</h2><p class='note'>{html.escape(figure.note)}</p>{plot}"


def headline_table(study: Study) -> str:
    """Metrics down, groups across; the middle, and below it the band where there are several paths."""
    metrics = headline()
    many = study.scenario.paths > 1
    columns = []
    for group in study.groups:
        cells = [html.escape(group.label)]
        for metric in metrics:
            low, middle, high = group.summary(metric)
            band = f"<br><span class='note'>{metric.shown(low)} to {metric.shown(high)}</span>" if many else ""
            cells.append(f"{metric.shown(middle)}{band}")
        columns.append(cells)
    heads = ["", *(html.escape(f"{metric.title}{_unit(metric.unit)}") for metric in metrics)]
    note = f"Median of {study.scenario.paths} paths, and their 5-95 % band." if many else "One path."
    return f"<p class='note'>{note}</p>{_table(list(zip(heads, *columns, strict=True)), kind='numbers')}"


def _choice(study: Study) -> str:
    """Which of many groups the plots show."""
    shown, groups = study.shown, study.groups
    labels = html.escape("; ".join(group.label for group in shown))
    return f"<p class='note'>Of {len(groups)} points the curves show {labels}.</p>" if len(shown) < len(groups) else ""


def _unit(unit: str) -> str:
    return ", USD" if unit == "usd" else ""


def _checks(study: Study) -> str:
    faults = [f"cell {cell.number}: {fault}" for cell in study.cells for fault in cell.faults]
    state = f"<span class='fault'>{html.escape('; '.join(faults[:5]))}</span>"
    if not faults:
        state = "<span class='good'>no faults</span>"
    checked = "conservation and solvency audits" if study.scenario.engine == "exact" else "float checks"
    return f"<p class='note'>{len(study.cells)} runs by {_engine(study)}. {checked.capitalize()}: {state}.</p>"


def _engine(study: Study) -> str:
    return "the exact engine" if study.scenario.engine == "exact" else "the compiled float world"


def _bad_debts(study: Study) -> Iterator[str]:
    """Whose, when and how much: a table of the first cases of each run."""
    labels = {cell.number: group.label for group in study.groups for cell in group.cells}
    rows = [
        (html.escape(labels[cell.number]), str(cell.path), html.escape(text))
        for cell in study.cells
        for text in cell.bad_debts
    ]
    if rows:
        note = f"{len(rows)} positions or accounts ended below nothing."
        yield f"<h2>Bad debt, case by case</h2><p class='note'>{note}</p>"
        table = _table([("", "path", "case"), *rows[:CASES]])
        shown = f"Show the first {CASES}" if len(rows) > CASES else "Show them"
        yield f"<details><summary>{shown}</summary>{table}</details>"


def _inputs(study: Study) -> str:
    scenario = study.scenario
    profiles = {cell.profile: cell.profile_hash for cell in study.cells}
    data = dict.fromkeys(cell.data_hash for cell in study.cells)
    assumed = dict.fromkeys(text for cell in study.cells for text in cell.assumptions)
    rows = [
        ("made by", f"<code>{html.escape(study.command)}</code>"),
        ("numbers come from", f"{_engine(study)}, zlp {zlp.__version__}"),
        ("with", ", ".join(_versions())),
        *((f"profile {html.escape(name)}", f"<code>{digest}</code>") for name, digest in profiles.items()),
        ("scenario", f"<code>{scenario.digest}</code>"),
        ("seed, paths, ticks per candle", f"{scenario.seed}, {scenario.paths}, {scenario.ticks}"),
        (
            "price data, by path",
            "<br>".join(f"<code>{digest}</code>" for digest in list(data)[:4]) + _more(len(data) - 4),
        ),
        ("assumed prices", html.escape("; ".join(assumed)) or "none"),
        ("data behind each plot", "<code>data/*.parquet</code> beside this file; a row a run in <code>cells</code>"),
    ]
    text = html.escape(msgspec.json.format(msgspec.json.encode(scenario), indent=1).decode())
    return f"{_table(rows)}<details><summary>The whole scenario</summary><pre>{text}</pre></details>"


def _versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for name in LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _table(rows: Iterable[Sequence[str]], kind: str = "") -> str:
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return (
        f"<div class='wide'><table class='{kind}'>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"
    )
