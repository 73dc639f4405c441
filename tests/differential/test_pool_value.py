"""A real pool's own figures, where the market data folder exists (E2, E4)."""

from __future__ import annotations

from pathlib import Path

from tests.differential import pool_value


def test_every_minute_of_a_real_pool_agrees(test_data: Path) -> None:
    """E2, E4: the pool value equals the recorded one in each of 1440 minutes."""
    report = pool_value.replay(test_data / "avalanche-pool-2024-10-15.csv.gz")

    assert report.summary() == "minutes=1440 matched=1440 listed=0 mismatched=0"
