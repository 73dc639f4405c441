"""The command line's part about journals: replay, verify, export, load, back up, compact."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zlp.engine.version import VERSION
from zlp.journal import JournalError, SnapshotFolder, SqliteJournal, lines
from zlp.journal.compaction import compact as compact_journal
from zlp.journal.replay import replay as replay_journal
from zlp.journal.verify import verify as verify_journal
from zlp.node.opening import SNAPSHOTS

app = typer.Typer(help="Look after a venue's journal.", no_args_is_help=True)
console = Console(stderr=True)
Folder = Annotated[Path, typer.Argument(help="The venue's folder, as given to `zlp node --data`.", show_default=False)]
DAY_NS = 86_400 * 10**9


@contextmanager
def reporting(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A progress bar; and journal faults as one readable line with exit code 1."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda sequence: bars.update(bar, completed=sequence) if sequence % 256 == 0 else None


@contextmanager
def _opened(folder: Path, *, read_only: bool = True) -> Iterator[tuple[SqliteJournal, SnapshotFolder]]:
    try:
        journal = SqliteJournal(folder, read_only=read_only)
        try:
            yield journal, SnapshotFolder(folder / SNAPSHOTS)
        finally:
            journal.close()
    except JournalError as fault:
        console.print(f"[bold red]{type(fault).__name__}[/] {fault}")
        raise typer.Exit(1) from None


def _print(**rows: object) -> None:
    for name, value in rows.items():
        typer.echo(f"{name.replace('_', ' '):<20} {value}")


@app.command()
def replay(
    folder: Folder,
    until: Annotated[int | None, typer.Option(help="Stop after this sequence.")] = None,
    from_genesis: Annotated[bool, typer.Option(help="Ignore snapshots.")] = False,
) -> None:
    """Re-execute the journal as a start does, and print where it arrives.

    Example: zlp replay ./venue --until 1000
    """
    with _opened(folder) as (journal, snapshots), reporting(until or journal.last, "replay") as progress:
        root = replay_journal(
            journal,
            engine_version=VERSION,
            snapshots=None if from_genesis else snapshots,
            until=until,
            progress=progress,
        )
    _print(sequence=root.sequence, time=root.time, digest=root.chain.hex(), state_hash=root.state_hash())


@app.command()
def verify(
    folder: Folder,
    signatures: Annotated[bool, typer.Option(help="Check every signature too.")] = True,
) -> None:
    """Believe nothing: re-execute every record, compare every digest and snapshot, check every signature.

    Exit code 1, and the first record that is wrong, if anything does not agree.

    Example: zlp verify ./venue
    """
    with _opened(folder) as (journal, snapshots), reporting(journal.last, "verify") as progress:
        report = verify_journal(
            journal,
            engine_version=VERSION,
            snapshots=snapshots,
            check_signatures=signatures,
            progress=progress,
        )
    _print(
        records=f"{report.first} to {report.last}",
        signatures=report.signatures,
        trusted_callers=report.local,
        digest=report.digest,
        state_hash=report.state_hash,
        faults_of_the_state=len(report.faults),
    )
    for fault in report.faults:
        console.print(f"[bold red]fault[/] {fault}")
    if report.faults:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Folder,
    output: Annotated[Path | None, typer.Option(help="A file; standard output if not given.")] = None,
    after: Annotated[int | None, typer.Option(help="Only sequences above this one.")] = None,
    until: Annotated[int | None, typer.Option(help="Only sequences up to this one.")] = None,
) -> None:
    """Write the journal as JSON lines: commands, signatures, receipts. Works beside a running venue.

    Example: zlp export ./venue --output venue.jsonl
    """
    with _opened(folder) as (journal, _):
        if output is None:
            lines.export(journal, sys.stdout.buffer, after=after, until=until)
            return
        with output.open("wb") as target:
            count = lines.export(journal, target, after=after, until=until)
    console.print(f"{count} records in {output}")


@app.command()
def load(folder: Folder, source: Annotated[Path, typer.Argument(help="A file made by `zlp export`.")]) -> None:
    """Make a venue's folder from an export, and verify it.

    Example: zlp load ./restored venue.jsonl
    """
    with _opened(folder, read_only=False) as (journal, snapshots), source.open("rb") as file:
        count = lines.load(file, journal)
        with reporting(journal.last, "verify") as progress:
            verify_journal(journal, engine_version=VERSION, snapshots=snapshots, progress=progress)
    console.print(f"{count} records in {folder}, verified")


@app.command()
def backup(folder: Folder, target: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]) -> None:
    """Copy journal and snapshots, consistently, also beside a running venue. The copy can be started as it is.

    Example: zlp backup ./venue ./backup-2026-11-21
    """
    if target.exists():
        console.print(f"[bold red]{target}[/] exists; a backup never overwrites")
        raise typer.Exit(1)
    with _opened(folder) as (journal, snapshots):
        # Listed first, so that none is newer than the copy. A journal that was compacted can't start without one.
        kept = snapshots.sequences()
        journal.copy_to(target)
        snapshots.copy_to(target / SNAPSHOTS, kept)
        console.print(f"records up to {journal.last} or later are in {target}")


@app.command()
def compact(
    folder: Folder,
    keep_days: Annotated[float, typer.Option(help="Keep at least the records of this many days.")] = 1.0,
) -> None:
    """Drop records that a snapshot stands for, after re-executing them. Stop the venue first; export first if you
    want to keep them.

    Example: zlp compact ./venue --keep-days 30
    """
    with _opened(folder, read_only=False) as (journal, snapshots), reporting(journal.last, "verify") as progress:
        done = compact_journal(
            journal,
            snapshots,
            engine_version=VERSION,
            before_ns=time.time_ns() - int(keep_days * DAY_NS),
            progress=progress,
        )
    console.print(f"{done.dropped} records dropped; the journal starts after {done.base}")
    if not done.dropped:
        console.print("there is no snapshot old enough to stand for them; a node saves one as it stops")
