"""The fast world repeats the engine: formula by formula, and whole runs within the stated tolerance (E6, E8, E11)."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zlp.engine.branches.isolated.book import Book
from zlp.engine.branches.isolated.health import assess
from zlp.engine.branches.isolated.increase import _next_average
from zlp.engine.commands.governance import SetParameter
from zlp.engine.fixed import BPS, USD, amount_of
from zlp.engine.leaves.isolated import IsolatedSettings, Market, MarketSettings, Position
from zlp.engine.leaves.pool import AssetSettings, PoolAsset
from zlp.engine.mechanisms.funding import UtilisationFunding
from zlp.engine.mechanisms.shorts import Shorts, SoundShorts
from zlp.engine.rejections import Reject
from zlp.oracle.price_path import PricePath
from zlp.profiles.loader import Profile
from zlp.profiles.loader import load as load_profile
from zlp.simulator.agents import Founder, NoiseTrader, TapeTrader
from zlp.simulator.backtest import Result, Setup, run
from zlp.simulator.cells import path_of, profile_of, setup_of
from zlp.simulator.examples import find, names
from zlp.simulator.kernel import TOLERANCE, USE_TOLERANCE, drop_stale_cache, formulas
from zlp.simulator.kernel.inputs import NotFastError
from zlp.simulator.kernel.path import fresh_pool, run_path, run_paths
from zlp.simulator.kernel.run import run_fast
from zlp.simulator.kernel.state import Prices, Rules
from zlp.simulator.kernel.tape import tape_of
from zlp.simulator.metrics import REGISTRY
from zlp.simulator.paths import made
from zlp.simulator.scenario import load
from zlp.simulator.shocks import OracleLag, OracleOutage, PriceShock, Shock
from zlp.simulator.stream import Stream

CENT = USD // 100
PRICES = st.floats(0.01, 1e5)
SIZES = st.floats(10, 1e7)
FUNDING = UtilisationFunding(interval=3_600, factor=125_000, stable_factor=125_000, scale=10**10)


def whole(value: float) -> int:
    """The engine's integer of a float of USD."""
    return int(value * 10**9) * 10**21


def book_of(is_long: bool, size: float, collateral: float, average: float, price: float, index: int) -> Book:
    """An engine's book of one position at one price, with 3 bps to close and 30x."""
    return Book(
        draft=SimpleNamespace(time=10, memo={}),  # type: ignore[arg-type]
        pool=SimpleNamespace(funding=FUNDING),  # type: ignore[arg-type]
        rules=IsolatedSettings("main", 10, 3, 5 * USD),
        limits=MarketSettings("main", "ETH"),
        index_settings=AssetSettings("main", "ETH", 1, 18),
        settings=AssetSettings("main", "ETH", 1, 18),
        asset=PoolAsset("main", "ETH", funding_index=index),
        market=Market("main", "ETH"),
        position=Position(
            "main",
            "ann",
            "ETH",
            "ETH",
            is_long,
            size=whole(size),
            collateral_usd=whole(collateral),
            average=whole(average),
        ),
        entry_price=whole(price),
        exit_price=whole(price),
        oracle_exit=whole(price),
    )


@given(
    index=st.integers(0, 10**9),
    anchor=st.integers(0, 10**6),
    wait=st.integers(0, 10**6),
    reserved=st.integers(0, 10**6),
    amount=st.integers(0, 10**6),
)
def test_accrual(index: int, anchor: int, wait: int, reserved: int, amount: int) -> None:
    """E8: index and anchor are the mechanism's, to the unit."""
    exact = FUNDING.accrue(index, anchor, anchor + wait, reserved, amount, False)
    twin = formulas.accrued(float(index), anchor, anchor + wait, 3_600, 125_000.0, float(reserved), float(amount))

    assert twin == (exact[0], exact[1])


@given(value=st.integers(0, 10**9), price=st.integers(1, 10**6), decimals=st.sampled_from((6, 8, 18)))
def test_amount(value: int, price: int, decimals: int) -> None:
    """A3: tokens are cut to base units, give or take one where a float can't tell."""
    unit = 10**decimals
    twin = formulas.amount_of(float(value), float(price), float(unit))

    assert twin == pytest.approx(amount_of(value, price, unit) / unit, abs=1.001 / unit, rel=1e-15)
    assert formulas.amount_of(-float(value), float(price), float(unit)) == -twin


@given(is_long=st.booleans(), size=SIZES, average=PRICES, price=PRICES)
def test_gain(is_long: bool, size: float, average: float, price: float) -> None:
    """E6: profit and loss of a position."""
    profit, delta = book_of(is_long, size, size, average, price, 0).delta()

    expected = (delta if profit else -delta) / USD
    assert formulas.gain(is_long, size, average, price) == pytest.approx(expected, rel=1e-6, abs=1e-6 * size)


