"""Finds liquidatable isolated positions by screening: a million rows in a millisecond, confirmed exactly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from zlp.desks.isolated import DESK, liquidation_of
from zlp.engine import Command, Receipt
from zlp.engine.branches.basket.assets import load_asset
from zlp.engine.events.governance import BranchChanged, ParameterChanged
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.base import Key
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings, Position
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.mechanisms.funding import UtilisationFunding
from zlp.engine.pricing import bounds_at
from zlp.engine.rejections import Reject
from zlp.keepers.port import Port
from zlp.screening.due_table import Direction, DueTable, Threshold
from zlp.screening.folds import fold_isolated

Group = tuple[str, str, str, bool]
"""Pool, market, collateral, side: rows that share a price and a funding index."""


class Terms(NamedTuple):
    """The settings that are folded into the rows of a group, and what moves its funding index."""

    closing_fee_bps: int
    liquidation_fee: int
    maximum_leverage_bps: int
    minimum_profit_bps: int
    funding: UtilisationFunding | None
    stable: bool


class IsolatedWatch:
    """One table per market, side and collateral, kept up to date by events; candidates go to the desk."""

    BRANCH = "isolated"

    def __init__(self, port: Port) -> None:
        self._port = port
        self._tables: dict[Group, tuple[Terms, DueTable[Key]]] = {}
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
                found.append((view.health_bps, view.position, liquidation_of(position)))
        found.sort(key=lambda item: item[:2])
        return [command for _, _, command in found]

    def _candidates(self, now: int) -> list[Key]:
        keys: list[Key] = []
        for group, (terms, table) in self._tables.items():
            if not len(table):
                continue
            pool, market, collateral, is_long = group
            try:
                low, high = bounds_at(self._port.reader, market, now)
            except Reject:
                continue
            keys += table.due(low if is_long else high, (self._funding_index(terms, pool, collateral, now),))
        return keys

    def _funding_index(self, terms: Terms, pool: str, collateral: str, now: int) -> int:
        asset = load_asset(self._port.reader, pool, collateral)
        if terms.funding is None:
            return asset.funding_index
        index, _ = terms.funding.accrue(
            asset.funding_index, asset.funding_at, now, asset.reserved, asset.amount, terms.stable
        )
        return index

    def _hear(self, receipt: Receipt) -> None:
        for event in receipt.events:
            if type(event) is PositionChanged:
                pool = event.position.partition("/")[0]
                self._update((pool, event.account, event.collateral, event.market, event.is_long))
            elif type(event) is ParameterChanged or type(event) is BranchChanged:
                self._rebuild()
                return

    def _rebuild(self) -> None:
        """Settings are folded into the rows: after a change of any, or a migration, all rows are folded again."""
        self._tables = {}
        for position in self._port.reader.each(Position):
            terms, table = self._table(_group(position.key))
            table.upsert(position.key, _threshold(terms, position))

    def _update(self, key: Key) -> None:
        terms, table = self._table(_group(key))
        position = self._port.reader.get(Position, key)
        if position is not None:
            table.upsert(key, _threshold(terms, position))
        elif key in table:
            table.remove(key)

    def _table(self, group: Group) -> tuple[Terms, DueTable[Key]]:
        found = self._tables.get(group)
        if found is None:
            direction = Direction.AT_OR_BELOW if group[3] else Direction.AT_OR_ABOVE
            found = self._tables[group] = self._terms(group), DueTable(direction, indices=1)
        return found

    def _terms(self, group: Group) -> Terms:
        name, market, collateral, _ = group
        reader = self._port.reader
        rules = reader.get(IsolatedSettings, (name,))
        limits = reader.get(MarketSettings, (name, market)) or MarketSettings(name, market)
        index = reader.get(AssetSettings, (name, market))
        backing = reader.get(AssetSettings, (name, collateral))
        pool = reader.get(PoolSettings, (name,))
        return Terms(
            closing_fee_bps=0 if rules is None else rules.closing_fee_bps,
            liquidation_fee=0 if rules is None else rules.liquidation_fee,
            maximum_leverage_bps=limits.max_leverage,
            minimum_profit_bps=0 if index is None else index.minimum_profit_bps,
            funding=None if pool is None else pool.funding,
            stable=backing is not None and backing.stable,
        )


def _threshold(terms: Terms, position: Position) -> Threshold:
    return fold_isolated(
        is_long=position.is_long,
        size=position.size,
        collateral=position.collateral_usd,
        average_price=position.average,
        entry_index=position.entry_funding,
        position_fee=position.size - mul_div_down(position.size, BPS - terms.closing_fee_bps, BPS),
        liquidation_fee=terms.liquidation_fee,
        index_scale=1 if terms.funding is None else terms.funding.scale,
        maximum_leverage_bps=terms.maximum_leverage_bps,
        minimum_profit_bps=terms.minimum_profit_bps,
    )


def _group(key: Key) -> Group:
    pool, _, collateral, market, is_long = key
    return (pool, market, collateral, is_long)  # type: ignore[return-value]
