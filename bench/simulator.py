"""Path-steps a second of the compiled world: beside NumPy across paths, and on one and two processors.

A path-step is one tick of one path with some 64 positions open: execute orders, accrue funding, check every
position, value the pool, decide. The NumPy side does the same work for all paths at once in whole-array
expressions, without orders and limits (which favours it). `python -m bench.simulator`.
"""

from __future__ import annotations

import time

import numpy as np

from bench.timing import interpreter, line, rates
from zlp.simulator.agents import TapeTrader
from zlp.simulator.kernel.inputs import tape_of
from zlp.simulator.kernel.path import run_paths
from zlp.simulator.kernel.state import Rules

TRADERS, TICKS, PATHS = 64, 720, 256
HOUR = 3_600
AMOUNTS = np.array([20_000.0, 40_000_000.0])
RULES = Rules(
    opening=0.001,
    closing=0.0,
    liquidation_fee=5.0,
    interval=HOUR,
    scale=1e10,
    short_asset=1,
    fee_asset=0,
    execution_fee=0.00018,
    factor=np.array([125_000.0, 125_000.0]),
    stable=np.array([False, True]),
    asset=np.array([0]),
    most_leverage=np.array([30.0]),
    most_long=np.zeros(1),
    most_short=np.zeros(1),
    most_position=np.zeros(1),
)
CROWD = (
    TapeTrader(count=TRADERS, assets=("ETH",), interval=100 * HOUR, leverage=(1.5, 8.0), holding_hours=(20.0, 180.0)),
)


def inputs() -> tuple[object, np.ndarray, np.ndarray]:
    """The tape of 64 traders who open once in four days, the seconds, and 256 paths of one coin and a dollar."""
    times = np.arange(1, TICKS + 1, dtype=np.int64) * HOUR
    tape, _ = tape_of(CROWD, 7, ["ETH"], int(times[1]), int(times[-1]))
    prices = np.ones((PATHS, TICKS, 2))
    moves = np.random.default_rng(7).normal(0, 0.006, (PATHS, TICKS))
    prices[:, :, 0] = 2_000.0 * np.exp(np.cumsum(moves, axis=1))
    return tape, times, prices


def numpy_paths(prices: np.ndarray) -> np.ndarray:
    """The same rules for all paths at once: a position a trader, opened again when it ends."""
    paths = prices.shape[0]
    draw = np.random.default_rng(8)
    is_long = np.where(draw.random((paths, TRADERS)) < 0.55, 1.0, -1.0)
    margin, leverage = draw.uniform(200, 12_000, (paths, TRADERS)), draw.uniform(1.5, 8, (paths, TRADERS))
    until = draw.integers(20, 180, (paths, TRADERS))
    size, average = margin * leverage, np.repeat(prices[:, 0, :1], TRADERS, axis=1)
    collateral, entry, index = margin * 1.0, np.zeros((paths, TRADERS)), np.zeros((paths, 1))
    amount, values = np.full((paths, 1), AMOUNTS[0]), np.empty((paths, TICKS))
    for tick in range(TICKS):
        price = prices[:, tick, :1]
        index += 125_000.0 * np.minimum(1.0, (size / average).sum(axis=1, keepdims=True) / amount)
        gained = is_long * size * (price - average) / average
        fees = size * (index - entry) / 1e10
        left = collateral + gained
        due = (left < fees + 5.0) | (left * 30.0 < size)
        ended = due | (tick >= until)
        amount -= np.where(ended, gained, 0.0).sum(axis=1, keepdims=True) / price
        values[:, tick] = (amount * price)[:, 0] + AMOUNTS[1] - np.where(ended, 0.0, gained).sum(axis=1)
        average = np.where(ended, price, average)
        collateral = np.where(ended, margin - size * 0.001, collateral)
        entry = np.where(ended, index, entry)
        until = np.where(ended, tick + 100, until)
    return values


def main() -> None:
    """Print the table."""
    tape, times, prices = inputs()
    began = time.perf_counter()
    run_paths(RULES, AMOUNTS, tape, TRADERS, times, prices[:2], threads=2)
    print(f"{interpreter()}; compiled or loaded in {time.perf_counter() - began:.1f} s")
    steps = PATHS * TICKS

    def compiled(threads: int) -> int:
        run_paths(RULES, AMOUNTS, tape, TRADERS, times, prices, threads=threads)
        return steps

    def numpy_side() -> int:
        numpy_paths(prices)
        return steps

    found = rates({"numpy": numpy_side, "one": lambda: compiled(1), "two": lambda: compiled(2)}, rounds=5)
    print(line("NumPy across 256 paths", found["numpy"], None, "path-steps"))
    print(line("compiled, 1 thread, against NumPy", found["one"], found["numpy"], "path-steps"))
    print(line("compiled, 2 threads, against 1", found["two"], found["one"], "path-steps"))


if __name__ == "__main__":
    main()
