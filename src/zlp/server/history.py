"""The read model beside a node: it follows the feed in a thread of its own, and answers what has happened.

The sequencer never waits for it. If the database falls behind or fails, the venue goes on; history catches up later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from sqlalchemy import Table

from zlp.node import Node
from zlp.node.faults import PastGone
from zlp.projections import ReadModel, export, reading, returns, tables
from zlp.projections.markets import INTERVALS
from zlp.projections.reading import BadCursor, Page, Stretch
from zlp.server.intake import address
from zlp.server.problems import Problem
from zlp.server.reads import Parameters, Read

log = structlog.get_logger("zlp.history")
PAGE = 250
"""Receipts per transaction."""
REST_SECONDS = 0.05
"""Between transactions: a busy venue's receipts are stored many at a time."""
BUSY_REST = 3
"""Rest in times of work while commands come faster than they are stored: the sequencer needs the processor more."""
RETRY_SECONDS = 2.0
WAIT_SECONDS, POLL_SECONDS = 5.0, 0.01
DAY = 86_400
STRETCH = ("after", "before", "from", "to", "limit", "sort", "sequence")
Reader = Callable[[Node, Parameters], Any]


class History:
    """A read model that follows a node. ``run`` it beside the server; ``reads`` are its routes."""

    def __init__(self, node: Node, url: str) -> None:
        self.node = node
        self.model = ReadModel(url, node.identity)
        self.reads = [*self._lists(), *self._others()]
        self._thread = ThreadPoolExecutor(1, "history")
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Follow the feed until cancelled. Database faults are logged and tried again."""
        unlisten = self.node.feed.listen(lambda _: self._news.set())
        loop = asyncio.get_running_loop()
        try:
            last = await loop.run_in_executor(self._thread, lambda: self.model.last)
            while True:
                self._news.clear()
                started, newest = time.monotonic(), self.node.feed.last
                try:
                    facts = self.node.feed.read(last, PAGE)
                    if facts:
                        last = await loop.run_in_executor(self._thread, self.model.apply, facts)
                except PastGone as gone:
                    log.error("history can't go on: the journal was compacted", missing=last + 1, oldest=gone.oldest)
                    return
                except Exception as fault:  # noqa: BLE001 - whatever the database says, the venue goes on
                    log.error("history waits", reason=str(fault), kind=type(fault).__name__)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                spent = time.monotonic() - started
                outrun = bool(facts) and self.node.feed.last - newest >= len(facts)
                if last >= self.node.feed.last:
                    await self._news.wait()
                await asyncio.sleep(max(REST_SECONDS, BUSY_REST * spent) if outrun else REST_SECONDS)
        finally:
            unlisten()

    async def stop(self, running: asyncio.Task[None]) -> None:
        """End ``run``, finish the transaction under way, close the database."""
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        self.model.close()

    def _lists(self) -> Iterator[Read]:
        for path, summary, table, filters in LISTS:
            reader = self._list(table, filters)
            query = (*(name for name in filters if f"{{{name}}}" not in path), *STRETCH)
            yield Read(path, summary, reader, "history", query, in_thread=True)

    def _list(self, table: Table, filters: tuple[str, ...]) -> Reader:
        def read(node: Node, given: Parameters) -> Any:  # noqa: ARG001 - every read has these arguments
            equal = {name: given.text(name) for name in filters}
            if equal.get("account"):
                equal["account"] = _account(equal["account"])
            owner = equal.pop("account", "") if table is tables.transfers else ""
            self._reach(given)
            return _shown(lambda: reading.page(self.model, table, stretch_of(given), equal, owner))

        return read

    def _reach(self, given: Parameters) -> None:
        """Wait a little for the sequence that the caller has seen, so that he reads what he has done."""
        wanted = min(given.number("sequence"), self.node.feed.last)
        deadline = time.monotonic() + WAIT_SECONDS
        while self.model.last < wanted and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _others(self) -> Iterator[Read]:
        yield Read(
            "/v1/candles/{symbol}",
            "candles of a market or asset, from posted prices",
            self._candles,
            "history",
            ("interval", *STRETCH),
            in_thread=True,
        )
        yield Read(
            "/v1/pools/{pool}/returns",
            "what a share earned, by source, over the last seconds or between two times",
            self._returns,
            "history",
            ("window", "from", "to"),
            in_thread=True,
        )
        yield Read(
            "/v1/pools/{pool}/returns/history",
            "what a share earned in each day (or step of seconds), by source; oldest first",
            self._return_steps,
            "history",
            ("step", "after", "from", "limit"),
            in_thread=True,
        )
        yield Read(
            "/v1/export/{kind}",
            f"an account's history as CSV: {', '.join(f'{kind}.csv' for kind in export.KINDS)}",
            self._export,
            "history",
            ("account", "format", "from", "to"),
            in_thread=True,
            media_type="text/csv",
        )

    def _candles(self, node: Node, given: Parameters) -> Any:  # noqa: ARG002 - every read has these arguments
        """Newest first unless `sort=oldest` or `after` is given; `next` goes on in the same direction."""
        interval = given.text("interval", "1h")
        if interval not in INTERVALS:
            raise Problem("malformed_request", f"interval is one of {', '.join(INTERVALS)}")
        self._reach(given)
        return _shown(lambda: reading.candles(self.model, given.text("symbol"), interval, stretch_of(given)))

    def _returns(self, node: Node, given: Parameters) -> Any:
        """How it is reckoned: `docs/history.md`."""
        end = given.number("to") or node.now() + 1
        start = given.number("from") or max(0, end - given.number("window", 7 * DAY))
        found = returns.returns(self.model, given.text("pool"), start, end)
        if found is None:
            raise Problem("not_found", "the pool was not measured twice in this time")
        return {"sequence": str(self.model.last), **found}

    def _return_steps(self, node: Node, given: Parameters) -> Any:  # noqa: ARG002 - every read has these arguments
        """How it is reckoned: `docs/history.md`."""
        pool, step = given.text("pool"), max(60, given.number("step", DAY))
        known = returns.bounds(self.model, pool)
        if known is None:
            raise Problem("not_found", "this pool has never been measured")
        start = given.number("after") or max(known[0], given.number("from"))
        start -= start % step
        count = min(given.limit(), -(-(known[1] + 1 - start) // step))
        items = returns.steps(self.model, pool, start, step, max(0, count))
        end = start + max(0, count) * step
        return {
            "sequence": str(self.model.last),
            "items": items,
            "next": str(end) if end <= known[1] else None,
        }

    def _export(self, node: Node, given: Parameters) -> Any:  # noqa: ARG002 - every read has these arguments
        """Formats are generic, koinly and cointracking. Without an account only generic, of everybody."""
        kind, account = given.text("kind").removesuffix(".csv"), given.text("account")
        try:
            return export.lines(
                self.model,
                kind,
                account=_account(account) if account else "",
                form=given.text("format", "generic"),
                start=given.number("from"),
                end=given.number("to"),
            )
        except export.CantExport as fault:
            raise Problem("malformed_request", str(fault)) from None


LISTS: tuple[tuple[str, str, Table, tuple[str, ...]], ...] = (
    ("/v1/trades", "every change of a position: size, price, PnL, fees", tables.fills, ("account", "market", "order")),
    ("/v1/swaps", "swaps, hop by hop", tables.swaps, ("account", "pool")),
    ("/v1/liquidity", "deposits into pools and withdrawals", tables.liquidity, ("account", "pool")),
    ("/v1/fees", "every fee", tables.fees, ("account", "pool", "kind")),
    ("/v1/funding", "funding and borrowing that positions settled", tables.funding, ("account", "market")),
    ("/v1/liquidations", "liquidations", tables.liquidations, ("account", "market")),
    ("/v1/transfers", "tokens that moved, came or went", tables.transfers, ("account", "token")),
    ("/v1/rewards", "rewards claimed", tables.rewards, ("account",)),
    ("/v1/withdrawals", "withdrawals and what became of them", tables.withdrawals, ("account", "status")),
    ("/v1/history/orders", "orders, open and ended", tables.orders, ("account", "market", "status", "client", "order")),
    ("/v1/history/order-changes", "what happened to orders", tables.order_changes, ("account", "order")),
    ("/v1/history/positions", "positions, open and closed, with PnL", tables.positions, ("account", "market")),
    ("/v1/history/governance", "facts of authority", tables.governance, ("kind",)),
    ("/v1/prices/{asset}/history", "prices as they were posted", tables.prices, ("asset",)),
    ("/v1/pools/{pool}/history", "value, supply and share price", tables.pool_samples, ("pool",)),
)
"""Path, summary, table and the columns one can choose by."""


def stretch_of(given: Parameters) -> Stretch:
    """The part of a list that a request asks for."""
    sort = given.text("sort", "newest")
    if sort not in ("newest", "oldest"):
        raise Problem("malformed_request", "sort is newest or oldest")
    return Stretch(
        after=given.text("after"),
        before=given.text("before"),
        start=given.number("from"),
        end=given.number("to"),
        limit=given.limit(),
        oldest_first=sort == "oldest",
    )


def _shown(read: Callable[[], Page]) -> dict[str, Any]:
    try:
        page = read()
    except BadCursor as fault:
        raise Problem("malformed_request", str(fault)) from None
    return {"sequence": str(page.sequence), "items": page.items, "next": page.next}


def _account(text: str) -> str:
    """An address in small letters; other names (``multisig:name``) as they are."""
    return address(text) if text.lower().startswith("0x") else text
