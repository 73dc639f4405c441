"""Rows of the venue's answers as tables for a terminal: numbers to the right, no more digits than people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table

DIGITS = 2


def table(title: str, columns: Sequence[tuple[str, str, str]], rows: Iterable[Mapping[str, Any]]) -> Table:
    """``columns``: heading, key of the row, and how it is shown: text, usd, price, amount, bps or side."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading, _, kind in columns:
        made.add_column(heading, justify="left" if kind in ("text", "side") else "right", overflow="fold")
    for row in rows:
        made.add_row(*(shown(row[key], kind) for _, key, kind in columns))
    return made


def shown(value: Any, kind: str) -> str:
    """One cell."""
    if kind == "side":
        return "[green]long[/]" if value else "[red]short[/]"
    if kind == "usd":
        return f"{Decimal(value):,.{DIGITS}f}"
    if kind == "price":
        return _figures(Decimal(value), 6) if Decimal(value) else "-"
    if kind == "amount":
        return _figures(Decimal(value), 8)
    if kind == "bps":
        share = Decimal(value) / 100
        return f"{share:,.{DIGITS if abs(share) < 100 else 0}f} %"
    return str(value)


def _figures(value: Decimal, figures: int) -> str:
    """At least two decimals, and for small numbers as many as it takes to show ``figures`` digits."""
    places = max(DIGITS, figures - value.adjusted() - 1) if value else DIGITS
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places > DIGITS else text
