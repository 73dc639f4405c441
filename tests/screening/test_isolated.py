"""Isolated positions: screening plus exact confirmation finds exactly what the slow exact scan finds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.screening.exact import USD, Isolated, IsolatedRules, isolated_due, turning_point
from zlp.screening import Direction, DueTable, Threshold, fold_isolated

DIRECTIONS = {True: Direction.AT_OR_BELOW, False: Direction.AT_OR_ABOVE}


def fold(position: Isolated, rules: IsolatedRules) -> Threshold:
    return fold_isolated(
        is_long=position.is_long,
        size=position.size,
        collateral=position.collateral,
        average_price=position.average_price,
        entry_index=position.entry_index,
        position_fee=rules.position_fee(position.size),
        liquidation_fee=rules.liquidation_fee,
        index_scale=rules.index_scale,
        maximum_leverage_bps=rules.maximum_leverage_bps,
        minimum_profit_bps=rules.minimum_profit_bps,
    )


def table_of(positions: list[Isolated], rules: IsolatedRules, is_long: bool) -> DueTable[int]:
    table: DueTable[int] = DueTable(DIRECTIONS[is_long], indices=1)
    for key, position in enumerate(positions):
        if position.is_long == is_long:
            table.upsert(key, fold(position, rules))
    return table


rule_sets = st.builds(
    IsolatedRules,
    margin_fee_bps=st.integers(0, 500),
    liquidation_fee=st.integers(0, 10) | st.integers(0, 100 * USD),
    index_scale=st.sampled_from([10**6, 10**18]),
    maximum_leverage_bps=st.none() | st.integers(10_000, 1_000_000),
    minimum_profit_bps=st.sampled_from([0, 0, 150]),
)
amounts = st.integers(1, 500) | st.integers(0, 220).flatmap(lambda bits: st.integers(1, 2**bits))


@st.composite
def isolated(draw: st.DrawFn, is_long: bool, scale: int) -> Isolated:
    """Any position that may be open: 0 <= collateral <= size, from one unit to 2**220."""
    size = draw(amounts)
    return Isolated(
        is_long=is_long,
        size=size,
        collateral=draw(st.integers(0, size)),
        average_price=draw(amounts),
        entry_index=draw(st.integers(0, scale)),
    )


@given(st.data(), rule_sets, st.booleans())
@settings(max_examples=200)
def test_screening_and_confirmation_agree_with_the_exact_scan(
    data: st.DataObject, rules: IsolatedRules, is_long: bool
) -> None:
    """E11, Z10: nothing due is missed, at any magnitude, at and around the very price where a row turns due."""
    positions = data.draw(st.lists(isolated(is_long, rules.index_scale), min_size=1, max_size=6))
    accrued = data.draw(st.just(0) | st.integers(0, rules.index_scale // 10))
    index = max(position.entry_index for position in positions) + accrued
    table = table_of(positions, rules, is_long)
    one = data.draw(st.sampled_from(positions))
    turn = turning_point(lambda price: isolated_due(one, price, index, rules), 0, 4 * one.average_price)

    for price in (*turn, data.draw(amounts), 0):
        exact = {key for key, each in enumerate(positions) if isolated_due(each, price, index, rules)}
        candidates = set(table.due(price, [index]))
        assert exact == {key for key in candidates if isolated_due(positions[key], price, index, rules)}


@given(
    position=st.builds(
        Isolated,
        is_long=st.booleans(),
        size=st.integers(1, 60),
        collateral=st.integers(0, 60),
        average_price=st.integers(1, 1_000),
        entry_index=st.integers(0, 100),
    ),
    rules=st.builds(
        IsolatedRules,
        margin_fee_bps=st.sampled_from([0, 100]),
        liquidation_fee=st.integers(0, 3),
        index_scale=st.just(1_000),
        maximum_leverage_bps=st.none() | st.integers(10_000, 50_000),
        minimum_profit_bps=st.sampled_from([0, 900]),
    ),
    accrued=st.integers(0, 100),
)
@settings(max_examples=500)
def test_single_units_are_not_lost(position: Isolated, rules: IsolatedRules, accrued: int) -> None:
    """E11: sizes of a few units, where every truncation of the exact rule is larger than any float margin."""
    index = position.entry_index + accrued
    table = table_of([position], rules, position.is_long)

    for price in range(0, 2 * position.average_price, 1 + position.average_price // 20):
        assert table.due(price, [index]) == [0] or not isolated_due(position, price, index, rules)
    turn = turning_point(lambda price: isolated_due(position, price, index, rules), 0, 4_000)
    for price in turn:
        assert table.due(price, [index]) == [0] or not isolated_due(position, price, index, rules)


def made_positions(draw: random.Random, count: int) -> list[Isolated]:
    """Positions as a market of 1800 USD has them: 1 to 30 times leverage, entries over a year of funding."""
    positions = []
    for _ in range(count):
        size = int(draw.lognormvariate(9, 2) * 1e6) * 10**24
        positions.append(
            Isolated(
                is_long=draw.random() < 0.5,
                size=size,
                collateral=int(size / draw.uniform(1.0, 31.0)),
                average_price=int(draw.uniform(1500, 2100) * 1e8) * 10**22,
                entry_index=draw.randrange(100_000),
            )
        )
    return positions


@pytest.mark.parametrize("seed", [1, 2])
def test_a_large_market_is_found_exactly_with_hardly_a_false_candidate(seed: int) -> None:
    """E11: 50,000 seeded positions, three prices, funding that grew, after replacements and removals."""
    draw, rules, index = random.Random(seed), IsolatedRules(), 104_321
    positions = made_positions(draw, 50_000)
    tables = {side: table_of(positions, rules, side) for side in (True, False)}
    gone = set(draw.sample(range(50_000), 10_000))
    for key in gone:
        tables[positions[key].is_long].remove(key)
    back = set(draw.sample(sorted(gone), 4_000))
    for key, new in zip(sorted(back), made_positions(draw, 4_000), strict=True):
        positions[key] = new
        tables[new.is_long].upsert(key, fold(new, rules))
    open_keys = [key for key in range(50_000) if key not in gone or key in back]

    for price in (1_502 * USD + 7, 1_800 * USD, 2_099 * USD - 1):
        exact = {key for key in open_keys if isolated_due(positions[key], price, index, rules)}
        candidates = [key for table in tables.values() for key in table.due(price, [index])]

        assert exact == set(candidates), f"seed {seed}: candidates that are not due, or due rows missed"
        assert 100 < len(exact) < len(open_keys) - 100


def test_funding_alone_makes_a_position_due() -> None:
    """E8, E11: the price stands still and the index grows; the row itself is not touched."""
    rules = IsolatedRules(maximum_leverage_bps=None)
    for is_long in (True, False):
        position = Isolated(is_long, 10_000 * USD, 1_000 * USD, 1_800 * USD, 50)
        table = table_of([position], rules, is_long)
        # collateral 1000 = funding 985 + closing fee 10 + liquidation fee 5, at the entry price
        last_safe = 50 + 98_500

        assert not isolated_due(position, 1_800 * USD, last_safe, rules)
        assert isolated_due(position, 1_800 * USD, last_safe + 1, rules)
        assert table.due(1_800 * USD, [last_safe - 1]) == []
        assert table.due(1_800 * USD, [last_safe + 1]) == [0]


def test_a_profit_that_may_be_erased_does_not_hide_a_position() -> None:
    """E11: a profit below the minimum counts as nothing in the exact rule, so the fold must not rely on it."""
    rules = IsolatedRules(minimum_profit_bps=150, maximum_leverage_bps=None)
    for is_long in (True, False):
        position = Isolated(is_long, 10_000 * USD, 10 * USD, 1_800 * USD, 0)
        price = (1_820 if is_long else 1_780) * USD
        assert isolated_due(position, price, 0, rules)
        assert table_of([position], rules, is_long).due(price, [0]) == [0]


def test_a_position_without_size_or_price_is_refused() -> None:
    """A4: nothing to divide by is an error of the caller, not a row."""
    for position in (Isolated(True, 0, 0, USD, 0), Isolated(True, USD, USD, 0, 0)):
        with pytest.raises(ValueError, match="open position"):
            fold(position, IsolatedRules())
