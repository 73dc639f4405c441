"""What a running venue answers to every request the API's description shows: recorded for it, and held against it.

``python -m tests.server.answers`` records anew what ``zlp.server.examples`` shows, after answers have changed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

import zlp.server
from tests.client.living import KEY, Living, living
from zlp.cli.local.clock import DemoClock
from zlp.cli.local.keyring import Keyring
from zlp.client import Client, Signer
from zlp.client.trading import Trading
from zlp.engine.codec import decode_command, wire
from zlp.engine.commands import COMMANDS
from zlp.engine.commands.base import Command
from zlp.engine.commands.governance import Approve, Propose
from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.commands.revenue import CollectFees, FundEpoch
from zlp.engine.events import KINDS as EVENTS
from zlp.engine.leaves import KINDS as LEAVES
from zlp.server.examples import ALICE, BOB, PAYMENT

FILE = Path(zlp.server.__file__).parent / "answers.json"
SHOWN = 2
"""Items of a list that an example shows."""
RECORDS = {*COMMANDS, *(kind.__name__ for kind in EVENTS), *(kind.__name__ for kind in LEAVES)}
EPOCH_SECONDS = 300
PATIENCE = 60
ONLY_ON_CREDIT = ("/v1/signed-orders", "/v1/funding")


class LateClock(DemoClock):
    """Some minutes late until it is put right, so that time passes in a moment."""

    late = 600

    def __call__(self) -> int:
        """Now."""
        return super().__call__() - self.late * 10**9


async def gathered(folder: Path) -> dict[str, Any]:
    """The answers by method and path: of ZEUS, and of Zaros where orders are signed away from the venue."""
    clock = LateClock()
    async with living("zeus", folder / "zeus", clock) as venue:
        keys = Keyring(folder / "zeus")
        await asyncio.to_thread(lived, venue, keys, clock, asyncio.get_running_loop())
        found = await asyncio.to_thread(lambda: dict(answers(venue.address)))
    clock = LateClock()
    async with living("zaros", folder / "zaros", clock) as venue:
        found |= await asyncio.to_thread(on_credit, venue.address, clock)
    return found


def lived(venue: Living, keys: Keyring, clock: LateClock, loop: asyncio.AbstractEventLoop) -> None:
    """A little of everything that leaves rows behind."""

    def trusted(account: str, command: Command) -> None:
        sent = venue.node.command(account, command, local="test")
        (fact,) = asyncio.run_coroutine_threadsafe(sent, loop).result()
        assert fact.receipt.accepted, fact.receipt.rejection

    with Client(venue.address, Signer(KEY)) as client:
        desk = Trading(client)
        for token in ("ETH", "USDC", "BTC"):
            desk.faucet(token)
        desk.settled(desk.mint("USDC", "100000"))
        desk.settled(desk.swap("ETH", "USDC", "0.5"))
        client.withdraw("USDC", "10", BOB)
        trusted("anybody", MeasurePool(pool="main"))
        trusted("anybody", CollectFees(pool="main", token="USDC"))
        funding = wire(epoch(venue.node.now() + 60)).decode()
        trusted(keys.address("treasurer-1"), Propose(multisig="treasury", command=funding, expires=2**40))
        trusted(keys.address("treasurer-2"), Approve(proposal=1))
        desk.soulbound("USDC", "11")
        desk.join("1")
        clock.late = 480
        desk.settled(desk.open("ETH", is_long=True, margin="1", size="10000"))
        desk.settled(desk.open("ETH", is_long=False, margin="200", size="4000", token="USDC"))
        stop = desk.protect(desk_position(desk, is_long=True), stop="1000", client_id="stop")
        desk.cancel(desk.protect(desk_position(desk, is_long=True), stop="900")["id"])
        assert stop["status"] == "open"
        desk.close(desk_position(desk, is_long=True), share="0.5")
        venue.prices["ETH"] = venue.prices["ETH"] * 105 // 100
        until(lambda: len(desk.positions()) == 1)
        clock.late = 0
        until(desk.earned)
        desk.claim()
        trusted("anybody", MeasurePool(pool="main"))
        client.send(decode_command(msgspec.json.encode(PAYMENT)), client_id="rent-november")
        client.get("/v1/trades", sequence=str(client.venue().sequence))


def until(look: Callable[[], object]) -> None:
    """Wait for what a keeper does."""
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end, "never"
        time.sleep(0.2)


def epoch(starts: int) -> FundEpoch:
    """A dollar for those who trade in the minutes from then on."""
    window = {"starts": starts, "ends": starts + EPOCH_SECONDS}
    return FundEpoch(pool="main", bucket="treasury", token="USDC", amount=10**6, score="volume", **window)


def desk_position(desk: Trading, *, is_long: bool) -> str:
    """The name of one's position of this side."""
    return next(row["position"] for row in desk.positions() if row["is_long"] == is_long)


