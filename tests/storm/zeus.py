"""The weather over a basket pool with isolated positions, orders and revenue."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random
from typing import TypeAlias

from tests.storm import disorder, governing, resting, revenue
from tests.storm.scene import GIANT, USD, Scene
from zlp.engine import Envelope, Root
from zlp.engine.commands import custody, isolated, liquidity, prices
from zlp.engine.leaves.isolated import Position
from zlp.engine.leaves.ledger import Withdrawal
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.pool import PoolAsset
from zlp.engine.leaves.prices import FastFeed, FastFeedSettings, PriceFeed, PriceSettings

Action: TypeAlias = Callable[[Scene], Envelope]


def next_command(random: Random, root: Root, now: int) -> Envelope:
    """The next command: prices first, then a weighted draw of everything anybody may ask."""
    scene = Scene(random, root, now)
    unpriced = [asset.asset for asset in root.state.each(PriceSettings) if not _priced(root, asset.asset)]
    if unpriced:
        return rounds(scene)
    return _drawn(scene)(scene)


def _drawn(scene: Scene) -> Action:
    """An action; where the venue takes no orders, mostly a position instead."""
    if scene.held(GIANT, scene.pool.share) and scene.random.random() < 0.05:
        return tower
    action = scene.random.choices(ACTIONS, cum_weights=CUMULATIVE)[0]
    if action in (resting.place, resting.tend) and scene.state.get(OrderSettings, ()) is None:
        return scene.random.choice((increase, decrease, decrease))
    return action


def _priced(root: Root, asset: str) -> bool:
    feed = root.state.get(PriceFeed, (asset,))
    return feed is not None and bool(feed.rounds)


def rounds(scene: Scene) -> Envelope:
    """New primary answers, of all assets or one, sometimes exactly where a position becomes liquidatable."""
    assets = [settings.asset for settings in scene.state.each(PriceSettings)]
    if scene.random.random() < 0.3:
        assets = [scene.random.choice(assets)]
    answers = {asset: scene.answer(asset) for asset in assets}
    if scene.positions and scene.random.random() < 0.04:
        position = scene.random.choice(scene.positions)
        answers[position.index] = edge_of(scene, position)
    items = tuple(prices.Round(asset, answer) for asset, answer in answers.items())
    return scene.envelope("keeper", prices.PostRounds(rounds=items))


def edge_of(scene: Scene, position: Position) -> int:
    """The answer at which the position's loss eats its collateral, give or take one unit."""
    settings = scene.state.get(PriceSettings, (position.index,))
    assert settings is not None
    move = position.average * position.collateral_usd // position.size
    price = position.average - move if position.is_long else position.average + move
    return max(1, price * 10**settings.answer_decimals // USD + scene.random.randrange(-1, 2))


def fast_prices(scene: Scene) -> Envelope:
    """Fast prices near the primary, sometimes far from it; timestamps around now."""
    if scene.state.get(FastFeedSettings, ()) is None:
        return rounds(scene)
    draw = scene.random.random()
    if draw < 0.03:
        return scene.envelope(f"price-signer-{scene.random.randrange(4)}", prices.DisputePrices(dispute=draw < 0.015))
    if draw < 0.04:
        return scene.envelope("guardian", prices.ForceSpread(forced=draw < 0.035))
    feed = scene.state.get(FastFeed, ()) or FastFeed()
    items = []
    for settings in scene.state.each(PriceSettings):
        posted = scene.state.get(PriceFeed, (settings.asset,))
        assert posted is not None
        primary = posted.rounds[-1] * USD // 10**settings.answer_decimals
        width = scene.random.choice((0.0002, 0.001, 0.02))
        price = max(0, primary + int(primary * scene.random.gauss(0, width)))
        items.append(prices.FastPrice(settings.asset, price))
    timestamp = scene.random.choice((scene.now, scene.now, scene.now - 2, feed.updated_at, scene.now - 4_000))
    return scene.envelope("keeper", prices.PostPrices(prices=tuple(items), timestamp=max(0, timestamp)))


def deposit(scene: Scene) -> Envelope:
    """The bridge brings tokens, in amounts people have."""
    token, account = scene.token(), scene.account()
    worth = int(10 ** scene.random.uniform(0, 7))
    unit = 10 ** scene.assets[token].decimals
    amount = worth * unit * USD // scene.bounds(token)[1]
    if scene.random.random() < 0.003:
        account, amount = GIANT, scene.random.choice((2**100, 2**200, 2**254))
    command = custody.Deposit(account=account, token=token, amount=amount, reference=f"{scene.root.sequence}")
    return scene.envelope("bridge", command)


def mint(scene: Scene) -> Envelope:
    """Liquidity comes."""
    token = scene.token()
    account = scene.holder(token)
    amount = scene.amount(scene.affordable(account, token))
    least = scene.random.choice((0, 0, 0, amount, scene.edge()))
    command = liquidity.Mint(pool=scene.pool.pool, token=token, amount=amount, min_shares=least)
    return scene.envelope(account, command)


def burn(scene: Scene) -> Envelope:
    """Liquidity goes, in any token."""
    account = scene.holder(scene.pool.share)
    shares = scene.amount(scene.held(account, scene.pool.share))
    to = scene.random.choice(("", "", "", scene.account()))
    command = liquidity.Burn(pool=scene.pool.pool, token=scene.token(), shares=shares, to=to)
    return scene.envelope(account, command)


def swap(scene: Scene) -> Envelope:
    """Spot trades of one or two hops; sometimes for exactly what the pool has."""
    path = tuple(scene.random.sample(list(scene.assets), 2))
    if scene.random.random() < 0.3:
        path = tuple(scene.token() for _ in range(scene.random.choice((1, 2, 3, 3, 3, 4))))
    account = scene.holder(path[0])
    amount = scene.amount(scene.affordable(account, path[0]))
    if scene.random.random() < 0.03:
        amount = pool_worth(scene, path[0], path[-1])
    least = scene.random.choice((0, 0, 0, 0, scene.edge()))
    command = liquidity.Swap(pool=scene.pool.pool, path=path, amount=amount, min_amount=least)
    return scene.envelope(account, command)


def pool_worth(scene: Scene, token_in: str, token_out: str) -> int:
    """How much of one token buys all of the other that is not reserved."""
    asset = scene.state.get(PoolAsset, (scene.pool.pool, token_out))
    free = 0 if asset is None else asset.amount - asset.reserved
    units = 10 ** scene.assets[token_in].decimals, 10 ** scene.assets[token_out].decimals
    return free * scene.bounds(token_out)[1] * units[0] // (scene.bounds(token_in)[0] * units[1])


def donate(scene: Scene) -> Envelope:
    """A gift to the pool."""
    token, account = scene.token(), scene.account()
    amount = min(scene.amount(scene.affordable(account, token)), 10 ** scene.assets[token].decimals)
    return scene.envelope(account, liquidity.Donate(pool=scene.pool.pool, token=token, amount=amount))


def increase(scene: Scene) -> Envelope:
    """A position opens or grows, often at the very edge of its leverage."""
    is_long, market = scene.random.random() < 0.5, scene.token(stable=False)
    collateral = market if is_long else scene.token(stable=True)
    path: tuple[str, ...] = ()
    paid = collateral
    if scene.random.random() < 0.3:
        paid = scene.token()
        path = (paid, collateral)
    account = scene.holder(paid)
    amount = scene.amount(scene.affordable(account, paid)) // scene.random.choice((1, 1, 10, 1_000))
    worth = amount * scene.bounds(paid)[0] // 10 ** scene.assets[paid].decimals
    command = isolated.IncreasePosition(
        pool=scene.pool.pool,
        market=market,
        collateral=collateral,
        is_long=is_long,
        amount=amount,
        size_delta=size_for(scene, worth, market),
        path=path,
        acceptable_price=scene.random.choice((0,) * 10 + scene.bounds(market)),
    )
    return scene.envelope(account, command)


def size_for(scene: Scene, worth: int, market: str) -> int:
    """A size for collateral worth so much: usual leverage, exactly the most after fees of 10 bps, or an edge."""
    draw = scene.random.random()
    if draw < 0.80:
        return int(worth * scene.random.uniform(1, 12))
    if draw < 0.88:
        limit = scene.leverage_limit(market)
        return worth * limit // (10_000 + limit * 10 // 10_000) + scene.random.randrange(-2, 3)
    if draw < 0.92:
        return worth
    if draw < 0.97:
        return 0
    return scene.edge()


def decrease(scene: Scene) -> Envelope:
    """A position shrinks, closes, or gives some of its collateral back."""
    if not scene.positions:
        return increase(scene)
    position = scene.random.choice(scene.positions)
    part = scene.random.choice((0, 0, 1, 0.5, 0.1, 0.02, 0.99, scene.random.random()))
    size = position.size if part == 1 else int(position.size * part)
    if scene.random.random() < 0.1:
        size = position.size + scene.random.choice((-1, 1))
    withdrawn = scene.random.choice((0, 0, 0, position.collateral_usd // 3, position.collateral_usd, scene.edge()))
    path = (position.collateral, scene.token()) if scene.random.random() < 0.25 else ()
    account = position.account if scene.random.random() < 0.97 else scene.account()
    command = isolated.DecreasePosition(
        pool=position.pool,
        market=position.index,
        collateral=position.collateral,
        is_long=position.is_long,
        size_delta=max(0, size),
        collateral_delta=withdrawn,
        path=path,
    )
    return scene.envelope(account, command)


def liquidate(scene: Scene) -> Envelope:
    """The liquidator tries the position that looks worst of a few."""
    if not scene.positions:
        return increase(scene)
    some = scene.random.sample(scene.positions, min(8, len(scene.positions)))
    worst = min(some, key=lambda position: backing(scene, position))
    command = isolated.LiquidatePosition(
        pool=worst.pool,
        account=worst.account,
        market=worst.index,
        collateral=worst.collateral,
        is_long=worst.is_long,
        reward_to=scene.random.choice(("", scene.account())),
    )
    return scene.envelope(scene.random.choice(("liquidator", "keeper", scene.account())), command)


def backing(scene: Scene, position: Position) -> float:
    """Roughly what is left behind a position, as a share of its size."""
    low, high = scene.bounds(position.index)
    move = (low - position.average) if position.is_long else (position.average - high)
    return move / position.average + position.collateral_usd / position.size


def transfer(scene: Scene) -> Envelope:
    """Tokens or shares change hands."""
    account = scene.account()
    token = scene.random.choice((*scene.assets, scene.pool.share, scene.pool.debt))
    command = custody.Transfer(token=token, to=scene.account(), amount=scene.amount(scene.affordable(account, token)))
    return scene.envelope(account, command)


def withdraw(scene: Scene) -> Envelope:
    """Tokens are asked out; the bridge pays or gives back."""
    waiting = list(scene.state.each(Withdrawal))
    if waiting and scene.random.random() < 0.6:
        number = scene.random.choice(waiting).number
        settled = custody.SettleWithdrawal(withdrawal=number, paid=scene.random.random() < 0.7)
        return scene.envelope("bridge", settled)
    account, token = scene.account(), scene.token()
    amount = scene.amount(scene.affordable(account, token)) // 10
    return scene.envelope(account, custody.RequestWithdrawal(token=token, amount=amount, destination="elsewhere"))


def tower(scene: Scene) -> Envelope:
    """The giant puts a million million dollars in and takes them out again; with all he has he only tries to swap.

    What his fees leave behind makes shares dear; much more, and ordinary deposits would buy none.
    """
    pool, token = scene.pool.pool, scene.token()
    shares, held = scene.held(GIANT, scene.pool.share), scene.held(GIANT, token)
    if shares:
        if scene.random.random() < 0.7:
            token = max(scene.assets, key=lambda name: pool_worth(scene, token, name))
        return scene.envelope(GIANT, liquidity.Burn(pool=pool, token=token, shares=shares))
    if not held:
        return swap(scene)
    if scene.random.random() < 0.2:
        return scene.envelope(GIANT, custody.RequestWithdrawal(token=token, amount=held, destination="the moon"))
    if scene.random.random() < 0.3:
        return scene.envelope(GIANT, liquidity.Swap(pool=pool, path=(token, scene.token()), amount=held))
    amount = min(held, 10**12 * USD * 10 ** scene.assets[token].decimals // scene.bounds(token)[1])
    return scene.envelope(GIANT, liquidity.Mint(pool=pool, token=token, amount=amount))


WEIGHTS: dict[Action, float] = {
    rounds: 14,
    fast_prices: 6,
    deposit: 5,
    mint: 9,
    burn: 6,
    swap: 9,
    donate: 0.5,
    increase: 16,
    decrease: 7,
    liquidate: 5,
    transfer: 1.5,
    withdraw: 1.5,
    tower: 0.4,
    resting.place: 3,
    resting.tend: 9,
    revenue.next_command: 3,
    governing.next_command: 1.5,
    disorder.next_command: 2,
}
ACTIONS = tuple(WEIGHTS)
CUMULATIVE = tuple(itertools.accumulate(WEIGHTS.values()))
