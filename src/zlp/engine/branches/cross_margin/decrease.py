"""Reducing and closing positions, by the trader (reference 6.2) or for them (6.3)."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from zlp.engine import pricing
from zlp.engine.branches.cross_margin import books as ledgers
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books
from zlp.engine.branches.cross_margin.reporting import record_position
from zlp.engine.branches.cross_margin.settlement import Bill, settle
from zlp.engine.fixed import mul_div_down
from zlp.engine.leaves.cross_margin import CrossAccount, CrossPosition, FundMarketSettings
from zlp.engine.mechanisms.counter_trade import Outcome, average_price
from zlp.engine.rejections import Code, Reject


class Closing(NamedTuple):
    """What a close came to, USD at 1e30. ``pnl`` signed; ``is_max_profit``: all that was reserved."""

    account: CrossAccount
    pnl: int
    is_max_profit: bool


class _Release(NamedTuple):
    """A position taken out of the books: what it earned in all, what it owes, the close price."""

    result: Outcome
    is_max_profit: bool
    price: int
    carry: health.Carry
    trading: int


def decrease(books: Books, account: CrossAccount, market: str, size: int, profit_token: str = "") -> Closing:
    """The trader closes ``size`` (USD 1e30) of a position; what remains keeps its share of the profit."""
    settings = books.settings(market)
    if not settings.listed:
        raise Reject(Code.MARKET_DELISTED, detail=market)
    position = held(books, account, market)
    if size > abs(position.size):
        raise Reject(Code.SIZE_EXCEEDED, limit=abs(position.size), actual=size)
    if not books.market(market).is_open:
        raise Reject(Code.MARKET_CLOSED, detail=market)
    pricing.require_fresh(books.draft, settings.market, reducing=True)
    action = "close" if size == abs(position.size) else "reduce"
    return _close(books, account, settings, position, size, profit_token, action, waits=True)


def close_by_force(
    books: Books, account: CrossAccount, market: str, action: str = "deleverage", profit_token: str = ""
) -> Closing:
    """A keeper closes all of a position: also in a closed or delisted market, at once unless the rules say wait."""
    settings = books.settings(market)
    position = held(books, account, market)
    waits = not books.rules.is_sound
    return _close(books, account, settings, position, abs(position.size), profit_token, action, waits=waits)


def held(books: Books, account: CrossAccount, market: str) -> CrossPosition:
    """The position, or ``no_position``."""
    position = books.position(account, market)
    if position is None:
        raise Reject(Code.NO_POSITION, detail=market)
    return position


def _close(
    books: Books,
    account: CrossAccount,
    settings: FundMarketSettings,
    position: CrossPosition,
    size: int,
    profit_token: str,
    action: str,
    *,
    waits: bool,
) -> Closing:
    if size == 0:
        raise Reject(Code.ZERO_AMOUNT)
    health.require_maintenance(books, account)
    ledgers.refresh(books, settings)
    left = abs(position.size) - size
    if 0 < left < books.rules.min_position_usd:
        raise Reject(Code.POSITION_TOO_SMALL, limit=books.rules.min_position_usd, actual=left)
    delta = -size if position.is_long else size
    release = take_out(books, settings, position, delta, waits=waits)
    waiting = settings.delay.waiting(position.increased_at, position.increased_size, books.draft.time)
    if waits and release.result.is_profit and waiting:
        raise Reject(Code.PROFIT_WAITS, detail=settings.market)

    realised = mul_div_down(release.result.delta, size, abs(position.size))
    carried = release.result.delta - realised
    sign = 1 if release.result.is_profit else -1
    rest = _rest(books, settings, position, delta, sign * carried, sign * realised) if left else None
    ledgers.exchange_position(books, books.market(settings.market), position, rest)
    if rest is None:
        account = without_market(books, account, settings.market)
    account = settle(
        books,
        account,
        Bill(
            pnl=sign * realised,
            funding=release.carry.funding,
            borrowing=release.carry.borrowing,
            trading=release.trading,
        ),
        profit_token,
    )
    health.require_maintenance(books, account)
    record_position(
        books,
        before=position,
        after=rest,
        action=action,
        price=release.price,
        pnl=sign * realised,
        trading=release.trading,
        carry=release.carry.borrowing + release.carry.funding,
    )
    return Closing(account, sign * realised, release.is_max_profit)


def take_out(
    books: Books, settings: FundMarketSettings, position: CrossPosition, delta: int, *, waits: bool
) -> _Release:
    """Measure a position that trades ``delta``, settle its carry and release its whole reserve.

    Its profit is capped by the reserve; ``waits``: a profit inside its delay counts 0.
    """
    price = health.close_price(books, settings, position)
    result = health.marked(books, settings, position)
    waiting = settings.delay.waiting(position.increased_at, position.increased_size, books.draft.time)
    if waits and waiting and result.is_profit:
        result = Outcome(True, 0)
    is_max_profit = result.is_profit and result.delta >= position.reserve_usd
    if is_max_profit:
        result = Outcome(True, position.reserve_usd)
    carry = health.accrued_carry(books, settings, position)
    trading = settings.fees.fee(delta, books.market(settings.market).skew, False)
    ledgers.settle_carry(books, settings, position.is_long, carry.borrowing, carry.funding)
    ledgers.reserve(books, settings, -position.reserve_usd)
    return _Release(result, is_max_profit, price, carry, trading)


def without_market(books: Books, account: CrossAccount, market: str) -> CrossAccount:
    """The account after its position of a market is gone."""
    account = replace(account, markets=tuple(name for name in account.markets if name != market))
    books.draft.put(account)
    return account


def _rest(
    books: Books, settings: FundMarketSettings, position: CrossPosition, delta: int, carried: int, realised: int
) -> CrossPosition:
    """What remains: priced anew to carry its profit at the next close price, with a new reserve (6.2 step 6)."""
    size = position.size + delta
    market = books.market(settings.market)
    oracle = ledgers.mark_price(books, settings, position.is_long)
    next_close = settings.price.close_price(oracle, market.skew + delta, size)
    reserve = settings.reserve_for(abs(size))
    ledgers.reserve(books, settings, reserve)
    return replace(
        position,
        size=size,
        average_price=average_price(size, next_close, carried),
        reserve_usd=reserve,
        entry_borrowing=books.group_of(settings).rate,
        entry_funding=market.accrued,
        realised_usd=position.realised_usd + realised,
    )