@given(is_long=st.booleans(), size=SIZES, average=PRICES, move=st.floats(0.7, 1.3), added=SIZES)
def test_next_average(is_long: bool, size: float, average: float, move: float, added: float) -> None:
    """E6: adding to a position keeps its gain."""
    price = average * move
    exact = _next_average(book_of(is_long, size, size, average, price, 0), whole(added)) / USD

    assert formulas.next_average(is_long, size, average, price, added) == pytest.approx(exact, rel=1e-6)


@given(
    is_long=st.booleans(),
    size=SIZES,
    backing=st.floats(0.001, 1.0),
    move=st.floats(0.8, 1.2),
    index=st.integers(0, 10**9),
    trader=st.booleans(),
)
def test_health(is_long: bool, size: float, backing: float, move: float, index: int, trader: bool) -> None:
    """E11: what a liquidator, or the trader himself, may do; away from the edge, where rounding decides."""
    book = book_of(is_long, size, size * backing, 100.0, 100.0 * move, index)
    fees = size * (3 / BPS + index / FUNDING.scale)
    gained = formulas.gain(is_long, size, 100.0, 100.0 * move)
    state, taken = formulas.health(size * backing, gained, fees, 5.0, size, 30.0, trader)
    left = size * backing + (gained if gained < 0 or not trader else 0.0)
    if min(abs(left), abs(left - fees), abs(left - fees - 5), abs(left * 30 - size)) < 1e-6 * size:
        return
    try:
        expected, due = assess(book, trader=trader)
    except Reject:
        assert trader
        assert state != formulas.HEALTHY
        return
    assert state == expected
    assert taken == pytest.approx(due / USD, rel=1e-6, abs=1e-6 * size)


@given(size=SIZES, average=PRICES, price=PRICES)
def test_shorts(size: float, average: float, price: float) -> None:
    """E4: what all shorts of a market have gained."""
    shorts = Shorts(size=whole(size), entry_tokens=whole(size / average))

    exact = SoundShorts().profit(shorts, whole(price)) / USD
    assert formulas.shorts_gain(size, size / average, price) == pytest.approx(exact, rel=1e-5, abs=1e-5 * size)


@given(
    is_long=st.booleans(),
    size=SIZES,
    backing=st.floats(0.001, 1.0),
    average=PRICES,
    index=st.integers(0, 10**9),
    beyond=st.floats(1e-6, 0.5),
)
def test_reach(is_long: bool, size: float, backing: float, average: float, index: int, beyond: float) -> None:
    """E11: beyond the nearer of the two prices a liquidator may do nothing, before it something."""
    base, slope, bare = formulas.reach(
        is_long, size, average, size * backing, 0.0, 3 / BPS, 5.0, float(FUNDING.scale), 30.0
    )
    edge = max(base + slope * index, bare) if is_long else min(base + slope * index, bare)
    outside, inside = edge + beyond * average, edge - beyond * average
    if not is_long:
        outside, inside = inside, outside

    for price, is_healthy in ((outside, True), (inside, False)):
        if price > average * 1e-6:
            health, _ = assess(book_of(is_long, size, size * backing, average, price, index))
            assert (health == formulas.HEALTHY) is is_healthy


@given(
    seed=st.integers(0, 2**63),
    interval=st.integers(0, 10**5),
    assets=st.lists(st.sampled_from(("BTC", "ETH", "SOL")), min_size=1),
    margin=st.tuples(st.floats(0, 100), st.floats(0, 1e6)),
)
@settings(max_examples=30)
def test_tape(seed: int, interval: int, assets: list[str], margin: tuple[float, float]) -> None:
    """E9: whole arrays of intentions are what each trader draws by himself, to the bit."""
    trader = TapeTrader(count=3, interval=interval, assets=tuple(assets), margin=margin)
    start, end, markets = 1_000, 1_000 + 20 * max(1, interval), ["ETH", "BTC"]
    tape, names = tape_of((Founder(), trader), [seed], markets, start, end)
    expected = []
    for number, name in enumerate(names):
        stream = Stream(seed, name)
        wanted = trader.draw(stream, start)
        while wanted.time <= end:
            market = markets.index(wanted.asset) if wanted.asset in markets else -1
            expected.append((wanted.time, number, market, wanted.is_long, wanted.margin, wanted.leverage, wanted.hold))
            wanted = trader.draw(stream, wanted.time)

    assert list(zip(*(column.tolist() for column in tape[1:]), strict=True)) == sorted(expected)


