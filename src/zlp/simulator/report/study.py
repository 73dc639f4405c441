"""The results of a scenario, grouped the way tables and plots ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from zlp.simulator.cells import CellResult
from zlp.simulator.metrics import REGISTRY, Metric, quantile
from zlp.simulator.scenario import Scenario

if TYPE_CHECKING:
    from zlp.simulator.report.figures import Figure


@dataclass(frozen=True)
class Group:
    """All paths of one profile at one point of the sweep."""

    profile: str
    place: int
    point: dict[str, float]
    cells: tuple[CellResult, ...]

    @property
    def label(self) -> str:
        """Short text for legends and table heads."""
        values = ", ".join(f"{name} {value:,.10g}" for name, value in self.point.items())
        return f"{short(self.profile)} ({values})" if values else short(self.profile)

    def values(self, metric: str) -> list[float]:
        """One number a path."""
        return [cell.metrics[metric] for cell in self.cells]

    def summary(self, metric: Metric) -> tuple[float, float, float]:
        """(low, middle, high) over paths."""
        return metric.summarise(self.values(metric.name))

    def fan(self, curve: str) -> list[tuple[float, float, float]]:
        """The 5 %, 50 % and 95 % quantiles of a curve at each kept sample."""
        columns = zip(*(cell.curves[curve] for cell in self.cells), strict=False)
        return [(quantile(values, 0.05), quantile(values, 0.5), quantile(values, 0.95)) for values in columns]

    def split(self) -> dict[str, float]:
        """Mean over paths of where the change of pool value came from, USD."""
        names = dict.fromkeys(name for cell in self.cells for name in cell.split)
        return {name: sum(cell.split.get(name, 0.0) for cell in self.cells) / len(self.cells) for name in names}


@dataclass(frozen=True)
class Study:
    """A scenario with its results."""

    scenario: Scenario
    cells: tuple[CellResult, ...]
    command: str

    @property
    def groups(self) -> list[Group]:
        """Profiles and points in the scenario's order."""
        found: dict[tuple[str, int], list[CellResult]] = {}
        for cell in self.cells:
            found.setdefault((cell.profile, cell.place), []).append(cell)
        return [Group(profile, place, cells[0].point, tuple(cells)) for (profile, place), cells in found.items()]

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every plot of the report by its name, with its data; each shows itself in a notebook."""
        from zlp.simulator.report.figures import figures

        return {figure.name: figure for figure in figures(self)}

    def _repr_html_(self) -> str:
        """The headline table, in a notebook."""
        from zlp.simulator.report.page import headline_table

        return headline_table(self)

    @property
    def shown(self) -> list[Group]:
        """The groups that curves are drawn for: all of a few, else the first point of each profile."""
        groups = self.groups
        return groups if len(groups) <= 6 else [group for group in groups if group.place == groups[0].place]


def short(profile: str) -> str:
    """A shipped profile's name, or that of a file without its folder."""
    return Path(profile).stem if profile.endswith(".toml") else profile


def headline() -> list[Metric]:
    """The metrics of the first table."""
    return [metric for metric in REGISTRY.values() if metric.headline]


def study_of(scenario: Scenario, cells: Sequence[CellResult], command: str) -> Study:
    """Put a scenario and its results together."""
    return Study(scenario, tuple(cells), command)
