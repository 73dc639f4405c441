"""What a pool's share earned over a stretch of time, and where it came from.

Method. A share's price is the pool's value over its supply, as recorded by measuring (``PoolMeasured``). Between two
measurings each source's income (fees of each kind that stay in the pool, borrowing and funding, realised results of
traders with the sign turned, donations) is divided by the supply at the second one and added to that source's income
per share. Over a stretch the return is ``(price at the end - price at the start) / price at the start``; a source's
part of it is the growth of its income per share over the same start price. What is left, ``prices``, is what the
prices of the pool's assets did and traders' open results, which move a share's value before they are realised.
Rewards paid to stakers beside the share are not in its price and are added on top. The APR is the return times a year
over the stretch: simple, not compounded. All of it exact integers, rounded down once at the end to 18 digits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from zlp.projections import tables
from zlp.projections.amounts import USD_UNIT, decimal_text
from zlp.projections.model import ReadModel

YEAR = 31_536_000
RATE = 10**18
BESIDE = ("rewards",)
"""Sources that are paid out instead of staying in the share's price."""
REST = "prices"


def returns(model: ReadModel, pool: str, start: int, end: int) -> dict[str, Any] | None:
    """The return between the measurings nearest inside the stretch; ``None`` with fewer than two of them."""
    with model.engine.connect() as connection:
        first = _sample(connection, pool, start, end, newest=False)
        last = _sample(connection, pool, start, end, newest=True)
        return None if first is None or last is None else _between(connection, first, last)


def steps(model: ReadModel, pool: str, start: int, step: int, count: int) -> list[dict[str, Any]]:
    """The returns of ``count`` steps from ``start`` on, each from the last measuring before it to its own last one."""
    found = []
    with model.engine.connect() as connection:
        first = _sample(connection, pool, 0, start + 1, newest=True)
        for index in range(count):
            last = _sample(connection, pool, 0, start + (index + 1) * step + 1, newest=True)
            made = None if first is None or last is None else _between(connection, first, last)
            if made is not None:
                found.append({"start": str(start + index * step), **made})
            first = last or first
    return found


def bounds(model: ReadModel, pool: str) -> tuple[int, int] | None:
    """Seconds of the first and the last measuring of a pool with shares."""
    with model.engine.connect() as connection:
        first = _sample(connection, pool, 0, 2**62, newest=False)
        last = _sample(connection, pool, 0, 2**62, newest=True)
    return None if first is None or last is None else (first["time"], last["time"])


def _sample(connection: Connection, pool: str, start: int, end: int, *, newest: bool) -> Any:
    """The first or last measuring in the stretch at which a share was worth something."""
    table = tables.pool_samples
    order = (table.c.time, table.c.sequence, table.c.ordinal)
    query = select(table).where(table.c.pool == pool, table.c.time >= start, table.c.time < end)
    query = query.where(table.c.share_price != 0, table.c.share_price.not_like("-%"))
    query = query.order_by(*(column.desc() if newest else column for column in order)).limit(1)
    return connection.execute(query).mappings().first()


def _per_share(connection: Connection, pool: str, sequence: int) -> dict[str, int]:
    table = tables.income_samples
    rows = connection.execute(select(table).where(table.c.pool == pool, table.c.sequence == sequence)).mappings()
    return {row["source"]: row["per_share"] for row in rows}


def _between(connection: Connection, first: Any, last: Any) -> dict[str, Any] | None:
    seconds = last["time"] - first["time"]
    if seconds <= 0:
        return None
    pool, price, grown = first["pool"], first["share_price"], last["share_price"] - first["share_price"]
    before, after = (_per_share(connection, pool, each["sequence"]) for each in (first, last))
    sources = {source: earned - before.get(source, 0) for source, earned in after.items()}
    rest = grown - sum(earned for source, earned in sources.items() if source not in BESIDE)
    beside = sum(earned for source, earned in sources.items() if source in BESIDE)
    return {
        "pool": pool,
        "from": str(first["time"]),
        "to": str(last["time"]),
        "share_price_from": decimal_text(price, USD_UNIT),
        "share_price_to": decimal_text(last["share_price"], USD_UNIT),
        "value_usd": decimal_text(last["high_usd"], USD_UNIT),
        **_figures(grown + beside, price, seconds),
        "sources": [
            {"source": source, "per_share_usd": decimal_text(earned, USD_UNIT), **_figures(earned, price, seconds)}
            for source, earned in [*sorted(sources.items()), (REST, rest)]
        ],
    }


def _figures(earned: int, price: int, seconds: int) -> dict[str, str]:
    """The return as a ratio and as a yearly one."""
    return {
        "return": decimal_text(earned * RATE // price, RATE),
        "apr": decimal_text(earned * YEAR * RATE // (price * seconds), RATE),
    }
