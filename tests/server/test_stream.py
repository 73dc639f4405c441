"""Streams: a snapshot at a sequence, then every message with its own; nothing lost, nothing twice."""

import asyncio
import contextlib

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.journal.venue_log import ALICE, BOB, GOVERNOR
from tests.server.running import OPEN, body, running
from tests.server.test_api import pay
from zlp.engine.commands.custody import Deposit
from zlp.node import NodeSettings
from zlp.server.limits import Limits


@contextlib.asynccontextmanager
async def stream(venue, *asks: dict):
    """A connection that has sent these requests."""
    async with connect(f"ws://127.0.0.1:{venue.port}/v1/stream", max_queue=None) as connection:
        for ask in asks:
            await connection.send(msgspec.json.encode(ask), text=True)
        yield connection


async def receive(connection) -> dict:
    """The next message."""
    return msgspec.json.decode(await asyncio.wait_for(connection.recv(), 5))


def subscribe(channel: str, identifier: str = "", from_seq: int | None = None) -> dict:
    """A request."""
    extra = {} if from_seq is None else {"from_seq": str(from_seq)}
    return {"op": "subscribe", "channel": channel, "id": identifier, **extra}


async def test_snapshot_then_every_change() -> None:
    """A2: the snapshot names its sequence; the next message is the next one that concerns the account."""
    async with running() as venue:
        await venue.post("/v1/command", body(pay(1)))
        async with stream(venue, subscribe("account", BOB)) as connection:
            first = await receive(connection)
            assert (first["op"], first["seq"]) == ("subscribed", "6")
            assert first["snapshot"]["balances"] == [{"token": "USDC", "amount": "0.000001", "units": "1"}]
            await venue.node.command(GOVERNOR, Deposit(account=ALICE, token="USDC", amount=1), local="test")
            await venue.post("/v1/command", body(pay(2)))
            message = await receive(connection)
            assert (message["channel"], message["id"], message["seq"]) == ("account", BOB, "8")
            assert message["data"]["events"][0]["target"] == BOB


async def test_a_quiet_stream_outlives_the_patience_for_requests() -> None:
    """A stream says nothing while nothing happens; the clock of its first request is not its own."""
    async with (
        running(limits=Limits(request_seconds=1)) as venue,
        stream(venue, subscribe("account", BOB)) as connection,
    ):
        assert (await receive(connection))["op"] == "subscribed"
        await asyncio.sleep(1.5)
        await venue.post("/v1/command", body(pay(1)))
        assert (await receive(connection))["data"]["events"][0]["target"] == BOB


async def test_channels_carry_their_events_only() -> None:
    """A2: transfers here, refusals there, everything in the log."""
    async with running() as venue:
        asks = [subscribe("transfers"), subscribe("rejections"), subscribe("log"), subscribe("transfers", "nobody")]
        async with stream(venue, *asks) as connection:
            for _ in asks:
                assert (await receive(connection))["op"] == "subscribed"
            await venue.post("/v1/commands", body(pay(1), pay(10**15), batch=True))
            got = [await receive(connection) for _ in range(4)]
            seen = sorted((each["channel"], each["seq"]) for each in got)
            assert seen == [("log", "6"), ("log", "7"), ("rejections", "7"), ("transfers", "6")]


async def test_resume_brings_what_was_missed() -> None:
    """A2: from memory and from the journal, while commands keep coming, without gap or repetition."""
    async with running(settings=NodeSettings(recent_facts=10)) as venue:
        for _ in range(3):
            await venue.post("/v1/commands", body(*(pay() for _ in range(100)), batch=True))
        async with stream(venue, subscribe("log", from_seq=20)) as connection:
            posting = asyncio.create_task(venue.post("/v1/commands", body(*(pay() for _ in range(200)), batch=True)))  # noqa: RUF006
            assert (await receive(connection))["from_seq"] == "20"
            seen = [int((await receive(connection))["seq"]) for _ in range(485)]
            await posting
            assert seen == list(range(21, 506))


