"""One run of one profile along one price path, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from zlp.engine import Envelope, Root
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import SetParameter
from zlp.engine.fixed import USD
from zlp.engine.leaves.access import RoleHolder, Venue
from zlp.engine.leaves.credit import CreditCollateral, CreditSettings
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.keepers import ConversionKeeper
from zlp.oracle.price_path import PricePath
from zlp.profiles.loader import Profile
from zlp.simulator.accounting import Accounting
from zlp.simulator.agents import (
    Behaviour,
    Founder,
    Hedger,
    MeanReverter,
    NoiseTrader,
    Rebalancer,
    TrendFollower,
)
from zlp.simulator.feeds import assume
from zlp.simulator.series import Series
from zlp.simulator.shocks import Shock, moments
from zlp.simulator.world import World

CROWD: tuple[Behaviour, ...] = (
    Founder(),
    Rebalancer(count=3),
    TrendFollower(count=6),
    MeanReverter(count=6),
    Hedger(count=3),
    NoiseTrader(count=24, wealth=(2_000.0, 50_000.0)),
)
"""The default population: one who founds the pool, LPs that rebalance it, and four kinds of traders."""

FOUNDING_TICKS = 8
"""Prices after which the first liquidity must have been accepted."""
STOCK = 10**9
"""Whole tokens of each kind that the converting keeper holds: more than any pool."""
Progress = Callable[[int], None]
"""Is told how many ticks have passed."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run depends on, beside the profile and the prices.

    ``ticks``: prices per candle, 1 (its close) or 4 (open, extremes, close). ``assumptions``: prices of assets
    the path lacks, like ``{"METIS": "0.01 ETH"}``. ``audit_every``: ticks between full audits (0: the end only).
    ``shocks``: scripted events. ``changes``: parameters that governance sets before anybody comes.
    """

    seed: int = 1
    ticks: int = 4
    crowd: tuple[Behaviour, ...] = CROWD
    assumptions: Mapping[str, str] = {}
    audit_every: int = 0
    shocks: tuple[Shock, ...] = ()
    changes: tuple[SetParameter, ...] = ()


class Result(msgspec.Struct, kw_only=True):
    """What came out. USD at 1e30 unless a name says otherwise; ``split`` adds up to the change of pool value.

    ``holding_return``: what the assets the pools were founded with gained by themselves. ``liquidations``: positions
    or accounts closed because too little backed them; ``deleverages``: closed for their owners to protect the pool.
    ``leaving_return``: of a share, at the lower prices that those who leave are paid (``None``: not measured).
    ``ladder``: for each open position, the relative move of its market at which it is liquidated, and its USD size.
    """

    profile: str
    profile_hash: str
    digest: str
    seed: int
    assumptions: list[str]
    start_time: int
    end_time: int
    ticks: int
    commands: int
    rejections: dict[str, int]
    start_value: int
    end_value: int
    holding_return: float
    split: dict[str, int]
    fees_elsewhere: dict[str, int]
    actions: dict[str, int]
    liquidations: int
    deleverages: int
    volume: int
    bad_debt: int
    bad_debts: list[str]
    net_by_behaviour: dict[str, int]
    net_by_account: dict[str, int]
    open_positions: int
    keeper_profit: int
    ladder: list[tuple[float, float]]
    faults: list[str]
    series: Series
    leaving_return: float | None = None


def run(profile: Profile, path: PricePath, setup: Setup | None = None, progress: Progress | None = None) -> Result:
    """Run a profile along a path. Raises ``ValueError`` if the path holds nothing the profile trades."""
    return run_from(root_of(profile), path, setup or Setup(), progress)


def run_from(root: Root, path: PricePath, setup: Setup, progress: Progress | None = None) -> Result:
    """Go on from a root's state along a path that begins after its last second. The root is used up.

    Raises ``ValueError`` if a change of parameters is refused or the pools can't be founded.
    """
    world = world_of(root, path, setup)
    accounting = Accounting(world)
    passed, faults = _pass(world, accounting, path, setup, progress)
    return _result(setup, accounting, passed, faults)


def root_of(profile: Profile) -> Root:
    """A venue of this profile that has only been founded."""
    root = Root()
    for envelope in profile.genesis(identity="simulation"):
        receipt = root.apply(envelope)
        if receipt.rejection is not None:
            raise ValueError(f"{profile.source}: genesis is refused: {receipt.rejection}")
    return root


def world_of(root: Root, path: PricePath, setup: Setup) -> World:
    """A world around a root, with the setup's changes of parameters made."""
    roles = roles_of(root.state)
    for change in setup.changes:
        receipt = root.apply(Envelope(time=root.time, account=roles["governor"][0], command=change))
        if receipt.rejection is not None:
            raise ValueError(f"{change.leaf} {change.key} {change.field} = {change.value}: {receipt.rejection}")
    world = World(root, roles, assume(root.state, path, setup.assumptions), setup.seed)
    terms = root.state.get(CreditSettings, ())
    if terms is not None:
        _hire_exchange(world, roles["keeper"][0], terms)
    return world


