"""The routes of the read model on a real server: whole, paged, waiting for what one has done, and never in the way."""

import asyncio
import csv
from pathlib import Path

import httpx
import pytest

from tests.journal.venue_log import ALICE, BOB, GOVERNOR
from tests.node.venue import GENESIS, Clock
from tests.server.running import OPEN, Running, body
from tests.server.test_api import pay
from zlp.engine import Envelope
from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.commands.prices import PostRounds, Round
from zlp.journal import MemoryJournal
from zlp.node import Node
from zlp.node.measuring import Measuring
from zlp.profiles.loader import load
from zlp.projections import url_in
from zlp.server.app import VenueApp
from zlp.server.history import History
from zlp.server.serve import VenueServer


class Remembering:
    """A venue with a read model in a folder; ``async with`` starts and stops it."""

    def __init__(
        self, folder: Path, journal: MemoryJournal | None = None, genesis: list[Envelope] | None = None
    ) -> None:
        self.node = Node(journal or MemoryJournal())
        self.node.start(genesis or GENESIS)
        self.history = History(self.node, url_in(folder))
        self.server = VenueServer(VenueApp(self.node, limits=OPEN, history=self.history), port=0)

    async def __aenter__(self) -> Running:
        self.serving = asyncio.create_task(self.server.run())
        address = await self.server.started()
        self.client = httpx.AsyncClient(base_url=address, timeout=20)
        return Running(self.node, self.server, self.client, address)

    async def __aexit__(self, *fault: object) -> None:
        await self.client.aclose()
        self.server.stop()
        await self.serving


async def test_one_reads_what_one_has_done(tmp_path) -> None:
    """A2: with the sequence of one's receipt, a read waits until history has it."""
    async with Remembering(tmp_path) as venue:
        for _ in range(3):
            done = (await venue.post("/v1/command", body(pay(7)))).json()
            page = await venue.get(f"/v1/transfers?account={ALICE}&limit=1&sequence={done['sequence']}")
            (row,) = page["items"]
            assert row["sequence"] == done["sequence"] <= page["sequence"]
            assert (row["source"], row["target"], row["amount"], row["amount_units"]) == (ALICE, BOB, "0.000007", "7")


async def test_a_history_is_paged_to_its_end(tmp_path) -> None:
    """A2: both ways, by cursor, by time, by whose it is."""
    async with Remembering(tmp_path) as venue:
        for start in range(0, 60, 20):
            await venue.post("/v1/commands", body(*(pay(start + index + 1) for index in range(20)), batch=True))
        last = str(venue.node.feed.last)
        for sort, cursor_name in (("newest", "before"), ("oldest", "after")):
            seen, cursor = [], ""
            while cursor is not None:
                where = f"&{cursor_name}={cursor}" if cursor else ""
                page = await venue.get(f"/v1/transfers?account={BOB}&sort={sort}&limit=7&sequence={last}{where}")
                seen += [int(row["amount_units"]) for row in page["items"]]
                cursor = page["next"]
            assert seen == (list(range(1, 61)) if sort == "oldest" else list(range(60, 0, -1)))
        assert (await venue.get("/v1/transfers?to=1"))["items"] == []
        assert len((await venue.get("/v1/transfers?from=1&limit=1000"))["items"]) == 61
        assert (await venue.get("/v1/trades"))["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/transfers?after=x",
        "/v1/transfers?before=1",
        "/v1/transfers?sort=sideways",
        "/v1/transfers?account=0x12",
        "/v1/transfers?limit=-1",
        "/v1/candles/ETH?interval=7m",
        "/v1/export/secrets.csv",
        "/v1/export/trades.csv?format=xml",
        "/v1/export/all.csv?format=koinly",
    ],
)
async def test_what_makes_no_sense_is_a_problem(path: str, tmp_path) -> None:
    """A4: 400 with a stable code, as everywhere."""
    async with Remembering(tmp_path) as venue:
        answer = await venue.client.get(path)
        assert (answer.status_code, answer.json()["status"]) == (400, 400), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_export_is_a_csv_file(tmp_path) -> None:
    """A3: streamed, with exact amounts."""
    async with Remembering(tmp_path) as venue:
        done = (await venue.post("/v1/command", body(pay(7)))).json()
        await venue.get(f"/v1/transfers?sequence={done['sequence']}")
        answer = await venue.client.get(f"/v1/export/transfers.csv?account={BOB}&format=koinly")
        assert answer.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(answer.text.splitlines())
        assert (row["Received Amount"], row["Received Currency"], row["Description"]) == (
            "0.000007",
            "USDC",
            f"from {ALICE}",
        )


async def test_history_goes_on_after_a_restart(tmp_path) -> None:
    """A2: the journal went on without the read model; it catches up, each receipt once."""
    journal = MemoryJournal()
    async with Remembering(tmp_path, journal) as venue:
        await venue.post("/v1/command", body(pay(1)))
    node = Node(journal)
    node.start(GENESIS)
    await node.command(ALICE, pay(2), local="elsewhere")
    async with Remembering(tmp_path, journal) as venue:
        await venue.post("/v1/command", body(pay(3)))
        page = await venue.get(f"/v1/transfers?account={BOB}&sort=oldest&sequence={venue.node.feed.last}")
        assert [row["amount_units"] for row in page["items"]] == ["1", "2", "3"]


async def test_a_failing_database_stops_nothing(tmp_path, monkeypatch) -> None:
    """A2: commands are taken while the database is away; when it is back, nothing is missing."""
    monkeypatch.setattr("zlp.server.history.RETRY_SECONDS", 0.05)
    made = Remembering(tmp_path)
    apply, failures = made.history.model.apply, iter(range(3))

    def moody(facts):
        if next(failures, None) is not None:
            raise OSError("the database is away")
        return apply(facts)

    made.history.model.apply = moody
    async with made as venue:
        receipts = [(await venue.post("/v1/command", body(pay(amount)))).json() for amount in range(1, 6)]
        assert all(each["rejection"] is None for each in receipts)
        page = await venue.get(f"/v1/transfers?account={BOB}&sequence={receipts[-1]['sequence']}")
        assert [row["amount_units"] for row in page["items"]] == ["5", "4", "3", "2", "1"]


async def test_pools_are_measured_once_a_minute_after_a_price() -> None:
    """E4: by commands in the log, so that the history of shares follows from it."""
    clock = Clock()
    node = Node(MemoryJournal(), clock=clock)
    node.start(load("zeus").genesis(identity="measured", time=clock.now // 10**9, roles={"governor": (GOVERNOR,)}))
    Measuring(node)
    assets = ("ETH", "BTC", "USDC", "USDT")
    for _ in range(9):
        clock.now += 20 * 10**9
        rounds = tuple(Round(asset, 10**8) for asset in assets)
        (fact,) = await node.command("keeper", PostRounds(rounds=rounds), local="test")
        assert fact.receipt.accepted, fact.receipt
        await asyncio.sleep(0.01)
    measured = [fact for fact in node.feed.read(0, 1_000) if isinstance(fact.command, MeasurePool)]
    assert [fact.command.pool for fact in measured] == ["main"] * len(measured)
    minutes = [fact.receipt.time // 60 for fact in measured]
    assert len(minutes) == len(set(minutes)) >= 3
    assert all(fact.receipt.accepted for fact in measured)
    await node.stop()
