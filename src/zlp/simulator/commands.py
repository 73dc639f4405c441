"""The simulator's commands. What is heavy is imported when one runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from zlp.simulator.study_commands import compare, simulate

if TYPE_CHECKING:
    from zlp.simulator.backtest import Result
    from zlp.simulator.paths import Prices

__all__ = ["backtest", "compare", "simulate"]

ProfileOption = Annotated[str, typer.Option("--profile", help="A shipped profile, or a file.")]


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

    with extras():
        from zlp.simulator.summary import closing

    if ticks not in (1, 4):
        raise failure(f"--ticks is 1 or 4, not {ticks}")
    of_a_file(prices, start, end, column)
    with extras():
        path = _prices(prices, seed, days, start, end, pairs(column, "--column"))
        result = _run(profile, path, seed, ticks, pairs(assume, "--assume"))
    Console().print(closing(result, path.source))
    if result.faults:
        raise typer.Exit(2)


def _prices(file: Path | None, seed: int, days: int, start: str, end: str, columns: dict[str, str]) -> Prices:
    from zlp.oracle.replay import PriceFileError
    from zlp.simulator.paths import from_file, made, seconds_of

    if file is None:
        return made(seed, days)
    try:
        return from_file(
            file,
            start=seconds_of(start) if start else None,
            end=seconds_of(end) if end else None,
            columns=columns or None,
        )
    except (PriceFileError, ValueError) as fault:
        raise failure(str(fault)) from None


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
    except (ProfileError, ValueError, LookupError) as fault:
        raise failure(str(fault)) from None
