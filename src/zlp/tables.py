"""Engine records made readable: integers at their scales become decimals, records become tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from zlp.desks import MarketView, PoolView, PositionView
from zlp.engine.fixed import BPS, RATE, USD

USD_FIELDS = ("price", "size_before", "size_after", "mark_price", "low", "high", "trigger_price")
TOKEN_FIELDS = {
    "amount_in": "token_in",
    "amount_out": "token_out",
    "gross_out": "token_out",
    "amount": "token",
    "to_pool": "token",
    "reward": "token",
    "paid": "token",
    "treasury": "token",
    "soulbound": "token",
    "buyback": "token",
    "providers": "token",
    "budget": "token",
}
SHARE_FIELDS = ("shares", "supply")
SHARE_DECIMALS = 18


def decimal_of(amount: int, unit: int) -> Decimal:
    """``amount / unit``, exactly."""
    with localcontext() as context:
        context.prec = 120
        return (Decimal(amount) / unit).normalize()


def usd(amount: int, places: int = 2) -> str:
    """A USD amount (1e30) with thousands separators, rounded half even for display only."""
    return f"{decimal_of(amount, USD):,.{places}f}"


def readable(record: Any, decimals: Mapping[str, int]) -> dict[str, str]:
    """A record's fields as text, amounts in whole tokens and USD.

    ``decimals``: of every token by symbol, and of every pool's share token by ``pool:<name>``.
    """
    names = record.__struct_fields__
    return {name: _field(record, name, decimals) for name in names}


def _field(record: Any, name: str, decimals: Mapping[str, int]) -> str:
    value = getattr(record, name)
    if isinstance(value, bool) or not isinstance(value, int):
        return ", ".join(value) if isinstance(value, tuple) and all(isinstance(v, str) for v in value) else str(value)
    if name.endswith(("_usd", "_price")) or name in USD_FIELDS:
        return _plain(decimal_of(value, USD))
    if name.endswith("_bps"):
        return f"{_plain(decimal_of(value * 100, BPS))} %"
    token = getattr(record, TOKEN_FIELDS.get(name, ""), "")
    if token in decimals:
        return _plain(decimal_of(value, 10 ** decimals[token]))
    if name in SHARE_FIELDS:
        share = decimals.get(f"pool:{getattr(record, 'pool', '')}", SHARE_DECIMALS)
        return _plain(decimal_of(value, 10**share))
    return str(value)


def _plain(value: Decimal) -> str:
    return f"{value:,f}"


class Table:
    """Rows of text with a header; shows itself as text and, in a notebook, as HTML."""

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.title = title

    @classmethod
    def of_events(cls, events: Iterable[Any], decimals: Mapping[str, int]) -> Table:
        """One row per event: what happened, and its fields."""
        rows = []
        for event in events:
            fields = readable(event, decimals)
            rows.append([type(event).__name__, ", ".join(f"{name} {text}" for name, text in fields.items() if text)])
        return cls(("event", "what"), rows)

    @classmethod
    def of_records(cls, records: Iterable[Any], decimals: Mapping[str, int], title: str = "") -> Table:
        """One row per record of one kind."""
        shown = [readable(record, decimals) for record in records]
        columns = list(shown[0]) if shown else []
        return cls(columns, [[row[name] for name in columns] for row in shown], title)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        if not self.rows:
            return f"{self.title or 'table'}: nothing"
        widths = [max(len(row[n]) for row in [self.columns, *self.rows]) for n in range(len(self.columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in self.rows
        ]
        head = "  ".join(cell.ljust(width) for cell, width in zip(self.columns, widths, strict=True)).rstrip()
        return "\n".join(filter(None, [self.title, head, *lines]))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def pools_table(views: Iterable[PoolView], decimals: Mapping[str, int]) -> Table:
    """Pools: value, shares and their price, how much is lent. ``decimals`` of the share tokens."""
    rows = [
        [
            view.pool,
            usd(view.value_usd),
            _plain(decimal_of(view.supply, 10 ** decimals[view.share])),
            usd(view.share_price, 6),
            _percent(view.utilisation_bps),
        ]
        for view in views
    ]
    return Table(("pool", "value USD", "shares", "share price USD", "utilisation"), rows)


def markets_table(views: Iterable[MarketView]) -> Table:
    """Markets: prices, open interest in USD, what a side pays an hour (negative: receives), leverage, collaterals."""
    columns = (
        "market",
        "pool",
        "low",
        "high",
        "longs",
        "shorts",
        "longs pay/h",
        "shorts pay/h",
        "leverage",
        "backed by",
    )
    rows = [
        [
            view.market,
            view.pool,
            _plain(decimal_of(view.low, USD)),
            _plain(decimal_of(view.high, USD)),
            usd(view.long_size),
            usd(view.short_size),
            f"{decimal_of(view.long_carry * 100, RATE):.6f} %",
            f"{decimal_of(view.short_carry * 100, RATE):.6f} %",
            f"{_plain(decimal_of(view.max_leverage, BPS))}x",
            _backing(view),
        ]
        for view in views
    ]
    return Table(columns, rows)


def _backing(view: MarketView) -> str:
    longs, shorts = (", ".join(tokens) for tokens in (view.long_collaterals, view.short_collaterals))
    return longs if longs == shorts else f"longs {longs}; shorts {shorts}"


def positions_table(views: Iterable[PositionView]) -> Table:
    """Positions in USD. ``health``: backing over what must be kept, 100 % is the edge."""
    columns = ["position", "account", "market", "side", "size", "margin", "entry", "mark", "PnL", "fees due"]
    columns += ["liquidated at", "health"]
    rows = [
        [
            view.position,
            view.account,
            view.market,
            "long" if view.is_long else "short",
            usd(view.size_usd),
            usd(view.collateral_usd),
            _price(view.entry_price),
            _price(view.mark_price),
            usd(view.pnl_usd),
            usd(view.owed_usd),
            _price(view.liquidation_price) if view.liquidation_price else "-",
            _percent(view.health_bps),
        ]
        for view in views
    ]
    return Table(columns, rows)


def _percent(bps: int) -> str:
    return f"{decimal_of(bps * 100, BPS):,.2f} %"


def _price(value: int) -> str:
    """Six significant digits, or two decimals: what people compare."""
    shown = decimal_of(value, USD)
    return f"{shown:,.{max(2, 5 - shown.adjusted())}f}"
