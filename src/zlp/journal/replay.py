"""Re-execution: from the journal back to the state, comparing every receipt on the way."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from zlp.engine import Root
from zlp.engine.codec import decode_envelope, wire
from zlp.engine.leaves.access import Venue
from zlp.journal.port import Header, Journal, JournalCorrupt, JournalError, JournalMismatch
from zlp.journal.record import Record
from zlp.journal.snapshots import SnapshotFolder

Progress = Callable[[int], None]


class Difference(JournalError):  # noqa: N818 - named by what happened
    """The engine does not answer what the journal recorded. ``sequence`` is the first such record."""

    def __init__(self, sequence: int, recorded: str, computed: str) -> None:
        super().__init__(f"record {sequence}: the journal says {recorded}, this engine computes {computed}")
        self.sequence = sequence


def require_engine(header: Header, engine_version: str) -> None:
    """Refuse a journal whose next record is for another engine version."""
    if header.engine_version != engine_version:
        raise JournalMismatch(
            f"the journal is written by engine {header.engine_version}, this is {engine_version}, whose rules differ: "
            "run it with that version, or back it up and go on with this one by `zlp node --data FOLDER --upgrade` "
            "(docs/operations.md, Upgrade)"
        )


def require_profile(header: Header, profile_hash: str) -> None:
    """Refuse a journal of another profile."""
    if header.profile_hash != profile_hash:
        raise JournalMismatch(
            f"the journal was founded with profile {header.profile_hash[:12]}, "
            f"the profile given is {profile_hash[:12]}; name the first, or use another folder "
            "(a running venue changes by governance, not by another file)"
        )


def first_of_version(header: Header) -> int:
    """Sequence of the first record that this journal's present engine version wrote (1 if it never changed)."""
    return header.upgrades[-1][0] if header.upgrades else 1


def execute(root: Root, record: Record) -> None:
    """Apply one record; ``Difference`` if the receipt is another one than recorded."""
    receipt = root.apply(decode_envelope(record.envelope))
    if receipt.digest != record.digest:
        raise Difference(record.sequence, f"digest {record.digest[:16]}", f"{receipt.digest[:16]}")
    if wire(receipt) != record.receipt:
        raise Difference(record.sequence, "another receipt", "one with the same digest: the kept text was changed")


def replay(
    journal: Journal,
    *,
    engine_version: str,
    snapshots: SnapshotFolder | None = None,
    until: int | None = None,
    progress: Progress | None = None,
) -> Root:
    """The state after record ``until`` (default: the last), from the newest usable snapshot or from nothing.

    Every receipt digest is compared. Raises ``JournalMismatch``, ``JournalCorrupt`` or ``Difference``.
    """
    header = journal.header
    if header is None:
        return Root()
    require_engine(header, engine_version)
    stop = journal.last if until is None else until
    root = _start(journal, header, snapshots, stop)
    for record in journal.records(root.sequence, stop):
        execute(root, record)
        if progress is not None:
            progress(record.sequence)
    _check_venue(root, header)
    return root


def _start(journal: Journal, header: Header, snapshots: SnapshotFolder | None, stop: int) -> Root:
    """The root of the newest snapshot that fits the journal; an empty root where replay starts at the first record."""
    earliest = max(header.base, first_of_version(header) - 1)
    usable = [] if snapshots is None else [number for number in snapshots.sequences() if earliest <= number <= stop]
    refused: JournalCorrupt | None = None
    for number in reversed(usable):
        try:
            return load_snapshot(journal, header, snapshots, number)  # type: ignore[arg-type]
        except JournalCorrupt as fault:
            refused = fault
    if earliest == 0:
        return Root()
    if refused is not None:
        raise refused
    raise JournalError(f"replay starts from a snapshot at {earliest} or later, up to {stop}; there is none")


def load_snapshot(journal: Journal, header: Header, snapshots: SnapshotFolder, sequence: int) -> Root:
    """The root of one snapshot, if its hashes and the journal's digest of that record agree."""
    place = f"snapshot {sequence} in {snapshots.folder}"
    try:
        root = Root.restore(snapshots.load(sequence))
    except (ValueError, KeyError, msgspec.MsgspecError) as fault:
        raise JournalCorrupt(place, str(fault)) from fault
    if root.sequence != sequence:
        raise JournalCorrupt(place, f"it says it is of record {root.sequence}")
    if sequence > header.base:
        record = next(journal.records(sequence - 1, sequence))
        if record.digest != root.chain.hex():
            raise JournalCorrupt(place, "its digest is not the one the journal recorded")
    return root


def _check_venue(root: Root, header: Header) -> None:
    venue = root.state.get(Venue, ())
    if venue is not None and (venue.identity, venue.profile_hash) != (header.identity, header.profile_hash):
        raise JournalMismatch("the venue founded in this journal is not the one its header names")
