"""The desk of cross-margin accounts that trade against a fund."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zlp.desks.base import AssetView, MarketView, PoolView, PositionView
from zlp.engine import ledger, pricing
from zlp.engine.branches.cross_margin import forced, health
from zlp.engine.branches.cross_margin.books import Books, open_books, projected_funding
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.base import Command
from zlp.engine.commands.cross_margin import (
    CloseDelisted,
    CrossReduce,
    CrossTrade,
    Deleverage,
    DepositMargin,
    LiquidateAccount,
    PositionRef,
    TakeMaxProfit,
    WithdrawMargin,
)
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_toward_zero, value_of
from zlp.engine.leaves.cross_margin import (
    CrossAccount,
    CrossMarginSettings,
    CrossPosition,
    FundMarketSettings,
)
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

HOURS = 24
DELEVERAGED_AT_ONCE = 20
"""Positions one deleverage command names."""


class CrossMarginDesk:
    """Answers for ``cross_margin`` and ``fund``."""

    BRANCH = "cross_margin"

    def pools(self, reader: Reader, now: int) -> list[PoolView]:
        """Every fund, valued as minting is."""
        return [self._pool(reading(reader, now, rules.pool)) for rules in reader.each(CrossMarginSettings)]

    def _pool(self, books: Books) -> PoolView:
        desk = books.desk
        total = valuation.assets_usd(desk, maximise=True)
        value = valuation.value_usd(desk, maximise=True)
        supply = ledger.supply_of(books.draft, desk.fund.share)
        weights = valuation.total_weight(desk)
        assets = []
        for token in desk.fund.assets:
            settings = books.draft.get(FundAssetSettings, (books.pool, token))
            amount = desk.liquidity(token)
            worth = value_of(amount, desk.price(token, True), desk.unit(token))
            target = 0 if settings is None else settings.target_weight
            assets.append(
                AssetView(
                    token=token,
                    amount=amount,
                    reserved=0,
                    value_usd=worth,
                    weight_bps=mul_div_down(worth, BPS, total) if total else 0,
                    target_bps=mul_div_down(target, BPS, weights) if weights else 0,
                    stable="USD" in token,
                )
            )
        return PoolView(
            pool=books.pool,
            share=desk.fund.share,
            value_usd=value,
            supply=supply,
            share_price=valuation.share_price(value, supply),
            utilisation_bps=mul_div_down(desk.books.reserve_usd, BPS, total) if total else 0,
            assets=tuple(assets),
        )

    def markets(self, reader: Reader, now: int) -> list[MarketView]:
        """Every listed market."""
        return [
            self._market(reading(reader, now, settings.pool), settings)
            for settings in reader.each(FundMarketSettings)
            if settings.listed
        ]

    def _market(self, books: Books, settings: FundMarketSettings) -> MarketView:
        low, high = pricing.bounds(books.draft, settings.market)
        market = books.market(settings.market)
        rate, _ = projected_funding(market, settings, books.draft.time)
        funding = mul_div_toward_zero(rate, 1, HOURS)
        tokens = _collaterals(books)
        return MarketView(
            pool=settings.pool,
            market=settings.market,
            low=low,
            high=high,
            long_size=market.long_size,
            short_size=market.short_size,
            max_long=settings.max_long_usd,
            max_short=settings.max_short_usd,
            long_carry=funding,
            short_carry=-funding,
            max_leverage=mul_div_down(BPS, BPS, settings.initial_bps),
            long_collaterals=tokens,
            short_collaterals=tokens,
        )

    def positions(self, reader: Reader, now: int, account: str = "") -> Iterator[PositionView]:
        """Positions in the order they were opened."""
        known: dict[str, tuple[Books, dict[str, int]]] = {}
        for position in reader.each(CrossPosition):
            if not account or position.owner == account:
                if position.pool not in known:
                    known[position.pool] = reading(reader, now, position.pool), {}
                yield self._view(*known[position.pool], position)

    def _view(self, books: Books, rates: dict[str, int], position: CrossPosition) -> PositionView:
        """One position, with books and borrowing rates that serve many.

        Its backing and its health are those of its whole account. The liquidation price moves this market alone and
        ignores that its skew would move too.
        """
        settings = books.settings(position.market)
        account = books.account(position.owner, position.number)
        figures = health.measure(books, account, rates)
        carry = health.accrued_carry(books, settings, position, rates)
        closing = settings.fees.fee(-position.size, books.market(position.market).skew, False)
        room = figures.equity - figures.maintenance
        move = mul_div_down(position.average_price, abs(room), abs(position.size))
        mark = health.close_price(books, settings, position)
        falls = position.is_long == (room >= 0)
        return PositionView(
            position=position.label,
            pool=position.pool,
            account=position.owner,
            market=position.market,
            collateral="",
            is_long=position.is_long,
            size_usd=abs(position.size),
            coins=mul_div_down(abs(position.size), RATE, position.average_price),
            collateral_usd=figures.collateral,
            entry_price=position.average_price,
            mark_price=mark,
            pnl_usd=forced.capped_profit(books, position),
            owed_usd=max(0, carry.borrowing + carry.funding + closing),
            liquidation_price=max(0, mark - move if falls else mark + move),
            health_bps=mul_div_down(max(0, figures.equity), BPS, figures.maintenance) if figures.maintenance else BPS,
            due=figures.is_liquidatable,
        )

    def due(self, reader: Reader, now: int) -> Iterator[Command]:
        """Liquidations, then positions at their most profit or without a market, then deleveraging."""
        for rules in reader.each(CrossMarginSettings):
            books = reading(reader, now, rules.pool)
            accounts = [account for account in reader.each(CrossAccount) if account.pool == rules.pool]
            positions = [position for position in reader.each(CrossPosition) if position.pool == rules.pool]
            yield from liquidations(books, accounts)
            yield from closings(books, positions)
            yield from deleverages(books, positions)

    def open(
        self,
        reader: Reader,
        now: int,
        *,
        pool: str,
        market: str,
        is_long: bool,
        collateral: str,
        amount: int,
        size_usd: int,
        price: int = 0,
    ) -> list[Command]:
        """The margin goes into account 0 first, then the trade."""
        size = size_usd if is_long else -size_usd
        trade = CrossTrade(pool=pool, number=0, market=market, size_delta=size)
        if not amount:
            return [trade]
        return [DepositMargin(pool=pool, number=0, token=collateral, amount=amount), trade]

    def margin_token(
        self, reader: Reader, now: int, *, position: str, adds: bool, token: str = "", pool: str = ""
    ) -> str:
        """Any collateral of the fund; going out, what the account holds comes first."""
        if token:
            return token
        name, owner, number = _account_of(reader, position, pool)
        books = reading(reader, now, name)
        held = [] if adds or not owner else _held(books, books.account(owner, number))
        accepted = [*held, *_collaterals(books)]
        if not accepted:
            raise Reject(Code.COLLATERAL_NOT_LISTED, detail=name)
        return accepted[0]

    def margin(
        self,
        reader: Reader,
        now: int,
        *,
        position: str,
        adds: bool,
        amount: int,
        token: str = "",
        pool: str = "",
    ) -> list[Command]:
        """One command, which runs at once; without an amount, all of the token is taken out."""
        wanted = self.margin_token(reader, now, position=position, adds=adds, token=token, pool=pool)
        name, _, number = _account_of(reader, position, pool)
        if adds:
            return [DepositMargin(pool=name, number=number, token=wanted, amount=amount)]
        return [WithdrawMargin(pool=name, number=number, token=wanted, amount=amount)]

    def idle(self, reader: Reader, position: str) -> list[Command]:
        """Nothing: margin comes back with the position."""
        return []

    def expected(self, reader: Reader, now: int, account: str) -> list[tuple[str, Command]]:
        """Nothing: orders carry the action itself."""
        return []

    def close(self, reader: Reader, now: int, *, position: str, fraction_bps: int = BPS) -> list[Command]:
        """The reduction; after a whole close of the account's only position, the margin comes out."""
        pool, owner, number, market = key_of(position)
        books = reading(reader, now, pool)
        account = books.account(owner, number)
        held = books.position(account, market)
        size = 0 if held is None else mul_div_down(abs(held.size), fraction_bps, BPS)
        whole = fraction_bps >= BPS
        commands: list[Command] = [CrossReduce(pool=pool, number=number, market=market, size=0 if whole else size)]
        if whole and account.markets == (market,):
            commands += [
                WithdrawMargin(pool=pool, number=number, token=token, amount=0) for token in _held(books, account)
            ]
        return commands


