"""The HTTP doors: what is signed is done once and told exactly; what is read is of one sequence."""

import asyncio

import pytest

from tests.journal.venue_log import ALICE, BOB, GOVERNOR, HEADER, KEY
from tests.server.running import body, fresh_nonce, running
from zlp import signing
from zlp.engine import Root
from zlp.engine.commands.custody import Transfer
from zlp.engine.commands.governance import ApproveAgent
from zlp.server import views

AGENT_KEY = bytes(range(2, 34))


def pay(amount: int = 1) -> Transfer:
    """A transfer to Bob."""
    return Transfer(token="USDC", to=BOB, amount=amount)


async def test_a_command_answers_with_its_receipt() -> None:
    """A2: events, sequence and digest, integers as text."""
    async with running() as venue:
        answer = await venue.post("/v1/command", body(pay(5)))
        assert answer.status_code == 200
        receipt = answer.json()
        assert receipt["sequence"] == "6"
        assert receipt["digest"] == venue.node.root.chain.hex()
        assert receipt["events"] == [
            {"type": "Transferred", "token": "USDC", "source": ALICE, "target": BOB, "amount": "5"}
        ]


async def test_a_rejection_is_a_problem_with_limit_and_actual() -> None:
    """A4: the stable code, the sequence that proves it, and nothing changed."""
    async with running() as venue:
        before = venue.node.root.state_hash()
        answer = await venue.post("/v1/command", body(pay(10**15)))
        problem = answer.json()
        assert answer.status_code == problem["status"] == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["code"] == "insufficient_balance"
        assert problem["limit"] == str(10**12)
        assert problem["actual"] == str(10**15)
        assert problem["sequence"] == "6"
        assert venue.node.root.state_hash() == before


async def test_a_batch_is_one_signature_for_many() -> None:
    """A2: receipts in order; a refused command does not stop the others."""
    async with running() as venue:
        answer = await venue.post("/v1/commands", body(pay(1), pay(10**15), pay(2), batch=True))
        receipts = answer.json()["receipts"]
        assert [each["sequence"] for each in receipts] == ["6", "7", "8"]
        assert [each["rejection"] is None for each in receipts] == [True, False, True]


async def test_a_repeat_returns_the_first_outcome() -> None:
    """A2: bytes for bytes, also under a new nonce with the same client id; other commands are refused."""
    async with running() as venue:
        request = body(pay(3), client_id="rent")
        first, again = [await venue.post("/v1/command", request) for _ in range(2)]
        renewed = await venue.post("/v1/command", body(pay(3), client_id="rent"))
        assert first.content == again.content == renewed.content
        other = await venue.post("/v1/command", body(pay(4), client_id="rent"))
        assert (other.status_code, other.json()["code"], other.json()["actual"]) == (409, "client_id_reused", "6")
        found = await venue.get(f"/v1/accounts/{ALICE}/intents/rent")
        assert found["sequence"] == "6"
        assert found["command"]["amount"] == "3"


async def test_a_quote_changes_nothing() -> None:
    """A5: the receipt as it would be, and the balances after."""
    async with running() as venue:
        chain = venue.node.root.chain
        quoted = (
            await venue.post(
                "/v1/quote",
                {"account": ALICE, "command": {"type": "Transfer", "token": "USDC", "to": BOB, "amount": "5"}},
            )
        ).json()
        assert quoted["accepted"] is True
        assert quoted["balances_after"] == [{"token": "USDC", "amount": "999999.999995", "units": "999999999995"}]
        assert venue.node.root.chain == chain
        done = (await venue.post("/v1/command", body(pay(5)))).json()
        assert done["events"] == quoted["receipt"]["events"]


async def test_agents_sign_for_accounts() -> None:
    """A8: and the check says who signed and what they may."""
    async with running() as venue:
        agent = signing.address_of(AGENT_KEY)
        stranger = await venue.post("/v1/command", body(pay(), key=AGENT_KEY))
        assert (stranger.status_code, stranger.json()["code"]) == (401, "agent_not_approved")
        assert agent in stranger.json()["detail"]
        await venue.post("/v1/command", body(ApproveAgent(agent=agent, scopes=("transfer",), expires=2**40)))
        assert (await venue.post("/v1/command", body(pay(), key=AGENT_KEY))).status_code == 200
        checked = (await venue.post("/v1/auth/check", body(pay(), key=AGENT_KEY))).json()
        assert (checked["signer"], checked["relation"], checked["scopes"]) == (agent, "agent", ["transfer"])
        narrow = await venue.post(
            "/v1/command", body(ApproveAgent(agent=BOB, scopes=("trade",), expires=1), key=AGENT_KEY)
        )
        assert (narrow.status_code, narrow.json()["code"]) == (403, "agent_out_of_scope")


async def test_reads_show_the_state() -> None:
    """A4: every read answers, names its sequence, and gives exact integers beside decimal text."""
    async with running() as venue:
        await venue.post("/v1/command", body(pay(1_500_000)))
        about = await venue.get("/v1/venue")
        assert (about["identity"], about["profile_hash"]) == (HEADER.identity, HEADER.profile_hash)
        assert about["sequence"] == "6"
        balances = await venue.get(f"/v1/accounts/{BOB}/balances")
        assert balances == {"sequence": "6", "items": [{"token": "USDC", "amount": "1.5", "units": "1500000"}]}
        upper = BOB.upper().replace("0X", "0x")
        assert (await venue.get(f"/v1/accounts/{upper}"))["account"] == BOB
        tokens = await venue.get("/v1/tokens")
        assert tokens["items"][0]["supply"] == "1000000"
        kinds = {each["kind"]: each["count"] for each in (await venue.get("/v1/leaves"))["items"]}
        assert kinds["Balance"] == "2"
        receipt = await venue.get("/v1/receipts/6")
        assert (receipt["account"], receipt["receipt"]["sequence"]) == (ALICE, "6")
        for read in venue.server.app.reads:
            if "{" not in read.path:
                assert isinstance(await venue.get(read.path), dict)


