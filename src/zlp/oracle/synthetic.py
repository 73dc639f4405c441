"""Seeded price generators: geometric Brownian motion with jumps, switching regimes, correlated assets.

The same arguments give the same integer prices on every machine and with every NumPy: see `portable_math`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray

from zlp.oracle.decimal_text import PRICE_DECIMALS, price_from_text
from zlp.oracle.portable_math import Floats, exponential, normal_deviates, uniforms
from zlp.oracle.price_path import Candle, PricePath, PriceStep

SECONDS_PER_YEAR = 31_536_000
LOG_MOVE_MAX = 60.0
_FLOAT_EXACT = 2**53
"""Integers up to here are floats."""


class AssetModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one asset moves. Rates are per year and of the logarithm of the price.

    `start_price` is decimal text. `drift` is the expected growth of the price itself (without jumps);
    `jump_mean` and `jump_volatility` describe the log size of a jump. `reversion` pulls the price back to
    where it started (stable coins: some hundreds). Prices are cut to `decimals` places.
    """

    asset: str
    start_price: str
    drift: float = 0.0
    volatility: float = 0.6
    jumps_per_year: float = 0.0
    jump_mean: float = 0.0
    jump_volatility: float = 0.05
    reversion: float = 0.0
    decimals: int = 8


class Regime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mood of the whole market: it scales every volatility and adds to every drift (per year).

    It lasts `mean_seconds` on average; the next one is any of the others with equal chance.
    """

    mean_seconds: float
    volatility_scale: float = 1.0
    drift: float = 0.0


class Market(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the assets share. `correlation` is a full matrix in the order of the assets; None is independence.

    At each of `jumps_per_year` market jumps every asset jumps by its own mean and volatility, correlated.
    """

    correlation: tuple[tuple[float, ...], ...] | None = None
    regimes: tuple[Regime, ...] = ()
    jumps_per_year: float = 0.0


def generate(
    seed: int,
    assets: Sequence[AssetModel],
    steps: int,
    step_seconds: int,
    *,
    start_time: int = 0,
    market: Market = Market(),  # noqa: B008 - frozen
    ticks_per_step: int = 4,
) -> PricePath:
    """Make `steps` candles of `step_seconds`, each from `ticks_per_step` moves of the underlying path.

    The first open is the start price; every later open is the close before it. Raises `ValueError` for a
    model that makes no sense (negative volatility, a correlation matrix that is not one).
    """
    _check(seed, assets, (steps, step_seconds, ticks_per_step), market)
    moves = steps * ticks_per_step
    years = step_seconds / ticks_per_step / SECONDS_PER_YEAR
    stream = PCG64(SeedSequence(seed))
    scale, added_drift = _regimes(stream, market.regimes, moves, step_seconds / ticks_per_step)
    together = _uniform(stream, moves) < market.jumps_per_year * years
    root = _cholesky(_correlation(assets, market))
    shocks = _correlate(root, [normal_deviates(_uniform(stream, moves)) for _ in assets])
    leaps = _correlate(root, [normal_deviates(_uniform(stream, moves)) for _ in assets])
    columns = []
    for index, model in enumerate(assets):
        volatility = model.volatility * scale
        drift = (model.drift + added_drift - 0.5 * volatility * volatility) * years
        changes = drift + volatility * np.sqrt(np.float64(years)) * shocks[index]
        jumps = together | (_uniform(stream, moves) < model.jumps_per_year * years)
        changes = changes + np.where(jumps, model.jump_mean + model.jump_volatility * leaps[index], 0.0)
        columns.append(_candles(model, _positions(changes, model.reversion * years), steps))
    return PricePath(
        assets=tuple(model.asset for model in assets),
        step_seconds=step_seconds,
        steps=tuple(
            PriceStep(
                start_time + step * step_seconds,
                {model.asset: column[step] for model, column in zip(assets, columns, strict=True)},
            )
            for step in range(steps)
        ),
    )


def _check(seed: int, assets: Sequence[AssetModel], counts: tuple[int, int, int], market: Market) -> None:
    if seed < 0 or min(counts) < 1:
        raise ValueError("seed is at least 0; steps, step_seconds and ticks_per_step are at least 1")
    names = [model.asset for model in assets]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"the assets must be given and differ: {names}")
    for model in assets:
        if min(model.volatility, model.jumps_per_year, model.jump_volatility, model.reversion) < 0:
            raise ValueError(f"{model.asset}: volatilities, jump rate and reversion are not negative")
        if not 0 <= model.decimals <= PRICE_DECIMALS:
            raise ValueError(f"{model.asset}: decimals are between 0 and {PRICE_DECIMALS}")
    if any(regime.mean_seconds <= 0 or regime.volatility_scale < 0 for regime in market.regimes):
        raise ValueError("a regime lasts longer than 0 seconds and its volatility scale is not negative")


def _uniform(stream: PCG64, count: int) -> Floats:
    return uniforms(stream.random_raw(count))


