"""What a visitor does on the page, for each profile: trade, provide liquidity, place and cancel orders."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser import Visit
from tests.e2e.venues import Up

pytestmark = pytest.mark.browser
PROFILES = ("zeus", "zo", "zeno", "zaros")
SECTIONS = ("trade", "liquidity", "risk", "calculators", "explorer", "wallet")
WITHDRAWN = {"zeus": "ooldown", "zo": "You receive", "zeno": "You receive", "zaros": "redeem it below"}
SMALL = {"BTC": "0.05", "ETH": "1", "WETH": "1", "SOL": "20"}
Enter = Callable[..., Visit]
Venues = Callable[..., Up]


def pay(page: Page, name: str) -> None:
    """A few thousand dollars of whatever token the form offers."""
    box = page.locator(f"input[name={name}]")
    token = page.locator(".field", has=box).locator("select.unit").input_value()
    box.fill(SMALL.get(token, "2000"))


def open_long(page: Page) -> str:
    """Quote and send a market order; answers the quoted execution price."""
    pay(page, "amount")
    quoted = page.locator(".ticket .outcome", has_text="Execution price")
    expect(quoted).to_be_visible()
    expect(quoted).to_contain_text("Liquidation price")
    expect(quoted).to_contain_text("Health after")
    expect(quoted).to_contain_text(re.compile("fee", re.IGNORECASE))
    price = re.search(r"Execution price\s*([\d,.]+)", quoted.inner_text())
    assert price is not None
    page.click(".ticket button.wide")
    return price[1]


def close_patiently(page: Page) -> None:
    """Close as a person would: a design may let a young profit wait, and a price may turn into one before the fill."""
    for _ in range(12):
        page.click(".lower button:has-text('Close')")
        # The dialog's quote says that it is too early, and then comes round.
        expect(page.locator("dialog .outcome")).to_contain_text("Execution price", timeout=70_000)
        page.click("dialog button.primary")
        try:
            expect(page.locator(".lower")).to_contain_text("No open positions", timeout=10_000)
        except AssertionError:
            continue
        return
    raise AssertionError("the position never closed")


@pytest.mark.parametrize("profile", PROFILES)
def test_quote_trade_and_see_the_fill(profile: str, up: Venues, visit: Enter) -> None:
    """A5, E9: a quote names every fee, the order is filled live without a reload, closing it empties the list."""
    visitor = visit(up(profile))
    page = visitor.open()
    visitor.use_demo()
    assert float(open_long(page).replace(",", "")) > 0
    expect(page.locator("#toasts")).to_contain_text("Filled: open")
    expect(page.locator(".lower tbody tr")).to_have_count(1)
    expect(page.locator(".lower tbody tr")).to_contain_text("Long")
    if profile == "zeno":
        page.wait_for_timeout(16_000)  # its markets let a profit wait 15 seconds, whichever way the price goes
    close_patiently(page)
    page.click(".lower-tabs button:has-text('Trades')")
    expect(page.locator(".lower tbody tr").first).to_contain_text("close")


@pytest.mark.parametrize("profile", PROFILES)
def test_provide_and_withdraw_liquidity(profile: str, up: Venues, visit: Enter) -> None:
    """O7: a deposit gives shares as quoted, and they can be given back (or asked to be redeemed, in vaults)."""
    visitor = visit(up(profile))
    page = visitor.open()
    visitor.use_demo()
    visitor.go("liquidity")
    pay(page, "liquidity")
    quoted = page.locator(".outcome", has_text="You receive").first
    expect(quoted).to_contain_text("Fee rate")
    page.click("form button.primary")
    expect(page.locator("#toasts")).to_contain_text("Deposited:")
    expect(page.locator(".stat", has_text="You hold").locator(".value")).not_to_have_text("$0.00")
    page.click(".tabs .withdraw")
    page.click("form .hint button")
    outcome = page.locator("form .outcome").first
    expect(outcome).to_contain_text(WITHDRAWN[profile])
    if profile == "zeus":
        return  # its pool lets deposits rest for a quarter of an hour
    page.click("form button.primary")
    if profile == "zaros":
        expect(page.locator("main .card[aria-label=Redemptions]")).to_contain_text("ZLP-wstETH, from")
    else:
        expect(page.locator("#toasts")).to_contain_text("Withdrawn from the pool")


@pytest.mark.parametrize("profile", PROFILES)
def test_place_and_cancel_an_order(profile: str, up: Venues, visit: Enter) -> None:
    """E9: a limit order waits with its trigger, its trigger can be moved, and cancelling gives everything back."""
    visitor = visit(up(profile))
    page = visitor.open()
    visitor.use_demo()
    page.click(".ticket .tabs .limit")
    page.fill("input[name=trigger]", "1000")
    pay(page, "amount")
    expect(page.locator(".ticket .outcome")).to_contain_text("Liquidation price")
    page.click(".ticket button.wide")
    expect(page.locator(".lower-tabs")).to_contain_text("Orders (1)")
    page.click(".lower-tabs .orders")
    expect(page.locator(".lower tbody tr")).to_contain_text("below 1,000")
    expect(page.locator(".lower tbody tr")).to_contain_text("Open long")
    page.click(".lower button:has-text('Edit')")
    page.fill("dialog input[name=trigger]", "900.5")
    page.click("dialog button:has-text('Save')")
    expect(page.locator(".lower tbody tr")).to_contain_text("below 900.5")
    page.click(".lower button:has-text('Cancel')")
    expect(page.locator(".lower")).to_contain_text("No order waits")


@pytest.mark.parametrize("profile", PROFILES)
def test_protect_a_position(profile: str, up: Venues, visit: Enter) -> None:
    """E9, O8: take profit and stop loss rest beside a position; the one whose price is reached closes it live."""
    visitor = visit(up(profile))
    page = visitor.open()
    visitor.use_demo()
    mark = float(open_long(page).replace(",", ""))
    expect(page.locator(".lower tbody tr")).to_have_count(1)
    page.click(".ticket .tabs .protect")
    page.fill(".ticket input[name=take]", str(round(mark * 1.5)))
    page.fill(".ticket input[name=stop]", str(round(mark * 0.5)))
    page.click(".ticket button:has-text('Place orders')")
    expect(page.locator("#toasts")).to_contain_text("Both orders placed")
    page.click(".lower-tabs .orders")
    expect(page.locator(".lower tbody tr")).to_have_count(2)
    expect(page.locator(".lower tbody tr").first).to_contain_text("Close long")
    # The stop moves above the price, so it is reached at once.
    page.locator(".lower tbody tr", has_text="below").locator("button:has-text('Edit')").click()
    page.fill("dialog input[name=trigger]", str(round(mark * 1.2)))
    page.click("dialog button:has-text('Save')")
    page.click(".lower-tabs .positions")
    # Where a profit must be held for a while, the order rests until it has been.
    expect(page.locator(".lower")).to_contain_text("No open positions", timeout=90_000)


def test_swap_tokens(up: Venues, visit: Enter) -> None:
    """E1: the amount out is quoted exactly before it is signed, and arrives."""
    visitor = visit(up("zeus"))
    page = visitor.open()
    visitor.use_demo()
    page.click(".ticket .tabs .swap")
    page.fill("input[name=swap-amount]", "1000")
    expect(page.locator(".ticket .outcome")).to_contain_text("You receive")
    page.click(".ticket button.wide")
    expect(page.locator("#toasts")).to_contain_text("Swapped into")


def test_reload_and_reconnect(up: Venues, visit: Enter, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The demo wallet and its position survive a reload; a venue that goes away is said to be gone, then followed."""
    venue = up("zeus", "--every", "0.5")
    visitor = visit(venue)
    page = visitor.open()
    visitor.use_demo()
    account = page.inner_text("#connect")
    open_long(page)
    expect(page.locator(".lower tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#connect")).to_have_text(account)
    expect(page.locator(".lower tbody tr")).to_have_count(1)
    venue.stop()
    expect(page.locator("#banner")).to_contain_text("Disconnected")
    venue.start()
    expect(page.locator("#live")).to_have_text("live", timeout=60_000)
    expect(page.locator("#banner")).to_be_hidden()
    visitor.faults = [fault for fault in visitor.faults if "ERR_CONNECTION" not in fault]
    sequence = page.get_attribute("#live", "title")
    page.wait_for_function("before => document.getElementById('live').title !== before", arg=sequence)


