"""A whole venue on loopback, as `zlp up` runs it: real server, keepers and read model; its prices obey the test."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from zlp.cli.local.clock import DemoClock
from zlp.cli.local.keyring import Keyring
from zlp.cli.local.life import FOUNDERS, Life
from zlp.cli.local.opening import founded
from zlp.cli.local.prices import made_up
from zlp.cli.local.serving import server_of
from zlp.client import AsyncClient, Signer
from zlp.engine.commands.custody import Faucet
from zlp.engine.leaves.ledger import Supply
from zlp.node import Node
from zlp.node.measuring import SHARED, Measuring
from zlp.profiles.loader import load

KEY = bytes(range(7, 39))
TICK_SECONDS = 0.1


class Living:
    """A running venue. ``prices``: USD at 1e30 by asset, posted many times a second."""

    def __init__(self, node: Node, address: str, prices: dict[str, int]) -> None:
        self.node, self.address, self.prices = node, address, prices

    def stream(self) -> Iterator[dict[str, int]]:
        """What the keeper posts: a millionth more every second time, since it does not post what has not moved."""
        for turn in itertools.cycle((0, 1)):
            yield {asset: price + turn * price // 10**6 for asset, price in self.prices.items()}

    async def fund(self, signer: Signer, *tokens: str) -> None:
        """Take plenty of every token from the faucet."""
        async with AsyncClient(self.address, signer) as client:
            known = await client.tokens()
            for token in tokens or [name for name, each in known.items() if each.faucet_limit]:
                await client.send(Faucet(token=token, amount=known[token].faucet_limit))


def shares(node: Node) -> list[Supply]:
    """Supplies of what pools have minted; until there is some, nobody can trade."""
    names = {settings.share for kind in SHARED for settings in node.root.state.each(kind)}
    return [supply for supply in node.root.state.each(Supply) if supply.token in names]


@contextlib.asynccontextmanager
async def living(profile: str, folder: Path, clock: DemoClock | None = None) -> AsyncIterator[Living]:
    """Found it, provide liquidity, open the doors; stop in order."""
    chosen, clock = Keyring(folder).seated(load(profile)), clock or DemoClock()
    node, _ = founded(folder, chosen, clock, demo=True)
    Measuring(node)
    clock.go_real()
    venue = Living(node, "", dict(next(made_up(1, 1, {}))))
    life = Life(node, chosen.roles, venue.prices, 1)
    await asyncio.to_thread(life.world.populate, FOUNDERS)
    server = server_of(node, folder, host="127.0.0.1", port=0, demo=True)
    serving = asyncio.create_task(server.run())
    venue.address = await server.started()
    ticking = asyncio.create_task(life.go_on(venue.stream(), TICK_SECONDS))
    try:
        while not any(supply.amount for supply in shares(node)):  # noqa: ASYNC110 - a state, not an event
            await asyncio.sleep(TICK_SECONDS)
        yield venue
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        server.stop()
        await serving
