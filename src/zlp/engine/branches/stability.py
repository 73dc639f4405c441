"""Swapping the stable token for collateral of any vault: request, fulfil, refund (Z6; reference section 7)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import next_number, require_role
from zlp.engine.branches.base import Branch
from zlp.engine.branches.credit.markets import protocol_share
from zlp.engine.branches.credit.values import (
    checked,
    collateral,
    credit_settings,
    price_of,
    require_fresh,
)
from zlp.engine.branches.credit.vaults import assets, debt, lend, recalculate, require_live, vault_settings
from zlp.engine.branches.custody import require_amount
from zlp.engine.commands import stability as commands
from zlp.engine.draft import Draft
from zlp.engine.events import credit as events
from zlp.engine.events.liquidity import FeeCharged, Swapped
from zlp.engine.fixed import RATE, USD, amount_of, mul_div_up, subtract, value_of
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.credit import PROTOCOL_HOLDER, REDEEMABLE_HOLDER, CreditVault, CreditVaultSettings
from zlp.engine.leaves.stability import StabilitySettings, StableSwapRequest
from zlp.engine.mechanisms.stability import SwapAmounts
from zlp.engine.rejections import Code, Reject


def request_swap(draft: Draft, command: commands.RequestStableSwap) -> None:
    """Put stable tokens aside, if the swap looks possible at the posted price."""
    require_amount(command.amount)
    terms = draft.need(StabilitySettings, (), Code.UNKNOWN_SETTING)
    settings = vault_settings(draft, command.vault)
    require_live(draft, settings)
    expected = _amounts(draft, settings, command.amount, price_of(draft, settings.token)).to_user
    if not expected or expected < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=max(command.min_amount, 1), actual=expected)
    if expected > assets(draft, settings):
        raise Reject(Code.POOL_INSUFFICIENT, limit=assets(draft, settings), actual=expected)
    request = StableSwapRequest(
        number=next_number(draft, "stable_swap"),
        account=draft.sender,
        vault=settings.vault,
        token=credit_settings(draft).stable,
        amount=command.amount,
        min_amount=command.min_amount,
        deadline=draft.time + terms.max_execution_time,
    )
    ledger.move(draft, request.token, draft.sender, request.holder, request.amount)
    draft.put(request)
    draft.record(
        events.StableSwapRequested(
            swap=request.number,
            account=request.account,
            vault=request.vault,
            amount=request.amount,
            min_amount=request.min_amount,
            deadline=request.deadline,
        )
    )


def _amounts(draft: Draft, settings: CreditVaultSettings, amount: int, price: int) -> SwapAmounts:
    """What a swap pays at ``price``, by the vault's debt as of now (already recalculated or not)."""
    terms = draft.need(StabilitySettings, (), Code.UNKNOWN_SETTING).terms
    stable = ledger.token(draft, credit_settings(draft).stable)
    state = draft.get(CreditVault, (settings.vault,)) or CreditVault(settings.vault)
    unit = ledger.token(draft, settings.token).unit
    return terms.amounts(
        value_of(amount, USD, stable.unit),
        price,
        unit,
        value_of(assets(draft, settings), price, unit),
        debt(draft, state),
        protocol_share(draft),
    )


def fulfil_swap(draft: Draft, command: commands.FulfilStableSwap) -> None:
    """Pay the swap at the report's price; the stable tokens burn and this one vault's realised debt falls."""
    require_role(draft, Role.KEEPER)
    request = draft.need(StableSwapRequest, (command.swap,), Code.UNKNOWN_STABLE_SWAP)
    if draft.time > request.deadline:
        raise Reject(Code.STABLE_SWAP_EXPIRED, limit=request.deadline, actual=draft.time)
    settings = vault_settings(draft, request.vault)
    require_live(draft, settings)
    report = checked(draft, collateral(draft, settings.token).asset, command.report)
    recalculate(draft, settings)
    amounts = _amounts(draft, settings, request.amount, report.price)
    if amounts.to_user < request.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=request.min_amount, actual=amounts.to_user)
    outflow = amounts.to_user + amounts.to_protocol
    if outflow > assets(draft, settings):
        raise Reject(Code.POOL_INSUFFICIENT, limit=assets(draft, settings), actual=outflow)

    ledger.move(draft, settings.token, settings.holder, request.account, amounts.to_user)
    ledger.move(draft, settings.token, settings.holder, PROTOCOL_HOLDER, amounts.to_protocol)
    ledger.retire(draft, request.token, request.holder, request.amount)
    value = value_of(request.amount, USD, ledger.token(draft, request.token).unit)
    state = draft.need(CreditVault, (settings.vault,), Code.UNKNOWN_VAULT)
    draft.put(replace(state, realized_debt=state.realized_debt - value, redeemed_usd=state.redeemed_usd + value))
    lend(draft, settings)
    draft.drop(request)
    _record(draft, settings, request, amounts, report.price, value)


