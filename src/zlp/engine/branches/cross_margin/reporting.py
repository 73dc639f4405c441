"""The fact every change of a position publishes."""

from __future__ import annotations

from zlp.engine.branches.cross_margin.books import Books
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.cross_margin import CrossPosition


def record_position(
    books: Books,
    *,
    before: CrossPosition | None,
    after: CrossPosition | None,
    action: str,
    price: int,
    pnl: int = 0,
    trading: int = 0,
    carry: int = 0,
) -> None:
    """Record ``PositionChanged``; ``pnl`` and ``carry`` are signed USD at 1e30."""
    position = after if after is not None else before
    if position is None:
        return
    books.draft.record(
        PositionChanged(
            position=position.label,
            account=position.owner,
            market=position.market,
            collateral="",
            is_long=position.is_long,
            action=action,
            size_before=0 if before is None else abs(before.size),
            size_after=0 if after is None else abs(after.size),
            price=price,
            average_price=0 if after is None else after.average_price,
            collateral_usd=0,
            pnl_usd=pnl,
            fee_usd=trading,
            carry_usd=carry,
        )
    )
