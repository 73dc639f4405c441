"""Keepers find exactly what is to be done, restart without loss, and do no harm side by side (E5, E9, E11, A6)."""

from __future__ import annotations

import random

import pytest

from tests.keepers.scene import FEE, HOUR, Scene
from zlp.desks import desk_of
from zlp.engine import ledger
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition
from zlp.engine.commands.orders import ScheduleCancel, UpdateOrder
from zlp.engine.fixed import USD
from zlp.engine.leaves.isolated import Position
from zlp.engine.leaves.orders import Order
from zlp.engine.leaves.pool import PoolAsset
from zlp.engine.leaves.prices import PriceFeed
from zlp.keepers import FeeKeeper, LiquidationKeeper, OrderKeeper, PriceKeeper
from zlp.keepers.isolated_watch import IsolatedWatch


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_prices_are_posted_once_however_many_keepers_look(scene: Scene) -> None:
    """E5: rounds and fast prices of the source arrive; a second keeper's fast prices of that second change nothing."""
    scene.post(ETH=2_100)
    feed = scene.root.state.get(PriceFeed, ("ETH",))
    assert feed is not None
    assert feed.rounds[-1] == 2_100 * 10**8
    assert feed.fast == 2_100 * USD

    second = PriceKeeper(scene.port(), scene.board)
    second.work()

    again = scene.root.state.get(PriceFeed, ("ETH",))
    assert again is not None
    assert (again.fast, again.rounds[-1]) == (feed.fast, feed.rounds[-1])


def test_a_round_seen_again_is_not_posted_again(scene: Scene) -> None:
    """E5: the same answer twice in a minute is another keeper's work; after a minute it is a new round."""

    class Steady:
        evidence = ""

        def rounds(self, now: int) -> dict[str, list[int]]:
            return {"ETH": [1_999 * USD]}

        def fast(self, now: int) -> None:
            return None

    first, second = PriceKeeper(scene.port(), Steady()), PriceKeeper(scene.port(), Steady())
    assert first.work() == 1
    assert second.work() == 0
    scene.now += 60
    assert second.work() == 1


def test_a_market_order_waits_for_newer_prices_and_pays_the_keeper(scene: Scene) -> None:
    """E9: nothing is due before new prices; then the order runs once, and its fee goes to who ran it."""
    keeper, rival = OrderKeeper(scene.port(), "till"), OrderKeeper(scene.port(), "rival")
    number = scene.order("ann", scene.position(True, 1_000, 5))
    assert keeper.work() == 0

    scene.post()

    assert keeper.work() == 1
    assert rival.work() == 0
    assert scene.root.state.get(Order, (number,)) is None
    assert ledger.balance_of(scene.root.state, "till", "ETH") == FEE
    assert ledger.balance_of(scene.root.state, "rival", "ETH") == 0


def test_a_keeper_started_later_finds_the_orders_that_wait(scene: Scene) -> None:
    """E9: what a keeper knows is rebuilt from the state."""
    scene.order("ann", scene.position(True, 1_000, 5))
    scene.order("bob", scene.position(False, 1_000, 5))
    scene.post()

    assert OrderKeeper(scene.port()).work() == 2


def test_a_trigger_runs_when_its_price_is_passed_and_not_before(scene: Scene) -> None:
    """E9: a stop-loss rests while the price is above it, follows its updates, and runs below it."""
    keeper = OrderKeeper(scene.port())
    scene.order("ann", scene.position(True, 1_000, 5))
    scene.post()
    assert keeper.work() == 1
    stop = DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, whole=True)
    number = scene.order("ann", stop, resting=True, trigger_asset="ETH", trigger_price=1_900 * USD)
    scene.post(ETH=1_899)
    scene.do("ann", UpdateOrder(number=number, trigger_price=1_880 * USD, trigger_above=False))

    scene.post(ETH=1_890)
    assert keeper.work() == 0
    scene.post(ETH=1_879)
    assert keeper.work() == 1

    assert list(scene.root.state.each(Position)) == []


def test_an_order_that_can_not_run_is_logged_once(scene: Scene) -> None:
    """E9: its price is reached but its market is full; the log hears of it once, and it runs when it can."""
    keeper = OrderKeeper(scene.port())
    limits = {"leaf": "MarketSettings", "key": '["main","ETH"]', "field": "max_long"}
    scene.do("governor", SetParameter(**limits, value="1"))
    opening = scene.position(True, 1_000, 5)
    number = scene.order("ann", opening, resting=True, trigger_asset="ETH", trigger_price=9_000 * USD)
    scene.post()
    keeper.work()
    before = scene.root.sequence
    for _ in range(3):
        assert keeper.work() == 0
    assert scene.root.sequence == before
    assert scene.root.state.get(Order, (number,)) is not None
    scene.do("governor", SetParameter(**limits, value="0"))
    assert keeper.work() == 1
    assert scene.root.state.get(Order, (number,)) is None


