"""The fast world: the isolated design once more, in float64, compiled, for ensembles of thousands of paths.

It knows the founding LP, traders who follow tapes, and what the oracle said, and nothing else; ``inputs`` and
``prices`` refuse what it can't do. Every formula in ``formulas`` is tested against its mechanism, and whole runs
against the exact engine within ``TOLERANCE``. Reports say which engine made their numbers.
"""

from __future__ import annotations

from pathlib import Path

TOLERANCE = 1e-6
"""Largest difference from the exact engine: of sums of money relative to the larger of the sum and a thousandth of
the volume, of shares absolute."""
USE_TOLERANCE = 1e-4
"""The same for utilisation, which the exact engine states in whole basis points."""


def drop_stale_cache(folder: Path) -> list[Path]:
    """Delete compiled code older than any source beside it, and say which.

    Numba notices a change of a function's own file only, but compiled callers contain what they call.
    """
    newest = max(source.stat().st_mtime for source in folder.glob("*.py"))
    compiled = sorted((folder / "__pycache__").glob("*.nb[ic]"))
    stale = [file for file in compiled if file.stat().st_mtime < newest]
    for file in stale:
        file.unlink(missing_ok=True)
    return stale


drop_stale_cache(Path(__file__).parent)
