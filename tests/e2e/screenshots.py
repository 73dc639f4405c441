"""Makes the pictures of the docs from the project's own demo: ``python -m tests.e2e.screenshots docs/images``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.e2e.browser import Visit, launched
from tests.e2e.venues import Up

PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1600, "height": 1000}}
PICTURES = (
    ("trade", "zeus", "trade", WIDE | {"color_scheme": "light"}),
    ("trade-dark", "zeno", "trade", WIDE | {"color_scheme": "dark"}),
    ("liquidity", "zeus", "liquidity", WIDE | {"color_scheme": "light"}),
    ("vaults-dark", "zaros", "liquidity", WIDE | {"color_scheme": "dark"}),
    ("risk", "zeno", "risk", WIDE | {"color_scheme": "light"}),
    ("debt", "zaros", "risk", WIDE | {"color_scheme": "light"}),
    ("calculators", "zo", "calculators", WIDE | {"color_scheme": "light"}),
    ("explorer", "zeno", "explorer", WIDE | {"color_scheme": "dark"}),
    ("phone", "zo", "trade", PHONE | {"color_scheme": "light"}),
)
AMOUNTS = {"ETH": "1", "BTC": "0.05", "WETH": "1"}


def picture(browser: Browser, venue: Up, name: str, section: str, options: dict[str, object], folder: Path) -> None:
    """One section as somebody with a position sees it."""
    visitor = Visit(browser, venue.address, **options)
    page = visitor.open()
    visitor.use_demo()
    token = page.locator(".ticket select.unit").first.input_value()
    page.fill("input[name=amount]", AMOUNTS.get(token, "2000"))
    page.wait_for_selector(".ticket .outcome >> text=Liquidation price")
    page.click(".ticket button.wide")
    page.wait_for_selector(".lower tbody tr")
    page.fill("input[name=amount]", AMOUNTS.get(token, "2000"))
    if section != "trade":
        visitor.go(section)
    page.wait_for_selector("main .loading", state="detached")
    page.wait_for_timeout(6_000)
    page.evaluate("document.getElementById('toasts').replaceChildren()")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=folder / f"{name}.png", full_page=section != "explorer" and name != "phone")
    visitor.close()


def main(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, launched() as browser:
        for profile in dict.fromkeys(profile for _, profile, _, _ in PICTURES):
            venue = Up(profile, Path(data) / profile)
            try:
                for name, wanted, section, options in PICTURES:
                    if wanted == profile:
                        picture(browser, venue, name, section, options, folder)
                        print(folder / f"{name}.png")
            finally:
                venue.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
