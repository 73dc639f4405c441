"""What must hold after the crash storm, checked on the folder alone and against what clients were told."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import msgspec

from tests.journal.venue_log import BOB
from tests.storm.crash_load import Load
from zlp import __version__
from zlp.engine import Root
from zlp.engine.codec import decode_envelope, wire
from zlp.engine.ledger import balance_of
from zlp.journal import JournalCorrupt, Record, SnapshotFolder, SqliteJournal
from zlp.journal.record import decode_evidence, decode_raw_envelope
from zlp.journal.replay import replay
from zlp.journal.verify import verify


def prove(folder: Path, load: Load) -> dict[str, object]:
    """Every claim of the storm; raises ``AssertionError`` at the first that fails."""
    journal = SqliteJournal(folder)
    every = list(journal.records())
    by_client: dict[str, list[Record]] = {}
    for index, record in enumerate(every):
        evidence = decode_evidence(record.evidence)
        if evidence.signature:
            assert evidence.client_id not in by_client, f"{evidence.client_id} is there twice"
            by_client[evidence.client_id] = every[index : index + evidence.count]
    moved = 0
    for client_id, told in load.acknowledged.items():
        records = by_client.get(client_id)
        assert records is not None, f"{client_id} was acknowledged and is lost"
        assert tuple(record.sequence for record in records) == told.sequences, client_id
        assert tuple(record.digest for record in records) == told.digests, client_id
        assert tuple(bytes(decode_raw_envelope(record.envelope).command) for record in records) == told.texts
    assert set(by_client) == set(load.acknowledged), "an intent nobody was told of"

    uninterrupted = Root()
    for record in every:
        receipt = uninterrupted.apply(decode_envelope(record.envelope))
        assert receipt.digest == record.digest
        assert wire(receipt) == record.receipt
    for told in load.acknowledged.values():
        for text, accepted in zip(told.texts, told.accepted, strict=True):
            moved += int(msgspec.json.decode(text)["amount"]) if accepted else 0
    assert balance_of(uninterrupted.state, BOB, "USDC") == moved

    snapshots = SnapshotFolder(folder / "snapshots")
    recovered = replay(journal, engine_version=__version__, snapshots=snapshots)
    assert (recovered.chain, recovered.state_hash()) == (uninterrupted.chain, uninterrupted.state_hash())
    report = verify(journal, engine_version=__version__, snapshots=snapshots)
    assert report.signatures == len(by_client)
    assert not report.faults
    journal.close()
    return {
        "intents acknowledged, each there once": load.count,
        "records": len(every),
        "signatures verified": report.signatures,
        "snapshots compared": len(snapshots.sequences()),
        "digest of an uninterrupted run": uninterrupted.chain.hex(),
        "digest after the storm": recovered.chain.hex(),
    }


def damaged_copy(folder: Path, chooser: random.Random) -> bool:
    """Damage a copy of what the kill left: it is refused (``True``), or reads exactly as the undamaged one."""
    if not (folder / "journal.sqlite").exists():
        return False
    with tempfile.TemporaryDirectory(prefix="zlp-damage-") as scratch:
        sound, damaged = Path(scratch) / "sound", Path(scratch) / "damaged"
        for copy in (sound, damaged):
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm", "snapshots", "lock"))
        expected = _content(sound)
        log = damaged / "journal.sqlite-wal"
        victim = chooser.choice([path for path in (damaged / "journal.sqlite", log, log) if path.exists()])
        raw = bytearray(victim.read_bytes())
        if not raw:
            return False
        if chooser.random() < 0.5:
            del raw[chooser.randrange(len(raw)) :]
        else:
            raw[chooser.randrange(len(raw))] ^= 1 << chooser.randrange(8)
        victim.write_bytes(raw)
        try:
            content = _content(damaged)
        except JournalCorrupt as fault:
            return str(damaged) in fault.place
        assert content == expected, "a damaged journal was accepted with other content"
        return False


def _content(folder: Path) -> list[Record]:
    journal = SqliteJournal(folder)
    try:
        return list(journal.records())
    finally:
        journal.close()
