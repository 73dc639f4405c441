"""What only single designs have, used on the page by clicks: the outcome shows without a reload."""

import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import KEY, Visit
from tests.e2e.stewards import TREASURER, altered, earn, ordered, rising, sent, treasury
from tests.e2e.venues import Up
from zlp.client import Client, Refused
from zlp.engine.codec import canonical
from zlp.engine.commands.credit import ConvertFees
from zlp.engine.commands.custody import Faucet
from zlp.engine.commands.governance import Propose
from zlp.engine.commands.revenue import CollectFees, FundEpoch
from zlp.engine.commands.staking import StartEmission

pytestmark = pytest.mark.browser
Enter = Callable[..., Visit]
Venues = Callable[..., Up]


def panel(page: Page, title: str) -> Locator:
    """A design's own card on the liquidity page."""
    return page.locator("main .card", has=page.locator(f"h2:text-is('{title}')"))


def choose(card: Locator, what: str) -> None:
    """What to do in a panel."""
    card.locator("select[name^=do-]").select_option(label=what)


def press(card: Locator) -> None:
    """Sign what is filled in."""
    card.locator("form button.wide").click()


def deposit(page: Page, amount: str) -> None:
    """Put a little into the pool that is shown."""
    page.fill("input[name=liquidity]", amount)
    expect(page.locator("form .outcome", has_text="You receive").first).to_be_visible()
    page.click("form button.primary")
    expect(page.locator("#toasts")).to_contain_text("Deposited:")


def at_liquidity(visitor: Visit, pool: str = "") -> Page:
    """A visitor with test tokens, on the liquidity page."""
    page = visitor.open()
    visitor.use_demo()
    visitor.go("liquidity")
    if pool:
        page.click(f".intro .tabs button:text-is('{pool}')")
        page.wait_for_function("name => location.hash.endsWith(name)", arg=pool.removeprefix("ZLP-").lower())
    return page


def test_stake_claim_and_vest(up: Venues, visit: Enter) -> None:
    """N4, N5: shares are staked at once, earn by the second, can be taken back; what is claimed vests."""
    venue = up("zeno")
    ordered(venue, "governor", StartEmission(pool="main", amount=10**6 * 10**18, seconds=10 * 86_400))
    page = at_liquidity(visit(venue))
    deposit(page, "5000")
    card = panel(page, "Staking and vesting")
    expect(card.locator(".facts.lined")).to_contain_text(re.compile(r"[\d,.]{5,} ZLP"))

    expect(card.locator(".outcome")).to_contain_text("esZENO after", timeout=15_000)
    press(card)
    expect(page.locator("#toasts")).to_contain_text("Claim rewards: done")
    choose(card, "Start vesting")
    card.locator("button:text-is('max')").click()
    expect(card.locator(".outcome")).to_contain_text("esZENO after")
    press(card)
    expect(card).to_contain_text("Vesting 1")
    choose(card, "Claim vested")
    expect(card.locator(".outcome")).to_contain_text("ZENO after", timeout=15_000)
    press(card)
    expect(page.locator("#toasts")).to_contain_text("Claim vested: done")
    choose(card, "Leave vesting")
    press(card)
    expect(card).not_to_contain_text("Vesting 1")

    choose(card, "Automatic staking")
    card.locator("input[type=checkbox]").uncheck()
    press(card)
    expect(card).to_contain_text("stay unstaked")
    choose(card, "Unstake")
    card.locator("input[name=amount]").fill("100")
    expect(card.locator(".outcome")).to_contain_text("ZLP after")
    press(card)
    expect(card).to_contain_text("You have 100 ZLP")
    choose(card, "Stake")
    card.locator("button:text-is('max')").click()
    press(card)
    expect(card).to_contain_text("You have 0 ZLP")


def treasure(venue: Up) -> tuple[str, int]:
    """A token that the crowd has paid fees in, collected, and all that the treasury has of it."""
    with Client(venue.address) as client:
        for token in ("ETH", "BTC", "USDC"):
            with contextlib.suppress(Refused):  # a keeper has been there
                sent(venue, TREASURER, CollectFees(pool="main", token=token))
            if held := client.balance(token, "fees:treasury"):
                return token, client.units(token, held)
    raise AssertionError("the crowd has paid no fees")


def test_the_soulbound_token_and_an_epoch(up: Venues, visit: Enter, tmp_path: Path) -> None:
    """E12, E13: ten dollars make a holder; a holder joins an epoch and is paid when it is over."""
    venue = up(str(altered("zeus", tmp_path, treasury())))
    token, amount = treasure(venue)
    now = int(time.time())
    epoch = FundEpoch(
        pool="main", bucket="treasury", token=token, amount=amount, starts=now, ends=now + 25, score="shares"
    )
    sent(venue, TREASURER, Propose(multisig="treasury", command=canonical(epoch).decode(), expires=now + 60))
    page = at_liquidity(visit(venue))
    card = panel(page, "Soulbound token and epochs")
    expect(card).to_contain_text("none yet")
    card.locator("select[name=token]").select_option("USDC")
    expect(card.locator("input[name=max_amount]")).to_have_value(re.compile(r"^10\.\d"))
    expect(card.locator(".outcome")).to_contain_text("USDC after")
    press(card)
    expect(card).to_contain_text("Your tokensince")
    choose(card, "Join an epoch")
    press(card)
    expect(card.locator("tbody tr")).to_contain_text("joined")
    deposit(page, "1")
    choose(card, "Claim an epoch")
    expect(card.locator("tbody tr")).to_contain_text("over", timeout=40_000)
    expect(card.locator(".outcome")).to_contain_text(f"{token} after", timeout=15_000)
    press(card)
    expect(page.locator("#toasts")).to_contain_text("Claim an epoch: done")


