"""Turning what losers paid and what vaults owe into settlement tokens (Z9; reference 6 and 8).

A keeper is the exchange: it delivers one token and takes another of the same value.
"""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import require_role
from zlp.engine.branches.credit.markets import distribute, push_settlement
from zlp.engine.branches.credit.values import credit_settings, market_settings, market_state, price_of, require_fresh
from zlp.engine.branches.credit.vaults import assets, lend, recalculate, unsettled, vault_settings
from zlp.engine.commands import credit as commands
from zlp.engine.draft import Draft
from zlp.engine.events import credit as events
from zlp.engine.fixed import RATE, amount_of, mul_div_up, subtract, value_of
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.credit import (
    PROTOCOL_HOLDER,
    REDEEMABLE_HOLDER,
    SETTLED_HOLDER,
    CreditVault,
    CreditVaultSettings,
)
from zlp.engine.rejections import Code, Reject


def convert_deposits(draft: Draft, command: commands.ConvertDeposits) -> None:
    """Sell what losers left in a market and index the proceeds to its vaults.

    The credit deposit leaves the realised debt, the settlement tokens enter the vaults: only slippage and the
    fee change what the vaults owe.
    """
    require_role(draft, Role.KEEPER)
    tokens = credit_settings(draft)
    market_settings(draft, command.market)
    distribute(draft, command.market)
    state = market_state(draft, command.market)
    amount = ledger.balance_of(draft, state.deposits_holder, command.token)
    if not amount or command.token == tokens.stable:
        raise Reject(Code.NOTHING_TO_SETTLE, detail=command.token)
    fee = 0
    proceeds = amount
    if command.token == tokens.settlement:
        ledger.move(draft, command.token, state.deposits_holder, SETTLED_HOLDER, amount)
    else:
        proceeds, fee = exchange(
            draft, (state.deposits_holder, command.token, amount), (SETTLED_HOLDER, command.delivered)
        )
    remaining = tuple(token for token in state.tokens if token != command.token)
    draft.put(replace(state, tokens=remaining))
    push_settlement(draft, market_state(draft, command.market), proceeds)
    draft.record(
        events.DepositsConverted(market=command.market, token=command.token, amount=amount, delivered=proceeds, fee=fee)
    )


def exchange(draft: Draft, sold: tuple[str, str, int], bought: tuple[str, int]) -> tuple[int, int]:
    """Give the keeper ``sold`` (holder, token, amount) for settlement tokens paid to ``bought`` (holder, amount).

    Answers ``(proceeds, fee)``: the flat fee is cut from what is delivered and goes to the protocol.
    """
    tokens = credit_settings(draft)
    source, token, amount = sold
    target, delivered = bought
    require_delivery(draft, (token, amount), (tokens.settlement, delivered))
    fee = conversion_fee(draft)
    proceeds = subtract(delivered, fee, Code.DELIVERY_TOO_SMALL)
    if not proceeds:
        raise Reject(Code.DELIVERY_TOO_SMALL, limit=fee, actual=delivered)
    ledger.move(draft, token, source, draft.sender, amount)
    ledger.move(draft, tokens.settlement, draft.sender, target, proceeds)
    ledger.move(draft, tokens.settlement, draft.sender, PROTOCOL_HOLDER, fee)
    return proceeds, fee


def require_delivery(draft: Draft, taken: tuple[str, int], delivered: tuple[str, int]) -> None:
    """Refuse a keeper who delivers less than what it takes is worth, by posted prices, less the tolerance."""
    for name in (taken[0], delivered[0]):
        require_fresh(draft, name)
    value = value_of(taken[1], price_of(draft, taken[0], True), ledger.token(draft, taken[0]).unit)
    wanted = mul_div_up(value, RATE - credit_settings(draft).conversion_tolerance, RATE)
    offered = value_of(delivered[1], price_of(draft, delivered[0]), ledger.token(draft, delivered[0]).unit)
    if offered < wanted:
        raise Reject(Code.DELIVERY_TOO_SMALL, limit=wanted, actual=offered, detail=delivered[0])


def conversion_fee(draft: Draft) -> int:
    """The flat fee of a conversion in settlement tokens, rounded up."""
    tokens = credit_settings(draft)
    unit = ledger.token(draft, tokens.settlement).unit
    return mul_div_up(tokens.conversion_fee_usd, unit, price_of(draft, tokens.settlement))


def settle_vault_debt(draft: Draft, command: commands.SettleVaultDebt) -> None:
    """Bring a vault's settled debt to zero: sell collateral for its debt, or buy collateral with its credit."""
    require_role(draft, Role.KEEPER)
    settings = vault_settings(draft, command.vault)
    state = recalculate(draft, settings)
    owed = unsettled(draft, state)
    if owed > 0:
        _pay_debt(draft, settings, owed, command.delivered)
    elif owed < 0 and state.settled:
        _spend_credit(draft, settings, state, -owed, command.delivered)
    else:
        raise Reject(Code.NOTHING_TO_SETTLE, detail=command.vault)
    lend(draft, settings)


