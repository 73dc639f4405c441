"""Liquidation: anyone may close a position that has used up the threshold of its collateral, for a bonus (O8)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.borrow_pool import revenue, vaults
from zlp.engine.branches.borrowed.positions import load, record, situation
from zlp.engine.branches.borrowed.reducing import lost
from zlp.engine.branches.borrowed.settlement import carry_of
from zlp.engine.commands.borrowed import LiquidateBorrowed
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.events.trading import Liquidated
from zlp.engine.fixed import RATE, mul_div_down, value_of
from zlp.engine.rejections import Code, Reject


def liquidate(draft: Draft, command: LiquidateBorrowed) -> None:
    """The bonus to the sender, the rest of the collateral and the whole reserve to the pool."""
    position = load(draft, command.position)
    here = situation(draft, position)
    marks, coin, rules = here.marks, here.coin, position.rules
    if not here.market.liquidation_enabled:
        raise Reject(Code.LIQUIDATION_DISABLED, detail=here.market.market)
    profit = position.profit_usd(marks.index_price, marks.index_unit)
    carry = carry_of(position, marks)
    worth = value_of(position.collateral, marks.coin_low, marks.coin_unit)
    change = profit - carry.usd
    if not rules.liquidatable(worth, change):
        limit = mul_div_down(worth, rules.liquidation_threshold, RATE)
        raise Reject(Code.POSITION_NOT_LIQUIDATABLE, limit=limit, actual=max(0, -change))
    bonus = mul_div_down(position.collateral, rules.liquidation_bonus, RATE)
    fee = mul_div_down(position.collateral, rules.liquidation_fee, RATE)
    rest = position.collateral - bonus - fee
    ledger.move(draft, position.token, coin.pool.holder, draft.sender, bonus)
    ledger.move(draft, position.token, coin.pool.holder, coin.pool.collector, fee)
    vault = replace(here.vault.back(-bonus - fee), owed_e18=here.vault.owed_e18 - carry.borrow_e18)
    vault = lost(coin.pool, vault, rest).take_back(position.reserved)
    paid_e18 = min(carry.borrow_e18, rest * RATE)
    vault = revenue.charge(
        draft, coin, vault, kind="borrow", source="borrow", account=position.account, fee_e18=paid_e18
    )
    vaults.store(draft, vault)
    draft.put(here.side.remove(position.amount, position.size_usd, carry.funding_usd))
    draft.drop(position)
    if fee:
        draft.record(
            FeeCharged(
                kind="liquidation",
                pool=coin.pool.pool,
                account=position.account,
                token=position.token,
                amount=fee,
                to_pool=0,
                value_usd=value_of(fee, coin.low, coin.unit),
            )
        )
    record(draft, marks, position, None, action="liquidate", pnl_usd=profit, carry_usd=carry.usd)
    draft.record(
        Liquidated(
            account=position.account,
            market=position.market,
            liquidator=draft.sender,
            token=position.token,
            reward=bonus,
            bad_debt_usd=max(0, -change - worth),
        )
    )
