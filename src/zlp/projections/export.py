"""History as CSV: every table as it is, or one account's taxable events as tax tools read them.

``generic``: the columns of a table, exact decimals. ``koinly`` (its universal template) and ``cointracking`` (its CSV
import): one line per taxable event. What a position realised is a gain or a loss in USD; its fees, funding and
borrowing are costs in USD (funding received is income); swaps, mints and burns are trades between tokens; deposits,
withdrawals, transfers, rewards and execution fees are in their token. Amounts are never rounded.
"""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, or_, select

from zlp.projections import tables
from zlp.projections.amounts import USD_UNIT, decimal_text
from zlp.projections.batch import Batch
from zlp.projections.model import ReadModel
from zlp.projections.names import Names
from zlp.projections.reading import ORDER_OF, TIME_OF, shown, units_of

KINDS: dict[str, Table | None] = {
    "all": None,
    "trades": tables.fills,
    "swaps": tables.swaps,
    "liquidity": tables.liquidity,
    "transfers": tables.transfers,
    "rewards": tables.rewards,
    "fees": tables.fees,
    "funding": tables.funding,
    "liquidations": tables.liquidations,
    "positions": tables.positions,
    "orders": tables.orders,
}
"""What can be exported; ``all`` is every taxable event, in the formats of tax tools only."""
GENERIC = "generic"
EXCHANGE = "ZLP"
PAGE = 1_000


class CantExport(ValueError):  # noqa: N818 - named by what happened
    """There is no such export; the text says what there is."""


class Entry(NamedTuple):
    """One taxable event: what was given, what was got, both as text of whole tokens or USD (empty: nothing)."""

    time: int
    sequence: int
    label: str
    given: str
    given_token: str
    got: str
    got_token: str
    note: str


def lines(
    model: ReadModel, kind: str, *, account: str = "", form: str = GENERIC, start: int = 0, end: int = 0
) -> Iterator[str]:
    """The lines of a CSV file, header first. ``start`` and ``end`` (seconds, not included) bound it, 0 for none."""
    if kind not in KINDS:
        raise CantExport(f"exports are {', '.join(KINDS)}")
    if form == GENERIC:
        table = KINDS[kind]
        if table is None:
            raise CantExport(f"all is for {', '.join(FORMS)}; generic exports one of the others")
        return _generic(model, table, account, start, end)
    if form not in FORMS:
        raise CantExport(f"formats are {GENERIC}, {', '.join(FORMS)}")
    if kind not in TAXABLE and kind != "all":
        raise CantExport(f"{form} takes all, {', '.join(TAXABLE)}")
    if not account:
        raise CantExport(f"{form} is for one account")
    return _taxable(model, kind, account, form, start, end)


def _generic(model: ReadModel, table: Table, account: str, start: int, end: int) -> Iterator[str]:
    with model.engine.connect() as connection:
        units = units_of(connection)
        header = True
        for row in _rows(connection, table, account, start, end):
            values = shown(table, row, units)
            if header:
                yield _line(["utc", *values])
                header = False
            yield _line([_date(row[TIME_OF.get(table, "time")]), *values.values()])
        if header:
            yield _line(["utc", *(column.name for column in table.columns)])


def _rows(connection: Connection, table: Table, account: str, start: int, end: int) -> Iterator[dict[str, Any]]:
    time = table.c[TIME_OF.get(table, "time")]
    query = select(table).order_by(*(table.c[name] for name in ORDER_OF.get(table, ("sequence", "ordinal"))))
    if account and table is tables.transfers:
        query = query.where(or_(table.c.source == account, table.c.target == account))
    elif account:
        query = query.where(table.c.account == account)
    if start:
        query = query.where(time >= start)
    if end:
        query = query.where(time < end)
    for row in connection.execution_options(yield_per=PAGE).execute(query).mappings():
        yield dict(row)


def _taxable(model: ReadModel, kind: str, account: str, form: str, start: int, end: int) -> Iterator[str]:
    header, shape = FORMS[form]
    yield _line(header)
    with model.engine.connect() as connection:
        names = Names(Batch(connection))
        parts = TAXABLE.values() if kind == "all" else [TAXABLE[kind]]
        sources = [part(connection, names, account, start, end) for part in parts]
        for entry in heapq.merge(*sources, key=lambda item: (item.time, item.sequence)):
            yield _line(shape(entry))


