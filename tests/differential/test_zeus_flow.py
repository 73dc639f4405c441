"""The recorded request queue, order book and managers, as a test (E7, E9, E10)."""

from __future__ import annotations

from pathlib import Path

from tests.differential import zeus_flow

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def test_every_recorded_flow_operation_agrees_or_is_listed() -> None:
    """E7, E9, E10: pools, positions, queues and escrow after every operation; differences by design have a reason."""
    report = zeus_flow.replay(VECTORS / "zeus-flow-dev.jsonl.gz")

    assert report.mismatched == []
    assert report.summary() == "ops=400 matched=399 listed=1 mismatched=0"
