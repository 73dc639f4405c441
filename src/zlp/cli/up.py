"""``zlp up``: a whole venue on this machine, with one command."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.panel import Panel

if TYPE_CHECKING:
    from zlp.cli.local.clock import DemoClock
    from zlp.cli.local.prices import Prices
    from zlp.node import Node

console = Console(stderr=True)
SEED = 7
PAST_STEP, DAY_STEPS = 300, 289
"""Seconds between the prices of the day a demo lives before its doors open, and how many there are."""


def up(
    profile: Annotated[str, typer.Option(help="A shipped profile (zeus, zeno, zo, zaros) or a file.")] = "zeus",
    data: Annotated[Path | None, typer.Option(help="Folder of the venue; .zlp/<profile> if not given.")] = None,
    prices: Annotated[
        str, typer.Option(help="synthetic, replay:FILE (Parquet or CSV), live, or live:FILE (oracle settings).")
    ] = "synthetic",
    seed_demo: Annotated[
        bool, typer.Option("--seed-demo/--empty", help="Fill it with providers and traders; opens the faucet.")
    ] = True,
    every: Annotated[float, typer.Option(help="Seconds between prices.", min=0.1)] = 1.0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 lets the system choose.")] = 8420,
) -> None:
    """Run a venue with keepers, prices and, unless --empty, a crowd. Ctrl-C stops it; starting again continues.

    Examples:

      zlp up --profile zeno

      zlp up --prices replay:candles.parquet --every 0.5

      zlp up --prices live:oracle.toml
    """
    from zlp.cli.price_sources import NoPrices, parts
    from zlp.journal import JournalError
    from zlp.oracle.observation import FeedError
    from zlp.profiles.loader import ProfileError

    try:
        parts(prices)
        _run(profile, data or Path(".zlp") / Path(profile).stem, prices, seed_demo, every, host, port)
    except KeyboardInterrupt:
        pass
    except (ProfileError, NoPrices, FeedError, JournalError, OSError) as fault:
        console.print(f"[bold red]{fault}[/]", highlight=False)
        raise typer.Exit(1) from None
    console.print("stopped; starting again continues where it was")


def _run(profile: str, folder: Path, source: str, demo: bool, every: float, host: str, port: int) -> None:
    """Found or reopen the folder and wait for the first prices; then serve until told to stop."""
    from zlp.cli.local.clock import DemoClock
    from zlp.cli.local.keyring import Keyring
    from zlp.cli.local.opening import founded
    from zlp.cli.price_sources import prices
    from zlp.profiles.loader import load
    from zlp.server.serve import require_free, run_on_loop

    chosen = load(profile)
    require_free(host, port)
    seated, clock = Keyring(folder).seated(chosen), DemoClock()
    node, is_new = founded(folder, seated, clock, demo=demo)
    state, seed, step = node.root.state, node.root.sequence + SEED, max(1, round(every))
    with prices(source, state, node.now(), seed=seed, step=step) as feed:
        try:
            with console.status("waiting for the first prices"):
                first = next(feed)
        except BaseException:
            node.journal.close()
            raise
        stage = _Stage(node, folder, chosen.title, seated.roles, clock, demo)
        run_on_loop(_serve(stage, is_new, first, itertools.chain([first], feed), every, host, port))


@dataclass(frozen=True)
class _Stage:
    """A venue before anybody has come."""

    node: Node
    folder: Path
    title: str
    roles: dict[str, tuple[str, ...]]
    clock: DemoClock
    demo: bool


async def _serve(
    stage: _Stage, is_new: bool, first: Prices, feed: Iterator[Prices], every: float, host: str, port: int
) -> None:
    from zlp.cli.local.life import Life
    from zlp.cli.local.serving import server_of
    from zlp.cli.price_sources import leading_to
    from zlp.node.measuring import Measuring

    node = stage.node
    Measuring(node)
    life = Life(node, stage.roles, first, SEED)
    if is_new and stage.demo:
        past = asyncio.create_task(
            asyncio.to_thread(life.live_a_day, leading_to(first, SEED, PAST_STEP, DAY_STEPS), stage.clock)
        )
        try:
            with console.status("living a first day, so that there is something to look at"):
                await asyncio.shield(past)
        except asyncio.CancelledError:
            life.is_over = True
            await past
            await node.stop()
            raise
    else:
        life.resume(stage.demo)
    server = server_of(node, stage.folder, host=host, port=port, demo=stage.demo)
    living = asyncio.create_task(life.go_on(feed, every))
    living.add_done_callback(lambda task: _stopped(task, node, server.stop))
    try:
        await server.run(lambda address: _welcome(address, stage), handle_signals=True)
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


def _stopped(task: asyncio.Task[None], node: Node, stop: Callable[[], None]) -> None:
    """Prices or keepers failing silently would leave a venue that only looks alive; at its end they may be cut off."""
    if not task.cancelled() and task.exception() is not None and node.status == "ready":
        console.print(f"[bold red]the keepers stopped:[/] {task.exception()!r}")
        stop()


def _welcome(address: str, stage: _Stage) -> None:
    lines = [
        f"page       {address}/",
        f"API        {address}/docs",
        f"metrics    {address}/metrics",
        f"journal    {stage.folder}  (sequence {stage.node.root.sequence})",
    ]
    if stage.demo:
        lines.append("[bold yellow]demo: the faucet is open, tokens are worth nothing[/]")
    lines.append("Ctrl-C stops it; starting again continues where it was")
    console.print(Panel("\n".join(lines), title=f"{stage.title} is running", title_align="left", expand=False))
    sys.stderr.flush()
