"""Does a venue's housekeeping: moves collected fees into their buckets, and what else anybody may trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zlp.desks import desk_of
from zlp.engine import Command
from zlp.engine.commands.borrowed import UpdateYield
from zlp.engine.commands.fund import DistributeRevenue, SettleClaims
from zlp.engine.commands.revenue import CollectFees
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.pool import PoolAsset
from zlp.engine.leaves.revenue import RevenueSettings
from zlp.engine.state import Reader
from zlp.keepers.port import Port

Chore = Callable[[Reader, int], Iterator[Command]]


def collect_basket_fees(reader: Reader, _now: int) -> Iterator[Command]:
    """Fees of basket pools that wait to be split."""
    for asset in list(reader.each(PoolAsset)):
        if asset.fees and reader.get(RevenueSettings, (asset.pool,)) is not None:
            yield CollectFees(pool=asset.pool, token=asset.token)


def keep_fund_books(reader: Reader, now: int) -> Iterator[Command]:
    """Waiting claims of traders, and the protocol's revenue."""
    for pool in desk_of(reader).pools(reader, now):
        yield SettleClaims(pool=pool.pool)
        yield DistributeRevenue(pool=pool.pool)


def publish_yields(reader: Reader, now: int) -> Iterator[Command]:
    """The weekly figure of pools that lend coins."""
    for pool in desk_of(reader).pools(reader, now):
        yield UpdateYield(pool=pool.pool)


CHORES: dict[str, Chore] = {
    "revenue": collect_basket_fees,
    "fund": keep_fund_books,
    "borrow_pool": publish_yields,
}
"""What there is to do, by the branch that asks for it."""


class FeeKeeper:
    """Every ``interval`` seconds, tries out each chore and submits those that would change something."""

    name = "fees"

    def __init__(self, port: Port, interval: int = 86_400) -> None:
        self._port = port
        self._interval = interval
        self._next = 0

    def work(self) -> int:
        """The chores of every installed branch, if it is time."""
        now = self._port.now()
        if now < self._next:
            return 0
        self._next = now + self._interval
        done = 0
        reader = self._port.reader
        for branch, chore in CHORES.items():
            if reader.get(Installed, (branch,)) is None:
                continue
            for command in chore(reader, now):
                if self._port.quote(command).accepted:
                    done += self._port.submit(command).accepted
        return done
