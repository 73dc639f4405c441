"""``zlp keeper``: keepers as a process of their own, through the venue's public API."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, console, signer, stop

if TYPE_CHECKING:
    from zlp.cli.remote_door import RemoteDoor
    from zlp.client import Client
    from zlp.keepers import Keeper, Port, PostingPace

PRICES = "prices"
NAMES = (PRICES, "orders", "liquidations", "deleverage", "credit", "fees", "conversions", "disputes")
LONGEST_PAUSE = 10.0


def keeper(
    names: Annotated[list[str], typer.Argument(help=f"One or several of: {', '.join(NAMES)}.")],
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    prices: Annotated[
        str, typer.Option(help="For prices and disputes: synthetic, replay:FILE, live, or live:FILE (oracle settings).")
    ] = "synthetic",
    every: Annotated[float, typer.Option(help="Seconds between looks.", min=0.05)] = 1.0,
    cadence: Annotated[int, typer.Option(help="For prices: post again after so many seconds, moved or not.")] = 1,
    deviation: Annotated[int, typer.Option(help="For prices: post at once at a move of so many bps.")] = 5,
) -> None:
    """Run keepers against a venue until Ctrl-C. They outlive restarts of the venue, and several can run side by side.

    A keeper signs with its own key: give it the role (keeper, liquidator) when the venue is founded or with
    GrantRole, or approve it as an agent with scope "keep" and name the --account. Two processes need two keys.

    Examples:

      zlp keeper orders liquidations --key 0xabc... --url http://127.0.0.1:8420

      zlp keeper prices --prices live:oracle.toml --key keeper.json

      zlp keeper orders --key .zlp/zeus/keys.json#keeper
    """
    from zlp.cli.price_sources import NoPrices, parts
    from zlp.client import Client
    from zlp.keepers import PostingPace
    from zlp.oracle.observation import FeedError

    for name in names:
        if name not in NAMES:
            raise stop(f"no keeper is called {name}; there are {', '.join(NAMES)}")
    if len(names) != len(set(names)):
        raise stop("name each keeper once")
    try:
        parts(prices)
        with Client(url, signer(key, account)) as client, _ending() as ended:
            _keep_going(client, names, prices, every, PostingPace(cadence=cadence, deviation_bps=deviation), ended)
    except (NoPrices, FeedError) as fault:
        raise stop(str(fault)) from None


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that a round under way is finished."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _keep_going(
    client: Client, names: list[str], prices: str, every: float, pace: PostingPace, ended: threading.Event
) -> None:
    """One session after the other: a copy of the venue, and keepers on it, until they must begin afresh."""
    from zlp.cli.remote_door import CopyLost, RemoteDoor
    from zlp.client import VenueError
    from zlp.keepers import LocalPort

    pause = every
    while not ended.is_set():
        try:
            door = RemoteDoor(client)
            console.print(
                f"{', '.join(names)} at {client.base_url} as {door.account}, from sequence {door.root.sequence}"
            )
            pause = every
            with _hired(names, LocalPort(door, door.account, door.now), prices, every, pace) as keepers:
                _session(door, keepers, every, ended)
        except (CopyLost, VenueError) as fault:
            console.print(f"[yellow]starting over:[/] {fault}", highlight=False)
            ended.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _session(door: RemoteDoor, keepers: list[Keeper], every: float, ended: threading.Event) -> None:
    """Look and work until the end. A venue that is away is waited for; what happened meanwhile is in its log."""
    from zlp.client import Refused, Unreachable

    pause, is_away = every, False
    while not ended.is_set():
        try:
            door.catch_up()
            for each in keepers:
                done = each.work()
                if done:
                    console.print(f"{each.name}: {done} at sequence {door.root.sequence}", highlight=False)
            if is_away:
                console.print(f"the venue is back, at sequence {door.root.sequence}", highlight=False)
            pause, is_away = every, False
        except (Unreachable, Refused) as fault:
            console.print(f"[yellow]waiting:[/] {fault}", highlight=False)
            pause, is_away = min(pause * 2, LONGEST_PAUSE), True
        ended.wait(pause)


@contextmanager
def _hired(names: list[str], port: Port, prices: str, every: float, pace: PostingPace) -> Iterator[list[Keeper]]:
    """The keepers of these names, with their price source while it is needed."""
    from zlp.cli.price_sources import SteppedPrices, price_keeper
    from zlp.cli.price_sources import prices as prices_of
    from zlp.keepers import DisputeKeeper
    from zlp.keepers.watches import watch_of

    watch = watch_of(port) if {"liquidations", "deleverage"} & set(names) else None
    made = [_makers(watch)[name](port) for name in names if name in _makers(watch)]
    seed, step = port.now(), max(1, round(every))
    if PRICES in names:
        with price_keeper(prices, port, seed=seed, every=every, pace=pace) as poster:
            yield [poster, *made]
    elif "disputes" in names:
        with prices_of(prices, port.reader, port.now(), seed=seed, step=step) as steps:
            yield [*made, DisputeKeeper(port, SteppedPrices(port.reader, steps), port.account)]  # type: ignore[attr-defined]
    else:
        yield made


def _makers(watch: object) -> dict[str, Callable[[Port], Keeper]]:
    from zlp.keepers import (
        ConversionKeeper,
        CreditKeeper,
        DeleverageKeeper,
        FeeKeeper,
        LiquidationKeeper,
        OrderKeeper,
    )

    return {
        "orders": OrderKeeper,
        "liquidations": lambda port: LiquidationKeeper(port, watch),  # type: ignore[arg-type]
        "deleverage": lambda port: DeleverageKeeper(port, watch),  # type: ignore[arg-type]
        "credit": CreditKeeper,
        "fees": FeeKeeper,
        "conversions": ConversionKeeper,
    }
