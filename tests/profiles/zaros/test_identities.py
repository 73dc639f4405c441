"""What must hold whatever happens: the identities of the credit system, over random stories of a whole venue."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.storm.venues import GENESIS_TIME, genesis
from tests.storm.zaros import next_command
from zlp.engine import Envelope, Receipt, Root
from zlp.engine.branches.credit.vaults import recalculate, vault_capacity
from zlp.engine.commands.credit import RedeemShares
from zlp.engine.commands.governance import SetParameter
from zlp.engine.draft import Draft
from zlp.engine.events.credit import StableSwapFulfilled, VaultRecalculated
from zlp.engine.events.ledger import Issued, Retired, Transferred
from zlp.engine.leaves.credit import CreditMarket, CreditVault, CreditVaultSettings, Delegation, Redemption
from zlp.engine.leaves.ledger import Balance
from zlp.engine.mechanisms.credit import locked, part_of
from zlp.engine.rejections import Reject

STABLE = "USDz"


class Story:
    """A venue under random commands, with a count of what its events say."""

    def __init__(self, seed: int) -> None:
        self.random, self.root, self.now = Random(seed), Root(), GENESIS_TIME
        for envelope in genesis("zaros"):
            assert self.root.apply(envelope).accepted
        for vault in list(self.root.state.each(CreditVaultSettings)):
            key, field = f'["{vault.vault}"]', "withdrawal_delay"
            command = SetParameter(leaf="CreditVaultSettings", key=key, field=field, value="60")
            assert self.root.apply(Envelope(time=self.now, account="governor", command=command)).accepted
        self.issued: Counter[str] = Counter()
        self.held: Counter[tuple[str, str]] = Counter()
        self.recalculations = 0

    def next(self) -> Envelope:
        """One more command."""
        self.now += self.random.randrange(20)
        envelope = next_command(self.random, self.root, self.now)
        self.now = max(self.now, envelope.time)
        return envelope

    def apply(self, envelope: Envelope) -> Receipt:
        """Apply it and count what its events say."""
        receipt = self.root.apply(envelope)
        for event in receipt.events:
            if isinstance(event, Issued | Retired):
                sign, owner = (1, event.target) if isinstance(event, Issued) else (-1, event.source)
                self.issued[event.token] += sign * event.amount
                self.held[owner, event.token] += sign * event.amount
            elif isinstance(event, Transferred):
                self.held[event.source, event.token] -= event.amount
                self.held[event.target, event.token] += event.amount
            self.recalculations += isinstance(event, VaultRecalculated)
        return receipt


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_the_identities_hold(seed: int) -> None:
    """A3, Z4, Z9: (1) stable tokens in accounts, in escrow and with the engine are those minted less those burned;
    (2) vaults owe what markets distributed less what was pushed and redeemed, to a unit per vault and distribution;
    (3) tokens change hands by transfers only. And every sum adds up again."""
    story = Story(seed)
    for number in range(500):
        story.apply(story.next())
        if number % 50:
            continue
        balances = list(story.root.state.each(Balance))
        stable = sum(balance.amount for balance in balances if balance.token == STABLE)
        assert stable == story.issued[STABLE]
        assert abs(_debt_gap(story.root)) <= 4 * (story.recalculations + len(list(story.root.state.each(CreditVault))))
        kept = {(balance.owner, balance.token): balance.amount for balance in balances if balance.amount}
        assert kept == {key: amount for key, amount in story.held.items() if amount}
        assert story.root.audit() == []


def _debt_gap(root: Root) -> int:
    """Identity (2) with every term: booked and not yet looked at, less distributed, plus pushed and redeemed."""
    vaults, markets = list(root.state.each(CreditVault)), list(root.state.each(CreditMarket))
    booked = sum(vault.realized_debt for vault in vaults)
    for delegation in root.state.each(Delegation):
        market = root.state.get(CreditMarket, (delegation.market,))
        assert market is not None
        booked += part_of(market.realized_index - delegation.realized_index, delegation.bearing)
    distributed = sum(market.realized_seen for market in markets)
    return booked - distributed + sum(vault.pushed_usd + vault.redeemed_usd for vault in vaults)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_redemptions_leave_what_is_locked(seed: int) -> None:
    """Z2, Z3: a vault's capacity after a redemption is at least what was locked before it, and covers what it lends."""
    story = Story(seed)
    for _ in range(1_200):
        terms = {settings.vault: settings for settings in story.root.state.each(CreditVaultSettings)}
        requests = {request.number: request.vault for request in story.root.state.each(Redemption)}
        envelope = story.next()
        command = envelope.command
        name = requests.get(command.redemption) if isinstance(command, RedeemShares) else None
        capacity = _capacity(story, terms[name], envelope.time) if name else 0
        if name and story.apply(envelope).accepted:
            left = _capacity(story, terms[name], envelope.time)
            assert left >= locked(capacity, terms[name].locked_ratio)
            lent = sum(item.credit for item in story.root.state.each(Delegation) if item.vault == name)
            assert lent <= left
        elif not name:
            story.apply(envelope)


def _capacity(story: Story, terms: CreditVaultSettings, now: int) -> int:
    """The vault's capacity, brought up to date."""
    draft = Draft(story.root.state, time=now, sender="", sequence=0, route=story.root._route)
    try:
        return vault_capacity(draft, terms, recalculate(draft, terms))
    except Reject:
        return 0


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_a_burn_lowers_one_debt(seed: int) -> None:
    """Z6: a fulfilled swap lowers the realised debt of the vault that paid by all it burned, no other's at all."""
    story = Story(seed)
    for _ in range(1_200):
        envelope = story.next()
        before = {vault.vault: vault.realized_debt for vault in story.root.state.each(CreditVault)}
        events = story.apply(envelope).events
        swaps = [event for event in events if isinstance(event, StableSwapFulfilled)]
        for event in swaps:
            taken = sum(item.realized_change for item in events if isinstance(item, VaultRecalculated))
            after = {vault.vault: vault.realized_debt for vault in story.root.state.each(CreditVault)}
            changed = {name: after[name] - debt for name, debt in before.items() if after[name] != debt}
            assert changed == {event.vault: taken - event.value_usd}
