"""Cells on a Ray cluster: ``pip install 'zlp[cluster]'``, the same results as in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from zlp.simulator.cells import CellResult
from zlp.simulator.parcel import pack, run_packed
from zlp.simulator.scenario import Cell, Scenario

OBJECT_STORE = 128 * 1024 * 1024
"""Bytes of shared memory of a local cluster: scenarios and results are small."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # tell nobody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else a warning about graphics cards
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # workers use the interpreter that called, as it is
}


class ClusterError(RuntimeError):
    """No cluster to run on, and the reason."""


def run_on_ray(tasks: Sequence[tuple[Scenario, Cell]], processors: int) -> Iterator[CellResult]:
    """Run each task on the cluster this process is connected to, or ``RAY_ADDRESS`` names, or a local one.

    A local cluster has this many ``processors`` and lives until the last result. Price files, profiles and plugins
    that are one file travel with the tasks; plugins that are packages must be installed on every node. Raises
    ``ClusterError`` without Ray or a cluster, and what a task raises.
    """
    ray = _ray()
    started = not ray.is_initialized()
    if started:
        _connect(ray, processors)
    try:
        parcels = {id(scenario): ray.put(pack(scenario)) for scenario in {id(s): s for s, _ in tasks}.values()}
        remote = ray.remote(run_packed)
        waiting = [remote.remote(parcels[id(scenario)], cell) for scenario, cell in tasks]
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            yield _result(ray, done[0])
    finally:
        if started:
            ray.shutdown()


def _ray() -> Any:
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    try:
        import ray  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise ClusterError("Ray is not installed: pip install 'zlp[cluster]'") from None
    return ray


def _connect(ray: Any, processors: int) -> None:
    if os.environ.get("RAY_ADDRESS", "local") != "local":
        try:
            ray.init(log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, OSError, ValueError, RuntimeError) as fault:
            raise ClusterError(f"no Ray cluster at {os.environ['RAY_ADDRESS']}: {fault}") from None
        return
    ray.init(
        address="local",
        num_cpus=processors,
        num_gpus=0,
        object_store_memory=OBJECT_STORE,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _node_ip_address="127.0.0.1",
    )


def _result(ray: Any, reference: Any) -> CellResult:
    """A task's result; its own error instead of Ray's account of it."""
    try:
        result: CellResult = ray.get(reference)
    except ray.exceptions.RayTaskError as fault:
        raise fault.cause from None
    return result
