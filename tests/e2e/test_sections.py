"""What each section shows and lets one do, beyond the ways every visitor goes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Visit
from tests.e2e.test_page import PROFILES, SECTIONS, open_long
from tests.e2e.venues import Up

pytestmark = pytest.mark.browser
Enter = Callable[..., Visit]
Venues = Callable[..., Up]


def card(page: Page, title: str) -> str:
    """The words of a card."""
    return page.locator("main .card", has=page.locator("h2", has_text=re.compile(f"^{title}"))).first.inner_text()


def opened(visitor: Visit) -> Page:
    """A visitor with a position."""
    page = visitor.open()
    visitor.use_demo()
    open_long(page)
    expect(page.locator(".lower tbody tr")).to_have_count(1)
    return page


def test_markets_and_chart(up: Venues, visit: Enter) -> None:
    """Prices, change, open interest, skew and carry of markets; one's own lines on the candles."""
    page = opened(visit(up("zo")))
    row = page.locator(".market-row").first
    expect(row).to_contain_text(re.compile(r"[A-Z]+\s*[\d,.]+\s*OI \$[\d,.]+[km]?\s*\S\d"))
    header = page.locator(".market-header")
    for name in ("24 h", "Open interest", "Skew", "Longs pay / h", "Shorts pay / h", "Room long / short"):
        expect(header.locator(".stat", has_text=name)).to_contain_text(re.compile(r"\d|no limit"))
    chart = page.locator(".chart canvas")
    expect(chart).to_have_attribute("aria-label", re.compile(r"long entry [\d,.]+, long liquidation [\d,.]+"))
    expect(page.locator(".readout")).to_contain_text(re.compile(r"O [\d,.]+"))
    before = page.inner_text(".readout")
    page.click(".intervals button:text-is('1h')")
    expect(page.locator(".readout")).not_to_have_text(before)
    page.locator(".market-row").nth(1).click()
    expect(page.locator(".market-header h2")).not_to_contain_text("BTC / USD")


def test_leverage_moves_size_and_quote(up: Venues, visit: Enter) -> None:
    """A5: the slider sets the size; the exact quote follows, every fee by its name."""
    visitor = visit(up("zeus"))
    page = visitor.open()
    visitor.use_demo()
    page.fill("input[name=amount]", "1")
    size = page.locator("input[name=size]")
    before = float(size.input_value())
    page.focus("input[name=leverage]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    after = float(size.input_value())
    assert after / before == pytest.approx(6 / 5, rel=0.01)
    outcome = page.locator(".ticket .outcome")
    for name in ("Execution price", "Trading fee", "Execution fee", "Size after", "Liquidation price", "Health after"):
        expect(outcome).to_contain_text(name)
    page.fill("input[name=amount]", "999999")
    expect(outcome).to_contain_text("Not enough ETH: there are")


@pytest.mark.parametrize("profile", ["zaros", "zeus"])
def test_reduce_and_change_margin(profile: str, up: Venues, visit: Enter) -> None:
    """N3, E7: a part is closed, margin comes in and goes out, the history tells it; nothing is reloaded."""
    page = opened(visit(up(profile)))
    whole, half = {"zaros": (r"^\$(9,9|10,0)", r"^\$(4,9|5,0)"), "zeus": (r"^\$16,", r"^\$8,2")}[profile]
    added, taken, in_usd = ("500", "100", 0) if profile == "zaros" else ("0.1", "50", 1)
    size = page.locator(".lower tbody td").nth(1)
    expect(size).to_contain_text(re.compile(whole))
    page.click(".lower button:text-is('Close')")
    page.click("dialog button:text-is('50 %')")
    expect(page.locator("dialog .outcome")).to_contain_text("Size after", timeout=20_000)
    page.click("dialog button.primary")
    expect(size).to_contain_text(re.compile(half), timeout=20_000)
    for way, amount, said in (("Add", added, "Margin added"), ("Take out", taken, "Margin taken out")):
        page.click(".lower tbody button:text-is('Margin')")
        page.click(f"dialog button:text-is('{way}')")
        expect(page.locator("dialog span.unit")).to_have_count(in_usd if way == "Take out" else 0)
        page.fill("dialog input[name=margin]", amount)
        expect(page.locator("dialog .outcome")).to_contain_text("Health after")
        page.click("dialog button.primary")
        expect(page.locator("#toasts")).to_contain_text(said)
    page.click(".lower-tabs button:text-is('Trades')")
    expect(page.locator(".lower tbody tr")).to_have_count(2 + 2 * in_usd, timeout=15_000)
    page.click(".lower-tabs button:text-is('History')")
    expect(page.locator(".lower tbody tr", has_text="open")).to_have_count(1)


@pytest.mark.parametrize("profile", PROFILES)
def test_risk_of_the_venue(profile: str, up: Venues, visit: Enter) -> None:
    """N7, N8, Z3 to Z5, E10: limits, ladder, who is near, what backs profits, where prices come from."""
    visitor = visit(up(profile))
    page = opened(visitor)
    visitor.go("risk")
    expect(page.locator("main .loading")).to_have_count(0)
    summary = page.locator(".stats").first
    for name in ("Liquidity", "Open interest", "Traders' open PnL", "Highest utilisation", "Due for liquidation"):
        expect(summary).to_contain_text(name)
    expect(page.locator("svg[aria-label^='Liquidation ladder']")).to_be_visible()
    assert page.locator(".card", has_text="Nearest to liquidation").locator("tbody tr").count() > 1
    assert re.search(r"live\s+primary\s+[\d,.]+[^%]* %\s+\d+ (s|min|h)", card(page, "Prices and their sources"))
    backing = {"zeno": "Profit reserve buffer", "zaros": "Credit of markets"}.get(profile, "Reserved for profits")
    words = card(page, backing)
    assert "%" in words
    assert "bn" not in words
    if profile == "zaros":
        assert "Who bears" in page.locator(".bars").get_attribute("aria-label")
        assert "usdc" in card(page, "Debt of vaults")
    if profile == "zeno":
        assert "closed first" in card(page, "Deleverage queue")


def test_risk_of_providing(up: Venues, visit: Enter) -> None:
    """E4: in words, with the venue's own numbers; share price and return by source are drawn."""
    visitor = visit(up("zeus"))
    page = visitor.open("liquidity")
    expect(page.locator("svg[aria-label^='Price of a share']")).to_be_visible()
    expect(page.locator("svg[aria-label='Return by hour and source']")).to_be_visible()
    expect(page.locator("svg[aria-label^='Fees of']")).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"Largest fall of a share so far\s*\S[\d.]+ %"))
    words = card(page, "What you risk")
    assert re.search(r"If prices (rise|fall) by 10 %, they win about \$[\d,.]+[km]? of the providers' money", words)
    assert re.search(r"Traders would (win|lose) if all closed now\s+\$[\d,.]+", words)


