"""Exchange sources against servers on loopback that speak Bybit's and MEXC's protocols, and misbehave."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.oracle.exchange_server import ExchangeServer, bybit_book, now_ms, serve_exchange
from tests.oracle.waiting import eventually
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.exchanges import ExchangeMarket, ExchangeSettings, ExchangeSource
from zlp.oracle.observation import Observation, Status
from zlp.oracle.reconnection import Backoff

MARKETS = (ExchangeMarket(asset="BTC", symbol="BTC/USDT"), ExchangeMarket(asset="ETH", symbol="ETH/USDT"))
QUICK = Backoff(first_seconds=0.01, longest_seconds=0.02)


@pytest.fixture(params=["bybit", "mexc"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[ExchangeServer]:
    """Each test of this fixture runs on both exchanges."""
    async with serve_exchange(request.param) as running:
        yield running


def source_of(server: ExchangeServer, clock: Any = time.time, **more: Any) -> ExchangeSource:
    fields: dict[str, Any] = {
        "exchange": server.exchange,
        "markets": MARKETS,
        "websocket_url": server.url,
        "backoff": QUICK,
    }
    return ExchangeSource(ExchangeSettings(**(fields | more)), clock=clock)


async def next_of(stream: AsyncIterator[Observation]) -> Observation:
    return await asyncio.wait_for(anext(stream), 10)


async def test_prices_come_from_the_text(server: ExchangeServer) -> None:
    """E5, A3: bid, ask, middle and depth of each market are exact integers in the market's quote asset."""
    source = source_of(server)
    assert source.health()["BTC"].status is Status.CONNECTING
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await server.connected(1)
        await server.push(
            server.message("BTCUSDT", "93387.280000000000000001", "93387.29", number=5),
            server.message("ETHUSDT", "3321.1", "3321.2", number=9),
        )
        first, second = await reading, await next_of(stream)
    assert (first.asset, first.source, first.quote) == ("BTC", server.exchange, "USDT")
    assert first.bid_e30 == price_from_text("93387.280000000000000001")
    assert first.price_e30 == price_from_text("93387.2850000000000000005")
    assert second.price_e30 == price_from_text("3321.15")
    assert second.depth_e30 == price_from_text("3321.1") * 3 // 2 + price_from_text("3321.2") * 9 // 4
    assert source.health()["ETH"].status is Status.LIVE
    assert sorted(topic[-7:] for topic in server.subscribed) == ["BTCUSDT", "ETHUSDT"]


