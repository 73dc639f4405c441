"""Closing for the trader: at maximum profit (N7), to restore the fund's buffer (N8), after delisting."""

from __future__ import annotations

from zlp.engine.access import require_role
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books, open_books
from zlp.engine.branches.cross_margin.decrease import close_by_force, held
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.cross_margin import CloseDelisted, Deleverage, PositionRef, TakeMaxProfit
from zlp.engine.draft import Draft
from zlp.engine.events.cross_margin import PositionSkipped
from zlp.engine.events.fund import BufferMeasured
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.cross_margin import CrossPosition
from zlp.engine.rejections import Code, Reject


def take_max_profit(draft: Draft, command: TakeMaxProfit) -> None:
    """Close a position that has earned all that is reserved for it, no earlier."""
    books = open_books(draft, command.pool)
    ref = command.position
    account = books.account(ref.owner, ref.number)
    position = held(books, account, ref.market)
    health.require_fresh(books, account, reducing=True)
    closing = close_by_force(books, account, ref.market, profit_token=command.profit_token)
    if not closing.is_max_profit:
        raise Reject(Code.PROFIT_BELOW_RESERVE, limit=position.reserve_usd, actual=max(closing.pnl, 0))


def close_delisted(draft: Draft, command: CloseDelisted) -> None:
    """Close what is left in a market nobody may trade any more."""
    books = open_books(draft, command.pool)
    ref = command.position
    if books.settings(ref.market).listed:
        raise Reject(Code.MARKET_LISTED, detail=ref.market)
    account = books.account(ref.owner, ref.number)
    health.require_fresh(books, account, reducing=True)
    close_by_force(books, account, ref.market, action="close")


def deleverage(draft: Draft, command: Deleverage) -> None:
    """Close the most profitable positions until the buffer is restored.

    Only a keeper may say which, since a list can't show what it leaves out. It must be ranked by profit as it
    stands, capped by what is reserved, falling and above 0. A position that can't be closed (its account has to be
    liquidated) is left alone with an event.
    """
    require_role(draft, Role.KEEPER)
    books = open_books(draft, command.pool)
    require_short_buffer(books)
    valuation.require_fresh(books.desk, reducing=True)
    _require_ranked(books, command.positions)
    closed = 0
    for ref in command.positions:
        if closed and buffer_healthy(books):
            break
        closed += _close_or_skip(books, ref)
    _record_buffer(books, closed)


def buffer_healthy(books: Books) -> bool:
    """Whether ``1 + net_pnl / assets`` is at or above the threshold, from the fund's side."""
    desk = books.desk
    return desk.fund.buffer.healthy(valuation.net_pnl_usd(desk), valuation.assets_usd(desk))


def require_short_buffer(books: Books) -> None:
    """Refuse to deleverage a healthy fund."""
    if buffer_healthy(books):
        desk = books.desk
        actual = desk.fund.buffer.ratio_bps(valuation.net_pnl_usd(desk), valuation.assets_usd(desk))
        raise Reject(Code.BUFFER_HEALTHY, limit=desk.fund.buffer.threshold_bps, actual=actual)


def capped_profit(books: Books, position: CrossPosition) -> int:
    """Signed USD (1e30) a close would realise now: profit at most the reserve, loss in full."""
    result = health.marked(books, books.settings(position.market), position)
    return min(result.delta, position.reserve_usd) if result.is_profit else -result.delta


def _require_ranked(books: Books, refs: tuple[PositionRef, ...]) -> None:
    last: int | None = None
    for ref in refs:
        position = held(books, books.account(ref.owner, ref.number), ref.market)
        profit = capped_profit(books, position)
        if profit <= 0:
            raise Reject(Code.NOT_PROFITABLE, limit=1, actual=profit, detail=position.label)
        if last is not None and profit > last:
            raise Reject(Code.NOT_RANKED, limit=last, actual=profit, detail=position.label)
        last = profit
    if last is None:
        raise Reject(Code.ZERO_AMOUNT, detail="positions")


def _close_or_skip(books: Books, ref: PositionRef) -> int:
    inner = books.draft.nested()
    nested = open_books(inner, books.pool)
    try:
        close_by_force(nested, nested.account(ref.owner, ref.number), ref.market)
    except Reject as refused:
        books.draft.record(
            PositionSkipped(
                pool=books.pool,
                owner=ref.owner,
                account=ref.number,
                market=ref.market,
                reason=refused.rejection.code,
            )
        )
        return 0
    books.draft.absorb(inner)
    return 1


def _record_buffer(books: Books, closed: int) -> None:
    desk = books.desk
    net, total = valuation.net_pnl_usd(desk), valuation.assets_usd(desk)
    books.draft.record(
        BufferMeasured(
            pool=books.pool,
            buffer_bps=desk.fund.buffer.ratio_bps(net, total),
            net_pnl_usd=net,
            assets_usd=total,
            closed=closed,
            restored=desk.fund.buffer.healthy(net, total),
        )
    )
