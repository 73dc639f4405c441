"""What an attacker would try: refused with a stable code, nothing sequenced, nobody else hurt."""

import asyncio
import contextlib
import time

import msgspec
import pytest

from tests.journal.venue_log import ALICE, BOB, KEY
from tests.server.running import OPEN, body, fresh_nonce, running
from tests.server.test_api import pay
from zlp.engine.codec import wire
from zlp.engine.commands.base import Command
from zlp.engine.commands.custody import Transfer
from zlp.server.limits import Limits
from zlp.signing.keys import HALF_ORDER

ORDER = 2 * HALF_ORDER + 1
STRANGER = bytes(range(7, 39))


async def refused(request: dict | bytes, code: str, status: int, path: str = "/v1/command", **started) -> dict:
    """Post to a fresh venue: this problem, and nothing in the log."""
    async with running(**started) as venue:
        answer = await venue.post(path, request)
        problem = answer.json()
        assert (problem["code"], answer.status_code) == (code, status), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert venue.node.journal.last == 5
        return problem


async def test_a_wrong_signer_is_refused() -> None:
    """A2: a stranger's key, and one's own key for another's account."""
    await refused(body(pay(), key=STRANGER), "agent_not_approved", 401)
    await refused(body(pay(), account=BOB), "agent_not_approved", 401)


async def test_another_venues_signature_is_refused() -> None:
    """A2: the domain carries the venue's identity."""
    await refused(body(pay(), identity="another venue"), "agent_not_approved", 401)


@pytest.mark.parametrize(
    "forged",
    [
        {"nonce": str(fresh_nonce() + 1)},
        {"deadline": str(int(time.time()) + 999)},
        {"client_id": "x"},
        {"command": {"type": "Transfer", "token": "USDC", "to": BOB, "amount": "2"}},
        {"account": BOB},
    ],
)
async def test_a_changed_field_is_refused(forged: dict) -> None:
    """A2: everything in the request is under the signature."""
    await refused(body(pay(), forged=forged), "agent_not_approved", 401)


async def test_a_changed_batch_is_refused() -> None:
    """A2: commands of a batch can't be dropped, added or reordered."""
    request = body(pay(1), pay(2), batch=True)
    for commands in (
        request["commands"][:1],
        request["commands"][::-1],
        [*request["commands"], request["commands"][0]],
    ):
        await refused({**request, "commands": commands}, "agent_not_approved", 401, "/v1/commands")


async def test_a_replayed_nonce_does_nothing_twice() -> None:
    """A2: the same bytes give the same receipt; the same nonce for something else is refused."""
    async with running() as venue:
        nonce = fresh_nonce()
        first = await venue.post("/v1/command", body(pay(), nonce=nonce))
        again = await venue.post("/v1/command", body(pay(2), nonce=nonce))
        assert (again.status_code, again.json()["code"]) == (409, "client_id_reused")
        named = await venue.post("/v1/command", body(pay(3), nonce=nonce, client_id="named"))
        assert (named.status_code, named.json()["code"]) == (409, "nonce_used")
        assert venue.node.journal.last == int(first.json()["sequence"]) == 6


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"deadline": int(time.time()) - 10}, "deadline_passed", 409),
        ({"deadline": int(time.time()) + 10**6}, "deadline_too_far", 400),
        ({"forged": {"deadline": "0"}}, "deadline_missing", 400),
        ({"forged": {"nonce": "0"}}, "nonce_missing", 400),
        ({"nonce": 5}, "nonce_out_of_window", 409),
        ({"nonce": 10**17}, "nonce_out_of_window", 409),
    ],
)
async def test_late_and_unbounded_intents_are_refused(changes: dict, code: str, status: int) -> None:
    """A2: every intent dies at a near deadline and is used once."""
    await refused(body(pay(), **changes), code, status)


