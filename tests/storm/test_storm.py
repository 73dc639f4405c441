"""Short storms over the basket pools, the same storm twice, and a storm that has to fail."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from tests.storm import __main__ as runner
from tests.storm import zeus
from tests.storm.weather import Storm, StormFailed
from zlp.engine import Envelope, Root
from zlp.engine.draft import Draft
from zlp.engine.leaves.ledger import Balance
from zlp.engine.leaves.pool import PoolAsset

COMMON = ("Mint", "Burn", "Swap", "LiquidatePosition", "Transfer", "SetParameter", "RequestWithdrawal", "PostRounds")
ORDERED = ("PlaceOrder", "ExecuteOrder", "ExecuteOrders", "CancelOrder", "CollectFees", "MintSoulbound", "PostPrices")
DIRECT = ("IncreasePosition", "DecreasePosition")


@pytest.mark.parametrize(
    ("profile", "seed", "names"), [("zeus", 31, COMMON + ORDERED), ("mixed", 32, COMMON + DIRECT), ("zeus", 33, COMMON)]
)
def test_nothing_breaks_in_a_storm(profile: str, seed: int, names: tuple[str, ...]) -> None:
    """A1 to A4, E1 to E14: conservation, solvency, totals, pool value, replay; every kind of command gets through."""
    storm = Storm(profile, seed, 12_000, 1_000, 6_000)
    for _ in storm.run():
        pass
    assert [name for name in names if not storm.accepted[name]] == []


def test_a_seed_is_one_storm() -> None:
    """A2: the same seed ends in the same digest, another seed does not, however often it is audited."""
    ends = []
    for seed, audit_every in ((7, 100), (7, 900), (8, 900)):
        storm = Storm("zeus", seed, 900, audit_every, 450)
        for _ in storm.run():
            pass
        ends.append(storm.root.chain)
    assert ends[0] == ends[1] != ends[2]


def stolen(storm: Storm) -> None:
    """A balance changes without an event."""
    leaf = next(iter(storm.root.state.each(Balance)))
    storm.root.state.tables[Balance][leaf.key] = replace(leaf, amount=leaf.amount + 1)


def forgotten(storm: Storm) -> None:
    """A pool forgets a unit it has reserved."""
    for leaf in list(storm.root.state.each(PoolAsset)):
        storm.root.state.tables[PoolAsset][leaf.key] = replace(leaf, reserved=leaf.reserved + 1, amount=leaf.amount + 1)


@pytest.mark.parametrize("damage", [stolen, forgotten])
def test_a_damaged_state_ends_the_storm(damage) -> None:
    """A storm that could not fail would prove nothing."""
    storm = Storm("zeus", 1, 600, 100, 600)
    steps = storm.run()
    for _ in range(250):
        next(steps)
    damage(storm)
    with pytest.raises(StormFailed):
        list(steps)


def test_a_failure_prints_what_repeats_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command, its index, the seed, the commit and the line that runs it again; exit code 1."""

    def faulty(draft: Draft) -> None:
        if draft.sequence > 300:
            raise RuntimeError("a fault was planted")

    monkeypatch.setattr("zlp.engine.invariants.check", faulty)
    assert runner.main(["--profile", "zeus", "--commands", "2000", "--seed", "5", "--audit-every", "100"]) == 1
    printed = capsys.readouterr().out
    assert "a fault was planted" in printed
    assert '"command":{"type":' in printed
    for word in ("seed      5", "commit    ", "again     python -m tests.storm --profile zeus --seed 5 --commands "):
        assert word in printed


def test_the_generator_draws_from_its_dice_only() -> None:
    """The same dice over the same state throw the same command."""
    storm = Storm("zeus", 3, 500, 500, 500)
    for _ in storm.run():
        pass
    root: Root = storm.root
    thrown: list[list[Envelope]] = []
    for _ in range(2):
        dice = Random(99)
        thrown.append([zeus.next_command(dice, root, root.time + 1) for _ in range(300)])
    assert thrown[0] == thrown[1]
    assert len({type(envelope.command) for envelope in thrown[0]}) > 15


@pytest.mark.storm_long
@pytest.mark.parametrize("profile", ["zeus", "mixed"])
def test_a_million_commands_find_nothing(profile: str) -> None:
    """A1 to A4, E1 to E14, at scale."""
    for _ in Storm(profile, 2026, 1_000_000).run():
        pass
