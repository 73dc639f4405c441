"""A sweep that was killed goes on where it was, and ends with what it would have made (A5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCENARIO = """
title = "killed midway"
paths = 6
ticks = 1
[prices]
type = "made"
days = 6
"""


def start(scenario: Path, out: Path) -> subprocess.Popen[str]:
    zlp = str(Path(sys.executable).with_name("zlp"))
    command = [zlp, "simulate", str(scenario), "--out", str(out), "--workers", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def cells(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / "cells").glob("*.json")}


@pytest.mark.crash
def test_a_killed_sweep_keeps_its_finished_cells(tmp_path: Path) -> None:
    """SIGKILL for it and its workers; the rerun leaves finished cells alone and makes the same bytes as one run."""
    scenario, out = tmp_path / "killed.toml", tmp_path / "out"
    scenario.write_text(SCENARIO)
    process = start(scenario, out)
    while len(cells(out)) < 2:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {name: (out / "cells" / name).stat().st_mtime_ns for name in cells(out)}
    assert 2 <= len(finished) < 6
    assert not (out / "report.html").exists()

    again = start(scenario, out)
    shown, _ = again.communicate(timeout=240)

    assert again.returncode == 0, shown
    assert {name: (out / "cells" / name).stat().st_mtime_ns for name in finished} == finished
    assert len(cells(out)) == 6
    whole = start(scenario, tmp_path / "whole")
    assert whole.communicate(timeout=240)[0]
    assert cells(tmp_path / "whole") == cells(out)
