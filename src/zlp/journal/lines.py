"""The journal as JSON lines: one header line, then one line per record; for archives, audits and other tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import msgspec

from zlp.journal.port import Header, Journal, JournalCorrupt, JournalError
from zlp.journal.record import Record


class _Line(msgspec.Struct):
    sequence: int
    time_ns: str
    envelope: msgspec.Raw
    evidence: msgspec.Raw
    digest: str
    receipt: msgspec.Raw
    key: str


def export(journal: Journal, target: IO[bytes], *, after: int | None = None, until: int | None = None) -> int:
    """Write the header and the records; how many records."""
    header = journal.header
    if header is None:
        raise JournalError("the journal is empty")
    target.write(msgspec.json.encode({"header": header}) + b"\n")
    count = 0
    for record in journal.records(header.base if after is None else after, until):
        target.write(msgspec.json.encode(_line(record)) + b"\n")
        count += 1
    return count


def _line(record: Record) -> _Line:
    return _Line(
        sequence=record.sequence,
        time_ns=str(record.time_ns),
        envelope=msgspec.Raw(record.envelope),
        evidence=msgspec.Raw(record.evidence),
        digest=record.digest,
        receipt=msgspec.Raw(record.receipt),
        key=record.key.hex(),
    )


def load(lines: Iterable[bytes], journal: Journal) -> int:
    """Fill an empty journal from an export; how many records. Verify it afterwards: an export carries no links."""
    source = iter(lines)
    first = next(source, b"")
    try:
        journal.begin(msgspec.json.decode(first, type=dict[str, Header])["header"])
        count = 0
        group: list[Record] = []
        for record in _records(source):
            group.append(record)
            count += 1
            if len(group) == 1_000:
                journal.append(group)
                group = []
        if group:
            journal.append(group)
    except (msgspec.MsgspecError, KeyError, ValueError) as fault:
        raise JournalCorrupt("export", str(fault)) from fault
    return count


def _records(lines: Iterator[bytes]) -> Iterator[Record]:
    for line in lines:
        item = msgspec.json.decode(line, type=_Line)
        yield Record(
            item.sequence,
            int(item.time_ns),
            bytes(item.envelope),
            bytes(item.evidence),
            item.digest,
            bytes(item.receipt),
            bytes.fromhex(item.key),
        )
