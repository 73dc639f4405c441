"""The bridge: it brings in and takes out what is foreign, and locks what the venue itself issues (A3, A8)."""

from __future__ import annotations

import pytest

from tests.properties.venue import Venue
from zlp.engine import Receipt, ledger
from zlp.engine.branches.custody import OUTSIDE
from zlp.engine.codec import canonical
from zlp.engine.commands.custody import Deposit, RequestWithdrawal, SettleWithdrawal
from zlp.engine.commands.governance import Configure
from zlp.engine.commands.liquidity import Mint
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.pool import PoolSettings
from zlp.engine.rejections import Code

ETHER = 10**18


@pytest.fixture
def venue() -> Venue:
    """A priced pool in which ann has all shares, cooled down, and ether besides."""
    found = Venue("zeus")
    found.post()
    found.ask("bridge", Deposit(account="ann", token="ETH", amount=1_000 * ETHER))
    found.ask("ann", Mint(pool="main", token="ETH", amount=100 * ETHER))
    found.now += 900
    return found


def refusal(receipt: Receipt) -> Code | None:
    """Why it was refused, if it was."""
    return None if receipt.rejection is None else receipt.rejection.code


def take_out(venue: Venue, token: str, amount: int) -> None:
    """Ask for a withdrawal, and pay it."""
    asked = venue.ask("ann", RequestWithdrawal(token=token, amount=amount, destination="a chain"))
    number = next(event.number for event in asked.events if type(event).__name__ == "WithdrawalRequested")
    assert refusal(venue.ask("bridge", SettleWithdrawal(withdrawal=number, paid=True))) is None


def test_foreign_tokens_leave_the_supply(venue: Venue) -> None:
    """A3: what is paid out elsewhere no longer exists here."""
    before = ledger.supply_of(venue.root.state, "ETH")
    take_out(venue, "ETH", ETHER)

    assert ledger.supply_of(venue.root.state, "ETH") == before - ETHER


def test_shares_that_leave_still_count(venue: Venue) -> None:
    """E2: nobody's share gains because another's are elsewhere; they come back, and no more than left."""
    state = venue.root.state
    supply, held = (ledger.supply_of(state, "ZLP"), ledger.balance_of(state, "ann", "ZLP"))
    take_out(venue, "ZLP", 5 * ETHER)

    assert ledger.supply_of(state, "ZLP") == supply
    assert ledger.balance_of(state, OUTSIDE, "ZLP") == 5 * ETHER
    too_many = venue.ask("bridge", Deposit(account="ben", token="ZLP", amount=5 * ETHER + 1))
    assert refusal(too_many) is Code.INSUFFICIENT_BALANCE
    assert refusal(venue.ask("bridge", Deposit(account="ben", token="ZLP", amount=5 * ETHER))) is None
    assert ledger.balance_of(state, "ben", "ZLP") == 5 * ETHER
    assert ledger.balance_of(state, "ann", "ZLP") == held - 5 * ETHER
    assert venue.root.audit() == []


def test_what_cannot_be_sent_cannot_leave(venue: Venue) -> None:
    """A token bound to its holder has no way out either."""
    receipt = venue.ask("ann", RequestWithdrawal(token="ZLP.debt", amount=1, destination="a chain"))

    assert refusal(receipt) is Code.TRANSFER_FORBIDDEN


@pytest.mark.parametrize("token", ["ZLP", "ETH"])
def test_who_issues_a_token_does_not_change(venue: Venue, token: str) -> None:
    """A8: neither can the bridge be let at shares, nor the rules at the bridge's tokens."""
    old = venue.root.state.get(Token, (token,))
    assert old is not None
    turned = Token(token, old.decimals, issued=not old.issued, native=old.native, burnable=old.burnable)
    receipt = venue.ask("governor", Configure(settings=canonical(turned).decode()))

    assert refusal(receipt) is Code.SETTING_IN_USE


def test_a_pool_issues_only_tokens_marked_so(venue: Venue) -> None:
    """A8: a share that the bridge could create would be worth nothing."""
    [pool] = venue.root.state.each(PoolSettings)
    other = PoolSettings("other", "USDT", pool.debt, pool.tokens, pool.swap_fees)
    receipt = venue.ask("governor", Configure(settings=canonical(other).decode()))

    assert refusal(receipt) is Code.INVALID_SETTING


def test_no_faucet_gives_what_the_venue_issues(venue: Venue) -> None:
    """A demo's faucet creates foreign tokens only."""
    receipt = venue.ask(
        "governor", Configure(settings=canonical(Token("NEW", 18, issued=True, faucet_limit=1)).decode())
    )

    assert refusal(receipt) is Code.INVALID_SETTING
