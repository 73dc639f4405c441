"""Reducing and closing a position (reference section 7 and 12.3)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.swap import swap_along
from zlp.engine.branches.custody import require_account
from zlp.engine.branches.isolated import shorts
from zlp.engine.branches.isolated.book import Book, open_book
from zlp.engine.branches.isolated.health import require_healthy, require_proportions
from zlp.engine.branches.isolated.record import position_changed
from zlp.engine.commands.isolated import DecreasePosition
from zlp.engine.draft import Draft
from zlp.engine.fixed import mul_div_down, subtract
from zlp.engine.rejections import Code, Reject


def decrease(draft: Draft, command: DecreasePosition) -> None:
    """Check the trader's price, close the part, pay the proceeds out, swapped if asked."""
    book = open_book(draft, command.pool, draft.sender, command.collateral, command.market, command.is_long)
    _check_price(book, command.acceptable_price)
    size_delta = book.position.size if command.whole else command.size_delta
    shorts.track(book, size_delta, increase=False)
    command.require_form()
    swaps = len(command.path) > 1
    receiver = command.to or draft.sender
    require_account(receiver)
    paid = reduce(book, size_delta, command.collateral_delta, draft.sender if swaps else receiver)
    if swaps and paid:
        swap_along(draft, book.pool, command.path, paid, command.min_amount, receiver)
    elif paid < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=command.min_amount, actual=paid)


def _check_price(book: Book, acceptable: int) -> None:
    price = book.exit_price
    if not acceptable:
        return
    if book.position.is_long and price < acceptable:
        raise Reject(Code.PRICE_BELOW_ACCEPTABLE, limit=acceptable, actual=price)
    if not book.position.is_long and price > acceptable:
        raise Reject(Code.PRICE_ABOVE_ACCEPTABLE, limit=acceptable, actual=price)


def reduce(book: Book, size_delta: int, collateral_delta: int, receiver: str) -> int:
    """Close ``size_delta`` and withdraw ``collateral_delta`` (USD); returns the tokens paid to ``receiver``."""
    draft, before = book.draft, book.position
    if before.size == 0:
        raise Reject(Code.EMPTY_POSITION, detail=before.name)
    if size_delta > before.size:
        raise Reject(Code.SIZE_EXCEEDED, limit=before.size, actual=size_delta)
    if collateral_delta > before.collateral_usd:
        raise Reject(Code.COLLATERAL_EXCEEDED, limit=before.collateral_usd, actual=collateral_delta)
    for asset in (before.index, before.collateral):
        pricing.require_fresh(draft, asset, reducing=True)
    price = book.exit_price
    size_fee, funding_fee = book.size_fee(size_delta, book.rules.closing_fee_bps), book.funding_fee()

    _release(book, size_delta)
    owed, net, realised = _settle(book, size_delta, collateral_delta, size_fee, funding_fee)
    closed = size_delta == before.size
    _shrink(book, before.collateral_usd, size_delta, closed)
    if before.is_long:
        book.market = book.market.with_long(-size_delta)
    else:
        shorts.shrink(book, before, size_delta)
    paid = _pay_out(book, owed, net, receiver)

    book.save()
    if closed:
        draft.drop(before)
    else:
        draft.put(book.position)
    action = "close" if closed else "reduce" if size_delta else "withdraw"
    position_changed(book, before, action, price, realised, size_fee, funding_fee)
    return paid


def _release(book: Book, size_delta: int) -> None:
    """Give back the part of the reserve (step 2)."""
    position = book.position
    part = mul_div_down(position.reserved, size_delta, position.size)
    book.position = replace(position, reserved=position.reserved - part)
    book.asset = book.asset.release(part)


def _settle(
    book: Book, size_delta: int, collateral_delta: int, size_fee: int, funding_fee: int
) -> tuple[int, int, int]:
    """Realise the part's profit or loss and the fees (step 3).

    Returns ``(USD leaving the pool, USD of it for the trader, realised profit signed)``.
    """
    position, fee = book.position, size_fee + funding_fee
    book.collect(size_fee, funding_fee)
    profit, delta = book.delta()
    part = mul_div_down(size_delta, delta, position.size)
    collateral, owed = position.collateral_usd, 0
    if part and profit:
        owed = part
        if not position.is_long:
            book.asset = book.asset.take(book.fewest_tokens(part))
    elif part:
        collateral = subtract(collateral, part, Code.LOSSES_EXCEED_COLLATERAL)
        if not position.is_long:
            book.asset = book.asset.add(book.fewest_tokens(part))
    if collateral_delta:
        owed += collateral_delta
        collateral = subtract(collateral, collateral_delta, Code.COLLATERAL_EXCEEDED)
    if size_delta == position.size:
        owed += collateral
        collateral = 0
    net = owed
    if owed > fee:
        net = owed - fee
    else:
        collateral = subtract(collateral, fee, Code.FEES_EXCEED_COLLATERAL)
        if position.is_long:
            book.asset = book.asset.take(book.fewest_tokens(fee))
    realised = part if profit else -part
    book.position = replace(position, collateral_usd=collateral, pnl=position.pnl + realised)
    return owed, net, realised


def _shrink(book: Book, collateral_before: int, size_delta: int, closed: bool) -> None:
    """Size, entry index and what longs owe (step 4)."""
    position = replace(book.position, size=book.position.size - size_delta)
    book.position = position
    if not closed:
        book.position = replace(position, entry_funding=book.asset.funding_index)
        require_proportions(book.position)
        book.remark(-size_delta if position.is_long else size_delta)
        require_healthy(book)
    if position.is_long:
        freed = collateral_before - (0 if closed else position.collateral_usd)
        book.asset = book.asset.guarantee(freed, size_delta)


def _pay_out(book: Book, owed: int, net: int, receiver: str) -> int:
    """Tokens out of the pool and to the trader: three separate truncations leave dust with the pool (step 6)."""
    if owed == 0:
        return 0
    if book.position.is_long:
        book.asset = book.asset.take(book.fewest_tokens(owed))
    paid = book.fewest_tokens(net)
    ledger.move(book.draft, book.settings.token, book.pool.holder, receiver, paid)
    return paid
