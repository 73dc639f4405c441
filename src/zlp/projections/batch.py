"""Rows of one transaction: facts to append, cards to change. Written together, with the sequence they reach."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
Key = tuple[Any, ...]


class Place(NamedTuple):
    """Where a fact stands: the command's sequence, the fact's place in its receipt, the second, the order it fills."""

    sequence: int
    ordinal: int
    time: int
    account: str
    order: str


class Shape(NamedTuple):
    """What is known of a table once and for all: its empty row, its key, and the query for one card."""

    empty: Row
    key: tuple[str, ...]
    query: Select[Any]

    @classmethod
    def of(cls, table: Table) -> Shape:
        """Read it off a table."""
        columns = list(table.primary_key.columns)
        query = select(table).where(*(column == bindparam(f"key_{column.name}") for column in columns))
        empty = {str(column.name): column.default.arg for column in table.columns}  # type: ignore[union-attr]
        return cls(empty, tuple(str(column.name) for column in columns), query)

    def row(self, table: Table, values: Row) -> Row:
        """A whole row; columns that are not given are empty. ``KeyError`` for a column there is not."""
        made = {**self.empty, **values}
        if len(made) != len(self.empty):
            raise KeyError(f"{table.name} has no {', '.join(values.keys() - self.empty.keys())}")
        return made


shape_of = functools.cache(Shape.of)
Cards = dict[Table, dict[Key, Row | None]]
"""Cards as the database has them, by table and key; ``None`` for one that does not exist."""


class Batch:
    """Collects what a run of receipts changes. Cards are read once, changed in memory and written at the end.

    ``known``: cards that an earlier batch of the same writer has read or written.
    """

    def __init__(self, connection: Connection, known: Cards | None = None) -> None:
        self.connection = connection
        self._logs: dict[Table, list[Row]] = {}
        self._cards: Cards = {} if known is None else known
        self._changed: dict[Table, dict[Key, None]] = {}

    def append(self, table: Table, place: Place, **values: Any) -> None:
        """A row of a log."""
        where = {"sequence": place.sequence, "ordinal": place.ordinal, "time": place.time}
        self._logs.setdefault(table, []).append(shape_of(table).row(table, {**where, **values}))

    def card(self, table: Table, *key: Any) -> Row | None:
        """The card with this key as it stands now; do not change it, ``put`` another."""
        known = self._cards.setdefault(table, {})
        if key not in known:
            shape = shape_of(table)
            wanted = {f"key_{name}": value for name, value in zip(shape.key, key, strict=True)}
            found = self.connection.execute(shape.query, wanted).mappings().first()
            known[key] = None if found is None else dict(found)
        return known[key]

    def put(self, table: Table, **values: Any) -> None:
        """Make or replace a card; columns that are not given are empty."""
        shape = shape_of(table)
        row = shape.row(table, values)
        key = tuple([row[name] for name in shape.key])
        self._cards.setdefault(table, {})[key] = row
        self._changed.setdefault(table, {})[key] = None

    def cards(self, table: Table, **having: Any) -> Iterator[Row]:
        """Every card with these values, changes of this batch included, in key order."""
        query = select(table).where(*(table.c[name] == value for name, value in having.items()))
        names = shape_of(table).key
        found = {tuple(row[name] for name in names): dict(row) for row in self.connection.execute(query).mappings()}
        found.update({key: row for key, row in self._cards.get(table, {}).items() if row is not None})
        for key in sorted(found):
            if all(found[key][name] == value for name, value in having.items()):
                yield found[key]

    def write(self) -> None:
        """Send everything to the database; the caller commits."""
        for table, rows in self._logs.items():
            self.connection.execute(insert(table), rows)
        for table, keys in self._changed.items():
            self._upsert(table, [row for key in keys if (row := self._cards[table][key]) is not None])
        self._logs.clear()
        self._changed.clear()

    def _upsert(self, table: Table, rows: list[Row]) -> None:
        postgres = self.connection.dialect.name == "postgresql"
        statement: Any = postgresql.insert(table) if postgres else sqlite.insert(table)
        keys = shape_of(table).key
        changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        self.connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed), rows)
