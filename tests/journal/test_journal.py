"""Journals keep what they are given, in order, and give it back (A2)."""

import io
from pathlib import Path

import pytest

from tests.journal.venue_log import HEADER, records
from zlp import __version__
from zlp.engine import Root
from zlp.journal import JournalError, JournalMismatch, MemoryJournal, SnapshotFolder, SqliteJournal, lines
from zlp.journal.compaction import compact
from zlp.journal.replay import replay, require_profile
from zlp.journal.verify import verify


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path: Path):
    """An empty journal of each kind."""
    made = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "venue")
    yield made
    made.close()


def filled(journal, signed: int = 20, batch: int = 1) -> Root:
    """Fill it in groups of different sizes; the root that was recorded."""
    root = Root()
    journal.begin(HEADER)
    every = list(records(signed, root=root, batch=batch))
    while every:
        group, every = every[: len(every) % 7 + 1], every[len(every) % 7 + 1 :]
        journal.append(group)
    return root


def test_records_come_back_as_they_went_in(journal) -> None:
    """A2: same records, same order, by any range."""
    filled(journal)
    expected = list(records(20))
    assert list(journal.records()) == expected
    assert list(journal.records(3, 9)) == expected[3:9]
    assert journal.last == len(expected)


def test_replay_gives_the_same_state_and_digest(journal) -> None:
    """A2: the state is a function of the log."""
    root = filled(journal)
    again = replay(journal, engine_version=__version__)
    assert (again.chain, again.state_hash(), again.time) == (root.chain, root.state_hash(), root.time)
    half = replay(journal, engine_version=__version__, until=10)
    assert half.sequence == 10


def test_verify_checks_every_signature(journal) -> None:
    """A2: batches and single intents, accepted and rejected ones."""
    root = filled(journal, signed=9, batch=3)
    report = verify(journal, engine_version=__version__)
    assert (report.signatures, report.local, report.last) == (9, 5, root.sequence)
    assert (report.digest, report.faults) == (root.chain.hex(), [])


def test_a_repeated_intent_is_found_by_its_key(journal) -> None:
    """A2: nothing is done twice."""
    filled(journal)
    sixth = list(records(20))[5]
    assert journal.find(sixth.key) == 6
    assert journal.find(bytes(16)) is None


def test_records_must_follow_each_other(journal) -> None:
    """A2: no gaps and no second writer's past."""
    filled(journal, signed=1)
    with pytest.raises(JournalError, match="does not follow"):
        journal.append(list(records(1))[:1])
    assert journal.last == 6


def test_another_engine_or_profile_is_refused(journal) -> None:
    """A1, A2: replay says what does not fit."""
    filled(journal, signed=1)
    with pytest.raises(JournalMismatch, match=r"9\.9\.9"):
        replay(journal, engine_version="9.9.9")
    with pytest.raises(JournalMismatch, match="founded with profile"):
        require_profile(journal.header, "cd" * 32)


def test_compaction_keeps_the_state_and_the_chain(journal, tmp_path: Path) -> None:
    """A2: a compacted journal replays to the same digest, and can be verified from its snapshot."""
    root = filled(journal)
    snapshots = SnapshotFolder(tmp_path / "snapshots")
    for until in (12, 18):
        snapshots.save(replay(journal, engine_version=__version__, until=until).snapshot())
    done = compact(journal, snapshots, engine_version=__version__, before_ns=2**62)
    assert (done.base, done.dropped) == (18, 18)
    assert snapshots.sequences() == [18]
    again = replay(journal, engine_version=__version__, snapshots=snapshots)
    assert again.chain == root.chain
    assert verify(journal, engine_version=__version__, snapshots=snapshots).first == 19
    with pytest.raises(JournalError, match="compacted away"):
        list(journal.records(3))
    with pytest.raises(JournalError, match="there is none"):
        replay(journal, engine_version=__version__)


def test_compaction_spares_what_is_recent(journal, tmp_path: Path) -> None:
    """A2: intents that could still be repeated stay recognisable."""
    filled(journal)
    snapshots = SnapshotFolder(tmp_path / "snapshots")
    snapshots.save(replay(journal, engine_version=__version__, until=12).snapshot())
    twelfth = list(records(20))[11]
    assert compact(journal, snapshots, engine_version=__version__, before_ns=twelfth.time_ns).dropped == 0


def test_export_and_load_give_the_same_journal(journal) -> None:
    """A2: an archive is as good as the journal."""
    filled(journal, batch=2)
    target = io.BytesIO()
    count = lines.export(journal, target)
    copy = MemoryJournal()
    assert lines.load(target.getvalue().splitlines(), copy) == count == journal.last
    assert list(copy.records()) == list(journal.records())
    assert verify(copy, engine_version=__version__).signatures == 20


def test_an_upgrade_starts_a_new_stretch(journal, tmp_path: Path) -> None:
    """A2: what another engine version wrote is never executed with this one."""
    filled(journal)
    snapshots = SnapshotFolder(tmp_path / "snapshots")
    snapshots.save(replay(journal, engine_version=__version__).snapshot())
    journal.upgrade("2.0.0")
    assert replay(journal, engine_version="2.0.0", snapshots=snapshots).sequence == 25
    with pytest.raises(JournalError, match="there is none"):
        replay(journal, engine_version="2.0.0")
    with pytest.raises(JournalMismatch):
        replay(journal, engine_version=__version__, snapshots=snapshots)


def test_reopening_continues(tmp_path: Path) -> None:
    """A2: a closed journal opens with everything in it."""
    first = SqliteJournal(tmp_path)
    filled(first)
    first.close()
    second = SqliteJournal(tmp_path)
    assert list(second.records()) == list(records(20))
    assert second.header == HEADER
    second.close()


def test_there_is_one_writer(tmp_path: Path) -> None:
    """A2: a second node on the same folder is refused; readers are not."""
    first = SqliteJournal(tmp_path)
    filled(first)
    with pytest.raises(JournalError, match="another process"):
        SqliteJournal(tmp_path)
    reader = SqliteJournal(tmp_path, read_only=True)
    assert reader.last == 25
    reader.close()
    first.close()
    reader = SqliteJournal(tmp_path, read_only=True)
    assert len(list(reader.records())) == 25
    reader.close()


def test_a_backup_opens_as_a_journal(tmp_path: Path) -> None:
    """A2: taken beside the running writer."""
    journal = SqliteJournal(tmp_path / "venue")
    filled(journal)
    reader = SqliteJournal(tmp_path / "venue", read_only=True)
    reader.copy_to(tmp_path / "backup")
    reader.close()
    journal.close()
    copy = SqliteJournal(tmp_path / "backup")
    assert list(copy.records()) == list(records(20))
    copy.close()
