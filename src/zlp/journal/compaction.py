"""Compaction: drop records that a snapshot stands for, after proving by re-execution that it does."""

from __future__ import annotations

from typing import NamedTuple

from zlp.journal.port import Journal, JournalError
from zlp.journal.replay import Difference, Progress, execute, load_snapshot
from zlp.journal.snapshots import SnapshotFolder
from zlp.journal.verify import oldest_root


class Compaction(NamedTuple):
    """``base``: the last sequence that is gone, the state of which is in a snapshot. ``dropped``: how many records."""

    base: int
    dropped: int


def compact(
    journal: Journal,
    snapshots: SnapshotFolder,
    *,
    engine_version: str,
    before_ns: int,
    progress: Progress | None = None,
) -> Compaction:
    """Drop everything up to the newest snapshot taken before ``before_ns``.

    Keep at least the longest deadline the venue accepts: a dropped intent is no longer recognised when it is
    sent again, and one that was rejected could then run. Nothing is dropped if re-execution from the oldest
    state does not arrive at the snapshot.
    """
    header = journal.header
    if header is None:
        raise JournalError("the journal is empty")
    target = _target(journal, snapshots, header.base, before_ns)
    if target is None:
        return Compaction(header.base, 0)
    root = oldest_root(journal, header, engine_version, snapshots)
    for record in journal.records(root.sequence, target):
        execute(root, record)
        if progress is not None:
            progress(record.sequence)
    stored = load_snapshot(journal, header, snapshots, target)
    if stored.state_hash() != root.state_hash():
        raise Difference(target, f"snapshot state {stored.state_hash()[:16]}", root.state_hash()[:16])
    dropped = journal.drop_until(target)
    snapshots.drop_before(target)
    return Compaction(target, dropped)


def _target(journal: Journal, snapshots: SnapshotFolder, base: int, before_ns: int) -> int | None:
    for sequence in reversed(snapshots.sequences()):
        if base < sequence <= journal.last and next(journal.records(sequence - 1, sequence)).time_ns < before_ns:
            return sequence
    return None
