"""The node loses nothing it acknowledged, does nothing twice, and stops rather than lie."""

import asyncio
from pathlib import Path

import pytest

from tests.journal.venue_log import ALICE, BOB, GOVERNOR, START
from tests.node.venue import GENESIS, Clock, disk_node, memory_node, signed
from zlp import __version__, signing
from zlp.engine import Envelope, InvariantBroken, Root
from zlp.engine.commands.custody import Deposit, Transfer
from zlp.engine.commands.governance import ApproveAgent, Found
from zlp.engine.ledger import balance_of
from zlp.journal import JournalError, JournalMismatch, MemoryJournal, SnapshotFolder, SqliteJournal
from zlp.journal.verify import verify
from zlp.node import ClientIdReused, Node, NodeDown, NodeFull, NotAdmitted

NONCE = START * 1_000
AGENT_KEY = bytes(range(2, 34))


def pay(amount: int = 1) -> Transfer:
    """A transfer to Bob."""
    return Transfer(token="USDC", to=BOB, amount=amount)


async def test_an_acknowledged_command_is_in_the_journal() -> None:
    """A2: the reply comes after the append."""
    node = memory_node()
    (fact,) = await node.submit(signed(pay(5), nonce=NONCE))
    assert fact.receipt.accepted
    assert node.journal.last == fact.sequence == 6
    assert balance_of(node.root.state, BOB, "USDC") == 5


async def test_commands_that_wait_together_share_a_group() -> None:
    """A2: one sync for many, the order of arrival kept."""
    node = memory_node()
    replies = [node.submit(signed(pay(number + 1), nonce=NONCE + number)) for number in range(50)]
    facts = [(await reply)[0] for reply in replies]
    assert [fact.sequence for fact in facts] == list(range(6, 56))
    assert node.metrics.registry.get_sample_value("zlp_group_commands_count") == 1


async def test_a_batch_is_one_intent_and_uses_one_nonce() -> None:
    """A2: sequenced together; verified together; its nonce is used even if its first command is refused."""
    node = memory_node()
    facts = await node.submit(signed(pay(10**15), pay(1), pay(2), nonce=NONCE))
    assert [fact.receipt.accepted for fact in facts] == [False, True, True]
    with pytest.raises(NotAdmitted, match="nonce_used"):
        await node.submit(signed(pay(3), nonce=NONCE, client_id="other"))
    assert verify(node.journal, engine_version=__version__).signatures == 1


async def test_a_repeat_gets_the_first_outcome_and_does_nothing() -> None:
    """A2: waiting, done, rejected, and after a restart."""
    journal = MemoryJournal()
    node = memory_node(journal=journal)
    intents = [signed(pay(7), nonce=NONCE), signed(pay(10**15), nonce=NONCE + 1, client_id="mine")]
    waiting = [node.submit(intent) for intent in (*intents, *intents)]
    first, rejected, again, rejected_again = [await reply for reply in waiting]
    assert again is first
    assert rejected_again is rejected
    assert [item[0].body for item in (await node.submit(intents[0]), await node.submit(intents[1]))] == [
        first[0].body,
        rejected[0].body,
    ]
    restarted = Node(journal, clock=Clock())
    restarted.start(GENESIS)
    assert (await restarted.submit(intents[1]))[0] == rejected[0]
    assert journal.last == 7


