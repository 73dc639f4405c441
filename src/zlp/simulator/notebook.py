"""For notebooks: run a scenario and look at its tables and plots, the same as in the report."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from zlp.simulator.ensemble import run_all
from zlp.simulator.examples import find
from zlp.simulator.report.study import Study, study_of
from zlp.simulator.scenario import Scenario, load


def study(
    scenario: str | Scenario,
    *,
    paths: int | None = None,
    folder: str | Path | None = None,
    workers: int = 1,
    ray: bool = False,
) -> Study:
    """Run a scenario: a file, the name of an example, or one made in Python.

    The study shows its headline table; ``study.figures["index_fan"]`` is a plot, its ``data`` a table and its
    ``figure`` a plotly figure. With ``folder``, finished cells are kept there. Raises what ``run_all`` raises.
    """
    loaded = scenario if isinstance(scenario, Scenario) else load(find(scenario))
    loaded = replace(loaded, paths=paths or loaded.paths)
    cells = run_all(loaded, Path(folder) if folder is not None else None, workers=workers, ray=ray)
    name = loaded.title if isinstance(scenario, Scenario) else scenario
    return study_of(loaded, cells, f"zlp.simulator.notebook.study({name!r})")
