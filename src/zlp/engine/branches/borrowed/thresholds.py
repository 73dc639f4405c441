"""The prices a trader accepts, and what must be left after taking something out of a position."""

from __future__ import annotations

from zlp.engine.branches.borrowed.settlement import Marks
from zlp.engine.fixed import BPS, mul_div_down, value_of
from zlp.engine.leaves.borrowed import BorrowedPosition
from zlp.engine.rejections import Code, Reject


def require_index_price(price: int, limit: int, *, at_most: bool) -> None:
    """Refuse an index price beyond the trader's limit (0: none)."""
    if limit and at_most and price > limit:
        raise Reject(Code.PRICE_ABOVE_ACCEPTABLE, limit=limit, actual=price)
    if limit and not at_most and price < limit:
        raise Reject(Code.PRICE_BELOW_ACCEPTABLE, limit=limit, actual=price)


def require_coin_price(price: int, floor: int) -> None:
    """Refuse a collateral price below the trader's floor (0: none)."""
    if price < floor:
        raise Reject(Code.COLLATERAL_PRICE_BELOW_FLOOR, limit=floor, actual=price)


def require_held(position: BorrowedPosition, profit_usd: int, now: int) -> None:
    """Refuse to take a profit before the minimum holding time; losses may leave at any time."""
    until = position.opened_at + position.rules.min_holding
    if profit_usd > 0 and now < until:
        raise Reject(Code.HOLDING_TOO_SHORT, limit=until, actual=now)


def require_safe(position: BorrowedPosition, marks: Marks, collateral: int, amount: int, change_usd: int) -> None:
    """Refuse to leave ``collateral`` behind ``amount``: too little, too much leverage, or due for liquidation.

    ``change_usd``: signed profit (USD 1e30) that stays open, at the caller's choice with or without fees.
    """
    rules = position.rules
    worth = value_of(collateral, marks.coin_low, marks.coin_unit)
    if worth < rules.min_collateral_usd:
        raise Reject(Code.COLLATERAL_BELOW_MINIMUM, limit=rules.min_collateral_usd, actual=worth)
    size = value_of(amount, marks.index_price, marks.index_unit)
    if not rules.enough_collateral(worth, size):
        limit = mul_div_down(worth, rules.max_leverage, BPS)
        raise Reject(Code.MAX_LEVERAGE_EXCEEDED, limit=limit, actual=size)
    if rules.liquidatable(worth, change_usd):
        raise Reject(Code.LIQUIDATION_TRIGGERED, limit=worth, actual=-change_usd)
