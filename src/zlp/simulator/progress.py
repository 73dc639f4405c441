"""A progress bar for a run: it looks at the clock of the terminal, the run does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
EVERY = 200
"""Ticks between two updates of the bar."""


def with_progress(total: int, title: str, work: Callable[[Callable[[int], None]], T], unit: str = "ticks") -> T:
    """Call ``work`` with a function that is told how far it is, and show that as a bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeRemainingColumn(), transient=True) as bar:
        task = bar.add_task(title, total=total)
        every = EVERY if total > 10 * EVERY else 1

        def passed(count: int) -> None:
            if count % every == 0 or count == total:
                bar.update(task, completed=count)

        return work(passed)
