"""Running compiled paths: the loop over ticks, and many paths side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.compiled import compiled
from zlp.simulator.kernel.crowd import decide, execute
from zlp.simulator.kernel.formulas import accrued, shorts_gain
from zlp.simulator.kernel.state import Array
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


def run_path(
    rules: s.Rules, pool: s.Pool, tape: s.Tape, path: int, traders: int, prices: s.Prices
) -> tuple[s.World, Array]:
    """Pass every tick of path number ``path`` of the tape; the first founded the pool, which is changed.

    Returns the world at the end, and the curves.
    """
    first, end = int(tape.first[path]), int(tape.first[path + 1])
    # A position may be ordered to close at every tick, while earlier orders of the same still wait for prices.
    waits = rules.lifetime // max(1, int(np.diff(prices.times).min(initial=rules.lifetime))) + 2
    world = fresh_world(pool, len(rules.asset), traders, end - first, waits)
    world.clocks[s.NEXT] = first
    curves = np.empty((s.CURVES, len(prices.times)))
    world.sums[s.PRICE_EFFECT] = _pass(rules, world, tape, end, prices, curves)
    return world, curves


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


def fresh_world(pool: s.Pool, markets: int, traders: int, intentions: int, waits: int) -> s.World:
    """Nothing open. Everybody looks once at the first tick after the founding, then sleeps until he has something.

    There is room for orders of every intention and for ``waits`` closings of every position.
    """
    slots, groups = traders * 2 * markets, np.arange(2 * markets)
    edge = np.where(groups % 2 == 0, -s.FAR, s.FAR)
    beyond = np.repeat(edge, traders)
    columns: list[np.ndarray] = [*np.zeros((7, slots)), beyond, np.zeros(slots), beyond.copy(), edge]
    empty = s.Slots(*columns)
    most = slots * waits + intentions
    return s.World(
        pool,
        empty._replace(until=np.zeros(slots, np.int64), closing=np.zeros(slots, np.bool_)),
        s.Orders(np.zeros(most, np.int64), np.zeros(most), np.zeros(most), np.zeros(most, np.int64)),
        s.Crowd(
            held=np.zeros(traders, np.int64),
            awake=np.ones(traders, np.bool_),
            placed=np.zeros(traders, np.int64),
            hold=np.zeros(traders * markets, np.int64),
            actors=np.zeros(traders, np.int64),
            seen=np.zeros(traders, np.int64),
        ),
        np.zeros(s.SUMS),
        np.zeros(traders),
        np.zeros(s.CLOCKS, np.int64),
    )


def fresh_pool(amounts: Array, markets: int) -> s.Pool:
    """A pool of these tokens with nothing open."""
    books, sides = np.zeros((4, len(amounts))), np.zeros((3, markets))
    reserved, guaranteed, index, projected = books
    return s.Pool(amounts.copy(), reserved, guaranteed, index, np.zeros(len(amounts), np.int64), projected, *sides)


def run_paths(
    rules: s.Rules, amounts: Array, tape: s.Tape, traders: int, times: Array, prices: Array, *, threads: int = 1
) -> tuple[Array, Array]:
    """Many paths: ``prices[path, tick, asset]`` and that path's intentions, each from a fresh pool of ``amounts``.

    Returns (sums, pool values) by path. Threads share the work; compiled code holds no lock.
    """
    count, posted = len(prices), np.ones(len(times), np.bool_)
    sums, values = np.zeros((count, s.SUMS)), np.zeros((count, len(times)))

    def one(path: int) -> None:
        known = s.Prices(times, prices[path], prices[path], posted)
        world, curves = run_path(rules, fresh_pool(amounts, len(rules.asset)), tape, path, traders, known)
        sums[path], values[path] = world.sums, curves[s.VALUE]

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(one, range(count)):
            pass
    return sums, values
