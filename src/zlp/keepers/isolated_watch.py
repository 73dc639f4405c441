"""Finds liquidatable isolated positions by screening: a million rows in a millisecond, confirmed exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from zlp.desks.isolated import DESK
from zlp.engine import Command, Receipt
from zlp.engine.branches.basket.assets import load_asset
from zlp.engine.commands.isolated import LiquidatePosition
from zlp.engine.events.governance import ParameterChanged
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.base import Key
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings, Position
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.pricing import bounds_at
from zlp.engine.rejections import Reject
from zlp.keepers.port import Port
from zlp.screening.due_table import Direction, DueTable, Threshold
from zlp.screening.folds import fold_isolated

Group = tuple[str, str, str, bool]
"""Pool, market, collateral, side: rows that share a price and a funding index."""


class IsolatedWatch:
    """One table per market, side and collateral, kept up to date by events; candidates go to the desk."""

    BRANCH = "isolated"

    def __init__(self, port: Port) -> None:
        self._port = port
        self._tables: dict[Group, DueTable[Key]] = {}
        self._rebuild()
        port.listen(self._hear)

    def due(self, now: int) -> Iterable[Command]:
        """Liquidations that would succeed now, the worst backed first."""
        reader = self._port.reader
        found: list[tuple[int, str, Command]] = []
        for key in self._candidates(now):
            position = reader.get(Position, key)
            if position is None:
                continue
            try:
                view = DESK.view(reader, now, position)
            except Reject:
                continue
            if view.due:
                found.append((view.health_bps, view.position, _liquidation(position)))
        found.sort(key=lambda item: item[:2])
        return [command for _, _, command in found]

    def _candidates(self, now: int) -> list[Key]:
        keys: list[Key] = []
        prices: dict[str, tuple[int, int]] = {}
        for group, table in self._tables.items():
            if not len(table):
                continue
            pool, market, collateral, is_long = group
            try:
                low, high = prices.get(market) or prices.setdefault(market, bounds_at(self._port.reader, market, now))
            except Reject:
                continue
            keys += table.due(low if is_long else high, (self._funding_index(pool, collateral, now),))
        return keys

    def _funding_index(self, pool: str, collateral: str, now: int) -> int:
        reader = self._port.reader
        settings = reader.get(PoolSettings, (pool,))
        asset = load_asset(reader, pool, collateral)
        if settings is None or settings.funding is None:
            return asset.funding_index
        token = reader.get(AssetSettings, (pool, collateral))
        stable = token is not None and token.stable
        index, _ = settings.funding.accrue(
            asset.funding_index, asset.funding_at, now, asset.reserved, asset.amount, stable
        )
        return index

    def _hear(self, receipt: Receipt) -> None:
        for event in receipt.events:
            if type(event) is PositionChanged:
                self._update(_key(event.position))
            elif type(event) is ParameterChanged:
                self._rebuild()
                return

    def _rebuild(self) -> None:
        """Settings are folded into the rows: after a change of any, all rows are folded again."""
        grouped: dict[Group, dict[Key, Threshold]] = defaultdict(dict)
        for position in self._port.reader.each(Position):
            grouped[_group(position.key)][position.key] = self._threshold(position)
        self._tables = {}
        for group, rows in grouped.items():
            table = self._table(group)
            for key, threshold in rows.items():
                table.upsert(key, threshold)

    def _update(self, key: Key) -> None:
        table = self._table(_group(key))
        position = self._port.reader.get(Position, key)
        if position is not None:
            table.upsert(key, self._threshold(position))
        elif key in table:
            table.remove(key)

    def _table(self, group: Group) -> DueTable[Key]:
        table = self._tables.get(group)
        if table is None:
            direction = Direction.AT_OR_BELOW if group[3] else Direction.AT_OR_ABOVE
            table = self._tables[group] = DueTable(direction, indices=1)
        return table

    def _threshold(self, position: Position) -> Threshold:
        reader = self._port.reader
        rules = reader.get(IsolatedSettings, (position.pool,))
        limits = reader.get(MarketSettings, (position.pool, position.index))
        index = reader.get(AssetSettings, (position.pool, position.index))
        pool = reader.get(PoolSettings, (position.pool,))
        closing = 0 if rules is None else rules.closing_fee_bps
        return fold_isolated(
            is_long=position.is_long,
            size=position.size,
            collateral=position.collateral_usd,
            average_price=position.average,
            entry_index=position.entry_funding,
            position_fee=position.size - mul_div_down(position.size, BPS - closing, BPS),
            liquidation_fee=0 if rules is None else rules.liquidation_fee,
            index_scale=1 if pool is None or pool.funding is None else pool.funding.scale,
            maximum_leverage_bps=MarketSettings("", "").max_leverage if limits is None else limits.max_leverage,
            minimum_profit_bps=0 if index is None else index.minimum_profit_bps,
        )


def _key(name: str) -> Key:
    """The leaf's key from its text; an account may contain the separator."""
    parts = name.split("/")
    return (parts[0], "/".join(parts[1:-3]), parts[-3], parts[-2], parts[-1] == "long")


def _group(key: Key) -> Group:
    pool, _, collateral, market, is_long = key
    return (str(pool), str(market), str(collateral), bool(is_long))


def _liquidation(position: Position) -> LiquidatePosition:
    return LiquidatePosition(
        pool=position.pool,
        account=position.account,
        market=position.index,
        collateral=position.collateral,
        is_long=position.is_long,
    )
