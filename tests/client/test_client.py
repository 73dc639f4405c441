"""The SDK says what it means: decimal text in, Decimal and typed records out, and nothing done twice."""

import asyncio
import inspect
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.venue_log import ALICE, BOB, KEY
from tests.node.venue import GENESIS
from tests.server.running import OPEN, running
from tests.server.test_api import AGENT_KEY, pay
from zlp import signing
from zlp.client import AsyncClient, Client, Refused, Signer, Unreachable, VenueError, records
from zlp.client.trading import Trading
from zlp.engine.commands.custody import Transfer
from zlp.engine.commands.governance import ApproveAgent
from zlp.engine.events.ledger import Transferred
from zlp.engine.leaves.ledger import Balance
from zlp.journal import MemoryJournal
from zlp.node import Node
from zlp.server.app import VenueApp
from zlp.server.serve import VenueServer


async def test_both_clients_speak_alike() -> None:
    """A newcomer who knows one knows the other: same names, same parameters."""
    for name, method in inspect.getmembers(AsyncClient, inspect.isfunction):
        if not name.startswith("_"):
            twin = getattr(Client, name)
            assert list(inspect.signature(twin).parameters) == list(inspect.signature(method).parameters), name


async def test_a_session_with_the_asynchronous_client() -> None:
    """A2, A4, A5: look, quote, send, look again; amounts are whole tokens."""
    async with running() as venue, AsyncClient(venue.address, Signer(KEY)) as client:
        assert (await client.venue()).identity == "test venue"
        assert await client.balance("USDC") == Decimal(1_000_000)
        quote = await client.quote(pay(1_500_000))
        assert (quote.accepted, quote.balances_after[0].amount) == (True, Decimal("999998.5"))
        receipt = await client.transfer("USDC", BOB, "1.5")
        assert receipt.events == (Transferred(token="USDC", source=ALICE, target=BOB, amount=1_500_000),)
        state = await client.account(BOB)
        assert (state.balances[0].amount, state.balances[0].units) == (Decimal("1.5"), 1_500_000)
        assert await client.receipt(receipt.sequence) == receipt
        assert await anext(client.leaves("Balance")) == Balance(BOB, "USDC", 1_500_000)
        with pytest.raises(Refused) as refused:
            await client.transfer("USDC", BOB, 10**9)
        assert (refused.value.code, refused.value.limit) == ("insufficient_balance", 999_998_500_000)
        assert "limit 999998500000" in str(refused.value)


async def test_a_session_with_the_plain_client() -> None:
    """The same, waiting."""

    def session(address: str) -> None:
        with Client(address, Signer(KEY)) as client:
            receipts = client.send_many([pay(1), pay(10**15), pay(2)], client_id="three")
            assert [receipt.accepted for receipt in receipts] == [True, False, True]
            assert receipts[1].rejection.code == "insufficient_balance"
            assert client.intent("three") == receipts[0]
            assert client.send_many([pay(1), pay(10**15), pay(2)], client_id="three") == receipts
            assert client.withdraw("USDC", "10", "elsewhere").accepted
            assert client.tokens()["USDC"].supply == Decimal(1_000_000)
            assert client.prices() == {}
            assert len(list(client.leaves("Withdrawal"))) == len(client.account().orders) == 1
            assert client.get("/v1/receipts", after="5")["items"][0]["sequence"] == "6"
            message = next(iter(client.stream("log", from_sequence=5)))
            assert (message.sequence, message.data) == (6, receipts[0])

    async with running() as venue:
        await asyncio.to_thread(session, venue.address)


async def test_an_agent_signs_for_its_account() -> None:
    """A8: the client names the account; the venue checks the approval."""
    async with running() as venue:
        agent = Signer(AGENT_KEY, account=ALICE)
        async with AsyncClient(venue.address, agent) as client, AsyncClient(venue.address, Signer(KEY)) as owner:
            with pytest.raises(Refused, match="not an approved agent"):
                await client.transfer("USDC", BOB, 1)
            await owner.send(ApproveAgent(agent=agent.address, scopes=("transfer",), expires=2**40))
            assert (await client.transfer("USDC", BOB, 1)).accepted


async def test_a_refusal_without_a_number_is_one_too() -> None:
    """A4: of a batch, what was refused has the engine's own reason, which may be no limit."""

    def session(address: str) -> None:
        with Client(address, Signer(KEY)) as client, pytest.raises(Refused, match=r"^unknown_token, DOGE$") as refused:
            Trading(client)._book([Transfer(token="DOGE", to=BOB, amount=1)], "", None, "")
        assert (refused.value.limit, refused.value.actual, refused.value.sequence) == (None, None, 6)

    async with running() as venue:
        await asyncio.to_thread(session, venue.address)


