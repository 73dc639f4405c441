"""Options that several commands of the simulator share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

PricesOption = Annotated[
    Path | None,
    typer.Option("--prices", help="Parquet or CSV: time, asset, open, high, low, close. Without: a made path."),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same digest everywhere.")]
StartOption = Annotated[str, typer.Option("--from", help="First moment of the file to use, like 2025-10-01.")]
EndOption = Annotated[str, typer.Option("--to", help="First moment not to use any more.")]
DaysOption = Annotated[int, typer.Option("--days", min=1, help="Length of a made path.")]
TicksOption = Annotated[int, typer.Option("--ticks", help="Prices per candle: 1 (close) or 4 (open, extremes, close).")]
ColumnsOption = Annotated[
    list[str] | None, typer.Option("--column", help="Of a wide file: ASSET=column, once for each asset.")
]
AssumeOption = Annotated[
    list[str] | None, typer.Option("--assume", help='Price of an asset the file lacks: "METIS=0.01 ETH".')
]


def pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dictionary; ends the command with a message for any other."""
    found: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise failure(f"{option} is NAME=VALUE, not {text!r}")
        found[name.strip()] = value.strip()
    return found


def of_a_file(prices: Path | None, *choices: object) -> None:
    """Options that choose from a price file mean nothing without one; that ends the command with a message."""
    if prices is None and any(choices):
        raise failure("--from, --to and --column choose from a file, which --prices names")


@contextmanager
def extras() -> Iterator[None]:
    """A library that is not installed ends the command with what to install."""
    try:
        yield
    except ImportError as missing:
        library = (missing.name or "").partition(".")[0]
        if library == "zlp":
            raise
        text = f"this needs {library}, which is not installed: pip install 'zlp[all]'" if library else str(missing)
        raise failure(text) from None


def failure(text: str) -> typer.Exit:
    """Say what went wrong; raise what this returns."""
    typer.echo(text, err=True)
    return typer.Exit(1)
