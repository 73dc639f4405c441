"""What a compiled path works on: arrays, named. One entry per asset, market, group, slot or trader as each says.

A group is one side of one market (``2 * market``, shorts one more); a trader has one slot in each, and the slots of
a group lie side by side: slot ``group * traders + trader``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any

NEVER = 2**62
"""Later than any second."""
FAR = 1e300
"""Beyond any price."""


class Rules(NamedTuple):
    """Numbers that never change during a path. Fees as shares, leverage as a multiple, USD plain, times in seconds.

    Per asset: base units in a token (``unit``), ``factor`` (index units an interval at full use), ``stable``. Per
    market: ``asset`` (its index and the collateral of its longs), and its limits (0: none). Shorts of all markets are
    backed by ``short_asset``.
    Keepers earn ``execution_fee`` tokens of ``fee_asset`` an order, and drop one that has waited for ``lifetime``.
    """

    opening: float
    closing: float
    liquidation_fee: float
    interval: int
    scale: float
    short_asset: int
    fee_asset: int
    execution_fee: float
    lifetime: int
    unit: Array
    factor: Array
    stable: Array
    asset: Array
    most_leverage: Array
    most_long: Array
    most_short: Array
    most_position: Array


class Prices(NamedTuple):
    """What the venue knows at each tick: second, lowest and highest price of each asset (``low[tick, asset]``).

    ``posted``: whether new prices came; without them no order runs. The first tick founds the pool.
    """

    times: Array
    low: Array
    high: Array
    posted: Array


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
    """Positions; a slot is free while ``size`` is 0. Times in seconds.

    ``base``, ``slope``, ``bare``: ``formulas.reach`` of each. ``edge``, per group: the nearest of them at the present
    funding index, or nearer; while the price stays beyond it nobody in the group can be liquidated.
    """

    size: Array
    collateral: Array
    average: Array
    entry: Array
    reserved: Array
    until: Array
    closing: Array
    base: Array
    slope: Array
    bare: Array
    edge: Array


class Orders(NamedTuple):
    """Market orders, oldest first: ``slot``, ``tokens`` and ``size`` of an opening (0 to close), second ``placed``."""

    slot: Array
    tokens: Array
    size: Array
    placed: Array


class Crowd(NamedTuple):
    """What is known of each trader.

    ``held``: positions open. ``awake``: looks at every tick, else at his next intention only. ``placed``: the last
    tick at which he ordered. ``hold``, per market and trader: how long his last intention wants to hold.
    ``actors``: who acts at this tick and when he woke, as ``second * traders + trader``; ``seen``: when he was last
    put there.
    """

    held: Array
    awake: Array
    placed: Array
    hold: Array
    actors: Array
    seen: Array


class Tape(NamedTuple):
    """Intentions by time, then trader: second, trader, market (-1: none), side, USD margin, leverage, seconds.

    Of several paths, those of path ``n`` are at ``first[n]`` up to ``first[n + 1]``.
    """

    first: Array
    time: Array
    trader: Array
    market: Array
    is_long: Array
    margin: Array
    leverage: Array
    hold: Array


class World(NamedTuple):
    """Everything that changes along one path. ``net``: what trading made of each trader, USD, without open results."""

    pool: Pool
    slots: Slots
    orders: Orders
    crowd: Crowd
    sums: Array
    net: Array
    clocks: Array


# Places in the array of sums a path keeps.
REALISED, TRADING, FUNDING, VOLUME, SEIZED, OVERDUE, FORFEITED, BAD_DEBT = range(8)
PRICE_EFFECT, EXECUTED, CANCELLED, EXPIRED, REWARDS, BAD_DEBTS, UNCOLLECTED = range(8, 15)
SUMS = 15
# Rows of the array of curves a path draws.
VALUE, USED, HELD, LONG, SHORT = range(5)
CURVES = 5
# Places in the array of a path's clocks.
NEXT, WAITING, DUE = range(3)
"""The next intention of the tape, orders waiting, a second before which no position is due to be closed."""
CLOCKS = 3
