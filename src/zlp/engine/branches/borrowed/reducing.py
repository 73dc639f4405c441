"""Decreasing and closing: fees are settled, profit comes out of the reserve, loss out of the collateral (O5, O8)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.borrow_pool import revenue, vaults
from zlp.engine.branches.borrowed.positions import Situation, load, load_own, record, situation
from zlp.engine.branches.borrowed.settlement import Marks, Settlement, fees_paid_e18, settle
from zlp.engine.branches.borrowed.thresholds import (
    require_coin_price,
    require_held,
    require_index_price,
    require_safe,
)
from zlp.engine.commands.borrowed import CloseBorrowed, CloseExhausted, DecreaseBorrowed
from zlp.engine.draft import Draft
from zlp.engine.leaves.borrowed import BorrowedPosition
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault
from zlp.engine.rejections import Code, Reject


def decrease(draft: Draft, command: DecreaseBorrowed) -> None:
    """Close a part of a position."""
    position = _named(draft, command)
    _reduce(draft, position, command.amount, command.collateral_price_floor, command.acceptable_price)


def close(draft: Draft, command: CloseBorrowed) -> None:
    """Close all that is left of a position."""
    position = _named(draft, command)
    _reduce(draft, position, position.amount, command.collateral_price_floor, command.acceptable_price)


def close_exhausted(draft: Draft, command: CloseExhausted) -> None:
    """Close a position that has won all it can; the holding time binds here too."""
    position = load(draft, command.position)
    here = situation(draft, position)
    if not here.market.decrease_enabled:
        raise Reject(Code.DECREASING_DISABLED, detail=here.market.market)
    held = draft.time - position.opened_at
    settlement = settle(position, position.amount, here.marks, here.market.instant_exit, held)
    if not settlement.has_profit or settlement.settled < position.reserved:
        paid = settlement.settled if settlement.has_profit else 0
        raise Reject(Code.PROFIT_BELOW_RESERVE, limit=position.reserved, actual=paid)
    require_held(position, settlement.gross_usd, draft.time)
    _pay(draft, here, position, None, settlement, action="deleverage")


def _named(draft: Draft, command: DecreaseBorrowed | CloseBorrowed) -> BorrowedPosition:
    """The sender's position, which must be what the command says it is."""
    position = load_own(draft, command.position)
    if (position.market, position.token, position.is_long) != (command.market, command.token, command.is_long):
        raise Reject(Code.UNKNOWN_POSITION, detail=f"position {command.position} is another")
    return position


def _reduce(draft: Draft, position: BorrowedPosition, amount: int, floor: int, acceptable: int) -> None:
    """Check in the order of precedence, then settle."""
    here = situation(draft, position)
    require_index_price(here.marks.index_price, acceptable, at_most=not position.is_long)
    if not here.market.decrease_enabled:
        raise Reject(Code.DECREASING_DISABLED, detail=here.market.market)
    require_coin_price(here.marks.coin_low, floor)
    if not 0 < amount <= position.amount:
        raise Reject(Code.INVALID_DECREASE_AMOUNT, limit=position.amount, actual=amount)
    held = draft.time - position.opened_at
    settlement = settle(position, amount, here.marks, here.market.instant_exit, held)
    require_held(position, settlement.gross_usd, draft.time)
    left = remainder(position, settlement, here.marks)
    if left is not None:
        require_safe(position, here.marks, left.collateral, left.amount, settlement.rest_usd)
    _pay(draft, here, position, left, settlement, action="close" if left is None else "reduce")


def remainder(position: BorrowedPosition, settlement: Settlement, marks: Marks) -> BorrowedPosition | None:
    """What is left of the position, ``None`` when nothing is."""
    if settlement.closed:
        return None
    profit, loss = (settlement.settled, 0) if settlement.has_profit else (0, settlement.settled)
    return replace(
        position,
        amount=position.amount - settlement.amount,
        size_usd=position.size_usd - settlement.size_usd,
        collateral=position.collateral - loss,
        reserved=position.reserved - profit,
        owed_e18=0,
        funding_usd=0,
        borrow_rate_e18=marks.borrow_rate_e18,
        funding_rate_e18=marks.funding_rate_e18,
    )


def _pay(
    draft: Draft,
    here: Situation,
    position: BorrowedPosition,
    left: BorrowedPosition | None,
    settlement: Settlement,
    *,
    action: str,
) -> None:
    """Move the coins, divide the fees, store what is left."""
    vault = settled_vault(here.coin.pool, here.vault, position, left, settlement)
    to_trader = settlement.settled if settlement.has_profit else 0
    if left is None:
        to_trader += position.collateral - (0 if settlement.has_profit else settlement.settled)
    ledger.move(draft, position.token, here.coin.pool.holder, position.account, to_trader)
    borrow_e18, closing_e18 = fees_paid_e18(settlement, position, here.marks)
    account = position.account
    vault = revenue.charge(draft, here.coin, vault, kind="borrow", source="borrow", account=account, fee_e18=borrow_e18)
    vault = revenue.charge(
        draft, here.coin, vault, kind="trading", source="trading", account=account, fee_e18=closing_e18
    )
    vaults.store(draft, vault)
    amount, size = (position.amount, position.size_usd) if left is None else (settlement.amount, settlement.size_usd)
    draft.put(here.side.remove(amount, size, settlement.carry.funding_usd))
    if left is None:
        draft.drop(position)
    else:
        draft.put(left)
    record(
        draft,
        here.marks,
        position,
        left,
        action=action,
        pnl_usd=settlement.gross_usd,
        fee_usd=settlement.fee_usd,
        carry_usd=settlement.carry.usd,
    )


def settled_vault(
    pool: BorrowPoolSettings,
    vault: CoinVault,
    position: BorrowedPosition,
    left: BorrowedPosition | None,
    settlement: Settlement,
) -> CoinVault:
    """The vault after a settlement, before fees are divided.

    Profit leaves the reserve; the side vault, where there is one, pays first and frees as much of the reserve.
    Loss joins the liquidity, less what the side vault takes. When nothing is left the rest of the reserve returns.
    """
    vault = replace(vault, owed_e18=vault.owed_e18 - settlement.carry.borrow_e18)
    paid = settlement.settled
    if settlement.has_profit:
        aside = min(vault.protection, paid)
        vault = vault.take_back(paid).pay(paid - aside)
        vault = replace(vault, protection=vault.protection - aside)
        if left is None:
            vault = vault.back(-position.collateral).take_back(position.reserved - paid)
        return vault
    vault = lost(pool, vault, paid)
    if left is None:
        vault = vault.back(paid - position.collateral).take_back(position.reserved)
    return vault


def lost(pool: BorrowPoolSettings, vault: CoinVault, loss: int) -> CoinVault:
    """Collateral becomes the pool's; the side vault, where there is one, takes its share of it."""
    parked = pool.protection.parked(loss) if pool.protection is not None else 0
    vault = vault.back(-loss).receive(loss - parked)
    return replace(vault, protection=vault.protection + parked)
