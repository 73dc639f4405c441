"""A scenario: a TOML file that says which profiles meet which prices, crowd and shocks, how often, and what varies."""

from __future__ import annotations

import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from zlp.engine.commands.governance import SetParameter
from zlp.profiles.loader import SHIPPED
from zlp.simulator import plugins
from zlp.simulator.agents import AnyBehaviour
from zlp.simulator.agents.base import Behaviour
from zlp.simulator.backtest import CROWD
from zlp.simulator.generators import Bootstrap, FromFile, Made
from zlp.simulator.shocks import KeeperOutage, OracleLag, OracleOutage, PriceShock

Point = dict[str, float]
"""The value of every axis, by its name."""


class ScenarioError(ValueError):
    """A scenario that can't be used: the file and the reason."""


class Axis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sweep varies: a parameter of the profile, or of a behaviour.

    ``parameter`` is ``"PoolSettings main swap_fees.tax_bps"``: record, key and field; ``agent`` is
    ``"noise.interval"``. A grid takes ``values``; Sobol samples take ``low`` and ``high``. ``whole``: rounded.
    """

    name: str
    parameter: str = ""
    agent: str = ""
    values: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 1.0
    whole: bool = True

    def change(self, value: float) -> SetParameter | None:
        """The governance command that sets a profile's parameter."""
        if not self.parameter:
            return None
        leaf, *key, field = self.parameter.split()
        return SetParameter(leaf=leaf, key=json.dumps(key), field=field, value=str(int(value)))


