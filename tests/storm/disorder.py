"""What nobody should send: wrong names, absurd numbers, wrong roles, late, twice, from the past."""

from __future__ import annotations

from msgspec.structs import replace

from tests.storm.scene import BOUND, Scene
from zlp.engine import Command, Envelope
from zlp.engine.commands import custody, governance, isolated, liquidity, orders, prices

NAMES = ("", "*", "nothing", "pool:main", "ETH", "x" * 5_000, "\x00", "multisig:treasury")


def next_command(scene: Scene) -> Envelope:
    """One piece of disorder."""
    command = scene.random.choice(_kinds(scene))
    account = scene.random.choice((scene.account(), "governor", "keeper", "bridge", "nobody"))
    envelope = Envelope(time=scene.now, account=account, command=command)
    draw = scene.random.random()
    if draw < 0.1:
        return replace(envelope, time=scene.root.time - scene.random.choice((1, 3_600)))
    if draw < 0.2:
        return replace(envelope, deadline=scene.now - scene.random.randrange(0, 5))
    if draw < 0.3:
        return replace(envelope, signer="agent")
    if draw < 0.5:
        return replace(envelope, nonce=scene.now * 1_000 + scene.random.choice((0, 0, 1, 2, -(10**9), 10**9)))
    return envelope


def _kinds(scene: Scene) -> tuple[Command, ...]:
    name, number, pool = scene.random.choice(NAMES), scene.edge(), scene.pool.pool
    token = scene.random.choice((scene.token(), name))
    signed = scene.random.choice((number, -number, -1))
    return (
        custody.Deposit(account=name, token=token, amount=signed),
        custody.Transfer(token=token, to=name, amount=signed),
        custody.Faucet(token=token, amount=signed),
        custody.RequestWithdrawal(token=token, amount=signed, destination=name),
        custody.SettleWithdrawal(withdrawal=number, paid=True),
        liquidity.Mint(pool=name, token=token, amount=signed),
        liquidity.Mint(pool=pool, token=token, amount=signed),
        liquidity.Burn(pool=pool, token=token, shares=signed, to=name),
        liquidity.Swap(pool=pool, path=(token,) * scene.random.randrange(5), amount=signed, to=name),
        liquidity.Donate(pool=pool, token=token, amount=signed),
        isolated.IncreasePosition(
            pool=pool, market=token, collateral=scene.token(), is_long=True, amount=signed, size_delta=number
        ),
        isolated.DecreasePosition(pool=pool, market=token, collateral=token, is_long=False, size_delta=signed),
        isolated.LiquidatePosition(pool=pool, account=name, market=token, collateral=token, is_long=True),
        prices.PostRounds(rounds=(prices.Round(token, scene.random.choice((0, -1, BOUND))),)),
        prices.PostPrices(prices=(prices.FastPrice(token, signed),), timestamp=number),
        orders.PlaceOrder(action=scene.random.choice(("", "{", "[" * 4_000, name)), fee=number),
        orders.PlaceOrder(action='{"type":"Mint","pool":"p","token":"t","amount":-1}', fee=number),
        orders.ExecuteOrders(numbers=(number,) * 3),
        governance.Configure(settings=scene.random.choice(("", "[" * 4_000, '{"type":"Token"}'))),
        governance.SetParameter(leaf=name, key="[" * 3_000, field=name, value=name),
        governance.SetParameter(leaf="PoolSettings", key=f'["{pool}"]', field="cooldown", value="[" * 3_000),
        governance.Propose(multisig="treasury", command="{" * 3_000, expires=number),
        governance.Approve(proposal=number),
        governance.UpgradeBranches(cuts=(governance.BranchCut(action="remove", branch="governance", version=1),)),
    )
