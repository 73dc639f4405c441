"""What the feeds of a simulated venue say along a path (E5)."""

from __future__ import annotations

import pytest

from tests.simulator.worlds import path_of
from zlp.engine import Root
from zlp.engine.fixed import USD
from zlp.profiles.loader import load
from zlp.simulator.feeds import Assumption, FeedRule, PathFeed, assume
from zlp.simulator.stream import Stream


def founded(name: str) -> Root:
    root = Root()
    for envelope in load(name).genesis():
        assert root.apply(envelope).accepted
    return root


def test_the_primary_feed_answers_at_each_deviation() -> None:
    """E5: a move of 40 bps at a deviation of 10 gives four rounds; a small one none until half the maximum age."""
    feed = PathFeed(founded("zeus").state, [], FeedRule(deviation_bps=10))
    feed.move_to(0, {"ETH": 2_000 * USD})
    assert feed.rounds(0)["ETH"] == [2_000 * USD]

    feed.move_to(60, {"ETH": 2_008 * USD})
    assert feed.rounds(60)["ETH"] == [2_002 * USD, 2_004 * USD, 2_006 * USD, 2_008 * USD]
    feed.move_to(120, {"ETH": 2_009 * USD})
    assert feed.rounds(120) == {}
    assert feed.rounds(3_659) == {}
    assert feed.rounds(3_660)["ETH"] == [2_009 * USD]


def test_a_large_move_keeps_the_newest_rounds() -> None:
    """E5: what a venue samples are the last answers before now."""
    feed = PathFeed(founded("zeus").state, [], FeedRule(deviation_bps=10, most_rounds=3))
    feed.move_to(0, {"ETH": 2_000 * USD})
    feed.rounds(0)
    feed.move_to(60, {"ETH": 2_200 * USD})

    assert feed.rounds(60)["ETH"] == [2_196 * USD, 2_198 * USD, 2_200 * USD]


def test_an_asset_the_path_lacks_is_priced_by_a_stated_assumption() -> None:
    """A1: stables are a dollar, wrapped tokens their base, ratios their anchor; and the caller's word wins."""
    path = path_of(ETH=[2_000, 2_100], BTC=[40_000, 41_000])

    found = {rule.asset: rule for rule in assume(founded("zeno").state, path, {"METIS": "0.01 ETH"})}

    assert found["m.USDC"] == Assumption("m.USDC", "", USD)
    assert found["WETH"] == Assumption("WETH", "ETH", USD)
    assert found["METIS"] == Assumption("METIS", "ETH", USD // 100)
    assert str(found["METIS"]) == "METIS is 0.01 ETH"
    staked = {rule.asset: rule for rule in assume(founded("zaros").state, path)}
    assert staked["wstETH/ETH"] == Assumption("wstETH/ETH", "", 12 * USD // 10)
    with pytest.raises(ValueError, match="METIS"):
        assume(founded("zeno").state, path, {"METIS": "0 ETH"})


def test_streams_are_the_agents_own_and_never_change() -> None:
    """A2: a stream depends on its seed and name alone, and its first draws are pinned."""
    first, same, other = Stream(1, "ann"), Stream(1, "ann"), Stream(1, "bob")

    drawn = [first.uniform() for _ in range(3)]

    assert drawn == [same.uniform() for _ in range(3)]
    assert drawn != [other.uniform() for _ in range(3)]
    assert drawn == [0.4167646546156737, 0.317958765300137, 0.8218047220544779]
    assert sum(Stream(2, n).wait(10.0) for n in range(2_000)) / 2_000 == pytest.approx(10, rel=0.1)
    assert 1.0 <= Stream(3).quantile((1.0, 2.0, 8.0)) <= 8.0


@pytest.mark.parametrize(("text", "reason"), [("abc ETH", "is not like"), ("0.5 NOPE", "NOPE has no prices")])
def test_an_assumption_that_says_nothing_is_refused(text: str, reason: str) -> None:
    """Not a run in which the asset silently never has a price."""
    root = Root()
    for envelope in load("zeus").genesis():
        root.apply(envelope)

    with pytest.raises(ValueError, match=reason):
        assume(root.state, path_of(ETH=[2_000.0] * 2), {"SOL": text})
