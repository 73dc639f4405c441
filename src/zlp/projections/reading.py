"""Pages of history: any stretch of any table, newest first or oldest first, without an end.

A cursor is the key of a page's last row, so a page stays right while rows are added. Every method opens a connection
of its own; call it from a thread that may wait.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Table, or_, select, tuple_

from zlp.projections import tables
from zlp.projections.amounts import SHARE_DECIMALS, USD_UNIT, decimal_text
from zlp.projections.batch import Batch
from zlp.projections.markets import INTERVALS
from zlp.projections.model import ReadModel
from zlp.projections.names import Names

LONGEST_CURSOR = 60
ORDER_OF: dict[Table, tuple[str, ...]] = {
    tables.orders: ("placed_in", "placed_at_ordinal"),
    tables.positions: ("opened_in", "opened_at_ordinal"),
    tables.withdrawals: ("requested_in",),
    tables.candles: ("start",),
}
"""Columns that order the cards; logs are ordered by sequence and ordinal."""
TIME_OF: dict[Table, str] = {
    tables.orders: "placed_at",
    tables.positions: "opened_at",
    tables.withdrawals: "requested_at",
    tables.candles: "start",
}


class BadCursor(ValueError):  # noqa: N818 - named by what it is
    """Not a cursor of this list."""


class Stretch(NamedTuple):
    """Which part of a list. ``after``: cursor, then oldest first; else newest first, from cursor ``before`` back.

    ``start`` and ``end``: seconds, the first included and the last not; 0 for no bound.
    """

    after: str = ""
    before: str = ""
    start: int = 0
    end: int = 0
    limit: int = 100
    oldest_first: bool = False


class Page(NamedTuple):
    """Rows ready to be shown, the cursor of the page that follows (``None`` at the end), and where the model stands."""

    sequence: int
    items: list[dict[str, Any]]
    next: str | None


def page(
    model: ReadModel, table: Table, stretch: Stretch, equal: dict[str, str] | None = None, owner: str = ""
) -> Page:
    """One page. ``equal``: columns and the values they must have (empty: any). ``owner``: either end of a transfer."""
    order = [table.c[name] for name in ORDER_OF.get(table, ("sequence", "ordinal"))]
    query = select(table)
    for name, value in (equal or {}).items():
        if value:
            query = query.where(table.c[name] == value)
    if owner:
        query = query.where(or_(table.c.source == owner, table.c.target == owner))
    time = table.c[TIME_OF.get(table, "time")]
    if stretch.start:
        query = query.where(time >= stretch.start)
    if stretch.end:
        query = query.where(time < stretch.end)
    rising = bool(stretch.after) or stretch.oldest_first
    if stretch.after:
        query = query.where(tuple_(*order) > tuple_(*_cursor(stretch.after, order)))
    elif stretch.before:
        query = query.where(tuple_(*order) < tuple_(*_cursor(stretch.before, order)))
    query = query.order_by(*(column if rising else column.desc() for column in order)).limit(stretch.limit + 1)
    with model.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        units = units_of(connection) if any("token" in column.info for column in table.columns) else {}
        sequence = connection.execute(select(tables.progress.c.sequence)).scalar() or 0
    more, rows = len(rows) > stretch.limit, rows[: stretch.limit]
    cursor = ".".join(str(rows[-1][column.name]) for column in order) if more else None
    return Page(sequence, [shown(table, row, units) for row in rows], cursor)


def _cursor(text: str, order: list[Column[Any]]) -> list[int]:
    parts = text.split(".")
    if len(text) > LONGEST_CURSOR or len(parts) != len(order) or not all(_is_count(part) for part in parts):
        raise BadCursor(f"a cursor here is {len(order)} numbers, as `next` gave it")
    return [int(part) for part in parts]


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def candles(model: ReadModel, symbol: str, interval: str, stretch: Stretch) -> Page:
    """Candles of a market or asset; intervals in which nothing was posted or traded have none."""
    if interval not in INTERVALS:
        raise KeyError(interval)
    return page(model, tables.candles, stretch, {"symbol": symbol, "interval": interval})


def units_of(connection: Connection) -> dict[str, int]:
    """Base units of one whole token, by token, of every token with settings."""
    names = Names(Batch(connection))
    return {token: 10**decimals for token, decimals in names.decimals.items()}


def shown(table: Table, row: dict[str, Any], units: dict[str, int]) -> dict[str, Any]:
    """A row as text: USD, prices and amounts as exact decimals, amounts in base units too, other integers as digits."""
    found: dict[str, Any] = {}
    for column in table.columns:
        value, name = row[column.name], str(column.name)
        if "usd" in column.info:
            found[name] = decimal_text(value, USD_UNIT)
        elif "token" in column.info:
            unit = units.get(row[column.info["token"]], 10**SHARE_DECIMALS)
            found[name] = decimal_text(value, unit)
            found[f"{name}_units"] = str(value)
        elif isinstance(value, bool) or not isinstance(value, int):
            found[name] = value
        else:
            found[name] = str(value)
    return found
