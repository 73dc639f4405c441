"""A fork goes on from a venue's state and leaves the venue alone (A2, A5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.keepers.scene import Scene
from tests.simulator.worlds import path_of
from zlp.cli import app
from zlp.engine.fixed import USD
from zlp.keepers import OrderKeeper
from zlp.profiles.loader import load
from zlp.simulator.agents import Founder, NoiseTrader
from zlp.simulator.backtest import Setup, root_of, world_of
from zlp.simulator.fork import fork, wrapped
from zlp.simulator.shocks import PriceShock, moments


@pytest.fixture
def scene() -> Scene:
    """A venue with a long of 10x that a fall of 30 % must liquidate, and a small one that it must not."""
    scene = Scene()
    keeper = OrderKeeper(scene.port())
    scene.order("bold", scene.position(True, 10_000, 10))
    scene.order("shy", scene.position(True, 10_000, 1.5))
    scene.post()
    assert keeper.work() == 2
    return scene


def test_a_fall_liquidates_who_stood_at_the_edge(scene: Scene) -> None:
    """E11: the venue's own positions meet the shock; the venue itself does not change."""
    before = scene.root.chain
    shock = PriceShock(after=0, depth=0.3, fall=3_600, recovery=0.0, assets=("ETH",))

    result = fork(scene.root.snapshot(), Setup(shocks=(shock,), ticks=1), hours=6, volatility=0.0, crowd=False)

    assert result.liquidations == 1
    assert result.open_positions == 0
    assert len(result.ladder) == 1
    assert result.faults == []
    assert result.net_by_behaviour["who was there before"] < -12_000 * USD
    assert scene.root.chain == before


def test_without_a_shock_a_still_market_costs_only_funding(scene: Scene) -> None:
    """E8: nothing happens but time."""
    result = fork(scene.root.snapshot(), Setup(ticks=1), hours=6, volatility=0.0, crowd=False)

    assert result.liquidations == 0
    assert result.series.total_return == pytest.approx(0, abs=1e-9)


def test_the_command_reads_a_snapshot_and_refuses_a_damaged_one(scene: Scene, tmp_path: Path) -> None:
    """A5: `zlp fork` prints the result; a snapshot whose hash does not match is refused."""
    file = tmp_path / "snapshot.json"
    snapshot = scene.root.snapshot()
    file.write_text(json.dumps(snapshot))

    shown = CliRunner(env={"COLUMNS": "160"}).invoke(
        app, ["fork", str(file), "--fall", "0.3", "--asset", "ETH", "--hours", "4"]
    )

    assert shown.exit_code == 0, shown.output
    assert "who was there before" in shown.output
    assert "ETH falls by 30% in 60 minutes" in " ".join(shown.output.split())
    unknown = CliRunner().invoke(app, ["fork", str(file), "--fall", "0.3", "--asset", "DOGE"])
    assert unknown.exit_code == 1
    assert "no price of DOGE; there are BTC" in unknown.output
    below = CliRunner().invoke(app, ["fork", str(file), "--fall", "30"])
    assert below.exit_code == 1
    assert "a share below 1" in below.output
    file.write_text(json.dumps({**snapshot, "state_hash": "0" * 64}))
    damaged = CliRunner().invoke(app, ["fork", str(file)])
    assert damaged.exit_code == 1


def test_what_wraps_an_asset_falls_with_it() -> None:
    """A fork does not tear a token from the coin it is: WETH follows ETH, a staked coin's ratio stays its own."""
    prices = {"ETH": 2_000 * USD, "WETH": 1_998 * USD, "wstETH/ETH": 12 * USD // 10, "USDC": USD, "m.USDC": USD}

    assert wrapped(prices) == {"WETH": "0.999 ETH", "m.USDC": "1 USDC"}


@pytest.mark.parametrize("profile", ["zeus", "zeno", "zo", "zaros"])
def test_every_design_can_be_forked(profile: str) -> None:
    """A venue that lived a while falls by 30 % in ETH: all coins that are ETH fall, nothing is lost or made."""
    root = root_of(load(profile))
    crowd = (Founder(), NoiseTrader(count=6, interval=7_200))
    world = world_of(root, path_of(ETH=[2_000.0] * 24, BTC=[40_000.0] * 24), Setup())
    world.populate(crowd)
    for moment in moments(path_of(ETH=[2_000.0] * 24, BTC=[40_000.0] * 24), (), 1):
        world.tick(moment)
    shock = PriceShock(after=0, depth=0.3, fall=3_600, recovery=0.0, assets=("ETH",))

    result = fork(root.snapshot(), Setup(shocks=(shock,), ticks=1), hours=3, volatility=0.0, crowd=False)

    assert result.faults == []
    assert result.holding_return < -0.05
