"""Liquidation (E11; reference 9A)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.access import has_role
from zlp.engine.branches.custody import require_account
from zlp.engine.branches.isolated import shorts
from zlp.engine.branches.isolated.book import Book, open_book
from zlp.engine.branches.isolated.decrease import reduce
from zlp.engine.branches.isolated.health import Health, assess
from zlp.engine.branches.isolated.record import position_changed
from zlp.engine.commands.isolated import LiquidatePosition
from zlp.engine.draft import Draft
from zlp.engine.events.trading import Liquidated
from zlp.engine.leaves.access import Role
from zlp.engine.rejections import Code, Reject


def liquidate(draft: Draft, command: LiquidatePosition) -> None:
    """Close a position that its collateral no longer carries; for too much leverage alone, without a fee."""
    liquidator = command.reward_to or draft.sender
    require_account(liquidator)
    book = open_book(draft, command.pool, command.account, command.collateral, command.market, command.is_long)
    before = book.position
    if before.size:
        shorts.track(book, before.size, increase=False)
    if book.rules.private_liquidation and not has_role(draft, Role.LIQUIDATOR, draft.sender):
        raise Reject(Code.LIQUIDATOR_NOT_ALLOWED, detail=draft.sender)
    if before.size == 0:
        raise Reject(Code.EMPTY_POSITION, detail=before.name)
    for asset in (before.index, before.collateral):
        pricing.require_fresh(draft, asset, reducing=True)
    health, fees = assess(book)
    if health is Health.HEALTHY:
        raise Reject(Code.POSITION_NOT_LIQUIDATABLE, detail=before.name)
    if health is Health.OVER_LEVERAGED:
        reduce(book, before.size, 0, command.account)
        return
    _seize(book, fees, liquidator)


def _seize(book: Book, fees: int, liquidator: str) -> None:
    """Fees to the treasury, the rest of the collateral to the pool, the liquidation fee out of the pool."""
    draft, before = book.draft, book.position
    profit, delta = book.delta()
    loss = 0 if profit else delta
    funding_fee = min(fees, book.funding_fee())
    tokens = book.collect(fees - funding_fee, funding_fee)
    book.asset = book.asset.release(before.reserved)
    if before.is_long:
        book.asset = book.asset.guarantee(0, before.size - before.collateral_usd).take(tokens)
        book.market = book.market.with_long(-before.size)
    else:
        if fees < before.collateral_usd:
            book.asset = book.asset.add(book.fewest_tokens(before.collateral_usd - fees))
        shorts.shrink(book, before, before.size)
    reward = book.fewest_tokens(book.rules.liquidation_fee)
    book.asset = book.asset.take(reward)
    ledger.move(draft, book.settings.token, book.pool.holder, liquidator, reward)
    book.save()
    draft.drop(before)
    draft.record(
        Liquidated(
            account=before.account,
            market=before.index,
            liquidator=liquidator,
            token=book.settings.token,
            reward=reward,
            bad_debt_usd=max(0, loss - before.collateral_usd),
        )
    )
    price = book.exit_price
    book.position = replace(before, size=0, collateral_usd=0, reserved=0)
    position_changed(
        book, before, "liquidate", price, -min(loss, before.collateral_usd), fees - funding_fee, funding_fee
    )
