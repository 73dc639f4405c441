"""The read model: receipts in, tables out, each receipt exactly once.

The rows of a run of receipts and the sequence they reach are one transaction. So after a crash it goes on where it
stood, and a model rebuilt from the journal is the same, byte for byte (``dump``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from sqlalchemy import Engine, create_engine, event, select

from zlp.engine import Receipt
from zlp.engine.events import credit, governance, ledger, liquidity, revenue, staking, trading
from zlp.engine.events import credit_positions as credit_events
from zlp.engine.events import orders as order_events
from zlp.engine.events import prices as price_events
from zlp.projections import holdings, markets, orders, pools, positions, tables
from zlp.projections.batch import Batch, Cards, Place
from zlp.projections.names import Names

Handler = Callable[[Batch, Names, Place, Any], None]
GOVERNED = (
    *(kind for kind in vars(governance).values() if isinstance(kind, type) and kind.__module__ == governance.__name__),
    price_events.PricesDisputed,
    price_events.SpreadForced,
)
HANDLERS: dict[type, Handler] = {
    **dict.fromkeys(GOVERNED, holdings.governed),
    trading.PositionChanged: positions.position_changed,
    trading.Liquidated: positions.liquidated,
    liquidity.SharesMinted: pools.shares_changed,
    liquidity.SharesBurned: pools.shares_changed,
    liquidity.Donated: pools.donated,
    liquidity.Swapped: pools.swapped,
    liquidity.FeeCharged: pools.fee_charged,
    liquidity.PoolMeasured: pools.pool_measured,
    credit.VaultRecalculated: pools.vault_recalculated,
    credit.VaultRewardsClaimed: holdings.rewarded,
    revenue.EpochClaimed: holdings.rewarded,
    staking.RewardClaimed: holdings.rewarded,
    order_events.OrderPlaced: orders.placed,
    order_events.OrderUpdated: orders.updated,
    order_events.OrderExecuted: orders.executed,
    order_events.OrderCancelled: orders.cancelled,
    order_events.OrderSkipped: orders.skipped,
    credit_events.CreditOrderPlaced: orders.credit_placed,
    credit_events.CreditOrderClosed: orders.credit_closed,
    credit_events.SignedOrderHeld: orders.signed_held,
    credit_events.SignedOrderFilled: orders.signed_filled,
    credit_events.SignedOrderDropped: orders.signed_dropped,
    ledger.Transferred: holdings.moved,
    ledger.Issued: holdings.moved,
    ledger.Retired: holdings.moved,
    ledger.WithdrawalRequested: holdings.withdrawal_requested,
    ledger.WithdrawalSettled: holdings.withdrawal_settled,
    price_events.RoundPosted: markets.round_posted,
    price_events.FastPricePosted: markets.fast_price_posted,
}
"""What each event does to the tables; events that are not here leave them alone."""
FILE = "history.sqlite"
MOST_CARDS = 50_000
"""Cards kept in memory between two batches."""
ORDER_FACTS = (order_events.OrderCancelled, order_events.OrderSkipped, order_events.OrderPlaced)


class WrongVenue(ValueError):  # noqa: N818 - named by what happened
    """The read model was built for another venue, or sequences are missing between it and what it was given."""


class Fact(Protocol):
    """What the read model needs of a journalled command."""

    @property
    def account(self) -> str:
        """Who asked."""

    @property
    def receipt(self) -> Receipt:
        """What became of it."""


class ReadModel:
    """The tables at one database URL. One writer; any number of readers through ``reading``.

    ``url``: as SQLAlchemy knows it (``sqlite:///venue/history.sqlite``, ``postgresql+psycopg://...``).
    """

    def __init__(self, url: str, venue: str = "") -> None:
        self.venue = venue
        self.engine = open_engine(url)
        self._names: Names | None = None
        self._cards: Cards = {}
        self._known_until = -1
        self._check()
        tables.METADATA.create_all(self.engine)

    def _check(self) -> None:
        """Drop tables of another schema version: they are built anew from the journal."""
        tables.progress.create(self.engine, checkfirst=True)
        with self.engine.begin() as connection:
            found = connection.execute(select(tables.progress)).mappings().first()
            if found is None:
                return
            if self.venue and found["venue"] and found["venue"] != self.venue:
                raise WrongVenue(f"this read model is of {found['venue']}, not of {self.venue}")
            if found["schema"] != tables.SCHEMA:
                tables.METADATA.drop_all(connection)

    @property
    def last(self) -> int:
        """Sequence of the newest receipt whose rows are stored."""
        with self.engine.connect() as connection:
            found = connection.execute(select(tables.progress.c.sequence)).scalar()
        return found or 0

    def apply(self, facts: Sequence[Fact]) -> int:
        """Store the rows of these receipts, all or none; receipts already known are passed over. The last sequence."""
        try:
            with self.engine.begin() as connection:
                reached = connection.execute(select(tables.progress.c.sequence)).scalar() or 0
                if reached != self._known_until or sum(map(len, self._cards.values())) > MOST_CARDS:
                    self._cards.clear()
                batch = Batch(connection, self._cards)
                if self._names is None:
                    self._names = Names(batch)
                for fact in facts:
                    if fact.receipt.sequence > reached:
                        reached = self._take(batch, self._names, fact, reached)
                row = {"sequence": reached, "schema": tables.SCHEMA, "venue": self.venue}
                batch.put(tables.progress, name="journal", **row)
                batch.write()
        except BaseException:
            self._forget()
            raise
        self._known_until = reached
        return reached

    def _forget(self) -> None:
        self._names, self._known_until = None, -1
        self._cards.clear()

    def _take(self, batch: Batch, names: Names, fact: Fact, reached: int) -> int:
        receipt = fact.receipt
        if receipt.sequence != reached + 1:
            raise WrongVenue(f"after sequence {reached} comes {receipt.sequence}: rebuild from the whole journal")
        filled = orders.credit_filled(receipt.events)
        for ordinal, (order, happened) in enumerate(_with_orders(receipt.events)):
            handler = HANDLERS.get(type(happened))
            if handler is not None:
                if filled and isinstance(happened, trading.PositionChanged) and happened.position in filled:
                    order = orders.credit_order(batch, happened.position)  # noqa: PLW2901 - the one it fills
                place = Place(receipt.sequence, ordinal, receipt.time, fact.account, order)
                handler(batch, names, place, happened)
        return receipt.sequence

    def rebuild(self, facts: Iterable[Fact], page: int = 500) -> Iterator[int]:
        """Empty every table and build it again from the first receipt on; yields the sequence reached so far."""
        with self.engine.begin() as connection:
            tables.METADATA.drop_all(connection)
            tables.METADATA.create_all(connection)
        self._forget()
        waiting: list[Fact] = []
        for fact in facts:
            waiting.append(fact)
            if len(waiting) == page:
                yield self.apply(waiting)
                waiting = []
        yield self.apply(waiting)

    def dump(self) -> Iterator[bytes]:
        """Every row of every table as a line of JSON, in key order: equal models are equal bytes."""
        with self.engine.connect() as connection:
            for table in tables.METADATA.sorted_tables:
                keys = [str(column.name) for column in table.primary_key.columns]
                rows = connection.execute(select(table)).mappings()
                for row in sorted(rows, key=lambda row: [row[name] for name in keys]):  # databases sort text unlike
                    yield msgspec.json.encode([str(table.name), {str(name): str(row[name]) for name in row}]) + b"\n"

    def digest(self) -> str:
        """SHA-256 of ``dump``."""
        found = hashlib.sha256()
        for line in self.dump():
            found.update(line)
        return found.hexdigest()

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()


def _with_orders(events: Sequence[Any]) -> list[tuple[str, Any]]:
    """Each event with the order it is an effect of: the one whose end as filled follows it in the receipt."""
    order, found = "", []
    for happened in reversed(events):
        if isinstance(happened, order_events.OrderExecuted):
            order = str(happened.number)
        elif isinstance(happened, credit_events.SignedOrderFilled):
            order = happened.digest
        elif isinstance(happened, ORDER_FACTS):
            order = ""
        found.append((order, happened))
    found.reverse()
    return found


def url_in(folder: Path) -> str:
    """Where a venue keeps its read model unless told otherwise: a SQLite file in its folder."""
    return f"sqlite:///{(folder / FILE).absolute()}"


def open_engine(url: str) -> Engine:
    """A database engine; SQLite with a log of its own, so that readers and the writer do not wait for each other."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes back is applied again from the journal
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
