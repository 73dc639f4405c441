"""A run of the fast world as the same ``Result`` the exact engine gives, so that every metric and plot works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zlp.engine.leaves.access import Venue
from zlp.oracle.price_path import PricePath
from zlp.profiles.loader import Profile
from zlp.simulator.accounting import OTHER, Accounting
from zlp.simulator.agents import Founder
from zlp.simulator.backtest import Result, Setup, root_of, world_of
from zlp.simulator.kernel import state as s
from zlp.simulator.kernel.formulas import accrued
from zlp.simulator.kernel.inputs import pool_of, rules_of
from zlp.simulator.kernel.path import run_path
from zlp.simulator.kernel.prices import heard_prices
from zlp.simulator.kernel.state import Pool, Prices, Rules, Slots
from zlp.simulator.kernel.tape import tape_of
from zlp.simulator.series import Series
from zlp.simulator.shocks import moments
from zlp.simulator.world import World


def run_fast(profile: Profile, path: PricePath, setup: Setup) -> Result:
    """One path in the fast world, founded exactly. Raises ``NotFastError`` for what the kernel does not know."""
    world = world_of(root_of(profile), path, setup)
    rules, assets, markets = rules_of(world.reader)
    ticks = list(moments(path, setup.shocks, setup.ticks))
    prices = heard_prices(world.reader, world.assumptions, assets, ticks)
    tape, names = tape_of(setup.crowd, [setup.seed], markets, int(prices.times[1]), int(prices.times[-1]))
    world.populate(behaviour for behaviour in setup.crowd if isinstance(behaviour, Founder))
    world.tick(ticks[0])
    accounting = Accounting(world)
    accounting.begin()
    pool = pool_of(world.reader, assets, len(markets))
    held = pool.amount.copy()
    end, curves = run_path(rules, pool, tape, 0, len(names), prices)
    positions = _positions(rules, pool, end.slots, prices, len(names))
    run = _Run(end.sums, curves, end.net, positions, prices, names, held, accounting.start_value)
    return _result(world, setup, run)


class _Positions(NamedTuple):
    """What is open at the end, an entry each. ``price``: at which it would be closed.

    USD ``gained``, without the fees ``owed``. ``liquidated_at``: price at which too little backs it.
    """

    trader: Any
    is_long: Any
    size: Any
    price: Any
    gained: Any
    owed: Any
    liquidated_at: Any


def _positions(rules: Rules, pool: Pool, slots: Slots, prices: Prices, traders: int) -> _Positions:
    open_slots = np.nonzero(slots.size > 0)[0]
    group, trader = np.divmod(open_slots, max(1, traders))
    market, is_long = group // 2, group % 2 == 0
    size, average, collateral = (column[open_slots] for column in (slots.size, slots.average, slots.collateral))
    price = np.where(is_long, prices.low[-1, rules.asset[market]], prices.high[-1, rules.asset[market]])
    books = zip(pool.index, pool.anchor, rules.factor, pool.reserved, pool.amount, strict=True)
    now = int(prices.times[-1])
    index = np.array([accrued(i, int(at), now, rules.interval, *book)[0] for i, at, *book in books])
    backing = np.where(is_long, rules.asset[market], rules.short_asset)
    owed = size * (rules.closing + (index[backing] - slots.entry[open_slots]) / rules.scale)
    side = np.where(is_long, 1.0, -1.0)
    needed = np.maximum(owed + rules.liquidation_fee, size / rules.most_leverage[market])
    return _Positions(
        trader=trader,
        is_long=is_long,
        size=size,
        price=price,
        gained=side * size * (price / average - 1.0),
        owed=owed,
        liquidated_at=average * (1.0 - side * (collateral - needed) / size),
    )


class _Run(NamedTuple):
    """What a compiled path gave, with what it was given. ``held``: tokens of each asset it was founded with."""

    sums: Any
    curves: Any
    net: Any
    positions: _Positions
    prices: Prices
    names: Sequence[str]
    held: Any
    start_value: int

    def money(self, place: int) -> int:
        """A sum in USD at 1e30."""
        return exact(self.sums[place])


def exact(value: float) -> int:
    """A float of USD at 1e30."""
    return int(value * 10**9) * 10**21


def _result(world: World, setup: Setup, run: _Run) -> Result:
    venue = world.reader.get(Venue, ()) or Venue("", "", "", "")
    sums, positions, prices = run.sums, run.positions, run.prices
    opened, owed = (
        np.bincount(positions.trader, weights=amounts, minlength=len(run.names))
        for amounts in (positions.gained, positions.owed)
    )
    end_value = exact(run.curves[s.VALUE, -1])
    split = {
        "traders' realised result": -run.money(s.REALISED),
        "traders' open result": -exact(opened.sum()),
        "collateral left by liquidations": run.money(s.FORFEITED),
        "losses beyond collateral": -run.money(s.UNCOLLECTED),
        "price effect of the assets held": run.money(s.PRICE_EFFECT),
    }
    split[OTHER] = end_value - run.start_value - sum(split.values())
    net = {name: exact(amount) for name, amount in zip(run.names, run.net + opened - owed, strict=True)}
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
        start_time=int(prices.times[0]),
        end_time=int(prices.times[-1]),
        ticks=len(prices.times),
        commands=0,
        rejections={},
        start_value=run.start_value,
        end_value=end_value,
        holding_return=float(run.held @ prices.low[-1] / (run.held @ prices.low[0])) - 1.0,
        split=split,
        fees_elsewhere={kind: amount for kind, amount in fees.items() if amount},
        actions={
            "order executed": int(sums[s.EXECUTED]),
            "order ended: refused": int(sums[s.CANCELLED]),
            "order ended: expired": int(sums[s.EXPIRED]),
        },
        liquidations=int(sums[s.SEIZED] + sums[s.OVERDUE]),
        deleverages=0,
        volume=run.money(s.VOLUME),
        bad_debt=run.money(s.BAD_DEBT),
        bad_debts=["a position (the fast world keeps no names)"] * int(sums[s.BAD_DEBTS]),
        net_by_behaviour=by_behaviour,
        net_by_account={name: amount for name, amount in net.items() if amount},
        open_positions=len(positions.size),
        keeper_profit=run.money(s.REWARDS),
        ladder=_ladder(positions),
        faults=[] if np.isfinite(run.curves).all() else ["a value is not finite"],
        series=_series(run),
    )


def _series(run: _Run) -> Series:
    """The curves as the exact engine's samples; a share's price is the value, since the LP never moves."""
    value, used, held = run.curves[s.VALUE], run.curves[s.USED], run.curves[s.HELD]
    index = value / value[0]
    peak = np.maximum.accumulate(index)
    return Series(
        times=[int(time) for time in run.prices.times],
        index=index.tolist(),
        value=value.tolist(),
        utilisation=(used / held).tolist(),
        margin=(value / held).tolist(),
        long_size=run.curves[s.LONG].tolist(),
        short_size=run.curves[s.SHORT].tolist(),
        drawdown=(1.0 - index / peak).tolist(),
        peak=float(peak[-1]),
    )


def _ladder(positions: _Positions) -> list[tuple[float, float]]:
    """Moves that liquidate open positions, and their sizes."""
    moves = positions.liquidated_at / positions.price - 1.0
    return sorted((float(move), float(size)) for move, size in zip(moves, positions.size, strict=True) if move > -1.0)
