"""``zlp fork``: what would happen to a running venue from here? Reads its folder, changes nothing in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zlp.simulator.options import SeedOption, failure

if TYPE_CHECKING:
    from zlp.simulator.backtest import Result, Setup


def fork(
    venue: Annotated[Path, typer.Argument(help="A venue's folder, or a snapshot as JSON.")],
    fall: Annotated[float, typer.Option(help="Share by which prices fall; negative: they rise.")] = 0.0,
    over: Annotated[int, typer.Option(help="Minutes the fall takes.")] = 60,
    asset: Annotated[list[str] | None, typer.Option(help="What falls; everything but stables without it.")] = None,
    recovery: Annotated[float, typer.Option(help="Share of the fall that comes back in a day after it.")] = 0.0,
    hours: Annotated[int, typer.Option(min=1, help="How far to look.")] = 24,
    volatility: Annotated[float, typer.Option(help="Of prices, a year.")] = 0.7,
    crowd: Annotated[bool, typer.Option(help="Let simulated traders and LPs in.")] = True,
    seed: SeedOption = 1,
) -> None:
    """Simulate on from a venue's present state, with its own positions and orders.

    Examples:

    zlp fork ./venue --fall 0.30 --over 60 --asset ETH

    zlp fork snapshot.json --hours 168 --no-crowd
    """
    from rich.console import Console

    from zlp.simulator.backtest import Setup
    from zlp.simulator.shocks import PriceShock
    from zlp.simulator.summary import closing

    try:
        shock = PriceShock(
            after=0,
            depth=fall,
            assets=tuple(asset or ()),
            fall=over * 60,
            rise=86_400,
            recovery=recovery,
        )
    except ValueError as fault:
        raise failure(str(fault)) from None
    setup = Setup(seed=seed, shocks=(shock,) if fall else (), ticks=1)
    result = _run(_snapshot(venue), setup, hours=hours, volatility=volatility, crowd=crowd)
    what = " and ".join(asset or ["everything but stables"])
    story = f", {what} {'falls' if fall > 0 else 'rises'} by {abs(fall):.0%} in {over} minutes" if fall else ""
    Console().print(closing(result, f"from the venue's present on, {hours} hours{story}", "what if"))


def _run(snapshot: dict[str, Any], setup: Setup, *, hours: int, volatility: float, crowd: bool) -> Result:
    from zlp.simulator.fork import fork as fork_from
    from zlp.simulator.progress import with_progress

    try:
        return with_progress(
            hours * 12,
            "fork",
            lambda progress: fork_from(
                snapshot, setup, hours=hours, volatility=volatility, crowd=crowd, progress=progress
            ),
        )
    except (ValueError, LookupError) as fault:
        raise failure(str(fault)) from None


def _snapshot(venue: Path) -> dict[str, Any]:
    """The newest state: a snapshot file as it is, a folder by replaying its journal."""
    if venue.is_file():
        try:
            found: dict[str, Any] = json.loads(venue.read_text())
        except json.JSONDecodeError as fault:
            raise failure(f"{venue} is no snapshot: {fault}") from None
        return found
    if not venue.is_dir():
        raise failure(f"{venue}: no such file or folder")
    return _replayed(venue)


def _replayed(folder: Path) -> dict[str, Any]:
    from zlp.engine.version import VERSION
    from zlp.journal import JournalError, SnapshotFolder, SqliteJournal
    from zlp.journal.replay import replay
    from zlp.node.opening import SNAPSHOTS

    try:
        journal = SqliteJournal(folder, read_only=True)
        try:
            root = replay(journal, engine_version=VERSION, snapshots=SnapshotFolder(folder / SNAPSHOTS))
        finally:
            journal.close()
    except JournalError as fault:
        raise failure(str(fault)) from None
    return root.snapshot()
