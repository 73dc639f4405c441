"""Rows of one transaction: facts to append, cards to change. Written together, with the sequence they reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select
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


class Batch:
    """Collects what a run of receipts changes. Cards are read once, changed in memory and written at the end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._logs: dict[Table, list[Row]] = {}
        self._cards: dict[Table, dict[Key, Row | None]] = {}
        self._changed: dict[Table, dict[Key, None]] = {}

    def append(self, table: Table, place: Place, **values: Any) -> None:
        """A row of a log."""
        row = {"sequence": place.sequence, "ordinal": place.ordinal, "time": place.time, **values}
        self._logs.setdefault(table, []).append(row)

    def card(self, table: Table, *key: Any) -> Row | None:
        """The card with this key as it stands now; do not change it, ``put`` another."""
        known = self._cards.setdefault(table, {})
        if key not in known:
            columns = list(table.primary_key.columns)
            query = select(table).where(*(column == value for column, value in zip(columns, key, strict=True)))
            found = self.connection.execute(query).mappings().first()
            known[key] = None if found is None else dict(found)
        return known[key]

    def put(self, table: Table, **values: Any) -> None:
        """Make or replace a card; columns that are not given are empty."""
        row = {column.name: values.pop(column.name, _empty(column)) for column in table.columns}
        if values:
            raise KeyError(f"{table.name} has no {', '.join(values)}")
        key = tuple(row[column.name] for column in table.primary_key.columns)
        self._cards.setdefault(table, {})[key] = row
        self._changed.setdefault(table, {})[key] = None

    def cards(self, table: Table, **having: Any) -> Iterator[Row]:
        """Every card with these values, changes of this batch included, in key order."""
        found = {
            tuple(row[column.name] for column in table.primary_key.columns): dict(row)
            for row in self.connection.execute(select(table)).mappings()
        }
        found.update({key: row for key, row in self._cards.get(table, {}).items() if row is not None})
        for key in sorted(found):
            if all(found[key][name] == value for name, value in having.items()):
                yield found[key]

    def write(self) -> None:
        """Send everything to the database; the caller commits."""
        for table, rows in self._logs.items():
            names = [column.name for column in table.columns]
            empty = {column.name: _empty(column) for column in table.columns}
            self.connection.execute(insert(table), [{**empty, **row} for row in rows])
            unknown = rows[0].keys() - set(names)
            if unknown:
                raise KeyError(f"{table.name} has no {', '.join(unknown)}")
        for table, keys in self._changed.items():
            self._upsert(table, [row for key in keys if (row := self._cards[table][key]) is not None])
        self._logs.clear()
        self._changed.clear()

    def _upsert(self, table: Table, rows: list[Row]) -> None:
        postgres = self.connection.dialect.name == "postgresql"
        statement: Any = postgresql.insert(table) if postgres else sqlite.insert(table)
        keys = [column.name for column in table.primary_key.columns]
        changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        self.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _empty(column: Any) -> Any:
    return column.default.arg
