"""Both backends of the scans give the same rows, and the compiled one is really SIMD code."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.screening import backend, kernels, kernels_numpy

NUMPY_ONLY = """
import sys
sys.modules["numba"] = None
from zlp.screening import Direction, DueTable, Ratio, Threshold, backend
table = DueTable(Direction.AT_OR_BELOW, indices=1)
table.upsert("low", Threshold(base=Ratio(5), slopes=(Ratio(1),)))
table.upsert("high", Threshold(base=Ratio(50), slopes=(Ratio(1),)))
print(backend(), table.due(20, [7]))
"""

NO_NUMPY = """
import sys
sys.modules["numpy"] = None
import zlp.screening
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def kernels_numba():
    pytest.importorskip("numba", reason="compares the compiled kernels, which need the extra `fast`")
    from zlp.screening import kernels_numba

    return kernels_numba


@given(seed=st.integers(0, 2**32), count=st.integers(0, 1_024), indices=st.integers(0, 3), special=st.booleans())
def test_backends_find_the_same_rows(kernels_numba, seed: int, count: int, indices: int, special: bool) -> None:
    """E11: block borders, empty tables, infinite thresholds; a reach that is exact, unknown or too high."""
    draw = np.random.default_rng(seed)
    columns = np.round(draw.normal(100, 10, (2 + indices if indices else 1, 1_024)))
    if special:
        columns[0, draw.integers(0, 1_024, 5)] = draw.choice([np.inf, -np.inf, 0.0], 5)
    values = np.round(draw.normal(0, 1, indices), 3)
    reaches = [np.full(8, np.inf), np.full(8, np.inf)]

    for price in np.round(draw.normal(130, 15, 4)):
        settled = bool(draw.integers(0, 2))
        rows = [
            kernel.threshold_hits(columns, count, price, values, 2.0**-48, reach, settled).tolist()
            for kernel, reach in zip((kernels_numba, kernels_numpy), reaches, strict=True)
        ]
        unknown = np.full(8, np.inf)
        everything = kernels_numpy.threshold_hits(columns, count, price, values, 2.0**-48, unknown, settled)
        assert rows == [everything.tolist()] * 2
        assert reaches[0].tolist() == reaches[1].tolist()
        raised = draw.integers(0, 8)
        reaches[0][raised] = reaches[1][raised] = np.inf


@given(seed=st.integers(0, 2**32), count=st.integers(0, 300))
def test_backends_evaluate_accounts_alike(kernels_numba, seed: int, count: int) -> None:
    """N3: accounts without legs, unknown values, unexposed accounts included."""
    draw = np.random.default_rng(seed)
    profit, others = draw.integers(0, 4, count), draw.integers(0, 4, count)
    begins = np.cumsum(profit + others) - profit - others
    integers = np.array([begins, begins + profit, begins + profit + others, draw.integers(0, 4, count)])
    floats = np.array([draw.normal(0, 50, count), draw.uniform(0, 1, count)])
    legs = int((profit + others).sum())
    leg_floats = np.round(draw.normal(0, 20, (4, legs)))
    leg_floats[3] = np.where(draw.random(legs) < 0.5, np.inf, np.abs(leg_floats[3]))
    leg_variables = draw.integers(0, 5, (2, legs))
    values = np.array([0.0, 1.5, -2.0, 0.25, np.nan if seed % 2 else 1.0])

    given_ = (floats, integers, count, leg_floats, leg_variables, values, 1, 2.0**-42, 0.0)

    assert kernels_numba.account_hits(*given_).tolist() == kernels_numpy.account_hits(*given_).tolist()


def test_the_compiled_scan_is_simd_code(kernels_numba) -> None:
    """The loss of SIMD is silent and costs five to ten times; the machine code shows it on any machine."""
    import platform

    from numba import njit

    if platform.machine().lower() not in {"x86_64", "amd64"}:
        pytest.skip("knows the instruction names of x86-64 only")
    block = np.zeros(512)
    for kernel, arguments in (
        (kernels_numba.start, (block, block, block, 1.0, 1.0)),
        (kernels_numba.accumulate, (block, block, 1.0, 1.0)),
        (kernels_numba.greater, (block, block, block)),
        (kernels_numba.count_clear, (block, 1.0)),
    ):
        fresh = njit(nogil=True)(kernel.py_func)
        fresh(*arguments)
        code = fresh.inspect_asm(fresh.signatures[0])
        assert re.search(r"\bv?(cmp\w*|mul|add|max)pd\b", code), kernel.__name__


def test_the_backend_says_which_it_is() -> None:
    """The backend in use is the one that is named."""
    module = sys.modules[f"zlp.screening.kernels_{backend()}"]

    assert kernels.threshold_hits is module.threshold_hits


def test_without_numba_the_numpy_backend_answers() -> None:
    """The extra is optional: a machine without numba screens too."""
    result = run(NUMPY_ONLY)

    assert result.stdout.strip() == "numpy ['high']", result.stderr


def test_without_numpy_the_error_says_what_to_install() -> None:
    """A missing extra is named."""
    result = run(NO_NUMPY)

    assert "pip install 'zlp[fast]'" in result.stderr
