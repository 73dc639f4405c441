"""The journal on disk: one SQLite database in WAL mode with full sync, one writer, one head file.

A folder holds ``journal.sqlite`` (and its write-ahead log), ``journal.head``, ``snapshots/`` and the writer's
``lock``. Opening checks everything: the database's own structure, every record against the integrity chain, and
the end of the chain against the head. What does not fit is refused, with the place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from zlp.journal.head import HeadFile
from zlp.journal.port import Header, JournalCorrupt, JournalError
from zlp.journal.record import Record, link

SCHEMA = """
CREATE TABLE IF NOT EXISTS header (
    one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL, checksum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    sequence INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, envelope BLOB NOT NULL, evidence BLOB NOT NULL,
    digest TEXT NOT NULL, receipt BLOB NOT NULL, key BLOB, link BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS records_by_key ON records (key) WHERE key IS NOT NULL;
"""
INSERT = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
COLUMNS = "sequence, time_ns, envelope, evidence, digest, receipt, key, link"
KEYS_AT_ONCE = 256
PAGES_BEFORE_CHECKPOINT = 4_000
CACHE_KIBIBYTES = 65_536
"""The writer's pages in memory: keys come in no order, so each may touch another page of their index."""


class SqliteJournal:
    """A journal in ``folder``. ``read_only`` opens it beside a running writer, for export and verification."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self.path = folder / "journal.sqlite"
        self.read_only = read_only
        self._lock: int | None = None
        fresh = not self.path.exists()
        if fresh and read_only:
            raise JournalError(f"{self.path}: no journal here")
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _take_lock(folder / "lock")
        head_path = folder / "journal.head"
        try:
            if not fresh and not head_path.exists():
                raise JournalCorrupt(str(head_path), "the head file is missing, so a lost tail could not be noticed")
            self._head = HeadFile(head_path, read_only=read_only)
            self._open(fresh)
        except BaseException:
            self._release()
            raise

    def _open(self, fresh: bool) -> None:
        mode = "ro" if self.read_only else "rwc"
        # Read the head before the database, so that a running writer can only be ahead of it.
        head = self._head.read()
        try:
            self._database = sqlite3.connect(
                f"file:{self.path}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
            )
            if not self.read_only:
                self._database.execute("PRAGMA journal_mode=WAL")
                self._database.execute("PRAGMA synchronous=FULL")
                self._database.execute("PRAGMA fullfsync=ON")
                self._database.execute(f"PRAGMA wal_autocheckpoint={PAGES_BEFORE_CHECKPOINT}")
                self._database.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
                self._database.executescript(SCHEMA)
            if fresh:
                _sync_folder(self.folder)
            # Streams and single lookups read beside the writer's thread, not through its connection.
            self._reading = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, check_same_thread=False)
            self._header = self._load_header()
            self._last, self._link = self._check(head)
        except (sqlite3.Error, msgspec.DecodeError) as fault:
            raise JournalCorrupt(str(self.path), str(fault)) from fault

    @property
    def header(self) -> Header | None:
        """What the journal says of itself."""
        return self._header

    @property
    def last(self) -> int:
        """Sequence of the newest record."""
        return self._last

    def begin(self, header: Header) -> None:
        """Name the venue."""
        if self._header is not None:
            raise JournalError(f"{self.path}: the journal has begun")
        self._store_header(header)
        self._head.write(header.base, header.base_link)
        self._last, self._link = header.base, header.base_link

    def append(self, records: Sequence[Record]) -> None:
        """Commit records in one transaction, sync, then sync the head. Any failure is a ``JournalError``."""
        newest, last = self._link, self._last
        rows = []
        for record in records:
            last += 1
            if record.sequence != last:
                raise JournalError(f"record {record.sequence} does not follow {last - 1}")
            newest = link(newest, record)
            rows.append(
                (
                    last,
                    record.time_ns,
                    record.envelope,
                    record.evidence,
                    record.digest,
                    record.receipt,
                    record.key or None,
                    newest,
                )
            )
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(INSERT, rows)
            database.execute("COMMIT")
        except sqlite3.Error as fault:
            raise JournalError(f"{self.path}: {fault}") from fault
        self._head.write(last, newest)
        self._last, self._link = last, newest

    def records(self, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Records in order, each checked against the integrity chain."""
        header = self._header
        if header is None:
            return
        if after < header.base:
            raise JournalError(f"records up to {header.base} were compacted away")
        previous = header.base_link if after == header.base else self._link_of(after)
        stop = self._last if until is None else min(until, self._last)
        expected = after
        try:
            for record, stored in self._rows(after, stop):
                expected += 1
                previous = _follow(self.path, expected, previous, record, stored)
                yield record
        except sqlite3.Error as fault:
            raise JournalCorrupt(f"{self.path}, after record {expected}", str(fault)) from fault
        if expected != stop and after < stop:
            raise JournalCorrupt(f"{self.path}, record {expected + 1}", "it is missing")

    def find(self, key: bytes) -> int | None:
        """Sequence of the first record of the intent with this key."""
        row = self._reading.execute("SELECT sequence FROM records WHERE key = ?", (key,)).fetchone()
        return None if row is None else int(row[0])

    def find_all(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Those of many keys that are here. Through the writer's connection: every commit empties the other's cache."""
        found: dict[bytes, int] = {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            part = keys[start : start + KEYS_AT_ONCE]
            # Padded to few lengths, so that the database keeps the prepared statements.
            width = 1 << (len(part) - 1).bit_length()
            padded = [*part, *([part[0]] * (width - len(part)))]
            places = ",".join("?" * width)
            rows = self._database.execute(f"SELECT key, sequence FROM records WHERE key IN ({places})", padded)  # noqa: S608 - only question marks
            found.update((bytes(key), int(sequence)) for key, sequence in rows)
        return found

    def upgrade(self, engine_version: str) -> None:
        """Note that another engine version writes from the next record on."""
        header = self._need_header()
        upgrades = (*header.upgrades, (self._last + 1, engine_version))
        self._store_header(replace(header, engine_version=engine_version, upgrades=upgrades))

    def drop_until(self, sequence: int) -> int:
        """Drop records up to ``sequence`` and keep the last one's link as the new base, in one transaction."""
        header = self._need_header()
        stop = min(sequence, self._last)
        if stop <= header.base:
            return 0
        changed = replace(header, base=stop, base_link=self._link_of(stop))
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("DELETE FROM records WHERE sequence <= ?", (stop,))
        self._store_header(changed)
        self._database.execute("COMMIT")
        return stop - header.base

    def copy_to(self, folder: Path) -> None:
        """A backup that can be opened as a journal; consistent also beside a running writer."""
        folder.mkdir(parents=True)
        target = sqlite3.connect(folder / "journal.sqlite")
        self._database.backup(target)
        row = target.execute("SELECT sequence, link FROM records ORDER BY sequence DESC LIMIT 1").fetchone()
        target.close()
        header = self._need_header()
        head = HeadFile(folder / "journal.head")
        head.write(*((header.base, header.base_link) if row is None else (int(row[0]), bytes(row[1]))))
        head.close()
        _sync_folder(folder)

    def close(self) -> None:
        """Fold the write-ahead log into the database and release everything."""
        self._reading.close()
        if not self.read_only:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.close()
        self._release()

    def _release(self) -> None:
        if hasattr(self, "_head"):
            self._head.close()
            del self._head
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _rows(self, after: int, until: int) -> Iterator[tuple[Record, bytes]]:
        query = f"SELECT {COLUMNS} FROM records WHERE sequence > ? AND sequence <= ? ORDER BY sequence"  # noqa: S608
        for row in self._reading.execute(query, (after, until)):
            sequence, time_ns, envelope, evidence, digest, receipt, key, stored = row
            yield Record(sequence, time_ns, envelope, evidence, digest, receipt, key or b""), stored

    def _check(self, head: tuple[int, bytes] | None) -> tuple[int, bytes]:
        """Walk the whole chain; the newest sequence and link. Refuses structure, content and end that do not fit."""
        if self._header is None:
            if head is not None:
                raise JournalCorrupt(str(self.path), f"it is empty, but record {head[0]} was acknowledged")
            return 0, bytes(32)
        last, newest = self._header.base, self._header.base_link
        acknowledged = newest if head is not None and head[0] == last else b""
        try:
            for record, stored in self._rows(last, 2**62):
                last += 1
                newest = _follow(self.path, last, newest, record, stored)
                if head is not None and last == head[0]:
                    acknowledged = newest
            faults = self._database.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as fault:
            raise JournalCorrupt(f"{self.path}, after record {last}", str(fault)) from fault
        if faults != "ok":
            raise JournalCorrupt(str(self.path), f"database structure: {faults}")
        self._check_end(head, last, acknowledged)
        return last, newest

    def _check_end(self, head: tuple[int, bytes] | None, last: int, acknowledged: bytes) -> None:
        """Compare the end of the chain with what the head file says was acknowledged."""
        if head is None:
            if last:
                raise JournalCorrupt(str(self._head.path), f"it is blank, but the journal has {last} records")
            return
        if last < head[0]:
            raise JournalCorrupt(
                f"{self.path}, record {last + 1}",
                f"the journal ends at {last}, but records up to {head[0]} were acknowledged",
            )
        if acknowledged != head[1]:
            raise JournalCorrupt(f"{self.path}, record {head[0]}", "it is not the record that was acknowledged")

    def _link_of(self, sequence: int) -> bytes:
        row = self._reading.execute("SELECT link FROM records WHERE sequence = ?", (sequence,)).fetchone()
        if row is None:
            raise JournalError(f"{self.path}: there is no record {sequence}")
        return bytes(row[0])

    def _load_header(self) -> Header | None:
        row = self._database.execute("SELECT body, checksum FROM header").fetchone()
        if row is None:
            return None
        if _checksum(bytes(row[0])) != row[1]:
            raise JournalCorrupt(f"{self.path}, header", "its content does not match its checksum")
        return msgspec.json.decode(row[0], type=Header)

    def _store_header(self, header: Header) -> None:
        try:
            body = msgspec.json.encode(header)
            self._database.execute("INSERT OR REPLACE INTO header VALUES (1, ?, ?)", (body, _checksum(body)))
        except sqlite3.Error as fault:
            raise JournalError(f"{self.path}: {fault}") from fault
        self._header = header

    def _need_header(self) -> Header:
        if self._header is None:
            raise JournalError(f"{self.path}: the journal has not begun")
        return self._header


def _follow(path: Path, expected: int, previous: bytes, record: Record, stored: Any) -> bytes:
    if record.sequence != expected:
        raise JournalCorrupt(f"{path}, record {expected}", "it is missing")
    try:
        computed = link(previous, record)
    except (AttributeError, TypeError) as fault:  # a flipped bit can change a column's type
        raise JournalCorrupt(f"{path}, record {expected}", f"a column has another type: {fault}") from fault
    if computed != stored:
        raise JournalCorrupt(f"{path}, record {expected}", "its content does not match the integrity chain")
    return computed


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _take_lock(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise JournalError(f"{path.parent}: another process writes this journal") from None
    return file


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