def _hire_exchange(world: World, account: str, terms: CreditSettings) -> None:
    """The keeper that converts what markets on credit leave behind, with all it may have to deliver."""
    for leaf in list(world.reader.each(CreditCollateral)):
        if leaf.token != terms.stable:
            world.bring(Deposit(account=account, token=leaf.token, amount=STOCK * world.token_unit(leaf.token)))
    world.hire(ConversionKeeper, account)


def roles_of(reader: Reader) -> dict[str, list[str]]:
    """Who holds each role, as the state says."""
    roles: dict[str, list[str]] = {}
    for held in reader.each(RoleHolder):
        roles.setdefault(held.role, []).append(held.holder)
    return roles


def _pass(
    world: World, accounting: Accounting, path: PricePath, setup: Setup, progress: Progress | None
) -> tuple[int, list[str]]:
    """Every tick of the path: first the pools are founded, then the crowd comes and the account begins."""
    world.populate(behaviour for behaviour in setup.crowd if isinstance(behaviour, Founder))
    crowd = [behaviour for behaviour in setup.crowd if not isinstance(behaviour, Founder)]
    begun = _is_founded(world)
    if begun:
        accounting.begin()
        _let_in(world, crowd)
    passed = 0
    faults: list[str] = []
    for moment in moments(path, setup.shocks, setup.ticks):
        world.tick(moment, accounting.observe if begun else None)
        passed += 1
        if not begun and not world.is_waiting and _is_founded(world):
            begun = True
            accounting.begin()
            _let_in(world, crowd)
        elif not begun and passed > FOUNDING_TICKS:
            refused = ", ".join(map(str, accounting.rejections)) or "nothing was minted"
            raise ValueError(f"the pools could not be founded: {refused}")
        if progress is not None:
            progress(passed)
        if setup.audit_every and passed % setup.audit_every == 0:
            faults += [f"tick {passed}: {fault}" for fault in world.root.audit()]
    faults += world.root.audit()
    return passed, faults


def _let_in(world: World, crowd: Sequence[Behaviour]) -> None:
    """Settle the crowd. Raises ``ValueError`` for agents all of whose markets are somebody else's: they would idle."""
    names = [market.market for market in world.markets()]
    for behaviour in crowd:
        if behaviour.markets and not set(behaviour.markets) & set(names):
            wanted = ", ".join(behaviour.markets)
            raise ValueError(f"{behaviour.name}: no market is called {wanted}; there are {', '.join(names)}")
    world.populate(crowd)


def _is_founded(world: World) -> bool:
    """Whether there is anything in the pools; a venue that has heard no price yet has nothing."""
    try:
        return any(pool.value_usd for pool in world.desk.pools(world.reader, world.now))
    except Reject:
        return False


def _result(setup: Setup, accounting: Accounting, passed: int, faults: Sequence[str]) -> Result:
    world = accounting.world
    venue = world.reader.get(Venue, ()) or Venue("", "", "", "")
    split = accounting.split()
    net = accounting.results()
    by_behaviour: dict[str, int] = {}
    for account, amount in net.items():
        behaviour = world.behaviours.get(account)
        name = behaviour.name if behaviour is not None else "who was there before"
        by_behaviour[name] = by_behaviour.get(name, 0) + amount
    return Result(
        profile=venue.profile,
        profile_hash=venue.profile_hash,
        digest=world.root.chain.hex(),
        seed=setup.seed,
        assumptions=[str(assumption) for assumption in world.assumptions],
        start_time=accounting.series.times[0],
        end_time=world.now,
        ticks=passed,
        commands=accounting.commands,
        rejections=dict(accounting.rejections.most_common()),
        start_value=accounting.start_value,
        end_value=accounting.start_value + sum(split.values()),
        holding_return=accounting.holding_return(),
        split=split,
        fees_elsewhere={kind: amount for kind, amount in sorted(accounting.fees_elsewhere.items()) if amount},
        actions=dict(accounting.actions.most_common()),
        liquidations=world.done["liquidations"],
        deleverages=world.done["deleverage"],
        volume=accounting.volume,
        bad_debt=accounting.bad_debt,
        bad_debts=accounting.bad_debts,
        net_by_behaviour={name: amount for name, amount in by_behaviour.items() if amount},
        net_by_account={account: amount for account, amount in net.items() if amount},
        keeper_profit=accounting.keeper_profit,
        ladder=_ladder(world),
        open_positions=sum(len(hand.positions) for hand in world.hands.values()),
        faults=list(faults),
        series=accounting.series,
        leaving_return=accounting.leaving_return(),
    )


def _ladder(world: World) -> list[tuple[float, float]]:
    return sorted(
        (view.liquidation_price / view.mark_price - 1.0, view.size_usd / USD)
        for view in world.desk.positions(world.reader, world.now)
        if view.liquidation_price and view.mark_price
    )
