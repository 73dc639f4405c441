"""``zlp simulate`` and ``zlp compare``: scenarios over many cells, and their report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zlp.simulator.options import (
    AssumeOption,
    ColumnsOption,
    DaysOption,
    EndOption,
    PricesOption,
    SeedOption,
    StartOption,
    TicksOption,
    extras,
    failure,
    of_a_file,
    pairs,
)

if TYPE_CHECKING:
    from zlp.simulator.report.study import Study
    from zlp.simulator.scenario import Scenario

OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for finished cells, data and the report.")]
WorkersOption = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 for one per processor.")]
RayOption = Annotated[
    bool, typer.Option("--ray", help="Run on a Ray cluster instead: RAY_ADDRESS, or a local one (zlp\\[cluster]).")
]
PathsOption = Annotated[int | None, typer.Option("--paths", min=1, help="How many price paths, instead of the file's.")]


def simulate(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of an example.")],
    out: OutOption = None,
    workers: WorkersOption = 0,
    ray: RayOption = False,
    paths: PathsOption = None,
) -> None:
    """Run a scenario: many price paths, a sweep of parameters, one report.

    Finished cells are kept in the output folder, so a run that was stopped goes on where it was. Results do not
    depend on the number of workers.

    Examples:

    zlp simulate crash

    zlp simulate my-scenario.toml --paths 200 --workers 8 --out results
    """
    from msgspec.structs import replace

    with extras():
        from zlp.simulator.examples import find
        from zlp.simulator.scenario import ScenarioError, load

    try:
        loaded = load(find(scenario))
    except (ScenarioError, FileNotFoundError) as fault:
        raise failure(str(fault)) from None
    if paths is not None:
        loaded = replace(loaded, paths=paths)
    _study(loaded, out or Path("runs") / Path(scenario).stem, workers, ray=ray)


def compare(
    profiles: Annotated[list[str], typer.Argument(help="Two or more profiles.")],
    prices: PricesOption = None,
    seed: SeedOption = 1,
    start: StartOption = "",
    end: EndOption = "",
    days: DaysOption = 30,
    ticks: TicksOption = 4,
    column: ColumnsOption = None,
    assume: AssumeOption = None,
    out: OutOption = None,
    workers: WorkersOption = 0,
    ray: RayOption = False,
    paths: PathsOption = None,
) -> None:
    """Put designs on the same prices and the same intentions of traders, side by side.

    Every trader draws what he wants to do (when, which coin, which side, how much, how long) from his own stream,
    which no venue can influence; each design executes what its rules allow.

    Example: zlp compare zeus zeno zo zaros --prices candles.parquet --from 2025-10-01 --to 2025-10-20
    """
    from msgspec.structs import replace

    with extras():
        from zlp.simulator.comparison import scenario_of
        from zlp.simulator.generators import FromFile, Made

    of_a_file(prices, start, end, column)
    if len(set(profiles)) != len(profiles):
        raise failure(f"each profile once, not {' '.join(profiles)}")
    source: FromFile | Made = Made(days=days)
    if prices is not None:
        source = FromFile(file=str(prices), start=start, end=end, columns=pairs(column, "--column"))
    if ticks not in (1, 4):
        raise failure(f"--ticks is 1 or 4, not {ticks}")
    made = replace(
        scenario_of(profiles, source, seed=seed, paths=paths or 1, assume=pairs(assume, "--assume")),
        ticks=1 if ticks == 1 else 4,
    )
    names = "-".join(Path(name).stem for name in profiles)
    _study(made, out or Path("runs") / f"compare-{names}", workers, ray=ray)


def _study(scenario: Scenario, out: Path, workers: int, *, ray: bool) -> None:
    """Run, print the headline, write the report."""
    from rich.console import Console

    with extras():
        from zlp.oracle.observation import FeedError
        from zlp.profiles.loader import ProfileError
        from zlp.simulator.cluster import ClusterError
        from zlp.simulator.ensemble import processors, run_all
        from zlp.simulator.progress import with_progress
        from zlp.simulator.report import write_report
        from zlp.simulator.report.study import study_of

    total = sum(1 for _ in scenario.cells())
    try:
        cells = with_progress(
            total,
            scenario.title,
            lambda passed: run_all(
                scenario, out, workers=min(total, workers or processors()), ray=ray, progress=passed
            ),
            "runs",
        )
    except (ProfileError, FeedError, ClusterError, ValueError, LookupError) as fault:
        raise failure(str(fault)) from None
    study = study_of(scenario, cells, shlex.join(["zlp", *sys.argv[1:]]))
    console = Console()
    console.print(_table(study))
    if len(study.shown) < len(study.groups):
        console.print(f"{len(study.shown)} of {len(study.groups)} points; the report's table has them all")
    console.print(f"report: {write_report(study, out)}")
    faults = [fault for cell in cells for fault in cell.faults]
    if faults:
        raise failure("\n".join(faults[:10]))


def _table(study: Study) -> Any:
    """Metrics down, groups across: the middle, and the band where there are several paths."""
    from rich.table import Table

    from zlp.simulator.report.study import headline

    groups = study.shown
    table = Table("", *(group.label for group in groups), title=study.scenario.title, title_justify="left")
    for metric in headline():
        texts = []
        for group in groups:
            low, middle, high = group.summary(metric)
            band = f"\n[dim]{metric.shown(low)} to {metric.shown(high)}" if study.scenario.paths > 1 else ""
            texts.append(f"{metric.shown(middle)}{band}")
        table.add_row(metric.title, *texts)
    return table
