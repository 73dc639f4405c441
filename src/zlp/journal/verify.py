"""Verification: nothing is believed. Re-execute every record, compare every digest, check every signature."""

from __future__ import annotations

from dataclasses import dataclass, field

from zlp import signing
from zlp.engine import Root
from zlp.engine.codec import decode_command
from zlp.journal.port import Header, Journal, JournalError
from zlp.journal.record import Evidence, RawEnvelope, Record, decode_evidence, decode_raw_envelope
from zlp.journal.replay import Difference, Progress, execute, first_of_version, load_snapshot, require_engine
from zlp.journal.snapshots import SnapshotFolder
from zlp.signing.credit_orders import require_signers


class BadSignature(JournalError):  # noqa: N818 - named by what happened
    """A record's signature is not by who the record says. ``sequence`` is the first such record."""

    def __init__(self, sequence: int, reason: str) -> None:
        super().__init__(f"record {sequence}: {reason}")
        self.sequence = sequence


@dataclass
class Verification:
    """What was checked. ``local`` counts records that trusted callers inside the venue's process gave."""

    first: int
    last: int = 0
    digest: str = ""
    state_hash: str = ""
    signatures: int = 0
    local: int = 0
    faults: list[str] = field(default_factory=list)


def verify(
    journal: Journal,
    *,
    engine_version: str,
    snapshots: SnapshotFolder | None = None,
    check_signatures: bool = True,
    progress: Progress | None = None,
) -> Verification:
    """Check the journal from its first record (or, where it was compacted, from its oldest snapshot).

    Raises the first ``JournalCorrupt``, ``Difference``, ``BadSignature`` or ``JournalMismatch``.
    """
    header = journal.header
    if header is None:
        return Verification(first=0)
    root = oldest_root(journal, header, engine_version, snapshots)
    report = Verification(first=root.sequence + 1)
    intents = _Intents(signing.domain_separator(header.identity), report)
    wanted = set() if snapshots is None else set(snapshots.sequences())
    for record in journal.records(root.sequence):
        if check_signatures:
            intents.take(record)
            _check_signed_orders(intents.separator, record)
        execute(root, record)
        if snapshots is not None and record.sequence in wanted:
            _compare_snapshot(root, snapshots, record.sequence)
        if progress is not None:
            progress(record.sequence)
    intents.finish()
    report.last, report.digest, report.state_hash = root.sequence, root.chain.hex(), root.state_hash()
    report.faults = root.audit()
    return report


def _check_signed_orders(separator: bytes, record: Record) -> None:
    """Orders signed away from the venue carry their signatures inside the command."""
    if b"SignedOrder" not in record.envelope:
        return
    try:
        require_signers(separator, decode_command(bytes(decode_raw_envelope(record.envelope).command)))
    except signing.SignatureRefused as fault:
        raise BadSignature(record.sequence, str(fault)) from None


def oldest_root(journal: Journal, header: Header, engine_version: str, snapshots: SnapshotFolder | None) -> Root:
    """The root from which everything that is left can be executed: empty, or of the oldest usable snapshot."""
    require_engine(header, engine_version)
    start = max(header.base, first_of_version(header) - 1)
    if not start:
        return Root()
    older = [] if snapshots is None else [number for number in snapshots.sequences() if number >= start]
    if snapshots is None or not older:
        raise JournalError(f"records up to {start} can't be executed here, and there is no snapshot to start from")
    return load_snapshot(journal, header, snapshots, older[0])


def _compare_snapshot(root: Root, snapshots: SnapshotFolder, sequence: int) -> None:
    stored, computed = snapshots.load(sequence)["state_hash"], root.state_hash()
    if stored != computed:
        raise Difference(sequence, f"snapshot state {stored[:16]}", computed[:16])


class _Intents:
    """Collects the records of one intent and checks its signature when the last has come."""

    def __init__(self, separator: bytes, report: Verification) -> None:
        self.separator, self.report = separator, report
        self.first: Record | None = None
        self.evidence = Evidence()
        self.envelopes: list[RawEnvelope] = []

    def take(self, record: Record) -> None:
        """Add a record."""
        evidence = decode_evidence(record.evidence)
        if evidence.signature:
            self.finish()
            self.first, self.evidence, self.envelopes = record, evidence, []
        elif evidence.intent:
            if self.first is None or evidence.intent != self.first.sequence:
                raise BadSignature(record.sequence, f"it belongs to no signed intent at {evidence.intent}")
        else:
            self.finish()
            self.report.local += 1
            return
        self.envelopes.append(decode_raw_envelope(record.envelope))
        if len(self.envelopes) == self.evidence.count:
            self.finish()

    def finish(self) -> None:
        """Check the intent that is complete."""
        if self.first is None:
            return
        sequence, self.first = self.first.sequence, None
        head = self.envelopes[0]
        if len(self.envelopes) != self.evidence.count:
            raise BadSignature(sequence, f"{len(self.envelopes)} of the intent's {self.evidence.count} commands")
        if any((each.account, each.signer) != (head.account, head.signer) for each in self.envelopes):
            raise BadSignature(sequence, "one intent, several accounts")
        intent = signing.Intent(
            account=head.account,
            commands=tuple(bytes(each.command) for each in self.envelopes),
            nonce=int(self.evidence.nonce),
            deadline=int(self.evidence.deadline),
            client_id=self.evidence.client_id,
        )
        try:
            signer = signing.recover(
                signing.digest(self.separator, intent), bytes.fromhex(self.evidence.signature.removeprefix("0x"))
            )
        except ValueError as fault:
            raise BadSignature(sequence, str(fault)) from None
        if signer != (head.signer or head.account):
            raise BadSignature(sequence, f"signed by {signer}, recorded as {head.signer or head.account}")
        self.report.signatures += 1