def _regimes(stream: PCG64, regimes: Sequence[Regime], moves: int, seconds: float) -> tuple[Floats, Floats]:
    """Volatility scale and added drift of each move; the market starts in the first regime."""
    if not regimes:
        return np.ones(moves), np.zeros(moves)
    leave, where = _uniform(stream, moves).tolist(), _uniform(stream, moves).tolist()
    current, path = 0, np.zeros(moves, dtype=np.int64)
    for move in range(moves):
        if len(regimes) > 1 and leave[move] < seconds / regimes[current].mean_seconds:
            others = [index for index in range(len(regimes)) if index != current]
            current = others[int(where[move] * len(others))]
        path[move] = current
    scales = np.array([regime.volatility_scale for regime in regimes], dtype=np.float64)
    drifts = np.array([regime.drift for regime in regimes], dtype=np.float64)
    return scales[path], drifts[path]


def _correlation(assets: Sequence[AssetModel], market: Market) -> list[list[float]]:
    count = len(assets)
    if market.correlation is None:
        return [[1.0 if row == column else 0.0 for column in range(count)] for row in range(count)]
    matrix = [list(row) for row in market.correlation]
    if len(matrix) != count or any(len(row) != count for row in matrix):
        raise ValueError(f"the correlation matrix must be {count} by {count}, in the order of the assets")
    transposed = [list(column) for column in zip(*matrix, strict=True)]
    if matrix != transposed or any(matrix[index][index] != 1.0 for index in range(count)):
        raise ValueError("a correlation matrix is symmetric with ones on its diagonal")
    return matrix


def _cholesky(matrix: list[list[float]]) -> list[list[float]]:
    """Lower root of the matrix in plain Python: LAPACK's result may differ between machines."""
    count = len(matrix)
    root = [[0.0] * count for _ in range(count)]
    for row in range(count):
        for column in range(row + 1):
            rest = matrix[row][column]
            for inner in range(column):
                rest -= root[row][inner] * root[column][inner]
            if row != column:
                root[row][column] = rest / root[column][column] if root[column][column] else 0.0
            elif rest < -1e-12:
                raise ValueError("the correlation matrix is impossible: it is not positive semidefinite")
            else:
                root[row][row] = float(np.sqrt(np.float64(max(rest, 0.0))))
    return root


def _correlate(root: list[list[float]], independent: list[Floats]) -> list[Floats]:
    mixed = []
    for row in root:
        total = np.zeros_like(independent[0])
        for weight, deviates in zip(row, independent, strict=True):
            if weight:
                total = total + weight * deviates
        mixed.append(total)
    return mixed


def _positions(changes: Floats, pull: float) -> Floats:
    """Log prices relative to the start after each change; `pull` is the share that reverts at each move."""
    if not pull:
        positions: Floats = np.add.accumulate(changes)
        return np.clip(positions, -LOG_MOVE_MAX, LOG_MOVE_MAX)
    share, position, path = min(pull, 1.0), 0.0, []
    for change in changes.tolist():
        position = position - position * share + change
        path.append(position)
    return np.clip(np.array(path, dtype=np.float64), -LOG_MOVE_MAX, LOG_MOVE_MAX)


def _candles(model: AssetModel, positions: Floats, steps: int) -> list[Candle]:
    start = price_from_text(model.start_price)
    cut = 10 ** (PRICE_DECIMALS - model.decimals)
    unit = 1 if start % cut else cut
    visited = _visited(start // unit, cut // unit, exponential(positions)).reshape(steps, -1)
    closes = visited[:, -1]
    opens = np.concatenate([np.array([start // unit], dtype=visited.dtype), closes[:-1]])
    highs, lows = np.maximum(opens, visited.max(axis=1)), np.minimum(opens, visited.min(axis=1))
    rows = zip(opens.tolist(), highs.tolist(), lows.tolist(), closes.tolist(), strict=True)
    return [Candle(opened * unit, high * unit, low * unit, close * unit) for opened, high, low, close in rows]


def _visited(start: int, cut: int, factors: Floats) -> NDArray[Any]:
    """The start price times each factor, cut to a multiple of ``cut`` and never below that.

    A float product that is no whole number lies between the same two as the exact one. Any other, and one that is
    too large for floats to tell, is taken exactly.
    """
    if cut > 1 or start >= _FLOAT_EXACT:
        return np.array([_exact(start, cut, factor) for factor in factors.tolist()], dtype=object)
    products = start * factors
    whole = np.floor(products)
    doubtful = np.nonzero((whole == products) | (products >= _FLOAT_EXACT))[0].tolist()
    exact = [_exact(start, 1, float(factors[place])) for place in doubtful]
    prices = np.clip(whole, 1.0, _FLOAT_EXACT).astype(np.int64)
    if max(exact, default=0) >= 2**63:
        prices = prices.astype(object)
    prices[doubtful] = exact
    return prices


def _exact(start: int, cut: int, factor: float) -> int:
    top, bottom = factor.as_integer_ratio()
    return max((start * top) // (bottom * cut), 1) * cut
