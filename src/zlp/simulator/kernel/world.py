"""What can happen to a position in the fast world, compiled: opened, closed, seized."""

from __future__ import annotations

from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.compiled import compiled, formula
from zlp.simulator.kernel.formulas import (
    HEALTHY,
    LIQUIDATABLE,
    accrued,
    amount_of,
    gain,
    health,
    next_average,
    reach,
)

BACKED = 1.0 - 1e-12
"""Of what is reserved; a slack for comparisons that exact integers pass at equality."""

DUST = 1e-4
"""USD. Less than any position, and more than rounding leaves of a market in which nothing is open."""


@compiled
def touch(rules, pool, asset, now):  # type: ignore[no-untyped-def]
    """Bring an asset's funding index up to now."""
    pool.index[asset], pool.anchor[asset] = accrued(
        pool.index[asset],
        pool.anchor[asset],
        now,
        rules.interval,
        rules.factor[asset],
        pool.reserved[asset],
        pool.amount[asset],
    )


@formula
def _covers(amount: float, reserved: float) -> bool:
    """``PoolAsset.take``: what is reserved stays."""
    return amount >= reserved * BACKED


@compiled
def open_position(rules, world, slot, tokens, added, prices, tick):  # type: ignore[no-untyped-def]
    """``increase``: whether the position was opened or extended."""
    pool, slots, traders = world.pool, world.slots, world.net.shape[0]
    group, trader = slot // traders, slot % traders
    market, is_long = group // 2, group % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    price, low, high = prices.low[tick, rules.asset[market]], prices.low[tick, asset], prices.high[tick, asset]
    size = slots.size[slot]
    if not _has_room(rules, pool, market, is_long, added):
        return False
    touch(rules, pool, asset, prices.times[tick])
    average = next_average(is_long, size, slots.average[slot], price, added) if size > 0.0 else price
    trading = added * rules.opening
    funding = size * (pool.index[asset] - slots.entry[slot]) / rules.scale if size > 0.0 else 0.0
    brought = tokens * low
    collateral = slots.collateral[slot] + brought - trading - funding
    total = size + added
    gained = gain(is_long, total, average, price)
    state, _ = health(
        collateral,
        gained,
        total * rules.closing,
        rules.liquidation_fee,
        total,
        rules.most_leverage[market],
        True,
    )
    most = rules.most_position[market]
    reserve = amount_of(added, low, rules.unit[asset])
    if collateral < 0.0 or total < collateral or state != HEALTHY or (most > 0.0 and total > most):
        return False
    kept = pool.amount[asset]
    if is_long:
        kept += tokens - amount_of(trading + funding, high, rules.unit[asset])
    if pool.reserved[asset] + reserve > pool.amount[asset] or not _covers(kept, pool.reserved[asset] + reserve):
        return False
    pool.reserved[asset] += reserve
    pool.amount[asset] = kept
    if is_long:
        pool.guaranteed[asset] += added + trading + funding - brought
        pool.long_size[market] += added
    else:
        before = size / slots.average[slot] if size > 0.0 else 0.0
        pool.short_size[market] += added
        pool.short_tokens[market] += total / average - before
    if size == 0.0:
        world.crowd.held[trader] += 1
        slots.until[slot] = prices.times[tick] + world.crowd.hold[market * traders + trader]
    slots.size[slot], slots.collateral[slot], slots.average[slot] = total, collateral, average
    slots.entry[slot] = pool.index[asset]
    slots.reserved[slot] += reserve
    slots.closing[slot] = False
    world.clocks[s.DUE] = min(world.clocks[s.DUE], slots.until[slot])
    _set_reach(rules, world, slot)
    world.sums[s.TRADING] += trading
    world.sums[s.FUNDING] += funding
    world.sums[s.VOLUME] += added
    world.net[trader] -= trading + funding
    return True


@compiled
def _has_room(rules, pool, market, is_long, added):  # type: ignore[no-untyped-def]
    """The market's limits of open interest (0: none)."""
    if is_long:
        most, size = rules.most_long[market], pool.guaranteed[rules.asset[market]]
    else:
        most, size = rules.most_short[market], pool.short_size[market]
    return most == 0.0 or size + added <= most