async def test_floats_and_dust_are_refused_before_they_are_sent() -> None:
    """A3: nothing is rounded on the way in."""
    async with running() as venue, AsyncClient(venue.address, Signer(KEY)) as client:
        with pytest.raises(TypeError, match="decimal text"):
            await client.transfer("USDC", BOB, 0.1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="more than 6 decimals"):
            await client.transfer("USDC", BOB, "0.0000001")
        with pytest.raises(VenueError, match="knows no token"):
            await client.transfer("DOGE", BOB, "1")
        assert venue.node.journal.last == 5
    async with AsyncClient("http://127.0.0.1:1") as client:
        with pytest.raises(VenueError, match="signer"):
            await client.balance("USDC")


async def test_a_lost_answer_is_asked_for_again() -> None:
    """A2: the venue did it, the answer was lost; the client repeats the bytes and learns the first outcome."""
    async with running() as venue, AsyncClient(venue.address, Signer(KEY)) as client:
        post, losses = client._http.post, iter([True, True, False])

        async def lossy(*arguments, **named):
            answer = await post(*arguments, **named)
            if next(losses, False):
                raise httpx.ReadError("lost")
            return answer

        client._http.post = lossy  # type: ignore[method-assign]
        receipt = await client.transfer("USDC", BOB, "1")
        assert receipt.sequence == venue.node.journal.last == 6


async def test_nobody_there_is_said_so() -> None:
    """A4: after some tries, with the address."""
    async with AsyncClient("http://127.0.0.1:1", timeout=0.2) as client:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/v1/venue"):
            await client.venue()


async def test_a_stream_survives_a_restart_without_gaps() -> None:
    """A2: the venue stops and comes back; the client resumes from the last sequence it saw."""
    journal = MemoryJournal()
    node = Node(journal)
    node.start(GENESIS)
    seen: list[int] = []
    port = 0
    async with AsyncClient("http://127.0.0.1:1", Signer(KEY)) as follower:
        for round_number in range(3):
            if round_number:
                node = Node(journal)
                node.start(GENESIS)
            server = VenueServer(VenueApp(node, limits=OPEN), port=port)
            serving = asyncio.create_task(server.run())
            address = await server.started()
            if not round_number:
                port = int(address.rsplit(":", 1)[1])
                follower.base_url = address
                watching = asyncio.create_task(watch(follower, seen))
            async with AsyncClient(address, Signer(KEY)) as client:
                for _ in range(5):
                    await client.send_many([pay() for _ in range(7)])
            server.stop()
            await serving
        node = Node(journal)
        node.start(GENESIS)
        server = VenueServer(VenueApp(node, limits=OPEN), port=port)
        serving = asyncio.create_task(server.run())
        for _ in range(500):
            if len(seen) >= 105:
                break
            await asyncio.sleep(0.01)
        watching.cancel()
        server.stop()
        await serving
    assert seen == list(range(6, 111))


async def watch(client: AsyncClient, seen: list[int]) -> None:
    """Note every sequence."""
    async for message in client.stream("log", from_sequence=5):
        seen.append(message.sequence)  # noqa: PERF401 - it never ends


async def test_a_stream_starts_over_where_the_past_is_gone() -> None:
    """A2: a compacted past is not skipped silently: a snapshot message says where it goes on."""
    async with running() as venue, AsyncClient(venue.address, Signer(KEY)) as client:
        await client.send_many([pay() for _ in range(20)])
        venue.node.journal.drop_until(15)
        async for message in client.stream("account", BOB, from_sequence=3):
            assert (message.is_snapshot, message.sequence) == (True, 25)
            assert message.data["balances"][0]["units"] == "20"
            break
        with pytest.raises(Refused, match="not_found"):
            async for _ in client.stream("nothing"):
                pass


@given(st.integers(0, 2**256 - 1), st.integers(0, 36))
def test_units_and_decimals_are_inverse(units: int, decimals: int) -> None:
    """A3: exact both ways, up to the largest amount there is."""
    assert records.to_units(records.from_units(units, decimals), decimals) == units
    assert records.to_units(str(records.from_units(units, decimals)), decimals) == units


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "1e100", "abc", ""])
def test_odd_amounts_are_refused(amount: str) -> None:
    """A4: before anything is signed."""
    with pytest.raises((ValueError, ArithmeticError)):
        records.to_units(amount, 6)


def test_prices_have_thirty_decimals() -> None:
    """A3: as the engine's."""
    assert records.price_units("1800.25") == 180025 * 10**28


def test_a_key_never_shows(tmp_path) -> None:
    """A8: not in a representation; a key file needs its password."""
    from eth_account import Account

    signer = Signer("0x" + KEY.hex())
    assert KEY.hex() not in repr(signer)
    path = tmp_path / "key.json"
    import json

    path.write_text(json.dumps(Account.encrypt(KEY, "secret", kdf="pbkdf2", iterations=1)))
    assert Signer.from_keystore(path, "secret").address == signing.address_of(KEY)
    with pytest.raises(ValueError, match="MAC"):
        Signer.from_keystore(path, "wrong")
