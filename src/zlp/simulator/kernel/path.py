"""Running compiled paths: the loop over ticks, and many paths side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.compiled import compiled, driver
from zlp.simulator.kernel.crowd import decide, execute
from zlp.simulator.kernel.formulas import accrued, shorts_gain
from zlp.simulator.kernel.world import liquidate, nearest


@compiled
def _pass_interval(rules, world, now):  # type: ignore[no-untyped-def]
    """Funding has grown: project every index to now, and find the edges again; returns when it grows next.

    The first touch of a tick fixes an asset's index for all of it, so one projection serves every position.
    """
    pool = world.pool
    for asset in range(pool.index.shape[0]):
        pool.projected[asset], _ = accrued(
            pool.index[asset],
            pool.anchor[asset],
            now,
            rules.interval,
            rules.factor[asset],
            pool.reserved[asset],
            pool.amount[asset],
        )
    for group in range(world.slots.edge.shape[0]):
        _find_edge(rules, world, group)
    return now - now % rules.interval + rules.interval


@compiled
def _find_edge(rules, world, group):  # type: ignore[no-untyped-def]
    slots, traders, is_long = world.slots, world.net.shape[0], group % 2 == 0
    asset = rules.asset[group // 2] if is_long else rules.short_asset
    first, last = group * traders, (group + 1) * traders
    slots.edge[group] = nearest(
        slots.base[first:last], slots.slope[first:last], slots.bare[first:last], world.pool.projected[asset], is_long
    )


@compiled
def _pass_tick(rules, world, tape, end, prices, tick):  # type: ignore[no-untyped-def]
    """One tick at which something may happen: orders end, positions are liquidated, traders act."""
    slots = world.slots
    if world.clocks[s.WAITING] > 0:
        execute(rules, world, prices, tick)
    for group in range(slots.edge.shape[0]):
        asset, edge = rules.asset[group // 2], slots.edge[group]
        if prices.low[tick, asset] <= edge if group % 2 == 0 else prices.high[tick, asset] >= edge:
            liquidate(rules, world, group, prices, tick)
            _find_edge(rules, world, group)
    decide(rules, world, tape, end, prices, tick)


@driver
def run_path(rules, pool, tape, path, traders, prices, curves):  # type: ignore[no-untyped-def]
    """Pass every tick of path number ``path`` of the tape; the first founded the pool.

    ``pool`` is changed and ``curves`` filled. Returns (sums, net result of each trader, slots).
    """
    world = fresh_world(pool, rules.asset.shape[0], traders, tape.first[path + 1] - tape.first[path])
    world.clocks[s.NEXT] = tape.first[path]
    world.sums[s.PRICE_EFFECT] = _pass(rules, world, tape, tape.first[path + 1], prices, curves)
    return world.sums, world.net, world.slots


@compiled
def _pass(rules, world, tape, end, prices, curves):  # type: ignore[no-untyped-def]
    """Every tick: take a sample, then see whether anything can happen. Returns the price effect on what was held."""
    pool, clocks = world.pool, world.clocks
    times, low, high, intended = prices.times, prices.low, prices.high, tape.time
    amount, reserved, guaranteed, stable = pool.amount, pool.reserved, pool.guaranteed, rules.stable
    asset_of, long_size, short_size, short_tokens = rules.asset, pool.long_size, pool.short_size, pool.short_tokens
    edge, boundary, effect = world.slots.edge, np.int64(0), 0.0
    for tick in range(times.shape[0]):
        now, before = times[tick], max(0, tick - 1)
        value = used = held = longs = shorts = 0.0
        for asset in range(amount.shape[0]):
            effect += amount[asset] * (low[tick, asset] - low[before, asset])
            held += amount[asset] * low[tick, asset]
            used += reserved[asset] * low[tick, asset]
            if stable[asset]:
                value += amount[asset] * high[tick, asset]
            else:
                value += guaranteed[asset] + (amount[asset] - reserved[asset]) * high[tick, asset]
        is_near = False
        for market in range(asset_of.shape[0]):
            asset = asset_of[market]
            value -= shorts_gain(short_size[market], short_tokens[market], high[tick, asset])
            longs += long_size[market]
            shorts += short_size[market]
            is_near |= low[tick, asset] <= edge[2 * market] or high[tick, asset] >= edge[2 * market + 1]
        curves[s.VALUE, tick] = max(0.0, value)
        curves[s.USED, tick], curves[s.HELD, tick] = used, held
        curves[s.LONG, tick], curves[s.SHORT, tick] = longs, shorts
        if tick == 0:
            continue
        if now >= boundary:
            boundary = _pass_interval(rules, world, now)
            is_near = True
        intends = clocks[s.NEXT] < end and intended[clocks[s.NEXT]] <= now
        if is_near or intends or clocks[s.WAITING] > 0 or clocks[s.DUE] <= now:
            _pass_tick(rules, world, tape, end, prices, tick)
    return effect


@driver
def fresh_world(pool, markets, traders, intentions):  # type: ignore[no-untyped-def]
    """Nothing open. Everybody looks once at the first tick after the founding, then sleeps until he has something."""
    count = traders * 2 * markets
    beyond, edge = np.full(count, -s.FAR), np.full(2 * markets, -s.FAR)
    for group in range(1, 2 * markets, 2):
        beyond[group * traders : (group + 1) * traders] = s.FAR
        edge[group] = s.FAR
    slots = s.Slots(
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        beyond,
        np.zeros(count),
        beyond.copy(),
        edge,
    )
    most = count + intentions
    orders = s.Orders(np.zeros(most, np.int64), np.zeros(most), np.zeros(most), np.zeros(most, np.int64))
    crowd = s.Crowd(
        np.zeros(traders, np.int64),
        np.ones(traders, np.bool_),
        np.zeros(traders, np.int64),
        np.zeros(traders * markets, np.int64),
        np.zeros(traders, np.int64),
        np.zeros(traders, np.int64),
    )
    return s.World(pool, slots, orders, crowd, np.zeros(s.SUMS), np.zeros(traders), np.zeros(s.CLOCKS, np.int64))


def run_paths(rules, amounts, tape, traders, times, prices, *, threads=1):  # type: ignore[no-untyped-def]
    """Many paths: ``prices[path, tick, asset]`` and that path's intentions, each from a fresh pool of ``amounts``.

    Returns (sums, pool values) by path. Threads share the work; compiled code holds no lock.
    """
    count = prices.shape[0]
    sums, values = np.zeros((count, s.SUMS)), np.zeros((count, times.shape[0]))
    edges = [count * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        # Counting references to shared arrays would let the threads wait for each other: each has its own.
        parts = [
            pool.submit(
                _some, _own(rules), amounts.copy(), _own(tape), traders, times.copy(), prices, *span, sums, values
            )
            for span in pairwise(edges)
        ]
        for part in parts:
            part.result()
    return sums, values


def _own(arrays: Any) -> Any:
    """A copy of a named tuple with copies of its arrays."""
    return arrays._make(part.copy() if isinstance(part, np.ndarray) else part for part in arrays)


@driver
def _some(rules, amounts, tape, traders, times, prices, first, last, sums, values):  # type: ignore[no-untyped-def]
    curves, posted = np.empty((s.CURVES, times.shape[0])), np.ones(times.shape[0], np.bool_)
    for path in range(first, last):
        pool = fresh_pool(amounts, rules.asset.shape[0])
        known = s.Prices(times, prices[path], prices[path], posted)
        found, _, _ = run_path(rules, pool, tape, path, traders, known, curves)
        sums[path] = found
        values[path] = curves[s.VALUE]


@driver
def fresh_pool(amounts, markets):  # type: ignore[no-untyped-def]
    """A pool of these tokens with nothing open."""
    assets = amounts.shape[0]
    return s.Pool(
        amounts.copy(),
        np.zeros(assets),
        np.zeros(assets),
        np.zeros(assets),
        np.zeros(assets, np.int64),
        np.zeros(assets),
        np.zeros(markets),
        np.zeros(markets),
        np.zeros(markets),
    )
