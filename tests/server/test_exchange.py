"""Requests as clients really send them: in pieces, in chunks, many at once, and with manners of other times."""

import asyncio
import itertools
import re

import msgspec
import pytest

from tests.journal.venue_log import BOB
from tests.server.running import Running, body, running
from zlp.engine.commands.custody import Transfer
from zlp.server.limits import Limits


def pay(amount: int = 10**6) -> bytes:
    """A signed payment."""
    return msgspec.json.encode(body(Transfer(token="USDC", to=BOB, amount=amount)))


def posted(content: bytes, path: bytes = b"/v1/command", version: bytes = b"1.1", *more: bytes) -> bytes:
    """A whole request."""
    head = [b"content-type: application/json", b"content-length: %d" % len(content), *more]
    return b"POST %b HTTP/%b\r\n" % (path, version) + b"\r\n".join(head) + b"\r\n\r\n" + content


async def answers(venue: Running, *pieces: bytes, count: int = 1, pause: float = 0) -> list[tuple[int, dict, bytes]]:
    """Status, body and head of ``count`` answers on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)
    found = []
    for _ in range(count):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        if head.startswith(b"HTTP/1.1 100"):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None, head
        content = await reader.readexactly(int(length[1]))
        found.append((int(head.split()[1]), msgspec.json.decode(content), head))
    writer.close()
    return found


async def test_a_body_may_come_in_pieces() -> None:
    """A request cut anywhere is the same request."""
    async with running() as venue:
        request = posted(pay())
        cuts = [0, 1, 30, len(request) // 2, len(request) - 1, len(request)]
        pieces = [request[start:end] for start, end in itertools.pairwise(cuts)]
        ((status, receipt, _),) = await answers(venue, *pieces, pause=0.02)
        assert (status, receipt["sequence"]) == (200, "6")


async def test_a_body_may_come_in_chunks() -> None:
    """Chunked transfer encoding, of which the length is not known beforehand."""
    async with running() as venue:
        content = pay()
        head = b"POST /v1/command HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (content[:50], content[50:])]
        ((status, receipt, _),) = await answers(venue, head, *chunks, b"0\r\n\r\n", pause=0.02)
        assert (status, receipt["sequence"]) == (200, "6")


async def test_chunks_without_end_are_refused_at_the_limit() -> None:
    """A4: nobody can fill the memory with a body whose length was not declared."""
    async with running(Limits(address_per_second=0, body_bytes=1_000)) as venue:
        head = b"POST /v1/command HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        chunk = b"190\r\n" + b"x" * 400 + b"\r\n"
        ((status, problem, _),) = await answers(venue, head, chunk, chunk, chunk, pause=0.02)
        assert (status, problem["code"], problem["limit"]) == (413, "body_too_large", "1000")


async def test_headers_after_a_chunked_body_are_not_kept() -> None:
    """A4: trailers say nothing to this venue; they don't fill its memory, and they end."""
    async with running(Limits(address_per_second=0, body_bytes=5_000, batch_body_bytes=5_000)) as venue:
        content = pay()
        head = b"POST /v1/command HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        last = b"%x\r\n%b\r\n0\r\n" % (len(content), content)
        ((status, receipt, _),) = await answers(venue, head, last, b"a: b\r\n" * 100, b"\r\n", pause=0.02)
        assert (status, receipt["sequence"]) == (200, "6")

        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        writer.write(head)
        for piece in (last, *(b"a: b\r\n" * 1_001 for _ in range(5))):
            await asyncio.sleep(0.02)
            writer.write(piece)
            for each in venue.server._uvicorn.server_state.connections:
                assert len(each.headers) <= 10  # type: ignore[union-attr]
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 413")
        assert venue.node.root.sequence == 6
        writer.close()


async def test_requests_sent_without_waiting_are_answered_in_order() -> None:
    """Posts and reads on one connection, all sent before the first answer."""
    async with running() as venue:
        read = b"GET /v1/venue HTTP/1.1\r\nhost: x\r\n\r\n"
        sent = b"".join((posted(pay(1)), read, posted(b"{}"), posted(pay(2)), read, posted(pay(3))))
        found = await answers(venue, sent, count=6)
        assert [status for status, _, _ in found] == [200, 200, 400, 200, 200, 200]
        assert [found[index][1]["sequence"] for index in (0, 3, 5)] == ["6", "7", "8"]
        assert venue.node.root.sequence == 8


