"""The recorded price feeds, as tests (E5, A7)."""

from __future__ import annotations

from pathlib import Path

from tests.differential import zeus_oracle

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def test_every_recorded_price_operation_agrees() -> None:
    """E5, A7: prices, votes, cumulative movement and reasons equal the recording after every operation."""
    report = zeus_oracle.replay(VECTORS / "zeus-oracle-dev.jsonl.gz")

    assert report.mismatched == []
    assert report.summary() == "ops=250 matched=250 listed=0 mismatched=0"