def test_expired_orders_are_cleared(scene: Scene) -> None:
    """E9: a market order that got no prices in its lifetime, and a resting one past its date, come back."""
    keeper = OrderKeeper(scene.port())
    held = ledger.balance_of(scene.root.state, "ann", "ETH")
    scene.order("ann", scene.position(True, 1_000, 5))
    scene.order(
        "bob",
        scene.position(False, 1_000, 5),
        resting=True,
        trigger_asset="ETH",
        trigger_price=USD,
        expires=scene.now + 9,
    )
    scene.now += HOUR

    assert keeper.work() == 2
    assert ledger.balance_of(scene.root.state, "ann", "ETH") == held + 10**18 // 2
    assert list(scene.root.state.each(Order)) == []


@pytest.mark.parametrize("starts_late", [False, True])
def test_orders_are_cleared_when_their_owner_is_gone(scene: Scene, *, starts_late: bool) -> None:
    """A4, E9: the dead-man switch of one account falls; a keeper that starts afterwards sees it too."""
    early = OrderKeeper(scene.port())
    for account in ("ann", "bob"):
        waiting = {"resting": True, "trigger_asset": "ETH", "trigger_price": USD}
        scene.order(account, scene.position(False, 1_000, 5), **waiting)
    scene.do("ann", ScheduleCancel(at=scene.now + 60))
    assert early.work() == 0
    scene.now += 60
    keeper = OrderKeeper(scene.port()) if starts_late else early
    assert keeper.work() == 1
    assert keeper.work() == 0
    assert {order.account for order in scene.root.state.each(Order)} == {"bob"}


@pytest.mark.parametrize("seed", range(4))
def test_the_screen_finds_what_the_exact_walk_finds(scene: Scene, seed: int) -> None:
    """E11, A6: through a crash, funding, partial closes and a change of parameters, in the same order."""
    watch, desk = IsolatedWatch(scene.port()), desk_of(scene.root.state)
    keeper = OrderKeeper(scene.port())
    draw = random.Random(seed)
    for trader in range(40):
        is_long, market = draw.random() < 0.5, draw.choice(("ETH", "BTC"))
        scene.order(f"t/{trader}", scene.position(is_long, draw.randint(50, 5_000), draw.uniform(1.2, 24), market))
    scene.post()
    assert keeper.work() == 40
    found = 0
    for step in range(24):
        eth, btc = (scene.board.prices[asset] * draw.uniform(0.96, 1.04) for asset in ("ETH", "BTC"))
        scene.post(wait=HOUR * draw.randint(1, 12), ETH=round(eth, 2), BTC=round(btc, 2))
        if step == 12:
            change = SetParameter(leaf="IsolatedSettings", key='["main"]', field="liquidation_fee", value=str(9 * USD))
            scene.do("governor", change)
        exact = list(desk.due(scene.root.state, scene.now))
        assert list(watch.due(scene.now)) == exact
        for command in exact[:2]:
            found += 1
            scene.do("anybody", command)
    assert found > 5


def test_liquidators_race_without_harm(scene: Scene) -> None:
    """E11: the position is closed once and the reward paid once."""
    orders = OrderKeeper(scene.port())
    scene.order("ann", scene.position(True, 1_000, 20))
    scene.post()
    orders.work()
    first, second = LiquidationKeeper(scene.port("first")), LiquidationKeeper(scene.port("second"))
    assert first.work() == 0

    scene.post(ETH=1_890)

    assert first.work() == 1
    assert second.work() == 0
    assert ledger.balance_of(scene.root.state, "first", "ETH") == 5 * 10**18 // 1_890
    assert scene.root.audit() == []


def test_fees_are_collected_on_time(scene: Scene) -> None:
    """E4, E14: mint fees wait in the pool, go to the buckets, and the keeper rests until the next day."""
    waiting = {asset.token: asset.fees for asset in scene.root.state.each(PoolAsset)}
    assert all(waiting.values())
    keeper = FeeKeeper(scene.port())

    assert keeper.work() == len(waiting)

    assert keeper.work() == 0
    for token, fees in waiting.items():
        assert ledger.balance_of(scene.root.state, "fees:soulbound", token) == fees // 4
        assert ledger.balance_of(scene.root.state, "fees:treasury", token) == fees - fees // 4
