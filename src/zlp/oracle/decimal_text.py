"""Decimal text to exact integers and back: the one place where prices of the outside world become ours.

A price inside ZLP is an integer at 1e30 USD per whole token. Outside it is text such as `"1800.25"`.
The text is converted digit by digit; no binary float ever stands between the two.
"""

import re

PRICE_DECIMALS = 30
PRICE_SCALE = 10**PRICE_DECIMALS
# Longer numbers are not prices. The bound also keeps "1e999999999" from building a huge integer.
TEXT_LENGTH_MAX = 80
EXPONENT_MAX = 60

_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")


class PriceTextError(ValueError):
    """The text is not a positive decimal number that fits the price scale."""


def amount_from_text(text: str, decimals: int) -> int:
    """Convert decimal text to an integer at `10**decimals`, exactly.

    Accepts digits with an optional fraction and exponent (`"12"`, `"12.50"`, `"1e-7"`), no sign, no blanks.
    Raises `PriceTextError` where the text is something else or has non-zero digits below the scale:
    nothing is rounded.
    """
    match = _DECIMAL.fullmatch(text) if len(text) <= TEXT_LENGTH_MAX else None
    if match is None:
        raise PriceTextError(f"{text[:TEXT_LENGTH_MAX]!r} is not a decimal number")
    whole, fraction, exponent_text = match.group(1), match.group(2) or "", match.group(3)
    exponent = int(exponent_text) if exponent_text else 0
    if not -EXPONENT_MAX <= exponent <= EXPONENT_MAX:
        raise PriceTextError(f"the exponent of {text!r} is beyond +-{EXPONENT_MAX}")
    digits = int(whole + fraction)
    shift = decimals + exponent - len(fraction)
    scaled, lost = divmod(digits * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if lost:
        raise PriceTextError(f"{text!r} has more than {decimals} decimals")
    return scaled


def price_from_text(text: str) -> int:
    """Convert decimal text (USD per whole token) to an integer price at 1e30; zero is not a price."""
    price_e30 = amount_from_text(text, PRICE_DECIMALS)
    if price_e30 == 0:
        raise PriceTextError("a price is greater than zero")
    return price_e30


def price_from_float(value: float) -> int:
    """Convert a float column's value through its shortest text, so that 41597.66 becomes exactly 41597.66.

    Only for files whose columns are floats already (Parquet). Live feeds use the text of the message.
    """
    return price_from_text(repr(float(value)))


def price_to_text(price_e30: int, places: int | None = None) -> str:
    """Show a price at 1e30 as decimal text; `places` cuts (never rounds up) and pads for tables."""
    whole, fraction = divmod(price_e30, PRICE_SCALE)
    digits = f"{fraction:0{PRICE_DECIMALS}d}"
    if places is None:
        digits = digits.rstrip("0")
        return f"{whole}.{digits}" if digits else str(whole)
    return f"{whole}.{digits[:places]}" if places else str(whole)
