"""The recorded operations of the deployed contracts, as tests (E1 to E11)."""

from __future__ import annotations

from pathlib import Path

from tests.differential import zeus

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def test_every_recorded_operation_agrees() -> None:
    """E1-E11: state, payouts, fees and reasons equal the recording after every operation."""
    report = zeus.replay(VECTORS / "zeus-dev.jsonl.gz")

    assert report.mismatched == []
    assert report.summary() == "ops=478 matched=478 listed=0 mismatched=0"