def test_calculators_are_the_published_ones(up: Venues, visit: Enter) -> None:
    """N11, O6, E15, Z5, Z6: the documents' examples to the digit, drawn, and with one's own figures."""
    visitor = visit(up("zo"))
    page = visitor.open("calculators")
    expected = {
        "Adaptive price": ("1,803", "1,802.999997"),
        "Yield": ("$22,500.00", "$5.625"),
        "Cost of opening": ("$2.50", "$6.00", "$10.00", "$1.00", "$0.50", "$5.00", "0.00018 ETH"),
        "Deleverage curve": ("60.00 %",),
        "Premium of stable-token swaps": ("101.576 %",),
    }
    for title, figures in expected.items():
        found = page.locator(".card", has=page.locator(f"h2:text-is('{title}')"))
        for figure in figures:
            expect(found).to_contain_text(figure)
        expect(found.locator("svg.plot, .bars")).to_be_visible()
    page.fill("input[name=adaptive-price-skew]", "1000000")
    page.fill("input[name=adaptive-price-size]", "-500000")
    expect(page.locator(".card", has_text="Adaptive price").first).to_contain_text("1,804.5")
    page.fill("input[name=deleverage-debt]", "abc")
    expect(page.locator(".card", has_text="Deleverage curve")).to_contain_text("Enter a number")


def test_explorer_finds_and_verifies(up: Venues, visit: Enter) -> None:
    """A2: commands with their events and digests, by account and by sequence; how to check them oneself."""
    visitor = visit(up("zeus"))
    page = opened(visitor)
    account = page.get_attribute("#connect", "title")
    visitor.go("explorer")
    expect(page.locator("main tbody tr").first).to_be_visible()
    page.fill("input[name=search]", "40")
    page.keyboard.press("Enter")
    expect(page.locator("main h2")).to_contain_text("Sequence 40:")
    digest = page.locator(".facts div", has_text="Digest after").locator("dd").inner_text()
    page.click("a:text-is('Next')")
    expect(page.locator("main h2")).to_contain_text("Sequence 41:")
    expect(page.locator(".facts div", has_text="Digest before").locator("dd")).to_have_text(digest)
    page.fill("input[name=search]", account)
    page.keyboard.press("Enter")
    expect(page.locator("main h2").first).to_have_text(account)
    expect(page.locator("main .card", has_text="Trades").last).to_contain_text("open")
    page.click("button:text-is('Verify')")
    expect(page.locator("dialog")).to_contain_text("zlp verify")
    expect(page.locator("dialog")).to_contain_text("/v1/receipts/")


def test_an_agent_key_is_given_and_taken_back(up: Venues, visit: Enter) -> None:
    """A3: its scope and its end are shown; revoked, the wallet signs again."""
    visitor = visit(up("zeus"))
    page = visitor.open("wallet")
    visitor.use_demo()
    page.uncheck("input[name=liquidity]")
    page.locator("main .card", has_text="Agent key").locator("select").select_option(label="an hour")
    page.click("button:text-is('Approve an agent key')")
    found = page.locator("main .card", has_text="Agent key")
    expect(found).to_contain_text("Maytrade")
    expect(found).to_contain_text("(60 min)")
    page.click("button:text-is('Revoke')")
    expect(found).to_contain_text("Approve an agent key")


def test_a_long_list_comes_by_pages(up: Venues, visit: Enter) -> None:
    """A list of thousands costs a page of rows; how many are open stays when it is drawn anew."""
    page = visit(up("zeus")).open("wallet")
    shown = page.evaluate(
        """async () => {
          const {table} = await import("/web/js/dom.js");
          const draw = () => table([["Number", (row) => row]], [...Array(1000).keys()], {label: "Numbers"});
          const list = draw();
          const count = (element) => element.querySelectorAll("tbody tr").length;
          const first = [count(list), list.querySelector(".more-rows").textContent];
          list.querySelector(".more-rows button").click();
          return [...first, count(list), count(draw())];
        }"""
    )
    assert shown == [50, "50 of 1,000Show 50 more", 100, 100]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_empty_venue_says_so(section: str, up: Venues, visit: Enter) -> None:
    """Before anybody came: no error in the console, words in place of figures."""
    page = visit(up("zaros", "--empty"), reduced_motion="reduce").open(section)
    expect(page.locator("main .loading")).to_have_count(0)
    expect(page.locator("main")).to_contain_text(re.compile("[A-Z][a-z]+ [a-z]+"))