def reading(reader: Reader, now: int, pool: str) -> Books:
    """A fund's books to read from at second ``now``."""
    return open_books(Draft(reader, time=now, sender="", sequence=0, route=_no_route), pool)


def _no_route(_draft: Draft, _command: Command) -> None:
    raise LookupError("a reading runs no command")


def key_of(position: str) -> tuple[str, str, int, str]:
    """Pool, owner, account number and market of a position's text; an owner may contain the separator."""
    pool, rest = position.split(":", 1)
    owner, number, market = rest.rsplit(":", 2)
    return pool, owner, int(number), market


def _account_of(reader: Reader, position: str, pool: str) -> tuple[str, str, int]:
    """Fund, owner and number of a position's margin account; without one the first account, of whoever asks."""
    if position:
        key = pool, owner, number, _ = key_of(position)
        if reader.get(CrossPosition, key) is None:
            raise Reject(Code.UNKNOWN_POSITION, detail=position)
        return pool, owner, number
    first = next((rules.pool for rules in reader.each(CrossMarginSettings)), "")
    return pool or first, "", 0


def liquidations(books: Books, accounts: Iterable[CrossAccount]) -> list[Command]:
    """Liquidations among these accounts that would succeed now, the worst first."""
    found = []
    for account in accounts:
        if not account.markets:
            continue
        try:
            figures = health.measure(books, account)
        except Reject:
            continue
        if figures.is_liquidatable:
            found.append((figures.equity - figures.maintenance, account.owner, account.number))
    return [LiquidateAccount(pool=books.pool, owner=owner, number=number) for _, owner, number in sorted(found)]


