"""What a venue answers over HTTP: posts, which its protocol hands over whole, and reads, an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from zlp.node import Fact, Node, NodeDown, NotAdmitted
from zlp.server import calculator_reads, desk_curves, desk_reads, reads, signed_orders
from zlp.server.docs_page import PAGE
from zlp.server.exchange import Answer, Post
from zlp.server.history import History
from zlp.server.intake import Intake
from zlp.server.limits import SECURITY_HEADERS, Buckets, Headers, Limits
from zlp.server.openapi import document
from zlp.server.problems import MEDIA_TYPE, Problem, answer_for, rejection_body, rejection_status
from zlp.server.verifier import Verifier, spare_threads

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
UNCHARGED = ("/health", "/ready", "/metrics")
"""Probes are free, so that a busy venue stays observable."""


class VenueApp:
    """``posts``: what is answered beside ASGI, by path; the rest goes to ``pages``, a Starlette application.

    ``history``: the read model, whose routes are added. ``mounts``: more Starlette routes (the web page).
    """

    def __init__(
        self,
        node: Node,
        *,
        limits: Limits | None = None,
        verifier_threads: int | None = None,
        history: History | None = None,
        mounts: Iterable[Any] = (),
    ) -> None:
        self.node = node
        self.limits = limits or Limits()
        self.verifier = Verifier(
            node.identity,
            threads=spare_threads() if verifier_threads is None else verifier_threads,
            spent=node.metrics.signature.inc,
        )
        self.intake = Intake(node, self.verifier, self.limits)
        self.addresses = Buckets(self.limits.address_per_second, self.limits.address_burst, "too_many_requests")
        self.history = history
        self._walks = asyncio.Semaphore(1)
        self.reads = [*reads.READS, *signed_orders.READS]
        self.reads += [*desk_reads.READS, *desk_curves.READS, *calculator_reads.READS]
        self.reads += history.reads if history is not None else ()
        self.openapi = msgspec.json.encode(document(self.reads))
        body, batch = self.limits.body_bytes, self.limits.batch_body_bytes
        self.posts = {
            b"/v1/command": Post(self._command, body),
            b"/v1/commands": Post(self._commands, batch),
            b"/v1/quote": Post(self._quote, body),
            b"/v1/desk/quote": Post(self._desk_quote, body),
            b"/v1/auth/check": Post(self._check, body),
            b"/v1/signed-orders": Post(self._signed_order, body),
        }
        self.pages = Starlette(routes=[*self._routes(), *mounts], exception_handlers=HANDLERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        headers: Headers = SECURITY_HEADERS
        if scope["type"] == "http" and scope["path"] not in UNCHARGED:
            client = scope["client"]
            try:
                headers = (*self.charge(client[0] if client else "local"), *SECURITY_HEADERS)
            except Problem as refusal:
                await _answer(send, refusal)
                return
        await self.pages(scope, receive, _with_headers(send, headers))  # type: ignore[arg-type]

    def charge(self, address: str) -> Headers:
        """Take one request from what an address may ask for; the headers that say what is left."""
        return self.addresses.take(address) if self.limits.address_per_second else ()

    async def _command(self, body: bytes) -> Answer:
        submission, headers = await self.intake.one(body)
        (fact,) = await self.node.submit(submission)
        rejection = fact.receipt.rejection
        if rejection is None:
            return 200, fact.body, headers
        more = {"sequence": str(fact.sequence), "digest": fact.receipt.digest}
        return rejection_status(rejection), rejection_body(rejection, **more), headers

    async def _commands(self, body: bytes) -> Answer:
        submission, headers = await self.intake.many(body)
        facts: tuple[Fact, ...] = await self.node.submit(submission)
        return 200, b'{"receipts":[' + b",".join([fact.body for fact in facts]) + b"]}", headers

    async def _quote(self, body: bytes) -> Answer:
        await self.node.durable()
        return 200, msgspec.json.encode(reads.quote(self.node, body)), ()

    async def _desk_quote(self, body: bytes) -> Answer:
        await self.node.durable()
        return 200, msgspec.json.encode(desk_reads.quote(self.node, body)), ()

    async def _check(self, body: bytes) -> Answer:
        return 200, msgspec.json.encode(await self.intake.check(body)), ()

    async def _signed_order(self, body: bytes) -> Answer:
        return await signed_orders.hold(self.node, self.intake, body)

    def _routes(self) -> list[Route]:
        routes = [Route(read.path, self._page_of(read), methods=["GET"]) for read in self.reads]
        return [
            *routes,
            Route("/v1/snapshot", self._snapshot),
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
            Route("/openapi.json", lambda _: Response(self.openapi, media_type="application/json")),
            Route("/docs", lambda _: HTMLResponse(PAGE)),
        ]

    def _page_of(self, read: reads.Read) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            parameters = reads.Parameters(request.path_params, dict(request.query_params), self.limits)
            if read.in_thread:
                answer = await run_in_threadpool(read.handler, self.node, parameters)
                if isinstance(answer, Iterator):
                    return StreamingResponse(answer, media_type=read.media_type)
                return Response(msgspec.json.encode(answer), media_type=read.media_type)
            await self.node.durable()
            made = read.handler(self.node, parameters)
            if callable(made):
                async with self._walks:
                    made = await run_in_threadpool(made)
            return Response(msgspec.json.encode(made), media_type="application/json")

        return respond

    async def _snapshot(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        return Response(await self.node.snapshot_text(), media_type="application/json")

    async def _health(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        status = 503 if self.node.status == "failed" else 200
        return Response(msgspec.json.encode(self.node.describe()), status, media_type="application/json")

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        status = 200 if self.node.status == "ready" else 503
        return Response(msgspec.json.encode(self.node.describe()), status, media_type="application/json")

    async def _metrics(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        return Response(generate_latest(self.node.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _missing(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    return Response(Problem("not_found").body(), 404, media_type=MEDIA_TYPE.decode())


async def _wrong_method(request: Request, fault: Any) -> Response:  # noqa: ARG001 - Starlette's signature
    return Response(Problem("method_not_allowed").body(), 405, fault.headers, media_type=MEDIA_TYPE.decode())


async def _refused(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    status, body, headers = answer_for(fault)
    more = {name.decode(): value.decode() for name, value in headers}
    return Response(body, status, more, media_type=MEDIA_TYPE.decode())


async def _broken(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    return Response(Problem("internal_error").body(), 500, media_type=MEDIA_TYPE.decode())


HANDLERS: dict[Any, Any] = {404: _missing, 405: _wrong_method, 500: _broken}
HANDLERS |= dict.fromkeys((Problem, NotAdmitted, NodeDown), _refused)


async def _answer(send: Send, refusal: Problem) -> None:
    body = refusal.body()
    own = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body))]
    headers = [*own, *refusal.headers, *SECURITY_HEADERS]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send, headers: Headers) -> Send:
    async def extended(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            named = {name for name, _ in own}
            message = {**message, "headers": [*own, *(header for header in headers if header[0] not in named)]}
        await send(message)

    return extended
