"""``zlp`` and its commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import zlp
from zlp.cli.mounting import mount

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="One exact market making engine: run a venue, trade on it, replay it, simulate it.",
    epilog="Start with: zlp up   |   zlp backtest --profile zeus   |   zlp quote open",
    context_settings={"help_option_names": ["-h", "--help"]},
)
mount(app)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """One exact market making engine: run a venue, trade on it, replay it, simulate it."""
    if version:
        typer.echo(f"zlp {zlp.__version__} on Python {sys.version.split()[0]}")
        raise typer.Exit
