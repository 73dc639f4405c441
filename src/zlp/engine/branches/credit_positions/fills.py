"""Filling a trade: the checks, the settlement of the old position, the new one (reference section 10, _fillOrder)."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from zlp.engine import pricing
from zlp.engine.branches.credit.markets import credit_capacity
from zlp.engine.branches.credit.values import funded_totals
from zlp.engine.branches.credit_positions.health import (
    Mark,
    health,
    health_after,
    marked,
    position_of,
    trading_settings,
)
from zlp.engine.branches.credit_positions.margin import LOSS, Due, add_profit, deduct, require_fresh_account
from zlp.engine.draft import Draft
from zlp.engine.events.credit_positions import ShortfallForgiven
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.access import EVERYTHING, Pause
from zlp.engine.leaves.credit import CreditMarketSettings
from zlp.engine.leaves.credit_positions import CreditPosition, SkewTotals, TradingAccount
from zlp.engine.mechanisms.skew import notional
from zlp.engine.rejections import Code, Reject


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A signed size to trade in a market, and the index price it fills at: the report's ask or bid."""

    settings: CreditMarketSettings
    delta: int
    index: int


def grows(size: int, delta: int) -> bool:
    """Whether a position of ``size`` holds more after ``delta``, or on the other side."""
    after = size + delta
    return abs(after) > abs(size) or size * after < 0


def check_trade(draft: Draft, account: TradingAccount, trade: Trade) -> None:
    """What is refused whatever the price: sizes, a pause, closed markets, no credit, limits, a liquidatable account."""
    settings, delta = trade.settings, trade.delta
    position = position_of(draft, account.number, settings.market)
    size = position.size + delta
    growing = grows(position.size, delta)
    if not delta:
        raise Reject(Code.ZERO_AMOUNT)
    if growing and draft.get(Pause, (EVERYTHING,)) is not None:
        raise Reject(Code.PAUSED, detail=EVERYTHING)
    if growing and not settings.enabled:
        raise Reject(Code.MARKET_DISABLED, detail=settings.market)
    if growing and credit_capacity(draft, settings) <= 0:
        raise Reject(Code.NO_DELEGATED_CREDIT, detail=settings.market)
    terms = trading_settings(draft)
    if not position.size and len(account.markets) >= terms.max_positions:
        raise Reject(Code.TOO_MANY_POSITIONS, limit=terms.max_positions, actual=len(account.markets) + 1)
    if abs(delta) < settings.min_trade:
        raise Reject(Code.TRADE_TOO_SMALL, limit=settings.min_trade, actual=abs(delta))
    if size and abs(size) < settings.min_trade:
        raise Reject(Code.TRADE_TOO_SMALL, limit=settings.min_trade, actual=abs(size))
    _check_limits(settings, funded_totals(draft, settings), position.size, size)
    state = health(draft, account)
    if state.liquidatable(terms.liquidation_fee_usd):
        raise Reject(Code.ACCOUNT_LIQUIDATABLE, limit=state.maintenance, actual=state.margin)


def _check_limits(settings: CreditMarketSettings, totals: SkewTotals, before: int, after: int) -> None:
    """Above a cap, only what lowers it may pass."""
    interest = totals.open_interest - abs(before) + abs(after)
    if interest > settings.max_open_interest and interest >= totals.open_interest:
        raise Reject(Code.MAX_OPEN_INTEREST_EXCEEDED, limit=settings.max_open_interest, actual=interest)
    skew = totals.skew - before + after
    if abs(skew) > settings.max_skew and abs(skew) >= abs(totals.skew):
        raise Reject(Code.MAX_SKEW_EXCEEDED, limit=settings.max_skew, actual=abs(skew))


def check_margin(draft: Draft, account: TradingAccount, trade: Trade) -> None:
    """The margin after the trade covers initial margin (maintenance when it shrinks) and every fee."""
    settings, terms = trade.settings, trading_settings(draft)
    after = health_after(draft, account, settings.market, trade.delta)
    position = position_of(draft, account.number, settings.market)
    required = after.initial if grows(position.size, trade.delta) else after.maintenance
    totals = funded_totals(draft, settings)
    price = settings.mark.mark(trade.index, totals.skew, trade.delta)
    fees = settings.fees.fee(totals.skew, trade.delta, price) + terms.settlement_fee_usd + terms.liquidation_fee_usd
    if required + fees > after.margin:
        raise Reject(Code.INSUFFICIENT_MARGIN, limit=required + fees, actual=after.margin)


