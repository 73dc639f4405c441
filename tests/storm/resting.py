"""Orders in a storm: placing ones that rest, executing, updating and cancelling any."""

from __future__ import annotations

from tests.storm.scene import Scene
from zlp.engine import Command, Envelope
from zlp.engine.codec import canonical
from zlp.engine.commands import isolated, liquidity, orders
from zlp.engine.leaves.orders import Order, OrderSettings


def place(scene: Scene) -> Envelope:
    """A limit, stop-loss, take-profit or swap order, its trigger near the price."""
    settings = scene.state.get(OrderSettings, ())
    fee = 1 if settings is None else settings.minimum_fee
    market = scene.token(stable=False)
    account = scene.holder(market)
    action: Command
    if scene.positions and scene.random.random() < 0.4:
        position = scene.random.choice(scene.positions)
        account, market = position.account, position.index
        action = isolated.DecreasePosition(
            pool=position.pool,
            market=market,
            collateral=position.collateral,
            is_long=position.is_long,
            size_delta=position.size // scene.random.choice((1, 1, 2, 7)),
            whole=scene.random.random() < 0.3,
        )
    elif scene.random.random() < 0.5:
        amount = scene.amount(scene.affordable(account, market)) // 10
        worth = amount * scene.bounds(market)[0] // 10 ** scene.assets[market].decimals
        action = isolated.IncreasePosition(
            pool=scene.pool.pool, market=market, collateral=market, is_long=True, amount=amount, size_delta=worth * 4
        )
    else:
        amount = scene.amount(scene.affordable(account, market)) // 10
        action = liquidity.Swap(pool=scene.pool.pool, path=(market, scene.token()), amount=amount)
    price = int(scene.bounds(market)[0] * scene.random.uniform(0.97, 1.03))
    command = orders.PlaceOrder(
        action=canonical(action).decode(),
        fee=scene.random.choice((fee, fee, fee, max(0, fee - 1), fee * 3)),
        resting=scene.random.random() < 0.95,
        trigger_asset=scene.random.choice((market, market, "")),
        trigger_quote=scene.random.choice(("", "", "", scene.token())),
        trigger_price=scene.random.choice((price, price, price, 0, scene.edge())),
        trigger_above=scene.random.random() < 0.5,
        expires=scene.random.choice((0, 0, scene.now + 60, scene.now + 5_000, scene.now)),
    )
    return scene.envelope(account, command)


def tend(scene: Scene) -> Envelope:
    """Keepers execute and clear, owners change and cancel."""
    if not scene.orders or scene.random.random() < 0.05:
        return scene.envelope("keeper", orders.ExecuteOrder(number=scene.random.randrange(1, 10_000)))
    market = [other for other in scene.orders if not other.resting]
    order = scene.random.choice(market if market and scene.random.random() < 0.6 else scene.orders)
    draw = scene.random.random()
    keeper = scene.random.choice(("keeper",) * 8 + (order.account, scene.account()))
    if draw < 0.25:
        return scene.envelope(keeper, orders.ExecuteOrder(number=order.number, reward_to=scene.account()))
    if draw < 0.80:
        some = market[:10] + scene.random.sample(scene.orders, min(5, len(scene.orders)))
        return scene.envelope(keeper, orders.ExecuteOrders(numbers=tuple(other.number for other in some)))
    if draw < 0.9:
        owner = scene.random.choice((order.account, order.account, "keeper", scene.account()))
        return scene.envelope(owner, orders.CancelOrder(number=order.number))
    if draw < 0.92:
        soon = scene.now + scene.random.choice((0, 1, 60, 5_000))
        return scene.envelope(order.account, orders.ScheduleCancel(at=scene.random.choice((soon, soon, 0))))
    resting = [other for other in scene.orders if other.resting]
    return _update(scene, scene.random.choice(resting or [order]))


def _update(scene: Scene, order: Order) -> Envelope:
    command = orders.UpdateOrder(
        number=order.number,
        trigger_price=int(scene.bounds(order.trigger_asset)[1] * scene.random.uniform(0.98, 1.02)),
        trigger_above=scene.random.random() < 0.5,
        action=scene.random.choice(("", "", order.action, "{}")),
    )
    return scene.envelope(order.account, command)
