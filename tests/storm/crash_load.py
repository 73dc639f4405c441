"""Clients of the crash storm: each sends one intent after another and never gives one up before it is answered."""

from __future__ import annotations

import asyncio
import random
import time

import httpx
import msgspec

from tests.journal.venue_log import ALICE, BOB, IDENTITY, KEY
from zlp import signing
from zlp.engine.codec import wire
from zlp.engine.commands.custody import Transfer

TOO_MUCH = 10**15


class Acknowledged(msgspec.Struct):
    """One intent that was answered: its commands, and each receipt's bytes or, if it was rejected, its digest."""

    texts: tuple[bytes, ...]
    digests: tuple[str, ...]
    accepted: tuple[bool, ...]
    sequences: tuple[int, ...]


class Load:
    """Sends intents to a venue that dies and comes back. ``repeated`` counts answers that needed another life."""

    def __init__(self, address: str, chooser: random.Random) -> None:
        self.address = address
        self.chooser = chooser
        self.acknowledged: dict[str, Acknowledged] = {}
        self.repeated = 0
        self.ending = False
        self._separator = signing.domain_separator(IDENTITY)
        self._nonce = time.time_ns() // 1_000_000

    @property
    def count(self) -> int:
        """Intents answered so far."""
        return len(self.acknowledged)

    async def client(self, number: int) -> None:
        """One client until the storm ends."""
        async with httpx.AsyncClient(base_url=self.address, timeout=5) as http:
            turn = 0
            while not self.ending:
                turn += 1
                await self._one(http, f"client-{number}-{turn}")

    async def _one(self, http: httpx.AsyncClient, client_id: str) -> None:
        size = self.chooser.choice((1, 1, 1, 5, 30))
        texts = tuple(self._command() for _ in range(size))
        path = "/v1/command" if size == 1 else "/v1/commands"
        lost = False
        while True:
            body = self._sign(texts, client_id, batch=size > 1)
            for _ in range(40):  # the same bytes first; a new signature under the same client id when they grow old
                answer = await self._post(http, path, body)
                if answer is not None and answer.status_code not in (503, 409):
                    self.repeated += lost
                    self.acknowledged[client_id] = _read(texts, answer, path)
                    return
                if answer is not None and answer.status_code == 409:
                    break
                lost = True
                await asyncio.sleep(0.02)

    def _command(self) -> bytes:
        amount = TOO_MUCH if self.chooser.random() < 0.2 else self.chooser.randrange(1, 1_000)
        return wire(Transfer(token="USDC", to=BOB, amount=amount))

    def _sign(self, texts: tuple[bytes, ...], client_id: str, *, batch: bool) -> bytes:
        self._nonce += 1
        deadline = int(time.time()) + 30
        intent = signing.Intent(
            account=ALICE, commands=texts, nonce=self._nonce, deadline=deadline, client_id=client_id
        )
        signature = signing.sign(signing.digest(self._separator, intent), KEY)
        raw = [msgspec.Raw(text) for text in texts]
        return msgspec.json.encode(
            {
                "account": ALICE,
                **({"commands": raw} if batch else {"command": raw[0]}),
                "nonce": str(self._nonce),
                "deadline": str(deadline),
                "client_id": client_id,
                "signature": "0x" + signature.hex(),
            }
        )

    async def _post(self, http: httpx.AsyncClient, path: str, body: bytes) -> httpx.Response | None:
        try:
            return await http.post(path, content=body, headers={"content-type": "application/json"})
        except httpx.TransportError:
            return None


def _read(texts: tuple[bytes, ...], answer: httpx.Response, path: str) -> Acknowledged:
    said = answer.json()
    if path == "/v1/command":
        if answer.status_code not in (200, 422):
            raise AssertionError(f"{answer.status_code}: {said}")
        return Acknowledged(texts, (said["digest"],), (answer.status_code == 200,), (int(said["sequence"]),))
    if answer.status_code != 200:
        raise AssertionError(f"{answer.status_code}: {said}")
    receipts = said["receipts"]
    return Acknowledged(
        texts,
        tuple(each["digest"] for each in receipts),
        tuple(each["rejection"] is None for each in receipts),
        tuple(int(each["sequence"]) for each in receipts),
    )