def _pay_debt(draft: Draft, settings: CreditVaultSettings, owed: int, delivered: int) -> None:
    sold, proceeds, fee = _sell_collateral(draft, settings, owed, (REDEEMABLE_HOLDER, delivered))
    _lower_debt(draft, settings, proceeds)
    draft.record(
        events.VaultSettled(vault=settings.vault, paid_debt=True, collateral=sold, settlement=proceeds, fee=fee)
    )


def _sell_collateral(
    draft: Draft, settings: CreditVaultSettings, value: int, bought: tuple[str, int]
) -> tuple[int, int, int]:
    """``(collateral sold, settlement tokens received, fee)``; a vault of settlement tokens just pays."""
    unit = ledger.token(draft, settings.token).unit
    amount = min(amount_of(value, price_of(draft, settings.token), unit), assets(draft, settings))
    if not amount:
        raise Reject(Code.NOTHING_TO_SETTLE, detail=settings.vault)
    if settings.token == credit_settings(draft).settlement:
        ledger.move(draft, settings.token, settings.holder, bought[0], amount)
        return amount, amount, 0
    proceeds, fee = exchange(draft, (settings.holder, settings.token, amount), bought)
    return amount, proceeds, fee


def _lower_debt(draft: Draft, settings: CreditVaultSettings, proceeds: int) -> int:
    """Lower a vault's realised debt by what it paid; answers the USD."""
    tokens = credit_settings(draft)
    value = value_of(proceeds, price_of(draft, tokens.settlement), ledger.token(draft, tokens.settlement).unit)
    state = draft.need(CreditVault, (settings.vault,), Code.UNKNOWN_VAULT)
    draft.put(replace(state, realized_debt=state.realized_debt - value, pushed_usd=state.pushed_usd + value))
    return value


def _spend_credit(draft: Draft, settings: CreditVaultSettings, state: CreditVault, credit: int, delivered: int) -> None:
    tokens = credit_settings(draft)
    unit = ledger.token(draft, tokens.settlement).unit
    spent = min(amount_of(credit, price_of(draft, tokens.settlement), unit), state.settled)
    if not spent:
        raise Reject(Code.NOTHING_TO_SETTLE, detail=settings.vault)
    fee = bought = 0
    if settings.token == tokens.settlement:
        bought = spent
        ledger.move(draft, settings.token, SETTLED_HOLDER, settings.holder, spent)
    else:
        fee, bought = conversion_fee(draft), delivered
        paid = subtract(spent, fee, Code.AMOUNT_BELOW_FEES)
        require_delivery(draft, (tokens.settlement, paid), (settings.token, delivered))
        ledger.move(draft, tokens.settlement, SETTLED_HOLDER, draft.sender, paid)
        ledger.move(draft, tokens.settlement, SETTLED_HOLDER, PROTOCOL_HOLDER, fee)
        ledger.move(draft, settings.token, draft.sender, settings.holder, delivered)
    draft.put(replace(state, settled=state.settled - spent))
    draft.record(
        events.VaultSettled(vault=settings.vault, paid_debt=False, collateral=bought, settlement=spent, fee=fee)
    )


def rebalance_vaults(draft: Draft, command: commands.RebalanceVaults) -> None:
    """Let a vault in debt pay a vault in credit.

    The one in debt sells collateral worth x and owes x less; the one in credit receives the x as settlement
    tokens and is owed x less: at most its realised credit, since what it holds as settlement tokens nobody owes it any
    more. Neither's net worth changes, except by the conversion's fee and slippage.
    """
    require_role(draft, Role.KEEPER)
    creditor, debtor = (vault_settings(draft, name) for name in (command.credit_vault, command.debt_vault))
    owed_to = -recalculate(draft, creditor).realized_debt
    owed_by = unsettled(draft, recalculate(draft, debtor))
    if owed_to <= 0:
        raise Reject(Code.VAULT_NOT_IN_CREDIT, actual=owed_to, detail=command.credit_vault)
    if owed_by <= 0:
        raise Reject(Code.VAULT_NOT_IN_DEBT, actual=owed_by, detail=command.debt_vault)
    sold, proceeds, fee = _sell_collateral(draft, debtor, min(owed_to, owed_by), (SETTLED_HOLDER, command.delivered))
    value = _lower_debt(draft, debtor, proceeds)
    receiver = draft.need(CreditVault, (command.credit_vault,), Code.UNKNOWN_VAULT)
    draft.put(
        replace(
            receiver,
            realized_debt=receiver.realized_debt + value,
            settled=receiver.settled + proceeds,
            pushed_usd=receiver.pushed_usd - value,
        )
    )
    for settings in (creditor, debtor):
        lend(draft, settings)
    draft.record(
        events.VaultsRebalanced(
            credit_vault=command.credit_vault,
            debt_vault=command.debt_vault,
            collateral=sold,
            settlement=proceeds,
            fee=fee,
        )
    )
