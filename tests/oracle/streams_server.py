"""A Data Streams service on loopback: REST and WebSocket, with its own check of the request signature."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSCloseCode, web
from aiohttp.test_utils import TestServer

from tests.oracle.waiting import eventually

USER, SECRET = "9f4c-user", "a-secret"
SKEW_MS = 5_000


class StreamsServer:
    """Serves the reports in `reports` (hex feed id to bytes). `clock` is the server's own."""

    def __init__(self) -> None:
        self.clock = time.time
        self.reports: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.sockets: set[web.WebSocketResponse] = set()
        self.override: web.Response | None = None
        self.refuse_sockets = False
        self.connections = 0
        self.http_url = self.ws_url = ""

    def authorised(self, request: web.Request) -> bool:
        """The documented scheme, written down a second time."""
        stamp = request.headers.get("X-Authorization-Timestamp", "0")
        parts = [request.method, request.raw_path, hashlib.sha256(b"").hexdigest(), USER, stamp]
        wanted = hmac.digest(SECRET.encode(), " ".join(parts).encode(), "sha256").hex()
        fresh = abs(self.clock() * 1000 - int(stamp)) <= SKEW_MS
        given = request.headers.get("X-Authorization-Signature-SHA256", "")
        return fresh and request.headers.get("Authorization") == USER and hmac.compare_digest(wanted, given)

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.requests.append(request.raw_path)
        if not self.authorised(request):
            return web.json_response({"error": "unauthorised"}, status=401)
        return self.override

    async def latest(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        feed_id = request.query["feedID"]
        if feed_id not in self.reports:
            return web.json_response({"error": "not found"}, status=404)
        return web.json_response({"report": self.wire(feed_id, self.reports[feed_id])})

    async def bulk(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        wanted = request.query["feedIDs"].split(",")
        found = [self.wire(feed_id, self.reports[feed_id]) for feed_id in wanted if feed_id in self.reports]
        return web.json_response({"reports": found}, status=200 if len(found) == len(wanted) else 206)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.raw_path)
        if self.refuse_sockets or not self.authorised(request):
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.sockets.add(socket)
        async for _ in socket:
            pass
        self.sockets.discard(socket)
        return socket

    @staticmethod
    def wire(feed_id: str, full_report: bytes) -> dict[str, Any]:
        """The documented form of a report in JSON."""
        return {
            "feedID": feed_id,
            "fullReport": "0x" + full_report.hex(),
            "validFromTimestamp": 0,
            "observationsTimestamp": 0,
        }

    async def push(self, feed_id: str, full_report: bytes) -> None:
        """Send a report to everybody who is connected."""
        for socket in list(self.sockets):
            await socket.send_json({"report": self.wire(feed_id, full_report)})

    async def push_text(self, text: str) -> None:
        """Send anything."""
        for socket in list(self.sockets):
            await socket.send_str(text)

    async def drop_connections(self) -> None:
        """Close every socket."""
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def connected(self, times: int) -> None:
        """Wait until this many connections were made in all, and the newest is open."""
        await eventually(lambda: self.connections >= times and bool(self.sockets))


@asynccontextmanager
async def serve_streams() -> AsyncIterator[StreamsServer]:
    """Run the service."""
    service = StreamsServer()
    app = web.Application()
    app.router.add_get("/api/v1/reports/latest", service.latest)
    app.router.add_get("/api/v1/reports/bulk", service.bulk)
    app.router.add_get("/api/v1/ws", service.socket)
    server = TestServer(app)
    await server.start_server()
    service.http_url = str(server.make_url("")).rstrip("/")
    service.ws_url = service.http_url.replace("http", "ws", 1)
    try:
        yield service
    finally:
        await service.drop_connections()
        await server.close()
