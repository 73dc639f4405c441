"""``zlp up``: a whole venue on this machine, with one command."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.panel import Panel

if TYPE_CHECKING:
    from zlp.node import Node

console = Console(stderr=True)
SEED = 7
PAST_STEP, DAY_STEPS = 300, 289
"""Seconds between the prices of the day a demo lives before its doors open, and how many there are."""


def up(
    profile: Annotated[str, typer.Option(help="A shipped profile (zeus, zeno, zo, zaros) or a file.")] = "zeus",
    data: Annotated[Path | None, typer.Option(help="Folder of the venue; .zlp/<profile> if not given.")] = None,
    prices: Annotated[
        str, typer.Option(help="synthetic, replay:FILE (Parquet or CSV), or live:FILE (oracle settings).")
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

    try:
        parts(prices)
        asyncio.run(_run(profile, data or Path(".zlp") / Path(profile).stem, prices, seed_demo, every, host, port))
    except KeyboardInterrupt:
        pass
    except (NoPrices, FeedError, JournalError) as fault:
        console.print(f"[bold red]{fault}[/]", highlight=False)
        raise typer.Exit(1) from None
    console.print("stopped; starting again continues where it was")


async def _run(profile: str, folder: Path, source: str, demo: bool, every: float, host: str, port: int) -> None:
    from zlp.cli.local.clock import DemoClock
    from zlp.cli.local.keyring import Keyring
    from zlp.cli.local.life import Life
    from zlp.cli.local.opening import founded
    from zlp.cli.local.serving import server_of
    from zlp.cli.price_sources import leading_to, prices
    from zlp.node.measuring import Measuring
    from zlp.profiles.loader import ProfileError, load

    try:
        chosen = load(profile)
    except ProfileError as fault:
        console.print(f"[bold red]{fault}[/]")
        raise typer.Exit(1) from None
    keys, clock = Keyring(folder), DemoClock()
    roles = keys.roles(chosen)
    node, is_new = founded(folder, chosen, roles, clock, demo=demo)
    Measuring(node)
    with prices(source, node.root.state, node.now(), seed=node.root.sequence + SEED, step=max(1, round(every))) as feed:
        first = next(feed)
        life = Life(node, {**chosen.roles, **roles}, first, SEED)
        if is_new and demo:
            with console.status("living a first day, so that there is something to look at"):
                await asyncio.to_thread(life.live_a_day, leading_to(first, SEED, PAST_STEP, DAY_STEPS), clock)
        else:
            life.resume(demo)
        server = server_of(node, folder, host=host, port=port, demo=demo)
        living = asyncio.create_task(life.go_on(itertools.chain([first], feed), every))
        living.add_done_callback(lambda task: _stopped(task, node, server.stop))
        try:
            await server.run(lambda address: _welcome(address, chosen.title, folder, node, demo), handle_signals=True)
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)


def _stopped(task: asyncio.Task[None], node: Node, stop: Callable[[], None]) -> None:
    """Prices or keepers failing silently would leave a venue that only looks alive; at its end they may be cut off."""
    if not task.cancelled() and task.exception() is not None and node.status == "ready":
        console.print(f"[bold red]the keepers stopped:[/] {task.exception()!r}")
        stop()


def _welcome(address: str, title: str, folder: Path, node: Node, demo: bool) -> None:
    lines = [
        f"page       {address}/",
        f"API        {address}/docs",
        f"metrics    {address}/metrics",
        f"journal    {folder}  (sequence {node.root.sequence})",
    ]
    if demo:
        lines.append("[bold yellow]demo: the faucet is open, tokens are worth nothing[/]")
    lines.append("Ctrl-C stops it; starting again continues where it was")
    console.print(Panel("\n".join(lines), title=f"{title} is running", title_align="left", expand=False))
    sys.stderr.flush()