async def test_a_malleable_signature_is_refused() -> None:
    """A2: the twin of a valid signature is not accepted as a second one."""
    request = body(pay())
    raw = bytes.fromhex(request["signature"][2:])
    s = (ORDER - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")
    twin = raw[:32] + s + bytes((55 - raw[64],))
    await refused({**request, "signature": "0x" + twin.hex()}, "signature_malleable", 401)


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "00" * 65, "0x" + "ff" * 65, "ff" * 65, "0x" + "zz" * 65])
async def test_garbage_is_no_signature(signature: str) -> None:
    """A4: refused before anything is computed on it."""
    await refused({**body(pay()), "signature": signature}, "signature_malformed", 401)


MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe{}",
    b"[" * 50_000,
    b'{"account":1}',
    b'{"account":"x","command":{},"nonce":"1","deadline":"1"}',
]


@pytest.mark.parametrize("raw", MALFORMED, ids=range(len(MALFORMED)))
async def test_malformed_bodies_are_refused(raw: bytes) -> None:
    """A4: with the place where it is wrong."""
    await refused(raw, "malformed_request", 400)


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": "1"},
        {"nonce": 12},
        {"nonce": "-1"},
        {"nonce": "1e3"},
        {"nonce": "9" * 500},
        {"deadline": "\u0661"},
        {"client_id": "a b"},
        {"client_id": "a" * 65},
    ],
)
async def test_unknown_and_odd_fields_are_refused(changes: dict) -> None:
    """A4: nothing is ignored, guessed or truncated."""
    await refused({**body(pay()), **changes}, "malformed_request", 400)


@pytest.mark.parametrize("account", ["", "0x", "alice", "0x" + "1" * 39, "0x" + "g" * 40, "pool:main", "multisig:dao"])
async def test_only_addresses_sign(account: str) -> None:
    """A8: the engine's own holders and multisigs can't be spoken for."""
    await refused({**body(pay()), "account": account}, "account_malformed", 400)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"type":"Transfer","token":"USDC","to":"0x1","amount":"1","extra":1}', "malformed_command"),
        (b'{"type":"Nothing"}', "malformed_command"),
        (b'{"type":"Transfer","token":"USDC","to":"0x1","amount":"9' + b"9" * 5_000 + b'"}', "malformed_command"),
        (b'{"type":"Transfer","token":"USDC","to":"0x1","amount":9' + b"9" * 5_000 + b"}", "malformed_command"),
        (b'{"type":"Transfer","token":"USDC","to":"0x1","amount":1.5}', "malformed_command"),
        (b'{"type":"Transfer","token":"USDC","to":"0x1","amount":true}', "malformed_command"),
        (b'{"type":"Transfer","token":"USDC","to":"\\ud800","amount":"1"}', "malformed_request"),
    ],
)
async def test_odd_commands_are_refused_at_the_door(text: bytes, code: str) -> None:
    """A4: unknown fields, unknown commands, integers no machine should parse, fractions."""
    await refused(body(text), code, 400)


@pytest.mark.parametrize("amount", [2**256, 2**512, -1])
async def test_integers_outside_their_range_are_rejected(amount: int) -> None:
    """A3, A4: nothing wraps; the engine says so, and the log keeps it."""
    async with running() as venue:
        text = b'{"type":"Transfer","token":"USDC","to":"0x1","amount":"%d"}' % amount
        problem = (await venue.post("/v1/command", body(text))).json()
        assert problem["code"] in ("amount_out_of_range", "malformed_command")
        exact = b'{"type":"Transfer","token":"USDC","to":"0x1","amount":"%d"}' % (2**256 - 1)
        assert (await venue.post("/v1/command", body(exact))).json()["code"] == "insufficient_balance"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"deadline": int(time.time()) - 10}, "deadline_passed"), ({"nonce": 5}, "nonce_out_of_window")],
)
@pytest.mark.parametrize("odd", [pay(2**256), Transfer(token="USDC", to="0x" + "1" * 70_000, amount=1)])
async def test_who_is_not_admitted_leaves_no_trace_whatever_he_asks_for(odd: Command, changes: dict, code: str) -> None:
    """A4: a command out of its range is no way round the door."""
    limits = Limits(address_per_second=0, account_per_second=0, body_bytes=200_000)
    await refused(body(odd, **changes), code, 409, limits=limits)


