"""Loading a position with everything a settlement needs, and publishing its changes."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine import pricing
from zlp.engine.branches.borrow_pool import vaults
from zlp.engine.branches.borrow_pool.markets import load_market, touch
from zlp.engine.branches.borrow_pool.vaults import Coin
from zlp.engine.branches.borrowed.settlement import Marks
from zlp.engine.draft import Draft
from zlp.engine.events.borrowed import ReserveChanged
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import value_of
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings, BorrowMarketSide
from zlp.engine.leaves.coin_vaults import CoinVault
from zlp.engine.rejections import Code, Reject


class Situation(NamedTuple):
    """A market, its side and the vault of the collateral, brought up to now; and the prices of the moment."""

    market: BorrowMarketSettings
    side: BorrowMarketSide
    coin: Coin
    vault: CoinVault
    marks: Marks


def load(draft: Draft, number: int) -> BorrowedPosition:
    """The position, or ``unknown_position`` (also once it is closed)."""
    return draft.need(BorrowedPosition, (number,), Code.UNKNOWN_POSITION)


def load_own(draft: Draft, number: int) -> BorrowedPosition:
    """The sender's position."""
    position = load(draft, number)
    if position.account != draft.sender:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail=f"position {number}")
    return position


def situation(draft: Draft, position: BorrowedPosition, *, reducing: bool = True) -> Situation:
    """Everything around a position; its prices may be as old as reducing or taking new risk allows."""
    market = load_market(draft, position.pool, position.market)
    settings = vaults.listed(draft, position.pool, position.token)
    pricing.require_fresh(draft, market.market, reducing=reducing)
    vaults.require_fresh(draft, settings, reducing=reducing)
    coin = vaults.priced(draft, vaults.load_pool(draft, position.pool), settings)
    side = touch(draft, market, position.is_long)
    vault = vaults.touched(draft, settings, draft.time)
    low, high = pricing.bounds(draft, market.market)
    marks = Marks(
        index_price=low if position.is_long else high,
        index_unit=market.unit,
        coin_low=coin.low,
        coin_high=coin.high,
        coin_unit=coin.unit,
        borrow_rate_e18=vault.rate_e18,
        funding_rate_e18=side.funding_rate_e18,
    )
    return Situation(market, side, coin, vault, marks)


def record(
    draft: Draft,
    marks: Marks,
    before: BorrowedPosition | None,
    after: BorrowedPosition | None,
    *,
    action: str,
    pnl_usd: int = 0,
    fee_usd: int = 0,
    carry_usd: int = 0,
) -> None:
    """Publish a change of a position, and of what it borrows."""
    known = after if after is not None else before
    if known is None:
        return
    draft.record(
        PositionChanged(
            position=str(known.number),
            account=known.account,
            market=known.market,
            collateral=known.token,
            is_long=known.is_long,
            action=action,
            size_before=before.size_usd if before is not None else 0,
            size_after=after.size_usd if after is not None else 0,
            price=marks.index_price,
            average_price=known.entry_price(marks.index_unit),
            collateral_usd=value_of(after.collateral, marks.coin_low, marks.coin_unit) if after is not None else 0,
            pnl_usd=pnl_usd,
            fee_usd=fee_usd,
            carry_usd=carry_usd,
        )
    )
    record_reserve(draft, before, after)


def record_reserve(draft: Draft, before: BorrowedPosition | None, after: BorrowedPosition | None) -> None:
    """Publish that a position borrows more or fewer coins than before."""
    known = after if after is not None else before
    old, new = (each.reserved if each is not None else 0 for each in (before, after))
    if known is not None and old != new:
        draft.record(ReserveChanged(pool=known.pool, position=known.number, token=known.token, before=old, after=new))
