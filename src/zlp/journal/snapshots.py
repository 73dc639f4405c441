"""Snapshots: the state at one record, in a file of its own. The journal is the truth; these only save time.

A file starts with the SHA-256 of what follows. A snapshot counts only if that hash, the engine's own hash of all
leaves, and the digest in the journal's record of the same sequence agree.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from zlp.journal.port import JournalCorrupt

NAME = "{:012d}.json"


class SnapshotFolder:
    """The snapshots of one venue, named by sequence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sequences(self) -> list[int]:
        """What is there, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdigit())

    def save(self, snapshot: dict[str, Any]) -> Path:
        """Write a snapshot of ``Root.snapshot`` so that it is there whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / NAME.format(int(snapshot["sequence"]))
        body = msgspec.json.encode(snapshot)
        draft = path.with_suffix(".writing")
        with draft.open("wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return path

    def load(self, sequence: int) -> dict[str, Any]:
        """A snapshot whose file is what was written; ``JournalCorrupt`` if it is not."""
        path = self.folder / NAME.format(sequence)
        checksum, _, body = path.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            raise JournalCorrupt(str(path), "the snapshot does not match its checksum")
        snapshot: dict[str, Any] = msgspec.json.decode(body)
        return snapshot

    def copy_to(self, folder: Path, sequences: Sequence[int]) -> None:
        """Copy some snapshots; ``JournalCorrupt`` at one that is damaged."""
        copies = SnapshotFolder(folder)
        for sequence in sequences:
            copies.save(self.load(sequence))

    def drop_before(self, sequence: int) -> None:
        """Remove snapshots older than this one."""
        for older in self.sequences():
            if older < sequence:
                (self.folder / NAME.format(older)).unlink()
