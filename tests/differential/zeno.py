"""Replay of the recordings of the fund design: scenarios and single formulas (zeno-cases.jsonl)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.differential import zeno_scenarios, zeno_units
from tests.differential.report import Report


def replay(path: Path) -> Report:
    """Compare every required and formula case; the others are skipped with their reason."""
    cases = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    configs = {case["id"]: case["inputs"] for case in cases if case["kind"] == "config"}
    report = Report(unit="cases")
    for case in cases:
        name = f"{case['id']} {case['topic']}"
        if case["use"] in ("required", "formula"):
            _compare(report, name, case, configs)
        elif case["kind"] != "config":
            report.skip(name, f"{case['use']}: no part of this design")
    return report


def _compare(report: Report, name: str, case: dict[str, Any], configs: dict[str, Any]) -> None:
    try:
        faults = list(_faults(case, configs))
    except (KeyError, ValueError, RuntimeError) as fault:
        faults = [f"can't be replayed: {fault!r}"]
    if faults:
        report.mismatch(name, "; ".join(faults[:4]))
    else:
        report.match()


def _faults(case: dict[str, Any], configs: dict[str, Any]) -> Iterator[str]:
    if case["kind"] == "scenario":
        return zeno_scenarios.differences(case, configs)
    if case["topic"] in zeno_units.FORMULAS:
        return zeno_units.differences(case, configs["cfg-unit"])
    return iter([f"no formula is known for topic {case['topic']}"])