def _trades(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:  # noqa: ARG001 - parts are alike
    for row in _rows(connection, tables.fills, account, start, end):
        note = f"{row['action']} {row['market']} {'long' if row['is_long'] else 'short'}"
        yield from _result(row, "gain", "loss", row["pnl_usd"], note)
        yield from _result(row, "funding", "cost", -row["carry_usd"], f"funding or borrowing, {note}")
        yield from _result(row, "funding", "cost", -row["fee_usd"], f"fee, {note}")


def _result(row: dict[str, Any], won: str, lost: str, value: int, note: str) -> Iterator[Entry]:
    text = decimal_text(abs(value), USD_UNIT)
    if value > 0:
        yield Entry(row["time"], row["sequence"], won, "", "", text, "USD", note)
    elif value < 0:
        yield Entry(row["time"], row["sequence"], lost, text, "USD", "", "", note)


def _swaps(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:
    for row in _rows(connection, tables.swaps, account, start, end):
        given = decimal_text(row["amount_in"], names.unit(row["token_in"]))
        got = decimal_text(row["amount_out"], names.unit(row["token_out"]))
        moment = (row["time"], row["sequence"])
        yield Entry(*moment, "trade", given, row["token_in"], got, row["token_out"], f"swap in {row['pool']}")


def _liquidity(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:
    for row in _rows(connection, tables.liquidity, account, start, end):
        token = (decimal_text(row["amount"], names.unit(row["token"])), row["token"])
        share = (decimal_text(row["shares"], names.unit(row["share"])), row["share"])
        moment, note = (row["time"], row["sequence"]), f"{row['action']} in {row['pool']}"
        if row["action"] == "donate":
            yield Entry(*moment, "gift", *token, "", "", note)
        elif row["action"] == "mint":
            yield Entry(*moment, "trade", *token, *share, note)
        else:
            yield Entry(*moment, "trade", *share, *token, note)


def _transfers(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:
    """Deposits, and transfers between accounts; what goes to and from the engine's holders is told elsewhere."""
    shares = set(names.pools.values())
    for row in _rows(connection, tables.transfers, account, start, end):
        inside = ":" in row["source"] or ":" in row["target"] or row["source"] == row["target"]
        if inside or row["kind"] == "retired" or (row["kind"] == "issued" and row["token"] in shares):
            continue
        amount = (decimal_text(row["amount"], names.unit(row["token"])), row["token"])
        moment = (row["time"], row["sequence"])
        if row["target"] == account:
            yield Entry(*moment, "deposit", "", "", *amount, f"from {row['source'] or 'outside'}")
        else:
            yield Entry(*moment, "withdrawal", *amount, "", "", f"to {row['target']}")


def _withdrawals(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:
    table = tables.withdrawals
    query = select(table).where(table.c.account == account, table.c.status == "paid", table.c.settled_at >= start)
    if end:
        query = query.where(table.c.settled_at < end)
    for row in connection.execute(query.order_by(table.c.settled_at)).mappings():
        amount = decimal_text(row["amount"], names.unit(row["token"]))
        note = f"to {row['destination']}"
        yield Entry(row["settled_at"], row["requested_in"], "withdrawal", amount, row["token"], "", "", note)


def _rewards(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:
    for row in _rows(connection, tables.rewards, account, start, end):
        amount = decimal_text(row["amount"], names.unit(row["token"]))
        yield Entry(row["time"], row["sequence"], "reward", "", "", amount, row["token"], f"{row['kind']} reward")


def _execution(connection: Connection, names: Names, account: str, start: int, end: int) -> Iterator[Entry]:
    """Execution fees of orders that were filled."""
    table = tables.orders
    query = select(table).where(table.c.account == account, table.c.status == "filled", table.c.closed_at >= start)
    if end:
        query = query.where(table.c.closed_at < end)
    for row in connection.execute(query.order_by(table.c.closed_at, table.c.changed_in)).mappings():
        if row["fee"]:
            fee = decimal_text(row["fee"], names.unit(names.native))
            note = f"execution fee, order {row['order']}"
            yield Entry(row["closed_at"], row["changed_in"], "cost", fee, names.native, "", "", note)


Part = Callable[[Connection, Names, str, int, int], Iterator[Entry]]
TAXABLE: dict[str, Part] = {
    "trades": _trades,
    "swaps": _swaps,
    "liquidity": _liquidity,
    "transfers": _transfers,
    "withdrawals": _withdrawals,
    "rewards": _rewards,
    "execution": _execution,
}

KOINLY = {"gain": "realized gain", "loss": "realized gain", "cost": "cost", "funding": "realized gain"}
KOINLY |= {"reward": "reward", "gift": "gift"}
KOINLY_HEADER = [
    "Date",
    "Sent Amount",
    "Sent Currency",
    "Received Amount",
    "Received Currency",
    "Fee Amount",
    "Fee Currency",
    "Net Worth Amount",
    "Net Worth Currency",
    "Label",
    "Description",
    "TxHash",
]
COINTRACKING = {
    "gain": "Derivatives / Futures Profit",
    "loss": "Derivatives / Futures Loss",
    "cost": "Other Fee",
    "funding": "Derivatives / Futures Profit",
    "trade": "Trade",
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "reward": "Reward / Bonus",
    "gift": "Gift",
}
COINTRACKING_HEADER = [
    "Type",
    "Buy Amount",
    "Buy Currency",
    "Sell Amount",
    "Sell Currency",
    "Fee",
    "Fee Currency",
    "Exchange",
    "Trade-Group",
    "Comment",
    "Date",
]


def _koinly(entry: Entry) -> list[str]:
    label = KOINLY.get(entry.label, "")
    date = datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    amounts = [entry.given, entry.given_token, entry.got, entry.got_token]
    return [date, *amounts, "", "", "", "", label, entry.note, str(entry.sequence)]


def _cointracking(entry: Entry) -> list[str]:
    amounts = [entry.got, entry.got_token, entry.given, entry.given_token]
    note = f"{entry.note} #{entry.sequence}"
    return [COINTRACKING[entry.label], *amounts, "", "", EXCHANGE, "", note, _date(entry.time)]


FORMS: dict[str, tuple[list[str], Callable[[Entry], list[str]]]] = {
    "koinly": (KOINLY_HEADER, _koinly),
    "cointracking": (COINTRACKING_HEADER, _cointracking),
}


def _date(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S") if time else ""


def _line(values: Iterable[Any]) -> str:
    """One line. Text that a spreadsheet would run as a formula is kept from it by a quote."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_harmless(str(value)) for value in values])
    return out.getvalue()


def _harmless(text: str) -> str:
    if text[:1] in ("=", "+", "@", "\t", "\r") or (text[:1] == "-" and not _is_number(text[1:])):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
