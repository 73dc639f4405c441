"""Float twins of the engine's formulas for isolated positions. USD and prices as plain numbers, rates as the engine's.

Each names the function it repeats; ``tests/simulator/test_kernel.py`` holds them together.
"""

from __future__ import annotations

import math

from numba import njit

HEALTHY, LIQUIDATABLE, OVER_LEVERAGED = 0, 1, 2


@njit(cache=True, inline="always", error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def accrued(
    index: float, anchor: int, now: int, interval: int, factor: float, reserved: float, amount: float
) -> tuple[float, int]:
    """``UtilisationFunding.accrue``: (index, anchor) brought up to now."""
    if anchor == 0:
        return index, now - now % interval
    if anchor + interval > now:
        return index, anchor
    intervals = (now - anchor) // interval
    rate = math.floor(factor * intervals * reserved / amount) if amount > 0.0 else 0.0
    return index + rate, now - now % interval


@njit(cache=True, inline="always", error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def gain(is_long: bool, size: float, average: float, price: float) -> float:
    """``Book.delta``, signed: what a position has gained at a price."""
    change = size * (price - average) / average
    return change if is_long else -change


@njit(cache=True, inline="always", error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def next_average(is_long: bool, size: float, average: float, price: float, added: float) -> float:
    """``increase._next_average``: the entry price that keeps the gain of the smaller position."""
    gained = gain(is_long, size, average, price)
    after = size + added
    return price * after / (after + gained if is_long else after - gained)


@njit(cache=True, inline="always", error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def health(
    collateral: float,
    gained: float,
    fees: float,
    liquidation_fee: float,
    size: float,
    most_leverage: float,
    trader: bool,
) -> tuple[int, float]:
    """``health.assess``: (state, fees that can be taken). Unrealised profit backs nothing in a trader's own action."""
    left = collateral
    if gained < 0.0:
        if left < -gained:
            return LIQUIDATABLE, fees
        left += gained
    elif not trader:
        left += gained
    if left < fees:
        return LIQUIDATABLE, left
    if left < fees + liquidation_fee:
        return LIQUIDATABLE, fees
    if left * most_leverage < size:
        return OVER_LEVERAGED, fees
    return HEALTHY, fees


@njit(cache=True, inline="always", error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def shorts_gain(size: float, entry_tokens: float, price: float) -> float:
    """``SoundShorts.profit``: of all shorts of a market together."""
    return size - price * entry_tokens
