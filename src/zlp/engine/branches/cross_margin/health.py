"""Collateral, equity and margins of an account (N3). O(collaterals + positions of the account)."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine import ledger, pricing
from zlp.engine.branches.cross_margin.books import Books, mark_price, projected_funding
from zlp.engine.branches.fund import valuation
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.cross_margin import CrossAccount, CrossPosition, FundMarketSettings
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.mechanisms.carry import borrowing_fee, funding_fee
from zlp.engine.mechanisms.counter_trade import Outcome, outcome
from zlp.engine.rejections import Code, Reject


class Health(NamedTuple):
    """An account's figures, USD at 1e30; profit (unrealised, after the cut of net profits) and equity are signed."""

    collateral: int
    profit: int
    fees: int
    debt: int
    initial: int
    maintenance: int

    @property
    def equity(self) -> int:
        """Collateral and profit less fees and debts."""
        return self.collateral + self.profit - self.fees - self.debt

    @property
    def free(self) -> int:
        """Equity above the initial margin."""
        return self.equity - self.initial

    @property
    def is_liquidatable(self) -> bool:
        """Equity below the maintenance margin, or below 0; equality is healthy."""
        return self.equity < 0 or self.equity < self.maintenance


class Carry(NamedTuple):
    """What a position owes for being held, USD at 1e30; funding is signed, positive is paid."""

    borrowing: int
    funding: int


def measure(books: Books, account: CrossAccount, rates: dict[str, int] | None = None) -> Health:
    """All figures of an account now (reference 3). ``rates`` remembers borrowing classes between accounts."""
    profit = fees = initial = maintenance = 0
    rates = {} if rates is None else rates
    for name in account.markets:
        position = books.position(account, name)
        if position is None:
            continue
        settings = books.settings(name)
        result = marked(books, settings, position)
        profit += min(result.delta, position.reserve_usd) if result.is_profit else -result.delta
        carry = accrued_carry(books, settings, position, rates)
        skew = books.market(name).skew
        fees += carry.borrowing + carry.funding + settings.fees.fee(-position.size, skew, False)
        initial += mul_div_down(abs(position.size), settings.initial_bps, BPS)
        maintenance += mul_div_down(abs(position.size), settings.maintenance_bps, BPS)
    if account.markets:
        fees += books.rules.liquidation_fee_usd
    if profit > 0:
        profit = mul_div_down(profit, books.rules.pnl_bps, BPS)
    return Health(collateral_usd(books, account), profit, fees, account.debt_usd, initial, maintenance)


def collateral_usd(books: Books, account: CrossAccount) -> int:
    """Value of the collateral after its factors, at the low price; one floor per token (3.1)."""
    total = 0
    for token in books.desk.fund.assets:
        amount = ledger.balance_of(books.draft, account.holder, token)
        settings = books.draft.get(FundAssetSettings, (books.pool, token)) if amount else None
        if settings is not None and settings.collateral_bps:
            price = books.desk.price(token, False)
            total += mul_div_down(amount * price, settings.collateral_bps, books.desk.unit(token) * BPS)
    return total


def close_price(books: Books, settings: FundMarketSettings, position: CrossPosition) -> int:
    """Price (1e30) at which the whole position would close now."""
    oracle = mark_price(books, settings, position.is_long)
    return settings.price.close_price(oracle, books.market(settings.market).skew, position.size)


def marked(books: Books, settings: FundMarketSettings, position: CrossPosition) -> Outcome:
    """Profit or loss of a position at its close price, not capped, whether or not it still has to wait."""
    return outcome(position.size, position.average_price, close_price(books, settings, position))


def accrued_carry(
    books: Books, settings: FundMarketSettings, position: CrossPosition, rates: dict[str, int] | None = None
) -> Carry:
    """Borrowing and funding of a position up to now. ``rates`` remembers classes between positions."""
    group = books.group_of(settings)
    known = {} if rates is None else rates
    if group.name not in known:
        known[group.name] = valuation.next_borrowing_rate(books.desk, group, valuation.assets_usd(books.desk))
    rate = group.rate + known[group.name]
    _, accrued = projected_funding(books.market(settings.market), settings, books.draft.time)
    return Carry(
        borrowing_fee(position.reserve_usd, rate, position.entry_borrowing),
        funding_fee(position.size, accrued, position.entry_funding),
    )


def require_free(books: Books, account: CrossAccount) -> None:
    """Refuse an equity below 0 or below the initial margin."""
    require_free_figures(measure(books, account))


def require_free_figures(health: Health) -> None:
    """The same of figures at hand."""
    if health.equity < 0 or health.free < 0:
        raise Reject(Code.EQUITY_BELOW_INITIAL, limit=health.initial, actual=health.equity)


def require_maintenance(books: Books, account: CrossAccount) -> None:
    """Refuse an account that should be liquidated."""
    health = measure(books, account)
    if health.is_liquidatable:
        raise Reject(Code.EQUITY_BELOW_MAINTENANCE, limit=health.maintenance, actual=health.equity)


def require_fresh(books: Books, account: CrossAccount, *, reducing: bool) -> None:
    """Refuse to judge an account with old prices. The price of a closed market may be old (A7)."""
    for token in books.desk.fund.assets:
        if ledger.balance_of(books.draft, account.holder, token):
            pricing.require_fresh(books.draft, token, reducing=reducing)
    for name in account.markets:
        if books.market(name).is_open:
            pricing.require_fresh(books.draft, name, reducing=reducing)
