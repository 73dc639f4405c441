"""A short crash storm for the long suite; the full one is `python -m tests.storm.crash --kills 200`."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.server.running import body
from tests.server.test_api import pay
from tests.storm.crash import free_port, storm


@pytest.mark.crash
async def test_a_killed_venue_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """A2: each acknowledged command once, the digest of an uninterrupted run, damage refused."""
    report = await storm(tmp_path / "venue", kills=12, seed=7, clients=4)
    assert report["digest after the storm"] == report["digest of an uninterrupted run"]
    assert report["intents acknowledged, each there once"] > 50


CALL = re.compile(r"\b(pwrite64|write|writev|sendto|sendmsg|fdatasync|fsync)\(\d+<(.*?)>[,)]")


@pytest.mark.crash
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace to watch the system calls")
async def test_no_answer_leaves_before_both_files_are_synced(tmp_path: Path) -> None:
    """A2: between the write of a record and the answer, the log and the head file are synced. Nothing is cheated."""
    port, trace = free_port(), tmp_path / "trace"
    code = f"from tests.storm.crash import serve; serve({str(tmp_path / 'venue')!r}, {port})"
    calls = "trace=pwrite64,write,writev,sendto,sendmsg,fdatasync,fsync"
    command = ["strace", "-f", "-y", "-s", "16", "-e", calls, "-o", str(trace), sys.executable, "-c", code]
    venue = subprocess.Popen(command, start_new_session=True)  # noqa: ASYNC220 - it only starts it
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            for _ in range(400):
                try:
                    await client.get("/health")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
            for number in range(20):
                headers = {"content-type": "application/json"}
                answer = await client.post(
                    "/v1/command", content=msgspec.json.encode(body(pay(number + 1))), headers=headers
                )
                assert answer.status_code == 200
    finally:
        os.killpg(venue.pid, signal.SIGTERM)
        venue.wait(20)
    answers = _answers_after_sync(trace.read_text())
    assert answers >= 20


def _answers_after_sync(trace: str) -> int:
    """Walk the calls in order: an answer while a written file is not synced fails; how many answers came clean."""
    dirty: set[str] = set()
    wrote: set[str] = set()
    clean = 0
    for line in trace.splitlines():
        found = CALL.search(line)
        if found is None:
            continue
        name, path = found.groups()
        if name == "pwrite64" and path.endswith(("-wal", ".head")):
            dirty.add(path)
            wrote.add(path)
        elif name in ("fdatasync", "fsync"):
            dirty.discard(path)
        elif "HTTP/1.1 200" in line and ("TCP" in path or "socket" in path):
            assert not dirty, f"answered while {dirty} was not synced"
            clean += len({path for path in wrote if path.endswith(".head")})
            wrote.clear()
    return clean
