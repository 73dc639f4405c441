"""Running compiled paths: the loop over ticks, and many paths side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numba import njit

from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.formulas import shorts_gain
from zlp.simulator.kernel.world import SHARE_OF_LEVERAGE, SMALLEST_MARGIN, _close, _liquidate, _open


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _sample(rules, pool, sums, prices, before, curves, tick):  # type: ignore[no-untyped-def]
    """``pool_value`` and what goes with it, and the price effect on what was held."""
    value = used = held = 0.0
    for asset in range(prices.shape[0]):
        price, amount = prices[asset], pool.amount[asset]
        sums[s.PRICE_EFFECT] += amount * (price - before[asset])
        held += amount * price
        used += pool.reserved[asset] * price
        if rules.stable[asset]:
            value += amount * price
        else:
            value += pool.guaranteed[asset] + (amount - pool.reserved[asset]) * price
    for market in range(rules.asset.shape[0]):
        price = prices[rules.asset[market]]
        value -= shorts_gain(pool.short_size[market], pool.short_tokens[market], price)
        curves[s.LONG, tick] += pool.long_size[market]
        curves[s.SHORT, tick] += pool.short_size[market]
    curves[s.VALUE, tick] = max(0.0, value)
    curves[s.USED, tick] = used
    curves[s.HELD, tick] = held


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _execute(rules, pool, slots, orders, count, minds, sums, net, prices, now):  # type: ignore[no-untyped-def]
    """Run the orders that waited for these prices; one that fails frees its trader's other closings."""
    width = 2 * rules.asset.shape[0]
    for place in range(count):
        slot = orders.slot[place]
        if orders.size[place] > 0.0:
            fresh = slots.size[slot] == 0.0
            done = _open(rules, pool, slots, sums, net, slot, orders.tokens[place], orders.size[place], prices, now)
            if done and fresh:
                slots.until[slot] = now + minds.hold[slot // 2]
        else:
            done = slots.size[slot] > 0.0 and _close(rules, pool, slots, sums, net, slot, prices, now)
        if done:
            sums[s.EXECUTED] += 1.0
            sums[s.REWARDS] += rules.execution_fee * prices[rules.fee_asset]
        else:
            sums[s.CANCELLED] += 1.0
            first = slot // width * width
            slots.closing[first : first + width] = 0


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _act(rules, slots, orders, count, minds, tape, trader, prices, now):  # type: ignore[no-untyped-def]
    """``TapeTrader.act``: closings that are due, then the openings of the tape; returns the number of orders."""
    markets, before = rules.asset.shape[0], count
    holds = False
    for slot in range(2 * markets * trader, 2 * markets * (trader + 1)):
        if slots.size[slot] > 0.0:
            holds = True
            if slots.closing[slot] == 0 and now >= slots.until[slot]:
                slots.closing[slot] = 1
                orders.slot[count], orders.tokens[count], orders.size[count] = slot, 0.0, 0.0
                count += 1
    place = minds.place[trader]
    while place < tape.first[trader + 1] and tape.time[place] <= now:
        market, margin = tape.market[place], tape.margin[place]
        if market >= 0:
            asset = rules.asset[market] if tape.is_long[place] else rules.short_asset
            leverage = min(tape.leverage[place], SHARE_OF_LEVERAGE * rules.most_leverage[market])
            pair = trader * markets + market
            minds.hold[pair] = tape.hold[place]
            if margin >= SMALLEST_MARGIN and count < orders.slot.shape[0]:
                orders.slot[count] = 2 * pair + (0 if tape.is_long[place] else 1)
                orders.tokens[count] = margin / prices[asset]
                orders.size[count] = margin * np.floor(leverage * 1e4) / 1e4
                count += 1
        place += 1
    minds.place[trader] = place
    minds.awake[trader] = 1 if holds or count > before else 0
    return count


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _decide(rules, slots, orders, minds, tape, prices, now):  # type: ignore[no-untyped-def]
    """Let everybody act in the order in which the exact world wakes them; returns the number of orders.

    First those who watch every tick, then the sleepers by the time of their intention.
    """
    count = sleepers = 0
    traders = minds.place.shape[0]
    width = 2 * rules.asset.shape[0]
    for trader in range(traders):
        place = minds.place[trader]
        due = place < tape.first[trader + 1] and tape.time[place] <= now
        if minds.awake[trader] == 1:
            holds = False
            for slot in range(width * trader, width * (trader + 1)):
                if slots.size[slot] > 0.0:
                    holds = True
                    due = due or (slots.closing[slot] == 0 and now >= slots.until[slot])
            if not due:
                minds.awake[trader] = 3 if holds else 2
                continue
            count = _act(rules, slots, orders, count, minds, tape, trader, prices, now)
            minds.awake[trader] |= 2
        elif due:
            sleepers += 1
    for _ in range(sleepers):
        earliest, soonest = -1, now + 1
        for trader in range(traders):
            place = minds.place[trader]
            waits = minds.awake[trader] == 0 and place < tape.first[trader + 1]
            if waits and tape.time[place] < soonest:
                earliest, soonest = trader, tape.time[place]
        count = _act(rules, slots, orders, count, minds, tape, earliest, prices, now)
    for trader in range(traders):
        minds.awake[trader] &= 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def run_path(rules, pool, tape, traders, times, prices):  # type: ignore[no-untyped-def]
    """Pass every tick of one path; ``prices[0]`` are those the pool was founded at.

    ``pool`` is changed. Returns (sums, curves, net result of each trader, slots).
    """
    count = traders * 2 * rules.asset.shape[0]
    slots = s.Slots(
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
    )
    orders = s.Orders(np.zeros(4 * count, np.int64), np.zeros(4 * count), np.zeros(4 * count))
    # Everybody looks once at the first tick after the founding, then sleeps until there is something to do.
    minds = s.Minds(tape.first[:-1].copy(), np.zeros(traders, np.int64), np.zeros(count // 2, np.int64))
    sums, net = np.zeros(s.SUMS), np.zeros(traders)
    curves = np.zeros((s.CURVES, times.shape[0]))
    waiting = 0
    for tick in range(times.shape[0]):
        now, current = times[tick], prices[tick]
        _sample(rules, pool, sums, current, prices[max(0, tick - 1)], curves, tick)
        if tick > 0:
            if waiting > 0:
                _execute(rules, pool, slots, orders, waiting, minds, sums, net, current, now)
            _liquidate(rules, pool, slots, sums, net, current, now)
            waiting = _decide(rules, slots, orders, minds, tape, current, now)
    return sums, curves, net, slots


def run_paths(rules, amounts, tape, traders, times, prices, *, threads=1):  # type: ignore[no-untyped-def]
    """Many paths of one crowd: ``prices[path, tick, asset]``, each from a fresh pool of ``amounts``.

    Returns (sums, pool values) by path. Threads share the work; compiled code holds no lock.
    """
    count = prices.shape[0]
    sums, values = np.zeros((count, s.SUMS)), np.zeros((count, times.shape[0]))
    edges = [count * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        parts = [
            pool.submit(_some, rules, amounts, tape, traders, times, prices, first, last, sums, values)
            for first, last in pairwise(edges)
        ]
        for part in parts:
            part.result()
    return sums, values


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _some(rules, amounts, tape, traders, times, prices, first, last, sums, values):  # type: ignore[no-untyped-def]
    for path in range(first, last):
        pool = fresh_pool(amounts, rules.asset.shape[0])
        found, curves, _, _ = run_path(rules, pool, tape, traders, times, prices[path])
        sums[path] = found
        values[path] = curves[s.VALUE]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
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
