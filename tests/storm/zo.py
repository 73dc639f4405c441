"""The weather over a pool of coin vaults whose traders borrow its tokens."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from random import Random
from typing import TypeAlias

from tests.storm import disorder, governing, resting
from tests.storm.coin_scene import CoinScene
from tests.storm.scene import ACCOUNTS, USD
from zlp.engine import Envelope, Root
from zlp.engine.codec import canonical
from zlp.engine.commands import borrowed, custody, governance, liquidity, orders, prices
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVaultSettings
from zlp.engine.leaves.ledger import Withdrawal
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.mechanisms.triggers import trigger

Action: TypeAlias = Callable[[CoinScene], Envelope]

FUNDING = {"type": "open_interest_funding", "multiplier": 10**15, "max_8h": 5 * 10**14, "exponent": 1}
EXIT = {"type": "instant_exit_fee", "tiers": [{"seconds": 120, "fee": 5 * 10**14}]}
REBASE = {"type": "rebase_curve", "base": 10**14, "multiplier": 10**16, "exponent": 1}
BAND = {"type": "weight_band", "max_fee": 10**16, "width": 2 * 10**17, "min_fee": 0, "hard": False}
FIELDS: dict[type, dict[str, tuple[object, ...]]] = {
    BorrowPoolSettings: {
        "revenue.trading": (25 * 10**16, 0, 10**18, 10**18 + 1),
        "revenue.borrow": (25 * 10**16, 0, 10**18),
        "revenue.referral": (0, 5 * 10**16),
        "protection": (None, {"type": "loss_protection", "rate": 10**17}),
        "swap_fees": (BAND, BAND | {"hard": True}, REBASE),
        "mint_enabled": (True, True, True, True, True, False),
        "swap_enabled": (True, True, True, True, True, False),
    },
    CoinVaultSettings: {
        "weight": (1, 10, 26, 0),
        "enabled": (True, True, True, True, True, True, True, False),
        "borrow.rate_8h": (8 * 10**14, 10**17, 0, 10**18),
    },
    BorrowMarketSettings: {
        "rules.open_fee": (2 * 10**15, 0, 2 * 10**16, 10**17),
        "rules.close_fee": (2 * 10**15, 0, 2 * 10**16),
        "rules.max_leverage": (500_000, 500_000, 1_000_000, 10_000, 0),
        "rules.min_holding": (60, 0, 600),
        "rules.liquidation_fee": (0, 10**16),
        "rules.min_reserve": (0, 10**17),
        "max_long_usd": (0, 10**7 * USD),
        "funding": (None, FUNDING, FUNDING),
        "instant_exit": (None, EXIT),
        "long_enabled": (True, True, True, True, True, False),
        "short_enabled": (True, True, True, True, True, False),
        "decrease_enabled": (True, True, True, True, False),
        "liquidation_enabled": (True, True, True, True, False),
    },
}
"""Fields and what governance may try to set them to; values beyond the bounds have to be refused."""


def next_command(random: Random, root: Root, now: int) -> Envelope:
    """The next command: prices first, then a weighted draw of everything anybody may ask."""
    scene = CoinScene(random, root, now)
    if any(_feed(scene, settings.asset) is None for settings in root.state.each(PriceSettings)):
        return rounds(scene)
    return random.choices(ACTIONS, cum_weights=CUMULATIVE)[0](scene)


def _feed(scene: CoinScene, asset: str) -> PriceFeed | None:
    feed = scene.state.get(PriceFeed, (asset,))
    return feed if feed is not None and feed.rounds else None


def rounds(scene: CoinScene) -> Envelope:
    """New prices of all assets, sometimes of one exactly where a position becomes liquidatable."""
    answers = {settings.asset: scene.answer(settings.asset) for settings in scene.state.each(PriceSettings)}
    if scene.positions and scene.random.random() < 0.2:
        position = scene.random.choice(scene.positions)
        answers[position.market] = edge_of(scene, position)
    items = tuple(prices.Round(asset, answer) for asset, answer in answers.items())
    return scene.envelope("keeper", prices.PostRounds(rounds=items))


def edge_of(scene: CoinScene, position: BorrowedPosition) -> int:
    """The answer at which the loss reaches the threshold of the collateral, give or take some units."""
    settings = scene.state.get(PriceSettings, (position.market,))
    assert settings is not None
    coin, index = scene.assets[position.token].decimals, scene.assets[position.market].decimals
    worth = position.collateral * scene.bounds(position.token)[0] // 10**coin
    kept = worth * position.rules.liquidation_threshold // 10**18
    side = -1 if position.is_long else 1
    price = (position.size_usd + side * kept) * 10**index // position.amount
    return max(1, price * 10**settings.answer_decimals // USD + scene.random.randrange(-2, 3))


def deposit(scene: CoinScene) -> Envelope:
    """The bridge brings tokens, in amounts people have; what fees are paid in most often."""
    settings, account = scene.state.get(OrderSettings, ()), scene.account()
    token = settings.fee_token if settings is not None and scene.random.random() < 0.2 else scene.token()
    worth = int(10 ** scene.random.uniform(0, 7))
    amount = worth * 10 ** scene.assets[token].decimals * USD // scene.bounds(token)[1]
    return scene.envelope("bridge", custody.Deposit(account=account, token=token, amount=amount))


def mint(scene: CoinScene) -> Envelope:
    """Liquidity comes."""
    token, account = scene.token(), scene.account()
    amount = scene.amount(scene.held(account, token))
    least = scene.random.choice((0, 0, 0, amount, scene.edge()))
    return scene.envelope(account, liquidity.Mint(pool=scene.pool.pool, token=token, amount=amount, min_shares=least))


def burn(scene: CoinScene) -> Envelope:
    """Liquidity goes, in any token."""
    account = scene.account()
    shares = scene.amount(scene.held(account, scene.pool.share))
    to = scene.random.choice(("", "", "", scene.account()))
    return scene.envelope(account, liquidity.Burn(pool=scene.pool.pool, token=scene.token(), shares=shares, to=to))


def swap(scene: CoinScene) -> Envelope:
    """Spot trades of one or more hops."""
    account = scene.account()
    path = tuple(scene.token() for _ in range(scene.random.choice((2, 2, 2, 3, 4))))
    amount = scene.amount(scene.held(account, path[0]))
    return scene.envelope(account, liquidity.Swap(pool=scene.pool.pool, path=path, amount=amount))


def donate(scene: CoinScene) -> Envelope:
    """A small gift to the pool."""
    token, account = scene.token(), scene.account()
    amount = min(scene.amount(scene.held(account, token)), 10 ** scene.assets[token].decimals)
    return scene.envelope(account, liquidity.Donate(pool=scene.pool.pool, token=token, amount=amount))


def opening(scene: CoinScene) -> tuple[str, borrowed.OpenBorrowed]:
    """Somebody's position, often at the very edge of its leverage or its reserve."""
    random = scene.random
    market, is_long = random.choice(scene.markets), random.random() < 0.5
    token = random.choice(market.collaterals(is_long)) if random.random() < 0.97 else scene.token()
    account = max(random.sample(ACCOUNTS, 3), key=lambda name: scene.held(name, token))
    collateral = scene.amount(scene.held(account, token)) // random.choice((1, 3, 10, 100))
    worth = collateral * scene.bounds(token)[0] // 10 ** scene.assets[token].decimals
    leverage = random.choice((random.uniform(1, 15), market.rules.max_leverage / 11_000, random.uniform(15, 60)))
    amount = int(worth * leverage) * 10**market.decimals // scene.bounds(market.market)[1]
    free = scene.vault(token).liquidity
    reserve = random.choice((collateral * 10, int(collateral * leverage), collateral // 7, 0, free, free - 1))
    price = random.choice((0, 0, *scene.bounds(market.market)))
    command = borrowed.OpenBorrowed(
        pool=scene.pool.pool,
        market=market.market,
        is_long=is_long,
        token=token,
        collateral=collateral,
        amount=amount if random.random() < 0.95 else scene.edge(),
        reserve=max(0, reserve if random.random() < 0.1 else min(reserve, free // 20, collateral * 10)),
        acceptable_price=price if random.random() < 0.3 else 0,
    )
    return account, command


def increase(scene: CoinScene) -> Envelope:
    """A position opens."""
    return scene.envelope(*opening(scene))


def leaving(scene: CoinScene, position: BorrowedPosition) -> borrowed.DecreaseBorrowed | borrowed.CloseBorrowed:
    """A position is closed, or a part of it."""
    random = scene.random
    named = {"market": position.market, "token": position.token, "is_long": position.is_long}
    if random.random() < 0.3:
        return borrowed.CloseBorrowed(position=position.number, **named)
    part = random.choice((1, 0.5, 0.998, random.random()))
    amount = position.amount if part == 1 else int(position.amount * part)
    if random.random() < 0.1:
        amount = position.amount + random.choice((-1, 1))
    return borrowed.DecreaseBorrowed(position=position.number, amount=max(0, amount), **named)


def decrease(scene: CoinScene) -> Envelope:
    """A trader leaves, now and then someone else's position."""
    if not scene.positions:
        return increase(scene)
    position = scene.random.choice(scene.positions)
    account = position.account if scene.random.random() < 0.97 else scene.account()
    return scene.envelope(account, leaving(scene, position))


def adjust(scene: CoinScene) -> Envelope:
    """Collateral goes in or out, borrowed coins go back, a referrer is named, the yield is asked for."""
    random, account = scene.random, scene.account()
    if not scene.positions or random.random() < 0.1:
        command = random.choice(
            (borrowed.SetReferrer(referrer=scene.account()), borrowed.UpdateYield(pool=scene.pool.pool))
        )
        return scene.envelope(account, command)
    position = random.choice(scene.positions)
    number = position.number
    command = random.choice(
        (
            borrowed.PledgeCollateral(
                position=number, amount=scene.amount(scene.held(position.account, position.token)) // 50
            ),
            borrowed.RedeemCollateral(position=number, amount=scene.amount(position.collateral)),
            borrowed.RedeemCollateral(position=number, amount=position.collateral // 3),
            borrowed.ReduceReserve(position=number, amount=scene.amount(position.reserved)),
        )
    )
    return scene.envelope(position.account if random.random() < 0.97 else account, command)


def liquidate(scene: CoinScene) -> Envelope:
    """Anyone tries the position that looks worst of a few."""
    if not scene.positions:
        return increase(scene)
    some = scene.random.sample(scene.positions, min(8, len(scene.positions)))
    worst = min(some, key=lambda position: backing(scene, position))
    if scene.random.random() < 0.4:
        best = max(some, key=lambda position: backing(scene, position))
        return scene.envelope(scene.account(), borrowed.CloseExhausted(position=best.number))
    return scene.envelope(scene.account(), borrowed.LiquidateBorrowed(position=worst.number))


def backing(scene: CoinScene, position: BorrowedPosition) -> float:
    """Roughly what is left behind a position, as a share of its size."""
    unit = 10 ** scene.assets[position.market].decimals
    coin = 10 ** scene.assets[position.token].decimals
    profit = position.profit_usd(scene.bounds(position.market)[0], unit)
    worth = position.collateral * scene.bounds(position.token)[0] // coin
    return (profit + worth) / max(1, position.size_usd)


def transfer(scene: CoinScene) -> Envelope:
    """Tokens or shares change hands; some are asked out, and the bridge answers."""
    account, token = scene.account(), scene.random.choice((*scene.assets, scene.pool.share))
    waiting = list(scene.state.each(Withdrawal))
    if waiting and scene.random.random() < 0.3:
        settled = custody.SettleWithdrawal(withdrawal=waiting[0].number, paid=scene.random.random() < 0.7)
        return scene.envelope("bridge", settled)
    amount = scene.amount(scene.held(account, token))
    if scene.random.random() < 0.3:
        return scene.envelope(
            account, custody.RequestWithdrawal(token=token, amount=amount // 10, destination="elsewhere")
        )
    return scene.envelope(account, custody.Transfer(token=token, to=scene.account(), amount=amount))


def wait(scene: CoinScene) -> Envelope:
    """A limit, take-profit or stop-loss order near the price."""
    random = scene.random
    settings = scene.state.get(OrderSettings, ())
    assert settings is not None
    if scene.positions and random.random() < 0.6:
        position = random.choice(scene.positions)
        account, market, is_long = position.account, position.market, position.is_long
        action, intent = leaving(scene, position), random.choice(("take_profit", "stop_loss"))
    else:
        (account, action), intent = opening(scene), "open"
        market, is_long = action.market, action.is_long
    limit = int(scene.bounds(market)[0] * random.uniform(0.97, 1.03))
    condition = trigger(intent, is_long, max(1, limit))
    command = orders.PlaceOrder(
        action=canonical(action).decode(),
        fee=settings.minimum_fee,
        resting=True,
        trigger_asset=market,
        trigger_price=condition.price,
        trigger_above=condition.above,
        expires=random.choice((0, 0, scene.now + 600)),
    )
    return Envelope(time=scene.now, account=account, command=command)


def govern(scene: CoinScene) -> Envelope:
    """Parameters move inside and beyond their bounds."""
    kind = scene.random.choice(list(FIELDS))
    record = scene.random.choice(list(scene.state.each(kind)))
    field = scene.random.choice(list(FIELDS[kind]))
    value = json.dumps(scene.random.choice(FIELDS[kind][field]))
    command = governance.SetParameter(leaf=kind.__name__, key=json.dumps(list(record.key)), field=field, value=value)
    return scene.envelope("governor", command)


WEIGHTS: dict[Action, float] = {
    rounds: 18,
    deposit: 9,
    mint: 9,
    burn: 5,
    swap: 8,
    donate: 0.5,
    increase: 14,
    decrease: 10,
    adjust: 6,
    liquidate: 8,
    transfer: 2,
    wait: 4,
    resting.tend: 12,
    govern: 1,
    governing.next_command: 0.7,
    disorder.next_command: 2,
}
ACTIONS = tuple(WEIGHTS)
CUMULATIVE = tuple(itertools.accumulate(WEIGHTS.values()))