def closings(books: Books, positions: Iterable[CrossPosition]) -> list[Command]:
    """Positions among these that have earned all that is reserved, or whose market is delisted."""
    commands: list[Command] = []
    for position in sorted(positions, key=lambda position: position.label):
        settings = books.settings(position.market)
        try:
            result = health.marked(books, settings, position)
        except Reject:
            continue
        if result.is_profit and result.delta >= position.reserve_usd:
            commands.append(TakeMaxProfit(pool=books.pool, position=_ref(position)))
        elif not settings.listed:
            commands.append(CloseDelisted(pool=books.pool, position=_ref(position)))
    return commands


def deleverages(books: Books, positions: Iterable[CrossPosition]) -> list[Command]:
    """While the fund's buffer is short: one command with the most profitable of these positions, ranked."""
    try:
        if forced.buffer_healthy(books):
            return []
        ranked = sorted(((forced.capped_profit(books, p), p.label, p) for p in positions), reverse=True)
    except Reject:
        return []
    refs = tuple(_ref(position) for profit, _, position in ranked[:DELEVERAGED_AT_ONCE] if profit > 0)
    return [Deleverage(pool=books.pool, positions=refs)] if refs else []


def _ref(position: CrossPosition) -> PositionRef:
    return PositionRef(owner=position.owner, number=position.number, market=position.market)


def _collaterals(books: Books) -> tuple[str, ...]:
    found = []
    for token in books.desk.fund.assets:
        settings = books.draft.get(FundAssetSettings, (books.pool, token))
        if settings is not None and settings.collateral_bps:
            found.append(token)
    return tuple(found)


def _held(books: Books, account: CrossAccount) -> list[str]:
    return [token for token in books.desk.fund.assets if ledger.balance_of(books.draft, account.holder, token)]


DESK = CrossMarginDesk()