def test_a_wallet_signs_and_may_decline(up: Venues, visit: Enter) -> None:
    """A3: a wallet found by EIP-6963 signs typed data that the venue accepts; a refusal is told, and sends nothing."""
    visitor = visit(up("zeus"), wallet=True)
    page = visitor.open()
    page.click("#connect")
    page.click("dialog >> text=Test wallet")
    visitor.declines = True
    visitor.go("wallet")
    page.click("button:has-text('Get test tokens')")
    expect(page.locator("#toasts")).to_contain_text("declined to sign; nothing was sent")
    expect(page.locator("main")).to_contain_text("Nothing yet")
    visitor.declines = False
    page.click("button:has-text('Get test tokens')")
    expect(page.locator("#toasts")).to_contain_text("Received test tokens")
    page.click("button:has-text('Approve an agent key')")
    expect(page.locator("main")).to_contain_text("without asking the wallet")
    visitor.go("trade")
    before = visitor.asked.count("eth_signTypedData_v4")
    open_long(page)
    expect(page.locator("#toasts")).to_contain_text("Filled: open")
    assert visitor.asked.count("eth_signTypedData_v4") == before


def test_stale_prices_are_said(up: Venues, visit: Enter) -> None:
    """O2: when no price has come for minutes, the page says so before anybody signs."""
    visitor = visit(up("zeus", "--every", "3600"))
    visitor.page.clock.install()
    page = visitor.open()
    page.wait_for_timeout(2_000)
    # Minutes pass in the browser alone, so the venue must not tell it the time meanwhile.
    page.route("**/v1/desk?*", lambda route: route.abort())
    page.clock.fast_forward("10:00")
    expect(page.locator("#banner")).to_contain_text("Prices are stale", timeout=20_000)
    expect(page.locator("#live")).to_have_text("stale prices")
    visitor.faults = [fault for fault in visitor.faults if "ERR_FAILED" not in fault]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_phone_shows_everything(section: str, up: Venues, visit: Enter) -> None:
    """Nothing is wider than a phone; tables scroll on their own."""
    visitor = visit(up("zeus"), viewport={"width": 375, "height": 780})
    page = visitor.open(section)
    page.wait_for_selector(f"main.page-{section}")
    page.wait_for_timeout(1_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds grave: names, roles, contrast, order."""
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"][:160] for node in each["nodes"][:4]]) for each in grave]


@pytest.mark.parametrize("profile", PROFILES)
def test_axe_finds_nothing_serious(profile: str, up: Venues, visit: Enter) -> None:
    """Every section of every design, in light and dark, with an account and a position."""
    visitor = visit(up(profile), color_scheme="light")
    page = visitor.open()
    visitor.use_demo()
    open_long(page)
    expect(page.locator(".lower tbody tr")).to_have_count(1)
    for section in SECTIONS:
        visitor.go(section)
        expect(page.locator("main .loading")).to_have_count(0)
        assert serious(page) == [], section
        page.click("#theme")
        assert serious(page) == [], f"{section}, the other theme"


def test_the_keyboard_is_enough(up: Venues, visit: Enter) -> None:
    """Skip link, sections, theme and connecting, with no pointer."""
    visitor = visit(up("zeus"))
    page = visitor.open()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.focus('#nav a[href="#/risk"]')
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Risk")
    page.focus("#connect")
    page.keyboard.press("Enter")
    page.focus("#demo-wallet")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Received test tokens")
