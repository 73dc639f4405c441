"""Random commands against the design whose vaults lend credit: liquidity, trading, swaps, keepers, governance."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from random import Random

from tests.storm import resting
from tests.storm.credit_scene import ASSETS, UNIT, CreditScene
from zlp.engine import Envelope, Root, codec, ledger
from zlp.engine.branches.credit_positions.held import signed_order
from zlp.engine.codec import canonical
from zlp.engine.commands import credit, credit_positions, custody, governance, liquidity, orders, prices, stability
from zlp.engine.leaves.credit import (
    SETTLED_HOLDER,
    CreditMarket,
    CreditMarketSettings,
    CreditVault,
    CreditVaultSettings,
)
from zlp.engine.leaves.credit_positions import HeldOrder
from zlp.engine.leaves.prices import PriceFeed, PriceSettings

TOKENS = (*ASSETS, "USDz")
FIELDS: dict[str, dict[str, tuple[object, ...]]] = {
    "CreditVaultSettings": {
        "deposit_fee": (0, 10**16, 10**18),
        "redeem_fee": (0, 5 * 10**16, 10**18),
        "locked_ratio": (0, 10**17, 9 * 10**17, 10**18 + 1),
        "withdrawal_delay": (0, 60, 600),
        "point_rate": (0, 10**18),
        "live": (True,) * 9 + (False,),
        "markets": (
            [{"market": "BTC", "weight": 1}],
            [{"market": "BTC", "weight": 1}, {"market": "ETH", "weight": 2}],
            [{"market": "ETH", "weight": 5}, {"market": "BTC", "weight": 1}],
            [{"market": "BTC", "weight": 0}],
            [],
        ),
    },
    "CreditMarketSettings": {
        "initial_margin": (10**16, 10**17, 10**15),
        "max_open_interest": (1_000 * UNIT, 10**6 * UNIT, 0),
        "max_skew": (500 * UNIT, 10**6 * UNIT, 0),
        "enabled": (True, True, True, False),
        "deleverage.start": (5 * 10**17, 10**17, 7 * 10**17),
        "fees.taker": (0, 8 * 10**14, 2 * 10**18),
    },
}
"""Fields and what governance may try to set them to; values beyond the bounds have to be refused."""


def next_command(random: Random, root: Root, now: int) -> Envelope:
    """The next command: prices first, then a weighted draw of everything anybody may ask."""
    scene = CreditScene(random, root, now)
    if any(_unpriced(scene, settings.asset) for settings in root.state.each(PriceSettings)):
        return rounds(scene)
    return random.choices(ACTIONS, cum_weights=CUMULATIVE)[0](scene)


def _unpriced(scene: CreditScene, asset: str) -> bool:
    feed = scene.state.get(PriceFeed, (asset,))
    return feed is None or not feed.rounds


def rounds(scene: CreditScene) -> Envelope:
    """New prices of all assets."""
    items = tuple(
        prices.Round(settings.asset, scene.answer(settings.asset)) for settings in scene.state.each(PriceSettings)
    )
    return scene.envelope("keeper", prices.PostRounds(rounds=items))


def bring(scene: CreditScene) -> Envelope:
    """The bridge brings tokens, often to keepers, who need a stock to convert with."""
    token = scene.random.choice(TOKENS)
    account = scene.random.choice((scene.account(), scene.account(), "keeper"))
    amount = scene.worth(token, 10 ** scene.random.uniform(3, 8))
    return scene.envelope("bridge", custody.Deposit(account=account, token=token, amount=amount))


def mint(scene: CreditScene) -> Envelope:
    """Liquidity comes."""
    vault = scene.vault()
    account = scene.holder(vault.token)
    amount = scene.amount(scene.held(account, vault.token))
    token = vault.token if scene.random.random() < 0.98 else scene.random.choice(TOKENS)
    return scene.envelope(account, liquidity.Mint(pool=vault.vault, token=token, amount=amount))


def leave(scene: CreditScene) -> Envelope:
    """Liquidity asks to go, goes, or thinks again."""
    request = scene.redemption()
    if request is None or scene.random.random() < 0.5:
        vault = scene.vault()
        account = scene.holder(vault.share)
        shares = scene.amount(scene.held(account, vault.share))
        return scene.envelope(account, credit.RequestRedemption(vault=vault.vault, shares=shares))
    account = request.account if scene.random.random() < 0.95 else scene.account()
    if scene.random.random() < 0.1:
        return scene.envelope(account, credit.CancelRedemption(redemption=request.number))
    return scene.envelope(account, credit.RedeemShares(redemption=request.number))


def stake(scene: CreditScene) -> Envelope:
    """Shares are staked, unstaked, rewards claimed."""
    vault, random = scene.vault(), scene.random
    account = scene.holder(vault.share)
    shares = scene.amount(scene.held(account, vault.share))
    staked = scene.amount(scene.held(f"stake:{vault.vault}", vault.share))
    return scene.envelope(
        account,
        random.choice(
            (
                credit.StakeVaultShares(vault=vault.vault, shares=shares),
                credit.UnstakeVaultShares(vault=vault.vault, shares=staked),
                credit.ClaimVaultRewards(vault=vault.vault),
            )
        ),
    )


def donate(scene: CreditScene) -> Envelope:
    """A small gift to a vault."""
    vault = scene.vault()
    account = scene.holder(vault.token)
    amount = min(scene.amount(scene.held(account, vault.token)), scene.worth(vault.token, 100))
    return scene.envelope(account, liquidity.Donate(pool=vault.vault, token=vault.token, amount=amount))


def refresh(scene: CreditScene) -> Envelope:
    """Anyone brings vaults up to date."""
    names = tuple(scene.vault().vault for _ in range(scene.random.randrange(1, 4)))
    return scene.envelope(scene.account(), credit.RefreshVaults(vaults=names))


def settle(scene: CreditScene) -> Envelope:
    """A keeper converts what losers paid, settles a vault, rebalances two, converts fees, pays recipients."""
    random, market = scene.random, scene.market()
    state = scene.state.get(CreditMarket, (market.market,)) or CreditMarket(market.market)
    token = random.choice(TOKENS)
    keeper = "keeper" if random.random() < 0.97 else scene.account()
    kind = random.randrange(5)
    if kind == 0:
        token = random.choice(state.tokens) if state.tokens and random.random() < 0.9 else token
        owed = scene.value(token, ledger.balance_of(scene.state, state.deposits_holder, token))
        delivered = _delivery(scene, "USDC", owed)
        return scene.envelope(keeper, credit.ConvertDeposits(market=market.market, token=token, delivered=delivered))
    if kind == 1:
        owed = scene.value(token, ledger.balance_of(scene.state, state.fees_holder, token))
        delivered = _delivery(scene, "WETH", owed)
        return scene.envelope(keeper, credit.ConvertFees(market=market.market, token=token, delivered=delivered))
    if kind == 2:
        return scene.envelope(scene.account(), credit.PayRecipients(token=token))
    vault = scene.vault()
    stored = scene.state.get(CreditVault, (vault.vault,))
    settled = scene.held(SETTLED_HOLDER, "USDC") if stored is None else stored.settled
    owed = 0 if stored is None else stored.realized_debt - scene.value("USDC", settled)
    if kind == 3:
        paid = "USDC" if owed > 0 else vault.token
        command = credit.SettleVaultDebt(vault=vault.vault, delivered=_delivery(scene, paid, abs(owed)))
        return scene.envelope(keeper, command)
    other = scene.vault()
    delivered = _delivery(scene, "USDC", abs(owed))
    names = {"credit_vault": other.vault, "debt_vault": vault.vault}
    return scene.envelope(keeper, credit.RebalanceVaults(**names, delivered=delivered))


def _delivery(scene: CreditScene, token: str, owed: int) -> int:
    """What a keeper delivers for so many USD (1e30): mostly enough."""
    exact = owed * 10 ** scene.decimals(token) // scene.price(token)
    return exact * scene.random.choice((101, 101, 100, 102, 98, 150)) // 100


def account(scene: CreditScene) -> Envelope:
    """Trading accounts open, fill, empty, change hands."""
    random = scene.random
    if not scene.trading or random.random() < 0.1:
        return scene.envelope(scene.account(), credit_positions.OpenTradingAccount())
    trading = random.choice(scene.trading)
    if random.random() < 0.65:
        token = random.choice(TOKENS)
        sender = scene.holder(token)
        amount = min(scene.amount(scene.held(sender, token)), scene.worth(token, 20_000))
        command = credit_positions.AddMargin(trading_account=trading.number, token=token, amount=amount)
        return scene.envelope(sender, command)
    owner = trading.owner if random.random() < 0.95 else scene.account()
    if random.random() < 0.05:
        return scene.envelope(
            owner, credit_positions.TransferTradingAccount(trading_account=trading.number, to=scene.account())
        )
    token = random.choice(trading.tokens or TOKENS)
    amount = scene.amount(scene.held(trading.holder, token))
    return scene.envelope(
        owner, credit_positions.RemoveMargin(trading_account=trading.number, token=token, amount=amount)
    )


def _delta(scene: CreditScene, market: CreditMarketSettings, number: int) -> int:
    """A signed size: closing, reducing, or as much as the margin may carry and a little more."""
    random = scene.random
    held = next((p.size for p in scene.positions if p.account == number and p.market == market.market), 0)
    draw = random.random()
    if held and draw < 0.45:
        return -held
    if held and draw < 0.6:
        return -int(held * random.random())
    account = next((item for item in scene.trading if item.number == number), None)
    margin = sum(scene.value(token, scene.held(account.holder, token)) for token in account.tokens) if account else 0
    size = int(margin * UNIT // scene.bounds(market.asset)[1] * random.choice((1, 5, 20, 60, 110)) * random.random())
    if draw > 0.98:
        size = random.choice((0, 1, UNIT, 2**255))
    return size * random.choice((1, -1))


def place(scene: CreditScene) -> Envelope:
    """A market order is placed, or cancelled."""
    if not scene.trading:
        return account(scene)
    random, trading, market = scene.random, scene.random.choice(scene.trading), scene.market()
    if random.random() < 0.05:
        return scene.envelope(trading.owner, credit_positions.CancelCreditOrder(trading_account=trading.number))
    limit = random.choice((0, 0, 0, scene.bounds(market.asset)[0]))
    command = credit_positions.PlaceCreditOrder(
        trading_account=trading.number,
        market=market.market,
        size_delta=_delta(scene, market, trading.number),
        acceptable_price=limit,
        reduce_only=random.random() < 0.2,
    )
    return scene.envelope(trading.owner if random.random() < 0.97 else scene.account(), command)


def rest(scene: CreditScene) -> Envelope:
    """A limit, a stop or a take-profit near the price; of a stranger's account now and then."""
    if not scene.trading:
        return account(scene)
    random, trading, market = scene.random, scene.random.choice(scene.trading), scene.market()
    delta, price = _delta(scene, market, trading.number), scene.bounds(market.asset)[0]
    action = credit_positions.PlaceCreditOrder(
        trading_account=trading.number,
        market=market.market,
        size_delta=delta if abs(delta) < 2**255 else UNIT,
        acceptable_price=random.choice((0, 0, price)),
        reduce_only=random.random() < 0.6,
    )
    command = orders.PlaceOrder(
        action=canonical(action).decode(),
        fee=random.choice((0, 0, 0, 10**12)),
        resting=random.random() < 0.9,
        trigger_asset=random.choice((market.asset,) * 9 + ("",)),
        trigger_price=max(1, int(price * random.uniform(0.98, 1.02))),
        trigger_above=random.random() < 0.5,
        expires=random.choice((0, 0, scene.now + 600)),
    )
    return scene.envelope(trading.owner if random.random() < 0.95 else scene.account(), command)