async def test_a_snapshot_restores_the_state() -> None:
    """A2: anybody can take the state away and check it; many askers share one encoding."""
    async with running() as venue:
        await venue.post("/v1/command", body(pay()))
        snapshots = await asyncio.gather(*(venue.get("/v1/snapshot") for _ in range(5)))
        root = Root.restore(snapshots[0])
        assert (root.chain, root.sequence) == (venue.node.root.chain, 6)
        assert all(each == snapshots[0] for each in snapshots)


async def test_paging_reaches_everything_once() -> None:
    """A2: by cursor, to the end, however many there are."""
    async with running() as venue:
        commands = [Transfer(token="USDC", to=f"0x{number:040x}", amount=1) for number in range(1, 251)]
        await venue.post("/v1/commands", body(*commands, batch=True))
        owners, cursor = [], ""
        while cursor is not None:
            page = await venue.get(f"/v1/leaves/Balance?limit=37&after={cursor}")
            owners += [leaf["owner"] for leaf in page["items"]]
            cursor = page["next"]
        assert len(owners) == len(set(owners)) == 251
        sequences, cursor = [], "0"
        while cursor is not None:
            page = await venue.get(f"/v1/receipts?limit=50&after={cursor}")
            sequences += [int(item["sequence"]) for item in page["items"]]
            cursor = page["next"]
        assert sequences == list(range(1, 256))


async def test_large_tables_are_walked_beside_the_loop(monkeypatch) -> None:
    """A2: the same answers, of one sequence, whether a table is small or large."""
    async with running() as venue:
        await venue.post("/v1/command", body(pay()))
        paths = ("/v1/leaves/Balance?limit=1", f"/v1/accounts/{BOB}", f"/v1/accounts/{BOB}/orders", "/v1/positions")
        small = [await venue.get(path) for path in paths]
        monkeypatch.setattr("zlp.server.reads.FEW_LEAVES", -1)
        assert [await venue.get(path) for path in paths] == small


async def test_the_governance_log_is_newest_first() -> None:
    """A8: who changed what, paged to the first command."""
    async with running() as venue:
        await venue.post("/v1/command", body(pay()))
        await venue.post("/v1/command", body(ApproveAgent(agent=BOB, scopes=("trade",), expires=2**40)))
        first = await venue.get("/v1/governance?limit=2")
        assert [item["command"]["type"] for item in first["items"]] == ["ApproveAgent", "Configure"]
        rest = await venue.get(f"/v1/governance?before={first['next']}")
        assert [item["command"]["type"] for item in rest["items"]] == ["GrantRole", "UpgradeBranches", "Found"]
        assert rest["next"] is None
        assert rest["items"][0]["account"] == GOVERNOR


async def test_health_metrics_and_documents_answer() -> None:
    """A4: what operators and newcomers look at first."""
    async with running() as venue:
        await venue.post("/v1/command", body(pay()))
        assert (await venue.get("/health"))["status"] == "ready"
        assert (await venue.client.get("/ready")).status_code == 200
        metrics = (await venue.client.get("/metrics")).text
        assert 'zlp_commands_total{outcome="accepted"} 1.0' in metrics
        assert 'zlp_stage_seconds_total{stage="signature"}' in metrics
        api = await venue.get("/openapi.json")
        assert {"/v1/command", "/v1/venue", "/v1/accounts/{account}"} <= set(api["paths"])
        page = (await venue.client.get("/docs")).text
        assert "openapi.json" in page
        assert "://" not in page, "the page loads something from elsewhere"
        missing = await venue.client.get("/v1/nothing")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_stopping_venue_refuses_politely() -> None:
    """A4: 503 with a hint when to come back; health says why."""
    async with running() as venue:
        venue.node.status, venue.node.fault = "failed", "disk full"
        answer = await venue.post("/v1/command", body(pay()))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]
        assert (await venue.client.get("/health")).status_code == 503
        assert (await venue.client.get("/v1/tokens")).status_code == 503
        venue.node.status = "ready"


async def test_many_clients_at_once_lose_nothing() -> None:
    """A2: every acknowledged command is in the log once, in one order."""
    async with running() as venue:
        answers = await asyncio.gather(
            *(venue.post("/v1/command", body(pay(), nonce=fresh_nonce())) for _ in range(200))
        )
        sequences = [int(answer.json()["sequence"]) for answer in answers]
        assert sorted(sequences) == list(range(6, 206))
        assert views.balances(venue.node.root.state, BOB)[0]["units"] == "200"


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [(0, 1, "0"), (5, 1, "5"), (1, 10**6, "0.000001"), (-1_500_000, 10**6, "-1.5"), (10**30, 10**30, "1")],
)
def test_decimal_text_is_exact(amount: int, unit: int, text: str) -> None:
    """A3: nothing is rounded on the way to people."""
    assert views.decimal(amount, unit) == text


def test_the_test_key_is_alices() -> None:
    """The tests above sign as the account they name."""
    assert signing.address_of(KEY) == ALICE
