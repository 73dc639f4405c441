"""Puts a report together: inputs, headline, plots, and the command that makes it again."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

import msgspec
import polars as pl
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped, unused-ignore]

import zlp
from zlp.simulator.report.figures import Figure, figures
from zlp.simulator.report.study import Study, headline

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem; color: #1f2937; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; margin: 0.6rem 0; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #e5e7eb; padding: 0.3rem 0.8rem; text-align: left; vertical-align: top; }
td + td, th + th { text-align: right; } .note { color: #6b7280; } .fault { color: #b91c1c; }
code { background: #f3f4f6; padding: 0.1rem 0.3rem; overflow-wrap: anywhere; }
"""


def write_report(study: Study, folder: Path) -> Path:
    """Write ``report.html``, ``data/*.parquet`` (one per plot, and ``cells``); returns the report's path."""
    drawn = figures(study)
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
    scenario = study.scenario
    parts = [
        f"<h1>{html.escape(scenario.title)}</h1>",
        f"<p>{html.escape(scenario.question)}</p>" if scenario.question else "",
        "<h2>Results</h2>",
        _headline(study),
        _checks(study),
        *(_section(figure) for figure in drawn),
        "<h2>Inputs</h2>",
        _inputs(study),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{html.escape(scenario.title)}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>{''.join(parts)}</body></html>"
    )


def _section(figure: Figure) -> str:
    plot = figure.figure.to_html(
        include_plotlyjs=False, full_html=False, config={"displaylogo": False}, div_id=figure.name
    )
    return f"<h2>{html.escape(figure.title)}</h2><p class='note'>{html.escape(figure.note)}</p>{plot}"


def _headline(study: Study) -> str:
    groups = study.groups
    metrics = headline()
    many = study.scenario.paths > 1
    rows = []
    for group in groups:
        cells = [group.label]
        for metric in metrics:
            low, middle, high = group.summary(metric)
            band = f"<br><span class='note'>{metric.shown(low)} to {metric.shown(high)}</span>" if many else ""
            cells.append(f"{metric.shown(middle)}{band}")
        rows.append(cells)
    heads = ["", *(metric.title for metric in metrics)]
    note = "Median, and 5-95 % of paths." if many else "One path."
    return f"<p class='note'>{note}</p>{_table(list(zip(heads, *rows, strict=True)))}"


def _checks(study: Study) -> str:
    faults = [f"cell {cell.number}: {fault}" for cell in study.cells for fault in cell.faults]
    lost = sum(len(cell.bad_debts) for cell in study.cells)
    state = "<span class='fault'>" + html.escape("; ".join(faults[:5])) + "</span>" if faults else "no faults"
    checked = "conservation and solvency audits" if study.scenario.engine == "exact" else "float checks"
    return f"<p>{len(study.cells)} runs, {checked}: {state}. Positions that ended below nothing: {lost}.</p>"


def _inputs(study: Study) -> str:
    scenario = study.scenario
    profiles = {cell.profile: cell.profile_hash for cell in study.cells}
    data = dict.fromkeys(cell.data_hash for cell in study.cells)
    assumed = dict.fromkeys(text for cell in study.cells for text in cell.assumptions)
    versions = {name: metadata.version(name) for name in ("numpy", "numba", "polars", "plotly")}
    engine = "the exact engine" if scenario.engine == "exact" else "the compiled float world"
    rows = [
        ("made by", f"<code>{html.escape(study.command)}</code>"),
        ("numbers come from", f"{engine}, zlp {zlp.__version__}"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in versions.items())),
        *((f"profile {name}", f"<code>{digest}</code>") for name, digest in profiles.items()),
        ("scenario", f"<code>{scenario.digest}</code>"),
        ("seed, paths, ticks per candle", f"{scenario.seed}, {scenario.paths}, {scenario.ticks}"),
        ("price data", "<br>".join(f"<code>{digest}</code>" for digest in list(data)[:4]) + _more(len(data) - 4)),
        ("assumed prices", html.escape("; ".join(assumed)) or "none"),
    ]
    text = html.escape(msgspec.json.format(msgspec.json.encode(scenario), indent=1).decode())
    return f"{_table(rows)}<details><summary>The whole scenario</summary><pre>{text}</pre></details>"


def _more(count: int) -> str:
    return f"<br>and {count} more" if count > 0 else ""


def _table(rows: Iterable[Sequence[str]]) -> str:
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
