"""Upkeep of the reserve between payers and receivers of funding (reference 5.4, N10)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.access import require_role
from zlp.engine.branches.fund import claims
from zlp.engine.branches.fund.desk import Desk, open_desk
from zlp.engine.branches.fund.payments import converted, payment
from zlp.engine.commands.fund import ConvertFundingReserve, SweepFundingSurplus
from zlp.engine.draft import Draft
from zlp.engine.events.fund import FundingReserveConverted, FundingSurplusSwept
from zlp.engine.fixed import value_of
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.cross_margin import FundMarket
from zlp.engine.rejections import Code, Reject


def convert(draft: Draft, command: ConvertFundingReserve) -> None:
    """Exchange every other token of the reserve for the stable one with the fund, at oracle prices."""
    require_role(draft, Role.KEEPER, Role.TREASURER)
    desk = open_desk(draft, command.pool)
    desk.asset(command.stable)
    pricing.require_fresh(draft, command.stable)
    for token in desk.fund.assets:
        amount = ledger.balance_of(draft, desk.fund.funding_holder, token)
        if amount and token != command.stable:
            pricing.require_fresh(draft, token)
            _exchange(desk, token, command.stable, amount)


def _exchange(desk: Desk, token: str, stable: str, amount: int) -> None:
    received = converted(desk, token, stable, amount)
    if received > desk.liquidity(stable):
        raise Reject(Code.POOL_INSUFFICIENT, limit=desk.liquidity(stable), actual=received, detail=stable)
    ledger.move(desk.draft, token, desk.fund.funding_holder, desk.fund.holder, amount)
    ledger.move(desk.draft, stable, desk.fund.holder, desk.fund.funding_holder, received)
    desk.draft.record(
        FundingReserveConverted(
            pool=desk.fund.pool, token_in=token, amount_in=amount, token_out=stable, amount_out=received
        )
    )


def sweep(draft: Draft, command: SweepFundingSurplus) -> None:
    """What the reserve holds beyond all it owes belongs to the fund, which takes the imbalance of the markets."""
    require_role(draft, Role.KEEPER, Role.TREASURER)
    desk = open_desk(draft, command.pool)
    desk.asset(command.stable)
    pricing.require_fresh(draft, command.stable)
    owed = owed_usd(desk)
    balance = ledger.balance_of(draft, desk.fund.funding_holder, command.stable)
    price, unit = desk.price(command.stable, False), desk.unit(command.stable)
    total = value_of(balance, price, unit)
    if owed > total or total == 0:
        raise Reject(Code.NO_FUNDING_SURPLUS, limit=owed, actual=total)
    amount, value = payment(balance, total - owed, price, unit)
    ledger.move(draft, command.stable, desk.fund.funding_holder, desk.fund.holder, amount)
    draft.record(
        FundingSurplusSwept(pool=desk.fund.pool, token=command.stable, amount=amount, value_usd=value, owed_usd=owed)
    )
    claims.settle(desk)


def owed_usd(desk: Desk) -> int:
    """USD (1e30) of funding the sides of all markets have yet to receive, as last accrued."""
    owed = 0
    for market in desk.draft.each(FundMarket):
        if market.pool == desk.fund.pool:
            owed += max(-market.owed_long, 0) + max(-market.owed_short, 0)
    return owed