def answers(address: str) -> Iterator[tuple[str, Any]]:
    """Ask everything that is described, as it is described, but what Zaros is asked for."""
    signer = Signer(KEY)
    with httpx.Client(base_url=address, timeout=20, headers={"content-type": "application/json"}) as http:
        described = http.get("/openapi.json").json()
        for path, methods in described["paths"].items():
            if path in ONLY_ON_CREDIT:
                continue
            if "get" in methods:
                filled, query = request(path, methods["get"], signer.account)
                yield f"GET {path}", answered(http.get(filled, params=query), signer)
            if "post" in methods:
                yield f"POST {path}", answered(http.post(path, content=body(path, methods["post"], address)), signer)


def request(path: str, operation: dict, account: str) -> tuple[str, dict[str, str]]:
    """The address of the example's request, for this account."""
    query = {}
    for parameter in operation.get("parameters", ()):
        value = parameter.get("example", "").replace(ALICE, account)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
        elif value:
            query[parameter["name"]] = value
    return path, query


def body(path: str, operation: dict, address: str) -> bytes:
    """The example's body, for this account; signed where it has a signature."""
    example = operation["requestBody"]["content"]["application/json"]["example"]
    signer = Signer(KEY)
    if "signature" not in example:
        return msgspec.json.encode({**example, "account": signer.account})
    texts = example.get("commands") or [example["command"]]
    commands = [decode_command(msgspec.json.encode(text)) for text in texts]
    with Client(address) as client:
        return signer.request(
            client.venue().identity, commands, batch="commands" in example, client_id=path.replace("/", ":")
        )


def answered(answer: httpx.Response, signer: Signer) -> Any:
    """What is shown of an answer."""
    assert answer.status_code == 200, f"{answer.request.url}: {answer.text}"
    text = answer.text.replace(signer.account, ALICE)
    if not answer.headers["content-type"].startswith("application/json"):
        return "\n".join(text.splitlines()[: SHOWN + 1])
    return shortened(msgspec.json.decode(text))


def shortened(value: Any) -> Any:
    """The first items of every list."""
    if isinstance(value, list):
        return [shortened(item) for item in value[:SHOWN]]
    return {name: shortened(item) for name, item in value.items()} if isinstance(value, dict) else value


def on_credit(address: str, clock: LateClock) -> dict[str, Any]:
    """What ZEUS has not: an order that is handed in, and funding that is paid after some minutes."""
    signer = Signer(KEY)
    with Client(address, signer) as client, httpx.Client(base_url=address) as http:
        desk = Trading(client)
        desk.faucet("USDC")
        desk.settled(desk.open("ETH", is_long=True, margin="100000", size="50000", token="USDC"))
        handed = desk.sign("ETH", is_long=True, size="1900", at="1900")
        clock.late = 0
        desk.close("ETH", share="0.5")
        client.get("/v1/trades", sequence=str(client.venue().sequence))
        found = {f"GET {path}": answered(http.get(path), signer) for path in ONLY_ON_CREDIT}
        text = msgspec.json.encode(handed["info"]).decode().replace(signer.account, ALICE)
        return {**found, "POST /v1/signed-orders": msgspec.json.decode(text)}


def fits(shown: Any, real: Any) -> bool:
    """Whether an example has the shape of a real answer: same names, same kinds of values.

    The engine's own records, which say their type, are held by their schemas.
    """
    if shown is None or real is None:
        return True
    if isinstance(shown, dict) and isinstance(real, dict):
        if shown.get("type") in RECORDS and real.get("type") in RECORDS:
            return True
        return shown.keys() == real.keys() and all(fits(shown[name], real[name]) for name in real)
    if isinstance(shown, list) and isinstance(real, list):
        return not real or (bool(shown) and fits(shown[0], real[0]))
    return type(shown) is type(real)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        recorded = asyncio.run(gathered(Path(scratch)))
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(recorded, order="sorted"), indent=1) + b"\n")
