"""A journal in memory: for tests and simulations. Nothing of it survives the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from zlp.journal.port import Header, JournalCorrupt, JournalError
from zlp.journal.record import Record, link


class MemoryJournal:
    """Keeps records in a list, with the same chain and the same checks as the durable one."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._records: list[Record] = []
        self._links: list[bytes] = []
        self._keys: dict[bytes, int] = {}

    @property
    def header(self) -> Header | None:
        """``None`` before ``begin``."""
        return self._header

    @property
    def last(self) -> int:
        """Sequence of the newest record."""
        return (self._header.base if self._header else 0) + len(self._records)

    def begin(self, header: Header) -> None:
        """Name the venue."""
        if self._header is not None:
            raise JournalError("the journal has begun")
        self._header = header

    def append(self, records: Sequence[Record]) -> None:
        """Store records."""
        header = self._need_header()
        for record in records:
            if record.sequence != self.last + 1:
                raise JournalError(f"record {record.sequence} does not follow {self.last}")
            previous = self._links[-1] if self._links else header.base_link
            self._links.append(link(previous, record))
            self._records.append(record)
            if record.key:
                self._keys.setdefault(record.key, record.sequence)

    def records(self, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Records in order, checked."""
        base = self._header.base if self._header else 0
        if after < base:
            raise JournalError(f"records up to {base} were compacted away")
        stop = self.last if until is None else min(until, self.last)
        for index in range(after - base, stop - base):
            previous = self._links[index - 1] if index else self._need_header().base_link
            record = self._records[index]
            if link(previous, record) != self._links[index]:
                raise JournalCorrupt(f"record {record.sequence}", "its content does not match the integrity chain")
            yield record

    def find(self, key: bytes) -> int | None:
        """Sequence of the record with this key."""
        return self._keys.get(key)

    def find_all(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Those of many keys that are here."""
        return {key: self._keys[key] for key in keys if key in self._keys}

    def upgrade(self, engine_version: str) -> None:
        """Note another engine version."""
        header = self._need_header()
        upgrades = (*header.upgrades, (self.last + 1, engine_version))
        self._header = replace(header, engine_version=engine_version, upgrades=upgrades)

    def drop_until(self, sequence: int) -> int:
        """Compaction."""
        header = self._need_header()
        count = max(0, min(sequence, self.last) - header.base)
        if count:
            base_link = self._links[count - 1]
            for record in self._records[:count]:
                self._keys.pop(record.key, None)
            del self._records[:count], self._links[:count]
            self._header = replace(header, base=header.base + count, base_link=base_link)
        return count

    def close(self) -> None:
        """Nothing to release."""

    def _need_header(self) -> Header:
        if self._header is None:
            raise JournalError("the journal has not begun")
        return self._header