class Sweep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which points of the axes to visit: every combination of a grid, or ``samples`` Sobol points."""

    axis: tuple[Axis, ...]
    method: Literal["grid", "sobol"] = "grid"
    samples: int = 32

    def points(self) -> list[Point]:
        """The points, in a fixed order."""
        names = [axis.name for axis in self.axis]
        if self.method == "grid":
            combinations = itertools.product(*(axis.values for axis in self.axis))
            return [dict(zip(names, map(float, values), strict=True)) for values in combinations]
        return [dict(zip(names, row, strict=True)) for row in self._sobol()]

    def _sobol(self) -> list[list[float]]:
        """Unscrambled Sobol points without the first, which is the corner: the same everywhere."""
        from scipy.stats import qmc  # type: ignore[import-untyped, unused-ignore]

        sampler = qmc.Sobol(len(self.axis), scramble=False)
        sampler.fast_forward(1)
        rows = sampler.random(self.samples).tolist()
        return [[_between(axis, share) for axis, share in zip(self.axis, row, strict=True)] for row in rows]


def _between(axis: Axis, share: float) -> float:
    value = axis.low + (axis.high - axis.low) * share
    return float(round(value)) if axis.whole else value


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a sweep depends on. ``paths``: how many price paths; ``ticks``: prices per candle, 1 or 4.

    Path ``n`` has the same prices and the same draws of its agents at every point and on every profile, so that
    differences are not noise; with ``common = false`` each point draws its own. ``engine``: ``exact`` runs the
    venue's own root, ``fast`` the compiled float world. ``plugins``: modules that register metrics. ``sensitivity``:
    metrics whose answer to the sweep the report draws.
    """

    title: str
    question: str = ""
    profiles: tuple[str, ...] = ("zeus",)
    paths: int = 1
    seed: int = 1
    ticks: Literal[1, 4] = 4
    common: bool = True
    engine: Literal["exact", "fast"] = "exact"
    prices: FromFile | Made | Bootstrap = Made()
    shocks: tuple[PriceShock | OracleOutage | OracleLag | KeeperOutage, ...] = ()
    agents: tuple[AnyBehaviour, ...] = cast("tuple[AnyBehaviour, ...]", CROWD)
    assume: dict[str, str] = {}
    sweep: Sweep | None = None
    sensitivity: tuple[str, ...] = ("lp_return",)
    plugins: tuple[str, ...] = ()

    def points(self) -> list[Point]:
        """What the sweep visits; one empty point without a sweep."""
        return self.sweep.points() if self.sweep is not None else [{}]

    def cells(self) -> Iterator[Cell]:
        """Every run there is to make, in a fixed order."""
        number = 0
        for profile in self.profiles:
            for place, point in enumerate(self.points()):
                for path in range(self.paths):
                    yield Cell(number, profile, place, point, path)
                    number += 1

    def crowd(self, point: Point) -> tuple[Behaviour, ...]:
        """The agents at a point of the sweep."""
        crowd: list[Any] = list(self.agents)
        for axis in self.sweep.axis if self.sweep is not None else ():
            if axis.agent:
                name, field = axis.agent.split(".")
                value: float | int = int(point[axis.name]) if axis.whole else point[axis.name]
                crowd = [
                    msgspec.structs.replace(agent, **{field: value}) if agent.name == name else agent for agent in crowd
                ]
        return tuple(crowd)

    def changes(self, point: Point) -> tuple[SetParameter, ...]:
        """The parameters governance sets at a point of the sweep."""
        axes = self.sweep.axis if self.sweep is not None else ()
        return tuple(change for axis in axes if (change := axis.change(point[axis.name])) is not None)

    @property
    def digest(self) -> str:
        """SHA-256 of the scenario's content."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Cell(msgspec.Struct, frozen=True):
    """One run of a scenario: a profile at point ``place`` of the sweep on path number ``path``."""

    number: int
    profile: str
    place: int
    point: Point
    path: int


def load(file: Path) -> Scenario:
    """Read and check a scenario. Raises ``ScenarioError`` with the reason.

    Price files, profiles and plugin modules that it names may lie beside it.
    """
    try:
        data = tomllib.loads(file.read_text())
        scenario = msgspec.convert(data, Scenario)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as fault:
        raise ScenarioError(f"{file}: {fault}") from None
    if scenario.plugins:
        plugins.look_in(file.parent)
    return _checked(file, scenario)


def _checked(file: Path, scenario: Scenario) -> Scenario:
    names = [agent.name for agent in scenario.agents]
    if len(set(names)) != len(names):
        raise ScenarioError(f"{file}: two kinds of agents have the same name: {', '.join(sorted(names))}")
    if scenario.paths < 1:
        raise ScenarioError(f"{file}: paths must be at least 1")
    if not scenario.profiles or len(set(scenario.profiles)) != len(scenario.profiles):
        raise ScenarioError(f"{file}: profiles must name at least one, and each once")
    fault = _fault(scenario.sweep, scenario.agents) if scenario.sweep is not None else ""
    if fault:
        raise ScenarioError(f"{file}: {fault}")
    profiles = tuple(name if name in SHIPPED else _placed(file, name) for name in scenario.profiles)
    return msgspec.structs.replace(scenario, prices=_beside(file, scenario.prices), profiles=profiles)


def _fault(sweep: Sweep, agents: Sequence[Behaviour]) -> str:
    """What is wrong with a sweep, or nothing."""
    names = [axis.name for axis in sweep.axis]
    if not names or len(set(names)) != len(names):
        return f"a sweep needs axes with different names, not {names}"
    if sweep.method == "sobol" and sweep.samples < 1:
        return "samples must be at least 1"
    return next((f"axis {axis.name!r} {fault}" for axis in sweep.axis if (fault := _lack(axis, sweep, agents))), "")


def _lack(axis: Axis, sweep: Sweep, agents: Sequence[Behaviour]) -> str:
    if bool(axis.parameter) == bool(axis.agent):
        return "needs either a parameter or an agent"
    if sweep.method == "grid" and not axis.values:
        return "of a grid needs values"
    if axis.parameter:
        return "" if len(axis.parameter.split()) > 1 else f"needs record, key and field, not {axis.parameter!r}"
    name, _, field = axis.agent.partition(".")
    agent = next((agent for agent in agents if agent.name == name), None)
    if agent is None:
        return f"varies {name!r}: no agents are called that"
    if not isinstance(getattr(agent, field, None), int | float):
        return f"varies {axis.agent!r}, which is no number of {name!r}"
    return ""


def _placed(file: Path, name: str) -> str:
    """The path of something that lies beside the scenario and not here; else the name as it is."""
    beside = file.parent / name
    return str(beside) if not Path(name).exists() and beside.is_file() else name


def _beside(file: Path, prices: FromFile | Made | Bootstrap) -> FromFile | Made | Bootstrap:
    if isinstance(prices, Bootstrap):
        history = _beside(file, prices.history)
        return msgspec.structs.replace(prices, history=history)
    if isinstance(prices, FromFile):
        return msgspec.structs.replace(prices, file=_placed(file, prices.file))
    return prices
