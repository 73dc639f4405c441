"""Exact integer arithmetic: the only place of the engine that divides.

Every quantity is an integer at a stated scale. Python's ``//`` floors negative numbers while the reference
systems truncate them, so the direction of rounding is always part of the name.
"""

from __future__ import annotations

from typing import Final

from zlp.engine.rejections import Code, Reject

BPS: Final = 10_000
"""Basis points: 10_000 is 100 %."""
RATE: Final = 10**18
"""Scale of rates and ratios that are finer than basis points: 10**18 is 100 %."""
USD: Final = 10**30
"""Scale of USD values and of prices (USD per whole token)."""
UINT256: Final = 2**256
"""Every stored amount is below this bound."""
UNITS: Final = tuple(10**decimals for decimals in range(37))
"""``UNITS[d]`` is the number of base units in one whole token of ``d`` decimals."""


def mul_div_down(a: int, b: int, denominator: int) -> int:
    """``floor(a * b / denominator)`` of non-negative integers."""
    if denominator == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return a * b // denominator


def mul_div_up(a: int, b: int, denominator: int) -> int:
    """``ceil(a * b / denominator)`` of non-negative integers."""
    if denominator == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return -(-a * b // denominator)


def mul_div_toward_zero(a: int, b: int, denominator: int) -> int:
    """``a * b / denominator`` of signed integers, truncated toward zero as the references do."""
    if denominator == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    product = a * b
    quotient = abs(product) // abs(denominator)
    return quotient if (product < 0) == (denominator < 0) else -quotient


def div_down(a: int, denominator: int) -> int:
    """``floor(a / denominator)`` of non-negative integers."""
    if denominator == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return a // denominator


def div_up(a: int, denominator: int) -> int:
    """``ceil(a / denominator)`` of non-negative integers."""
    if denominator == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return -(-a // denominator)


def floor_to_multiple(value: int, step: int) -> int:
    """The largest multiple of ``step`` that is not above ``value`` (clock anchors)."""
    if step == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return value - value % step


def subtract(a: int, b: int, code: Code = Code.ARITHMETIC_UNDERFLOW) -> int:
    """``a - b`` of non-negative integers; a negative result is a rejection with ``code``."""
    if b > a:
        raise Reject(code, limit=a, actual=b)
    return a - b


def value_of(amount: int, price_usd: int, unit: int) -> int:
    """USD value (1e30, rounded down) of ``amount`` base units at ``price_usd`` per ``unit`` base units."""
    return amount * price_usd // unit


def amount_of(value_usd: int, price_usd: int, unit: int) -> int:
    """Base units (rounded down) that ``value_usd`` buys at ``price_usd`` per ``unit`` base units."""
    if price_usd == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return value_usd * unit // price_usd