def require_agreement(profile: Profile, prices: PricePath, setup: Setup) -> Result:
    """Run both worlds: each metric, each part of the split, each curve within the stated tolerance."""
    exact, fast = run(profile, prices, setup), run_fast(profile, prices, setup)

    for action in ("order executed", "order ended: expired"):
        assert fast.actions[action] == exact.actions.get(action, 0)
    assert fast.liquidations == exact.liquidations
    for metric in REGISTRY.values():
        one, other = metric.function(exact), metric.function(fast)
        if metric.unit == "usd":
            tolerance = TOLERANCE * max(abs(one), exact.volume / USD / 1_000)
        else:
            tolerance = USE_TOLERANCE if metric.name.startswith("utilisation") else TOLERANCE * max(1.0, abs(one))
        assert other == pytest.approx(one, abs=tolerance), metric.name
    for part, amount in exact.split.items():
        assert fast.split.get(part, 0) == pytest.approx(amount, abs=TOLERANCE * exact.volume / 100 + CENT), part
    assert [size for _, size in fast.ladder] == pytest.approx([size for _, size in exact.ladder], rel=1e-6)
    for (move, _), (expected, _) in zip(fast.ladder, exact.ladder, strict=True):
        assert move == pytest.approx(expected, abs=1e-4)
    for curve in ("index", "margin"):
        assert getattr(fast.series, curve) == pytest.approx(getattr(exact.series, curve), abs=TOLERANCE)
    return exact


FAST = [name for name in names() if load(find(name)).engine == "fast"]


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("path", [0, 1])
def test_every_fast_scenario_agrees_with_the_exact_engine(name: str, path: int) -> None:
    """Each metric and each part of the split within the stated tolerance, at the first and the last point."""
    scenario = load(find(name))
    cell = [cell for cell in scenario.cells() if cell.path == path][-path]
    prices, profile, setup = path_of(scenario, cell).prices.path, profile_of(cell.profile), setup_of(scenario, cell)

    exact = require_agreement(profile, prices, setup)

    assert exact.actions["order executed"] > 500
    assert exact.liquidations > 0


FAST_TRADES = SetParameter(leaf="OrderSettings", key="[]", field="newer_price", value="false")
WIDE_PRICES = SetParameter(leaf="PriceSettings", key='["ETH"]', field="spread.spread_bps", value="10")
NARROW_GUARD = SetParameter(leaf="FastFeedSettings", key="[]", field="guard.max_deviation_bps", value="50")


AFTER = st.integers(7_200, 100_000)
SHOCKS = st.one_of(
    st.builds(
        PriceShock,
        after=AFTER,
        depth=st.floats(-0.2, 0.4),
        fall=st.sampled_from((0, 600, 7_200)),
        stay=st.sampled_from((0, 7_200)),
        recovery=st.floats(0, 1),
    ),
    st.builds(PriceShock, after=AFTER, depth=st.floats(-0.05, 0.3), assets=st.just(("USDC",)), stay=st.just(7_200)),
    st.builds(OracleOutage, after=AFTER, seconds=st.sampled_from((200, 2_000, 20_000))),
    st.builds(OracleLag, after=AFTER, seconds=st.just(20_000), delay=st.sampled_from((100, 1_000, 5_000))),
)
CROWDS = st.builds(
    TapeTrader,
    count=st.sampled_from((5, 24, 48)),
    interval=st.sampled_from((3_600, 10_000)),
    leverage=st.sampled_from(((1.5, 5.0, 30.0), (5.0, 50.0))),
    holding_hours=st.sampled_from(((0.1, 1.0, 5.0), (1.0, 20.0))),
    long_bias=st.floats(0, 1),
)


def changes(opening: int, closing: int, factor: int, leverage: int, longs: int) -> tuple[SetParameter, ...]:
    """Parameters of ZEUS: basis points, index units, basis points, whole USD."""
    fees, eth, btc = '["main"]', '["main", "ETH"]', '["main", "BTC"]'
    return (
        SetParameter(leaf="IsolatedSettings", key=fees, field="opening_fee_bps", value=str(opening)),
        SetParameter(leaf="IsolatedSettings", key=fees, field="closing_fee_bps", value=str(closing)),
        SetParameter(leaf="PoolSettings", key=fees, field="funding.factor", value=str(factor)),
        SetParameter(leaf="MarketSettings", key=eth, field="max_leverage", value=str(leverage)),
        SetParameter(leaf="MarketSettings", key=btc, field="max_long", value=str(longs * USD)),
    )


CHANGES = st.builds(
    changes,
    opening=st.integers(0, 50),
    closing=st.integers(0, 50),
    factor=st.integers(0, 5_000_000),
    leverage=st.sampled_from((50_000, 300_000, 500_000)),
    longs=st.sampled_from((300_000, 50_000_000)),
)


