"""Agents do what their names say, with the distributions they are given; every test can fail (A2, E4)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.simulator.worlds import HOUR, path_of, without_spread
from zlp.engine import Receipt
from zlp.engine.events.trading import PositionChanged
from zlp.oracle.price_path import PricePath
from zlp.simulator.agents import (
    Behaviour,
    Founder,
    Hedger,
    MeanReverter,
    NoiseTrader,
    SkewArbitrageur,
    StaleArbitrageur,
    TrendFollower,
    YieldChaser,
)
from zlp.simulator.backtest import Setup, root_of, world_of
from zlp.simulator.shocks import OracleLag, Shock, moments
from zlp.simulator.world import World

DAY = 24 * HOUR
Seen = list[tuple[int, PositionChanged]]
"""What happened to positions, with the second."""


def lived(
    path: PricePath, *crowd: Behaviour, shocks: Sequence[Shock] = ()
) -> tuple[World, list[tuple[int, PositionChanged]]]:
    """A world after a path, and what happened to positions in it, with the second."""
    setup = Setup(crowd=crowd, ticks=1, shocks=tuple(shocks))
    world = world_of(root_of(without_spread()), path, setup)
    seen: Seen = []

    def hear(receipt: Receipt) -> None:
        seen.extend((world.now, event) for event in receipt.events if isinstance(event, PositionChanged))

    world.venue.listen(hear)
    world.settle(Founder())
    for place, moment in enumerate(moments(path, setup.shocks, 1)):
        world.tick(moment)
        if place == 2:
            world.populate(crowd)
    return world, seen


def flat(hours: int) -> PricePath:
    return path_of(ETH=[2_000.0] * hours, BTC=[40_000.0] * hours)


def distance(sample: Sequence[float], quantiles: Sequence[float]) -> float:
    """Kolmogorov's: the largest gap between the sample's distribution and the one with these even quantiles."""
    ordered = sorted(sample)
    gaps = []
    for place, value in enumerate(ordered):
        below = [index for index in range(len(quantiles) - 1) if quantiles[index] <= value]
        index = below[-1] if below else 0
        width = quantiles[index + 1] - quantiles[index]
        share = (index + min(1.0, (value - quantiles[index]) / width)) / (len(quantiles) - 1)
        gaps.append(max(abs(share - place / len(ordered)), abs(share - (place + 1) / len(ordered))))
    return max(gaps)


def test_retail_noise_has_the_leverage_and_holding_times_it_is_given() -> None:
    """Leverage within Kolmogorov's 1 % band; the quartiles of holding times within three standard errors."""
    hours, leverage = (1.0, 3.0, 6.0, 12.0, 30.0), (1.5, 2.0, 4.0, 8.0)
    crowd = NoiseTrader(
        count=120, interval=150 * HOUR, leverage=leverage, holding_hours=hours, stake=(0.1, 0.1), react=0.0
    )
    _, seen = lived(flat(24 * 30), crowd)

    chosen, held = [], []
    since: dict[str, int] = {}
    for now, event in seen:
        if event.action == "open":
            since[event.position] = now
            chosen.append(event.size_after / (event.collateral_usd + event.fee_usd))
        elif event.action == "extend":
            since.pop(event.position, None)
        elif event.action == "close" and event.position in since:
            held.append((now - since[event.position]) / HOUR)
    assert min(len(chosen), len(held)) > 400
    assert distance(chosen, leverage) < 1.63 / len(chosen) ** 0.5
    for share, limit in ((0.25, 3.0), (0.5, 6.0), (0.75, 12.0)):
        within = sum(hours_held <= limit + 1.0 for hours_held in held) / len(held)  # it closes a price later
        assert within == pytest.approx(share, abs=3 * (share * (1 - share) / len(held)) ** 0.5)


