"""Running one cell of a scenario, and what is kept of it. Pure: the same cell gives the same bytes anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

import zlp
from zlp.engine.fixed import USD
from zlp.profiles.loader import Profile
from zlp.profiles.loader import load as load_profile
from zlp.simulator import plugins
from zlp.simulator.backtest import Result, Setup, run
from zlp.simulator.generators import Bootstrap, FromFile, PriceSource, data_hash, path_seed
from zlp.simulator.metrics import REGISTRY
from zlp.simulator.paths import Prices
from zlp.simulator.scenario import Cell, Point, Scenario
from zlp.simulator.stream import seed_of

CURVE_POINTS = 100
"""Curves are kept at this many evenly spaced samples and the last."""


class CellResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one run. ``curves``: share index, drawdown, utilisation and skew along the run.

    ``split`` and ``traders`` (result of each account) in USD. ``engine``: which one made the numbers.
    """

    key: str
    number: int
    profile: str
    profile_hash: str
    place: int
    point: Point
    path: int
    engine: str
    digest: str
    data_hash: str
    metrics: dict[str, float]
    split: dict[str, float]
    fees_elsewhere: dict[str, float]
    curves: dict[str, list[float]]
    times: list[int]
    traders: list[float]
    ladder: list[tuple[float, float]]
    assumptions: list[str]
    bad_debts: list[str]
    faults: list[str]


def key_of(scenario: Scenario, cell: Cell) -> str:
    """What a kept result is found by: everything the run depends on, and nothing else."""
    dependencies = (
        source_digest(Path(zlp.__file__).parent),
        scenario.engine,
        profile_of(cell.profile).digest,
        cell.point,
        cell.path,
        _seed(scenario, cell),
        scenario.ticks,
        *_content(scenario),
        scenario.shocks,
        scenario.crowd(cell.point),
        scenario.changes(cell.point),
        scenario.assume,
        plugins.digest(scenario.plugins),
    )
    return hashlib.sha256(msgspec.json.encode(dependencies)).hexdigest()[:32]


@cache
def source_digest(package: Path) -> str:
    """SHA-256 of a package's source files, read once per process.

    A version stays while the code under it changes, in a working copy for days; numbers of other code are not kept.
    """
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(package).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _seed(scenario: Scenario, cell: Cell) -> int:
    parts = () if scenario.common else (cell.profile, cell.place)
    return seed_of(scenario.seed, *parts, "path", cell.path) % 2**63


@lru_cache(maxsize=8)
def profile_of(name: str) -> Profile:
    """A profile, read once per process."""
    return load_profile(name)


def _content(scenario: Scenario) -> tuple[PriceSource, str]:
    """Where prices come from, with a file's content instead of its place: it may lie elsewhere on another machine."""
    prices, replace = scenario.prices, msgspec.structs.replace
    if isinstance(prices, Bootstrap):
        history = prices.history
        return replace(prices, history=replace(history, file="")), history.prices(0).sha256
    if isinstance(prices, FromFile):
        return replace(prices, file=""), prices.prices(0).sha256
    return prices, ""


class MadePath(NamedTuple):
    """A path, and the hash of its candles."""

    prices: Prices
    data_hash: str


_made: dict[tuple[bytes, int], MadePath] = {}


def path_of(scenario: Scenario, cell: Cell) -> MadePath:
    """The price path of a cell. The one asked for last is kept: a sweep is run path by path, and paths may be large."""
    seed = path_seed(_seed(scenario, cell), cell.path)
    key = msgspec.json.encode(_content(scenario)), seed
    if key not in _made:
        _made.clear()
        prices = scenario.prices.prices(seed)
        _made[key] = MadePath(prices, data_hash(prices))
    return _made[key]


def setup_of(scenario: Scenario, cell: Cell) -> Setup:
    """What a cell's run depends on beside profile and prices."""
    return Setup(
        seed=_seed(scenario, cell),
        ticks=scenario.ticks,
        crowd=scenario.crowd(cell.point),
        assumptions=scenario.assume,
        shocks=scenario.shocks,
        changes=scenario.changes(cell.point),
    )


def run_cell(scenario: Scenario, cell: Cell) -> CellResult:
    """Run a cell. Raises what the run raises: a scenario that does not fit its profile is a ``ValueError``."""
    plugins.import_all(scenario.plugins)
    (prices, data), profile, setup = path_of(scenario, cell), profile_of(cell.profile), setup_of(scenario, cell)
    if scenario.engine == "fast":
        from zlp.simulator.kernel.run import run_fast

        return kept(scenario, cell, run_fast(profile, prices.path, setup), data)
    return kept(scenario, cell, run(profile, prices.path, setup), data)


def kept(scenario: Scenario, cell: Cell, result: Result, data: str) -> CellResult:
    """The part of a result that sweeps and reports need."""
    series = result.series
    skew = [
        (long - short) / (long + short) if long + short else 0.0
        for long, short in zip(series.long_size, series.short_size, strict=True)
    ]
    curves = {"index": series.index, "drawdown": series.drawdown, "utilisation": series.utilisation, "skew": skew}
    return CellResult(
        key=key_of(scenario, cell),
        number=cell.number,
        profile=cell.profile,
        profile_hash=result.profile_hash,
        place=cell.place,
        point=cell.point,
        path=cell.path,
        engine=scenario.engine,
        digest=result.digest,
        data_hash=data,
        metrics={name: float(metric.function(result)) for name, metric in REGISTRY.items()},
        split={name: amount / USD for name, amount in result.split.items()},
        fees_elsewhere={name: amount / USD for name, amount in result.fees_elsewhere.items()},
        curves={name: _thinned(curve) for name, curve in curves.items()},
        times=[int(time) for time in _thinned(series.times)],
        traders=[amount / USD for _, amount in sorted(result.net_by_account.items())],
        ladder=result.ladder,
        assumptions=result.assumptions,
        bad_debts=result.bad_debts,
        faults=result.faults,
    )


def _thinned(values: Sequence[float]) -> list[float]:
    if len(values) <= CURVE_POINTS + 1:
        return list(values)
    last = len(values) - 1
    return [values[place * last // CURVE_POINTS] for place in range(CURVE_POINTS + 1)]
