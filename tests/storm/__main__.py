"""Run a storm from the command line: exit code 0 when it found nothing."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.storm.weather import Storm, StormFailed
from zlp.engine.codec import wire

console = Console()


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.storm",
        description="Many random commands against a whole profile, audited; a failure prints what repeats it.",
        epilog="example: python -m tests.storm --profile zeus --commands 1000000 --seed 7",
    )
    parser.add_argument("--profile", default="zeus", help="zeus, zeno, zo, zaros or mixed (default: zeus)")
    parser.add_argument("--commands", type=int, default=100_000, help="how many (default: 100000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same storm (default: 1)")
    parser.add_argument("--audit-every", type=int, default=4_000, help="commands between full audits")
    parser.add_argument("--replay-every", type=int, default=100_000, help="commands between replays of the log")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run it with a progress bar and print what it did."""
    asked = arguments(argv)
    storm = Storm(asked.profile, asked.seed, asked.commands, asked.audit_every, asked.replay_every)
    columns = (
        TextColumn(f"{asked.profile} seed {asked.seed}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    began = time.perf_counter()
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("storm", total=asked.commands)
            for done in storm.run():
                if done % 500 == 0 or done == asked.commands:
                    progress.update(task, completed=done)
    except StormFailed as failure:
        explain(storm, failure)
        return 1
    seconds = time.perf_counter() - began
    console.print(table(storm))
    console.print(
        f"{asked.commands:,} commands in {seconds:.0f} s ({asked.commands / seconds:,.0f} a second): no fault"
    )
    console.print(f"digest {storm.root.chain.hex()}")
    return 0


def explain(storm: Storm, failure: StormFailed) -> None:
    """Everything needed to see it again."""
    console.print(f"[bold red]{failure}[/]")
    if failure.envelope is not None:
        console.print(f"command   {wire(failure.envelope).decode()[:2_000]}", soft_wrap=True, markup=False)
    console.print(f"seed      {storm.seed}")
    console.print(f"commit    {commit()}")
    console.print(
        f"again     python -m tests.storm --profile {storm.profile} --seed {storm.seed} --commands {failure.index}"
        f" --audit-every {storm.audit_every}",
        soft_wrap=True,
    )


def commit() -> str:
    """The commit of the working tree, with a mark when it has changes."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def table(storm: Storm) -> Table:
    """How often each command was accepted, refused, and why most."""
    found = Table("command", "accepted", "refused", "most frequent refusals")
    for name in sorted(storm.accepted.keys() | storm.refused.keys()):
        reasons = [(text, n) for text, n in storm.reasons.most_common() if text.split()[0] == name]
        shown = ", ".join(f"{text.split()[1]} {n}" for text, n in reasons[:4])
        found.add_row(name, f"{storm.accepted[name]:,}", f"{storm.refused[name]:,}", shown)
    return found


if __name__ == "__main__":
    sys.exit(main())
