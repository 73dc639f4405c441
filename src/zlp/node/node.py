"""One venue's node: sequence, apply, append, sync; then acknowledge and publish. Nothing is told before it is durable.

While a group is synced on the writer's thread, the state is ahead of the journal by that group, and nothing else is
applied. Readers wait for the sync with ``durable``, so nobody sees what a power cut could take back. Commands that
arrive meanwhile make the next group: alone when the venue is idle, many together under load.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import structlog

from zlp.engine import Envelope, Root
from zlp.engine.commands.base import Command
from zlp.engine.commands.governance import Found
from zlp.engine.version import VERSION
from zlp.journal import Header, Journal, JournalMismatch, Record, SnapshotFolder
from zlp.journal.record import decode_evidence, decode_raw_envelope, key_of
from zlp.journal.replay import replay, require_profile
from zlp.node.facts import Fact, Submission, fact_of
from zlp.node.faults import ClientIdReused, NodeDown, NodeFull, NotAdmitted
from zlp.node.feed import Feed
from zlp.node.metrics import NodeMetrics
from zlp.node.sequencer import Sequenced, Sequencer

log = structlog.get_logger("zlp.node")
SNAPSHOT_FRESH_SECONDS = 5.0
Reply = asyncio.Future[tuple[Fact, ...]]
Group = list[tuple[Reply, list[Sequenced]]]


@dataclass(frozen=True)
class NodeSettings:
    """``group_limit``: commands per sync at most. ``waiting_limit``: commands that may wait before ``NodeFull``.
    ``recent_facts``: kept in memory for streams. ``snapshot_every``: commands between snapshots, 0 for none."""

    group_limit: int = 512
    waiting_limit: int = 8_192
    recent_facts: int = 20_000
    snapshot_every: int = 100_000


class Node:
    """A venue's one writer. ``start`` recovers it, ``submit`` commands it, ``stop`` ends it in order."""

    def __init__(
        self,
        journal: Journal,
        *,
        snapshots: SnapshotFolder | None = None,
        settings: NodeSettings | None = None,
        clock: Callable[[], int] = time.time_ns,
        engine_version: str = VERSION,
    ) -> None:
        self.journal = journal
        self.snapshots = snapshots
        self.settings = settings or NodeSettings()
        self.metrics = NodeMetrics()
        self.feed = Feed(journal, self.settings.recent_facts)
        self.status = "starting"
        self.fault = ""
        self.stopped = asyncio.Event()
        self._clock, self._engine_version = clock, engine_version
        self._sequencer = Sequencer(Root(), clock)
        self._waiting: deque[tuple[Submission, Reply]] = deque()
        self._waiting_commands = 0
        self._pending: dict[bytes, tuple[Submission, Reply]] = {}
        self._scheduled = False
        self._syncing = False
        self._readers: list[asyncio.Future[None]] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._next_snapshot = 0
        self._snapshot_task: asyncio.Future[None] | None = None
        self._snapshot_text: tuple[float, asyncio.Future[bytes]] | None = None

    @property
    def root(self) -> Root:
        """The state. Read it right after ``await durable()``, with no other await between; never change it."""
        return self._sequencer.root

    @property
    def is_durable(self) -> bool:
        """Whether everything in the state is in the journal at this moment."""
        return not self._syncing

    async def durable(self) -> None:
        """Wait until everything in the state is durable; it is, until the caller awaits again."""
        if self._syncing:
            reader = asyncio.get_running_loop().create_future()
            self._readers.append(reader)
            await reader
        if self.status == "failed":
            raise NodeDown(self.fault)

    @property
    def identity(self) -> str:
        """The venue's name in every signature."""
        header = self.journal.header
        return "" if header is None else header.identity

    def now(self) -> int:
        """The second a command submitted now would carry."""
        return max(self._clock() // 1_000_000_000, self.root.time)

    def start(self, genesis: Sequence[Envelope], progress: Callable[[int], None] | None = None) -> None:
        """Found the venue if the journal is empty, else recover it; recovery is replay, there is no other way.

        Raises ``JournalMismatch`` if the journal is of another profile or engine version.
        """
        header = self.journal.header
        found = next((each.command for each in genesis if isinstance(each.command, Found)), None)
        if header is None or (self.journal.last == 0 and found is not None):
            if found is None:
                raise JournalMismatch("the journal is empty, and no profile was given to found a venue with")
            self._found(genesis, found, header)
        else:
            if found is not None:
                require_profile(header, found.profile_hash)
            root = replay(
                self.journal, engine_version=self._engine_version, snapshots=self.snapshots, progress=progress
            )
            self._sequencer = Sequencer(root, self._clock)
        self.feed.last = self.journal.last
        self._next_snapshot = self.root.sequence + self.settings.snapshot_every
        gc.freeze()  # what was recovered stays; the collector need not look through it again and again
        self.status = "ready"
        self.metrics.ready.set(1)
        self.metrics.sequence.set(self.root.sequence)
        log.info("ready", venue=self.identity, sequence=self.root.sequence, digest=self.root.chain.hex()[:16])

    def _found(self, genesis: Sequence[Envelope], found: Found, header: Header | None) -> None:
        """Write genesis as one group: a venue is founded whole or not at all."""
        if header is None:
            self.journal.begin(
                Header(identity=found.identity, profile_hash=found.profile_hash, engine_version=self._engine_version)
            )
        done: list[Sequenced] = []
        for envelope in genesis:
            done += self._sequencer.take(Submission.trusted(envelope.account, envelope.command, local="genesis"))
        refused = next((each.fact for each in done if not each.fact.receipt.accepted), None)
        if refused is not None:
            raise JournalMismatch(f"the profile does not found a venue: {refused.command} {refused.receipt.rejection}")
        self.journal.append([each.record for each in done])

    def submit(self, submission: Submission) -> Reply:
        """Queue commands; the reply resolves to their facts once they are durable.

        Raises ``NodeDown``, ``NodeFull`` or ``ClientIdReused`` at once; the reply may raise ``NotAdmitted``,
        ``ClientIdReused`` or ``NodeDown``. A repeated intent gets the outcome of the first, whether it still waits or
        is long done.
        """
        if self.status != "ready":
            raise NodeDown(self.fault or self.status)
        key = submission.key
        waiting = self._pending.get(key) if key else None
        if waiting is not None:
            if waiting[0].texts != submission.texts:
                raise ClientIdReused(0)
            return asyncio.shield(waiting[1])
        if self._waiting_commands + len(submission.commands) > self.settings.waiting_limit:
            self.metrics.refused.labels("full").inc()
            raise NodeFull
        reply: Reply = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, reply))
        self._waiting_commands += len(submission.commands)
        if key:
            self._pending[key] = (submission, reply)
        self._schedule()
        return reply

    async def command(self, account: str, *commands: Command, local: str) -> tuple[Fact, ...]:
        """Submit commands of a trusted caller in this process and wait until they are durable."""
        return await self.submit(Submission.trusted(account, *commands, local=local))

    def find(self, account: str, client_id: str) -> int | None:
        """Sequence of the intent an account sent under this client id or nonce, if it is in the journal."""
        found = self.journal.find(key_of(account, 0, client_id))
        if found is None and client_id.isascii() and client_id.isdigit() and len(client_id) <= 18:
            found = self.journal.find(key_of(account, int(client_id), ""))
        return found

    def _repeat(self, sequence: int, submission: Submission, reply: Reply) -> None:
        """Answer an intent that is in the journal with what became of it."""
        self._pending.pop(submission.key, None)
        try:
            facts = self._recorded(sequence, submission)
        except ClientIdReused as reused:
            if not reply.done():
                reply.set_exception(reused)
        else:
            if not reply.done():
                reply.set_result(facts)

    def _recorded(self, sequence: int, submission: Submission) -> tuple[Fact, ...]:
        """The facts of the intent journalled at ``sequence``, if it is the same one."""
        first = next(self.journal.records(sequence - 1, sequence))
        count = decode_evidence(first.evidence).count
        records: list[Record] = list(self.journal.records(sequence - 1, sequence - 1 + count))
        texts = tuple(bytes(decode_raw_envelope(each.envelope).command) for each in records)
        if texts != submission.texts:
            raise ClientIdReused(sequence)
        return tuple(fact_of(record) for record in records)

    def _run_group(self) -> None:
        """Apply what waits, and hand it to the writer; the next group starts when this one is durable."""
        self._scheduled = False
        if self._syncing or self.status in ("failed", "stopped"):
            return
        started = time.perf_counter()
        group: Group = []
        size = 0
        try:
            # One question to the journal for the whole group: who was here before?
            asked = list(itertools.islice(self._waiting, self.settings.group_limit))
            known = self.journal.find_all([submission.key for submission, _ in asked if submission.key])
            for submission, reply in asked:
                if size >= self.settings.group_limit:
                    break
                self._waiting.popleft()
                self._waiting_commands -= len(submission.commands)
                if submission.key in known:
                    self._repeat(known[submission.key], submission, reply)
                    continue
                done = self._take(submission, reply)
                if done:
                    group.append((reply, done))
                    size += len(done)
        except Exception as fault:  # noqa: BLE001 - whatever it is, going on could acknowledge a lie
            self._fail(fault, group)
            return
        if group:
            self._syncing = True
            applied = time.perf_counter()
            self.metrics.engine.inc(applied - started)
            records = [each.record for _, done in group for each in done]
            job = asyncio.get_running_loop().run_in_executor(self._writer, self.journal.append, records)
            job.add_done_callback(lambda ended: self._synced(group, applied, ended))
        else:
            self._schedule()

    def _synced(self, group: Group, started: float, job: asyncio.Future[None]) -> None:
        """The group is durable, or the node is done. Readers go before the next group is applied."""
        self._syncing = False
        fault = job.exception()
        if fault is not None:
            self._fail(fault, group)
        else:
            synced = time.perf_counter()
            self._tell(group)
            self._count(group, synced - started, time.perf_counter() - synced)
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled and not self._syncing:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run_group)

    def _take(self, submission: Submission, reply: Reply) -> list[Sequenced] | None:
        try:
            return self._sequencer.take(submission)
        except NotAdmitted as refused:
            self._pending.pop(submission.key, None)
            self.metrics.refused.labels(refused.rejection.code.value).inc()
            if not reply.done():
                reply.set_exception(refused)
            return None
        except Exception:
            log.critical("the engine is at fault", commands=[text.decode() for text in submission.texts])
            if not reply.done():
                reply.set_exception(NodeDown("the engine refused to go on"))
            raise

    def _tell(self, group: Group) -> None:
        facts: list[Fact] = []
        for reply, done in group:
            made = tuple(each.fact for each in done)
            facts += made
            self._pending.pop(done[0].record.key, None)
            if not reply.done():
                reply.set_result(made)
        self.feed.publish(facts)
        if self.snapshots is not None and self.settings.snapshot_every and facts[-1].sequence >= self._next_snapshot:
            self._next_snapshot = facts[-1].sequence + self.settings.snapshot_every
            self._snapshot_task = asyncio.get_running_loop().run_in_executor(None, self._save_snapshot, self.copy())

    def _count(self, group: Group, sync: float, told: float) -> None:
        size = sum(len(done) for _, done in group)
        rejected = sum(1 for _, done in group for each in done if each.fact.receipt.rejection is not None)
        metrics = self.metrics
        metrics.accepted.inc(size - rejected)
        metrics.rejected.inc(rejected)
        metrics.journal.inc(sync)
        metrics.publish.inc(told)
        metrics.sync.observe(sync)
        metrics.group.observe(size)
        metrics.waiting.set(self._waiting_commands)
        metrics.sequence.set(self.feed.last)

    def _fail(self, fault: BaseException, group: Group) -> None:
        """Stop for good: the unsynced state dies with the process, nobody was told of it."""
        self.status, self.fault = "failed", str(fault)
        self.metrics.ready.set(0)
        log.critical("stopped", reason=self.fault, kind=type(fault).__name__)
        for reply in (*(reply for reply, _ in group), *(reply for _, reply in self._waiting)):
            if not reply.done():
                reply.set_exception(NodeDown(self.fault))
        self._waiting.clear()
        self._pending.clear()
        self.stopped.set()

    async def snapshot_text(self) -> bytes:
        """The whole state as JSON, of now or of a few seconds ago.

        Encoded off the event loop, once for everybody who asks meanwhile: it costs O(leaves), and anybody may ask.
        """
        loop = asyncio.get_running_loop()
        made = self._snapshot_text
        if made is None or (made[1].done() and loop.time() - made[0] > SNAPSHOT_FRESH_SECONDS):
            await self.durable()
            frozen = self.copy()
            job = loop.run_in_executor(None, lambda: msgspec.json.encode(frozen.snapshot()))
            made = self._snapshot_text = (loop.time(), job)
        return await asyncio.shield(made[1])

    def copy(self) -> Root:
        """The root as it is now; leaves are immutable, so this copies tables, not state. Call between awaits."""
        return self.root.copy()

    def _save_snapshot(self, root: Root) -> None:
        if self.snapshots is None or root.sequence in self.snapshots.sequences():
            return
        try:
            path = self.snapshots.save(root.snapshot())
            log.info("snapshot", path=str(path))
        except OSError as fault:
            log.error("no snapshot", reason=str(fault))  # recovery only takes longer

    async def stop(self) -> None:
        """Take nothing new, finish what waits, save a snapshot, close the journal."""
        if self.status == "ready":
            self.status = "stopping"
            self.metrics.ready.set(0)
            while self.status == "stopping" and (self._waiting or self._syncing):
                self._run_group()
                with contextlib.suppress(NodeDown):
                    await self.durable()
            if self._snapshot_task is not None:
                await self._snapshot_task
            if self.status == "stopping":
                self._save_snapshot(self.root)
                self.status = "stopped"
                log.info("stopped", sequence=self.root.sequence, digest=self.root.chain.hex()[:16])
        self._writer.shutdown()
        self.journal.close()
        self.stopped.set()

    def describe(self) -> dict[str, str]:
        """Health in words."""
        return {
            "status": self.status,
            "fault": self.fault,
            "sequence": str(self.feed.last),
            "waiting": str(self._waiting_commands),
        }
