"""What a trader's order does: opens, extends, reduces, closes or flips (reference 7.3)."""

from __future__ import annotations

from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books, mark_price, open_books
from zlp.engine.branches.cross_margin.decrease import decrease
from zlp.engine.branches.cross_margin.increase import increase
from zlp.engine.branches.cross_margin.settlement import Bill, settle
from zlp.engine.branches.custody import require_account
from zlp.engine.commands.cross_margin import CrossReduce, CrossTrade
from zlp.engine.draft import Draft
from zlp.engine.leaves.cross_margin import CrossAccount, FundMarketSettings
from zlp.engine.rejections import Code, Reject


def trade(draft: Draft, command: CrossTrade) -> None:
    """Route a buy or sell; a flip closes and opens in one, or not at all."""
    books = open_books(draft, command.pool)
    account = books.account(draft.sender, command.number)
    settings = books.settings(command.market)
    position = books.position(account, command.market)
    held = 0 if position is None else position.size
    delta = command.size_delta
    if delta == 0:
        raise Reject(Code.ZERO_AMOUNT)
    opposite = held * delta < 0
    if command.reduce_only:
        if not opposite:
            raise Reject(Code.NO_POSITION, detail=command.market)
        delta = max(delta, -held) if delta < 0 else min(delta, -held)
    else:
        _require_limits(settings, held, delta)
    _require_price(books, settings, delta, command.acceptable_price)
    reducing = opposite and abs(delta) <= abs(held)
    health.require_fresh(books, account, reducing=reducing)

    if not opposite:
        account = increase(books, account, command.market, delta)
    elif reducing:
        account = decrease(books, account, command.market, abs(delta), command.profit_token).account
    else:
        account = decrease(books, account, command.market, abs(held), command.profit_token).account
        account = increase(books, account, command.market, delta + held)
    if command.relay_fee_usd:
        _pay_relayer(books, account, command.relayer, command.relay_fee_usd)


def reduce(draft: Draft, command: CrossReduce) -> None:
    """Close part or all of a position, never more."""
    books = open_books(draft, command.pool)
    account = books.account(draft.sender, command.number)
    settings = books.settings(command.market)
    position = books.position(account, command.market)
    if position is None:
        raise Reject(Code.NO_POSITION, detail=command.market)
    size = min(command.size, abs(position.size)) if command.size else abs(position.size)
    delta = -size if position.is_long else size
    _require_price(books, settings, delta, command.acceptable_price)
    health.require_fresh(books, account, reducing=True)
    decrease(books, account, command.market, size, command.profit_token)


def _require_limits(settings: FundMarketSettings, held: int, delta: int) -> None:
    """Caps on one trade and on the position after it (reference 6.6)."""
    if settings.max_trade_usd and abs(delta) > settings.max_trade_usd:
        raise Reject(Code.TRADE_TOO_LARGE, limit=settings.max_trade_usd, actual=abs(delta))
    if settings.max_position_usd and abs(held + delta) > settings.max_position_usd:
        raise Reject(Code.POSITION_TOO_LARGE, limit=settings.max_position_usd, actual=abs(held + delta))


def _require_price(books: Books, settings: FundMarketSettings, delta: int, acceptable: int) -> None:
    """Refuse an adaptive price that is not strictly better than the acceptable one (7.2)."""
    if not settings.listed:
        raise Reject(Code.MARKET_DELISTED, detail=settings.market)
    market = books.market(settings.market)
    if not market.is_open:
        raise Reject(Code.MARKET_CLOSED, detail=settings.market)
    if not acceptable:
        return
    oracle = mark_price(books, settings, delta < 0)
    require_acceptable(settings.price.execution_price(oracle, market.skew, delta), acceptable, delta > 0)


def require_acceptable(price: int, acceptable: int, is_buy: bool) -> None:
    """A buy needs a price below the acceptable one, a sell above it; equality is refused."""
    if is_buy and price >= acceptable:
        raise Reject(Code.PRICE_ABOVE_ACCEPTABLE, limit=acceptable, actual=price)
    if not is_buy and price <= acceptable:
        raise Reject(Code.PRICE_BELOW_ACCEPTABLE, limit=acceptable, actual=price)


def _pay_relayer(books: Books, account: CrossAccount, relayer: str, fee_usd: int) -> None:
    """Pay who brought a signed trade from the trader's collateral; refuse if it leaves too little margin."""
    require_account(relayer)
    account = settle(books, account, Bill(fee=fee_usd, payee=relayer, fee_kind="execution"))
    health.require_maintenance(books, account)
