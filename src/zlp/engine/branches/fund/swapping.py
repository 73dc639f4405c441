"""Spot swaps against a fund at oracle prices, with a fee that knows the target weights (N13)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.branches.custody import require_account, require_amount
from zlp.engine.branches.fund import claims, liquidity
from zlp.engine.branches.fund.desk import Desk, open_desk
from zlp.engine.branches.fund.payments import charge
from zlp.engine.commands.liquidity import Swap
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import Swapped
from zlp.engine.fixed import BPS, amount_of, mul_div_up, value_of
from zlp.engine.rejections import Code, Reject


def swap(draft: Draft, command: Swap) -> None:
    """Swap along a path; every hop pays its own fee."""
    desk = open_desk(draft, command.pool)
    require_amount(command.amount)
    if not 2 <= len(command.path) <= 3:
        raise Reject(Code.INVALID_PATH, limit=3, actual=len(command.path))
    target = command.to or draft.sender
    require_account(target)
    source, amount = draft.sender, command.amount
    for hop, (token_in, token_out) in enumerate(zip(command.path, command.path[1:], strict=False)):
        last = hop + 2 == len(command.path)
        amount = exchange(desk, source, target if last else draft.sender, token_in, token_out, amount)
        source = draft.sender
    if amount < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=command.min_amount, actual=amount)
    claims.settle(desk)


def exchange(desk: Desk, source: str, target: str, token_in: str, token_out: str, amount: int) -> int:
    """One hop between two ledger holders; what ``target`` receives.

    In at the low price, out at the high price, rounded down. The fee, rounded up, is the higher of what adding
    the one and removing the other would pay; it is taken from the output and belongs to the protocol.
    """
    draft = desk.draft
    if token_in == token_out:
        raise Reject(Code.SAME_TOKEN, detail=token_in)
    asset_in = desk.asset(token_in, Code.INPUT_NOT_LISTED)
    asset_out = desk.asset(token_out, Code.OUTPUT_NOT_LISTED)
    if not desk.fund.enabled:
        raise Reject(Code.SWAP_DISABLED, detail=desk.fund.pool)
    if not asset_in.accepted:
        raise Reject(Code.INPUT_NOT_LISTED, detail=token_in)
    pricing.require_fresh(draft, token_in)
    pricing.require_fresh(draft, token_out)
    value = value_of(amount, desk.price(token_in, False), desk.unit(token_in))
    gross = amount_of(value, desk.price(token_out, True), desk.unit(token_out))
    if gross > desk.liquidity(token_out):
        raise Reject(Code.POOL_INSUFFICIENT, limit=desk.liquidity(token_out), actual=gross, detail=token_out)
    base = desk.fund.fees.swap_bps
    fee_bps = max(
        liquidity.weight_fee_bps(desk, asset_in, value, adding=True, base_bps=base),
        liquidity.weight_fee_bps(desk, asset_out, value, adding=False, base_bps=base),
    )
    fee = mul_div_up(gross, fee_bps, BPS)
    net = gross - fee
    if net == 0:
        raise Reject(Code.OUTPUT_TOO_SMALL, limit=1, actual=0)

    ledger.move(draft, token_in, source, desk.fund.holder, amount)
    charge(desk, "swap", desk.fund.holder, draft.sender, token_out, fee, to_fund=False)
    ledger.move(draft, token_out, desk.fund.holder, target, net)
    liquidity.require_buffer(desk, asset_out)
    draft.record(
        Swapped(
            pool=desk.fund.pool,
            account=draft.sender,
            token_in=token_in,
            token_out=token_out,
            amount_in=amount,
            gross_out=gross,
            amount_out=net,
            value_usd=value,
            fee_rate=fee_bps,
            fee_scale=BPS,
        )
    )
    return net
