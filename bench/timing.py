"""Timing shared by the benchmarks: interleaved rounds, so that a noisy minute hits both sides alike."""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable


def interpreter() -> str:
    """The interpreter, named: results on another are another result."""
    build = f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})"
    return f"{build} at {sys.executable}"


def rates(sides: dict[str, Callable[[], int]], rounds: int = 7) -> dict[str, float]:
    """Median operations per second of each side; a side runs a batch and returns how many operations it did."""
    samples: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, batch in sides.items():
            start = time.perf_counter()
            done = batch()
            samples[name].append(done / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in samples.items()}


def line(name: str, rate: float, baseline: float | None = None, note: str = "") -> str:
    """One line of a report."""
    ratio = "" if baseline is None else f"{rate / baseline:6.2f}x"
    return f"{name:58} {rate:12,.0f} /s {ratio:8} {note}"
