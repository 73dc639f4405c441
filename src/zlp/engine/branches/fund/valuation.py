"""What a fund is worth: assets, pending borrowing fees, traders' debts, less their open profit (N1). O(markets)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.branches.fund.desk import Desk, open_desk
from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import PoolMeasured
from zlp.engine.fixed import RATE, mul_div_down, value_of
from zlp.engine.leaves.cross_margin import BorrowingClass, BorrowingClassSettings, FundMarket, FundMarketSettings
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.mechanisms.counter_trade import fund_pnl_of_side
from zlp.engine.rejections import Code

SHARE_UNIT = 10**18


def assets_usd(desk: Desk, *, maximise: bool = False) -> int:
    """USD (1e30) of all liquidity at the prices of one direction; one floor per token (reference 2.1)."""
    total = 0
    for token in desk.fund.assets:
        amount = desk.liquidity(token)
        if amount:
            total += value_of(amount, desk.price(token, maximise), desk.unit(token))
    return total


def net_pnl_usd(desk: Desk, *, maximise: bool = False) -> int:
    """Signed USD (1e30) the fund has gained from all open positions, not capped by their reserves (2.2)."""
    total = 0
    for market in desk.draft.each(FundMarket):
        if market.pool == desk.fund.pool and (market.long_size or market.short_size):
            total += market_pnl_usd(desk, market, maximise=maximise)
    return total


def market_pnl_usd(desk: Desk, market: FundMarket, *, maximise: bool = False) -> int:
    """The same of one market. ``maximise`` values positions at the price that is worse for traders."""
    settings = desk.draft.need(FundMarketSettings, market.key, Code.UNKNOWN_MARKET)
    low, high = pricing.bounds(desk.draft, settings.market)
    scale, skew, total = settings.price.max_skew_scale, market.skew, 0
    if market.long_size:
        total += fund_pnl_of_side(
            price=low if maximise else high,
            skew=skew,
            scale=scale,
            size=market.long_size,
            over_entry=market.long_over_entry,
            square=market.long_square,
            is_long=True,
        )
    if market.short_size:
        total += fund_pnl_of_side(
            price=high if maximise else low,
            skew=skew,
            scale=scale,
            size=market.short_size,
            over_entry=market.short_over_entry,
            square=market.short_square,
            is_long=False,
        )
    return total


def next_borrowing_rate(desk: Desk, group: BorrowingClass, total_usd: int) -> int:
    """Rate (1e18) a class has accrued since its last update."""
    if group.updated_at == 0:
        return 0
    settings = desk.draft.need(BorrowingClassSettings, group.key, Code.UNKNOWN_MARKET)
    return settings.borrowing.next_rate(group.reserve_usd, group.updated_at, desk.draft.time, total_usd)


def pending_borrowing_usd(desk: Desk, total_usd: int) -> int:
    """USD (1e30) of borrowing fees accrued and not settled, of all classes (2.3)."""
    pending = 0
    for group in desk.draft.each(BorrowingClass):
        if group.pool == desk.fund.pool:
            rate = next_borrowing_rate(desk, group, total_usd)
            pending += mul_div_down(group.reserve_usd, rate, RATE)
            pending += max(0, group.accrued_usd - group.settled_usd)
    return pending


def value_usd(desk: Desk, *, maximise: bool = False) -> int:
    """USD (1e30) value of the fund, never below 0 (2.4).

    Assets, pending borrowing, unpaid borrowing and losses, and the loan to funding, less profits it owes and
    plus what it has gained from open positions.
    """
    books = desk.books
    total = assets_usd(desk, maximise=maximise)
    gross = total + pending_borrowing_usd(desk, total)
    gross += books.borrowing_debt_usd + books.loss_debt_usd + books.loan_usd - books.claims_usd
    return max(0, gross + net_pnl_usd(desk, maximise=maximise))


def share_price(fund_value_usd: int, supply: int) -> int:
    """USD (1e30) per whole share, rounded down; 0 without shares."""
    return mul_div_down(fund_value_usd, SHARE_UNIT, supply) if supply else 0


def total_weight(desk: Desk) -> int:
    """Sum of the target weights."""
    weight = 0
    for token in desk.fund.assets:
        settings = desk.draft.get(FundAssetSettings, (desk.fund.pool, token))
        weight += settings.target_weight if settings is not None else 0
    return weight


def require_fresh(desk: Desk, *, reducing: bool) -> None:
    """Refuse to value the fund with a price that is too old, of an asset it holds or an open market with positions."""
    for token in desk.fund.assets:
        if desk.liquidity(token):
            pricing.require_fresh(desk.draft, token, reducing=reducing)
    for market in desk.draft.each(FundMarket):
        if market.pool == desk.fund.pool and market.is_open and (market.long_size or market.short_size):
            settings = desk.draft.need(FundMarketSettings, market.key, Code.UNKNOWN_MARKET)
            pricing.require_fresh(desk.draft, settings.market, reducing=reducing)


def measure(draft: Draft, command: MeasurePool) -> None:
    """Record the fund's value at both ends of the prices."""
    desk = open_desk(draft, command.pool)
    draft.record(
        PoolMeasured(
            pool=desk.fund.pool,
            share=desk.fund.share,
            low_usd=value_usd(desk, maximise=False),
            high_usd=value_usd(desk, maximise=True),
            supply=ledger.supply_of(draft, desk.fund.share),
        )
    )
