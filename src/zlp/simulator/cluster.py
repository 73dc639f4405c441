"""Cells on a Ray cluster: ``pip install 'zlp[cluster]'``, the same results as in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zlp.simulator.cells import CellResult, run_cell
from zlp.simulator.scenario import Cell, Scenario


def run_on_ray(tasks: Sequence[tuple[Scenario, Cell]]) -> Iterator[CellResult]:
    """Run each task on the cluster this process is connected to, or on a local one started for it."""
    import ray  # type: ignore[import-not-found, unused-ignore]

    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False)
    remote = ray.remote(run_cell)
    waiting = [remote.remote(scenario, cell) for scenario, cell in tasks]
    try:
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            yield ray.get(done[0])
    finally:
        if started:
            ray.shutdown()
