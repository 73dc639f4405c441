"""Orders signed away from the venue, over a real server: handed in, refused, filled, voided, kept by the journal."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.client.living import KEY, living
from zlp import signing
from zlp.client import AsyncClient, Client, Refused, Signer
from zlp.client.booking import NotSupported
from zlp.client.trading import Trading
from zlp.engine.commands.credit_positions import SignedOrder
from zlp.engine.leaves.credit_positions import HeldOrder
from zlp.journal import verify
from zlp.node.opening import open_node
from zlp.server.app import VenueApp
from zlp.server.limits import Limits
from zlp.signing.credit_orders import order_digest

PAGE = (Path(__file__).parents[2] / "docs" / "zaros.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
THIEF = bytes(range(40, 72))
HALF = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


async def until(ask: Callable, wanted: Callable = bool):
    """The first answer that is as wanted."""
    for _ in range(300):
        found = await asyncio.to_thread(ask)
        if wanted(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"never as wanted; last: {found}")


def ready(desk: Trading) -> None:
    """Take tokens and bring margin into the account by a first small position."""
    for token in ("USDC", "WETH"):
        desk.faucet(token)
    desk.settled(desk.open("ETH", is_long=True, margin="10000", size="1000", token="USDC"))


async def test_it_waits_at_the_venue_and_fills_at_its_price(tmp_path: Path) -> None:
    """Z10: handed in once however often it is sent; filled by the keeper when its price comes; then it is used."""
    async with living("zaros", tmp_path) as venue:
        with Client(venue.address, Signer(KEY)) as client:
            desk = Trading(client)
            await asyncio.to_thread(ready, desk)
            price = float((await asyncio.to_thread(desk.market, "ETH"))["high"])
            at = f"{price * 0.97:.2f}"
            sent = await asyncio.to_thread(lambda: desk.sign("ETH", is_long=True, size="2000", at=at))
            (kept,) = (await asyncio.to_thread(client.get, "/v1/signed-orders"))["items"]
            assert (kept["digest"], kept["owner"], kept["signer"]) == (sent["id"], desk.account, desk.account)
            order = SignedOrder(**{name: kept[name] for name in SignedOrder.__struct_fields__})
            order = replace(
                order,
                trading_account=int(order.trading_account),
                size_delta=int(order.size_delta),
                target_price=int(order.target_price),
                nonce=int(order.nonce),
            )
            again = await asyncio.to_thread(client.hand_in, order)
            assert again["digest"] == sent["id"]
            assert len((await asyncio.to_thread(client.get, "/v1/signed-orders", account=desk.account))["items"]) == 1
            assert (await asyncio.to_thread(client.get, "/v1/signed-orders", market="BTC"))["items"] == []
            assert (await asyncio.to_thread(desk.order, sent["id"]))["status"] == "waiting"
            with pytest.raises(NotSupported, match="void"):
                desk.cancel(sent["id"])

            venue.prices["ETH"] = venue.prices["ETH"] * 96 // 100
            await asyncio.to_thread(desk.settled, sent)
            (position,) = await asyncio.to_thread(desk.positions)
            assert float(position["size_usd"]) == pytest.approx(2_960, rel=0.02)
            fills = await until(lambda: client.get("/v1/trades", account=desk.account, order=sent["id"])["items"])
            assert len(fills) == 1
            assert float(fills[0]["price"]) <= float(at)
            assert (await asyncio.to_thread(client.get, "/v1/signed-orders"))["items"] == []
            with pytest.raises(Refused) as used:
                await asyncio.to_thread(client.hand_in, order)
            assert used.value.code == "signed_order_used"


async def test_repeats_by_anybody_do_not_use_up_its_owners_allowance(tmp_path: Path) -> None:
    """A4: orders can be read in the log, so anybody can hand one in again and again; its owner can still trade."""
    async with living("zaros", tmp_path) as venue:
        with Client(venue.address, Signer(KEY)) as client:
            desk = Trading(client)
            await asyncio.to_thread(ready, desk)
            await asyncio.to_thread(lambda: desk.sign("ETH", is_long=True, size="2000", at="1000"))
            (kept,) = (await asyncio.to_thread(client.get, "/v1/signed-orders"))["items"]
        fields = ("trading_account", "market", "size_delta", "target_price", "nonce", "salt", "increase_nonce")
        again = {**{name: kept[name] for name in fields}, "signature": kept["evidence"]}
        app = VenueApp(venue.node, limits=Limits(account_per_second=1, account_burst=3))
        for _ in range(5):
            status, answer, _ = await app.posts[b"/v1/signed-orders"].handler(msgspec.json.encode(again))
            assert (status, msgspec.json.decode(answer)["digest"]) == (200, kept["digest"])


async def test_what_its_owner_has_not_signed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A8, Z10: every forgery has a stable code and leaves nothing in the log."""
    async with living("zaros", tmp_path) as venue:
        with Client(venue.address, Signer(KEY)) as client:
            desk = Trading(client)
            await asyncio.to_thread(ready, desk)
            account = await asyncio.to_thread(desk._trading_account)
            identity = (await asyncio.to_thread(client.venue)).identity
            good = SignedOrder(
                trading_account=account.number,
                market="ETH",
                size_delta=10**18,
                target_price=1_000 * 10**30,
                increase_nonce=False,
                nonce=account.nonce,
                salt="one",
                signer="",
                evidence="",
            )
            own, thief = Signer(KEY), Signer(THIEF)
            cases = {
                "signed_by_another": (
                    thief.order(identity, good),
                    own.order("another venue", good),
                    replace(own.order(identity, good), size_delta=2 * 10**18),
                    replace(own.order(identity, good), target_price=10**36),
                    replace(own.order(identity, good), salt="two"),
                ),
                "signed_nonce_wrong": (own.order(identity, replace(good, nonce=account.nonce + 1)),),
                "unknown_trading_account": (own.order(identity, replace(good, trading_account=10**6)),),
                "unknown_market": (own.order(identity, replace(good, market="DOGE")),),
                "trade_too_small": (own.order(identity, replace(good, size_delta=1)),),
                "invalid_price": (own.order(identity, replace(good, target_price=0)),),
                "signature_malformed": (
                    replace(good, evidence="0x12"),
                    replace(good, evidence="0x" + "00" * 64 + "1b"),
                ),
                "signature_malleable": (_malleable(identity, good),),
            }
            for code, orders in cases.items():
                for order in orders:
                    with pytest.raises(Refused) as refused:
                        await asyncio.to_thread(client.hand_in, order)
                    assert refused.value.code == code, (code, refused.value)
                    assert refused.value.sequence is None
            with pytest.raises(Refused) as late:
                await asyncio.to_thread(client.hand_in, own.order(identity, good), 1)
            assert late.value.code == "deadline_passed"
            assert (await asyncio.to_thread(client.get, "/v1/signed-orders"))["items"] == []
            await asyncio.to_thread(client.hand_in, own.order(identity, good))
            few = (await asyncio.to_thread(client.get, "/v1/signed-orders"))["items"]
            monkeypatch.setattr("zlp.server.signed_orders.FEW_LEAVES", -1)
            assert len(few) == 1
            assert (await asyncio.to_thread(client.get, "/v1/signed-orders"))["items"] == few


