"""Runs the cells of a scenario, here, on several processes, or on a Ray cluster; keeps each as it finishes.

A cell depends on nothing but itself, so the results are the same bytes whoever ran them and in whatever order.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import msgspec

from zlp.simulator import plugins
from zlp.simulator.cells import CellResult, key_of, run_cell
from zlp.simulator.metrics import REGISTRY
from zlp.simulator.scenario import Cell, Scenario, ScenarioError

Task = tuple[Scenario, Cell]
Runner = Callable[[Sequence[Task]], Iterator[CellResult]]
"""Runs tasks in any order and yields results as they finish."""


def run_all(
    scenario: Scenario,
    folder: Path | None = None,
    *,
    workers: int = 1,
    ray: bool = False,
    progress: Callable[[int], None] | None = None,
) -> list[CellResult]:
    """Every cell of a scenario, in the order of the scenario. Cells kept in ``folder`` are not run again.

    Raises ``ValueError`` for a plugin, a metric or a parameter that does not exist, and what a run raises.
    """
    plugins.import_all(scenario.plugins)
    unknown = [name for name in scenario.sensitivity if name not in REGISTRY]
    if unknown:
        raise ScenarioError(f"no metric is called {', '.join(unknown)}; there are {', '.join(REGISTRY)}")
    cells = list(scenario.cells())
    found: dict[int, CellResult] = {}
    missing: list[Task] = []
    for cell in cells:
        result = _read(folder, scenario, cell)
        if result is None:
            missing.append((scenario, cell))
        else:
            found[cell.number] = result
    if progress is not None:
        progress(len(found))
    missing.sort(key=lambda task: task[1].path)  # so that the points of a sweep find their path made
    for result in _runner(workers, ray)(missing) if missing else ():
        found[result.number] = result
        _keep(folder, result)
        if progress is not None:
            progress(len(found))
    return [found[cell.number] for cell in cells]


def _runner(workers: int, ray: bool) -> Runner:
    if ray:
        from zlp.simulator.cluster import run_on_ray

        return lambda tasks: run_on_ray(tasks, workers)
    return here if workers <= 1 else lambda tasks: on_processes(tasks, workers)


def here(tasks: Sequence[Task]) -> Iterator[CellResult]:
    """One after the other in this process."""
    for scenario, cell in tasks:
        yield run_cell(scenario, cell)


def on_processes(tasks: Sequence[Task], workers: int) -> Iterator[CellResult]:
    """Spread over processes of this machine."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        waiting = {pool.submit(run_cell, scenario, cell) for scenario, cell in tasks}
        for future in as_completed(waiting):
            yield future.result()


def processors() -> int:
    """How many cells can run at once on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _file(folder: Path, key: str) -> Path:
    return folder / "cells" / f"{key}.json"


def _read(folder: Path | None, scenario: Scenario, cell: Cell) -> CellResult | None:
    """A kept result; one that can't be read (a crash while it was written) or lacks a metric is run again."""
    if folder is None:
        return None
    try:
        data = _file(folder, key_of(scenario, cell)).read_bytes()
        result = msgspec.json.decode(data, type=CellResult)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if not REGISTRY.keys() <= result.metrics.keys():
        return None
    return msgspec.structs.replace(result, number=cell.number, place=cell.place)


def _keep(folder: Path | None, result: CellResult) -> None:
    if folder is None:
        return
    file = _file(folder, result.key)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(result))
    draft.replace(file)
