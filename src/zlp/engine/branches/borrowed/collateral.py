"""Changing what backs a position and what it borrows, without closing any of it."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.borrow_pool import vaults
from zlp.engine.branches.borrowed.positions import load_own, record, record_reserve, situation
from zlp.engine.branches.borrowed.settlement import carry_of
from zlp.engine.branches.borrowed.thresholds import require_held, require_safe
from zlp.engine.commands.borrowed import PledgeCollateral, RedeemCollateral, ReduceReserve
from zlp.engine.draft import Draft
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import value_of
from zlp.engine.leaves.coin_vaults import holder_of
from zlp.engine.rejections import Code, Reject


def pledge(draft: Draft, command: PledgeCollateral) -> None:
    """Add collateral; no price is asked for, so it works while prices are stale."""
    position = load_own(draft, command.position)
    if command.amount == 0:
        raise Reject(Code.INVALID_PLEDGE_AMOUNT, limit=1, actual=0)
    settings = vaults.listed(draft, position.pool, position.token)
    ledger.move(draft, position.token, draft.sender, holder_of(position.pool), command.amount)
    vaults.store(draft, vaults.touched(draft, settings, draft.time).back(command.amount))
    after = replace(position, collateral=position.collateral + command.amount)
    draft.put(after)
    draft.record(
        PositionChanged(
            position=str(position.number),
            account=position.account,
            market=position.market,
            collateral=position.token,
            is_long=position.is_long,
            action="deposit",
            size_before=position.size_usd,
            size_after=position.size_usd,
            price=0,
            average_price=0,
            collateral_usd=0,
            pnl_usd=0,
            fee_usd=0,
            carry_usd=0,
        )
    )


def redeem(draft: Draft, command: RedeemCollateral) -> None:
    """Take collateral out; fees are fixed up to now but not paid."""
    position = load_own(draft, command.position)
    if not 0 < command.amount < position.collateral:
        raise Reject(Code.INVALID_REDEEM_AMOUNT, limit=position.collateral - 1, actual=command.amount)
    here = situation(draft, position, reducing=False)
    profit = position.profit_usd(here.marks.index_price, here.marks.index_unit)
    require_held(position, profit, draft.time)
    carry = carry_of(position, here.marks)
    after = replace(
        position,
        collateral=position.collateral - command.amount,
        owed_e18=carry.borrow_e18,
        funding_usd=carry.funding_usd,
        borrow_rate_e18=here.marks.borrow_rate_e18,
        funding_rate_e18=here.marks.funding_rate_e18,
    )
    require_safe(position, here.marks, after.collateral, after.amount, profit - carry.usd)
    ledger.move(draft, position.token, here.coin.pool.holder, draft.sender, command.amount)
    vaults.store(draft, here.vault.back(-command.amount))
    draft.put(here.side)
    draft.put(after)
    record(draft, here.marks, position, after, action="withdraw")


def reduce_reserve(draft: Draft, command: ReduceReserve) -> None:
    """Give borrowed coins back, down to the least of the rules; the borrow fee is fixed up to now but not paid."""
    position = load_own(draft, command.position)
    if not 0 < command.amount < position.reserved:
        raise Reject(Code.INVALID_RESERVE_AMOUNT, limit=max(0, position.reserved - 1), actual=command.amount)
    settings = vaults.listed(draft, position.pool, position.token)
    least = position.rules.least_reserve_usd(position.size_usd)
    if least:
        coin = vaults.priced(draft, vaults.load_pool(draft, position.pool), settings)
        worth = value_of(position.reserved - command.amount, coin.low, coin.unit)
        if worth < least:
            raise Reject(Code.RESERVE_BELOW_MINIMUM, limit=least, actual=worth)
    vault = vaults.touched(draft, settings, draft.time)
    after = replace(
        position,
        reserved=position.reserved - command.amount,
        owed_e18=position.borrow_fee_e18(vault.rate_e18),
        borrow_rate_e18=vault.rate_e18,
    )
    vaults.store(draft, vault.take_back(command.amount))
    draft.put(after)
    record_reserve(draft, position, after)