@pytest.mark.parametrize(("dear", "least"), [({"react": 40.0}, 0.5), ({"fee_react": 0.1}, 0.7)])
def test_traders_come_less_often_where_it_is_dear(dear: dict[str, float], least: float) -> None:
    """Arrival reacts to carry, and to the fee: at 10 bps and a factor of 0.1 the wait is 2.5 times as long."""
    opened = {}
    for name, settings in (("deaf", {"react": 0.0}), ("keen", {"react": 0.0} | dear)):
        crowd = NoiseTrader(count=60, interval=6 * HOUR, stake=(0.1, 0.2), **settings)  # type: ignore[arg-type]
        _, seen = lived(flat(24 * 10), crowd)
        opened[name] = sum(event.action in ("open", "extend") for _, event in seen)

    assert opened["deaf"] > 1_000
    assert opened["keen"] < least * opened["deaf"]


def test_yield_brings_providers_and_its_absence_sends_them_away() -> None:
    """LPs enter after a fortnight of gains and leave after losses."""
    rising = [2_000.0 * 1.0006**hour for hour in range(24 * 25)]
    falling = [rising[-1] * 0.9994**hour for hour in range(24 * 25)]
    world, _ = lived(
        path_of(ETH=rising + falling, BTC=[40_000.0] * len(rising + falling)), YieldChaser(count=5), Hedger(count=1)
    )
    still, _ = lived(flat(24 * 50), YieldChaser(count=5))
    rose, _ = lived(path_of(ETH=rising, BTC=[40_000.0] * len(rising)), YieldChaser(count=5))

    chasers = [hand for name, hand in world.hands.items() if name.startswith("yield")]
    assert [hand.notes["invested"] for hand in rose.hands.values() if hand.account.startswith("yield")] == [True] * 5
    assert [hand.notes["invested"] for hand in chasers] == [False] * 5
    assert not any(hand.notes.get("invested") for hand in still.hands.values())


def sides(seen: Seen, action: str = "open") -> list[bool]:
    return [event.is_long for _, event in seen if event.action == action and event.market == "ETH"]


@pytest.mark.parametrize(
    ("behaviour", "is_long"),
    [(TrendFollower(lookback=24, pause=HOUR), True), (MeanReverter(lookback=8, pause=HOUR), False)],
)
def test_one_follows_a_rise_and_the_other_fades_it(behaviour: Behaviour, is_long: bool) -> None:
    """A steep rise of 12 % in a day."""
    rise = [2_000.0] * 40 + [2_000.0 * (1 + 0.005 * hour) for hour in range(25)] + [2_240.0] * 10
    _, seen = lived(path_of(ETH=rise, BTC=[40_000.0] * len(rise)), behaviour)

    assert sides(seen)
    assert set(sides(seen)) == {is_long}


def test_a_hedge_is_a_short_that_is_renewed() -> None:
    """Each term it is closed and opened again."""
    _, seen = lived(flat(24 * 30), Hedger(markets=("ETH",), term=5 * DAY, leverage=1.5))

    assert set(sides(seen)) == {False}
    assert 4 <= len(sides(seen)) <= 7
    assert sides(seen, "close") == [False] * len(sides(seen, "close"))


def test_skew_is_taken_from_the_other_side_and_left_when_it_turns() -> None:
    """With only shorts around, the arbitrageur goes long."""
    _, seen = lived(flat(24 * 10), Hedger(markets=("ETH",)), SkewArbitrageur(markets=("ETH",)))

    mine = [event for _, event in seen if event.account.startswith("skew")]
    assert mine
    assert all(event.is_long for event in mine)


def test_an_arbitrageur_trades_only_while_the_venue_is_late() -> None:
    """With prices an hour old in a falling market he goes short; with fresh ones he sees nothing to do."""
    fall = [2_000.0] * 24 + [2_000.0 - 40.0 * hour for hour in range(12)] + [1_560.0] * 12
    path = path_of(ETH=fall, BTC=[40_000.0] * len(fall))
    lag = OracleLag(after=20 * HOUR, seconds=16 * HOUR, delay=2 * HOUR)

    _, late = lived(path, StaleArbitrageur(markets=("ETH",)), shocks=[lag])
    _, fresh = lived(path, StaleArbitrageur(markets=("ETH",)))

    assert set(sides(late)) == {False}
    assert fresh == []
