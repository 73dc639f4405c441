"""What becomes of a fund's fees: half of the protocol's bucket streams to stakers, the rest is the treasury's (N4)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.access import require_role
from zlp.engine.branches import staking
from zlp.engine.branches.custody import require_account, require_amount
from zlp.engine.branches.fund.desk import Desk, open_desk
from zlp.engine.branches.fund.payments import converted
from zlp.engine.commands.fund import DistributeRevenue, WithdrawRevenue
from zlp.engine.draft import Draft
from zlp.engine.events.staking import RevenueDistributed
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.staking import RewardStream, StakingSettings
from zlp.engine.rejections import Code, Reject


def distribute(draft: Draft, command: DistributeRevenue) -> None:
    """Split every token of the bucket; the stakers' part is exchanged with the fund and streamed.

    A token whose part the fund can't exchange now stays in the bucket for the next time.
    """
    require_role(draft, Role.KEEPER, Role.TREASURER)
    desk = open_desk(draft, command.pool)
    settings = staking.staking_of(draft, command.pool)
    stream = draft.get(RewardStream, (command.pool, settings.revenue_token))
    due = 0 if stream is None or not stream.fed_at else stream.fed_at + settings.distribution_seconds
    if draft.time < due:
        raise Reject(Code.DISTRIBUTION_TOO_SOON, limit=due, actual=draft.time)
    pricing.require_fresh(draft, settings.revenue_token)
    paid = sum(_distribute(desk, settings, token) for token in desk.fund.assets)
    if not paid:
        raise Reject(Code.BUCKET_INSUFFICIENT, limit=1, actual=0)
    staking.feed(draft, settings, settings.revenue_token, paid, settings.stream_seconds)


def _distribute(desk: Desk, settings: StakingSettings, token: str) -> int:
    draft, bucket = desk.draft, desk.fund.revenue_holder
    amount = ledger.balance_of(draft, bucket, token)
    to_stakers = mul_div_down(amount, settings.revenue_bps, BPS)
    if not to_stakers:
        return 0
    paid = to_stakers
    if token == settings.revenue_token:
        ledger.move(draft, token, bucket, settings.reward_holder, to_stakers)
    else:
        if not pricing.is_fresh(draft, token):
            return 0
        paid = converted(desk, token, settings.revenue_token, to_stakers)
        if not 0 < paid <= desk.liquidity(settings.revenue_token):
            return 0
        ledger.move(draft, token, bucket, desk.fund.holder, to_stakers)
        ledger.move(draft, settings.revenue_token, desk.fund.holder, settings.reward_holder, paid)
    ledger.move(draft, token, bucket, settings.treasury_holder, amount - to_stakers)
    draft.record(
        RevenueDistributed(
            pool=desk.fund.pool,
            token=token,
            to_stakers=to_stakers,
            paid_token=settings.revenue_token,
            paid=paid,
            to_treasury=amount - to_stakers,
        )
    )
    return paid


def withdraw(draft: Draft, command: WithdrawRevenue) -> None:
    """Pay out of the treasury's or the developers' bucket."""
    require_role(draft, Role.TREASURER)
    require_amount(command.amount)
    require_account(command.to)
    desk = open_desk(draft, command.pool)
    if command.bucket == "developer":
        holder = desk.fund.developer_holder
    elif command.bucket == "treasury":
        holder = staking.staking_of(draft, command.pool).treasury_holder
    else:
        raise Reject(Code.UNKNOWN_BUCKET, detail=command.bucket)
    held = ledger.balance_of(draft, holder, command.token)
    if command.amount > held:
        raise Reject(Code.BUCKET_INSUFFICIENT, limit=held, actual=command.amount)
    ledger.move(draft, command.token, holder, command.to, command.amount)
