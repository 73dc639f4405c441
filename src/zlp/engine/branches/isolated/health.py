"""Whether a position's collateral still carries it (reference 5.4, 5.5)."""

from __future__ import annotations

import enum

from zlp.engine.branches.isolated.book import Book
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.isolated import Position
from zlp.engine.rejections import Code, Reject


class Health(enum.IntEnum):
    """What a liquidator may do with a position."""

    HEALTHY = 0
    LIQUIDATABLE = 1
    OVER_LEVERAGED = 2


def require_proportions(position: Position) -> None:
    """A position of no size has no collateral; otherwise leverage is at least 1x."""
    if position.size == 0:
        if position.collateral_usd:
            raise Reject(Code.COLLATERAL_LEFT, limit=0, actual=position.collateral_usd)
    elif position.size < position.collateral_usd:
        raise Reject(Code.SIZE_BELOW_COLLATERAL, limit=position.collateral_usd, actual=position.size)


def require_healthy(book: Book) -> None:
    """Refuse an action that leaves a position liquidatable; unrealised profit does not count."""
    assess(book, trader=True)


def assess(book: Book, *, trader: bool = False) -> tuple[Health, int]:
    """``(health, USD fees due)`` of the stored position at the current index.

    For a liquidator profit backs the position. For the trader's own action it does not, and every state but
    healthy is a rejection.
    """
    position, rules = book.position, book.rules
    profit, delta = book.delta()
    fees = book.funding_fee() + book.size_fee(position.size, rules.closing_fee_bps)
    remaining = position.collateral_usd
    if not profit:
        if remaining < delta:
            _refuse(trader, Code.LOSSES_EXCEED_COLLATERAL, remaining, delta)
            return Health.LIQUIDATABLE, fees
        remaining -= delta
    elif not trader:
        remaining += delta
    if remaining < fees:
        _refuse(trader, Code.FEES_EXCEED_COLLATERAL, remaining, fees)
        return Health.LIQUIDATABLE, remaining
    if remaining < fees + rules.liquidation_fee:
        _refuse(trader, Code.LIQUIDATION_FEE_EXCEEDS_COLLATERAL, remaining, fees + rules.liquidation_fee)
        return Health.LIQUIDATABLE, fees
    if remaining * book.limits.max_leverage < position.size * BPS:
        most = mul_div_down(remaining, book.limits.max_leverage, BPS)
        _refuse(trader, Code.MAX_LEVERAGE_EXCEEDED, most, position.size)
        return Health.OVER_LEVERAGED, fees
    return Health.HEALTHY, fees


def _refuse(trader: bool, code: Code, limit: int, actual: int) -> None:
    if trader:
        raise Reject(code, limit=limit, actual=actual)
