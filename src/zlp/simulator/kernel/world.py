"""One path of the fast world, compiled: the same order of things in a tick as in ``simulator.world``."""

from __future__ import annotations

from numba import njit

from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.formulas import (
    HEALTHY,
    LIQUIDATABLE,
    accrued,
    gain,
    health,
    next_average,
)

BACKED = 1e-12
"""Slack of comparisons that exact integers pass at equality."""
SMALLEST_MARGIN = 50.0
"""``hand.SMALLEST_MARGIN``."""
SHARE_OF_LEVERAGE = 0.9
"""Of the market's maximum, as ``Hand.open`` takes."""


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _touch(rules, pool, asset, now):  # type: ignore[no-untyped-def]
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


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _take(pool, asset, tokens):  # type: ignore[no-untyped-def]
    """Tokens leave the pool if what is reserved stays; whether they did."""
    left = pool.amount[asset] - tokens
    if left < pool.reserved[asset] - BACKED * pool.amount[asset]:
        return False
    pool.amount[asset] = left
    return True


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _open(rules, pool, slots, sums, net, slot, tokens, added, prices, now):  # type: ignore[no-untyped-def]
    """``increase``: whether the position was opened or extended."""
    market, is_long = (slot // 2) % rules.asset.shape[0], slot % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    price, token_price = prices[rules.asset[market]], prices[asset]
    size, most = slots.size[slot], rules.most_long[market]
    if is_long and most > 0.0 and pool.guaranteed[asset] + added > most:
        return False
    most = rules.most_short[market]
    if not is_long and most > 0.0 and pool.short_size[market] + added > most:
        return False
    _touch(rules, pool, asset, now)
    average = next_average(is_long, size, slots.average[slot], price, added) if size > 0.0 else price
    trading = added * rules.opening
    funding = size * (pool.index[asset] - slots.entry[slot]) / rules.scale if size > 0.0 else 0.0
    brought = tokens * token_price
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
    reserve = added / token_price
    if collateral < 0.0 or total < collateral or state != HEALTHY or (most > 0.0 and total > most):
        return False
    if pool.reserved[asset] + reserve > pool.amount[asset]:
        return False
    pool.reserved[asset] += reserve
    if is_long:
        pool.guaranteed[asset] += added + trading + funding - brought
        pool.amount[asset] += tokens - (trading + funding) / token_price
        pool.long_size[market] += added
    else:
        before = size / slots.average[slot] if size > 0.0 else 0.0
        pool.short_size[market] += added
        pool.short_tokens[market] += total / average - before
    slots.size[slot], slots.collateral[slot], slots.average[slot] = total, collateral, average
    slots.entry[slot] = pool.index[asset]
    slots.reserved[slot] += reserve
    slots.closing[slot] = 0
    sums[s.TRADING] += trading
    sums[s.FUNDING] += funding
    sums[s.VOLUME] += added
    net[slot // (2 * rules.asset.shape[0])] -= trading + funding
    return True


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _close(rules, pool, slots, sums, net, slot, prices, now):  # type: ignore[no-untyped-def]
    """``reduce`` of the whole position: whether it was closed."""
    market, is_long = (slot // 2) % rules.asset.shape[0], slot % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    price, token_price = prices[rules.asset[market]], prices[asset]
    _touch(rules, pool, asset, now)
    size, collateral = slots.size[slot], slots.collateral[slot]
    trading = size * rules.closing
    funding = size * (pool.index[asset] - slots.entry[slot]) / rules.scale
    gained = gain(is_long, size, slots.average[slot], price)
    owed = collateral + gained
    if owed < 0.0 or (owed <= trading + funding and trading + funding > 0.0):
        return False
    pool.reserved[asset] -= slots.reserved[slot]
    leaving = owed / token_price if is_long else gained / token_price
    if not _take(pool, asset, leaving):
        pool.reserved[asset] += slots.reserved[slot]
        return False
    _forget(pool, slots, slot, market, is_long)
    if is_long:
        pool.guaranteed[asset] += collateral - size
    sums[s.REALISED] += gained
    sums[s.TRADING] += trading
    sums[s.FUNDING] += funding
    sums[s.VOLUME] += size
    net[slot // (2 * rules.asset.shape[0])] += gained - trading - funding
    return True


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _forget(pool, slots, slot, market, is_long):  # type: ignore[no-untyped-def]
    """The position's size leaves the market and the slot is free."""
    size = slots.size[slot]
    if is_long:
        pool.long_size[market] -= size
    else:
        pool.short_size[market] -= size
        pool.short_tokens[market] -= size / slots.average[slot]
    slots.size[slot] = slots.collateral[slot] = slots.reserved[slot] = 0.0
    slots.closing[slot] = 0


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _seize(rules, pool, slots, sums, net, slot, fees, gained, prices):  # type: ignore[no-untyped-def]
    """``liquidate._seize``: fees out, the rest of the collateral stays with the pool, which pays the liquidator."""
    market, is_long = (slot // 2) % rules.asset.shape[0], slot % 2 == 0
    asset = rules.asset[market] if is_long else rules.short_asset
    token_price = prices[asset]
    size, collateral = slots.size[slot], slots.collateral[slot]
    loss = max(0.0, -gained)
    funding = min(fees, size * (pool.index[asset] - slots.entry[slot]) / rules.scale)
    pool.reserved[asset] -= slots.reserved[slot]
    if is_long:
        pool.guaranteed[asset] += collateral - size
        pool.amount[asset] -= fees / token_price
    elif fees < collateral:
        pool.amount[asset] += (collateral - fees) / token_price
    _forget(pool, slots, slot, market, is_long)
    pool.amount[asset] -= rules.liquidation_fee / token_price
    borne = min(loss, collateral)
    left = collateral - borne - fees
    sums[s.REALISED] -= borne
    sums[s.TRADING] += fees - funding
    sums[s.FUNDING] += funding
    sums[s.VOLUME] += size
    sums[s.SEIZED] += 1.0
    sums[s.FORFEITED] += max(0.0, left) - rules.liquidation_fee
    sums[s.UNCOLLECTED] += max(0.0, -left)
    sums[s.REWARDS] += rules.liquidation_fee
    sums[s.BAD_DEBT] += max(0.0, loss - collateral)
    sums[s.BAD_DEBTS] += 1.0 if loss > collateral else 0.0
    net[slot // (2 * rules.asset.shape[0])] -= borne + fees + left


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _liquidate(rules, pool, slots, sums, net, prices, now):  # type: ignore[no-untyped-def]
    """Close what its collateral no longer carries."""
    markets = rules.asset.shape[0]
    for asset in range(pool.index.shape[0]):
        # The first touch of a tick fixes an asset's index for all of it, so one projection serves every position.
        pool.projected[asset], _ = accrued(
            pool.index[asset],
            pool.anchor[asset],
            now,
            rules.interval,
            rules.factor[asset],
            pool.reserved[asset],
            pool.amount[asset],
        )
    size_of, average_of, collateral_of, entry_of = slots.size, slots.average, slots.collateral, slots.entry
    per_unit, fee = 1.0 / rules.scale, rules.liquidation_fee
    for slot in range(size_of.shape[0]):
        size = size_of[slot]
        if size == 0.0:
            continue
        market, is_long = (slot // 2) % markets, slot % 2 == 0
        asset = rules.asset[market] if is_long else rules.short_asset
        gained = gain(is_long, size, average_of[slot], prices[rules.asset[market]])
        left = collateral_of[slot] + gained
        fees = size * (rules.closing + (pool.projected[asset] - entry_of[slot]) * per_unit)
        if left >= fees + fee and left * rules.most_leverage[market] >= size:
            continue
        _touch(rules, pool, asset, now)
        state, taken = health(
            slots.collateral[slot],
            gained,
            fees,
            rules.liquidation_fee,
            size,
            rules.most_leverage[market],
            False,
        )
        if state == LIQUIDATABLE:
            _seize(rules, pool, slots, sums, net, slot, taken, gained, prices)
        elif _close(rules, pool, slots, sums, net, slot, prices, now):
            sums[s.OVERDUE] += 1.0
