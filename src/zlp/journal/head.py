"""The head file: the sequence and link of the newest acknowledged record, kept apart from the database.

SQLite forgets a damaged end of its write-ahead log without a word, as a database should after a crash. For a
venue those forgotten records may have been acknowledged. So after each commit, and before anybody is told, the
newest link is written here and synced; a journal that ends before its head has lost its tail.
Two slots in different blocks are written in turn, each with its checksum, so a torn write leaves the other.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

from zlp.journal.port import JournalCorrupt, JournalError

_SLOT = struct.Struct(">8sQQ32s")
_MAGIC = b"zlphead1"
_DISTANCE = 4_096
_CHECKSUM = 32
sync_data = getattr(os, "fdatasync", os.fsync)


class HeadFile:
    """Durable memory of (sequence, link)."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._turn = 0
        fresh = not path.exists()
        if fresh and read_only:
            raise JournalCorrupt(str(path), "the head file is missing")
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT
        self._file = os.open(path, flags, 0o600)
        if fresh:
            os.pwrite(self._file, bytes(2 * _DISTANCE), 0)
            os.fsync(self._file)

    def write(self, sequence: int, newest: bytes) -> None:
        """Store and sync. Raises ``JournalError`` if the disk does not take it."""
        self._turn += 1
        body = _SLOT.pack(_MAGIC, self._turn, sequence, newest)
        try:
            os.pwrite(self._file, body + _checksum(body), (self._turn % 2) * _DISTANCE)
            sync_data(self._file)
        except OSError as fault:
            raise JournalError(f"{self.path}: {fault}") from fault

    def read(self) -> tuple[int, bytes] | None:
        """The newest (sequence, link), ``None`` if none was written; ``JournalCorrupt`` if no slot is sound."""
        found: list[tuple[int, int, bytes]] = []
        damaged = 0
        for index in range(2):
            raw = os.pread(self._file, _SLOT.size + _CHECKSUM, index * _DISTANCE)
            body, checksum = raw[: _SLOT.size], raw[_SLOT.size :]
            if len(raw) == _SLOT.size + _CHECKSUM and _checksum(body) == checksum:
                _, turn, sequence, newest = _SLOT.unpack(body)
                found.append((turn, sequence, newest))
            elif len(raw) < _SLOT.size + _CHECKSUM or any(raw):
                damaged += 1
        if not found:
            if damaged:
                raise JournalCorrupt(str(self.path), "no slot of the head file is readable")
            return None
        self._turn, sequence, newest = max(found)
        return sequence, newest

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECKSUM).digest()
