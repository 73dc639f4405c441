"""The scans in plain NumPy, for machines without numba. Same signatures and results as `kernels_numba`.

They work in blocks that fit the cache and write into the same buffers again: about twice as fast as
whole-array expressions, which move every intermediate result through memory.
"""

from __future__ import annotations

import numpy as np

from zlp.screening.rows import Floats, Integers

ROWS = 8192
"""How many are worked on at a time."""


def threshold_hits(
    columns: Floats, count: int, price: float, indices: Floats, relative: float, reach: Floats, settled: bool
) -> Integers:
    """See `kernels`."""
    block = columns.shape[1] // reach.size
    blocks = columns.reshape(columns.shape[0], -1, block)
    number = -(-count // block)
    near = np.flatnonzero(~(reach[:number] < price))
    found = [np.empty(0, np.int64)]
    step = ROWS // block
    for begin in range(0, near.size, step):
        some = near[begin : begin + step]
        thresholds = _thresholds(blocks, some, indices, relative)
        if some[-1] == number - 1:
            thresholds[-1, count - (number - 1) * block :] = -np.inf
        if settled:
            reach[some] = thresholds.max(axis=1)
        hits = np.flatnonzero(~(thresholds.ravel() < price))
        if hits.size:
            found.append(some[hits // block] * block + hits % block)
    return np.concatenate(found)


def _thresholds(blocks: Floats, some: Integers, indices: Floats, relative: float) -> Floats:
    """The nearer threshold of every row of some blocks."""
    fixed: Floats = blocks[0].take(some, axis=0)
    if not indices.size:
        return fixed
    moving = blocks[1].take(some, axis=0)
    term, margin = np.empty_like(moving), np.empty_like(moving)
    for j in range(indices.size):
        np.multiply(blocks[2 + j].take(some, axis=0, out=term, mode="clip"), indices[j], out=term)
        np.multiply(np.abs(term, out=margin), relative, out=margin)
        term += margin
        moving += term
    nearer: Floats = np.maximum(fixed, moving, out=fixed)
    return nearer


def _sum_legs(
    begin: Integers, end: Integers, leg_floats: Floats, leg_variables: Integers, values: Floats
) -> tuple[Floats, Floats]:
    """(sums of the capped values, sums of the magnitudes) of legs `begin[i]` to `end[i]`, for every row i."""
    sizes = end - begin
    owner = np.repeat(np.arange(sizes.size), sizes)
    legs = np.arange(owner.size) + np.repeat(begin - (np.cumsum(sizes) - sizes), sizes)
    first = leg_floats[0, legs] * values[leg_variables[0, legs]]
    second = leg_floats[1, legs] * values[leg_variables[1, legs]]
    constant = leg_floats[2, legs]
    value = np.minimum(first + second + constant, leg_floats[3, legs])
    magnitude = np.abs(first) + np.abs(second) + np.abs(constant)
    sums = np.zeros((2, sizes.size))
    sums[0] = np.bincount(owner, value, sizes.size)
    sums[1] = np.bincount(owner, magnitude, sizes.size)
    return sums[0], sums[1]


def account_hits(
    floats: Floats,
    integers: Integers,
    count: int,
    leg_floats: Floats,
    leg_variables: Integers,
    values: Floats,
    changed: int,
    relative: float,
    absolute: float,
) -> Integers:
    """See `kernels`."""
    touched = np.flatnonzero(integers[3, :count] & changed)
    found = []
    for block in np.array_split(touched, touched.size // ROWS + 1):
        begin, middle, end = integers[0, block], integers[1, block], integers[2, block]
        profit, profit_magnitude = _sum_legs(begin, middle, leg_floats, leg_variables, values)
        rest, rest_magnitude = _sum_legs(middle, end, leg_floats, leg_variables, values)
        profit = np.where(profit > 0.0, profit * floats[1, block], profit)
        headroom = floats[0, block] + profit + rest
        magnitude = np.abs(floats[0, block]) + profit_magnitude + rest_magnitude
        clear = headroom > relative * magnitude + absolute
        found.append(block[~clear])
    return np.concatenate(found)
