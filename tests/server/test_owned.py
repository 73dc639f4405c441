"""The index of owners: for every account it says what a walk over all leaves says, whatever has happened."""

import pytest

from zlp.cli.local.prices import path_of
from zlp.desks import desk_of
from zlp.engine import Envelope, Root
from zlp.engine.commands.custody import Deposit
from zlp.engine.draft import Draft
from zlp.engine.state import State
from zlp.oracle.price_path import PriceTick
from zlp.profiles.loader import load
from zlp.server.owned import FIELDS, AccountReader, Owned, owners
from zlp.simulator.agents import Founder, NoiseTrader, Rebalancer
from zlp.simulator.feeds import assume
from zlp.simulator.shocks import Moment
from zlp.simulator.world import World

PROFILES = ("zeus", "zo", "zeno", "zaros")
START, STEP = 1_700_000_000, 600
USD = 10**30
CROWD = (
    Rebalancer(count=2),
    NoiseTrader(count=6, wealth=(2_000.0, 9_000.0), interval=2 * STEP, holding_hours=(0.1, 0.3, 0.6, 1.0), react=0.0),
)


def crowded(profile: str) -> tuple[Root, World]:
    """A venue in which people come and go: positions opened and closed, orders placed and run, shares moved."""
    chosen, root = load(profile), Root()
    for envelope in chosen.genesis(identity="owned"):
        root.apply(envelope)
    world = World(root, chosen.roles, assume(root.state, path_of(prices(0))), seed=3)
    return root, world


def prices(turn: int) -> dict[str, int]:
    """A price that goes up and down."""
    wave = 100 + turn % 7 - turn % 5
    return {"BTC": 600 * wave * USD, "ETH": 25 * wave * USD, "SOL": wave * USD, "SUI": wave * USD // 50}


def walked(state: State, account: str) -> dict[str, set[object]]:
    """Keys of an account's leaves the slow way."""
    return {kind.__name__: {leaf.key for leaf in state.each(kind) if account in owners(leaf)} for kind in FIELDS}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_index_finds_what_a_walk_finds(profile: str) -> None:
    """Made at the start and told of every command, it agrees for every account at every moment."""
    root, world = crowded(profile)
    owned = Owned(root)
    opened = 0
    for turn in range(24):
        moment = PriceTick(START + turn * STEP, prices(turn))
        world.tick(Moment(moment, moment))
        if turn == 0:
            world.populate((Founder(), *CROWD))
        for account in world.hands:
            reader = AccountReader(owned, account)
            found = {kind.__name__: {leaf.key for leaf in reader.each(kind)} for kind in FIELDS}
            assert found == walked(root.state, account)
            mine = list(world.desk.positions(reader, world.now, account))
            assert mine == list(world.desk.positions(root.state, world.now, account))
            opened += len(mine)
    assert opened > 10


def test_an_index_made_later_is_the_same() -> None:
    """What it is told and what it reads at the start come to one."""
    root, world = crowded("zeus")
    told = Owned(root)
    for turn in range(6):
        moment = PriceTick(START + turn * STEP, prices(turn))
        world.tick(Moment(moment, moment))
        if turn == 0:
            world.populate((Founder(), *CROWD))
    made = Owned(root)
    assert any(told.keys(kind, account) for kind in FIELDS for account in world.hands)
    for kind in FIELDS:
        for account in world.hands:
            assert set(told.keys(kind, account)) == set(made.keys(kind, account))


def test_a_quotes_draft_shows_what_it_would_add() -> None:
    """A5: positions after a quote are the account's, those it would open included; the state is as it was."""
    root, world = crowded("zo")
    moment = PriceTick(START, prices(0))
    world.tick(Moment(moment, moment))
    world.populate((Founder(),))
    world.tick(Moment(PriceTick(START + 60, prices(0)), PriceTick(START + 60, prices(0))))
    owned, desk, account = Owned(root), desk_of(root.state), "founder-1"
    market = desk.markets(root.state, world.now)[0]
    token = market.long_collaterals[0]
    unit = world.token_unit(token)
    root.apply(Envelope(time=world.now, account="bridge", command=Deposit(account=account, token=token, amount=unit)))
    worth = world.token_price(token)
    (command,) = desk.open(
        root.state,
        world.now,
        pool=market.pool,
        market=market.market,
        is_long=True,
        collateral=token,
        amount=unit,
        size_usd=worth * 2,
    )
    answer = root.quote(Envelope(time=world.now, account=account, command=command))
    assert answer.receipt.accepted, answer.receipt.rejection
    assert isinstance(answer.after, Draft)
    after = AccountReader(owned, account, answer.after)
    assert len(list(desk.positions(after, world.now, account))) == 1
    assert list(desk.positions(AccountReader(owned, account), world.now, account)) == []


def test_a_copy_goes_its_own_way() -> None:
    """A2: a copied root has the same state and chain, and what is applied to one is not seen by the other."""
    root, _ = crowded("zeus")
    seen: list[object] = []
    root.watch(seen.append)
    copy = root.copy()
    assert (copy.chain, copy.sequence, copy.state_hash()) == (root.chain, root.sequence, root.state_hash())
    deposit = Envelope(time=root.time, account="bridge", command=Deposit(account="tom", token="USDC", amount=5))
    receipt = copy.apply(deposit)
    assert receipt.accepted
    assert seen == []
    assert copy.state_hash() != root.state_hash()
    assert root.apply(deposit).digest == receipt.digest
    assert len(seen) == 1
