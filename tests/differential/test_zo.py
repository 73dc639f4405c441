"""The recorded cases of the borrowed-token design agree, every required one."""

from pathlib import Path

from tests.differential.scaled import differences
from tests.differential.zo import replay

VECTORS = Path(__file__).parents[1] / "vectors" / "zaros-zo-cases.jsonl"


def test_every_required_case_matches() -> None:
    """O1 to O9: fees, borrow rate, funding, settlement, liquidation, pool value, yield; with no listed difference."""
    report = replay(VECTORS)
    assert report.mismatched == []
    assert report.listed == []
    assert report.matched >= 61


def test_the_comparison_sees_a_wrong_number() -> None:
    """A raw amount off by one, a value off by 3 units, a wrong answer and a missing one are all found."""
    wrong = {"a_raw": 1, "b_x18": 103, "c": True}
    assert len(differences({"a_raw": "2", "b_x18": "100", "c": False, "d": "1"}, wrong)) == 4
    assert not differences({"a_raw": "1", "b_x18": "101", "c": True}, wrong)
