"""An append-only file of verified reports, so that a price's evidence can be verified again years later."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from zlp.oracle.data_streams.verification import VerifiedReport


class ArchivedReport(msgspec.Struct, frozen=True):
    """One line of the archive: the digest that commands carry as evidence, and the signed bytes in hex."""

    digest: str
    received_at: int
    full_report: str


class ReportArchive:
    """JSON lines, one report each, written as they come."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    def add(self, verified: VerifiedReport, received_at: int) -> None:
        """Append one report; it is on its way to the disk when this returns, synced by the system."""
        line = ArchivedReport(verified.digest, received_at, verified.full_report.hex())
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_archive(path: Path) -> Iterator[ArchivedReport]:
    """The reports of an archive in the order they came; a last line cut short by a crash is left out."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield msgspec.json.decode(line, type=ArchivedReport)
