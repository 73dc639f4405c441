"""One POST on its way through a connection, answered without ASGI: the body is gathered, a handler is asked once with
all of it, and the answer leaves in one write. Commands come this way, because the general path costs more than they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from zlp.server.limits import SECURITY_HEADERS, Headers
from zlp.server.problems import MEDIA_TYPE, Problem, answer_for

if TYPE_CHECKING:
    from zlp.server.protocol import PatientProtocol

log = structlog.get_logger("zlp.server")
JSON = b"application/json"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
Answer = tuple[int, bytes, Headers]


class Post(NamedTuple):
    """What may be posted to a path: who answers, and the bytes a body may have."""

    handler: Callable[[bytes], Awaitable[Answer]]
    limit: int


class Exchange:
    """A request and its answer. It stands where uvicorn keeps its own cycle, and has what uvicorn asks of one.

    It is answered when it is ``whole`` (or refused by its head) and it is its ``turn``: requests that a client sent
    without waiting for answers are answered in their order.
    """

    def __init__(self, protocol: PatientProtocol, post: Post, *, keep_alive: bool, wants_continue: bool) -> None:
        self._protocol, self._post = protocol, post
        self._body = bytearray()  # not a list: the smallest chunk would cost twenty times its size
        self._headers: Headers = ()
        self._refusal: Exception | None = None
        self._is_started = False
        self.is_turn = self.is_whole = False
        self.keep_alive, self.wants_continue = keep_alive, wants_continue
        self.response_complete = self.disconnected = False
        self.message_event = _NOBODY

    def admit(self, take: Callable[[str], Headers], head: list[tuple[bytes, bytes]]) -> None:
        """Charge the address, and look at what the head says about the body."""
        client = self._protocol.client
        try:
            self._headers = take(client[0] if client else "local")
            _check_head(head, self._post.limit)
        except Problem as refusal:
            self._refusal = refusal

    def take(self, chunk: bytes) -> None:
        """More of the body."""
        if self._refusal is not None:
            return
        self._body += chunk
        if len(self._body) > self._post.limit:
            self._refusal = Problem("body_too_large", limit=self._post.limit, actual=len(self._body))
            self._body.clear()
            self.proceed()

    def proceed(self) -> None:
        """Answer, if there is all that an answer needs."""
        if not self.is_turn or self._is_started:
            return
        if self.is_whole or self._refusal is not None:
            self._is_started = True
            self._protocol.start(self._run())
        elif self.wants_continue:
            self.wants_continue = False
            self._protocol.transport.write(CONTINUE)

    async def _run(self) -> None:
        try:
            if self._refusal is not None:
                raise self._refusal
            status, body, more = await self._post.handler(bytes(self._body))
        except Exception as fault:  # noqa: BLE001 - answer_for raises what it does not know
            status, body, more = _answer_for(fault)
        if self._protocol.flow.write_paused:
            await self._protocol.flow.drain()
        if not self._protocol.transport.is_closing():
            self._write(status, body, more)

    def _write(self, status: int, body: bytes, more: Headers) -> None:
        head = [STATUS_LINE[status], b"content-type: ", JSON if status < 400 else MEDIA_TYPE, _AFTER_TYPE]
        head.append(b"%d\r\n" % len(body))
        # What is left to the account is nearer to a command than what is left to the address.
        head += [b"%b: %b\r\n" % header for header in {**dict(self._headers), **dict(more)}.items()]
        if not self.keep_alive:
            head.append(b"connection: close\r\n")
        transport = self._protocol.transport
        transport.write(b"".join((*head, b"\r\n", body)))
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        self._protocol.on_response_complete()


class _Nobody(asyncio.Event):
    """Nobody waits for more of an exchange's body."""

    def set(self) -> None:
        """Wakes nobody."""


_NOBODY = _Nobody()
_AFTER_TYPE = b"".join([b"\r\n", *(b"%b: %b\r\n" % header for header in SECURITY_HEADERS), b"content-length: "])


def _check_head(head: list[tuple[bytes, bytes]], limit: int) -> None:
    declared = kind = b""
    for name, value in head:
        if name == b"content-length":
            declared = value
        elif name == b"content-type":
            kind = value
    if not kind.lower().startswith(JSON):
        raise Problem("unsupported_media_type", kind.decode("latin-1")[:80])
    if declared.isdigit() and int(declared[:18]) > limit:
        raise Problem("body_too_large", limit=limit, actual=int(declared[:18]))


def _answer_for(fault: Exception) -> Answer:
    try:
        return answer_for(fault)
    except Exception as unknown:
        log.error("a request failed", exc_info=unknown)
        problem = Problem("internal_error")
        return problem.status, problem.body(), ()