async def test_requests_sent_without_waiting_are_not_piled_up() -> None:
    """A4: no more is read while requests wait for their turn, so that nobody fills the memory with small ones."""
    async with running() as venue:
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        one = b"POST /v1/command HTTP/1.1\r\ncontent-length: 1\r\n\r\nx"
        writer.write(one * 40_000 + one.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
        most, heard = 0, []
        while part := await asyncio.wait_for(reader.read(1 << 16), 5):
            heard.append(part)
            piled = [len(each.pipeline) for each in venue.server._uvicorn.server_state.connections]  # type: ignore[union-attr]
            most = max(most, *piled, 0)
        assert b"".join(heard).count(b"HTTP/1.1 415") == 40_001
        assert most * len(one) <= 1 << 18, "more than one read"
        writer.close()


async def test_a_refused_body_leaves_the_connection_usable() -> None:
    """What is refused by its head is answered at once; the rest of it is passed over."""
    async with running(Limits(address_per_second=0, account_per_second=0, body_bytes=2_000)) as venue:
        found = await answers(venue, posted(b"x" * 3_000), posted(pay()), count=2)
        assert [(status, each.get("code")) for status, each, _ in found] == [(413, "body_too_large"), (200, None)]


async def test_who_asks_may_go_on_is_told_so() -> None:
    """``Expect: 100-continue``, as curl sends it with a larger body; a body that is refused anyway is not asked for."""
    async with running(Limits(address_per_second=0, account_per_second=0, body_bytes=2_000)) as venue:
        content = pay()
        request = posted(content, b"/v1/command", b"1.1", b"expect: 100-continue")
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        writer.write(request.removesuffix(content))
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(content)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)).startswith(b"HTTP/1.1 200")
        writer.close()
        large = b"x" * 3_000
        ((status, problem, _),) = await answers(venue, posted(large, b"/v1/command", b"1.1", b"expect: 100-continue"))
        assert (status, problem["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("version", "more"), [(b"1.0", ()), (b"1.1", (b"connection: close",))])
async def test_who_wants_the_connection_closed_gets_it_closed(version: bytes, more: tuple[bytes, ...]) -> None:
    """The answer says so, and then the line is dead."""
    async with running() as venue:
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        writer.write(posted(pay(), b"/v1/command", version, *more))
        everything = await asyncio.wait_for(reader.read(), 5)
        assert everything.startswith(b"HTTP/1.1 200")
        assert b"\r\nconnection: close\r\n" in everything
        writer.close()


async def test_a_client_that_leaves_does_not_stop_its_command() -> None:
    """What was handed over whole is sequenced, whoever is there to hear of it; the venue goes on."""
    async with running() as venue:
        _, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        writer.write(posted(pay()))
        await writer.drain()
        writer.close()
        while venue.node.root.sequence < 6:  # noqa: ASYNC110 - the node tells clients, not tests
            await asyncio.sleep(0.01)
        ((status, _, _),) = await answers(venue, posted(pay()))
        assert status == 200


async def test_an_unforeseen_fault_is_a_problem_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A4: 500 with a code on both paths, and the connection goes on."""
    async with running() as venue:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(venue.server.app.intake, "_intent", broken)
        found = await answers(venue, posted(pay()), posted(b"{"), count=2)
        assert [(status, each["code"]) for status, each, _ in found] == [
            (500, "internal_error"),
            (400, "malformed_request"),
        ]


async def test_posts_have_the_headers_of_every_answer() -> None:
    """Nothing is cached or guessed, and limits are told, on posts as on reads."""
    async with running(Limits(address_per_second=5, address_burst=10)) as venue:
        ((_, _, head),) = await answers(venue, posted(pay(), b"/v1/command?x=1"))
        for name in (b"x-content-type-options: nosniff", b"cache-control: no-store", b"ratelimit-remaining: 199"):
            assert head.count(name) == 1
        assert head.count(b"ratelimit-remaining") == 1, "of the account, and not of the address too"
        ((_, _, head),) = await answers(venue, posted(b"{"))
        assert head.count(b"ratelimit-remaining: 8") == 1
