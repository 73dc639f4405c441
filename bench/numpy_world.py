"""The compiled world's rules once more, in NumPy across paths: what one would write without a compiler.

One market. Rows are paths, columns slots: the longs of all traders, then their shorts. It does what the kernel
does, orders, limits and all, and gives the same numbers. Orders and closings differ from path to path, so they are
gathered from all paths at each tick; an order that shares its path with others waits for its turn (``_rounds``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from zlp.simulator.kernel.state import Rules, Tape
from zlp.simulator.kernel.world import BACKED

Array = Any
FOREVER = 2**62


class NumpyWorld:
    """Many paths at once. Each position's liquidation price is kept and compared with the price at every tick;
    with ``by_path`` only the nearest of each path is.
    """

    def __init__(self, rules: Rules, amounts: Array, traders: int, paths: int, *, by_path: bool) -> None:
        self.rules, self.traders, self.by_path = rules, traders, by_path
        shape = (paths, 2 * traders)
        self.size, self.collateral, self.entry, self.reserve, self.slope = (np.zeros(shape) for _ in range(5))
        self.average = np.ones(shape)
        self.until, self.hold = np.full(shape, FOREVER), np.zeros((paths, traders), np.int64)
        self.side = np.repeat([1.0, -1.0], traders)
        self.base = np.tile(-1e300 * self.side, (paths, 1))
        self.bare, self.reach = self.base.copy(), self.base.copy()
        self.nearest = np.tile([-1e300, 1e300], (paths, 1))
        self.amount = np.tile(amounts, (paths, 1))
        self.reserved, self.index = np.zeros((paths, 2)), np.zeros((paths, 2))
        self.guaranteed, self.short_size, self.short_tokens = (np.zeros(paths) for _ in range(3))

    def run(self, tape: Tape, times: Array, prices: Array) -> Array:
        """Pool values by path and tick; ``prices`` of the coin by path and tick, the dollar is worth a dollar."""
        values = np.empty(prices.shape)
        intended = np.searchsorted(times, tape.time)
        path_of = np.repeat(np.arange(len(prices)), np.diff(tape.first))
        by_tick = np.argsort(intended, kind="stable")
        edges = np.searchsorted(intended[by_tick], np.arange(len(times) + 1))
        waiting: tuple[Array, ...] | None = None
        for tick, now in enumerate(times.tolist()):
            price = np.ascontiguousarray(prices[:, tick])
            values[:, tick] = self._value(price)
            if tick == 0:
                continue
            if now // self.rules.interval > times[tick - 1] // self.rules.interval:
                self._accrue()
            if waiting is not None:
                self._execute(*waiting, price, now)
            self._liquidate(price)
            wanted = by_tick[edges[tick] : edges[tick + 1]]
            waiting = self._decide(tape, wanted, path_of[wanted], price, now)
        return values

    def _value(self, price: Array) -> Array:
        free = (self.amount[:, 0] - self.reserved[:, 0]) * price
        return free + self.guaranteed + self.amount[:, 1] - (self.short_size - price * self.short_tokens)

    def _accrue(self) -> None:
        self.index += np.floor(self.rules.factor * self.reserved / self.amount)
        grown = self.base + self.slope * np.repeat(self.index, self.traders, axis=1)
        longs = slice(self.traders)
        self.reach = np.minimum(grown, self.bare)
        self.reach[:, longs] = np.maximum(grown[:, longs], self.bare[:, longs])
        self._find_nearest(np.arange(len(self.size)))

    def _find_nearest(self, paths: Array) -> None:
        if self.by_path:
            self.nearest[paths, 0] = self.reach[paths, : self.traders].max(axis=1)
            self.nearest[paths, 1] = self.reach[paths, self.traders :].min(axis=1)

    def _execute(self, paths: Array, slots: Array, tokens: Array, sizes: Array, price: Array, now: int) -> None:
        for turn in _rounds(paths):
            opens = sizes[turn] > 0.0
            opening, closing = turn[opens], turn[~opens]
            self._open(paths[opening], slots[opening], tokens[opening], sizes[opening], price, now)
            held = closing[self.size[paths[closing], slots[closing]] > 0.0]
            self._close(paths[held], slots[held], price)
        self._find_nearest(paths)

    def _open(self, path: Array, slot: Array, tokens: Array, added: Array, prices: Array, now: int) -> None:
        rules, at, price = self.rules, (path, slot), prices[path]
        is_long, asset = slot < self.traders, (slot >= self.traders).astype(np.int64)
        size, token_price = self.size[at], np.where(is_long, price, 1.0)
        total = size + added
        gained = self.side[slot] * size * (price - self.average[at]) / self.average[at]
        average = np.where(size > 0.0, price * total / (total + self.side[slot] * gained), price)
        fees = added * rules.opening + size * (self.index[path, asset] - self.entry[at]) / rules.scale
        collateral = self.collateral[at] + tokens * token_price - fees
        left = collateral + np.minimum(gained, 0.0)
        reserve = added / token_price
        done = (left >= total * rules.closing + rules.liquidation_fee) & (left * rules.most_leverage[0] >= total)
        kept = self.amount[path, asset] + np.where(is_long, tokens - fees / price, 0.0)
        reserved = self.reserved[path, asset] + reserve
        done &= (total >= collateral) & (reserved <= self.amount[path, asset]) & (kept >= reserved * BACKED)
        path, slot, asset, is_long = path[done], slot[done], asset[done], is_long[done]
        fees, reserve, added, total, average = fees[done], reserve[done], added[done], total[done], average[done]
        at, fresh, worth = (path, slot), size[done] == 0.0, (tokens * token_price)[done]
        before = np.where(fresh, 0.0, size[done] / self.average[at])
        self.reserved[path, asset] += reserve
        self.guaranteed[path] += np.where(is_long, added + fees - worth, 0.0)
        self.amount[path, asset] = kept[done]
        self.short_size[path] += np.where(is_long, 0.0, added)
        self.short_tokens[path] += np.where(is_long, 0.0, total / average - before)
        self.size[at], self.collateral[at], self.average[at] = total, collateral[done], average
        self.entry[at], self.reserve[at] = self.index[path, asset], self.reserve[at] + reserve
        self.until[at] = np.where(fresh, now + self.hold[path, slot % self.traders], self.until[at])
        self._fold(path, slot, asset)

    def _fold(self, path: Array, slot: Array, asset: Array) -> None:
        """Where each position is liquidated, as ``formulas.reach``."""
        rules, at, side = self.rules, (path, slot), self.side[slot]
        size, average = self.size[at], self.average[at]
        spent = average * (1.0 - side * self.collateral[at] / size) + side * average * 1e-9
        owed = rules.closing - self.entry[at] / rules.scale + rules.liquidation_fee / size
        self.base[at], self.slope[at] = spent + side * average * owed, side * average / rules.scale
        self.bare[at] = spent + side * average / rules.most_leverage[0]
        grown = self.base[at] + self.slope[at] * self.index[path, asset]
        self.reach[at] = np.where(side > 0, np.maximum(grown, self.bare[at]), np.minimum(grown, self.bare[at]))

    def _close(self, path: Array, slot: Array, prices: Array) -> None:
        rules, at, price = self.rules, (path, slot), prices[path]
        is_long, asset, size = slot < self.traders, (slot >= self.traders).astype(np.int64), self.size[path, slot]
        gained = self.side[slot] * size * (price - self.average[at]) / self.average[at]
        fees = size * (rules.closing + (self.index[path, asset] - self.entry[at]) / rules.scale)
        owed = self.collateral[at] + gained
        leaving = np.where(is_long, owed / price, gained)
        left = self.amount[path, asset] - leaving
        done = (owed > fees) & (left >= (self.reserved[path, asset] - self.reserve[at]) * BACKED)
        path, slot, asset = path[done], slot[done], asset[done]
        np.subtract.at(self.amount, (path, asset), leaving[done])
        self._forget(path, slot, asset)

    def _forget(self, path: Array, slot: Array, asset: Array) -> None:
        at, is_long = (path, slot), slot < self.traders
        size = self.size[at]
        np.add.at(self.guaranteed, path, np.where(is_long, self.collateral[at] - size, 0.0))
        np.subtract.at(self.short_size, path, np.where(is_long, 0.0, size))
        np.subtract.at(self.short_tokens, path, np.where(is_long, 0.0, size / self.average[at]))
        np.subtract.at(self.reserved, (path, asset), self.reserve[at])
        for column in (self.size, self.collateral, self.reserve, self.slope):
            column[at] = 0.0
        for column in (self.base, self.bare, self.reach):
            column[at] = -1e300 * self.side[slot]
        self.until[at] = FOREVER

    def _liquidate(self, price: Array) -> None:
        if self.by_path:
            reached = np.nonzero((price <= self.nearest[:, 0]) | (price >= self.nearest[:, 1]))[0]
            if not len(reached):
                return
            rows = self.side * (price[reached, None] - self.reach[reached]) <= 0.0
            place, slot = np.nonzero(rows)
            path = reached[place]
        else:
            longs = price[:, None] <= self.reach[:, : self.traders]
            shorts = price[:, None] >= self.reach[:, self.traders :]
            if not longs.any() and not shorts.any():
                return
            path, slot = np.nonzero(np.hstack([longs, shorts]))
        rules, at, asset = self.rules, (path, slot), (slot >= self.traders).astype(np.int64)
        size, collateral = self.size[at], self.collateral[at]
        left = collateral + self.side[slot] * size * (price[path] - self.average[at]) / self.average[at]
        fees = size * (rules.closing + (self.index[path, asset] - self.entry[at]) / rules.scale)
        seized = left < fees + rules.liquidation_fee
        closed = ~seized & (left * rules.most_leverage[0] < size)
        self._close(path[closed], slot[closed], price)
        taken = np.where((left >= 0.0) & (left < fees), left, fees)[seized]
        path, slot, asset, collateral = path[seized], slot[seized], asset[seized], collateral[seized]
        token_price = np.where(asset == 0, price[path], 1.0)
        kept = np.where(asset == 0, -taken, np.maximum(collateral - taken, 0.0)) - rules.liquidation_fee
        np.add.at(self.amount, (path, asset), kept / token_price)
        self._forget(path, slot, asset)
        self._find_nearest(np.unique(at[0]))

    def _decide(self, tape: Tape, wanted: Array, path: Array, price: Array, now: int) -> tuple[Array, ...] | None:
        """Orders for the next tick: closings that are due, then the openings intended."""
        due_path, due_slot = np.nonzero(self.until <= now)
        self.until[due_path, due_slot] = FOREVER
        if not len(due_path) and not len(wanted):
            return None
        trader, margin, is_long = tape.trader[wanted], tape.margin[wanted], tape.is_long[wanted]
        self.hold[path, trader] = tape.hold[wanted]
        leverage = np.minimum(tape.leverage[wanted], 0.9 * self.rules.most_leverage[0])
        tokens = margin / np.where(is_long, price[path], 1.0)
        sizes = margin * np.floor(leverage * 1e4) / 1e4
        nothing = np.zeros(len(due_path))
        return (
            np.concatenate([due_path, path]),
            np.concatenate([due_slot, trader + np.where(is_long, 0, self.traders)]),
            np.concatenate([nothing, tokens]),
            np.concatenate([nothing, sizes]),
        )


def _rounds(paths: Array) -> Iterator[Array]:
    """Places of the orders, so that each round holds at most one of a path, in their order."""
    left = np.arange(len(paths))
    while len(left):
        _, first = np.unique(paths[left], return_index=True)
        yield left[first]
        left = np.delete(left, first)
