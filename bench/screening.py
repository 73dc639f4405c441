"""What a price tick makes due among 1,000,000 positions: screening beside a plain NumPy scan.

The baseline holds what the rule reads in six float64 columns and evaluates it with whole-array expressions, as one
would write it first. Both sides see the same positions and the same prices, a few ticks each in turn. `--positions`
for other sizes, `--check` to compare with the exact scan of every position (about 2 seconds per million and price).
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from itertools import count as count_up
from typing import Any

import numpy as np

from bench.timing import interpreter, rates
from tests.screening.exact import RATE, USD, Isolated, IsolatedRules, isolated_due
from zlp.screening import (
    AccountTable,
    CrossCollateral,
    CrossPosition,
    Direction,
    DueTable,
    Ratio,
    TriggerTable,
    backend,
    cross_margin_variables,
    fold_cross_margin,
    fold_isolated,
    kernels_numpy,
)
from zlp.screening.margin import THRESHOLD_MARGIN

ROUNDS = 9
RULES = IsolatedRules(index_scale=10**12)
INDEX = 37 * 10**9
PRICES = tuple(int(price * 10**6) * 10**24 for price in (1_790.25, 1_800.5, 1_809.75))
TICKS = 2 * PRICES


def positions(count: int) -> list[Isolated]:
    """A market near 1800 USD: leverage 1.1 to 12, a year of funding; one position in about 1500 is due."""
    draw = random.Random(2024)
    made = []
    for _ in range(count):
        size = int(draw.lognormvariate(9, 1.5) * 10**6) * 10**24
        leverage = draw.uniform(1.1, 12) if draw.random() < 0.999 else draw.uniform(12, 30)
        average = int(draw.uniform(1_755, 1_845) * 10**6) * 10**24
        made.append(Isolated(draw.random() < 0.5, size, int(size / leverage), average, draw.randrange(INDEX)))
    return made


def fold_all(made: list[Isolated]) -> dict[bool, DueTable[int]]:
    """One table a side, filled row by row."""
    tables: dict[bool, DueTable[int]] = {
        True: DueTable(Direction.AT_OR_BELOW, indices=1),
        False: DueTable(Direction.AT_OR_ABOVE, indices=1),
    }
    for key, each in enumerate(made):
        threshold = fold_isolated(
            is_long=each.is_long,
            size=each.size,
            collateral=each.collateral,
            average_price=each.average_price,
            entry_index=each.entry_index,
            position_fee=RULES.position_fee(each.size),
            liquidation_fee=RULES.liquidation_fee,
            index_scale=RULES.index_scale,
            maximum_leverage_bps=RULES.maximum_leverage_bps,
        )
        tables[each.is_long].upsert(key, threshold)
    return tables


def copied(tables: dict[bool, DueTable[int]]) -> dict[bool, DueTable[int]]:
    """The same rows in tables of their own, as after a restart."""
    made: dict[bool, DueTable[int]] = {
        True: DueTable(Direction.AT_OR_BELOW, indices=1),
        False: DueTable(Direction.AT_OR_ABOVE, indices=1),
    }
    for side, table in tables.items():
        made[side].load(*table.dump())
    return made


def naive_scan(made: list[Isolated]) -> Callable[[int], Any]:
    """The rule over six columns: size, tokens, collateral, entry index, closing fee, side."""
    size = np.array([each.size / USD for each in made])
    tokens = np.array([each.size / each.average_price for each in made])
    collateral = np.array([each.collateral / USD for each in made])
    entry = np.array([each.entry_index / RULES.index_scale for each in made])
    closing = np.array([RULES.position_fee(each.size) / USD for each in made])
    side = np.array([1.0 if each.is_long else -1.0 for each in made])
    fee, leverage, index = RULES.liquidation_fee / USD, RULES.maximum_leverage_bps / 10**4, INDEX / RULES.index_scale

    def scan(price: int) -> Any:
        remaining = collateral + side * (tokens * (price / USD) - size)
        fees = size * (index - entry) + closing + fee
        return np.flatnonzero((remaining < fees) | (remaining * leverage < size))

    return scan


def medians(sides: dict[str, Callable[[int], Any]]) -> dict[str, float]:
    """Median milliseconds a tick of each side, a few ticks of one and then of the next, in rounds."""

    def batch(scan: Callable[[int], Any]) -> Callable[[], int]:
        def ticks() -> int:
            for price in TICKS:
                scan(price)
            return len(TICKS)

        return ticks

    for scan in sides.values():
        scan(PRICES[0])
    return {name: 1e3 / rate for name, rate in rates({n: batch(scan) for n, scan in sides.items()}, ROUNDS).items()}


def report(name: str, milliseconds: float, bytes_read: float, baseline: float | None = None, note: str = "") -> None:
    """One line: time, how fast memory was read where all of it is, how much faster than the baseline."""
    speed = f"{bytes_read / milliseconds / 1e6:6.1f} GB/s" if bytes_read else ""
    ratio = f"{baseline / milliseconds:6.1f}x" if baseline else ""
    print(f"{name:60} {milliseconds:8.3f} ms/tick {speed:11} {ratio:8} {note}")


def padded(columns: Any) -> Any:
    """The columns with room for whole blocks."""
    made = np.zeros((columns.shape[0], -(-columns.shape[1] // 128) * 128))
    made[:, : columns.shape[1]] = columns
    return made


def bench_positions(count: int, check: bool) -> None:
    """Isolated positions: the requirement."""
    made = positions(count)
    begin = time.perf_counter()
    tables = fold_all(made)
    folding = time.perf_counter() - begin
    others = copied(tables)  # so that the side whose indices move does not disturb the other
    columns = {side: padded(table.dump()[1]) for side, table in tables.items()}
    everything = np.concatenate([each.ravel() for each in columns.values()])
    moving = count_up(INDEX)

    def screen(price: int) -> list[int]:
        return tables[True].due(price, [INDEX]) + tables[False].due(price, [INDEX])

    def screen_moved(price: int) -> list[int]:
        index = [next(moving)]
        return others[True].due(price, index) + others[False].due(price, index)

    def screen_numpy(price: int) -> None:
        for side, sign in ((True, 1.0), (False, -1.0)):
            rows, reach = columns[side], np.full(columns[side].shape[1] // 128, np.inf)
            kernels_numpy.threshold_hits(
                rows, len(tables[side]), sign * price, np.array([float(INDEX)]), THRESHOLD_MARGIN, reach, False
            )

    found = medians(
        {
            "naive": naive_scan(made),
            "numpy": screen_numpy,
            "moved": screen_moved,
            "screen": screen,
            "confirmed": lambda price: [key for key in screen(price) if isolated_due(made[key], price, INDEX, RULES)],
            "read": lambda _: everything.sum(),
        }
    )
    base, name = found["naive"], f"screening, {backend()} backend"
    report("plain NumPy, 6 columns (the baseline)", base, 48 * count)
    report(f"{name}, a price tick", found["screen"], 0, base, "goal: 8x")
    report("the same, and every candidate confirmed exactly", found["confirmed"], 0, base)
    report(f"{name}, funding moved too: every row is read", found["moved"], 24 * count, base)
    report("screening, numpy backend, every row is read", found["numpy"], 24 * count, base)
    report("reading the same columns once: numpy.sum", found["read"], 24 * count)
    print(f"folding and inserting: {count / folding:,.0f} positions a second")
    for price in PRICES if check else PRICES[:1]:
        candidates = set(screen(price))
        due = {key for key in candidates if isolated_due(made[key], price, INDEX, RULES)}
        line = f"at {price / USD:,.2f}: {len(candidates)} candidates, {len(due)} due"
        if check:
            exact = {key for key, each in enumerate(made) if isolated_due(each, price, INDEX, RULES)}
            line += f"; the exact scan of all finds {len(exact)}, {'the same' if exact == due else 'OTHERS'}"
            if exact != due:
                raise SystemExit(line)
        print(line)


def bench_orders(count: int) -> None:
    """Orders with a trigger."""
    draw = random.Random(7)
    triggers = np.array([draw.uniform(1_400, 1_789) for _ in range(count)])
    table: TriggerTable[int] = TriggerTable()
    for key, trigger in enumerate(triggers):
        table.upsert(key, int(trigger * 10**6) * 10**24, above=False)
    above = np.zeros(count, dtype=bool)

    def naive(price: int) -> Any:
        level = price / USD
        return np.flatnonzero(np.where(above, triggers <= level, triggers >= level))

    found = medians({"naive": naive, "screen": table.due})
    report("orders: plain NumPy, 2 columns", found["naive"], 9 * count)
    report("orders: screening", found["screen"], 0, found["naive"])


def bench_accounts(count: int) -> None:
    """Cross-margin accounts of one to four positions."""
    draw, markets = random.Random(9), ("BTC", "ETH", "SOL", "XRP")
    table: AccountTable[int] = AccountTable()
    begin = time.perf_counter()
    legs = 0
    for key in range(count):
        held = draw.sample(markets, draw.choice((1, 1, 2, 4)))
        legs += 1 + 2 * len(held)
        table.upsert(
            key,
            fold_cross_margin(
                collaterals=[CrossCollateral(asset="USDC", amount=5_000 * 10**6, unit=10**6, factor_bps=10**4)],
                positions=[
                    CrossPosition(
                        market=market,
                        asset_class="crypto",
                        size=draw.choice((1, -1)) * draw.randrange(1_000, 20_000) * USD,
                        average_price=int(draw.uniform(1_600, 2_000)) * USD,
                        profit_cap=1_000 * USD,
                        entry_borrow=draw.randrange(RATE // 100),
                        entry_funding=draw.randrange(RATE // 100),
                        closing_fee=Ratio(7, 10**4),
                        maximum_skew_scale=300_000_000 * USD,
                        maintenance_margin_bps=50,
                    )
                    for market in held
                ],
                debts=0,
                liquidation_fee=5 * USD,
                profit_share_bps=8_000,
            ),
        )
    folding = time.perf_counter() - begin

    def tick(names: tuple[str, ...]) -> Callable[[int], Any]:
        def scan(price: int) -> Any:
            return table.due(
                cross_margin_variables(
                    prices={"USDC": (USD, USD), **dict.fromkeys(names, (price, price))}
                    if len(names) > 1
                    else dict.fromkeys(names, (price, price)),
                    markets=dict.fromkeys(names, (10**6 * USD, RATE // 100)),
                    borrow={"crypto": RATE // 100} if len(names) > 1 else {},
                )
            )

        return scan

    found = medians({"all": tick(markets), "one": tick(markets[:1])})
    report(f"{count:,} accounts, {legs:,} legs: every market moved", found["all"], 48 * legs)
    report("the same, one of four markets moved", found["one"], 24 * legs)
    print(f"folding and inserting: {count / folding:,.0f} accounts a second")


def main(arguments: list[str] | None = None) -> None:
    """Print milliseconds a tick, memory speed, and ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.screening", description=__doc__)
    parser.add_argument("--positions", type=int, default=1_000_000, help="rows to scan (default: 1,000,000)")
    parser.add_argument("--accounts", type=int, default=200_000, help="cross-margin accounts (default: 200,000)")
    parser.add_argument("--check", action="store_true", help="compare with the exact scan of every position")
    chosen = parser.parse_args(arguments)
    print(f"{interpreter()}, NumPy {np.__version__}, screening by {backend()}, one thread")
    bench_positions(chosen.positions, chosen.check)
    bench_orders(chosen.positions)
    bench_accounts(chosen.accounts)


if __name__ == "__main__":
    main()
