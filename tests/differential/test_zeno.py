"""The recorded cases of the fund design, as tests (N1 to N13)."""

from __future__ import annotations

from pathlib import Path

from tests.differential import zeno

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def test_every_recorded_case_agrees() -> None:
    """N1-N13: every required and formula case equals the recording, none is excused."""
    report = zeno.replay(VECTORS / "zeno-cases.jsonl")

    assert report.mismatched == []
    assert report.summary() == "cases=90 matched=90 listed=0 mismatched=0"