def tend(scene: CreditScene) -> Envelope:
    """A keeper fills an order of the registry, or tries it without a report; owners and keepers end others."""
    if not scene.orders:
        return rest(scene)
    if scene.random.random() < 0.4:
        return resting.tend(scene)
    order = scene.random.choice(scene.orders)
    action = codec.decode_command(order.action)
    asset = action.market if isinstance(action, credit_positions.PlaceCreditOrder) else scene.market().asset
    command = credit_positions.FillWaitingOrder(number=order.number, report=scene.report(asset))
    return scene.envelope("keeper", command)


def fill(scene: CreditScene) -> Envelope:
    """A keeper fills a pending order."""
    order = scene.pending()
    if order is None:
        return place(scene)
    market = scene.state.get(CreditMarketSettings, (order.market,))
    assert market is not None
    command = credit_positions.FillCreditOrder(trading_account=order.account, report=scene.report(market.asset))
    return scene.envelope("keeper", command)


def signed(scene: CreditScene) -> Envelope:
    """A keeper hands in signed orders, some of them worn out; owners void theirs."""
    if not scene.trading:
        return account(scene)
    random, market = scene.random, scene.market()
    if random.random() < 0.05:
        trading = random.choice(scene.trading)
        command = credit_positions.CancelSignedOrders(trading_account=trading.number)
        return scene.envelope(trading.owner, command)
    batch = []
    for _ in range(random.randrange(1, 4)):
        trading = random.choice(scene.trading)
        delta = _delta(scene, market, trading.number)
        price = scene.bounds(market.asset)[0]
        batch.append(
            credit_positions.SignedOrder(
                trading_account=trading.number,
                market=market.market,
                size_delta=delta,
                target_price=price * random.choice((90, 100, 110)) // 100,
                increase_nonce=random.random() < 0.2,
                nonce=trading.nonce if random.random() < 0.9 else trading.nonce + 1,
                salt=str(random.randrange(4)),
                signer=trading.owner if random.random() < 0.95 else scene.account(),
                evidence="signature",
            )
        )
    if random.random() < 0.4:
        kept = credit_positions.HoldSignedOrder(order=batch[0], expires=random.choice((0, 0, scene.now + 100, 1)))
        return scene.envelope(scene.account(), kept)
    known = scene.any_of(HeldOrder)
    if known is not None and known.market == market.market:
        batch.append(signed_order(known))
    report = scene.report(market.asset)
    command = credit_positions.FillSignedOrders(market=market.market, orders=tuple(batch), report=report)
    return scene.envelope("keeper", command)


