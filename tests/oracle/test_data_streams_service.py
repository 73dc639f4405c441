"""Data Streams over the wire: authenticated REST and WebSocket against a real server on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.oracle.report_factory import FEED_ID, PRICE, report, signer_set
from tests.oracle.streams_server import SECRET, USER, StreamsServer, serve_streams
from tests.oracle.waiting import eventually
from zlp.oracle.data_streams.archive import read_archive
from zlp.oracle.data_streams.authentication import Credentials
from zlp.oracle.data_streams.rest import RestClient, StreamsError
from zlp.oracle.data_streams.source import DataStreamsSettings, DataStreamsSource, StreamFeed
from zlp.oracle.data_streams.verification import Verifier
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.observation import Observation, Status
from zlp.oracle.reconnection import Backoff

FEED = "0x" + FEED_ID.hex()
OTHER_ID = bytes.fromhex("0003" + "0e" * 30)
GOOD = Credentials(user_id=USER, secret=SECRET)
QUICK = Backoff(first_seconds=0.01, longest_seconds=0.02)


@pytest.fixture
async def service() -> AsyncIterator[StreamsServer]:
    """A running service."""
    async with serve_streams() as running:
        yield running


def now_report(age: int = 0, **fields: Any) -> bytes:
    """A good report of this moment."""
    at = int(time.time()) - age
    return report(**({"valid_from": at, "observed_at": at, "expires_at": at + 100} | fields))


def source_of(*services: StreamsServer, **more: Any) -> DataStreamsSource:
    fields: dict[str, Any] = {
        "rest_url": services[0].http_url,
        "websocket_urls": tuple(one.ws_url for one in services),
        "credentials": GOOD,
        "signer_sets": (signer_set(),),
        "feeds": (StreamFeed(asset="ETH", feed_id=FEED),),
        "backoff": QUICK,
        "poll_seconds": 60.0,
    }
    return DataStreamsSource(DataStreamsSettings(**(fields | more)))


async def next_of(stream: AsyncIterator[Observation]) -> Observation:
    return await asyncio.wait_for(anext(stream), 10)


@pytest.mark.parametrize(
    ("method", "path", "user", "secret", "stamp", "body", "signature"),
    [
        ("GET", "/api/v1/feeds", "clientId", "userSecret", 1718885772, b"",
         "e9b2aa1deb13b2abd078353a5e335b2f50307159ad28b433157d2c74dbab2072"),
        ("POST", "/api/v1/feeds", "clientId1", "secret1", 12000, b"",
         "31b48ebdb13802b58978cd89eca0c3c68ddccf85392e703b55942544e7203d3d"),
        ("POST", "/api/v1/reports/bulk", "clientId2", "secret2", 1718885772, b'{"attr1": "value1","attr2": [1,2,3]}',
         "37190febe20b6f3662f6abbfa3a7085ad705ac64e88bde8c1a01a635859e6cf7"),
    ],
)  # fmt: skip
def test_published_signatures_of_requests(
    method: str, path: str, user: str, secret: str, stamp: int, body: bytes, signature: str
) -> None:
    """Z6: the request signature equals values published with the official clients."""
    headers = Credentials(user_id=user, secret=secret).headers(method, path, stamp, body)
    assert headers == {
        "Authorization": user,
        "X-Authorization-Timestamp": str(stamp),
        "X-Authorization-Signature-SHA256": signature,
    }


def test_a_secret_is_never_shown() -> None:
    """Secrets stay out of logs and errors."""
    assert SECRET not in repr(GOOD)


async def test_latest_and_bulk(service: StreamsServer) -> None:
    """Z6: one stream's newest report, and several streams at a second, some of which have none."""
    service.reports[FEED] = now_report()
    client = RestClient(service.http_url, GOOD)
    latest = await client.latest(FEED_ID)
    assert latest.envelope == service.reports[FEED]
    found = await client.bulk([FEED_ID, OTHER_ID], 1_700_000_000)
    assert [one.feed_id for one in found] == [FEED]
    assert service.requests[-1] == f"/api/v1/reports/bulk?feedIDs={FEED}%2C0x{OTHER_ID.hex()}&timestamp=1700000000"
    with pytest.raises(StreamsError, match="404"):
        await client.latest(OTHER_ID)
    await client.close()


async def test_refusals_are_explained(service: StreamsServer) -> None:
    """A4: a wrong secret, a wrong clock, an unreachable service and an undocumented answer each say what they are."""
    service.reports[FEED] = now_report()
    for client, message in (
        (RestClient(service.http_url, Credentials(user_id=USER, secret="wrong")), "401: the credentials or the clock"),
        (RestClient(service.http_url, GOOD, clock=lambda: time.time() - 6), "401"),
        (RestClient("http://127.0.0.1:9", GOOD), "can't be reached"),
    ):
        with pytest.raises(StreamsError, match=message):
            await client.latest(FEED_ID)
        await client.close()
    client = RestClient(service.http_url, GOOD)
    for answer, message in (
        (web.Response(text="<html>"), "another form"),
        (web.json_response({"report": {"feedID": FEED}}), "another form"),
        (web.Response(status=503), "503: the service fails"),
    ):
        service.override = answer
        with pytest.raises(StreamsError, match=message):
            await client.latest(FEED_ID)
    await client.close()


