"""What every operation of a trader starts from: the fund's desk, the rules of margin, markets and accounts."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from zlp.engine import pricing
from zlp.engine.branches.fund import valuation
from zlp.engine.branches.fund.desk import Desk, open_desk
from zlp.engine.draft import Draft
from zlp.engine.fixed import RATE, mul_div_down, mul_div_toward_zero
from zlp.engine.leaves.cross_margin import (
    ACCOUNTS_PER_OWNER,
    BorrowingClass,
    BorrowingClassSettings,
    CrossAccount,
    CrossMarginSettings,
    CrossPosition,
    FundMarket,
    FundMarketSettings,
)
from zlp.engine.mechanisms.counter_trade import size_over_entry, square_over_entry
from zlp.engine.rejections import Code, Reject


class Books(NamedTuple):
    """A fund's desk with the rules of its margin accounts."""

    desk: Desk
    rules: CrossMarginSettings

    @property
    def draft(self) -> Draft:
        """The draft all of it is read from and written to."""
        return self.desk.draft

    @property
    def pool(self) -> str:
        """The fund's name."""
        return self.desk.fund.pool

    def settings(self, market: str) -> FundMarketSettings:
        """Settings of a market, or ``unknown_market``."""
        return self.draft.need(FundMarketSettings, (self.pool, market), Code.UNKNOWN_MARKET)

    def market(self, market: str) -> FundMarket:
        """The market's open interest."""
        return self.draft.get(FundMarket, (self.pool, market)) or FundMarket(self.pool, market)

    def group(self, name: str) -> BorrowingClass:
        """The borrowing class."""
        return self.draft.get(BorrowingClass, (self.pool, name)) or BorrowingClass(self.pool, name)

    def group_of(self, settings: FundMarketSettings) -> BorrowingClass:
        """The borrowing class in which a market's reserves are."""
        return self.group(self.market(settings.market).borrowing_class or settings.borrowing_class)

    def account(self, owner: str, number: int) -> CrossAccount:
        """The margin account; empty if it was never used."""
        if not 0 <= number < ACCOUNTS_PER_OWNER:
            raise Reject(Code.INVALID_ACCOUNT_NUMBER, limit=ACCOUNTS_PER_OWNER - 1, actual=number)
        found = self.draft.get(CrossAccount, (self.pool, owner, number))
        return found or CrossAccount(self.pool, owner, number)

    def position(self, account: CrossAccount, market: str) -> CrossPosition | None:
        """The account's position in a market."""
        return self.draft.get(CrossPosition, (self.pool, account.owner, account.number, market))


def open_books(draft: Draft, pool: str) -> Books:
    """The books of this fund, or ``unknown_pool``."""
    rules = draft.need(CrossMarginSettings, (pool,), Code.UNKNOWN_POOL)
    return Books(open_desk(draft, pool), rules)


def mark_price(books: Books, settings: FundMarketSettings, is_long: bool) -> int:
    """Oracle price at which a side is closed: the worse of the two for the trader."""
    low, high = pricing.bounds(books.draft, settings.market)
    return low if is_long else high


def refresh(books: Books, settings: FundMarketSettings) -> FundMarket:
    """Bring a market's borrowing class and its funding up to now (reference 4.1, 4.2)."""
    now = books.draft.time
    market = books.market(settings.market)
    if not (market.long_size or market.short_size):
        market = replace(market, borrowing_class=settings.borrowing_class)
        books.draft.put(market)
    group = books.group_of(settings)
    class_settings = books.draft.need(BorrowingClassSettings, group.key, Code.UNKNOWN_MARKET)
    borrowing = class_settings.borrowing
    if group.updated_at == 0:
        books.draft.put(replace(group, updated_at=borrowing.anchor(now)))
    elif group.updated_at + borrowing.interval <= now:
        rate = valuation.next_borrowing_rate(books.desk, group, valuation.assets_usd(books.desk))
        books.draft.put(
            replace(
                group,
                rate=group.rate + rate,
                accrued_usd=group.accrued_usd + mul_div_down(group.reserve_usd, rate, RATE),
                updated_at=borrowing.anchor(now),
            )
        )
    if market.updated_at == 0:
        market = replace(market, updated_at=settings.funding.anchor(now))
    elif settings.funding.due(market.updated_at, now):
        market = _accrued(market, settings, now)
    books.draft.put(market)
    return market


def _accrued(market: FundMarket, settings: FundMarketSettings, now: int) -> FundMarket:
    rate, accrued = projected_funding(market, settings, now)
    change = accrued - market.accrued
    return replace(
        market,
        funding_rate=rate,
        accrued=accrued,
        owed_long=market.owed_long + mul_div_toward_zero(market.long_size, change, RATE),
        owed_short=market.owed_short + mul_div_toward_zero(-market.short_size, change, RATE),
        updated_at=settings.funding.anchor(now),
    )


def projected_funding(market: FundMarket, settings: FundMarketSettings, now: int) -> tuple[int, int]:
    """Funding rate and accrued funding (signed, 1e18) as an update at second ``now`` would leave them."""
    if market.updated_at == 0 or not settings.funding.due(market.updated_at, now):
        return market.funding_rate, market.accrued
    return settings.funding.advance(market.funding_rate, market.accrued, market.skew, now - market.updated_at)


def exchange_position(
    books: Books, market: FundMarket, old: CrossPosition | None, new: CrossPosition | None
) -> FundMarket:
    """Replace a position in its market's open interest and accumulators, and store both (reference 2.2)."""
    for position, sign in ((old, -1), (new, 1)):
        if position is None:
            continue
        size = abs(position.size)
        over_entry = sign * size_over_entry(size, position.average_price)
        square = sign * square_over_entry(size, position.average_price)
        if position.is_long:
            market = replace(
                market,
                long_size=market.long_size + sign * size,
                long_over_entry=market.long_over_entry + over_entry,
                long_square=market.long_square + square,
            )
        else:
            market = replace(
                market,
                short_size=market.short_size + sign * size,
                short_over_entry=market.short_over_entry + over_entry,
                short_square=market.short_square + square,
            )
    books.draft.put(market)
    if new is not None:
        books.draft.put(new)
    elif old is not None:
        books.draft.drop(old)
    return market


def reserve(books: Books, settings: FundMarketSettings, change_usd: int) -> None:
    """Add to (or release, below 0) what the fund and the borrowing class keep for profits."""
    books.draft.put(replace(books.desk.books, reserve_usd=books.desk.books.reserve_usd + change_usd))
    group = books.group_of(settings)
    books.draft.put(replace(group, reserve_usd=group.reserve_usd + change_usd))


def settle_carry(
    books: Books, settings: FundMarketSettings, is_long: bool, borrowing_usd: int, funding_usd: int
) -> None:
    """Note that a position's borrowing (1e30) and funding (signed 1e30) are being settled."""
    group = books.group_of(settings)
    books.draft.put(replace(group, settled_usd=group.settled_usd + borrowing_usd))
    market = books.market(settings.market)
    if is_long:
        market = replace(market, owed_long=market.owed_long - funding_usd)
    else:
        market = replace(market, owed_short=market.owed_short - funding_usd)
    books.draft.put(market)