async def test_a_client_that_does_not_read_is_dropped() -> None:
    """A2: the venue goes on, others get everything, and the drop is counted."""
    limits = Limits(address_per_second=0, account_per_second=0, stream_buffer_bytes=100_000)
    async with running(limits) as venue, stream(venue, subscribe("log")) as good:
        await receive(good)
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port, limit=1_000)
        upgrade = b"GET /v1/stream HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        writer.write(upgrade + b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        ask = msgspec.json.encode(subscribe("log"))
        writer.write(b"\x81" + bytes((0x80 | len(ask),)) + bytes(4) + ask)
        await reader.readexactly(4)
        registry = venue.node.metrics.registry
        sent = 0
        while not registry.get_sample_value("zlp_subscribers_dropped_total"):
            await venue.post("/v1/commands", body(*(pay() for _ in range(200)), batch=True))
            sent += 200
            assert sent < 200_000
        seen = [int((await receive(good))["seq"]) for _ in range(sent)]
        assert seen == list(range(6, 6 + sent))
        writer.close()


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"op": "subscribe", "channel": "nothing"}, "not_found"),
        ({"op": "subscribe", "channel": "log", "id": 'a"b'}, "malformed_request"),
        ({"op": "subscribe", "channel": "log", "from_seq": "-1"}, "malformed_request"),
        ({"op": "subscribe", "channel": "log", "extra": 1}, "malformed_request"),
        ({"op": "delete"}, "malformed_request"),
        ([], "malformed_request"),
    ],
)
async def test_odd_requests_get_an_error_and_the_stream_goes_on(ask, code: str) -> None:
    """A4: a stable code; the connection stays."""
    async with running() as venue, stream(venue, ask, {"op": "ping"}) as connection:
        answer = await receive(connection)
        assert (answer["op"], answer["code"]) == ("error", code)
        assert await receive(connection) == {"op": "pong", "seq": "5"}


async def test_subscriptions_have_a_limit_and_end() -> None:
    """A4: as many as the limit, no doubles; after unsubscribing nothing more comes."""
    limits = Limits(address_per_second=0, account_per_second=0, stream_subscriptions=2)
    asks = [subscribe("log"), subscribe("log"), subscribe("fees"), subscribe("trades")]
    async with running(limits) as venue, stream(venue, *asks) as connection:
        answers = [await receive(connection) for _ in asks]
        assert [each["op"] for each in answers] == ["subscribed", "error", "subscribed", "error"]
        await connection.send('{"op":"unsubscribe","channel":"log"}')
        assert (await receive(connection))["op"] == "unsubscribed"
        await venue.post("/v1/command", body(pay()))
        await connection.send('{"op":"ping"}')
        assert (await receive(connection))["op"] == "pong"


async def test_a_stream_that_asks_too_much_is_told_so() -> None:
    """A4: snapshots cost something, so asking for them has a rate."""
    limits = Limits(address_per_second=0, account_per_second=0, stream_asks_per_second=1, stream_asks_burst=3)
    async with running(limits) as venue, stream(venue, *[{"op": "ping"}] * 5) as connection:
        answers = [await receive(connection) for _ in range(5)]
        assert [each["op"] for each in answers] == ["pong", "pong", "pong", "error", "error"]
        assert answers[4]["code"] == "too_many_requests"


async def test_a_compacted_past_is_named() -> None:
    """A2: resuming from before the oldest record says where the log starts."""
    async with running() as venue:
        await venue.post("/v1/commands", body(*(pay() for _ in range(20)), batch=True))
        venue.node.journal.drop_until(10)
        async with stream(venue, subscribe("log", from_seq=3), subscribe("log", from_seq=10)) as connection:
            refused = await receive(connection)
            assert (refused["code"], "starts at 11" in refused["detail"]) == ("compacted", True)
            assert (await receive(connection))["op"] == "subscribed"


async def test_large_and_binary_messages_end_the_stream() -> None:
    """A4: one small text frame per request, or the connection closes."""
    async with running() as venue:
        for message in ("x" * 10_000, b"binary"):
            async with stream(venue) as connection:
                await connection.send(message)
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(connection.recv(), 5)


async def test_streams_have_one_address() -> None:
    """A4: other paths do not upgrade."""
    async with running() as venue:
        with pytest.raises(InvalidStatus, match="404"):
            async with connect(f"ws://127.0.0.1:{venue.port}/elsewhere"):
                pass


async def test_a_stopping_venue_closes_its_streams() -> None:
    """A2: with the code that tells clients to come back."""
    async with running() as venue, stream(venue, subscribe("log")) as connection:
        await receive(connection)
        venue.server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(connection.recv(), 5)
        assert closed.value.rcvd.code == 1012
    assert OPEN.stream_subscriptions