@compiled
def _set_reach(rules, world, slot):  # type: ignore[no-untyped-def]
    """Where the changed position will be liquidated; the edge of its group moves if that is nearer."""
    slots, group = world.slots, slot // world.net.shape[0]
    base, slope, bare = reach(
        group % 2 == 0,
        slots.size[slot],
        slots.average[slot],
        slots.collateral[slot],
        slots.entry[slot],
        rules.closing,
        rules.liquidation_fee,
        rules.scale,
        rules.most_leverage[group // 2],
    )
    slots.base[slot], slots.slope[slot], slots.bare[slot] = base, slope, bare
    now = base + slope * slots.entry[slot]
    if group % 2 == 0:
        slots.edge[group] = max(slots.edge[group], now, bare)
    else:
        slots.edge[group] = min(slots.edge[group], now, bare)


@compiled
def close_position(rules, world, slot, prices, tick):  # type: ignore[no-untyped-def]
    """``reduce`` of the whole position: whether it was closed."""
    pool, slots, sums, traders = world.pool, world.slots, world.sums, world.net.shape[0]
    group = slot // traders
    market, is_long = group // 2, group % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    price = (prices.low if is_long else prices.high)[tick, rules.asset[market]]
    touch(rules, pool, asset, prices.times[tick])
    size, collateral = slots.size[slot], slots.collateral[slot]
    trading = size * rules.closing
    funding = size * (pool.index[asset] - slots.entry[slot]) / rules.scale
    gained = gain(is_long, size, slots.average[slot], price)
    owed = collateral + gained
    if owed < 0.0 or (owed <= trading + funding and trading + funding > 0.0):
        return False
    leaving = amount_of(owed if is_long else gained, prices.high[tick, asset], rules.unit[asset])
    left = pool.amount[asset] - leaving
    if not _covers(left, pool.reserved[asset] - slots.reserved[slot]):
        return False
    pool.amount[asset] = left
    if is_long:
        pool.guaranteed[asset] += collateral - size
    _forget(world, slot, asset)
    sums[s.REALISED] += gained
    sums[s.TRADING] += trading
    sums[s.FUNDING] += funding
    sums[s.VOLUME] += size
    world.net[slot % traders] += gained - trading - funding
    return True


@compiled
def _forget(world, slot, asset):  # type: ignore[no-untyped-def]
    """What was set aside is free, the position's size leaves the market and the slot is free."""
    pool, slots, traders = world.pool, world.slots, world.net.shape[0]
    size, market, is_long = slots.size[slot], slot // traders // 2, slot // traders % 2 == 0
    if is_long:
        left = pool.long_size[market] - size
        pool.long_size[market] = left if left > DUST else 0.0
    else:
        left = pool.short_size[market] - size
        pool.short_size[market] = left if left > DUST else 0.0
        pool.short_tokens[market] -= size / slots.average[slot]
    pool.reserved[asset] -= slots.reserved[slot]
    slots.size[slot] = slots.collateral[slot] = slots.reserved[slot] = slots.slope[slot] = 0.0
    slots.base[slot] = slots.bare[slot] = -s.FAR if is_long else s.FAR
    slots.closing[slot] = False
    world.crowd.held[slot % traders] -= 1


@compiled
def _seize(rules, world, slot, fees, gained, prices, tick):  # type: ignore[no-untyped-def]
    """``liquidate._seize``: fees out, the rest of the collateral stays with the pool, which pays the liquidator.

    Returns whether the pool can.
    """
    pool, slots, sums, traders = world.pool, world.slots, world.sums, world.net.shape[0]
    market, is_long = slot // traders // 2, slot // traders % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    size, collateral = slots.size[slot], slots.collateral[slot]
    loss = max(0.0, -gained)
    funding = min(fees, size * (pool.index[asset] - slots.entry[slot]) / rules.scale)
    unit, token_price = rules.unit[asset], prices.high[tick, asset]
    reward = amount_of(rules.liquidation_fee, token_price, unit)
    kept = pool.amount[asset] - reward
    if is_long:
        kept -= amount_of(fees, token_price, unit)
    elif fees < collateral:
        kept += amount_of(collateral - fees, token_price, unit)
    if not _covers(kept, pool.reserved[asset] - slots.reserved[slot]):
        return False
    pool.amount[asset] = kept
    if is_long:
        pool.guaranteed[asset] += collateral - size
    _forget(world, slot, asset)
    borne = min(loss, collateral)
    left = collateral - borne - fees
    sums[s.REALISED] -= borne
    sums[s.TRADING] += fees - funding
    sums[s.FUNDING] += funding
    sums[s.VOLUME] += size
    sums[s.FORFEITED] += max(0.0, left)
    sums[s.UNCOLLECTED] += max(0.0, -left)
    sums[s.BAD_DEBT] += max(0.0, loss - collateral)
    sums[s.BAD_DEBTS] += 1.0 if loss > collateral else 0.0
    sums[s.REWARDS] += reward * prices.low[tick, asset]
    sums[s.FORFEITED] -= reward * prices.low[tick, asset]
    world.net[slot % traders] -= borne + fees + left
    return True


@compiled
def liquidate(rules, world, group, prices, tick):  # type: ignore[no-untyped-def]
    """Look at every position of a group and close what its collateral no longer carries."""
    pool, slots, sums, traders = world.pool, world.slots, world.sums, world.net.shape[0]
    market, is_long = group // 2, group % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    price = (prices.low if is_long else prices.high)[tick, rules.asset[market]]
    for slot in range(group * traders, (group + 1) * traders):
        size = slots.size[slot]
        if size == 0.0:
            continue
        gained = gain(is_long, size, slots.average[slot], price)
        fees = size * (rules.closing + (pool.projected[asset] - slots.entry[slot]) / rules.scale)
        state, taken = health(
            slots.collateral[slot], gained, fees, rules.liquidation_fee, size, rules.most_leverage[market], False
        )
        if state == HEALTHY:
            continue
        touch(rules, pool, asset, prices.times[tick])
        if state == LIQUIDATABLE:
            sums[s.SEIZED] += _seize(rules, world, slot, taken, gained, prices, tick)
        else:
            sums[s.OVERDUE] += close_position(rules, world, slot, prices, tick)


@compiled
def nearest(base, slope, bare, index, is_long):  # type: ignore[no-untyped-def]
    """The edge of a group's slots at a funding index: the largest ``reach`` of longs, the smallest of shorts."""
    if is_long:
        most = -s.FAR
        for place in range(base.shape[0]):
            most = max(most, base[place] + slope[place] * index, bare[place])
        return most
    least = s.FAR
    for place in range(base.shape[0]):
        least = min(least, base[place] + slope[place] * index, bare[place])
    return least
