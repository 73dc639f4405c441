"""Bybit and MEXC on loopback: WebSocket servers that speak their public spot protocols."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.test_utils import TestServer
from ccxt.protobuf.mexc import PushDataV3ApiWrapper_pb2

from tests.oracle.waiting import eventually


def now_ms() -> int:
    """This moment by the exchange's clock."""
    return int(time.time() * 1000)


def bybit_book(
    market: str, bid: str, ask: str, *, update: int, at_ms: int | None = None, kind: str = "snapshot", **more: Any
) -> str:
    """An order book message of depth 1 in Bybit's documented form."""
    at = now_ms() if at_ms is None else at_ms
    data = {"s": market, "b": [[bid, "1.5"]], "a": [[ask, "2.25"]], "u": update, "seq": 7961638724} | more
    message = {"topic": f"orderbook.1.{market}", "type": kind, "ts": at, "data": data, "cts": at - 3}
    return msgspec.json.encode(message).decode()


def mexc_ticker(market: str, bid: str, ask: str, *, at_ms: int | None = None) -> bytes:
    """A book ticker in MEXC's protobuf form."""
    message = PushDataV3ApiWrapper_pb2.PushDataV3ApiWrapper()
    message.channel = f"spot@public.aggre.bookTicker.v3.api.pb@100ms@{market}"
    message.symbol = market
    message.sendTime = now_ms() if at_ms is None else at_ms
    ticker = message.publicAggreBookTicker
    ticker.bidPrice, ticker.bidQuantity, ticker.askPrice, ticker.askQuantity = bid, "1.5", ask, "2.25"
    return bytes(message.SerializeToString())


class ExchangeServer:
    """Accepts subscriptions, answers pings, and sends what the test tells it to."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.sockets: set[web.WebSocketResponse] = set()
        self.subscribed: list[str] = []
        self.connections = 0
        self.pings = 0
        self.refusal: dict[str, Any] | None = None
        self.url = ""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._answer(socket, msgspec.json.decode(message.data))
        self.sockets.discard(socket)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        subscribing = asked.get("op") == "subscribe" or asked.get("method") == "SUBSCRIPTION"
        if subscribing and self.refusal is not None:
            await socket.send_json(self.refusal | {"req_id": asked.get("req_id")})
        elif subscribing:
            self.subscribed += asked.get("args") or asked["params"]
            await socket.send_json(self._acknowledgement(asked))
            self.connections += 1
            self.sockets.add(socket)
        else:
            self.pings += 1
            pong = {"success": True, "ret_msg": "pong", "op": "ping"}
            await socket.send_json(pong if self.exchange == "bybit" else {"id": 0, "code": 0, "msg": "PONG"})

    def _acknowledgement(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.exchange == "bybit":
            return {"success": True, "ret_msg": "", "conn_id": "c", "req_id": asked.get("req_id"), "op": "subscribe"}
        return {"id": 0, "code": 0, "msg": ",".join(asked["params"])}

    def message(self, market: str, bid: str, ask: str, *, number: int, at_ms: int | None = None) -> str | bytes:
        """A good price message in this exchange's form."""
        if self.exchange == "bybit":
            return bybit_book(market, bid, ask, update=number, at_ms=at_ms)
        return mexc_ticker(market, bid, ask, at_ms=at_ms)

    async def push(self, *messages: str | bytes) -> None:
        """Send text or binary frames to everybody, in order."""
        for socket in list(self.sockets):
            for message in messages:
                await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))

    async def drop_connections(self) -> None:
        """Close every socket."""
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)
        self.sockets.clear()

    async def connected(self, times: int) -> None:
        """Wait until so many subscriptions were made in all, and the newest stands."""
        await eventually(lambda: self.connections >= times and bool(self.sockets))


@asynccontextmanager
async def serve_exchange(exchange: str) -> AsyncIterator[ExchangeServer]:
    """Run one exchange."""
    service = ExchangeServer(exchange)
    app = web.Application()
    app.router.add_get("/ws", service.serve)
    server = TestServer(app)
    await server.start_server()
    service.url = str(server.make_url("/ws")).replace("http", "ws", 1)
    try:
        yield service
    finally:
        await service.drop_connections()
        await server.close()
