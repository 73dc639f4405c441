"""The scans every table uses, by the fastest backend this machine has. Chosen once, at import.

    fixed_hits(columns, count, price) -> rows
        columns: (1, n): the fixed thresholds. Rows i < count with not columns[0, i] < price.

    moving_hits(columns, count, price, indices, relative) -> rows
        columns: (2 + k, n): fixed threshold, base, k slopes; indices: (k,), k at least 1.
        Rows with not (fixed < price and moving < price), where
        moving = base + sum(term + relative * |term|), term = slope * index.

    account_hits(floats, integers, count, leg_floats, leg_variables, values, changed, relative, absolute) -> rows
        floats: (2, n): constant, share of a net profit that counts (0 to 1).
        integers: (4, n): first leg, first leg that is no profit leg, end of the legs, bits of the variables.
        leg_floats: (4, m): two coefficients, constant, cap; leg_variables: (2, m) into values: (v,).
        Rows that share a bit with `changed` and whose headroom is not above
        relative * (sum of the magnitudes that were added) + absolute.

All floats are float64, all integers int64, rows come in rising order, and a NaN makes its row a hit.
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

fixed_hits: Callable[..., Integers] = _KERNELS.fixed_hits
moving_hits: Callable[..., Integers] = _KERNELS.moving_hits
account_hits: Callable[..., Integers] = _KERNELS.account_hits


def backend() -> str:
    """The backend in use: "numba" (SIMD code, one pass over memory) or "numpy" (several times slower)."""
    return _BACKEND
