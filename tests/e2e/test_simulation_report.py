"""The report of a simulation in a real browser: it asks nobody for anything and fits a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from zlp.simulator.comparison import scenario_of
from zlp.simulator.generators import Made
from zlp.simulator.notebook import study
from zlp.simulator.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two designs on five short paths: every plot is there."""
    made = study(scenario_of(("zeus", "zo"), Made(days=2), paths=5, traders=8))
    return write_report(made, tmp_path_factory.mktemp("report"))


@pytest.mark.parametrize(("width", "scheme"), [(1_200, "light"), (390, "dark")])
def test_it_draws_everything_from_its_own_file(browser: Browser, report: Path, width: int, scheme: str) -> None:
    """No request, no fault, nothing wider than the window, every plot drawn, and readable (axe's contrast)."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(report.as_uri())
    page.wait_for_function("document.querySelectorAll('.main-svg').length > 0")

    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plots = page.locator(".plotly-graph-div").count()
    assert plots >= 10
    assert page.locator(".plotly-graph-div .main-svg:first-child").count() == plots
    ink = page.evaluate("document.querySelector('.plotly-graph-div').layout.font.color")
    assert ink == ("#e5e7eb" if scheme == "dark" else "#344054")
    found = Axe().run(page, options={"runOnly": ["color-contrast", "document-title", "html-has-lang", "meta-viewport"]})
    assert found.violations_count == 0, found.generate_report()
    context.close()
