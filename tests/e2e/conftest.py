"""One browser, and one venue per profile, for all tests of the page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")

from playwright.sync_api import Browser, expect

from tests.e2e.browser import Visit, chromium, launched
from tests.e2e.venues import Up

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def up(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Up]]:
    """Venues by profile and options, started when first asked for."""
    running: dict[tuple[str, ...], Up] = {}

    def venue(profile: str, *options: str) -> Up:
        key = (profile, *options)
        if key not in running:
            running[key] = Up(profile, tmp_path_factory.mktemp(Path(profile).stem) / "venue", *options)
        return running[key]

    yield venue
    for each in running.values():
        each.stop()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Visitors; when the test ends, none of them may have seen a fault."""
    visits: list[Visit] = []

    def enter(venue: Up, **options: object) -> Visit:
        visits.append(Visit(browser, venue.address, **options))
        return visits[-1]

    yield enter
    for each in visits:
        each.close()
