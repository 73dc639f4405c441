"""The published description is true: no request made from it, valid or not, finds a server error."""

import asyncio
import tempfile
import threading
from pathlib import Path

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks

from tests.node.venue import GENESIS
from tests.server.running import OPEN, body
from tests.server.test_api import pay
from zlp.engine.commands import COMMANDS
from zlp.engine.events import KINDS
from zlp.journal import MemoryJournal
from zlp.node import Node
from zlp.projections import url_in
from zlp.server import desk_reads
from zlp.server.app import VenueApp
from zlp.server.history import History
from zlp.server.openapi import document
from zlp.server.reads import READS, Read
from zlp.server.serve import VenueServer


class Background:
    """A venue on its own thread, for tools that block."""

    def __init__(self) -> None:
        self.address = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait(20)

    async def _serve(self) -> None:
        node = Node(MemoryJournal())
        node.start(GENESIS)
        with tempfile.TemporaryDirectory() as folder:
            app = VenueApp(node, limits=OPEN, history=History(node, url_in(Path(folder))))
            self._loop, self._server = asyncio.get_running_loop(), VenueServer(app, port=0)
            await self._server.run(self._note)

    def _note(self, address: str) -> None:
        self.address = address
        self._ready.set()

    def stop(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(20)


@pytest.fixture(scope="module")
def venue():
    """A venue with a little history."""
    background = Background()
    for number in range(3):
        httpx.post(f"{background.address}/v1/command", json=None, content=_encode(body(pay(number + 1))), headers=JSON)
    yield background
    background.stop()


JSON = {"content-type": "application/json"}


def _encode(value: dict) -> bytes:
    return msgspec.json.encode(value)


def _all_reads() -> list[Read]:
    node = Node(MemoryJournal())
    node.start(GENESIS)
    return [*READS, *desk_reads.READS, *History(node, "sqlite://").reads]


schema = schemathesis.openapi.from_dict(document(_all_reads()))
# One example per keyword of a hundred kinds of commands would be thousands of requests; random ones find as much.
schema.config.phases.coverage.enabled = False
schema.config.phases.examples.enabled = False
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    schemathesis.checks.not_a_server_error,
]


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_described_request_finds_a_server_error(case, venue) -> None:
    """A4: answers have a documented status, type and shape, for what fits the description and for what does not."""
    case.call_and_validate(base_url=venue.address, checks=CHECKS)


def test_the_description_is_complete() -> None:
    """A4: every read, every command and every event; every integer as text."""
    described = document(READS)
    assert all("get" in described["paths"][read.path] for read in READS)
    posts = {path for path, methods in described["paths"].items() if "post" in methods}
    signed = {"/v1/command", "/v1/commands", "/v1/signed-orders"}
    assert posts == signed | {"/v1/quote", "/v1/desk/quote", "/v1/auth/check"}
    schemas = described["components"]["schemas"]
    assert set(COMMANDS) | {kind.__name__ for kind in KINDS} <= set(schemas)
    problems = [
        name for name, each in schemas.items() if '"integer"' in str(each).replace("'", '"') and name != "Problem"
    ]
    assert problems == []


ABOUT_CONTENT = ("signature_malformed", "deadline_too_far", "unknown_command", "not_found")


def test_the_examples_are_what_the_venue_takes(venue) -> None:
    """A4: a reader who copies an example gets an answer about its content, not about its form."""
    described = httpx.get(f"{venue.address}/openapi.json").json()
    for path, methods in described["paths"].items():
        if "post" not in methods:
            continue
        example = methods["post"]["requestBody"]["content"]["application/json"]["example"]
        answer = httpx.post(f"{venue.address}{path}", json=example)
        assert answer.status_code == 200 or answer.json()["code"] in ABOUT_CONTENT, path


def test_valid_requests_are_accepted(venue) -> None:
    """A4: what the description calls a command is what the venue takes."""
    answer = httpx.post(f"{venue.address}/v1/command", content=_encode(body(pay(5))), headers=JSON)
    assert answer.status_code == 200
    found = httpx.get(f"{venue.address}/openapi.json").json()
    assert found["openapi"].startswith("3.1")