def test_redeem_from_a_vault(up: Venues, visit: Enter, tmp_path: Path) -> None:
    """Z2: a request is shown with its time, can be taken back, and is paid after the delay."""
    short = ('withdrawal_delay = "24 h"', 'withdrawal_delay = "4 s"')
    page = at_liquidity(visit(up(str(altered("zaros", tmp_path, short)))), "ZLP-WETH")
    deposit(page, "5")
    card = panel(page, "Redemptions")

    def request(shares: str) -> None:
        page.click(".tabs .withdraw")
        page.fill("input[name=liquidity]", shares)
        expect(page.locator("form .outcome").first).to_contain_text("redeem it below")
        page.click("form button.primary")
        expect(card).to_contain_text(f"{shares} ZLP-WETH, from")

    request("1")
    choose(card, "Take back")
    press(card)
    expect(card).not_to_contain_text("1 ZLP-WETH, from")
    request("2")
    choose(card, "Redeem")
    expect(card.locator(".outcome")).to_contain_text("WETH after", timeout=15_000)
    press(card)
    expect(page.locator("#toasts")).to_contain_text("Redeem: done")
    expect(card).not_to_contain_text("2 ZLP-WETH, from")


def buy_fees(venue: Up) -> None:
    """The keeper buys the fees that the crowd has paid in a market, in the token stakers are paid in."""
    with Client(venue.address) as client:
        fees, price = client.balance("USDC", "market_fees:BTC"), client.prices()["ETH"].low
    assert fees
    assert price
    delivered = int(fees / price * 10**18 * 102 / 100)
    ordered(venue, "keeper", Faucet(token="WETH", amount=delivered))
    ordered(venue, "keeper", ConvertFees(market="BTC", token="USDC", delivered=delivered))


def test_stake_a_vault_share_and_earn(up: Venues, visit: Enter) -> None:
    """Z7, Z8: staked shares collect points by the second, and their part of the fees of trades."""
    venue = up("zaros")
    page = at_liquidity(visit(venue), "ZLP-wstETH")
    deposit(page, "50")
    card = panel(page, "Vault staking and points")
    expect(card).to_contain_text(re.compile(r"You have [1-9][\d.]* ZLP-wstETH"))
    card.locator("button:text-is('max')").click()
    press(card)
    mine = card.locator(".facts.lined")
    expect(mine).to_contain_text(re.compile(r"Staked[1-9][\d,.]* ZLP-wstETH"))
    expect(mine).to_contain_text(re.compile(r"Points[\d,.]*[1-9]"), timeout=15_000)
    choose(card, "Claim rewards")
    buy_fees(venue)
    expect(card.locator(".outcome")).to_contain_text("WETH after", timeout=20_000)
    press(card)
    expect(page.locator("#toasts")).to_contain_text("Claim rewards: done")
    choose(card, "Unstake")
    card.locator("input[name=shares]").fill("1")
    press(card)
    expect(card).to_contain_text("You have 1 ZLP-wstETH")


def test_swap_the_stable_token(up: Venues, visit: Enter, tmp_path: Path) -> None:
    """Z4, Z6: a profit is minted; the quote says what a vault pays for it, and a keeper fills the swap."""
    venue = up("zaros", "--prices", rising(tmp_path), "--every", "0.25")
    earn(venue, KEY, "USDz", 1_500)
    visitor = visit(venue, wallet=True)
    page = visitor.open()
    page.click("#connect")
    page.click("dialog >> text=Test wallet")
    visitor.go("liquidity")
    page.click(".intro .tabs button:text-is('ZLP-WETH')")
    card = panel(page, "Swap the stable token")
    expect(card).to_contain_text(re.compile(r"You have [1-9][\d,.]* USDz"))
    card.locator("input[name=amount]").fill("500")
    expect(card.locator(".outcome")).to_contain_text("WETH after")
    expect(card.locator(".outcome")).to_contain_text("USDz after")
    before = card.locator(".outcome").inner_text()
    press(card)
    expect(page.locator("#toasts")).to_contain_text("Request a swap: done")
    assert "WETH after" in before
    expect(card.locator(".facts.lined", has_text="Swap 1")).to_have_count(0, timeout=15_000)


def test_the_weekly_rate(up: Venues, visit: Enter) -> None:
    """O6: the page says what came in since, and that the figure comes after a week."""
    page = at_liquidity(visit(up("zo")))
    returns = panel(page, "Return by source")
    expect(returns).to_contain_text("Weekly APRafter the first whole week")
    expect(returns).to_contain_text(re.compile(r"Fees to the pool since then\$[\d,]*\d\.\d\d in"))


def test_send_shares_to_somebody(up: Venues, visit: Enter) -> None:
    """O7: shares move between accounts."""
    visitor = visit(up("zo"))
    page = at_liquidity(visitor)
    token = page.locator(".field", has=page.locator("input[name=liquidity]")).locator("select.unit")
    token.select_option("USDC")
    deposit(page, "1000")
    visitor.go("wallet")
    send = page.locator("main .card", has=page.locator("h2:text-is('Send')"))
    expect(page.locator("main")).to_contain_text("ZLP")
    send.locator("select.unit").select_option("ZLP")
    send.locator("input[name=send-amount]").fill("100")
    send.locator("input[name=send-to]").fill("0x" + "ab" * 20)
    send.locator("button:text-is('Send')").click()
    expect(page.locator("#toasts")).to_contain_text("Done")
    page.goto(f"{visitor.address}/#/explorer/0x{'ab' * 20}")
    expect(page.locator("main")).to_contain_text("ZLP100")
