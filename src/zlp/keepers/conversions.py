"""Converts what markets on credit leave behind: fees for stakers, losses and debts of vaults (Z7, Z9).

The keeper is the exchange. It delivers, out of its own stock, what it takes is worth at the posted prices, and trades
elsewhere as it likes; what its stock does not hold waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from zlp.desks.base import reading
from zlp.engine import Command, ledger
from zlp.engine.branches.credit.settlement import conversion_fee
from zlp.engine.branches.credit.values import price_of
from zlp.engine.branches.credit.vaults import assets, recalculate, unsettled, vault_settings
from zlp.engine.commands.credit import (
    ConvertDeposits,
    ConvertFees,
    PayRecipients,
    RebalanceVaults,
    SettleVaultDebt,
)
from zlp.engine.draft import Draft
from zlp.engine.fixed import amount_of, mul_div_up, value_of
from zlp.engine.leaves.credit import (
    PROTOCOL_HOLDER,
    CreditCollateral,
    CreditMarket,
    CreditSettings,
    CreditVaultSettings,
)
from zlp.engine.leaves.ledger import Token
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.keepers.port import Port

LEAST_FEES = 100
"""What is worth less than so many flat fees of a conversion waits for more."""


class ConversionKeeper:
    """Every ``interval`` seconds: fees, deposits of losers, vaults against each other, what is left, recipients."""

    name = "conversions"

    def __init__(self, port: Port, interval: int = 3_600) -> None:
        self._port = port
        self._interval = interval
        self._next = 0

    def work(self) -> int:
        """One round, if it is time; each command is found in what the one before it left."""
        now = self._port.now()
        terms = self._port.reader.get(CreditSettings, ())
        if now < self._next or terms is None:
            return 0
        self._next = now + self._interval
        look = _Look(self._port.reader, now, terms)
        done = 0
        for find in (look.fees, look.deposits, look.rebalances, look.settlements, look.recipients):
            for command in find():
                if self._port.quote(command).accepted:
                    done += self._port.submit(command).accepted
        return done


class _Owed(NamedTuple):
    """A vault's realised debt, and what of it its settlement tokens do not cover (USD, both signed)."""

    realized: int
    unsettled: int


class _Look:
    """What there is to convert at one second. What lacks a price waits for it."""

    def __init__(self, reader: Reader, now: int, terms: CreditSettings) -> None:
        self._reader = reader
        self._now = now
        self._terms = terms

    def fees(self) -> Iterator[Command]:
        """Fees that markets hold, for reward tokens."""
        for market in list(self._reader.each(CreditMarket)):
            for collateral in list(self._reader.each(CreditCollateral)):
                amount = ledger.balance_of(self._reader, market.fees_holder, collateral.token)
                delivered = self._fair((collateral.token, amount), self._terms.reward)
                if delivered:
                    yield ConvertFees(market=market.market, token=collateral.token, delivered=delivered)

    def deposits(self) -> Iterator[Command]:
        """What losers have paid in other tokens, for settlement tokens."""
        for market in list(self._reader.each(CreditMarket)):
            for token in market.tokens:
                amount = ledger.balance_of(self._reader, market.deposits_holder, token)
                delivered = self._fair((token, amount), self._terms.settlement)
                if token != self._terms.stable and delivered >= self._least():
                    yield ConvertDeposits(market=market.market, token=token, delivered=delivered)

    def rebalances(self) -> Iterator[Command]:
        """The vault deepest in debt against the one furthest in credit, as long as that changes anything."""
        before: dict[str, _Owed] = {}
        while (owed := self._owed()) != before and owed:
            before = owed
            debtor = max(owed, key=lambda name: owed[name].unsettled)
            creditor = min(owed, key=lambda name: owed[name].realized)
            delivered = self._for_debt(debtor, min(owed[debtor].unsettled, -owed[creditor].realized))
            if delivered < self._least():
                return
            yield RebalanceVaults(credit_vault=creditor, debt_vault=debtor, delivered=delivered)

    def settlements(self) -> Iterator[Command]:
        """What vaults owe, and are owed, beyond each other."""
        for vault, owed in self._owed().items():
            usd, least = owed.unsettled, self._least()
            delivered = self._for_debt(vault, usd) if usd > 0 else self._for_credit(vault, -usd, least)
            if delivered and (usd < 0 or delivered >= least):
                yield SettleVaultDebt(vault=vault, delivered=delivered)

    def recipients(self) -> Iterator[Command]:
        """The protocol's part, to its recipients."""
        for token in list(self._reader.each(Token)):
            if ledger.balance_of(self._reader, PROTOCOL_HOLDER, token.symbol):
                yield PayRecipients(token=token.symbol)

    def _owed(self) -> dict[str, _Owed]:
        """What every vault owes, brought up to now."""
        found = {}
        for settings in self._reader.each(CreditVaultSettings):
            draft = reading(self._reader, self._now)
            with suppress(Reject):
                state = recalculate(draft, settings)
                found[settings.vault] = _Owed(state.realized_debt, unsettled(draft, state))
        return found

    def _for_debt(self, vault: str, usd: int) -> int:
        """Settlement tokens for the collateral that a vault sells for so much debt."""

        def measure(draft: Draft) -> int:
            settings = vault_settings(draft, vault)
            unit = ledger.token(draft, settings.token).unit
            sold = min(amount_of(max(0, usd), price_of(draft, settings.token), unit), assets(draft, settings))
            return _worth(draft, (settings.token, sold), self._terms.settlement)

        return self._measured(measure)

    def _for_credit(self, vault: str, usd: int, least: int) -> int:
        """Collateral for the settlement tokens that a vault spends of so much credit; 0 if they are fewer than that."""

        def measure(draft: Draft) -> int:
            settings, unit = vault_settings(draft, vault), ledger.token(draft, self._terms.settlement).unit
            state = recalculate(draft, settings)
            spent = min(amount_of(usd, price_of(draft, self._terms.settlement), unit), state.settled)
            if spent < least:
                return 0
            return _worth(draft, (self._terms.settlement, spent - conversion_fee(draft)), settings.token)

        return self._measured(measure)

    def _least(self) -> int:
        """Settlement tokens (base units, at least 1) below which a conversion waits."""
        return max(1, LEAST_FEES * self._measured(conversion_fee))

    def _fair(self, taken: tuple[str, int], wanted: str) -> int:
        return self._measured(lambda draft: _worth(draft, taken, wanted))

    def _measured(self, measure: Callable[[Draft], int]) -> int:
        """A reading of the engine's; 0 while a price it needs is missing."""
        try:
            return measure(reading(self._reader, self._now))
        except Reject:
            return 0


def _worth(draft: Draft, taken: tuple[str, int], wanted: str) -> int:
    """Base units of ``wanted`` that what is taken is worth at the posted prices, rounded up."""
    token, amount = taken
    value = value_of(amount, price_of(draft, token, True), ledger.token(draft, token).unit)
    return mul_div_up(value, ledger.token(draft, wanted).unit, price_of(draft, wanted))