async def test_a_client_id_names_one_intent_only() -> None:
    """A4: the same name for something else is refused and named."""
    node = memory_node()
    await node.submit(signed(pay(7), nonce=NONCE, client_id="mine"))
    with pytest.raises(ClientIdReused) as fault:
        await node.submit(signed(pay(8), nonce=NONCE + 1, client_id="mine"))
    assert fault.value.sequence == 6
    again = await node.submit(signed(pay(7), nonce=NONCE + 2, client_id="mine"))
    assert again[0].sequence == 6


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deadline": START - 1}, "deadline_passed"),
        ({"nonce": NONCE - 3 * 86_400_000}, "nonce_out_of_window"),
        ({"nonce": NONCE + 2 * 86_400_000}, "nonce_out_of_window"),
        ({"key": AGENT_KEY}, "agent_not_approved"),
    ],
)
async def test_what_is_not_admitted_is_not_journalled(changes: dict, code: str) -> None:
    """A4: late, worn and unauthorised intents leave no trace that strangers could fill a disk with."""
    node = memory_node()
    with pytest.raises(NotAdmitted) as refused:
        await node.submit(signed(pay(), **{"nonce": NONCE, **changes}))
    assert refused.value.rejection.code == code
    assert node.journal.last == 5


async def test_agents_act_within_their_scope() -> None:
    """A8: an approved key signs, and what it may not do is refused and recorded."""
    node = memory_node()
    agent = signing.address_of(AGENT_KEY)
    await node.submit(signed(ApproveAgent(agent=agent, scopes=("trade",), expires=START + 10), nonce=NONCE))
    (fact,) = await node.submit(signed(pay(), nonce=NONCE + 1, key=AGENT_KEY))
    assert fact.receipt.rejection.code == "agent_out_of_scope"
    node._sequencer.clock.now += 11 * 10**9
    with pytest.raises(NotAdmitted, match="agent_expired"):
        await node.submit(signed(pay(), nonce=NONCE + 2, key=AGENT_KEY))
    assert verify(node.journal, engine_version=__version__).signatures == 2


async def test_a_failed_sync_stops_the_node_before_anybody_is_told() -> None:
    """A2: nothing is acknowledged, nothing published, nothing more is taken."""

    class Failing(MemoryJournal):
        def append(self, records) -> None:
            if self.last >= 6:
                raise JournalError("disk full")
            super().append(records)

    node = memory_node(journal=Failing())
    told: list[int] = []
    node.feed.listen(lambda facts: told.extend(fact.sequence for fact in facts))
    await node.submit(signed(pay(), nonce=NONCE))
    lost = node.submit(signed(pay(), nonce=NONCE + 1))
    with pytest.raises(NodeDown, match="disk full"):
        await lost
    with pytest.raises(NodeDown, match="disk full"):
        node.submit(signed(pay(), nonce=NONCE + 2))
    assert (told, node.status, node.stopped.is_set()) == ([6], "failed", True)


async def test_a_broken_invariant_stops_the_node() -> None:
    """A3: our own fault is never acknowledged."""
    node = memory_node()

    def broken(envelope: Envelope):
        raise InvariantBroken("off by one")

    node.root.__class__ = type("Broken", (Root,), {"apply": lambda self, envelope: broken(envelope), "__slots__": ()})
    with pytest.raises(NodeDown):
        await node.submit(signed(pay(), nonce=NONCE))
    assert node.status == "failed"
    assert node.journal.last == 5


async def test_back_pressure_refuses_instead_of_queueing_forever() -> None:
    """A4: the caller is told at once."""
    node = memory_node(waiting_limit=10)
    replies = [node.submit(signed(pay(), nonce=NONCE + number)) for number in range(10)]
    with pytest.raises(NodeFull):
        node.submit(signed(pay(), nonce=NONCE + 99))
    await asyncio.gather(*replies)
    await node.submit(signed(pay(), nonce=NONCE + 99))


@pytest.mark.parametrize("snapshot_every", [0, 10])
async def test_recovery_continues_the_same_chain(tmp_path: Path, snapshot_every: int) -> None:
    """A2: stopped and started in between, the digest is that of one uninterrupted run."""
    one = disk_node(tmp_path / "one")
    for number in range(40):
        await one.submit(signed(pay(number + 1), nonce=NONCE + number))
    for start in range(0, 40, 13):
        node = disk_node(tmp_path / "other", snapshot_every=snapshot_every)
        for number in range(start, min(start + 13, 40)):
            await node.submit(signed(pay(number + 1), nonce=NONCE + number))
        await node.stop()
    again = disk_node(tmp_path / "other")
    assert again.root.chain == one.root.chain
    assert again.root.state_hash() == one.root.state_hash()
    await again.stop()
    await one.stop()