async def test_repeats_and_overtaken_messages(server: ExchangeServer) -> None:
    """A7: duplicates and messages out of order give nothing; after a gap the newest price is used."""
    at = now_ms()
    async with aclosing(source_of(server).observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await server.connected(1)
        good = server.message("BTCUSDT", "100", "102", number=5, at_ms=at)
        await server.push(
            good,
            good,
            server.message("BTCUSDT", "90", "92", number=4, at_ms=at - 1_000),
            server.message("BTCUSDT", "110", "112", number=905, at_ms=at + 1_000),
        )
        assert (await reading).price_e30 == price_from_text("101")
        assert (await next_of(stream)).price_e30 == price_from_text("111")


async def test_a_dropped_connection_is_made_again(server: ExchangeServer) -> None:
    """A7: after each drop the source reconnects, subscribes again, and prices go on."""
    async with aclosing(source_of(server).observations()) as stream:
        for times in (1, 2, 3):
            reading = asyncio.create_task(next_of(stream))
            await server.connected(times)
            await server.push(server.message("BTCUSDT", str(100 * times), str(100 * times), number=times))
            assert (await reading).price_e30 == price_from_text(str(100 * times))
            await server.drop_connections()
    assert len(server.subscribed) >= 6


@pytest.mark.parametrize("garbage", ["{]", "[1, 2", b"\xff\xff\xff\xff", b"\x0a\xff"])
async def test_garbage_leads_to_a_new_connection(server: ExchangeServer, garbage: str | bytes) -> None:
    """A7: frames that can't be decoded end the connection, which would otherwise go deaf, and it is made anew."""
    async with aclosing(source_of(server).observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await server.connected(1)
        await server.push(garbage)
        if server.exchange == "bybit" and isinstance(garbage, bytes):
            await server.drop_connections()
        await server.connected(2)
        await server.push(server.message("BTCUSDT", "7", "7", number=1))
        assert (await reading).price_e30 == price_from_text("7")


async def test_a_bad_price_fails_its_market_only(server: ExchangeServer) -> None:
    """A7: a crossed book fails its market by name, its neighbour lives, and the next good message heals it."""
    source = source_of(server)
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await server.connected(1)
        await server.push(
            server.message("BTCUSDT", "102", "100", number=1, at_ms=now_ms() - 10),
            server.message("SOLUSDT", "1", "1", number=1),
            server.message("ETHUSDT", "3000", "3000", number=1),
        )
        assert (await reading).asset == "ETH"
        assert source.health()["BTC"].reason == "the bid is above the ask"
        assert source.health()["ETH"].status is Status.LIVE
        await server.push(server.message("BTCUSDT", "100", "102", number=2))
        assert (await next_of(stream)).asset == "BTC"
        assert source.health()["BTC"].status is Status.LIVE


async def test_one_silent_market_raises_the_alarm(server: ExchangeServer) -> None:
    """A7: a market that stops is silent while its neighbour on the same connection is live."""
    shift = 0.0
    source = source_of(server, clock=lambda: time.time() + shift)
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await server.connected(1)
        await server.push(server.message("BTCUSDT", "1", "1", number=1), server.message("ETHUSDT", "1", "1", number=1))
        await reading
        await next_of(stream)
        shift = 16.0
        await server.push(server.message("ETHUSDT", "2", "2", number=2))
        await next_of(stream)
        assert source.health()["BTC"].status is Status.SILENT
        assert source.health()["BTC"].reason == "silent for 16 s"
        assert source.health()["ETH"].status is Status.LIVE


async def test_a_mute_connection_is_replaced(server: ExchangeServer) -> None:
    """A7: when every market is silent for too long the connection is given up though nobody closed it."""
    async with aclosing(source_of(server, reconnect_seconds=0.2).observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        await server.connected(2)
        await server.push(server.message("BTCUSDT", "7", "7", number=1))
        await reading


async def test_a_refused_subscription_is_explained(server: ExchangeServer) -> None:
    """A4: what the exchange says when it refuses shows in the health of every market, and attempts go on."""
    server.refusal = (
        {"success": False, "ret_msg": "error:handler not found,topic:orderbook.1.BTCUSDT", "op": "subscribe"}
        if server.exchange == "bybit"
        else {"id": 0, "code": 0, "msg": "Not Subscribed successfully! [x]. Reason: Blocked!"}
    )
    source = source_of(server)
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(next_of(stream))
        word = "handler not found" if server.exchange == "bybit" else "Blocked"
        await eventually(lambda: word in source.health()["BTC"].reason)
        server.refusal = None
        await server.connected(1)
        await server.push(server.message("BTCUSDT", "7", "7", number=1))
        await reading


async def test_an_exchange_that_is_not_there() -> None:
    """A4: an address where nobody listens shows in the health, and closing still works."""
    nobody = ExchangeServer("bybit")
    nobody.url = "ws://127.0.0.1:9/ws"
    source = source_of(nobody)
    async with aclosing(source.observations()) as stream:
        reading = asyncio.create_task(anext(stream))
        await eventually(lambda: bool(source.health()["BTC"].reason))
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert source.health()["BTC"].status is Status.CONNECTING


async def test_a_slow_reader_gets_the_newest_prices() -> None:
    """A7: when nobody reads, the oldest prices are dropped, never the newest."""
    async with serve_exchange("bybit") as server:
        source = source_of(server)
        source._quotes = asyncio.Queue(3)
        async with aclosing(source.observations()) as stream:
            reading = asyncio.create_task(next_of(stream))
            await server.connected(1)
            await server.push(bybit_book("BTCUSDT", "1", "1", update=1))
            await reading
            await server.push(*[bybit_book("BTCUSDT", str(n), str(n), update=n) for n in range(2, 12)])
            await server.push(bybit_book("ETHUSDT", "5", "5", update=1))
            await eventually(lambda: source.health()["ETH"].status is Status.LIVE)
            prices = [(await next_of(stream)).price_e30 // 10**30 for _ in range(3)]
            assert prices == [10, 11, 5]


def test_markets_that_could_not_be() -> None:
    """A4: symbols and the number of markets are checked before anything is connected."""
    with pytest.raises(ValueError, match="not a symbol"):
        ExchangeMarket(asset="ETH", symbol="ETHUSDT")
    many = tuple(ExchangeMarket(asset=f"A{n}", symbol=f"A{n}/USDT") for n in range(31))
    with pytest.raises(ValueError, match="30 markets"):
        ExchangeSettings(exchange="mexc", markets=many)
