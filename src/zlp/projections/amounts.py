"""How the read model keeps numbers: engine integers as decimal digits, exactly, and what each of them counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator

USD_UNIT = 10**30
SHARE_DECIMALS = 18
"""Of a token whose settings the log does not state."""


class Exact(TypeDecorator[int]):
    """An engine integer of any length, stored as its decimal digits."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """On the way in."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """On the way out."""
        return None if value is None else int(value)


def usd(name: str) -> Column[Any]:
    """USD, or a price in USD per whole token, at 1e30; may be negative."""
    return Column(name, Exact, nullable=False, default=0, info={"usd": True})


def amount(name: str, of: str = "token") -> Column[Any]:
    """Base units of the token that the column ``of`` names."""
    return Column(name, Exact, nullable=False, default=0, info={"token": of})


def exact(name: str) -> Column[Any]:
    """An engine integer with a scale of its own."""
    return Column(name, Exact, nullable=False, default=0)


def text(name: str, *, key: bool = False) -> Column[Any]:
    """A name."""
    return Column(name, String, primary_key=key, nullable=False, default="")


def number(name: str, *, key: bool = False) -> Column[Any]:
    """A count, a sequence or a second."""
    return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=False, default=0)


def small(name: str, *, key: bool = False) -> Column[Any]:
    """A small count."""
    return Column(name, Integer, primary_key=key, autoincrement=False, nullable=False, default=0)


def flag(name: str) -> Column[Any]:
    """Yes or no."""
    return Column(name, Boolean, nullable=False, default=False)


def decimal_text(value: int, unit: int) -> str:
    """``value / unit`` as decimal text, exactly; ``unit`` is a power of ten."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(value, unit)
    if not rest:
        return f"{sign}{whole}" if whole else "0"
    return f"{sign}{whole}.{str(rest).rjust(len(str(unit)) - 1, '0').rstrip('0')}"
