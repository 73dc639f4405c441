"""The sides of a pool's markets, with their funding brought up to the moment."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.engine.draft import Draft
from zlp.engine.leaves.borrowed import BorrowMarketSettings, BorrowMarketSide
from zlp.engine.rejections import Code
from zlp.engine.state import Reader


def load_market(draft: Draft, pool: str, market: str) -> BorrowMarketSettings:
    """The market, or ``unknown_market``."""
    return draft.need(BorrowMarketSettings, (pool, market), Code.UNKNOWN_MARKET)


def each_market(reader: Reader, pool: str) -> Iterator[BorrowMarketSettings]:
    """Settings of every market of a pool."""
    return (settings for settings in reader.each(BorrowMarketSettings) if settings.pool == pool)


def load_side(reader: Reader, market: BorrowMarketSettings, is_long: bool) -> BorrowMarketSide:
    """One side as it was last stored."""
    key = (market.pool, market.market, is_long)
    return reader.get(BorrowMarketSide, key) or BorrowMarketSide(*key)


def touched_side(reader: Reader, market: BorrowMarketSettings, is_long: bool, now: int) -> BorrowMarketSide:
    """One side with its funding brought up to ``now``, not yet stored."""
    side = load_side(reader, market, is_long)
    if market.funding is None or side.updated_at == 0:
        return side if market.funding is None else side.moved(0, now)
    other = load_side(reader, market, not is_long)
    long_usd, short_usd = (side.size_usd, other.size_usd) if is_long else (other.size_usd, side.size_usd)
    increment = market.funding.accrued(long_usd, short_usd, now - side.updated_at)
    return side.moved(increment if is_long else -increment, now)


def touch(draft: Draft, market: BorrowMarketSettings, is_long: bool) -> BorrowMarketSide:
    """Bring both sides up to now, store the other, return this one: their sizes set each other's rate."""
    side = touched_side(draft, market, is_long, draft.time)
    if market.funding is not None:
        draft.put(touched_side(draft, market, not is_long, draft.time))
    return side
