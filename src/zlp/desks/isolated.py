"""The desk of isolated positions against a basket pool."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.desks.base import AssetView, MarketView, PoolView, PositionView, reading
from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import DEBT_UNIT, load_asset
from zlp.engine.branches.basket.valuation import pool_value
from zlp.engine.branches.isolated.book import open_book
from zlp.engine.branches.isolated.health import Health, assess
from zlp.engine.commands.base import Command
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_up, value_of
from zlp.engine.leaves.isolated import Market, MarketSettings, Position
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

HOUR = 3_600
ENDLESS_BPS = 10_000_000
"""Health of a position that has to keep nothing."""


class IsolatedDesk:
    """Answers for ``isolated`` and ``basket``."""

    BRANCH = "isolated"

    def pools(self, reader: Reader, now: int) -> list[PoolView]:
        """Every basket pool, valued at maximum prices (what minting is priced on)."""
        return [self._pool(reader, now, settings) for settings in reader.each(PoolSettings)]

    def _pool(self, reader: Reader, now: int, settings: PoolSettings) -> PoolView:
        found = [self._asset(reader, now, settings, token) for token in settings.tokens]
        held = reserved = weights = 0
        for terms, asset, worth in found:
            held += worth
            if asset.amount:
                reserved += mul_div_down(worth, asset.reserved, asset.amount)
            if terms.listed:
                weights += terms.weight
        value, supply = pool_value(reader, settings, now, maximise=True), ledger.supply_of(reader, settings.share)
        assets = [
            AssetView(
                token=asset.token,
                amount=asset.amount,
                reserved=asset.reserved,
                value_usd=worth,
                weight_bps=mul_div_down(worth, BPS, held) if held else 0,
                target_bps=mul_div_down(terms.weight, BPS, weights) if weights else 0,
                stable=terms.stable,
            )
            for terms, asset, worth in found
        ]
        return PoolView(
            pool=settings.pool,
            share=settings.share,
            value_usd=value,
            supply=supply,
            share_price=mul_div_down(value, DEBT_UNIT, supply) if supply else 0,
            utilisation_bps=mul_div_down(reserved, BPS, held) if held else 0,
            assets=tuple(assets),
        )

    def _asset(self, reader: Reader, now: int, pool: PoolSettings, token: str) -> tuple[AssetSettings, PoolAsset, int]:
        """A token's settings, its record and what it is worth at its lower price (USD)."""
        terms = reader.get(AssetSettings, (pool.pool, token)) or AssetSettings(pool.pool, token, 0, 0)
        asset = load_asset(reader, pool.pool, token)
        return terms, asset, value_of(asset.amount, pricing.bounds_at(reader, token, now)[0], terms.unit)

    def markets(self, reader: Reader, now: int) -> list[MarketView]:
        """Every volatile token with market settings."""
        return [
            self._market(reader, now, limits)
            for limits in reader.each(MarketSettings)
            if reader.get(AssetSettings, (limits.pool, limits.token)) is not None
        ]

    def _market(self, reader: Reader, now: int, limits: MarketSettings) -> MarketView:
        low, high = pricing.bounds_at(reader, limits.token, now)
        market = reader.get(Market, (limits.pool, limits.token)) or Market(limits.pool, limits.token)
        pool = reader.get(PoolSettings, (limits.pool,))
        tokens = pool.tokens if pool is not None else ()
        stables = tuple([token for token in tokens if self._is_stable(reader, limits.pool, token)])
        return MarketView(
            pool=limits.pool,
            market=limits.token,
            low=low,
            high=high,
            long_size=market.long_size,
            short_size=market.short_size,
            max_long=limits.max_long,
            max_short=limits.max_short,
            long_carry=self._carry(reader, pool, limits.token, stable=limits.token in stables),
            short_carry=max([self._carry(reader, pool, token, stable=True) for token in stables], default=0),
            max_leverage=limits.max_leverage,
            long_collaterals=(limits.token,),
            short_collaterals=stables,
        )

    def _is_stable(self, reader: Reader, pool: str, token: str) -> bool:
        settings = reader.get(AssetSettings, (pool, token))
        return settings is not None and settings.stable

    def _carry(self, reader: Reader, pool: PoolSettings | None, token: str, *, stable: bool) -> int:
        """Funding per hour at 1e18 of size, at the token's utilisation now."""
        if pool is None or pool.funding is None:
            return 0
        asset = load_asset(reader, pool.pool, token)
        if asset.amount == 0:
            return 0
        factor = pool.funding.stable_factor if stable else pool.funding.factor
        hourly = mul_div_down(factor * RATE, HOUR, pool.funding.interval * pool.funding.scale)
        return mul_div_down(hourly, asset.reserved, asset.amount)

    def positions(self, reader: Reader, now: int, account: str = "") -> Iterator[PositionView]:
        """Positions in the order they were opened."""
        draft = reading(reader, now, account)
        for position in reader.each(Position):
            if not account or position.account == account:
                yield self._view(draft, position)

    def view(self, reader: Reader, now: int, position: Position) -> PositionView:
        """One position, with everything a trader asks about it."""
        return self._view(reading(reader, now, position.account), position)

    def _view(self, draft: Draft, position: Position) -> PositionView:
        """The same over a draft that serves many positions: prices are read and funding is brought up once."""
        held = position.pool, position.account, position.collateral, position.index, position.is_long
        book = open_book(draft, *held)
        profit, delta = book.delta()
        health, _ = assess(book)
        owed = book.funding_fee() + book.size_fee(position.size, book.rules.closing_fee_bps)
        needed = max(owed + book.rules.liquidation_fee, mul_div_up(position.size, BPS, book.limits.max_leverage))
        backing = position.collateral_usd + (delta if profit else -delta)
        return PositionView(
            position=position.name,
            pool=position.pool,
            account=position.account,
            market=position.index,
            collateral=position.collateral,
            is_long=position.is_long,
            size_usd=position.size,
            coins=mul_div_down(position.size, RATE, position.average),
            collateral_usd=position.collateral_usd,
            entry_price=position.average,
            mark_price=book.exit_price,
            pnl_usd=delta if profit else -delta,
            owed_usd=owed,
            liquidation_price=_liquidation_price(position, needed),
            health_bps=max(0, mul_div_down(max(0, backing), BPS, needed)) if needed else ENDLESS_BPS,
            due=health is not Health.HEALTHY,
        )

    def due(self, reader: Reader, now: int) -> Iterator[Command]:
        """Liquidations that would succeed now, the worst backed first."""
        found: list[tuple[int, str, Command]] = []
        draft = reading(reader, now)
        for position in reader.each(Position):
            try:
                view = self._view(draft, position)
            except Reject:
                continue
            if view.due:
                found.append((view.health_bps, view.position, liquidation_of(position)))
        for _, _, command in sorted(found, key=lambda item: item[:2]):
            yield command

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
        """One command; a token that can't back this side is swapped on the way in."""
        backing = market if is_long else _stable(reader, pool, collateral)
        path = () if collateral == backing else (collateral, backing)
        return [
            IncreasePosition(
                pool=pool,
                market=market,
                collateral=backing,
                is_long=is_long,
                amount=amount,
                size_delta=size_usd,
                path=path,
            )
        ]

    def margin_token(
        self, reader: Reader, now: int, *, position: str, adds: bool, token: str = "", pool: str = ""
    ) -> str:
        """The collateral, or what is swapped into it; USD on the way out, since a position counts its collateral so."""
        return (token or _held(reader, position).collateral) if adds else ""

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
        """A trade of no size; a token that is not the collateral is swapped on the way in or out."""
        held = _held(reader, position)
        path = () if token in ("", held.collateral) else (token, held.collateral)
        if adds:
            return [
                IncreasePosition(
                    pool=held.pool,
                    market=held.index,
                    collateral=held.collateral,
                    is_long=held.is_long,
                    amount=amount,
                    path=path,
                )
            ]
        return [
            DecreasePosition(
                pool=held.pool,
                market=held.index,
                collateral=held.collateral,
                is_long=held.is_long,
                collateral_delta=amount,
                path=path[::-1],
            )
        ]

    def idle(self, reader: Reader, position: str) -> list[Command]:
        """Nothing: margin comes back with the position."""
        return []

    def expected(self, reader: Reader, now: int, account: str) -> list[tuple[str, Command]]:
        """Nothing: orders carry the action itself."""
        return []

    def close(self, reader: Reader, now: int, *, position: str, fraction_bps: int = BPS) -> list[Command]:
        """One command; the whole position closes by its size at that moment."""
        key = pool, _, collateral, market, is_long = _key_of(position)
        held = reader.get(Position, key)
        size = 0 if held is None else mul_div_down(held.size, fraction_bps, BPS)
        return [
            DecreasePosition(
                pool=pool,
                market=market,
                collateral=collateral,
                is_long=is_long,
                size_delta=0 if fraction_bps >= BPS else size,
                whole=fraction_bps >= BPS,
            )
        ]


