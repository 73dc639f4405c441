"""The fast world: the isolated design once more, in float64, compiled, for ensembles of thousands of paths.

It knows the founding LP and traders who follow tapes, one price per asset and tick, and nothing else; ``inputs``
refuses what it can't do. Every formula in ``formulas`` is tested against its mechanism, and whole runs against the
exact engine within ``TOLERANCE``. Reports say which engine made their numbers.
"""

from __future__ import annotations

TOLERANCE = 1e-6
"""Largest difference from the exact engine: of sums of money relative to the larger of the sum and a thousandth of
the volume, of shares absolute."""
USE_TOLERANCE = 1e-4
"""The same for utilisation, which the exact engine states in whole basis points."""
