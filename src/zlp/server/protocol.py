"""uvicorn's HTTP protocol with the patience of a public venue: a request arrives whole and soon, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zlp.server.exchange import Exchange, Post
from zlp.server.limits import Connections, Headers
from zlp.server.problems import Problem

REASONS = {
    408: b"Request Timeout",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}
LONGEST_CHUNKED = 6
"""Times as long as itself a body may be on its way, sent in chunks of one byte. What else comes with it is refused."""

HEAD = b"HTTP/1.1 %d %b\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    """Bounds the time a request may take to arrive, the size of its head, and the connections of an address.

    ``posts``: what is answered here, beside ASGI, by path; ``charge``: takes a request from its address's allowance.
    """

    def __init__(
        self,
        connections_open: Connections,
        posts: dict[bytes, Post],
        charge: Callable[[str], Headers],
        *arguments: Any,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self.posts, self.charge = posts, charge
        self.connections_open = connections_open
        self.limits = connections_open.limits
        self._arrival: asyncio.TimerHandle | None = None
        self._longest_body = max(self.limits.body_bytes, self.limits.batch_body_bytes)
        self._head_bytes = self._around_body = 0
        self._in_head = True
        self._counted = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and start waiting for its first request."""
        super().connection_made(transport)
        address = self.client[0] if self.client else "local"
        if not self.connections_open.open(address):
            self._refuse(503, Problem("too_many_requests", "too many connections").body())
            return
        self._counted = address
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting and uncount."""
        self._stop_waiting()
        if self._counted:
            self.connections_open.close(self._counted)
            self._counted = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the head's bytes before the parser keeps them."""
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
        else:
            self._around_body += len(data)
        super().data_received(data)
        self._watch_arrival()
        # One read may hold the whole head and part of the body, so only what is still open after it counts.
        if self._in_head and self._head_bytes > self.limits.head_bytes and not self.transport.is_closing():
            self._refuse(431, b"")
        elif not self._in_head and self._around_body > LONGEST_CHUNKED * self._longest_body:
            self._refuse(413, Problem("body_too_large", limit=self._longest_body).body())

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes as one after a chunked body is nobody's, and has no limit of its own."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; it is measured only if what came with it could be too much."""
        measured, self._head_bytes = self._head_bytes, 0
        self._around_body = 0
        self._in_head = False
        if measured > self.limits.head_bytes and self._head_size() > self.limits.head_bytes:
            self._refuse(431, b"")
            return
        post = self._post()
        if post is None:
            super().on_headers_complete()
        else:
            self._begin(post)

    def _post(self) -> Post | None:
        """What answers this request beside ASGI, if anything does."""
        if self.parser.get_method() != b"POST" or self.parser.should_upgrade():
            return None
        return self.posts.get(self.url.partition(b"?")[0])

    def _begin(self, post: Post) -> None:
        before: Any = self.cycle  # None before the first request, whatever uvicorn's annotation says
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        exchange = Exchange(self, post, keep_alive=keep_alive, wants_continue=self.expect_100_continue)
        self.cycle: Any = exchange
        exchange.admit(self.charge, self.headers)
        if before is None or before.response_complete:
            self._start_asgi_task(exchange, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type]

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """It is this request's turn."""
        if isinstance(cycle, Exchange):
            cycle.is_turn = True
            cycle.proceed()
        else:
            super()._start_asgi_task(cycle, app)

    def start(self, answering: Coroutine[Any, Any, None]) -> None:
        """Run what answers a request; a server that stops waits for it."""
        task = self.loop.create_task(answering)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _head_size(self) -> int:
        return sum(len(name) + len(value) for name, value in self.headers) + len(self.url)

    def on_message_complete(self) -> None:
        """The request is whole: it may take as long as it takes."""
        self._stop_waiting()
        self._in_head = True
        cycle: Any = self.cycle
        if isinstance(cycle, Exchange):
            cycle.is_whole = True
            cycle.proceed()
        elif cycle is not None:
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Body bytes, unless the request was refused by its head."""
        self._around_body -= len(body)
        cycle: Any = self.cycle
        if isinstance(cycle, Exchange):
            cycle.take(body)
        elif cycle is not None:
            super().on_body(body)

    def handle_websocket_upgrade(self) -> None:
        """The connection is a stream's now; the stream uncounts it."""
        self._stop_waiting()
        self._counted = ""
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """The next request has its turn; what is missing of it is waited for from now on."""
        super().on_response_complete()
        if self.pipeline:
            # Each answer lets uvicorn read on, but one read may bring thousands of small requests.
            self.flow.pause_reading()
        if not self._in_head:
            self._watch_arrival()

    def _watch_arrival(self) -> None:
        """Start the clock for what is arriving, unless it runs.

        A request that came whole is being answered and needs none, nor does one that waits for its turn; a stream has
        its own.
        """
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn's annotation says
        is_answering = bool(self.pipeline) or (self._in_head and cycle is not None and not cycle.response_complete)
        if self._arrival is None and self._counted and not is_answering and not self.transport.is_closing():
            self._expect()

    def _expect(self) -> None:
        self._arrival = self.loop.call_later(self.limits.request_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _too_slow(self) -> None:
        self._arrival = None
        self._refuse(408, Problem("request_timeout", limit=self.limits.request_seconds).body())

    def _refuse(self, status: int, body: bytes) -> None:
        """Answer by hand and hang up; no application ever sees the request."""
        if self.transport.is_closing():
            return
        self.transport.write(HEAD % (status, REASONS[status], len(body)) + body)
        self.transport.close()
