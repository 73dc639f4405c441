"""Numbers as people write them in profiles and on the command line, turned into engine integers, exactly."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from typing import Any

_QUANTITY = re.compile(r"^\s*(-?[0-9][0-9_,]*(?:\.[0-9]+)?)\s*([A-Za-z%.]+)\s*$")
_UNITS = {
    "usd": 10**30,
    "bps": 1,
    "bp": 1,
    "x": 10_000,
    "%": 10**16,
    "s": 1,
    "min": 60,
    "h": 3_600,
    "day": 86_400,
    "days": 86_400,
}


def quantity(value: Any, decimals: dict[str, int]) -> Any:
    """Replace texts like ``"5 usd"`` or ``"0.5 ETH"`` inside a TOML value by integers; leave the rest alone.

    ``decimals``: decimals of the tokens that may be used as units. Raises ``ValueError`` when the number has
    more digits than the unit can hold.
    """
    if isinstance(value, dict):
        return {name: quantity(item, decimals) for name, item in value.items()}
    if isinstance(value, list):
        return [quantity(item, decimals) for item in value]
    if isinstance(value, str):
        found = _QUANTITY.match(value)
        unit = None if found is None else _unit(found[2], decimals)
        if found is not None and unit is not None:
            return scaled(found[1].replace(",", "").replace("_", ""), unit)
    return value


def _unit(name: str, decimals: dict[str, int]) -> int | None:
    if name in decimals:
        return int(10 ** decimals[name])
    return _UNITS.get(name.lower())


def scaled(number: str | Decimal | int, unit: int) -> int:
    """``number * unit`` as an integer; ``ValueError`` if it is none, or no number at all."""
    if isinstance(number, float):
        raise ValueError("amounts are text, Decimal or int, never float")
    with localcontext() as context:
        context.prec = 120
        try:
            product = Decimal(number) * unit
        except ArithmeticError:
            raise ValueError(f"{number!r} is not a number") from None
        if not product.is_finite() or product != product.to_integral_value():
            raise ValueError(f"{number} has more digits than its unit can hold")
        return int(product)


def shown(amount: int, unit: int) -> str:
    """``amount / unit`` as exact decimal text without trailing zeros."""
    with localcontext() as context:
        context.prec = 120
        text = f"{Decimal(amount) / unit:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
