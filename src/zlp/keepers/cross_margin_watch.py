"""Finds what a fund's accounts and positions have due by screening; the engine's own functions confirm each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zlp.desks.cross_margin import closings, deleverages, key_of, liquidations, reading
from zlp.engine import Command, Event, Receipt, ledger, pricing
from zlp.engine.branches.cross_margin import forced
from zlp.engine.branches.cross_margin.books import Books, projected_funding
from zlp.engine.branches.fund import valuation
from zlp.engine.events.cross_margin import DebtChanged, MarginDeposited, MarginWithdrawn
from zlp.engine.events.fund import ClaimPaid
from zlp.engine.events.governance import ParameterChanged
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.cross_margin import CrossAccount, CrossMarginSettings, CrossPosition, FundMarketSettings
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.mechanisms.skew_fee import FEE_SCALE
from zlp.engine.rejections import Reject
from zlp.keepers.port import Port
from zlp.screening import folds
from zlp.screening.account_table import AccountTable, Headroom, Variable
from zlp.screening.profit_table import ProfitTable
from zlp.screening.ratio import Ratio

AccountKey = tuple[str, int]
PositionKey = tuple[str, int, str]
MARGIN_EVENTS = (MarginDeposited, MarginWithdrawn, DebtChanged, ClaimPaid)
RANKED = 100
"""Positions ranked exactly in one look; a deleverage names the first of them."""


class CrossMarginWatch:
    """One table of accounts and one of positions per fund, kept up to date by events.

    Two keepers ask: what one look found stands until time passes or something is heard.
    """

    BRANCH = "cross_margin"

    def __init__(self, port: Port) -> None:
        self._port = port
        self._accounts: dict[str, AccountTable[AccountKey]] = {}
        self._positions: dict[str, ProfitTable[PositionKey]] = {}
        self._found: tuple[int, list[Command]] | None = None
        self._rebuild()
        port.listen(self._hear)

    def due(self, now: int) -> Iterable[Command]:
        """Liquidations, closes at maximum profit or of delisted markets, then deleveraging."""
        if self._found is None or self._found[0] != now:
            self._found = now, self._look(now)
        return self._found[1]

    def _look(self, now: int) -> list[Command]:
        commands: list[Command] = []
        for pool, table in self._accounts.items():
            books = reading(self._port.reader, now, pool)
            try:
                variables = _variables(books)
                markets = _markets(books)
            except Reject:
                continue
            suspects = [books.account(owner, number) for owner, number in table.due(variables)]
            commands += liquidations(books, suspects)
            positions = self._positions[pool]
            commands += closings(books, self._held(books, (*positions.capped(markets), *self._delisted(books))))
            if not forced.buffer_healthy(books):
                commands += deleverages(books, self._held(books, positions.ranked(markets, RANKED)))
        return commands

    def _held(self, books: Books, keys: Iterable[PositionKey]) -> Iterator[CrossPosition]:
        for owner, number, market in keys:
            position = books.position(books.account(owner, number), market)
            if position is not None:
                yield position

    def _delisted(self, books: Books) -> list[PositionKey]:
        """Positions of delisted markets: all are looked through only while there is such a market."""
        closed = {s.market for s in books.draft.each(FundMarketSettings) if s.pool == books.pool and not s.listed}
        if not closed:
            return []
        each = books.draft.each(CrossPosition)
        return [(p.owner, p.number, p.market) for p in each if p.pool == books.pool and p.market in closed]

    def _hear(self, receipt: Receipt) -> None:
        self._found = None
        touched: set[tuple[str, str, int]] = set()
        for event in receipt.events:
            if type(event) is ParameterChanged:
                self._rebuild()
                return
            if type(event) is PositionChanged:
                touched.add(self._moved(event))
            elif isinstance(event, MARGIN_EVENTS):
                touched.add((event.pool, event.owner, event.account))
        for pool, owner, number in sorted(touched):
            if pool in self._accounts:
                self._fold(reading(self._port.reader, receipt.time, pool), owner, number)

    def _moved(self, event: Event) -> tuple[str, str, int]:
        pool, owner, number, market = key_of(event.position)  # type: ignore[attr-defined]
        position = self._port.reader.get(CrossPosition, (pool, owner, number, market))
        table, key = self._positions[pool], (owner, number, market)
        if position is not None:
            _rank(table, position)
        elif key in table:
            table.remove(key)
        return pool, owner, number

    def _rebuild(self) -> None:
        """Settings are folded into the rows: after a change of any, all rows are folded again."""
        reader = self._port.reader
        pools = [rules.pool for rules in reader.each(CrossMarginSettings)]
        self._accounts = {pool: AccountTable() for pool in pools}
        self._positions = {pool: ProfitTable() for pool in pools}
        for position in reader.each(CrossPosition):
            _rank(self._positions[position.pool], position)
        for account in reader.each(CrossAccount):
            self._fold(reading(reader, self._port.now(), account.pool), account.owner, account.number)

    def _fold(self, books: Books, owner: str, number: int) -> None:
        table, account = self._accounts[books.pool], books.account(owner, number)
        if account.markets:
            table.upsert((owner, number), _headroom(books, account))
        elif (owner, number) in table:
            table.remove((owner, number))


def _rank(table: ProfitTable[PositionKey], position: CrossPosition) -> None:
    table.upsert(
        (position.owner, position.number, position.market),
        market=position.market,
        size=position.size,
        average_price=position.average_price,
        cap=position.reserve_usd,
    )


def _headroom(books: Books, account: CrossAccount) -> Headroom:
    positions = [position for name in account.markets if (position := books.position(account, name)) is not None]
    return folds.fold_cross_margin(
        collaterals=[found for token in books.desk.fund.assets for found in _collateral(books, account, token)],
        positions=[_folded(books, position) for position in positions],
        debts=account.debt_usd,
        liquidation_fee=books.rules.liquidation_fee_usd,
        profit_share_bps=books.rules.pnl_bps,
    )


def _collateral(books: Books, account: CrossAccount, token: str) -> Iterator[folds.CrossCollateral]:
    amount = ledger.balance_of(books.draft, account.holder, token)
    settings = books.draft.get(FundAssetSettings, (books.pool, token))
    if amount and settings is not None and settings.collateral_bps:
        yield folds.CrossCollateral(
            asset=token, amount=amount, unit=books.desk.unit(token), factor_bps=settings.collateral_bps
        )


def _folded(books: Books, position: CrossPosition) -> folds.CrossPosition:
    settings = books.settings(position.market)
    fees = settings.fees
    rate = max(fees.maker_rate, fees.taker_rate) or fees.decrease_bps * FEE_SCALE // 10_000
    return folds.CrossPosition(
        market=settings.market,
        asset_class=books.group_of(settings).name,
        size=position.size,
        average_price=position.average_price,
        profit_cap=position.reserve_usd,
        entry_borrow=position.entry_borrowing,
        entry_funding=position.entry_funding,
        closing_fee=Ratio(rate, FEE_SCALE),
        maximum_skew_scale=settings.price.max_skew_scale,
        maintenance_margin_bps=settings.maintenance_bps,
    )


def _variables(books: Books) -> dict[Variable, int]:
    """Everything a tick may have changed: prices, skews, funding, borrowing, as of now."""
    prices = {token: pricing.bounds(books.draft, token) for token in books.desk.fund.assets}
    markets, borrow = {}, {}
    total = valuation.assets_usd(books.desk)
    for settings in books.draft.each(FundMarketSettings):
        if settings.pool != books.pool:
            continue
        prices[settings.market] = pricing.bounds(books.draft, settings.market)
        market = books.market(settings.market)
        _, accrued = projected_funding(market, settings, books.draft.time)
        markets[settings.market] = (market.skew, accrued)
        group = books.group_of(settings)
        borrow[group.name] = group.rate + valuation.next_borrowing_rate(books.desk, group, total)
    return folds.cross_margin_variables(prices=prices, markets=markets, borrow=borrow)


def _markets(books: Books) -> dict[str, tuple[int, int, int]]:
    """Price, skew and scale of every market: what ranks positions."""
    found = {}
    for settings in books.draft.each(FundMarketSettings):
        if settings.pool == books.pool:
            low, _ = pricing.bounds(books.draft, settings.market)
            found[settings.market] = (low, books.market(settings.market).skew, settings.price.max_skew_scale)
    return found