def liquidate(scene: CreditScene) -> Envelope:
    """A liquidator tries an account."""
    if not scene.trading:
        return account(scene)
    number = scene.random.choice(scene.trading).number
    return scene.envelope("liquidator", credit_positions.LiquidateTradingAccount(trading_account=number))


def swap(scene: CreditScene) -> Envelope:
    """The stable token is swapped: requested, fulfilled, refunded, or redeemed for settled debt."""
    random, request = scene.random, scene.stable_swap()
    if request is None or random.random() < 0.4:
        owner = scene.holder("USDz")
        amount = scene.amount(scene.held(owner, "USDz"))
        if not amount:
            return _take_profit(scene)
        if random.random() < 0.2:
            return scene.envelope(owner, stability.RedeemSettled(amount=amount))
        return scene.envelope(owner, stability.RequestStableSwap(vault=scene.vault().vault, amount=amount))
    if random.random() < 0.2:
        return scene.envelope(request.account, stability.RefundStableSwap(swap=request.number))
    vault = scene.state.get(CreditVaultSettings, (request.vault,))
    assert vault is not None
    command = stability.FulfilStableSwap(swap=request.number, report=scene.report(ASSETS[vault.token]))
    return scene.envelope("keeper", command)


def _take_profit(scene: CreditScene) -> Envelope:
    """A trader takes out what was minted for his profits: stable tokens come from nowhere else."""
    earned = [trading for trading in scene.trading if "USDz" in trading.tokens]
    if not earned:
        return account(scene)
    trading = scene.random.choice(earned)
    amount = scene.held(trading.holder, "USDz")
    command = credit_positions.RemoveMargin(trading_account=trading.number, token="USDz", amount=amount)
    return scene.envelope(trading.owner, command)