async def test_streamed_reports_become_observations(service: StreamsServer, tmp_path: Path) -> None:
    """Z6: price, sides, time and the signed digest reach the port; the archive proves it again later."""
    archive = tmp_path / "proofs" / "reports.jsonl"
    source = source_of(service, archive=str(archive))
    assert source.health()["ETH"].status is Status.CONNECTING
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await service.connected(1)
        await service.push(FEED, now_report())
        seen = await reading
    assert (seen.asset, seen.price_e30) == ("ETH", PRICE * 10**12)
    assert (seen.bid_e30, seen.ask_e30) == ((PRICE - 10**16) * 10**12, (PRICE + 10**16) * 10**12)
    assert source.health()["ETH"].status is Status.LIVE
    [kept] = read_archive(archive)
    assert kept.digest == seen.evidence
    again = Verifier((signer_set(),)).verify(bytes.fromhex(kept.full_report), feed_id=FEED_ID, now=seen.observed_at)
    assert again.digest == seen.evidence


async def test_eight_decimals(service: StreamsServer) -> None:
    """Z6: a stream of 8 decimals is scaled by its own setting."""
    source = source_of(service, feeds=(StreamFeed(asset="ETH", feed_id=FEED, decimals=8),))
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await service.connected(1)
        await service.push(FEED, now_report(price=180_025_000_000, bid=180_025_000_000, ask=180_025_000_000))
        assert (await reading).price_e30 == price_from_text("1800.25")


async def test_repeats_and_old_reports_are_dropped(service: StreamsServer) -> None:
    """A7: each second once and never backwards, though two connections deliver everything twice."""
    async with serve_streams() as second, aclosing(source_of(service, second).observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await service.connected(1)
        await second.connected(1)
        for one in (service, second):
            await one.push(FEED, now_report(age=3))
            await one.push(FEED, now_report(age=2))
            await one.push(FEED, now_report(age=9))
        first = await reading
        assert (await next_of(stream)).observed_at == first.observed_at + 1
        await service.push(FEED, now_report())
        assert (await next_of(stream)).observed_at >= first.observed_at + 3


async def test_one_broken_connection_of_two_is_not_noticed(service: StreamsServer) -> None:
    """A7: with two services, the loss of one costs nothing."""
    async with serve_streams() as second:
        service.refuse_sockets = True
        source = source_of(service, second)
        async with aclosing(source.observations()) as stream:
            reading = asyncio.create_task(next_of(stream))
            await second.connected(1)
            await second.push(FEED, now_report())
            await reading
            assert source.health()["ETH"].status is Status.LIVE


async def test_refused_reports_show_in_health(service: StreamsServer) -> None:
    """A7: a forged report gives no price, fails the stream by name, and the next good one heals it."""
    source = source_of(service)
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await service.connected(1)
        await service.push(FEED, now_report(age=2)[:-32] + bytes(32))
        await service.push("0x" + OTHER_ID.hex(), now_report())
        await eventually(lambda: source.health()["ETH"].status is Status.FAILED)
        assert "signature" in source.health()["ETH"].reason or "signer" in source.health()["ETH"].reason
        assert not reading.done()
        await service.push(FEED, now_report())
        await reading
        assert source.health()["ETH"].status is Status.LIVE


async def test_reconnects_after_drops_and_garbage(service: StreamsServer) -> None:
    """A7: a dropped connection and an undocumented message lead to a new, newly signed connection."""
    async with aclosing(source_of(service).observations()) as stream:
        for round_number, trouble in enumerate((service.drop_connections, lambda: service.push_text("{]")), start=1):
            reading = asyncio.create_task(next_of(stream))
            await service.connected(round_number)
            await service.push(FEED, now_report(age=5 - round_number))
            await reading
            await trouble()
        reading = asyncio.create_task(next_of(stream))
        await service.connected(3)
        await service.push(FEED, now_report())
        await reading


async def test_a_silent_stream_is_asked_by_rest(service: StreamsServer) -> None:
    """A7: while the WebSocket is refused, REST delivers; a report beyond our age limit is refused."""
    service.refuse_sockets = True
    service.reports[FEED] = now_report(age=61)
    source = source_of(service, poll_seconds=0.01, silence_seconds=0.5)
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await eventually(lambda: source.health()["ETH"].status is Status.FAILED)
        assert "too_old" in source.health()["ETH"].reason
        service.reports[FEED] = now_report()
        assert (await reading).price_e30 == PRICE * 10**12


async def test_silence_is_an_alarm(service: StreamsServer) -> None:
    """A7: a stream that stops saying anything is silent though its connection stands."""
    shift = 0.0
    source = DataStreamsSource(
        DataStreamsSettings(
            rest_url=service.http_url, websocket_urls=(service.ws_url,), credentials=GOOD, backoff=QUICK,
            signer_sets=(signer_set(),), feeds=(StreamFeed(asset="ETH", feed_id=FEED),), poll_seconds=60.0,
        ),
        clock=lambda: time.time() + shift,
    )  # fmt: skip
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await service.connected(1)
        await service.push(FEED, now_report())
        await reading
        shift = 6.0
        health = source.health()["ETH"]
        assert (health.status, health.reason[:12]) == (Status.SILENT, "silent for 6")


def test_feeds_that_could_not_be() -> None:
    """A4: a feed id of another schema or length is refused with a reason before anything is connected."""
    with pytest.raises(ValueError, match="schema 4"):
        StreamFeed(asset="EUR", feed_id="0x0004" + "00" * 30)
    with pytest.raises(ValueError, match="not 32 bytes"):
        StreamFeed(asset="EUR", feed_id="0x0003")
