"""The scans every table uses, by the fastest backend this machine has. Chosen once, at import.

    threshold_hits(columns, count, price, indices, relative, reach, settled) -> rows
        columns: (1, n): fixed thresholds; or, with k > 0 indices, (2 + k, n): fixed threshold, base, k slopes.
        Rows i < count with not threshold < price, where threshold = max(fixed, moving),
        moving = base + sum(term + relative * |term|), term = slope * index.
        reach: (b,): for each of b equal blocks of rows, at these indices, no less than its highest threshold. A
        block out of reach is not looked at. If `settled`, the reach of the others becomes exact, which costs a
        little. A block has a power of two of rows, 16 at least.

    account_hits(floats, integers, count, leg_floats, leg_variables, values, changed, relative, absolute) -> rows
        floats: (2, n): constant, share of a net profit that counts (0 to 1).
        integers: (4, n): first leg, first leg that is no profit leg, end of the legs, bits of the variables.
        leg_floats: (4, m): two coefficients, constant, cap; leg_variables: (2, m) into values: (v,).
        Rows that share a bit with `changed` and whose headroom is not above
        relative * (sum of the magnitudes that were added) + absolute.

All floats are float64, all integers int64, rows come in rising order. Only `values` may hold a NaN, which makes a hit.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from zlp.screening.rows import Integers


def _choose() -> tuple[str, ModuleType]:
    try:
        from zlp.screening import kernels_numba
    except ImportError:
        from zlp.screening import kernels_numpy

        return "numpy", kernels_numpy
    return "numba", kernels_numba


_BACKEND, _KERNELS = _choose()

threshold_hits: Callable[..., Integers] = _KERNELS.threshold_hits
account_hits: Callable[..., Integers] = _KERNELS.account_hits


def backend() -> str:
    """The backend in use: "numba" (SIMD code, one pass over memory) or "numpy" (several times slower)."""
    return _BACKEND
