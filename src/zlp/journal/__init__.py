"""The journal: every command with its signature and the digest of its receipt, durable and in order. The truth."""

from zlp.journal.memory import MemoryJournal
from zlp.journal.port import Header, Journal, JournalCorrupt, JournalError, JournalMismatch
from zlp.journal.record import Evidence, Record
from zlp.journal.snapshots import SnapshotFolder
from zlp.journal.sqlite import SqliteJournal

__all__ = [
    "Evidence",
    "Header",
    "Journal",
    "JournalCorrupt",
    "JournalError",
    "JournalMismatch",
    "MemoryJournal",
    "Record",
    "SnapshotFolder",
    "SqliteJournal",
]
