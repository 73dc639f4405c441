"""A run of the fast world as the same ``Result`` the exact engine gives, so that every metric and plot works."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from zlp.engine.fixed import USD
from zlp.engine.leaves.access import Venue
from zlp.oracle.price_path import PricePath
from zlp.profiles.loader import Profile
from zlp.simulator.accounting import OTHER, Accounting
from zlp.simulator.agents import Founder
from zlp.simulator.backtest import Result, Setup, root_of, world_of
from zlp.simulator.feeds import KnownPrices
from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.formulas import accrued
from zlp.simulator.kernel.inputs import NotFastError, pool_of, rules_of, tape_of
from zlp.simulator.kernel.path import run_path
from zlp.simulator.kernel.state import Pool, Rules, Slots
from zlp.simulator.series import Series
from zlp.simulator.shocks import Moment, moments
from zlp.simulator.world import World

STRICT = 0.01
"""Within this distance of a dollar a strict stable counts as one."""


def run_fast(profile: Profile, path: PricePath, setup: Setup) -> Result:
    """One path in the fast world, founded exactly. Raises ``NotFastError`` for what the kernel does not know."""
    root = root_of(profile)
    world = world_of(root, path, setup)
    rules, assets, markets = rules_of(root.state)
    ticks = list(moments(path, setup.shocks, setup.ticks))
    if any(moment.heard is not moment.truth for moment in ticks):
        raise NotFastError("the fast world's oracle is never late")
    times, prices = _prices(world, assets, ticks)
    tape, names = tape_of(setup.crowd, setup.seed, markets, int(times[1]), int(times[-1]))
    world.populate(behaviour for behaviour in setup.crowd if isinstance(behaviour, Founder))
    world.tick(ticks[0])
    accounting = Accounting(world)
    accounting.begin()
    pool = pool_of(root.state, assets, len(markets))
    held = pool.amount.copy()
    sums, curves, net, slots = run_path(rules, pool, tape, len(names), times, prices)
    owed = _owed(rules, pool, slots, len(names), int(times[-1]))
    run = _Run(sums, curves, net - owed, slots, times, prices, rules, names, held, accounting.start_value)
    return _result(world, setup, run)


def _owed(rules: Rules, pool: Pool, slots: Slots, traders: int, now: int) -> Any:
    """Fees each trader's open positions owe at the end."""
    owed = np.zeros(traders)
    markets = len(rules.asset)
    for slot in np.nonzero(slots.size > 0)[0].tolist():
        asset = rules.asset[slot // 2 % markets] if slot % 2 == 0 else rules.short_asset
        book = (pool.index[asset], pool.anchor[asset])
        index, _ = accrued(*book, now, rules.interval, rules.factor[asset], pool.reserved[asset], pool.amount[asset])
        rate = rules.closing + (index - slots.entry[slot]) / rules.scale
        owed[slot // (2 * markets)] += slots.size[slot] * rate
    return owed


class _Run:
    """What a compiled path gave, with what it was given."""

    def __init__(self, *parts: Any) -> None:
        self.sums, self.curves, self.net, self.slots, self.times, self.prices, self.rules = parts[:7]
        self.names, self.held, self.start_value = parts[7:]

    def money(self, place: int) -> int:
        """A sum in USD at 1e30."""
        return exact(self.sums[place])


def exact(value: float) -> int:
    """A float of USD at 1e30."""
    return int(value * 10**9) * 10**21


def _prices(world: World, assets: Sequence[str], ticks: Sequence[Moment]) -> tuple[Any, Any]:
    """Seconds and float prices of every tick; stables within the strict band are a dollar."""
    known = KnownPrices(world.assumptions)
    rows = [[known.prices_at(moment.truth.prices)[asset] / USD for asset in assets] for moment in ticks]
    prices = np.array(rows)
    for column in range(len(assets)):
        near = np.abs(prices[:, column] - 1.0) <= STRICT
        if near.all():
            prices[:, column] = 1.0
        elif np.median(np.abs(prices[:, column] - 1.0)) <= STRICT:
            raise NotFastError("a stable leaves its band: then one price for both directions is not enough")
    return np.array([moment.truth.time for moment in ticks], dtype=np.int64), prices


def _result(world: World, setup: Setup, run: _Run) -> Result:
    venue = world.reader.get(Venue, ()) or Venue("", "", "", "")
    opened = _open_results(run)
    sums = run.sums
    end_value = exact(run.curves[s.VALUE, -1])
    split = {
        "traders' realised result": -run.money(s.REALISED),
        "traders' open result": -exact(sum(opened)),
        "collateral left by liquidations": run.money(s.FORFEITED),
        "losses beyond collateral": -run.money(s.UNCOLLECTED),
        "price effect of the assets held": run.money(s.PRICE_EFFECT),
    }
    split[OTHER] = end_value - run.start_value - sum(split.values())
    net = {name: exact(value + gained) for name, value, gained in zip(run.names, run.net, opened, strict=True)}
    by_behaviour: dict[str, int] = {}
    for name, amount in net.items():
        kind = name.rpartition("-")[0]
        by_behaviour[kind] = by_behaviour.get(kind, 0) + amount
    fees = {"funding": run.money(s.FUNDING), "trading": run.money(s.TRADING)}
    return Result(
        profile=venue.profile,
        profile_hash=venue.profile_hash,
        digest="",
        seed=setup.seed,
        assumptions=[str(assumption) for assumption in world.assumptions],
        start_time=int(run.times[0]),
        end_time=int(run.times[-1]),
        ticks=len(run.times),
        commands=0,
        rejections={},
        start_value=run.start_value,
        end_value=end_value,
        holding_return=float(run.held @ run.prices[-1] / (run.held @ run.prices[0])) - 1.0,
        split=split,
        fees_elsewhere={kind: amount for kind, amount in fees.items() if amount},
        actions={"order executed": int(sums[s.EXECUTED]), "order ended: refused": int(sums[s.CANCELLED])},
        liquidations=int(sums[s.SEIZED] + sums[s.OVERDUE]),
        deleverages=0,
        volume=run.money(s.VOLUME),
        bad_debt=run.money(s.BAD_DEBT),
        bad_debts=["a position (the fast world keeps no names)"] * int(sums[s.BAD_DEBTS]),
        net_by_behaviour=by_behaviour,
        net_by_account={name: amount for name, amount in net.items() if amount},
        open_positions=int((run.slots.size > 0).sum()),
        keeper_profit=run.money(s.REWARDS),
        ladder=_ladder(run),
        faults=[] if np.isfinite(run.curves).all() else ["a value is not finite"],
        series=_series(run),
    )


def _series(run: _Run) -> Series:
    """The curves as the exact engine's samples; a share's price is the value, since the LP never moves."""
    value, used, held = run.curves[s.VALUE], run.curves[s.USED], run.curves[s.HELD]
    index = value / value[0]
    peak = np.maximum.accumulate(index)
    return Series(
        times=[int(time) for time in run.times],
        index=index.tolist(),
        value=value.tolist(),
        utilisation=(used / held).tolist(),
        margin=(value / held).tolist(),
        long_size=run.curves[s.LONG].tolist(),
        short_size=run.curves[s.SHORT].tolist(),
        drawdown=(1.0 - index / peak).tolist(),
        peak=float(peak[-1]),
    )


def _open_results(run: _Run) -> list[float]:
    """Unrealised result of each trader at the last prices, fees left out as in the exact split."""
    found = [0.0] * len(run.names)
    markets = len(run.rules.asset)
    for slot in np.nonzero(run.slots.size > 0)[0].tolist():
        price = run.prices[-1][run.rules.asset[slot // 2 % markets]]
        change = run.slots.size[slot] * (price / run.slots.average[slot] - 1.0)
        found[slot // (2 * markets)] += float(change if slot % 2 == 0 else -change)
    return found


def _ladder(run: _Run) -> list[tuple[float, float]]:
    """Moves that liquidate open positions, and their sizes."""
    found = []
    markets = len(run.rules.asset)
    for slot in np.nonzero(run.slots.size > 0)[0].tolist():
        market = slot // 2 % markets
        size, average = float(run.slots.size[slot]), float(run.slots.average[slot])
        needed = max(run.rules.liquidation_fee, size / float(run.rules.most_leverage[market]))
        bearable = (float(run.slots.collateral[slot]) - needed) / size
        price = average * (1.0 - bearable if slot % 2 == 0 else 1.0 + bearable)
        if price > 0.0 and math.isfinite(price):
            found.append((price / float(run.prices[-1][run.rules.asset[market]]) - 1.0, size))
    return sorted(found)
