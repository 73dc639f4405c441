"""What makes a local venue live: prices every second, keepers at work, and a crowd if one is wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

import structlog

from zlp.cli.local.clock import DemoClock
from zlp.cli.local.door import NodeDoor
from zlp.cli.local.prices import Prices, path_of
from zlp.engine import ledger
from zlp.engine.commands.custody import Faucet
from zlp.engine.leaves.credit import CreditSettings
from zlp.keepers import ConversionKeeper
from zlp.node.node import Node
from zlp.oracle.price_path import PriceTick
from zlp.simulator.agents import (
    Behaviour,
    Founder,
    Hedger,
    MeanReverter,
    NoiseTrader,
    Rebalancer,
    TrendFollower,
)
from zlp.simulator.feeds import assume
from zlp.simulator.hand import Held
from zlp.simulator.shocks import Moment
from zlp.simulator.world import World

log = structlog.get_logger("zlp.up")
FOUNDERS: tuple[Behaviour, ...] = (Founder(),)
CROWD: tuple[Behaviour, ...] = (
    Rebalancer(count=2),
    TrendFollower(count=4),
    MeanReverter(count=4),
    Hedger(count=2),
    NoiseTrader(count=12, wealth=(2_000.0, 50_000.0)),
)
VISITORS: tuple[Behaviour, ...] = (
    NoiseTrader(
        name="visitor",
        count=6,
        wealth=(1_000.0, 20_000.0),
        interval=60,
        holding_hours=(0.005, 0.02, 0.05, 0.1),
        leverage=(1.5, 2.0, 5.0, 10.0),
        react=0.0,
    ),
)
"""Come when the doors open and trade every few seconds between them, so that a live venue looks it."""
DAY = 86_400
PAST_STEP = 300
"""Seconds between the prices of the day a demo lives before its doors open."""


class Life:
    """Keepers, prices and agents of one node, in its process, on a thread of their own."""

    def __init__(self, node: Node, roles: Mapping[str, Sequence[str]], first: Prices, seed: int) -> None:
        self.node = node
        self.is_over = False
        self._door = NodeDoor(node)
        assumptions = assume(self._door.root.state, path_of(first))
        self.world = World(self._door.root, roles, assumptions, seed, self._door)
        self._keeper = roles["keeper"][0]
        self.world.hire(ConversionKeeper, self._keeper)

    def live_a_day(self, prices: Iterator[Prices], clock: DemoClock) -> None:
        """Found the pools and let a day pass at once, so that there is something to look at, unless ``is_over``."""
        now = int(time.time())
        moment = now - DAY
        clock.set(moment)
        self._stock_up()
        self.world.populate(FOUNDERS)
        self._tick(next(prices), moment)
        self.world.populate(CROWD)
        while moment + PAST_STEP < now and not self.is_over:
            moment += PAST_STEP
            clock.set(moment)
            self._tick(next(prices), moment)
        clock.go_real()
        self.world.populate(VISITORS)

    def _stock_up(self) -> None:
        """Give the keeper that converts tokens something to convert with, as far as the faucet is open."""
        terms = self.world.reader.get(CreditSettings, ())
        for token in (terms.settlement, terms.reward) if terms is not None else ():
            limit = ledger.token(self.world.reader, token).faucet_limit
            if limit:
                self.world.submit(self._keeper, Faucet(token=token, amount=limit))

    def resume(self, crowded: bool) -> None:
        """Bring the crowd back after a restart, with the positions it left open."""
        if not crowded:
            return
        self.world.populate((*CROWD, *VISITORS))
        for view in self.world.desk.positions(self.world.reader, self.node.now()):
            hand = self.world.hands.get(view.account)
            if hand is not None:
                hand.positions[view.position] = Held(
                    position=view.position,
                    market=view.market,
                    is_long=view.is_long,
                    size=view.size_usd,
                    price=view.entry_price,
                    margin=view.collateral_usd,
                    opened_at=self.node.now(),
                )

    async def go_on(self, prices: Iterator[Prices], every: float) -> None:
        """Tick until cancelled or the node stops; not while live feeds are silent, so that prices age."""
        while self.node.status == "ready":
            started = time.monotonic()
            found = next(prices)
            if found:
                await asyncio.to_thread(self._tick, found, self.node.now())
            await asyncio.sleep(max(0.05, every - (time.monotonic() - started)))

    def _tick(self, prices: Prices, moment: int) -> None:
        self._door.catch_up()
        tick = PriceTick(moment, dict(prices))
        self.world.tick(Moment(tick, tick))
