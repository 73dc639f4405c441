"""``python -m bench``: every benchmark in turn, or those named: ``python -m bench engine screening``."""

from __future__ import annotations

import importlib
import sys

ALL = ("engine", "screening", "zeno", "zo", "zaros", "oracle", "simulator", "desk", "venue", "page")


def main(names: list[str]) -> int:
    """Run benchmarks by name; each prints its own table with its baseline beside it."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(ALL)}")
        return 2
    sys.argv[1:] = []  # a benchmark reads its own options
    for name in names or ALL:
        print(f"\n== {name}")
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
