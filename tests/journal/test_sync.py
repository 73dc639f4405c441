"""Before an append returns, the operating system was told to bring it to the disk: its own calls are counted."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journal.venue_log import HEADER, records
from zlp.journal import SqliteJournal

GROUPS = 12
CALLS = "pwrite64,write,fsync,fdatasync"
ROOT = Path(__file__).resolve().parents[2]


def append_groups(folder: Path) -> None:
    """What is traced: groups of several sizes, each followed by a word to a file of its own."""
    journal = SqliteJournal(folder / "venue")
    journal.begin(HEADER)
    every = list(records(40))
    with (folder / "told").open("wb", buffering=0) as told:
        told.write(b"begun")
        for number in range(GROUPS):
            count = number % 4 + 1
            group, every = every[:count], every[count:]
            journal.append(group)
            told.write(b"acknowledged")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_nothing_is_acknowledged_before_it_is_synced(tmp_path: Path) -> None:
    """A2: per group first the database's log reaches the disk, then the head that promises it, then anybody is told."""
    trace = tmp_path / "trace"
    traced = f"from tests.journal.test_sync import *; append_groups(Path({str(tmp_path)!r}))"
    subprocess.run(
        ["strace", "-f", "-y", "-e", f"trace={CALLS}", "-o", str(trace), sys.executable, "-c", traced],
        check=True,
        cwd=ROOT,
    )
    steps = [step for step in map(_step, trace.read_text().splitlines()) if step]
    groups = " ".join(steps[steps.index("told") + 1 :]).split("told")[:GROUPS]
    assert len(groups) == GROUPS
    for group in groups:
        assert re.fullmatch(r" ?(log )+log! head head! ", group), group


def _step(line: str) -> str:
    """One call in one word: which file, and ``!`` if it was synced rather than written."""
    found = re.search(r"(pwrite64|write|fsync|fdatasync)\(\d+<[^>]*/(journal\.sqlite-wal|journal\.head|told)>", line)
    if found is None:
        return ""
    name = {"journal.sqlite-wal": "log", "journal.head": "head", "told": "told"}[found[2]]
    return f"{name}!" if "sync" in found[1] else name
