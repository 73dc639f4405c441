"""The intentions of tape traders, drawn for whole arrays: the same numbers ``TapeTrader.draw`` draws one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zlp.simulator.agents import Behaviour, Founder, TapeTrader
from zlp.simulator.agents.base import HOUR
from zlp.simulator.kernel.inputs import NotFastError
from zlp.simulator.kernel.state import Array, Tape
from zlp.simulator.stream import seed_of

DRAWS = 6
"""Random numbers an intention takes."""


def tape_of(
    crowd: Sequence[Behaviour], seeds: Sequence[int], markets: Sequence[str], start: int, end: int
) -> tuple[Tape, list[str]]:
    """The intentions of all tape traders from ``start`` to ``end``, and who they are. One path for each seed."""
    names: list[str] = []
    paths: list[list[Array]] = [[np.zeros((7, 0))] for _ in seeds]
    for behaviour in crowd:
        if isinstance(behaviour, Founder):
            continue
        if not isinstance(behaviour, TapeTrader):
            raise NotFastError(f"the fast world knows founders and tape traders, not {behaviour.name!r}")
        own = [f"{behaviour.name}-{number}" for number in range(1, behaviour.count + 1)]
        for path, seed in zip(paths, seeds, strict=True):
            path.append(_intentions(behaviour, [seed_of(seed, name) for name in own], len(names), markets, start, end))
        names += own
    sorted_paths = []
    for path in paths:
        rows = np.concatenate(path, axis=1)
        sorted_paths.append(rows[:, np.lexsort((rows[1], rows[0]))])
    first = np.cumsum([0, *(rows.shape[1] for rows in sorted_paths)])
    kinds = (np.int64, np.int64, np.int64, np.bool_, np.float64, np.float64, np.int64)
    rows = np.concatenate(sorted_paths, axis=1)
    return Tape(first, *(row.astype(kind) for row, kind in zip(rows, kinds, strict=True))), names


def _intentions(
    behaviour: TapeTrader, seeds: Sequence[int], first: int, markets: Sequence[str], start: int, end: int
) -> Array:
    """Rows of a tape, trader by trader. ``first``: the number of the first of them."""
    count = 16 + int(1.25 * (end - start) / (behaviour.interval + 1))
    times, drawn = np.full((len(seeds), 1), start), np.empty((len(seeds), 1, 6))
    while times[:, -1].min() <= end:
        drawn = _uniforms(seeds, count)
        waits = behaviour.interval * -_logarithm(1.0 - drawn[:, :, 0])
        times = start + np.cumsum(1 + waits.astype(np.int64), axis=1)
        count *= 2
    trader, place = np.nonzero(times <= end)
    _, asset, side, margin, leverage, hold = drawn[trader, place].T
    allowed = [name if not behaviour.markets or name in behaviour.markets else "" for name in markets]
    market_of = [next((at for at, name in enumerate(allowed) if wanted in name), -1) for wanted in behaviour.assets]
    low, high = behaviour.margin
    return np.array(
        [
            times[trader, place],
            first + trader,
            np.array(market_of)[(asset * len(market_of)).astype(np.int64)],
            side < behaviour.long_bias,
            np.trunc(low + (high - low) * margin),
            _quantile(behaviour.leverage, leverage),
            np.trunc(_quantile(behaviour.holding_hours, hold) * HOUR),
        ],
        dtype=np.float64,
    )


def _uniforms(seeds: Sequence[int], count: int) -> Array:
    """What ``random.Random`` of each seed gives, for ``count`` intentions: it is the same generator."""
    generator, drawn = np.random.RandomState(0), np.empty((len(seeds), count, DRAWS))
    for row, seed in zip(drawn, seeds, strict=True):
        generator.seed([seed >> shift & 0xFFFFFFFF for shift in range(0, max(1, seed.bit_length()), 32)])
        row[:] = generator.random_sample((count, DRAWS))
    return drawn


def _quantile(values: Sequence[float], draws: Array) -> Array:
    """``Stream.quantile``."""
    known = np.array(values)
    place = draws * (len(values) - 1)
    index = place.astype(np.int64)
    return known[index] + (known[index + 1] - known[index]) * (place - index)


def _logarithm(numbers: Array) -> Array:
    """The logarithm of ``Stream.wait``, to the bit."""
    mantissa, power = np.frexp(numbers)
    low = mantissa < math.sqrt(0.5)
    mantissa, power = np.where(low, mantissa * 2.0, mantissa), power - low
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square, total = ratio * ratio, np.zeros_like(ratio)
    for order in range(25, 0, -2):
        total = total * square + 1.0 / order
    return power * 0.6931471805599453 + 2.0 * ratio * total
