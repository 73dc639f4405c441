"""What a node needs of a journal. SQLite and memory implement it; a replicated log can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from zlp.journal.record import Record


class JournalError(Exception):
    """The journal can't be used as asked."""


class JournalCorrupt(JournalError):  # noqa: N818 - named by what happened
    """What is stored is not what was written. ``place`` says where."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason = place, reason


class JournalMismatch(JournalError):  # noqa: N818 - named by what happened
    """The journal is sound, but belongs to another profile, venue or engine version."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal says of itself.

    ``identity``, ``profile_hash``: of the venue. ``engine_version``: of the engine that writes now.
    ``upgrades``: first sequence of each engine version, oldest first. ``base``: sequence of the last record
    that compaction dropped, 0 for none; ``base_link`` its link.
    """

    identity: str
    profile_hash: str
    engine_version: str
    upgrades: tuple[tuple[int, str], ...] = ()
    base: int = 0
    base_link: bytes = bytes(32)


class Journal(Protocol):
    """An append-only log with one writer."""

    @property
    def header(self) -> Header | None:
        """``None`` while nothing is stored."""

    @property
    def last(self) -> int:
        """Sequence of the newest record, ``base`` if there is none."""

    def begin(self, header: Header) -> None:
        """Name the venue of an empty journal."""

    def append(self, records: Sequence[Record]) -> None:
        """Store records, all or none; returns only when they survive a power cut. ``JournalError`` if not."""

    def records(self, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Records with ``after < sequence <= until``, in order, each checked against the integrity chain."""

    def find(self, key: bytes) -> int | None:
        """Sequence of the first record of the intent with this key."""

    def find_all(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The same for many keys at once; those that are not there are left out. Never beside ``append``."""

    def upgrade(self, engine_version: str) -> None:
        """Note that another engine version writes from the next record on."""

    def drop_until(self, sequence: int) -> int:
        """Compaction: drop records up to here, keep their link; how many were dropped."""

    def close(self) -> None:
        """Release it."""
