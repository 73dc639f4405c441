"""Path-steps a second of the compiled world: beside NumPy across paths, and on one and two processors.

A path-step is one tick of one path with some 64 positions open: value the pool, accrue funding, execute orders, see
who is to be liquidated, let traders decide. A week of minutes; 64 traders with intentions of their own on every
path, who trade once a day and hold for half a day to three days, so that most ticks are quiet. The NumPy side does
the same work for all paths at once and arrives at the same pool values, which is checked first. It is measured
twice: comparing every position with the price at every tick, as whole arrays invite to, and with the kernel's own
trick, comparing only each path's nearest liquidation price. `python -m bench.simulator`.
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from bench.numpy_world import NumpyWorld
from bench.timing import interpreter, line, rates
from zlp.simulator.agents import TapeTrader
from zlp.simulator.kernel.path import run_paths
from zlp.simulator.kernel.state import Rules, Tape
from zlp.simulator.kernel.tape import tape_of

TRADERS, TICKS, PATHS = 64, 10_080, 256
SIDES = ((256, False), (1_024, False), (1_024, True))
"""How many paths NumPy takes at once (its calls cost less each), and whether it looks at each path's nearest only."""
MINUTE, HOUR = 60, 3_600
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
    lifetime=5 * MINUTE,
    unit=np.array([1e18, 1e18]),
    factor=np.array([125_000.0, 125_000.0]),
    stable=np.array([False, True]),
    asset=np.array([0]),
    most_leverage=np.array([30.0]),
    most_long=np.zeros(1),
    most_short=np.zeros(1),
    most_position=np.zeros(1),
)
CROWD = (
    TapeTrader(count=TRADERS, assets=("ETH",), interval=24 * HOUR, leverage=(1.5, 8.0), holding_hours=(12.0, 72.0)),
)


def inputs(paths: int) -> tuple[Tape, np.ndarray, np.ndarray]:
    """The intentions of every path, the seconds, and prices of a coin and a dollar."""
    times = np.arange(1, TICKS + 1, dtype=np.int64) * MINUTE
    tape, _ = tape_of(CROWD, range(paths), ["ETH"], int(times[1]), int(times[-1]))
    prices = np.ones((paths, TICKS, 2))
    moves = np.random.default_rng(7).normal(0, 0.0008, (paths, TICKS))
    prices[:, :, 0] = 2_000.0 * np.exp(np.cumsum(moves, axis=1))
    return tape, times, prices


def first(tape: Tape, paths: int) -> Tape:
    """The intentions of the first paths."""
    return Tape(tape.first[: paths + 1], *(column[: tape.first[paths]] for column in tape[1:]))


def numpy_side(
    tape: Tape, times: np.ndarray, prices: np.ndarray, paths: int, *, by_path: bool
) -> tuple[np.ndarray, float]:
    """Pool values of the first paths, and how many positions a path has open at the end."""
    world = NumpyWorld(RULES, AMOUNTS, TRADERS, paths, by_path=by_path)
    values = world.run(first(tape, paths), times, prices[:paths, :, 0])
    return values, float((world.size > 0.0).sum(axis=1).mean())


def main() -> None:
    """Print the table."""
    tape, times, prices = inputs(max(count for count, _ in SIDES))
    own, paths = first(tape, PATHS), prices[:PATHS]
    began = time.perf_counter()
    _, values = run_paths(RULES, AMOUNTS, own, TRADERS, times, paths, threads=2)
    print(f"{interpreter()}; compiled or loaded, and run once, in {time.perf_counter() - began:.1f} s")
    for by_path in (False, True):
        found, held = numpy_side(tape, times, prices, PATHS, by_path=by_path)
        np.testing.assert_allclose(found, values, rtol=1e-9)
        print(f"NumPy agrees with every pool value; {held:.0f} positions are open at the end of a path")

    def compiled(threads: int) -> int:
        run_paths(RULES, AMOUNTS, own, TRADERS, times, paths, threads=threads)
        return PATHS * TICKS

    def numpy_steps(count: int, by_path: bool) -> int:
        numpy_side(tape, times, prices, count, by_path=by_path)
        return count * TICKS

    cases = {"one": partial(compiled, 1), "two": partial(compiled, 2)}
    cases |= {str(side): partial(numpy_steps, *side) for side in SIDES}
    took = rates(cases, rounds=3)
    for count, by_path in SIDES:
        what = "nearest of each path" if by_path else "every position"
        print(line(f"NumPy across {count} paths, {what}", took[str((count, by_path))], None, "path-steps"))
    best = max(took[str(side)] for side in SIDES)
    print(line("compiled, 1 thread, against NumPy at its best", took["one"], best, "path-steps"))
    print(line("compiled, 2 threads, against 1", took["two"], took["one"], "path-steps"))


if __name__ == "__main__":
    main()