@given(
    seed=st.integers(0, 10**6),
    trader=CROWDS,
    shocks=st.lists(SHOCKS, max_size=3),
    changed=CHANGES,
    pace=st.sampled_from(((60, 1), (300, 1), (600, 4))),
)
@settings(max_examples=12)
def test_the_two_worlds_agree_on_any_setup(
    seed: int, trader: TapeTrader, shocks: list[Shock], changed: tuple[SetParameter, ...], pace: tuple[int, int]
) -> None:
    """E4 to E11, with orders that expire in a silence, two prices of a stable off its dollar, and limits reached."""
    step, ticks = pace
    setup = Setup(seed=seed, ticks=ticks, crowd=(Founder(), trader), shocks=tuple(shocks), changes=changed)

    require_agreement(profile_of("zeus"), made(seed, 1 if step == 60 else 2, step).path, setup)


def test_there_are_fast_scenarios() -> None:
    """The checks above are not empty, and cover shocks and sweeps."""
    assert {"tail", "silence", "rates"} <= set(FAST)


@pytest.mark.parametrize(
    ("profile", "changed", "reason"),
    [
        ("zo", {}, "isolated"),
        ("zeus", {"crowd": (Founder(), NoiseTrader())}, "noise"),
        ("zeus", {"shocks": (OracleOutage(after=0, seconds=9_000),)}, "founds"),
        ("zeus", {"shocks": (OracleOutage(after=7_200, seconds=2 * 86_400),)}, "silent"),
        ("zeus", {"changes": (FAST_TRADES,)}, "next prices"),
        ("zeus", {"changes": (WIDE_PRICES,)}, "both directions"),
        ("zeus", {"changes": (NARROW_GUARD,)}, "strays"),
    ],
)
def test_what_the_kernel_does_not_know_is_refused(profile: str, changed: dict[str, Any], reason: str) -> None:
    """It never guesses: the exact engine is there for the rest."""
    setup = msgspec.structs.replace(Setup(ticks=1, crowd=(Founder(), TapeTrader())), **changed)

    with pytest.raises(NotFastError, match=reason):
        run_fast(load_profile(profile), made(1, 3).path, setup)


def test_many_paths_at_once_are_the_same_paths() -> None:
    """Running side by side changes no bit, whatever the number of threads."""
    rules = Rules(
        opening=0.001,
        closing=0.0,
        liquidation_fee=5.0,
        interval=3_600,
        scale=1e10,
        short_asset=1,
        fee_asset=0,
        execution_fee=0.00018,
        lifetime=300,
        unit=np.array([1e18, 1e6]),
        factor=np.array([125_000.0, 125_000.0]),
        stable=np.array([False, True]),
        asset=np.array([0]),
        most_leverage=np.array([30.0]),
        most_long=np.zeros(1),
        most_short=np.zeros(1),
        most_position=np.zeros(1),
    )
    crowd = (TapeTrader(count=8, assets=("ETH",), interval=7_200),)
    times = np.arange(0, 3_600 * 200, 3_600, dtype=np.int64) + 3_600
    tape, traders = tape_of(crowd, range(6), ["ETH"], int(times[1]), int(times[-1]))
    draw = np.random.default_rng(1)
    low = np.ones((6, len(times), 2))
    low[:, :, 0] = 2_000 * np.exp(np.cumsum(draw.normal(0, 0.01, (6, len(times))), axis=1))
    amounts = np.array([1_000.0, 2_000_000.0])
    sums, values = run_paths(rules, amounts, tape, len(traders), times, low)
    for threads in (2, 3):
        again = run_paths(rules, amounts, tape, len(traders), times, low, threads=threads)
        assert again[0].tobytes() == sums.tobytes()
        assert again[1].tobytes() == values.tobytes()
    for path in range(6):
        prices = Prices(times, low[path], low[path], np.ones(len(times), np.bool_))
        world, curves = run_path(rules, fresh_pool(amounts, 1), tape, path, len(traders), prices)
        assert world.sums.tobytes() == sums[path].tobytes()
        assert world.sums[0] != 0
        assert curves[0].tobytes() == values[path].tobytes()


def test_compiled_code_older_than_its_sources_is_dropped(tmp_path: Path) -> None:
    """A changed formula never runs in its old compiled form."""
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    for name, age in (("old.nbi", 100), ("fresh.nbc", 300)):
        (cache / name).touch()
        os.utime(cache / name, (age, age))
    (tmp_path / "formulas.py").touch()
    os.utime(tmp_path / "formulas.py", (200, 200))

    assert drop_stale_cache(tmp_path) == [cache / "old.nbi"]
    assert [file.name for file in cache.iterdir()] == ["fresh.nbc"]
