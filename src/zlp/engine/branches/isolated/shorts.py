"""Keeping the shorts of a market summed up, by the way the settings name (reference section 8)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.branches.isolated.book import Book
from zlp.engine.fixed import mul_div_down
from zlp.engine.leaves.isolated import Position
from zlp.engine.mechanisms.shorts import ReferenceShorts, entry_tokens


def track(book: Book, size_delta: int, *, increase: bool) -> None:
    """The reference's tracker, which runs strictly before the position changes; nothing in ``sound``."""
    rules, position = book.rules.shorts, book.position
    if position.is_long or size_delta == 0 or not isinstance(rules, ReferenceShorts):
        return
    realised = 0
    if not increase:
        profit, delta = book.delta()
        realised = mul_div_down(size_delta, delta, position.size) * (1 if profit else -1)
    price = book.entry_price if increase else book.exit_price
    shorts = book.market.shorts
    tracked = rules.tracked_after(shorts, price, size_delta, realised, increase)
    book.market = replace(book.market, shorts=replace(shorts, tracked=tracked))


def grow(book: Book, before: Position, size_delta: int) -> None:
    """A short was opened or added to."""
    shorts, rules = book.market.shorts, book.rules.shorts
    average = shorts.average
    if isinstance(rules, ReferenceShorts):
        average = rules.average_after(shorts, book.entry_price, size_delta)
    book.market = replace(
        book.market,
        shorts=replace(
            shorts,
            size=shorts.size + size_delta,
            average=average,
            entry_tokens=shorts.entry_tokens + _entry(book.position) - _entry(before),
        ),
    )


def shrink(book: Book, before: Position, size_delta: int) -> None:
    """A short was reduced or closed; the reference's own average never changes here."""
    shorts = book.market.shorts
    after = before.size - size_delta
    entry = shorts.entry_tokens + entry_tokens(after, before.average) - _entry(before)
    book.market = replace(
        book.market, shorts=replace(shorts, size=max(0, shorts.size - size_delta), entry_tokens=entry)
    )


def _entry(position: Position) -> int:
    return entry_tokens(position.size, position.average) if position.size else 0