def _record(
    draft: Draft,
    settings: CreditVaultSettings,
    request: StableSwapRequest,
    amounts: SwapAmounts,
    price: int,
    value: int,
) -> None:
    fee = amounts.base_fee + amounts.swap_fee
    unit = ledger.token(draft, settings.token).unit
    draft.record(
        FeeCharged(
            kind="swap",
            pool=settings.vault,
            account=request.account,
            token=settings.token,
            amount=fee,
            to_pool=fee - amounts.to_protocol,
            value_usd=value_of(fee, price, unit),
        )
    )
    draft.record(
        Swapped(
            pool=settings.vault,
            account=request.account,
            token_in=request.token,
            token_out=settings.token,
            amount_in=request.amount,
            gross_out=amounts.gross,
            amount_out=amounts.to_user,
            value_usd=value,
            fee_rate=mul_div_up(fee, RATE, amounts.gross),
            fee_scale=RATE,
        )
    )
    draft.record(
        events.StableSwapFulfilled(
            swap=request.number,
            account=request.account,
            vault=request.vault,
            value_usd=value,
            price=price,
            factor=amounts.factor,
            amount_out=amounts.to_user,
            to_protocol=amounts.to_protocol,
        )
    )


def refund_swap(draft: Draft, command: commands.RefundStableSwap) -> None:
    """Give an unfulfilled swap back to its owner once its deadline has come, less the base fee."""
    request = draft.need(StableSwapRequest, (command.swap,), Code.UNKNOWN_STABLE_SWAP)
    if request.account != draft.sender:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail=request.account)
    if draft.time < request.deadline:
        raise Reject(Code.STABLE_SWAP_PENDING, limit=request.deadline, actual=draft.time)
    fee = min(_base_fee(draft, request.token, USD), request.amount)
    ledger.move(draft, request.token, request.holder, request.account, request.amount - fee)
    ledger.move(draft, request.token, request.holder, PROTOCOL_HOLDER, fee)
    draft.drop(request)
    draft.record(
        events.StableSwapRefunded(swap=request.number, account=request.account, refund=request.amount - fee, fee=fee)
    )


def _base_fee(draft: Draft, token: str, price: int) -> int:
    terms = draft.need(StabilitySettings, (), Code.UNKNOWN_SETTING).terms
    return amount_of(terms.base_fee_usd, price, ledger.token(draft, token).unit)


def redeem_settled(draft: Draft, command: commands.RedeemSettled) -> None:
    """Swap stable tokens for settlement tokens that vaults have already paid for their debt.

    Settlement lowered the vaults' debt when they paid, so this burn lowers none.
    """
    require_amount(command.amount)
    tokens = credit_settings(draft)
    require_fresh(draft, tokens.settlement, reducing=True)
    price = price_of(draft, tokens.settlement, maximise=True)
    value = value_of(command.amount, USD, ledger.token(draft, tokens.stable).unit)
    gross = amount_of(value, price, ledger.token(draft, tokens.settlement).unit)
    fee = _base_fee(draft, tokens.settlement, price)
    paid = subtract(gross, fee, Code.AMOUNT_BELOW_FEES)
    if not paid or paid < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=max(command.min_amount, 1), actual=paid)
    held = ledger.balance_of(draft, REDEEMABLE_HOLDER, tokens.settlement)
    if gross > held:
        raise Reject(Code.POOL_INSUFFICIENT, limit=held, actual=gross)
    ledger.retire(draft, tokens.stable, draft.sender, command.amount)
    ledger.move(draft, tokens.settlement, REDEEMABLE_HOLDER, draft.sender, paid)
    ledger.move(draft, tokens.settlement, REDEEMABLE_HOLDER, PROTOCOL_HOLDER, fee)
    draft.record(events.SettledRedeemed(account=draft.sender, value_usd=value, amount_out=paid, fee=fee))


BRANCH = Branch(
    name="stability",
    version=1,
    summary="swaps of the stable token for collateral of vaults and for settled debt",
    handlers={
        commands.RequestStableSwap: request_swap,
        commands.FulfilStableSwap: fulfil_swap,
        commands.RefundStableSwap: refund_swap,
        commands.RedeemSettled: redeem_settled,
    },
)
