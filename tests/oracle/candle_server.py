"""The candle endpoints of Bybit and MEXC on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

HOUR = 3_600


class CandleServer:
    """Makes up hourly candles; `gaps` are times without one; `failures` requests answer 503 first."""

    def __init__(self) -> None:
        self.requests: list[tuple[int, int]] = []
        self.gaps: set[int] = set()
        self.failures = 0
        self.fail_after: int | None = None
        self.refusal: dict[str, Any] | None = None
        self.url = ""

    @staticmethod
    def row(at: int) -> list[str]:
        """Text of one candle: time in ms, open, high, low, close, volume."""
        base = at // HOUR % 1_000
        return [str(at * 1000), f"{base}.50", f"{base + 2}.123456789012345678", f"{base}.10", f"{base + 1}", "12.5"]

    def _rows(self, start_ms: int, end_ms: int) -> list[list[str]]:
        self.requests.append((start_ms, end_ms))
        first = -(-start_ms // (HOUR * 1000)) * HOUR
        times = range(first, end_ms // 1000 + 1, HOUR)
        return [self.row(at) for at in times if at not in self.gaps]

    def _trouble(self) -> web.Response | None:
        if self.failures or (self.fail_after is not None and len(self.requests) >= self.fail_after):
            self.failures = max(self.failures - 1, 0)
            return web.Response(status=503, text="overloaded")
        return None if self.refusal is None else web.json_response(self.refusal)

    async def bybit(self, request: web.Request) -> web.Response:
        trouble = self._trouble()
        if trouble is not None:
            return trouble
        rows = self._rows(int(request.query["start"]), int(request.query["end"]))
        listed = {"category": "spot", "symbol": request.query["symbol"], "list": [[*row, "0"] for row in rows[::-1]]}
        return web.json_response({"retCode": 0, "retMsg": "OK", "result": listed, "time": 1})

    async def mexc(self, request: web.Request) -> web.Response:
        trouble = self._trouble()
        if trouble is not None:
            return trouble
        rows = self._rows(int(request.query["startTime"]), int(request.query["endTime"]) - 1)
        return web.json_response([[int(row[0]), *row[1:], int(row[0]) + HOUR * 1000, "0"] for row in rows])

    def adjust(self, exchange: Any) -> None:
        """Point a ccxt exchange here."""
        exchange.enableRateLimit = False
        if exchange.id == "bybit":
            exchange.urls["api"]["public"] = self.url
        else:
            exchange.urls["api"]["spot"]["public"] = self.url


@asynccontextmanager
async def serve_candles() -> AsyncIterator[CandleServer]:
    """Run the server."""
    service = CandleServer()
    app = web.Application()
    app.router.add_get("/v5/market/kline", service.bybit)
    app.router.add_get("/api/v3/klines", service.mexc)
    server = TestServer(app)
    await server.start_server()
    service.url = str(server.make_url("")).rstrip("/")
    try:
        yield service
    finally:
        await server.close()
