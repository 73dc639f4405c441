"""Float twins of the engine's formulas for isolated positions. USD and prices as plain numbers, rates as the engine's.

Each names the function it repeats; ``tests/simulator/test_kernel.py`` holds them together.
"""

from __future__ import annotations

import math

import numpy as np

from zlp.simulator.kernel.compiled import formula

HEALTHY, LIQUIDATABLE, OVER_LEVERAGED = 0, 1, 2
SLACK = 1e-9
"""A share of the price by which ``reach`` stands nearer than the truth: far more than rounding."""


@formula
def amount_of(value: float, price: float, unit: float) -> float:
    """``fixed.amount_of`` or its negative, in whole tokens: cut to base units, of which a token has ``unit``."""
    return float(np.trunc(value / price * unit) / unit)


@formula
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


@formula
def gain(is_long: bool, size: float, average: float, price: float) -> float:
    """``Book.delta``, signed: what a position has gained at a price."""
    change = size * (price - average) / average
    return change if is_long else -change


@formula
def next_average(is_long: bool, size: float, average: float, price: float, added: float) -> float:
    """``increase._next_average``: the entry price that keeps the gain of the smaller position."""
    gained = gain(is_long, size, average, price)
    after = size + added
    return price * after / (after + gained if is_long else after - gained)


@formula
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


@formula
def reach(
    is_long: bool,
    size: float,
    average: float,
    collateral: float,
    entry: float,
    closing: float,
    liquidation_fee: float,
    scale: float,
    most_leverage: float,
) -> tuple[float, float, float]:
    """``health`` solved for the price, for a liquidator: (base, slope, bare).

    At funding index ``i`` nothing may be done with a long above the larger of ``base + slope * i`` (fees) and
    ``bare`` (leverage), nor with a short below the smaller; both stand nearer by ``SLACK``.
    """
    side = 1.0 if is_long else -1.0
    spent = average * (1.0 - side * collateral / size) + side * average * SLACK
    fees = closing - entry / scale + liquidation_fee / size
    return spent + side * average * fees, side * average / scale, spent + side * average / most_leverage


@formula
def shorts_gain(size: float, entry_tokens: float, price: float) -> float:
    """``SoundShorts.profit``: of all shorts of a market together."""
    return size - price * entry_tokens