def _key_of(position: str) -> tuple[str, str, str, str, bool]:
    pool, account, collateral, market, side = position.split("/")
    return pool, account, collateral, market, side == "long"


def _held(reader: Reader, position: str) -> Position:
    held = reader.get(Position, _key_of(position))
    if held is None:
        raise Reject(Code.UNKNOWN_POSITION, detail=position)
    return held


def _liquidation_price(position: Position, needed: int) -> int:
    """Index price at which what backs the position falls to what it must keep; 0 if no price does."""
    bearable = position.collateral_usd - needed
    if position.is_long:
        drop = mul_div_down(position.average, abs(bearable), position.size)
        return max(0, position.average - drop) if bearable >= 0 else position.average + drop
    rise = mul_div_down(position.average, abs(bearable), position.size)
    return position.average + rise if bearable >= 0 else max(0, position.average - rise)


def liquidation_of(position: Position) -> LiquidatePosition:
    """The command that liquidates a position."""
    return LiquidatePosition(
        pool=position.pool,
        account=position.account,
        market=position.index,
        collateral=position.collateral,
        is_long=position.is_long,
    )


def _stable(reader: Reader, pool: str, wanted: str) -> str:
    """The wanted token if it is a stable of the pool, else its first stable."""
    settings = reader.get(PoolSettings, (pool,))
    tokens = settings.tokens if settings is not None else ()
    stables = [
        token for token in tokens if (asset := reader.get(AssetSettings, (pool, token))) is not None and asset.stable
    ]
    return wanted if wanted in stables or not stables else stables[0]


DESK = IsolatedDesk()