def _malleable(identity: str, order: SignedOrder) -> SignedOrder:
    """The other signature that the curve takes for the same message."""
    signature = signing.sign(order_digest(signing.domain_separator(identity), order), KEY)
    upper = ORDER - int.from_bytes(signature[32:64], "big")
    assert upper > HALF
    flipped = signature[:32] + upper.to_bytes(32, "big") + bytes((55 - signature[64],))
    return replace(order, evidence="0x" + flipped.hex())


async def test_it_outlives_a_restart_and_ends_with_its_nonce(tmp_path: Path) -> None:
    """A2, Z10: what was acknowledged is in the journal, with a signature that can be checked; a new nonce ends it."""
    async with living("zaros", tmp_path) as venue:
        with Client(venue.address, Signer(KEY)) as client:
            desk = Trading(client)
            await asyncio.to_thread(ready, desk)
            first = await asyncio.to_thread(lambda: desk.sign("ETH", is_long=True, size="500", at="1000"))
            await asyncio.to_thread(desk.void)
            assert (await asyncio.to_thread(desk.order, first["id"]))["status"] == "cancelled"
            soon = (await asyncio.to_thread(client.venue)).time + 2
            short = await asyncio.to_thread(lambda: desk.sign("ETH", is_long=True, size="500", at="1000", expires=soon))
            ended = await until(lambda: desk.order(short["id"]), lambda row: row["status"] != "waiting")
            assert ended["status"] == "expired"
            kept = await asyncio.to_thread(lambda: desk.sign("ETH", is_long=False, size="500", at="9000"))
    node = open_node(tmp_path)
    assert [held.digest for held in node.root.state.each(HeldOrder)] == [kept["id"]]
    assert verify.verify(node.journal, engine_version=node.journal.header.engine_version).faults == []
    await node.stop()


async def test_designs_without_them_say_so(tmp_path: Path) -> None:
    """A4: no such orders on ZEUS; the door answers with a code, the client before it signs."""
    async with living("zeus", tmp_path) as venue:
        with Client(venue.address, Signer(KEY)) as client:
            desk = Trading(client)
            with pytest.raises(NotSupported):
                await asyncio.to_thread(lambda: desk.sign("ETH", is_long=True, size="500", at="1000"))


async def test_the_documented_example_runs(tmp_path: Path, capsys) -> None:
    """What docs/zaros.md shows is what happens; only the address and the key are the reader's own."""
    async with living("zaros", tmp_path) as venue:
        source = EXAMPLE.replace("http://127.0.0.1:8420", venue.address).replace("0xYOUR_PRIVATE_KEY", "0x" + KEY.hex())
        await asyncio.to_thread(exec, compile(source, "docs/zaros.md", "exec"), {"__name__": "example"})
        assert capsys.readouterr().out.splitlines()[-1].startswith("waiting [{")


async def test_the_stream_tells_the_life_of_every_kind_of_order(tmp_path: Path) -> None:
    """A2: pending, resting and signed orders of an account are on the channel `orders`, with how they ended."""
    async with living("zaros", tmp_path) as venue:
        signer = Signer(KEY)
        seen: list[str] = []

        async def listen() -> None:
            async with AsyncClient(venue.address) as listener:
                async for message in listener.stream("orders", signer.account):
                    if not message.is_snapshot:
                        seen.extend(type(event).__name__ for event in message.data)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.5)
        with Client(venue.address, signer) as client:
            desk = Trading(client)
            await asyncio.to_thread(ready, desk)
            stop = await asyncio.to_thread(lambda: desk.protect("ETH", stop="1000"))
            await asyncio.to_thread(desk.cancel, stop["id"])
            await asyncio.to_thread(lambda: desk.sign("ETH", is_long=True, size="500", at="1000"))
            await asyncio.to_thread(desk.void)
        await until(lambda: len(seen) >= 6)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        assert seen == [
            "CreditOrderPlaced",
            "CreditOrderClosed",
            "OrderPlaced",
            "OrderCancelled",
            "SignedOrderHeld",
            "SignedOrderDropped",
        ]
