"""A ZEUS venue for tests, with a balanced pool and a few rich accounts."""

from __future__ import annotations

from typing import Any

from zlp import Venue
from zlp.engine import Code, Command, Envelope, Receipt, ledger
from zlp.engine.commands.governance import SetParameter

NOW = 1_700_000_000
PRICES = {"ETH": "2000", "BTC": "40000", "USDC": "1", "USDT": "1"}
RICH = {"ETH": "1000", "BTC": "50", "USDC": "2000000", "USDT": "1000000"}
ETHER = 10**18
DOLLAR = 10**30


def founded() -> Venue:
    """A pool of ten million dollars at its target weights; alice, bob and carol hold plenty of everything."""
    venue = Venue("zeus", time=NOW)
    venue.set_prices(**PRICES)
    for account in ("provider", "alice", "bob", "carol"):
        for token, amount in RICH.items():
            venue.deposit(account, token, amount)
    for token, amount in (("ETH", "750"), ("BTC", "31.25"), ("USDC", "1750000"), ("USDT", "500000")):
        venue.mint("provider", token, amount)
    return venue


def immediate(venue: Venue) -> Venue:
    """Let every action run at once, for tests of the actions themselves."""
    names = '["Mint","Burn","Swap","IncreasePosition","DecreasePosition"]'
    venue.apply("governor", SetParameter(leaf="OrderSettings", key="[]", field="immediate", value=names))
    return venue


def send(venue: Venue, account: str, command: Command) -> Receipt:
    """One command, refused or not."""
    return venue.root.apply(Envelope(time=venue.now, account=account, command=command))


def refused(venue: Venue, account: str, command: Command) -> Code:
    """The code a command is refused with; nothing may have changed."""
    before = venue.root.state_hash()
    receipt = send(venue, account, command)
    assert receipt.rejection is not None, receipt.events
    assert venue.root.state_hash() == before
    return receipt.rejection.code


def held(venue: Venue, owner: str, token: str) -> int:
    """Base units an owner holds."""
    return ledger.balance_of(venue.root.state, owner, token)


def set_parameter(venue: Venue, leaf: str, key: str, field: str, value: Any) -> None:
    """Governance changes one number."""
    venue.apply("governor", SetParameter(leaf=leaf, key=key, field=field, value=str(value)))
