"""A damaged journal is refused with the place named, or is not damaged at all: never silently shorter or other."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.journal.venue_log import HEADER, intent_records, records
from zlp import __version__
from zlp.engine import Root
from zlp.engine.codec import wire
from zlp.engine.commands.custody import Transfer
from zlp.journal import JournalCorrupt, MemoryJournal, SnapshotFolder, SqliteJournal
from zlp.journal.replay import Difference, replay
from zlp.journal.verify import BadSignature, verify

SIGNED = 60
FLIPS = 400


@pytest.fixture(scope="module")
def crashed(tmp_path_factory) -> Path:
    """A journal's folder as a killed process leaves it: part in the database, part in its write-ahead log."""
    folder = tmp_path_factory.mktemp("venue")
    every = list(records(SIGNED))
    first = SqliteJournal(folder)
    first.begin(HEADER)
    first.append(every[:30])
    first.close()
    second = SqliteJournal(folder)
    for record in every[30:]:
        second.append([record])
    copy = tmp_path_factory.mktemp("crashed") / "venue"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))
    second.close()
    assert (copy / "journal.sqlite-wal").stat().st_size > 0
    return copy


@pytest.fixture
def folder(crashed: Path, tmp_path: Path) -> Path:
    """A fresh copy to damage."""
    return shutil.copytree(crashed, tmp_path / "venue")


def content(folder: Path) -> list:
    """Everything a node would read."""
    journal = SqliteJournal(folder)
    try:
        return list(journal.records())
    finally:
        journal.close()


def test_what_a_crash_leaves_is_whole(folder: Path) -> None:
    """A2: the undamaged copy opens; the tests below damage it."""
    assert content(folder) == list(records(SIGNED))


@pytest.mark.parametrize("name", ["journal.sqlite", "journal.sqlite-wal", "journal.head"])
def test_no_flipped_bit_changes_what_is_read(crashed: Path, tmp_path: Path, name: str) -> None:
    """A2: every flip is refused, or fell where nothing is stored."""
    expected = list(records(SIGNED))
    size = (crashed / name).stat().st_size
    chooser = random.Random(name)
    refused: list[str] = []
    for number in range(FLIPS if name != "journal.head" else 60):
        folder = shutil.copytree(crashed, tmp_path / str(number))
        place = chooser.randrange(size) if name != "journal.head" else chooser.randrange(96)
        damage(folder / name, place, chooser.randrange(8))
        try:
            assert content(folder) == expected, f"bit at byte {place} of {name} changed what is read"
        except JournalCorrupt as fault:
            refused.append(fault.place)
        shutil.rmtree(folder)
    assert all(place.startswith(str(tmp_path)) for place in refused)
    assert refused or name == "journal.head"  # one damaged slot of the head leaves the other


def damage(path: Path, place: int, bit: int) -> None:
    """Flip one bit."""
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1 << bit
    path.write_bytes(raw)


@pytest.mark.parametrize("lost", [1, 512, 4_096, 4_120, 20_000])
def test_a_lost_tail_is_refused(folder: Path, lost: int) -> None:
    """A2: SQLite forgets a torn end of its log; the head file remembers what was acknowledged."""
    path = folder / "journal.sqlite-wal"
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(JournalCorrupt, match="were acknowledged") as fault:
        SqliteJournal(folder)
    assert "record" in fault.value.place


def test_a_lost_log_is_refused(folder: Path) -> None:
    """A2: without the write-ahead log the newest records are gone."""
    (folder / "journal.sqlite-wal").unlink()
    with pytest.raises(JournalCorrupt, match="record 31: the journal ends at 30, but records up to 65"):
        SqliteJournal(folder)


