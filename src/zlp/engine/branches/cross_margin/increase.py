"""Opening and extending positions (reference 6.1). The steps are in the order in which they refuse."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import pricing
from zlp.engine.branches.cross_margin import books as ledgers
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books
from zlp.engine.branches.cross_margin.reporting import record_position
from zlp.engine.branches.cross_margin.settlement import Bill, settle
from zlp.engine.branches.fund import valuation
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.cross_margin import CrossAccount, CrossPosition, FundMarketSettings
from zlp.engine.mechanisms.counter_trade import average_price
from zlp.engine.rejections import Code, Reject


def increase(books: Books, account: CrossAccount, market: str, size_delta: int) -> CrossAccount:
    """Add ``size_delta`` (signed USD 1e30) to a position or open one; the account as it is then.

    A new position enters at the adaptive price; an extended one is priced anew so that it carries its profit
    at the next close price.
    """
    settings = books.settings(market)
    position = books.position(account, market)
    _require_allowed(books, settings, account, position, size_delta)
    ledgers.refresh(books, settings)
    price = entry_price(books, settings, size_delta)

    carry = health.Carry(0, 0) if position is None else health.accrued_carry(books, settings, position)
    trading = settings.fees.fee(size_delta, books.market(market).skew, True)
    average = price if position is None else _extended_average(books, settings, position, size_delta)
    ledgers.settle_carry(books, settings, size_delta > 0, carry.borrowing, carry.funding)
    account = settle(books, account, Bill(funding=carry.funding, borrowing=carry.borrowing, trading=trading))

    size = size_delta + (0 if position is None else position.size)
    _require_size(books, size)
    added = settings.reserve_for(abs(size_delta))
    _reserve(books, settings, added)
    changed = CrossPosition(
        pool=books.pool,
        owner=account.owner,
        number=account.number,
        market=market,
        size=size,
        average_price=average,
        reserve_usd=added + (0 if position is None else position.reserve_usd),
        entry_borrowing=books.group_of(settings).rate,
        entry_funding=books.market(market).accrued,
        increased_at=books.draft.time,
        increased_size=abs(size_delta),
        realised_usd=0 if position is None else position.realised_usd,
    )
    ledgers.exchange_position(books, books.market(market), position, changed)
    if position is None:
        account = replace(account, markets=(*account.markets, market))
        books.draft.put(account)
    health.require_free(books, account)
    record_position(
        books,
        before=position,
        after=changed,
        action="open" if position is None else "extend",
        price=price,
        trading=trading,
        carry=carry.borrowing + carry.funding,
    )
    return account


def entry_price(books: Books, settings: FundMarketSettings, size_delta: int) -> int:
    """Adaptive price (1e30) of an open, fresh market, from the worse oracle price for the trader."""
    market = books.market(settings.market)
    if not market.is_open:
        raise Reject(Code.MARKET_CLOSED, detail=settings.market)
    pricing.require_fresh(books.draft, settings.market)
    low, high = pricing.bounds(books.draft, settings.market)
    return settings.price.execution_price(high if size_delta > 0 else low, market.skew, size_delta)


def _require_allowed(
    books: Books, settings: FundMarketSettings, account: CrossAccount, position: CrossPosition | None, size_delta: int
) -> None:
    if not settings.listed:
        raise Reject(Code.MARKET_DELISTED, detail=settings.market)
    if not settings.opening:
        raise Reject(Code.INCREASE_NOT_ALLOWED, detail=settings.market)
    market = books.market(settings.market)
    interest = market.long_size if size_delta > 0 else market.short_size
    limit = settings.max_long_usd if size_delta > 0 else settings.max_short_usd
    if interest + abs(size_delta) > limit:
        raise Reject(Code.OPEN_INTEREST_EXCEEDED, limit=limit, actual=interest + abs(size_delta))
    if position is None and len(account.markets) + 1 > books.rules.max_positions:
        raise Reject(Code.TOO_MANY_POSITIONS, limit=books.rules.max_positions, actual=len(account.markets) + 1)
    if position is not None and position.size * size_delta < 0:
        raise Reject(Code.OPPOSITE_POSITION, actual=position.size, detail=settings.market)


def _extended_average(books: Books, settings: FundMarketSettings, position: CrossPosition, size_delta: int) -> int:
    result = health.marked(books, settings, position)
    waits = settings.delay.waiting(position.increased_at, position.increased_size, books.draft.time)
    if result.is_profit and waits:
        raise Reject(Code.PROFIT_WAITS, detail=settings.market)
    if result.is_profit and result.delta >= position.reserve_usd:
        raise Reject(Code.INCREASE_NOT_ALLOWED, limit=position.reserve_usd, actual=result.delta)
    skew_after = books.market(settings.market).skew + size_delta
    size_after = position.size + size_delta
    oracle = ledgers.mark_price(books, settings, position.is_long)
    next_close = settings.price.close_price(oracle, skew_after, size_after)
    return average_price(size_after, next_close, result.signed)


def _require_size(books: Books, size: int) -> None:
    if size == 0:
        raise Reject(Code.ZERO_POSITION)
    if abs(size) < books.rules.min_position_usd:
        raise Reject(Code.POSITION_TOO_SMALL, limit=books.rules.min_position_usd, actual=abs(size))


def _reserve(books: Books, settings: FundMarketSettings, added: int) -> None:
    """Set the most it can earn aside; refuse more than the fund may promise (N6)."""
    ledgers.reserve(books, settings, added)
    total, reserved = valuation.assets_usd(books.desk), books.desk.books.reserve_usd
    if total * books.desk.fund.max_utilisation_bps < reserved * BPS:
        limit = mul_div_down(total, books.desk.fund.max_utilisation_bps, BPS)
        raise Reject(Code.UTILISATION_EXCEEDED, limit=limit, actual=reserved)
