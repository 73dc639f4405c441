"""The weather over a fund that counter-trades with cross margin."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from random import Random
from typing import TypeAlias

from tests.storm import disorder, governing, resting
from tests.storm.fund_scene import FundScene
from tests.storm.scene import USD
from zlp.engine import Command, Envelope, Root
from zlp.engine.branches.cross_margin import forced, health
from zlp.engine.branches.cross_margin.books import open_books
from zlp.engine.codec import canonical
from zlp.engine.commands import cross_margin, custody, fund, governance, liquidity, orders, prices, staking
from zlp.engine.draft import Draft
from zlp.engine.leaves.cross_margin import CrossAccount, CrossMarginSettings, CrossPosition, FundMarketSettings
from zlp.engine.leaves.fund import FundAssetSettings, FundSettings
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.leaves.staking import Vesting
from zlp.engine.rejections import Reject

Action: TypeAlias = Callable[[FundScene], Envelope]

DIRECT = ["Mint", "Burn", "Swap", "SwitchCollateral", "CrossTrade", "CrossReduce"]
FIELDS: dict[type, dict[str, tuple[object, ...]]] = {
    FundSettings: {
        "developer_bps": (1_000, 0, 3_000, 3_001),
        "max_utilisation_bps": (8_000, 8_000, 10_000, 100, 10_001),
        "fees.tax_bps": (50, 0, 500, 5_000),
        "fees.deposit_bps": (0, 30),
        "fees.withdraw_bps": (0, 30),
        "buffer.threshold_bps": (6_000, 9_900, 10_000, 0, 10_001),
        "enabled": (True, True, True, True, True, True, False),
    },
    FundAssetSettings: {
        "target_weight": (25 * 10**16, 5 * 10**17, 0, 10**18 + 1),
        "buffer": (0, 0, 10**9),
        "collateral_bps": (10_000, 8_000, 0),
        "accepted": (True, True, True, True, False),
    },
    CrossMarginSettings: {
        "pnl_bps": (8_000, 0, 10_000),
        "liquidation_fee_usd": (5 * USD, 0, 100 * USD),
        "max_positions": (10, 2, 1, 0),
        "private_liquidation": (False, False, True),
    },
    FundMarketSettings: {
        "initial_bps": (100, 200, 1_000, 0),
        "max_profit_bps": (90_000, 10_000, 500_000, 0),
        "max_long_usd": (10**7 * USD, 10**5 * USD),
        "max_short_usd": (10**7 * USD, 10**5 * USD),
        "price.max_skew_scale": (3 * 10**8 * USD, 10**7 * USD, 0),
        "fees.maker_rate": (50_000, 0),
        "fees.taker_rate": (100_000, 0),
        "funding.max_velocity": (9 * 10**16, 10**18, 0),
        "delay.seconds": (15, 0, 600, 1_801),
        "opening": (True, True, True, False),
        "listed": (True, True, True, True, False),
    },
    OrderSettings: {"immediate": (DIRECT, DIRECT, [])},
}
"""Fields and what governance may try to set them to; values beyond the bounds have to be refused."""


def next_command(random: Random, root: Root, now: int) -> Envelope:
    """The next command: prices first, then a weighted draw of everything anybody may ask."""
    scene = FundScene(random, root, now)
    if any(_feed(scene, settings.asset) is None for settings in root.state.each(PriceSettings)):
        return rounds(scene)
    return random.choices(ACTIONS, cum_weights=CUMULATIVE)[0](scene)


def _feed(scene: FundScene, asset: str) -> PriceFeed | None:
    feed = scene.state.get(PriceFeed, (asset,))
    return feed if feed is not None and feed.rounds else None


def rounds(scene: FundScene) -> Envelope:
    """New prices of all assets."""
    answers = {settings.asset: scene.answer(settings.asset) for settings in scene.state.each(PriceSettings)}
    items = tuple(prices.Round(asset, answer) for asset, answer in answers.items())
    return scene.envelope("keeper", prices.PostRounds(rounds=items))


def deposit(scene: FundScene) -> Envelope:
    """The bridge brings tokens, in amounts people have; what fees are paid in most often."""
    account = scene.account()
    if scene.random.random() < 0.2:
        return scene.envelope("bridge", custody.Deposit(account=account, token="METIS", amount=10**20))
    token = scene.token()
    worth = int(10 ** scene.random.uniform(0, 7))
    amount = worth * 10 ** scene.assets[token].decimals * USD // scene.bounds(token)[1]
    return scene.envelope("bridge", custody.Deposit(account=account, token=token, amount=amount))


def mint(scene: FundScene) -> Envelope:
    """Liquidity comes."""
    token = scene.token()
    account = scene.holder(token)
    amount = scene.amount(scene.held(account, token))
    least = scene.random.choice((0, 0, 0, amount, scene.edge()))
    return scene.envelope(account, liquidity.Mint(pool=scene.pool.pool, token=token, amount=amount, min_shares=least))


def burn(scene: FundScene) -> Envelope:
    """Liquidity goes, in any token."""
    account = scene.holder(scene.pool.share)
    shares = scene.amount(scene.held(account, scene.pool.share))
    return scene.envelope(account, liquidity.Burn(pool=scene.pool.pool, token=scene.token(), shares=shares))


def swap(scene: FundScene) -> Envelope:
    """Spot trades of one or two hops."""
    path = tuple(scene.token() for _ in range(scene.random.choice((2, 2, 2, 3, 4))))
    account = scene.holder(path[0])
    amount = scene.amount(scene.held(account, path[0]))
    if scene.random.random() < 0.1:
        gift = liquidity.Donate(pool=scene.pool.pool, token=path[0], amount=amount // 1_000)
        return scene.envelope(account, gift)
    return scene.envelope(account, liquidity.Swap(pool=scene.pool.pool, path=path, amount=amount))


def collateral(scene: FundScene) -> Envelope:
    """Margin goes in, out, across and into other tokens."""
    random, token, pool = scene.random, scene.token(), scene.pool.pool
    if not scene.accounts or random.random() < 0.6:
        account, number = scene.holder(token), random.choice((0, 0, 0, 1, 255, 256))
        amount = scene.amount(scene.held(account, token)) // random.choice((1, 1, 10))
        command: Command = cross_margin.DepositMargin(pool=pool, number=number, token=token, amount=amount)
        return scene.envelope(account, command)
    source = random.choice(scene.accounts)
    amount = scene.amount(scene.margin(source, token))
    named = {"pool": pool, "number": source.number, "token": token, "amount": amount}
    command = random.choice(
        (
            cross_margin.WithdrawMargin(**named),
            cross_margin.WithdrawMargin(**named),
            cross_margin.MoveMargin(**named, to_number=random.choice((0, 1))),
            cross_margin.SwitchCollateral(**named, to_token=scene.token()),
        )
    )
    return scene.envelope(source.owner, command)


def wanted(scene: FundScene) -> tuple[str, cross_margin.CrossTrade]:
    """Somebody's trade, often near the edge of the margin."""
    random = scene.random
    market = random.choice(scene.markets)
    rich = sorted(random.sample(scene.accounts, min(4, len(scene.accounts))), key=scene.margin_usd)
    account = rich[-1] if rich else CrossAccount(scene.pool.pool, scene.account(), 0)
    leverage = random.choice((random.uniform(0.1, 20), random.uniform(20, 98), 10_000 / market.initial_bps))
    largest = int(10 ** random.uniform(1, 6.7)) * USD
    size = max(USD, min(largest, int(scene.margin_usd(account) * leverage)))
    held = next((p.size for p in scene.positions if p.key == (*account.key, market.market)), 0)
    signed = random.choice((size, -size))
    if held and random.random() < 0.6:
        signed = random.choice(
            (size if held > 0 else -size, -held, -held // 2, -held - size if held > 0 else size - held)
        )
    command = cross_margin.CrossTrade(
        pool=scene.pool.pool,
        number=account.number,
        market=market.market,
        size_delta=signed if random.random() < 0.97 else random.choice((1, -1)) * scene.edge(),
        acceptable_price=random.choice((0, 0, 0, 0, 0, 0, 0, *scene.bounds(market.market))),
        reduce_only=random.random() < 0.04,
        profit_token=random.choice(("", "", "", scene.token())),
        relayer="relayer" if random.random() < 0.97 else "",
        relay_fee_usd=random.choice((0, 0, 0, USD // 10)),
    )
    return account.owner, command


def trade(scene: FundScene) -> Envelope:
    """A trade."""
    return scene.envelope(*wanted(scene))


def reduce(scene: FundScene) -> Envelope:
    """A trader leaves, in part or whole."""
    if not scene.positions:
        return trade(scene)
    position = scene.random.choice(scene.positions)
    size = scene.random.choice((0, 0, abs(position.size) // 2, abs(position.size) - USD // 2, abs(position.size) + 1))
    command = cross_margin.CrossReduce(
        pool=position.pool, number=position.number, market=position.market, size=max(0, size)
    )
    return scene.envelope(position.owner, command)


def wait(scene: FundScene) -> Envelope:
    """A limit, take-profit or stop-loss order near the price."""
    random, settings = scene.random, scene.state.get(OrderSettings, ())
    assert settings is not None
    if scene.positions and random.random() < 0.5:
        position = random.choice(scene.positions)
        account, market = position.owner, position.market
        action: Command = cross_margin.CrossReduce(pool=position.pool, number=position.number, market=market)
    else:
        account, action = wanted(scene)
        market = action.market
    command = orders.PlaceOrder(
        action=canonical(action).decode(),
        fee=settings.minimum_fee,
        resting=True,
        trigger_asset=market,
        trigger_price=max(1, int(scene.bounds(market)[0] * random.uniform(0.97, 1.03))),
        trigger_above=random.random() < 0.5,
        expires=random.choice((0, 0, scene.now + 600)),
    )
    return Envelope(time=scene.now, account=account, command=command)


def police(scene: FundScene) -> Envelope:
    """Keepers liquidate, take profits and deleverage: what is due, or what is not."""
    draft = Draft(scene.state, time=scene.now, sender="", sequence=0, route=scene.root._route)
    books, pool, random = open_books(draft, scene.pool.pool), scene.pool.pool, scene.random
    ranked = [position for position in scene.positions if _profit(books, position) > 0]
    ranked.sort(key=lambda position: _profit(books, position), reverse=True)
    refs = tuple(_ref(position) for position in ranked[: random.choice((1, 3, 8))])
    draw = random.random()
    if draw < 0.3 and refs:
        if random.random() < 0.1:
            refs = tuple(reversed(refs))
        return scene.envelope("keeper", cross_margin.Deleverage(pool=pool, positions=refs))
    if draw < 0.5 and scene.positions:
        position = ranked[0] if ranked else random.choice(scene.positions)
        kind = random.choice((cross_margin.TakeMaxProfit, cross_margin.TakeMaxProfit, cross_margin.CloseDelisted))
        return scene.envelope("keeper", kind(pool=pool, position=_ref(position)))
    open_accounts = [account for account in scene.accounts if account.markets]
    if not open_accounts:
        return trade(scene)
    worst = min(open_accounts, key=lambda account: _equity(books, account))
    command = cross_margin.LiquidateAccount(pool=pool, owner=worst.owner, number=worst.number)
    return scene.envelope(random.choice(("keeper", "keeper", scene.account())), command)


def _ref(position: CrossPosition) -> cross_margin.PositionRef:
    return cross_margin.PositionRef(owner=position.owner, number=position.number, market=position.market)


def _profit(books: health.Books, position: CrossPosition) -> int:
    try:
        return forced.capped_profit(books, position)
    except Reject:
        return 0


def _equity(books: health.Books, account: CrossAccount) -> int:
    try:
        figures = health.measure(books, account)
    except Reject:
        return 0
    return figures.equity - figures.maintenance


def keep(scene: FundScene) -> Envelope:
    """Upkeep: claims, revenue, the funding reserve, market hours, listing again."""
    pool, random = scene.pool.pool, scene.random
    command = random.choice(
        (
            fund.SettleClaims(pool=pool),
            fund.DistributeRevenue(pool=pool),
            fund.ConvertFundingReserve(pool=pool, stable="m.USDC"),
            fund.SweepFundingSurplus(pool=pool, stable="m.USDC"),
            cross_margin.SetMarketOpen(
                pool=pool, market=random.choice(scene.markets).market, is_open=random.random() < 0.95
            ),
        )
    )
    return scene.envelope("keeper", command)


def stake(scene: FundScene) -> Envelope:
    """Stakers, their rewards, emission and vesting."""
    pool, random = scene.pool.pool, scene.random
    account = scene.holder(scene.pool.share)
    if random.random() < 0.1:
        emission = staking.StartEmission(pool=pool, amount=scene.amount(10**24), seconds=random.choice((0, 10**6)))
        return scene.envelope("governor", emission)
    waiting = list(scene.state.each(Vesting))
    if waiting and random.random() < 0.3:
        vesting = random.choice(waiting)
        kind = random.choice((staking.ClaimVested, staking.ClaimVested, staking.LeaveVesting))
        return scene.envelope(vesting.account, kind(pool=pool, vesting=vesting.number))
    escrowed = scene.holder("esZENO")
    owner, command = random.choice(
        (
            (account, staking.StakeShares(pool=pool, amount=scene.amount(scene.held(account, scene.pool.share)))),
            (scene.account(), staking.UnstakeShares(pool=pool, amount=scene.amount(10**23))),
            (scene.account(), staking.SetAutomaticStaking(pool=pool, automatic=random.random() < 0.5)),
            (scene.account(), staking.ClaimStreams(pool=pool)),
            (escrowed, staking.StartVesting(pool=pool, amount=scene.amount(scene.held(escrowed, "esZENO")))),
        )
    )
    return scene.envelope(owner, command)


def govern(scene: FundScene) -> Envelope:
    """Parameters move inside and beyond their bounds; what stops the storm is repaired half of the time."""
    random = scene.random
    kind = random.choice(list(FIELDS))
    record = random.choice(list(scene.state.each(kind)))
    field = random.choice(list(FIELDS[kind]))
    values = FIELDS[kind][field]
    value = json.dumps(values[0] if random.random() < 0.5 else random.choice(values))
    command = governance.SetParameter(leaf=kind.__name__, key=json.dumps(list(record.key)), field=field, value=value)
    return scene.envelope("governor", command)


WEIGHTS: dict[Action, float] = {
    rounds: 18,
    deposit: 9,
    mint: 9,
    burn: 4,
    swap: 6,
    collateral: 9,
    trade: 16,
    reduce: 8,
    wait: 4,
    resting.tend: 12,
    police: 9,
    keep: 2,
    stake: 3,
    govern: 1.5,
    governing.next_command: 0.5,
    disorder.next_command: 2,
}
ACTIONS = tuple(WEIGHTS)
CUMULATIVE = tuple(itertools.accumulate(WEIGHTS.values()))
