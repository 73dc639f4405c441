"""What an action on a position says about it."""

from __future__ import annotations

from zlp.engine.branches.isolated.book import Book
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.isolated import Position


def position_changed(
    book: Book, before: Position, action: str, price: int, pnl: int, size_fee: int, funding_fee: int
) -> None:
    """Record one change; ``book.position`` is the position after it (size 0 when closed)."""
    after = book.position
    book.draft.record(
        PositionChanged(
            position=before.name,
            account=before.account,
            market=before.index,
            collateral=before.collateral,
            is_long=before.is_long,
            action=action,
            size_before=before.size,
            size_after=after.size,
            price=price,
            average_price=after.average,
            collateral_usd=after.collateral_usd,
            pnl_usd=pnl,
            fee_usd=size_fee,
            carry_usd=funding_fee,
        )
    )