async def test_stop_finishes_what_waits(tmp_path: Path) -> None:
    """A2: a graceful stop acknowledges everything it took, and takes nothing more."""
    node = disk_node(tmp_path, group_limit=4)
    replies = [node.submit(signed(pay(), nonce=NONCE + number)) for number in range(30)]
    await node.stop()
    assert [(await reply)[0].sequence for reply in replies] == list(range(6, 36))
    with pytest.raises(NodeDown):
        node.submit(signed(pay(), nonce=NONCE + 99))
    journal = SqliteJournal(tmp_path)
    assert journal.last == 35
    assert SnapshotFolder(tmp_path / "snapshots").sequences() == [35]
    journal.close()


async def test_another_profile_is_refused(tmp_path: Path) -> None:
    """A1: a venue's folder is not started with another profile, nor without one when empty."""
    node = disk_node(tmp_path)
    await node.stop()
    other = Found(identity="x", profile="x", profile_hash="cd" * 32, engine_version="1", governor=GOVERNOR)
    journal = SqliteJournal(tmp_path)
    with pytest.raises(JournalMismatch, match="founded with profile"):
        Node(journal).start([Envelope(time=0, account=GOVERNOR, command=other)])
    journal.close()
    with pytest.raises(JournalMismatch, match="no profile"):
        Node(MemoryJournal()).start([])


async def test_a_feed_resumes_without_gaps(tmp_path: Path) -> None:
    """A2: from memory, from the journal, and across both while commands come in."""
    node = disk_node(tmp_path, recent_facts=5)
    seen: list[int] = []

    async def watch() -> None:
        async for fact in node.feed.follow(0):
            seen.append(fact.sequence)  # noqa: PERF401 - it never ends

    watching = asyncio.create_task(watch())
    for number in range(30):
        await node.submit(signed(pay(), nonce=NONCE + number))
    await asyncio.sleep(0.01)
    watching.cancel()
    assert seen == list(range(1, 36))
    assert [fact.sequence for fact in node.feed.read(2, limit=3)] == [3, 4, 5]
    old, new = node.feed.read(6, limit=1)[0], node.feed.read(34)[0]
    assert (old.account, old.command) == (ALICE, pay())
    assert old.body != new.body
    await node.stop()


async def test_recent_facts_are_sliced_from_either_end() -> None:
    """A2: any range, in order, whichever end is nearer."""
    node = memory_node()
    for number in range(30):
        await node.submit(signed(pay(), nonce=NONCE + number))
    for after in range(36):
        for limit in (1, 4, 100):
            expected = list(range(after + 1, min(after + limit, 35) + 1))
            assert [fact.sequence for fact in node.feed.read(after, limit)] == expected


async def test_time_never_falls() -> None:
    """A2: a clock that is set back does not reach the engine."""
    node = memory_node()
    await node.submit(signed(pay(), nonce=NONCE))
    node._sequencer.clock.now -= 10**12
    (fact,) = await node.submit(signed(pay(), nonce=NONCE + 1))
    assert fact.receipt.accepted
    assert fact.receipt.time == START


async def test_trusted_callers_need_no_signature() -> None:
    """A8: a keeper in the process is recorded under its name; its authority is its account's role."""
    node = memory_node()
    good, bad = Deposit(account=BOB, token="USDC", amount=1), Deposit(account=BOB, token="USDC", amount=2)
    assert (await node.command(GOVERNOR, good, local="keeper"))[0].receipt.accepted
    assert (await node.command(BOB, bad, local="keeper"))[0].receipt.rejection.code == "role_required"
    assert verify(node.journal, engine_version=__version__).local == 7