def fill(draft: Draft, account: TradingAccount, trade: Trade, *, above: int = 0, below: int = 0) -> int:
    """Fill a trade; the price must not be above ``above`` or below ``below`` (0: no limit). Answers the price.

    The whole old position is settled at the fill price and what remains starts from there.
    """
    settings, delta = trade.settings, trade.delta
    growing = grows(position_of(draft, account.number, settings.market).size, delta)
    require_fresh_account(draft, account, reducing=not growing)
    pricing.require_fresh(draft, settings.asset, reducing=not growing)
    check_trade(draft, account, trade)
    check_margin(draft, account, trade)
    totals = funded_totals(draft, settings)
    price = settings.mark.mark(trade.index, totals.skew, delta)
    if above and price > above:
        raise Reject(Code.TARGET_NOT_REACHED, limit=above, actual=price)
    if below and price < below:
        raise Reject(Code.TARGET_NOT_REACHED, limit=below, actual=price)

    terms = trading_settings(draft)
    order_fee = settings.fees.fee(totals.skew, delta, price)
    position = position_of(draft, account.number, settings.market)
    mark = marked(totals, position, price)
    account = settle(draft, settings, account, mark.profit + mark.funding)
    account = rebase(draft, account, settings, position, position.size + delta, price)
    dues = [Due("settlement", settings.market, terms.settlement_fee_usd), Due("trading", settings.market, order_fee)]
    loss = min(0, mark.profit + mark.funding)
    account, missing = deduct(draft, account, [*dues, Due(LOSS, settings.market, -loss)])
    forgive(draft, account, missing)
    after = health(draft, account)
    if missing or after.liquidatable(terms.liquidation_fee_usd):
        raise Reject(Code.ACCOUNT_LIQUIDATABLE, limit=after.maintenance, actual=after.margin)
    record_change(draft, account, position, position.size + delta, mark, order_fee + terms.settlement_fee_usd)
    return price


def settle(draft: Draft, settings: CreditMarketSettings, account: TradingAccount, result: int) -> TradingAccount:
    """Pay a profit in stable tokens into the account's margin; a loss is taken with the fees."""
    if result <= 0:
        return account
    return add_profit(draft, settings, account, result)


def rebase(
    draft: Draft,
    account: TradingAccount,
    settings: CreditMarketSettings,
    position: CreditPosition,
    size: int,
    price: int,
) -> TradingAccount:
    """Replace a position by one of ``size`` from ``price``, and the market's sums with it."""
    totals = funded_totals(draft, settings)
    after = CreditPosition(account.number, settings.market, size, price, totals.funding_index)
    draft.put(
        replace(
            totals,
            skew=totals.skew - position.size + size,
            open_interest=totals.open_interest - abs(position.size) + abs(size),
            entry_value=totals.entry_value - position.size * position.price + size * price,
            funding_entry=totals.funding_entry - position.size * position.funding + size * totals.funding_index,
        )
    )
    others = tuple(market for market in account.markets if market != settings.market)
    if size:
        draft.put(after)
    elif position.size:
        draft.drop(position)
    account = replace(account, markets=(*others, settings.market) if size else others)
    draft.put(account)
    return account


def forgive(draft: Draft, account: TradingAccount, missing: list[Due]) -> int:
    """What an account can't pay stays a debt of the market's vaults; said aloud, never silent."""
    total = 0
    for due in missing:
        total += due.usd
        draft.record(ShortfallForgiven(trading_account=account.number, market=due.market, shortfall_usd=due.usd))
    return total


def record_change(
    draft: Draft, account: TradingAccount, before: CreditPosition, size: int, mark: Mark, fee: int, action: str = ""
) -> None:
    """Tell the read model; sizes in USD, each at the price its position was last settled at."""
    if not action:
        action = _action(before.size, size)
    draft.record(
        PositionChanged(
            position=f"{account.number}/{before.market}",
            account=account.owner,
            market=before.market,
            collateral="",
            is_long=size > 0 if size else before.size > 0,
            action=action,
            size_before=notional(before.size, before.price),
            size_after=notional(size, mark.price),
            price=mark.price,
            average_price=mark.price if size else 0,
            collateral_usd=0,
            pnl_usd=mark.profit,
            fee_usd=fee,
            carry_usd=-mark.funding,
            traded_usd=notional(size - before.size, mark.price),
        )
    )


def _action(before: int, after: int) -> str:
    if not before:
        return "open"
    if not after:
        return "close"
    return "extend" if grows(before, after - before) else "reduce"
