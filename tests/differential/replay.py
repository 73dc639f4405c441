"""Replay recorded results of real systems through the engine and compare every number.

    python tests/differential/replay.py zeus tests/vectors/zeus-dev.jsonl.gz

Systems: zeus, zeus-oracle, zeus-flow, pool-value, zeno, zo, zaros. Exits 0 only when nothing is mismatched.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

SYSTEMS = {
    "zeus": "tests.differential.zeus",
    "zeus-oracle": "tests.differential.zeus_oracle",
    "zeus-flow": "tests.differential.zeus_flow",
    "pool-value": "tests.differential.pool_value",
    "zeno": "tests.differential.zeno",
    "zo": "tests.differential.zo",
    "zaros": "tests.differential.zaros",
}


def main(arguments: list[str]) -> int:
    """Replay one file and print what agreed; each module offers ``replay(path) -> Report``."""
    if len(arguments) != 2 or arguments[0] not in SYSTEMS:
        print(__doc__)
        return 2
    report = importlib.import_module(SYSTEMS[arguments[0]]).replay(Path(arguments[1]))
    for title, lines in (
        ("skipped", report.skipped),
        ("listed", report.listed),
        ("MISMATCH", report.mismatched),
    ):
        for line in lines:
            print(f"{title} {line}")
    print(report.summary())
    return 1 if report.mismatched or not report.total else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
