"""A venue for the page's benchmark: many people hold a position each, and prices are posted far more often than usual.

``python -m bench.page_venue PROFILE POSITIONS POSTS_A_SECOND`` says where it is, then runs until it is interrupted.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from zlp.cli.local.clock import DemoClock
from zlp.cli.local.door import NodeDoor
from zlp.cli.local.keyring import Keyring
from zlp.cli.local.opening import founded
from zlp.cli.local.prices import Prices, made_up, path_of
from zlp.cli.local.serving import server_of
from zlp.engine import Receipt
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.fixed import UNITS, USD, mul_div_down
from zlp.engine.leaves.prices import PriceSettings
from zlp.node import Node
from zlp.node.measuring import Measuring
from zlp.oracle.price_path import PriceTick
from zlp.profiles.loader import load
from zlp.simulator.agents import Founder
from zlp.simulator.agents.base import Behaviour
from zlp.simulator.feeds import KnownPrices, assume
from zlp.simulator.hand import Hand
from zlp.simulator.shocks import Moment
from zlp.simulator.world import World

SEED = 7
KEEPERS_EVERY = 1.0
"""Seconds between the keepers' rounds."""
WAVE = 500
"""Positions that are ordered before the same prices."""
WIGGLE = 50_000
"""A posted price is off the path by up to one part in so many, so that every post moves every price."""


class Holder(Behaviour, frozen=True, kw_only=True):
    """Opens one small position and holds it for good."""

    name: str = "holder"
    wealth: tuple[float, float] = (400.0, 2_000.0)

    def act(self, hand: Hand) -> int:
        """Every second once, until it is open; never again."""
        if hand.positions:
            return 10**9
        if not hand.is_waiting:
            market = hand.stream.pick(self.tradable(hand))
            long = hand.stream.chance(0.5)
            hand.open(market, is_long=long, margin=hand.free // 2, leverage=hand.stream.between(1.2, 4.0))
        return 1


def wave(number: int, count: int) -> Holder:
    """The next so many people."""
    return Holder(name=f"holder-{number}", count=count)


def populated(world: World, prices: Iterator[Prices], positions: int, clock: DemoClock) -> int:
    """Found the pools and let people in until so many positions are open; answers how many are."""
    moment = int(time.time()) - 40 * (2 + positions // WAVE)

    def tick() -> None:
        nonlocal moment
        moment += 20
        clock.set(moment)
        ahead = PriceTick(moment, dict(next(prices)))
        world.tick(Moment(ahead, ahead))

    opened: set[str] = set()

    def hear(receipt: Receipt) -> None:
        opened.update(event.account for event in receipt.events if type(event).__name__ == "PositionChanged")

    world.venue.listen(hear)
    clock.set(moment)
    world.populate((Founder(),))
    tick()
    left = positions
    for number in itertools.count(1):
        if left <= 0:
            break
        world.populate((wave(number, min(WAVE, left)),))
        left -= WAVE
        tick()
        tick()
    tick()
    clock.go_real()
    return len(opened)


async def post(node: Node, world: World, keeper: str, prices: Iterator[Prices], rate: float) -> None:
    """Post every asset's price ``rate`` times a second, as one command each time."""
    known = KnownPrices(world.assumptions)
    places = {each.asset: UNITS[each.answer_decimals] for each in node.root.state.each(PriceSettings)}
    loop = asyncio.get_running_loop()
    due = loop.time()
    for turn, found in enumerate(prices):
        rounds = tuple(
            Round(asset, mul_div_down(price + price * (turn % 7 - 3) // WIGGLE, places[asset], USD))
            for asset, price in known.prices_at(found).items()
            if asset in places
        )
        await node.command(keeper, PostRounds(rounds=rounds), local="bench")
        due = max(due + 1 / rate, loop.time() - 1)
        await asyncio.sleep(max(0.0, due - loop.time()))


async def work(world: World, door: NodeDoor, prices: Iterator[Prices], node: Node) -> None:
    """Keepers look once a second, on their own thread."""
    while True:
        started = time.monotonic()
        tick = PriceTick(node.now(), dict(next(prices)))
        await asyncio.to_thread(_work, world, door, tick)
        await asyncio.sleep(max(0.05, KEEPERS_EVERY - (time.monotonic() - started)))


def _work(world: World, door: NodeDoor, tick: PriceTick) -> None:
    door.catch_up()
    world.tick(Moment(tick, tick))


async def run(name: str, positions: int, rate: float, folder: Path) -> None:
    """Found it, fill it, serve it."""
    profile, clock = Keyring(folder).seated(load(name)), DemoClock()
    roles = profile.roles
    node, _ = founded(folder, profile, clock, demo=True)
    first = next(made_up(SEED, 1, {}))
    Measuring(node)
    door = NodeDoor(node)
    world = World(door.root, roles, assume(door.root.state, path_of(first)), SEED, door)
    opened = await asyncio.to_thread(populated, world, made_up(SEED, 20, first), positions, clock)
    print(f"positions {opened}", flush=True)
    server = server_of(node, folder, host="127.0.0.1", port=0, demo=True)
    both = [
        asyncio.create_task(post(node, world, roles["keeper"][0], made_up(SEED, 1, world.feed.prices), rate)),
        asyncio.create_task(work(world, door, made_up(SEED, 1, world.feed.prices), node)),
    ]
    try:
        await server.run(lambda address: print(f"page {address}", flush=True), handle_signals=True)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


def main() -> None:
    """Three words: profile, positions, posts a second."""
    profile, positions, rate = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="zlp-bench-page-") as folder:
        asyncio.run(run(profile, int(positions), float(rate), Path(folder)))


if __name__ == "__main__":
    main()
