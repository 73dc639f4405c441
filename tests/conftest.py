"""What every test may use: the folder of market data, and how random tests draw."""

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

NIGHTLY = "nightly"
PROFILE = os.environ.get("ZLP_HYPOTHESIS", "ci")

# `ci` draws the same examples on every machine. `nightly` (ZLP_HYPOTHESIS=nightly make test) searches further.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile(
    NIGHTLY, max_examples=1_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give a nightly run one seed, the same in every worker, before hypothesis reads it."""
    if PROFILE == NIGHTLY and config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = os.environ.setdefault("ZLP_HYPOTHESIS_SEED", str(secrets.randbits(64)))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say how random tests draw, and how to draw the same again."""
    seed = config.getoption("--hypothesis-seed")
    again = f"; again: ZLP_HYPOTHESIS={PROFILE} pytest --hypothesis-seed={seed}" if seed is not None else ""
    return [
        f"random tests: profile {PROFILE}{again}",
        f"market data: {os.environ.get('ZLP_TEST_DATA', 'none')}",
    ]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of recorded market data, which is not part of the repository."""
    folder = os.environ.get("ZLP_TEST_DATA")
    if not folder:
        pytest.skip("needs recorded market data: set ZLP_TEST_DATA to its folder")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"ZLP_TEST_DATA is {folder}, which is not a folder")
    return path