async def test_large_bodies_are_refused_before_they_are_read() -> None:
    """A4: by their declared length, and by what arrives when the length is a lie or missing."""
    async with running() as venue:
        answer = await venue.post("/v1/command", b'{"a":"' + b"x" * 70_000 + b'"}')
        assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (413, "body_too_large", "65536")

        async def endless():
            for _ in range(1_000):
                yield b"x" * 10_000

        headers = {"content-type": "application/json"}
        answer = await venue.client.post("/v1/command", content=endless(), headers=headers)
        assert answer.status_code == 413
        assert (await venue.post("/v1/command", body(pay()))).status_code == 200


async def test_too_many_commands_are_refused() -> None:
    """A4: a batch has a limit, and the answer names it."""
    limits = Limits(address_per_second=0, account_per_second=0, batch_commands=3)
    request = body(*(pay() for _ in range(4)), batch=True)
    problem = await refused(request, "too_many_commands", 400, "/v1/commands", limits=limits)
    assert (problem["limit"], problem["actual"]) == ("3", "4")
    await refused(body(batch=True), "too_many_commands", 400, "/v1/commands")


async def test_another_content_type_is_refused() -> None:
    """A4: so that no form on a foreign page can post commands."""
    async with running() as venue:
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = await venue.client.post("/v1/command", content=b"{}", headers={"content-type": kind})
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def raw(port: int, *pieces: bytes, pause: float = 0, wait: float = 5) -> bytes:
    """Send bytes as they are; what comes back until the server hangs up or ``wait`` is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answering = asyncio.create_task(reader.read(65_536))
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            if not answering.done():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(answering, wait)
    except (ConnectionError, TimeoutError):
        return b""
    finally:
        writer.close()


IMPATIENT = Limits(address_per_second=0, account_per_second=0, request_seconds=1, head_bytes=4_096)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"POST /v1/command HTTP/1.1\r\n",),
        (b"POST /v1/command HTTP/1.1\r\n", *(b"x-%d: 1\r\n" % number for number in range(30))),
        (
            b"POST /v1/command HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n",
            *(b"{" for _ in range(30)),
        ),
    ],
    ids=["silent", "stuck", "slow head", "slow body"],
)
async def test_slowloris_is_hung_up_on(pieces: tuple[bytes, ...]) -> None:
    """A4: a request that does not arrive in time is ended, however busily it dribbles; others are served meanwhile."""
    async with running(IMPATIENT) as venue:
        slow = asyncio.create_task(raw(venue.port, *pieces, pause=0.1))
        assert (await venue.post("/v1/command", body(pay()))).status_code == 200
        answer = await slow
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"request_timeout" in answer


@pytest.mark.parametrize("before", [1, 2], ids=["after an answer", "without waiting for it"])
async def test_a_later_request_has_to_arrive_in_time_too(before: int) -> None:
    """A4: a head that comes at once, and a body that never does, end the connection; not only on its first request."""
    async with running(IMPATIENT) as venue:
        content = msgspec.json.encode(body(pay()))
        head = b"POST /v1/command HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        whole, late = head % len(content) + content, head % 1_000
        pieces = (whole, late) if before == 1 else (whole + late,)
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.2)
        heard = await asyncio.wait_for(reader.read(-1), 5)
        assert heard.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 408" in heard
        writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 10_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: aaaaaaaaaaaaaaaa\r\n" % number for number in range(1_000)) + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 100_000,
    ],
    ids=["path", "header", "headers", "endless"],
)
async def test_large_heads_are_refused(head: bytes) -> None:
    """A4: paths and headers have a bound; the connection ends."""
    async with running(IMPATIENT) as venue:
        assert (await raw(venue.port, head)).startswith(b"HTTP/1.1 431")
        assert (await venue.get("/health"))["status"] == "ready"


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"POST /v1/command HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/command HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/command HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"GET /health HTTP/1.1\r\nhost: a\r\nx\n y: 1\r\n\r\n",
    ],
    ids=["binary", "version", "no path", "negative", "smuggling", "two lengths", "folded"],
)
async def test_broken_http_never_reaches_the_venue(head: bytes) -> None:
    """A4: answered with 400 or hung up on, never with a server error."""
    async with running(IMPATIENT) as venue:
        answer = await raw(venue.port, head, wait=3)
        assert not answer or answer.split()[1] in (b"400", b"408", b"415")
        assert (await venue.get("/health"))["sequence"] == "5"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/leaves/..%2f..%2fetc%2fpasswd",
        "/v1/leaves/%00",
        "/v1/accounts/%ff%fe",
        "/v1/receipts/99999999999999999999999999",
        "/v1/receipts/-1",
        "/v1/receipts/0",
        "/v1/receipts?after=1e9",
        "/v1/receipts?limit=x",
        "/v1/leaves/Balance?after=%ed%a0%80",
        "/v1/governance?before=0x10",
        "//v1//venue",
        "/v1/accounts/0x" + "0" * 40 + "/intents/" + "9" * 30,
        "/v1/accounts/" + "a:" * 400,
    ],
)
async def test_odd_paths_are_problems(path: str) -> None:
    """A4: 4xx with a code, or a plain answer; never a server error."""
    async with running() as venue:
        answer = await venue.client.get(path)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["code"]


async def test_addresses_have_a_rate_limit() -> None:
    """A4: 429 with headers that say what is left and when to come back; probes stay open."""
    async with running(Limits(address_per_second=1, address_burst=3, account_per_second=0)) as venue:
        answers = [await venue.client.get("/v1/tokens") for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert [each.headers["ratelimit-remaining"] for each in answers[:3]] == ["2", "1", "0"]
        assert answers[3].json()["code"] == "too_many_requests"
        assert int(answers[3].headers["retry-after"]) >= 1
        assert (await venue.client.get("/health")).status_code == 200


async def test_accounts_have_a_rate_limit_that_others_cannot_use_up() -> None:
    """A4: commands count for who signed them; forged ones for nobody."""
    async with running(Limits(address_per_second=0, account_per_second=1, account_burst=3)) as venue:
        for _ in range(5):
            assert (await venue.post("/v1/command", body(pay(), key=STRANGER))).status_code == 401
        answers = [await venue.post("/v1/command", body(pay())) for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert answers[3].json()["code"] == "too_many_account_commands"
        assert answers[0].headers["ratelimit-limit"] == "3"
        assert venue.node.journal.last == 8


async def test_an_address_has_a_limit_of_connections() -> None:
    """A4: the next connection is answered with 503 and ended."""
    limits = Limits(address_per_second=0, connections_per_address=3, request_seconds=5)
    async with running(limits) as venue:
        held = [await asyncio.open_connection("127.0.0.1", venue.port) for _ in range(3)]
        assert (await raw(venue.port, b"GET /health HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503")
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await venue.client.get("/health")).status_code == 200


async def test_the_signed_text_is_the_text_as_sent() -> None:
    """A2: spaces and order belong to what is signed; the journal keeps them."""
    async with running() as venue:
        spaced = b'{ "amount": "1", "to": "%b",  "token": "USDC", "type": "Transfer" }' % BOB.encode()
        assert (await venue.post("/v1/command", body(spaced))).status_code == 200
        last = list(venue.node.journal.records())[-1]
        assert spaced in last.envelope
        respaced = body(pay(9))
        respaced["command"] = {"type": "Transfer", "token": "USDC", "amount": "9", "to": BOB}
        assert (await venue.post("/v1/command", respaced)).json()["code"] == "agent_not_approved"
        assert wire(pay(9)) != spaced


def test_limits_of_the_tests() -> None:
    """The open limits used elsewhere switch rates off and nothing else."""
    assert (OPEN.address_per_second, OPEN.body_bytes) == (0, Limits().body_bytes)
    assert KEY
    assert ALICE != BOB
