"""The three crises of docs/findings.md: four designs on the same prices and the same intentions.

    ZLP_TEST_DATA=<folder> python docs/studies/findings.py

needs `candles-1h-2024-2026.parquet`, `closes-1h-2017-2021.parquet` and `depeg-1m-2023-03.parquet`. Runs what
`zlp compare` runs, writes the tables into docs/findings.md and draws its pictures.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
from rich.console import Console

from zlp.engine.fixed import USD
from zlp.simulator.cells import CellResult, path_of
from zlp.simulator.comparison import scenario_of
from zlp.simulator.ensemble import processors, run_all
from zlp.simulator.generators import FromFile
from zlp.simulator.metrics import REGISTRY
from zlp.simulator.scenario import Scenario

PROFILES = ("zeus", "zeno", "zo", "zaros")
COLOURS = dict(zip(PROFILES, ("#3b82f6", "#e08a00", "#10a37f", "#e0559b"), strict=True))
GREYS = ("#7c8aa0", "#a78b6c", "#8b6cf0")
ROWS = (
    "lp_return",
    "leaving_return",
    "excess_return",
    "drawdown",
    "fees_to_lps",
    "traders",
    "trader_cost",
    "volume",
    "utilisation",
    "utilisation_most",
    "liquidations",
    "deleverages",
    "bad_debt",
    "insolvency_margin",
)
DOCUMENT = Path(__file__).parents[1] / "findings.md"
WIDTH, HEIGHT, LEFT, GAP = 400, 190, 62, 88
STYLE = """
text { fill: #344054; } .frame { stroke: #98a2b3; fill: none; } .grid { stroke: #98a2b3; stroke-opacity: 0.3; }
@media (prefers-color-scheme: dark) { text { fill: #d0d5dd; } .page { fill: #0d1117; } }
"""


class Crisis(msgspec.Struct, frozen=True):
    """One study: where its prices are, and which assets its first panel shows."""

    name: str
    file: str
    start: str
    end: str
    shown: tuple[str, ...]
    ticks: int = 4
    columns: dict[str, str] = {}
    assume: dict[str, str] = {}
    only: tuple[str, ...] = ()


CRISES = (
    Crisis("october-2025", "candles-1h-2024-2026.parquet", "2025-10-06", "2025-10-20", ("BTC", "ETH")),
    Crisis(
        "march-2020",
        "closes-1h-2017-2021.parquet",
        "2020-03-05",
        "2020-03-20",
        ("BTC", "ETH"),
        ticks=1,
        only=("BTC", "ETH"),
    ),
    Crisis(
        "march-2023",
        "depeg-1m-2023-03.parquet",
        "2023-03-10",
        "2023-03-13",
        ("BTC", "USDC", "USDT"),
        ticks=1,
        columns={"BTC": "btc_usd", "USDC": "usdc_usd_implied", "USDT": "usdt_usd_implied"},
        assume={"m.USDC": "1 USDC", "m.USDT": "1 USDT"},
    ),
)


def scenario(crisis: Crisis, data: Path, spare: Path) -> Scenario:
    """What `zlp compare` would run; rows of other assets are left out where they contradict each other."""
    file = data / crisis.file
    if crisis.only:
        file = spare / crisis.file
        rows = pl.read_parquet(data / crisis.file)
        rows.filter(pl.col("asset").is_in(crisis.only)).write_parquet(file)
    prices = FromFile(file=str(file), start=crisis.start, end=crisis.end, columns=crisis.columns)
    made = scenario_of(PROFILES, prices, assume=crisis.assume)
    return msgspec.structs.replace(made, ticks=1 if crisis.ticks == 1 else 4)


def table(cells: Sequence[CellResult]) -> str:
    """The metrics, a column a design."""
    lines = [f"| | {' | '.join(cell.profile for cell in cells)} |", "|---" * (len(cells) + 1) + "|"]
    for name in ROWS:
        metric = REGISTRY[name]
        values = " | ".join(metric.shown(cell.metrics[name]) for cell in cells)
        lines.append(f"| {metric.title.partition(':')[0]} | {values} |")
    return "\n".join(lines)


Line = tuple[str, str, Sequence[float]]
"""Name, colour, values evenly spaced in time."""


def picture(crisis: Crisis, one: Scenario, cells: Sequence[CellResult]) -> str:
    """Four panels: the market, a share of each design, who is open, and where the difference came from."""
    first = next(iter(one.cells()))
    steps = [step for step in path_of(one, first).prices.path.steps if set(crisis.shown) <= set(step.candles)]
    market: list[Line] = []
    for asset, colour in zip(crisis.shown, GREYS, strict=False):
        closes = [step.candles[asset].close / USD for step in steps[:: max(1, len(steps) // 300)]]
        market.append((asset, colour, [close / closes[0] for close in closes]))
    curves = {
        name: [(cell.profile, COLOURS[cell.profile], cell.curves[name]) for cell in cells] for name in ("index", "skew")
    }
    span = (steps[0].time, steps[-1].time)
    width, height = 2 * (LEFT + WIDTH) + 30, 2 * (HEIGHT + GAP) + 10
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="12">',
        f'<style>{STYLE}</style><rect class="page" width="{width}" height="{height}" fill="white"/>',
        *panel("Prices, 1 at the start", market, (0, 0), span),
        *panel("A share of the pool, 1 at the start", curves["index"], (1, 0), span),
        *panel("Skew of open positions: 1 is all long, -1 all short", curves["skew"], (0, 1), span),
        *bars(cells, (1, 1)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def corner(place: tuple[int, int]) -> tuple[int, int]:
    """Left and top of a panel."""
    return LEFT + place[0] * (WIDTH + LEFT), 44 + place[1] * (HEIGHT + GAP)


def heading(title: str, names: Sequence[tuple[str, str]], left: int, top: int) -> Iterator[str]:
    """Title, legend and frame."""
    yield f'<text x="{left}" y="{top - 26}" font-weight="bold">{title}</text>'
    for number, (name, colour) in enumerate(names):
        x = left + 76 * number
        yield f'<path d="M{x} {top - 12}h14" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{x + 19}" y="{top - 8}">{name}</text>'
    yield f'<rect class="frame" x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}"/>'


def marks(low: float, high: float, left: int, top: int) -> Iterator[str]:
    """Lines at round numbers."""
    rough = (high - low) / 6
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= rough)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        y = top + HEIGHT * (high - number * step) / (high - low)
        yield f'<path class="grid" d="M{left} {y:.1f}h{WIDTH}"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:,.6g}</text>'


def panel(title: str, lines: Sequence[Line], place: tuple[int, int], span: tuple[int, int]) -> Iterator[str]:
    """Curves over time, with a date at every fourth of it."""
    left, top = corner(place)
    low, high = (pick(pick(values) for _, _, values in lines) for pick in (min, max))
    low, high = low - (high - low) * 0.04, high + (high - low) * 0.04
    yield from heading(title, [(name, colour) for name, colour, _ in lines], left, top)
    yield from marks(low, high, left, top)
    for part, anchor in enumerate(("start", "middle", "end")):
        moment = datetime.fromtimestamp(span[0] + (span[1] - span[0]) * part // 2, UTC)
        x = left + WIDTH * part / 2
        yield f'<text x="{x:.1f}" y="{top + HEIGHT + 16}" text-anchor="{anchor}">{moment:%-d %b %Y, %H:%M}</text>'
    for _, colour, values in lines:
        points = " ".join(
            f"{left + WIDTH * index / (len(values) - 1):.1f},{top + HEIGHT * (high - value) / (high - low):.1f}"
            for index, value in enumerate(values)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


GROUPS = {
    "fees": ("fees", "funding"),
    "traders": ("traders'", "profits beyond", "collateral left"),
    "beyond collateral": ("losses beyond",),
    "spreads": ("price spreads",),
}
"""Parts of the split by how their names begin."""


def bars(cells: Sequence[CellResult], place: tuple[int, int]) -> Iterator[str]:
    """Where the pools' change came from beside the price of their assets, thousand USD."""
    left, top = corner(place)
    sums = {
        (name, cell.profile): sum(usd for part, usd in cell.split.items() if part.startswith(starts)) / 1_000
        for name, starts in GROUPS.items()
        for cell in cells
    }
    low, high = min(0.0, *sums.values()) * 1.05, max(0.0, *sums.values()) * 1.05
    yield from heading("Gained beside the assets' prices, thousand USD of 10 million", list(COLOURS.items()), left, top)
    scale = HEIGHT / (high - low)
    yield from marks(low, high, left, top)
    zero = top + high * scale
    yield f'<path class="frame" d="M{left} {zero:.1f}h{WIDTH}"/>'
    room = WIDTH / len(GROUPS)
    for number, name in enumerate(GROUPS):
        x = left + room * number
        yield f'<text x="{x + room / 2:.1f}" y="{top + HEIGHT + 16}" text-anchor="middle">{name}</text>'
        for column, cell in enumerate(cells):
            value = sums[name, cell.profile]
            y, height = zero - max(0.0, value) * scale, abs(value) * scale
            colour = COLOURS[cell.profile]
            yield f'<rect x="{x + 14 + 18 * column:.1f}" y="{y:.1f}" width="16" height="{height:.1f}" fill="{colour}"/>'


def main() -> None:
    """Run the studies, rewrite the tables of the document, draw its pictures."""
    folder = os.environ.get("ZLP_TEST_DATA")
    if not folder:
        raise SystemExit("set ZLP_TEST_DATA to the folder that holds the price files")
    text = DOCUMENT.read_text()
    with tempfile.TemporaryDirectory() as spare:
        for crisis in CRISES:
            one = scenario(crisis, Path(folder), Path(spare))
            cells = run_all(one, workers=processors())
            faults = [fault for cell in cells for fault in cell.faults]
            if faults:
                raise SystemExit(f"{crisis.name}: {faults[:3]}")
            Console(soft_wrap=True, highlight=False).print(f"{crisis.name}\n{table(cells)}")
            begin, end = f"<!-- {crisis.name} -->\n", f"\n<!-- end of {crisis.name} -->"
            before, _, rest = text.partition(begin)
            text = before + begin + table(cells) + end + rest.partition(end)[2]
            Path(__file__).with_name(f"{crisis.name}.svg").write_text(picture(crisis, one, cells))
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
