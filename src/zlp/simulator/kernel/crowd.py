"""The traders of the fast world, compiled: who acts at a tick, what he orders, how orders end."""

from __future__ import annotations

import numpy as np

from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.compiled import compiled
from zlp.simulator.kernel.formulas import amount_of
from zlp.simulator.kernel.world import close_position, open_position
from zlp.simulator.world import LEAD

SMALLEST_MARGIN = 50.0
"""``hand.SMALLEST_MARGIN``."""
SHARE_OF_LEVERAGE = 0.9
"""Of the market's maximum, as ``Hand.open`` takes."""


@compiled
def execute(rules, world, prices, tick):  # type: ignore[no-untyped-def]
    """Run the orders that waited for these prices; without new prices only end those that waited too long."""
    orders, slots, sums, traders = world.orders, world.slots, world.sums, world.net.shape[0]
    now, left = prices.times[tick], 0
    for place in range(world.clocks[s.WAITING]):
        slot = orders.slot[place]
        expired = orders.placed[place] + rules.lifetime <= now
        if not expired and not prices.posted[tick]:
            orders.slot[left], orders.tokens[left], orders.size[left], orders.placed[left] = (
                slot,
                orders.tokens[place],
                orders.size[place],
                orders.placed[place],
            )
            left += 1
            continue
        if expired:
            done = False
        elif orders.size[place] > 0.0:
            done = open_position(rules, world, slot, orders.tokens[place], orders.size[place], prices, tick)
        else:
            done = slots.size[slot] > 0.0 and close_position(rules, world, slot, prices, tick)
        if done:
            sums[s.EXECUTED] += 1.0
            sums[s.REWARDS] += rules.execution_fee * prices.low[tick, rules.fee_asset]
            continue
        sums[s.EXPIRED if expired else s.CANCELLED] += 1.0
        for own in range(slot % traders, slots.size.shape[0], traders):
            slots.closing[own] = False
        world.clocks[s.DUE] = 0
    world.clocks[s.WAITING] = left


@compiled
def decide(rules, world, tape, end, prices, tick):  # type: ignore[no-untyped-def]
    """Let those who have something to do act, in the order in which the exact world wakes them.

    Who watches every tick woke a second after the last one, the others at their intention.
    """
    crowd, slots, traders = world.crowd, world.slots, world.net.shape[0]
    now, count, first = prices.times[tick], 0, world.clocks[s.NEXT]
    last = first
    while last < end and tape.time[last] <= now:
        trader = tape.trader[last]
        if crowd.seen[trader] != tick:
            woke = prices.times[tick - 1] + 1 if crowd.awake[trader] else tape.time[last]
            count = _line_up(crowd, count, woke, trader, traders, tick)
        last += 1
    world.clocks[s.NEXT] = last
    if world.clocks[s.DUE] <= now:
        due = s.NEVER
        for slot in range(slots.size.shape[0]):
            trader = slot % traders
            if slots.size[slot] == 0.0 or slots.closing[slot] or not crowd.awake[trader]:
                continue
            if slots.until[slot] > now:
                due = min(due, slots.until[slot])
            elif crowd.seen[trader] != tick:
                count = _line_up(crowd, count, prices.times[tick - 1] + 1, trader, traders, tick)
        world.clocks[s.DUE] = due
    for place in range(count):
        _act(rules, world, tape, first, last, crowd.actors[place] % traders, prices, tick)
    for trader in range(traders):
        if crowd.held[trader] == 0 and crowd.placed[trader] != tick:
            crowd.awake[trader] = False


@compiled
def _line_up(crowd, count, woke, trader, traders, tick):  # type: ignore[no-untyped-def]
    """Put a trader among those who act at this tick, sorted by when they woke; returns how many they are."""
    crowd.seen[trader] = tick
    actor, place = woke * traders + trader, count
    while place > 0 and crowd.actors[place - 1] > actor:
        crowd.actors[place] = crowd.actors[place - 1]
        place -= 1
    crowd.actors[place] = actor
    return count + 1


@compiled
def _act(rules, world, tape, first, last, trader, prices, tick):  # type: ignore[no-untyped-def]
    """``TapeTrader.act``: order the closings that are due, then the openings among these intentions."""
    crowd, slots, traders, now = world.crowd, world.slots, world.net.shape[0], prices.times[tick]
    for slot in range(trader, slots.size.shape[0], traders):
        if slots.size[slot] > 0.0 and not slots.closing[slot]:
            if slots.until[slot] <= now:
                slots.closing[slot] = True
                _order(world, slot, 0.0, 0.0, prices, tick)
            else:
                world.clocks[s.DUE] = min(world.clocks[s.DUE], slots.until[slot])
    for place in range(first, last):
        market = tape.market[place]
        if tape.trader[place] != trader or market < 0:
            continue
        margin, is_long = tape.margin[place], tape.is_long[place]
        crowd.hold[market * traders + trader] = tape.hold[place]
        if margin >= SMALLEST_MARGIN:
            slot = (2 * market + (0 if is_long else 1)) * traders + trader
            asset = rules.asset[market] if is_long else rules.short_asset
            leverage = min(tape.leverage[place], SHARE_OF_LEVERAGE * rules.most_leverage[market])
            tokens = amount_of(margin, prices.low[tick, asset], rules.unit[asset])
            _order(world, slot, tokens, margin * np.floor(leverage * 1e4) / 1e4, prices, tick)
    crowd.awake[trader] = crowd.held[trader] > 0 or crowd.placed[trader] == tick


@compiled
def _order(world, slot, tokens, size, prices, tick):  # type: ignore[no-untyped-def]
    """Let an order wait for the next prices, placed a moment before the next tick."""
    orders, place = world.orders, world.clocks[s.WAITING]
    orders.slot[place], orders.tokens[place], orders.size[place] = slot, tokens, size
    following = prices.times[min(tick + 1, prices.times.shape[0] - 1)]
    orders.placed[place] = max(prices.times[tick], following - LEAD)
    world.clocks[s.WAITING] = place + 1
    world.crowd.placed[slot % world.net.shape[0]] = tick
