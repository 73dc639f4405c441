"""What another machine needs to run a scenario's cells: the price file and the plugin modules, by their content."""

from __future__ import annotations

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path

import msgspec

from zlp.profiles.loader import SHIPPED
from zlp.simulator import plugins
from zlp.simulator.cells import CellResult, run_cell
from zlp.simulator.generators import Bootstrap, FromFile
from zlp.simulator.scenario import Cell, Scenario


class Parcel(msgspec.Struct, frozen=True):
    """A scenario with the bytes it reads. ``modules`` are plugins that are one file; a package must be installed.

    ``profiles`` are those that are files, by what the scenario calls them.
    """

    scenario: Scenario
    prices: bytes
    modules: dict[str, bytes]
    profiles: dict[str, bytes]


def pack(scenario: Scenario) -> Parcel:
    """Read what the scenario names. Raises ``OSError`` if a file is gone."""
    file = _file(scenario)
    data = Path(file).read_bytes() if file else b""
    profiles = {name: Path(name).read_bytes() for name in scenario.profiles if name not in SHIPPED}
    return Parcel(scenario, data, plugins.sources(scenario.plugins), profiles)


def run_packed(parcel: Parcel, cell: Cell) -> CellResult:
    """Run a cell from a parcel, wherever this process is."""
    folder = Path(_holder().name)
    for name, source in parcel.modules.items():
        _write(folder / f"{name}.py", source)
    if parcel.modules:
        plugins.look_in(folder)
    scenario = parcel.scenario
    file = _file(scenario)
    if file:
        there = folder / (hashlib.sha256(parcel.prices).hexdigest() + Path(file).suffix)
        _write(there, parcel.prices)
        scenario = _with_file(scenario, there)
    profile = cell.profile
    if profile in parcel.profiles:
        text = parcel.profiles[profile]
        there = folder / f"{hashlib.sha256(text).hexdigest()}.toml"
        _write(there, text)
        cell = msgspec.structs.replace(cell, profile=str(there))
    return msgspec.structs.replace(run_cell(scenario, cell), profile=profile)


@lru_cache(maxsize=1)
def _holder() -> tempfile.TemporaryDirectory[str]:
    """Of this process, gone with it."""
    return tempfile.TemporaryDirectory(prefix="zlp-")


def _write(file: Path, data: bytes) -> None:
    if not file.exists():
        file.write_bytes(data)


def _file(scenario: Scenario) -> str:
    prices = scenario.prices
    history = prices.history if isinstance(prices, Bootstrap) else prices
    return history.file if isinstance(history, FromFile) else ""


def _with_file(scenario: Scenario, file: Path) -> Scenario:
    prices = scenario.prices
    replace = msgspec.structs.replace
    if isinstance(prices, Bootstrap):
        return replace(scenario, prices=replace(prices, history=replace(prices.history, file=str(file))))
    return replace(scenario, prices=replace(prices, file=str(file)))