def govern(scene: CreditScene) -> Envelope:
    """A parameter moves, inside its bounds or beyond them."""
    random = scene.random
    leaf = random.choice(tuple(FIELDS))
    field = random.choice(tuple(FIELDS[leaf]))
    key = scene.vault().vault if leaf == "CreditVaultSettings" else scene.market().market
    value = json.dumps(random.choice(FIELDS[leaf][field]))
    command = governance.SetParameter(leaf=leaf, key=json.dumps([key]), field=field, value=value)
    return scene.envelope("governor" if random.random() < 0.95 else scene.account(), command)


def send(scene: CreditScene) -> Envelope:
    """Tokens and shares pass between accounts, or ask to leave."""
    random = scene.random
    token = random.choice((*TOKENS, scene.vault().share))
    sender = scene.holder(token)
    amount = scene.amount(scene.held(sender, token))
    if random.random() < 0.3:
        return scene.envelope(
            sender, custody.RequestWithdrawal(token=token, amount=min(amount, 10**18), destination="out")
        )
    return scene.envelope(sender, custody.Transfer(token=token, to=scene.account(), amount=amount))


WEIGHTS: dict[Callable[[CreditScene], Envelope], int] = {
    rounds: 14,
    bring: 10,
    mint: 8,
    leave: 6,
    stake: 5,
    donate: 1,
    refresh: 4,
    settle: 8,
    account: 9,
    place: 12,
    rest: 6,
    tend: 12,
    fill: 12,
    signed: 8,
    liquidate: 6,
    swap: 6,
    govern: 2,
    send: 2,
}
ACTIONS = tuple(WEIGHTS)
CUMULATIVE = tuple(itertools.accumulate(WEIGHTS.values()))
