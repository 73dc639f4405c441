"""A real venue on loopback for tests, and what is needed to speak to it by hand."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx
import msgspec

from tests.journal.venue_log import ALICE, IDENTITY, KEY
from tests.node.venue import GENESIS
from zlp import signing
from zlp.engine.codec import wire
from zlp.engine.commands.base import Command
from zlp.journal import MemoryJournal
from zlp.node import Node, NodeSettings
from zlp.server.app import VenueApp
from zlp.server.limits import Limits
from zlp.server.serve import VenueServer

OPEN = Limits(address_per_second=0, account_per_second=0)
"""No rate limits, for tests of other things."""


class Running(msgspec.Struct):
    """A venue that listens, and a client connected to it."""

    node: Node
    server: VenueServer
    client: httpx.AsyncClient
    address: str

    async def post(self, path: str, body: dict | bytes) -> httpx.Response:
        """POST JSON."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post(path, content=content, headers={"content-type": "application/json"})

    async def get(self, path: str) -> dict:
        """GET JSON; fails on anything but 200."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rsplit(":", 1)[1])


@contextlib.asynccontextmanager
async def running(limits: Limits = OPEN, settings: NodeSettings | None = None) -> AsyncIterator[Running]:
    """Start, serve, stop."""
    node = Node(MemoryJournal(), settings=settings)
    node.start(GENESIS)
    server = VenueServer(VenueApp(node, limits=limits), port=0)
    task = asyncio.create_task(server.run())
    address = await server.started()
    async with httpx.AsyncClient(base_url=address, timeout=20) as client:
        yield Running(node, server, client, address)
    server.stop()
    await task


_nonces = iter(range(10**9))


def fresh_nonce() -> int:
    """Milliseconds, never the same twice."""
    return int(time.time() * 1_000) - 100_000 + next(_nonces)


def body(
    *commands: Command | bytes, key: bytes = KEY, identity: str = IDENTITY, batch: bool = False, **changes
) -> dict:
    """A signed request. ``changes`` replace fields before signing; ``forged`` ones after."""
    forged = changes.pop("forged", {})
    texts = tuple(each if isinstance(each, bytes) else wire(each) for each in commands)
    intent = signing.Intent(
        account=changes.get("account", ALICE),
        commands=texts,
        nonce=changes.get("nonce") or fresh_nonce(),
        deadline=changes.get("deadline", int(time.time()) + 60),
        client_id=changes.get("client_id", ""),
    )
    signature = signing.sign(signing.digest(signing.domain_separator(identity), intent), key)
    what = {"commands": [msgspec.Raw(text) for text in texts]} if batch else {"command": msgspec.Raw(texts[0])}
    return {
        "account": intent.account,
        **what,
        "nonce": str(intent.nonce),
        "deadline": str(intent.deadline),
        "client_id": intent.client_id,
        "signature": "0x" + signature.hex(),
        **forged,
    }
