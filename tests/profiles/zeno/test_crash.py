"""The real crash of October 2025 over the shipped profile (N3, N7, N8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profiles.zeno.crash import CANDLES, Crash


@pytest.fixture
def folder(test_data: Path) -> Path:
    """The folder with the candles of that month."""
    if not (test_data / CANDLES).exists():
        pytest.skip(f"needs {CANDLES}")
    return test_data


def test_a_crowd_of_shorts_is_deleveraged_before_it_empties_the_fund(folder: Path) -> None:
    """N7, N8: maximum profits close position by position; when the buffer falls short a run restores it."""
    crash = Crash(folder, "mostly short")
    outcome = crash.run()

    assert outcome.max_profits > outcome.deleveraged > 0
    assert outcome.lowest_before < 6_000 <= outcome.lowest_after
    assert outcome.unpaid == 0
    assert crash.restored()


def test_a_crowd_of_longs_is_liquidated_for_the_fund(folder: Path) -> None:
    """N3, N4: losers' collateral moves into the fund; its bad debt is counted, and its shares rise all the same."""
    outcome = Crash(folder, "mostly long").run()

    assert outcome.liquidated > outcome.opened // 2
    assert outcome.bad_debt > 0
    assert outcome.runs == 0
    assert outcome.shares[-1] > outcome.shares[0]
