"""Signed orders the venue keeps: what is taken in, what fills them, and what ends them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.profiles.zaros.registry import Registry
from tests.profiles.zaros.venue import UNIT
from zlp.engine.commands import credit_positions, governance
from zlp.engine.events.credit_positions import SignedOrderDropped, SignedOrderFilled
from zlp.engine.fixed import USD
from zlp.engine.leaves.credit_positions import CreditTradingSettings, HeldOrder, HeldOrders
from zlp.engine.rejections import Code
from zlp.keepers import CreditKeeper

BTC = 100_000 * USD


def signed(salt: str = "a", **changes: object) -> credit_positions.SignedOrder:
    """A buy of a tenth at 98,000 or below."""
    order = credit_positions.SignedOrder(
        trading_account=1,
        market="BTC",
        size_delta=UNIT // 10,
        target_price=98_000 * USD,
        increase_nonce=False,
        nonce=0,
        salt=salt,
        signer="t",
        evidence="signature",
    )
    return replace(order, **changes)


def hold(order: credit_positions.SignedOrder, expires: int = 0) -> credit_positions.HoldSignedOrder:
    """The command that leaves it with the venue."""
    return credit_positions.HoldSignedOrder(order=order, expires=expires)


def test_it_fills_when_its_price_comes_and_is_gone() -> None:
    """Z10: the keeper leaves it alone until a report reaches its price; then it fills once and is kept no longer."""
    scene = Registry()
    name = scene.must("anyone", hold(signed())).events[-1].digest
    keeper = CreditKeeper(scene.port())
    keeper.work()
    assert scene.leaf(HeldOrder, name).owner == "t"
    assert keeper.work() == 0

    scene.price(BTC=97_900)
    assert keeper.work() == 1
    assert scene.size() == UNIT // 10
    assert scene.root.state.get(HeldOrder, (name,)) is None
    assert scene.root.state.get(HeldOrders, (1,)) is None
    assert scene.refused("anyone", hold(signed())) is Code.SIGNED_ORDER_USED
    assert keeper.work() == 0
    assert list(scene.root.audit()) == []


@pytest.mark.parametrize(
    ("changes", "expires", "code"),
    [
        ({"signer": "thief"}, 0, Code.SIGNED_BY_ANOTHER),
        ({"evidence": ""}, 0, Code.SIGNED_BY_ANOTHER),
        ({"nonce": 1}, 0, Code.SIGNED_NONCE_WRONG),
        ({"market": "DOGE"}, 0, Code.UNKNOWN_MARKET),
        ({"trading_account": 9}, 0, Code.UNKNOWN_TRADING_ACCOUNT),
        ({"size_delta": 1}, 0, Code.TRADE_TOO_SMALL),
        ({"size_delta": 0}, 0, Code.TRADE_TOO_SMALL),
        ({"target_price": 0}, 0, Code.INVALID_PRICE),
        ({}, 1, Code.DEADLINE_PASSED),
    ],
)
def test_what_could_never_fill_is_not_kept(changes: dict, expires: int, code: Code) -> None:
    """A4, Z10: each with its own code."""
    assert Registry().refused("anyone", hold(signed(**changes), expires)) is code


def test_a_second_copy_and_too_many_are_refused() -> None:
    """A4, Z10: one of each, and a bounded number per account."""
    scene = Registry()
    scene.configure(CreditTradingSettings(order_lifetime=0, max_held=2))
    scene.must("anyone", hold(signed()))
    assert scene.refused("anyone", hold(signed(evidence="the same, signed again"))) is Code.SIGNED_ORDER_HELD
    scene.must("anyone", hold(signed("b")))
    assert scene.refused("anyone", hold(signed("c"))) is Code.TOO_MANY_ORDERS


def test_a_new_nonce_drops_all_of_them() -> None:
    """Z10: the owner voids, or gives the account away, or an order fills that was to void the others."""
    scene = Registry()
    for salt in "ab":
        scene.must("anyone", hold(signed(salt)))
    voided = scene.must("t", credit_positions.CancelSignedOrders(trading_account=1)).events
    assert [event.reason for event in voided if isinstance(event, SignedOrderDropped)] == ["voided"] * 2
    assert list(scene.root.state.each(HeldOrder)) == []

    scene.must("anyone", hold(signed("c", nonce=1, increase_nonce=True)))
    scene.must("anyone", hold(signed("d", nonce=1, target_price=50_000 * USD)))
    scene.price(BTC=97_000)
    CreditKeeper(scene.port()).work()
    assert scene.size() == UNIT // 10
    assert list(scene.root.state.each(HeldOrder)) == []

    scene.must("anyone", hold(signed("e", nonce=2)))
    scene.must("t", credit_positions.TransferTradingAccount(trading_account=1, to="heir"))
    assert list(scene.root.state.each(HeldOrder)) == []
    assert list(scene.root.audit()) == []


def test_it_is_kept_no_longer_than_it_says() -> None:
    """Z10: after its last second it does not fill, at whatever price; the keeper clears it."""
    scene = Registry()
    scene.must("anyone", hold(signed(target_price=200_000 * USD), scene.now + 10))
    scene.now += 11
    scene.price(BTC=100_000)
    assert CreditKeeper(scene.port()).work() >= 1
    assert scene.size() == 0
    assert list(scene.root.state.each(HeldOrder)) == []


def test_a_keepers_own_copy_fills_it_too() -> None:
    """Z10: whoever hands it in, it fills once; an agent's signature counts while the agent is approved."""
    scene = Registry()
    agent = governance.ApproveAgent(agent="key", scopes=("trade",), expires=scene.now + 100)
    scene.must("t", agent)
    order = signed(signer="key", target_price=101_000 * USD)
    scene.must("anyone", hold(order))
    command = credit_positions.FillSignedOrders(market="BTC", orders=(order,), report=scene.report("BTC", BTC))
    done = scene.must("keeper", command)
    assert any(isinstance(event, SignedOrderFilled) for event in done.events)
    assert list(scene.root.state.each(HeldOrder)) == []

    scene.must("anyone", hold(signed("b", signer="key", target_price=101_000 * USD)))
    scene.now += 101
    scene.price(BTC=100_000)
    before = scene.root.sequence
    assert CreditKeeper(scene.port()).work() <= 1
    assert scene.root.sequence <= before + 1
    assert scene.size() == UNIT // 10