@pytest.mark.parametrize("share", [0, 3, 6])
def test_a_truncated_database_is_refused(folder: Path, share: int) -> None:
    """A2: at any length."""
    path = folder / "journal.sqlite"
    (folder / "journal.sqlite-wal").unlink()
    path.write_bytes(path.read_bytes()[: path.stat().st_size * share // 7])
    with pytest.raises(JournalCorrupt):
        SqliteJournal(folder)


@pytest.mark.parametrize("how", ["missing", "blank", "short"])
def test_a_lost_head_is_refused(folder: Path, how: str) -> None:
    """A2: without the head a lost tail could not be noticed."""
    head = folder / "journal.head"
    if how == "missing":
        head.unlink()
    else:
        head.write_bytes(bytes(8_192) if how == "blank" else head.read_bytes()[:20])
    with pytest.raises(JournalCorrupt, match=r"journal\.head"):
        SqliteJournal(folder)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE records SET envelope = replace(envelope, 'USDC', 'USDT') WHERE sequence = 20",
        "UPDATE records SET time_ns = time_ns + 1 WHERE sequence = 20",
        "UPDATE records SET key = x'00112233445566778899aabbccddeeff' WHERE sequence = 20",
        "UPDATE records SET digest = (SELECT digest FROM records WHERE sequence = 19) WHERE sequence = 20",
        "DELETE FROM records WHERE sequence = 20",
        "UPDATE records SET sequence = 1000 WHERE sequence = 20",
    ],
)
def test_edited_records_are_refused_by_number(folder: Path, change: str) -> None:
    """A2: whoever edits the database is found out at the record they touched."""
    with sqlite3.connect(folder / "journal.sqlite") as database:
        database.execute(change)
    database.close()
    with pytest.raises(JournalCorrupt, match="record 20") as fault:
        SqliteJournal(folder)
    assert fault.value.place.endswith("record 20")


def test_another_tail_is_refused(folder: Path) -> None:
    """A2: a sound journal that is not the acknowledged one (an old copy that went on) is refused."""
    root = Root()
    head = (folder / "journal.head").read_bytes()
    every = list(records(25, root=root))
    for number in range(40):
        text = wire(Transfer(token="USDC", to="0x" + "0c" * 20, amount=number + 1))
        every += intent_records(root, (text,), nonce=1_700_000_500_000 + number)
    shutil.rmtree(folder)
    other = SqliteJournal(folder)
    other.begin(HEADER)
    other.append(every)
    other.close()
    (folder / "journal.head").write_bytes(head)
    with pytest.raises(JournalCorrupt, match="not the record that was acknowledged"):
        SqliteJournal(folder)


def forged(number: int, **changes):
    """A journal whose chain is sound, but one record of which was replaced before it was chained."""
    journal = MemoryJournal()
    journal.begin(HEADER)
    every = list(records(12))
    every[number - 1] = replace(every[number - 1], **changes)
    journal.append(every)
    return journal


def test_verify_names_the_first_difference() -> None:
    """A2: a journal that was rewritten with a fresh chain does not survive re-execution."""
    ninth = list(records(12))[8]
    changed = ninth.envelope.replace(b'"amount":"4"', b'"amount":"5"')
    assert changed != ninth.envelope
    with pytest.raises(BadSignature, match="record 9"):
        verify(forged(9, envelope=changed), engine_version=__version__)
    with pytest.raises(Difference, match="record 9"):
        verify(forged(9, envelope=changed), engine_version=__version__, check_signatures=False)
    with pytest.raises(Difference, match="record 9"):
        replay(forged(9, receipt=ninth.receipt.replace(b"USDC", b"USDT")), engine_version=__version__)
    with pytest.raises(BadSignature, match="record 9"):
        verify(forged(9, evidence=b'{"intent":8}'), engine_version=__version__)


def test_a_damaged_snapshot_is_passed_over_or_refused(tmp_path: Path) -> None:
    """A2: the journal is the truth; a bad snapshot is used by nobody."""
    journal = MemoryJournal()
    journal.begin(HEADER)
    journal.append(list(records(12)))
    root = replay(journal, engine_version=__version__)
    snapshots = SnapshotFolder(tmp_path)
    path = snapshots.save(root.snapshot())
    damage(path, 300, 1)
    assert replay(journal, engine_version=__version__, snapshots=snapshots).chain == root.chain
    journal.drop_until(17)
    with pytest.raises(JournalCorrupt, match="snapshot"):
        replay(journal, engine_version=__version__, snapshots=snapshots)
