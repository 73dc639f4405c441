"""The scans, compiled by numba. Same signatures and results as `kernels_numpy`.

The shape matters. A loop that writes one flag per row with a computed index is not turned into SIMD code and is as
slow as NumPy. What is: small helpers over contiguous slices of one block that only add and compare, and a second loop
over the rare block in which something was found. That loop has no branch: it writes every row and only moves on
past a hit, so a crash in which half of the rows are due costs little more. The thresholds of a block live in a small
buffer that stays in the first-level cache, so every column is read from memory once, and no column of a block whose
highest threshold is known to be out of reach.

Numbers that are not written here come as arguments: a compiled function in numba's cache on disk does not notice
that a constant of another module has changed.
"""

# Numba infers the types of these functions; their signatures are stated in `kernels`.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def start(moving, base, slope, index, relative):
    """Begin the moving thresholds of a block: the base, and what the first index contributes."""
    for i in range(base.size):
        term = slope[i] * index
        moving[i] = base[i] + (term + relative * abs(term))


@njit(cache=True, nogil=True)
def accumulate(moving, slope, index, relative):
    """Add what a further index contributes."""
    for i in range(slope.size):
        term = slope[i] * index
        moving[i] += term + relative * abs(term)


@njit(cache=True, nogil=True)
def greater(result, left, right):
    """The greater of two numbers, side by side."""
    for i in range(result.size):
        one, other = left[i], right[i]
        result[i] = one if one > other else other  # noqa: FURB136 - max() of numba looks for NaNs, so it is no SIMD


@njit(cache=True, nogil=True)
def count_clear(thresholds, price):
    """How many rows of a block lie strictly on the safe side."""
    clear = 0
    for i in range(thresholds.size):
        clear += thresholds[i] < price
    return clear


@njit(cache=True, nogil=True)
def highest(thresholds, scratch):
    """The highest threshold of a whole block: halves compared side by side until eight are left."""
    half = thresholds.size // 2
    greater(scratch[:half], thresholds[:half], thresholds[half:])
    while half > 8:
        half //= 2
        greater(scratch[:half], scratch[:half], scratch[half : 2 * half])
    return scratch[:half].max()


@njit(cache=True, nogil=True)
def threshold_hits(columns, count, price, indices, relative, reach, settled):
    """See `kernels`."""
    hits = np.empty(count + 1, np.int64)
    found = 0
    block = columns.shape[1] // reach.size
    buffer, scratch = np.empty(block, np.float64), np.empty(block, np.float64)
    for number in range((count + block - 1) // block):
        if reach[number] < price:
            continue
        begin = number * block
        end = min(begin + block, count)
        thresholds, fixed = buffer[: end - begin], columns[0][begin:end]
        if indices.size == 0:
            thresholds[:] = fixed
        else:
            start(thresholds, columns[1][begin:end], columns[2][begin:end], indices[0], relative)
            for j in range(1, indices.size):
                accumulate(thresholds, columns[2 + j][begin:end], indices[j], relative)
            greater(thresholds, thresholds, fixed)
        if settled:
            buffer[end - begin :] = -np.inf
            reach[number] = highest(buffer, scratch)
        if count_clear(thresholds, price) == end - begin:
            continue
        for i in range(end - begin):
            hits[found] = begin + i
            found += not thresholds[i] < price
    return hits[:found].copy()


@njit(cache=True, nogil=True)
def sum_legs(begin, end, leg_floats, leg_variables, values):
    """(sum of the capped values, sum of the magnitudes) of an account's legs `begin` to `end`."""
    total = 0.0
    magnitude = 0.0
    for leg in range(begin, end):
        first = leg_floats[0, leg] * values[leg_variables[0, leg]]
        second = leg_floats[1, leg] * values[leg_variables[1, leg]]
        constant = leg_floats[2, leg]
        value = first + second + constant
        if value > leg_floats[3, leg]:  # written so that a NaN stays a NaN
            value = leg_floats[3, leg]
        total += value
        magnitude += abs(first) + abs(second) + abs(constant)
    return total, magnitude


@njit(cache=True, nogil=True)
def account_hits(floats, integers, count, leg_floats, leg_variables, values, changed, relative, absolute):
    """See `kernels`."""
    hits = np.empty(count, np.int64)
    found = 0
    for row in range(count):
        if integers[3, row] & changed == 0:
            continue
        begin, middle, end = integers[0, row], integers[1, row], integers[2, row]
        profit, profit_magnitude = sum_legs(begin, middle, leg_floats, leg_variables, values)
        rest, rest_magnitude = sum_legs(middle, end, leg_floats, leg_variables, values)
        if profit > 0.0:
            profit *= floats[1, row]
        headroom = floats[0, row] + profit + rest
        magnitude = abs(floats[0, row]) + profit_magnitude + rest_magnitude
        if not headroom > relative * magnitude + absolute:
            hits[found] = row
            found += 1
    return hits[:found].copy()
