"""``zlp backtest``: one profile along one price path. What is heavy is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zlp.simulator.backtest import Result
    from zlp.simulator.paths import Prices

ProfileOption = Annotated[str, typer.Option("--profile", help="A shipped profile, or a file.")]
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


def backtest(
    profile: ProfileOption = "zeus",
    prices: PricesOption = None,
    seed: SeedOption = 1,
    start: StartOption = "",
    end: EndOption = "",
    days: DaysOption = 90,
    ticks: TicksOption = 4,
    column: ColumnsOption = None,
    assume: AssumeOption = None,
) -> None:
    """Run a pool with its keepers, traders and LPs through a price history, exactly.

    Examples:

    zlp backtest

    zlp backtest --profile zeus --prices candles.parquet --from 2025-10-01 --to 2025-10-20

    zlp backtest --prices depeg.parquet --column BTC=btc_usd --column USDC=usdc_usd_implied --ticks 1
    """
    from rich.console import Console

    from zlp.simulator.summary import closing

    path = _prices(prices, seed, days, start, end, column)
    result = _run(profile, path, seed, ticks, _pairs(assume, "--assume"))
    Console().print(closing(result, path.source))
    if result.faults:
        raise typer.Exit(2)


def _prices(file: Path | None, seed: int, days: int, start: str, end: str, columns: list[str] | None) -> Prices:
    from zlp.oracle.replay import PriceFileError
    from zlp.simulator.paths import from_file, made, seconds_of

    if file is None:
        return made(seed, days)
    try:
        return from_file(
            file,
            start=seconds_of(start) if start else None,
            end=seconds_of(end) if end else None,
            columns=_pairs(columns, "--column") or None,
        )
    except (PriceFileError, ValueError) as fault:
        raise _failure(str(fault)) from None


def _run(profile: str, prices: Prices, seed: int, ticks: int, assumptions: dict[str, str]) -> Result:
    from zlp.profiles.loader import ProfileError, load
    from zlp.simulator.backtest import Setup, run
    from zlp.simulator.progress import with_progress

    setup = Setup(seed=seed, ticks=ticks, assumptions=assumptions)
    try:
        loaded = load(profile)
        return with_progress(
            len(prices.path.steps) * ticks, loaded.title, lambda progress: run(loaded, prices.path, setup, progress)
        )
    except (ProfileError, ValueError) as fault:
        raise _failure(str(fault)) from None


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise _failure(f"{option} is NAME=VALUE, not {text!r}")
        pairs[name.strip()] = value.strip()
    return pairs


def _failure(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(1)
