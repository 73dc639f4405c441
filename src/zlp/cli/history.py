"""``zlp projections`` and ``zlp tax``: rebuild a venue's read model from its journal, and export from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from zlp.projections import ReadModel

console = Console(stderr=True)
projections_app = typer.Typer(help="Look after a venue's read model.", no_args_is_help=True)
tax_app = typer.Typer(help="An account's history for tax tools.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The venue's folder, as given to `zlp node --data`.", show_default=False)]
Database = Annotated[str, typer.Option("--history", help="Its database URL; SQLite in the folder if not given.")]


@contextmanager
def _opened(folder: Path, url: str) -> Iterator[ReadModel]:
    from zlp.projections import ReadModel, url_in

    if not url and not (folder / "history.sqlite").exists():
        console.print(f"[bold red]no read model in {folder}[/]; build it: zlp projections rebuild {folder}")
        raise typer.Exit(1)
    model = ReadModel(url or url_in(folder))
    try:
        yield model
    finally:
        model.close()


@projections_app.command()
def rebuild(folder: Folder, history: Database = "") -> None:
    """Empty the read model and build it again from the journal's receipts. Stop the venue first.

    Example: zlp projections rebuild ./venue --history postgresql+psycopg://localhost/zlp
    """
    from zlp.journal import JournalError, SqliteJournal
    from zlp.node.commands import reporting
    from zlp.node.facts import fact_of
    from zlp.projections import ReadModel, WrongVenue, url_in

    try:
        journal = SqliteJournal(folder, read_only=True)
        header = journal.header
        model = ReadModel(history or url_in(folder), header.identity if header else "")
        with reporting(journal.last, "rebuild") as progress:
            for sequence in model.rebuild(fact_of(record) for record in journal.records()):
                progress(sequence)
    except (JournalError, WrongVenue) as fault:
        console.print(f"[bold red]{type(fault).__name__}[/] {fault}")
        raise typer.Exit(1) from None
    typer.echo(f"sequence {model.last}\ndigest   {model.digest()}")


@projections_app.command()
def show(folder: Folder, history: Database = "") -> None:
    """How far the read model is, and a digest of all its rows: equal models have equal digests.

    Example: zlp projections show ./venue
    """
    with _opened(folder, history) as model:
        typer.echo(f"sequence {model.last}\ndigest   {model.digest()}")


@tax_app.command()
def export(
    folder: Folder,
    account: Annotated[str, typer.Option(help="The account, as the venue knows it.")],
    form: Annotated[str, typer.Option("--format", help="generic, koinly or cointracking.")] = "koinly",
    kind: Annotated[str, typer.Option(help="all, trades, swaps, liquidity, transfers, rewards, ...")] = "all",
    year: Annotated[int, typer.Option(help="Only this calendar year (UTC); 0 for everything.")] = 0,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    history: Database = "",
) -> None:
    """Write an account's history as CSV.

    Example: zlp tax export ./venue --account 0xabc... --format koinly --year 2026 --out koinly.csv
    """
    from zlp.projections.export import CantExport, lines

    start, end = (_january(year), _january(year + 1)) if year else (0, 0)
    name = account.lower() if account.startswith("0x") else account
    with _opened(folder, history) as model:
        try:
            found = lines(model, kind, account=name, form=form, start=start, end=end)
        except CantExport as fault:
            console.print(f"[bold red]{fault}[/]")
            raise typer.Exit(1) from None
        with nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8") as file:
            count = sum(1 for line in found if file.write(line))
    if out is not None:
        typer.echo(f"{count - 1} lines in {out}")


def _january(year: int) -> int:
    from datetime import UTC, datetime

    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
