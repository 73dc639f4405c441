"""What a compiled path works on: arrays, named. One entry per asset, market, slot or tick as each says."""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any


class Rules(NamedTuple):
    """Numbers that never change during a path. Fees as shares, leverage as a multiple, USD plain.

    Per asset: ``factor`` (index units an interval at full use), ``stable``. Per market: ``asset`` (its index and
    the collateral of its longs), and its limits (0: none). Shorts of all markets are backed by ``short_asset``.
    Keepers earn ``execution_fee`` tokens of ``fee_asset`` an order.
    """

    opening: float
    closing: float
    liquidation_fee: float
    interval: int
    scale: float
    short_asset: int
    fee_asset: int
    execution_fee: float
    factor: Array
    stable: Array
    asset: Array
    most_leverage: Array
    most_long: Array
    most_short: Array
    most_position: Array


class Pool(NamedTuple):
    """The pool's books.

    Per asset: tokens ``amount`` and ``reserved``, USD ``guaranteed``, funding ``index`` and ``anchor``, and the index
    ``projected`` to this tick. Per market: USD ``long_size`` and ``short_size``, tokens ``short_tokens``.
    """

    amount: Array
    reserved: Array
    guaranteed: Array
    index: Array
    anchor: Array
    projected: Array
    long_size: Array
    short_size: Array
    short_tokens: Array


class Slots(NamedTuple):
    """Positions, one slot per trader, market and side; free while ``size`` is 0. Times in seconds."""

    size: Array
    collateral: Array
    average: Array
    entry: Array
    reserved: Array
    until: Array
    closing: Array


class Orders(NamedTuple):
    """Market orders that wait for the next prices: ``slot``, ``tokens`` and ``size`` of an opening, 0 to close."""

    slot: Array
    tokens: Array
    size: Array


class Minds(NamedTuple):
    """What traders remember. Per trader: the ``place`` of the next intention, whether ``awake`` at every tick.

    Per trader and market: ``hold``, how long the last intention wants to hold.
    """

    place: Array
    awake: Array
    hold: Array


class Tape(NamedTuple):
    """Intentions, trader by trader, each by time: second, market (-1: none), side, USD margin, leverage, seconds.

    Those of trader ``n`` are at ``first[n]`` up to ``first[n + 1]``.
    """

    first: Array
    time: Array
    market: Array
    is_long: Array
    margin: Array
    leverage: Array
    hold: Array


# Places in the array of sums a path keeps.
REALISED, TRADING, FUNDING, VOLUME, SEIZED, OVERDUE, FORFEITED, BAD_DEBT = range(8)
PRICE_EFFECT, EXECUTED, CANCELLED, REWARDS, BAD_DEBTS, UNCOLLECTED = range(8, 14)
SUMS = 14
# Rows of the array of curves a path draws.
VALUE, USED, HELD, LONG, SHORT = range(5)
CURVES = 5
