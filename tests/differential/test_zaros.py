"""The recorded cases of the design whose vaults lend credit agree, every required one."""

import json
from pathlib import Path

from tests.differential.zaros import replay

VECTORS = Path(__file__).parents[1] / "vectors" / "zaros-zo-cases.jsonl"


def test_every_required_case_matches() -> None:
    """Z2 to Z10: distribution, capacity, deleverage, swaps, fees, shares, margin; nothing but informational skipped."""
    report = replay(VECTORS)

    assert report.mismatched == []
    assert report.listed == []
    assert report.matched >= 54
    assert all("informational" in line for line in report.skipped)


def test_a_changed_expectation_is_a_mismatch(tmp_path: Path) -> None:
    """Every counted case compares something: with each expected number moved, none of them matches any more."""
    changed = []
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case.get("profile") == "zaros" and case["use"] == "required":
            name, value = next(iter(case["expected"].items()))
            case["expected"] = {name: _other(value)}
            changed.append(json.dumps(case))
    path = tmp_path / "changed.jsonl"
    path.write_text("\n".join(changed), encoding="utf-8")

    report = replay(path)

    assert report.matched == 0
    assert len(report.mismatched) == len(changed)


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [_other(item) for item in value]
    number = str(value)
    return str(int(number) + 10**9 + abs(int(number)) // 10**6) if number.lstrip("-").isdigit() else "other"
