"""The due table as a map of rows, and as an exact statement about rational thresholds."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from zlp.screening import Direction, DueTable, Ratio, Threshold

BELOW, ABOVE = Direction.AT_OR_BELOW, Direction.AT_OR_ABOVE

magnitudes = st.integers(0, 256).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))
ratios = st.builds(Ratio, magnitudes, st.integers(0, 128).map(lambda bits: 2**bits + bits))


@st.composite
def thresholds(draw: st.DrawFn, indices: int) -> Threshold:
    """Any threshold of a table with this many indices."""
    fixed = draw(st.none() | ratios)
    base = draw(st.none() | ratios)
    slopes = tuple(draw(ratios) for _ in range(indices)) if base is not None else ()
    return Threshold(fixed=fixed, base=base, slopes=slopes)


def fraction(ratio: Ratio) -> Fraction:
    return Fraction(ratio.numerator, ratio.denominator)


def effective(threshold: Threshold, indices: tuple[int, ...]) -> list[Fraction]:
    """The fixed and the moving threshold, those there are."""
    levels = [fraction(threshold.fixed)] if threshold.fixed is not None else []
    if threshold.base is not None:
        moved = zip(threshold.slopes, indices, strict=True)
        levels.append(fraction(threshold.base) + sum(fraction(slope) * index for slope, index in moved))
    return levels


def is_due(threshold: Threshold, direction: Direction, price: int, indices: tuple[int, ...]) -> bool:
    """What a threshold says, in rational numbers."""
    levels = effective(threshold, indices)
    return any(price <= level if direction is BELOW else price >= level for level in levels)


@given(st.data(), st.sampled_from(Direction), st.integers(0, 8))
def test_a_due_row_is_always_a_candidate(data: st.DataObject, direction: Direction, indices: int) -> None:
    """E11, O8: no magnitude, sign or cancellation of terms hides a row that is due."""
    table: DueTable[int] = DueTable(direction, indices)
    rows = data.draw(st.lists(thresholds(indices), max_size=12))
    for key, threshold in enumerate(rows):
        table.upsert(key, threshold)
    price = data.draw(st.integers(0, 2**256))
    values = tuple(data.draw(magnitudes) for _ in range(indices))

    candidates = table.due(price, values)

    assert {key for key, row in enumerate(rows) if is_due(row, direction, price, values)} <= set(candidates)
    assert len(candidates) == len(set(candidates))


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("indices", [0, 1, 3, 8])
def test_a_row_exactly_at_its_threshold_is_a_candidate(direction: Direction, indices: int) -> None:
    """E9, E11: the sharpest case. The price equals the exact threshold; any rounding the wrong way would miss it."""
    draw = random.Random(indices)

    def number(bits: int) -> Ratio:
        return Ratio(draw.randrange(-(2**bits), 2**bits), draw.randrange(1, 2 ** draw.randrange(1, 90)))

    for _ in range(2_000):
        bits = draw.randrange(60, 200)
        moving = indices > 0 and draw.random() < 0.8
        threshold = Threshold(
            fixed=None if moving else number(bits),
            base=number(bits) if moving else None,
            slopes=tuple(number(bits - 50) for _ in range(indices)) if moving else (),
        )
        values = tuple(draw.randrange(2**50) for _ in range(indices))
        table: DueTable[str] = DueTable(direction, indices)
        table.upsert("row", threshold)
        level = effective(threshold, values)[0]

        assert table.due(Ratio(level.numerator, level.denominator), values) == ["row"]


@given(st.data(), st.sampled_from(Direction))
def test_prices_at_the_threshold_and_next_to_it(data: st.DataObject, direction: Direction) -> None:
    """E9, E11: at equality a row is a candidate; a billionth of the terms' magnitude away it is not."""
    table: DueTable[str] = DueTable(direction, indices=1)
    base = data.draw(st.integers(10**20, 10**40))
    slope = data.draw(st.integers(-(10**12), 10**12))
    index = data.draw(st.integers(0, 10**8))
    table.upsert("row", Threshold(base=Ratio(base), slopes=(Ratio(slope),)))
    level = base + slope * index
    away = (base + abs(slope * index)) // 10**9

    assert table.due(level, [index]) == ["row"]
    assert table.due(level - away if direction is BELOW else level + away, [index]) == ["row"]
    assert table.due(level + away if direction is BELOW else level - away, [index]) == []


def test_a_row_too_large_for_floats_is_always_a_candidate() -> None:
    """A row that no column can hold is confirmed exactly at every tick: slow for one row, never wrong."""
    for direction in Direction:
        table: DueTable[str] = DueTable(direction, indices=1)
        table.upsert("base", Threshold(base=Ratio(10**200), slopes=(Ratio(0),)))
        table.upsert("slope", Threshold(base=Ratio(0), slopes=(Ratio(-(10**200)),)))
        table.upsert("plain", Threshold(base=Ratio(50), slopes=(Ratio(0),)))

        assert set(table.due(100 if direction is BELOW else 10, [0])) == {"base", "slope"}


def test_a_product_that_underflows_does_not_hide_a_row() -> None:
    """The smallest float is coarse: 1.25 of it becomes 1 of it, a fifth too low, whatever the relative margin."""
    slope, index = Ratio(5, 2**1076), 2**499
    table: DueTable[str] = DueTable(BELOW, indices=1)
    table.upsert("row", Threshold(base=0, slopes=(slope,)))

    assert table.due(Ratio(5, 2 ** (1076 - 499)), [index]) == ["row"]
    assert table.due(Ratio(1, 2**256), [index]) == []


def test_many_equal_rows_are_all_found_and_none_beside_them() -> None:
    """E11: equal rows do not hide each other, over block borders."""
    table: DueTable[int] = DueTable(BELOW)
    for key in range(5_000):
        table.upsert(key, Threshold(fixed=Ratio(1_000 if key % 3 else 2_000)))

    assert sorted(table.due(2_000)) == [key for key in range(5_000) if key % 3 == 0]
    assert len(table.due(1_000)) == 5_000
    assert table.due(2_001) == []
    assert table.due(0) != []


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    """A4: clear errors, no half-written rows."""
    table: DueTable[str] = DueTable(BELOW, indices=1)
    table.upsert("a", Threshold(base=Ratio(5), slopes=(Ratio(1),)))

    with pytest.raises(ValueError, match="0 to 8 indices"):
        DueTable(BELOW, indices=9)
    with pytest.raises(ValueError, match="1 slopes"):
        table.upsert("b", Threshold(base=Ratio(5)))
    with pytest.raises(ValueError, match="1 slopes"):
        table.upsert("a", Threshold(fixed=Ratio(9), slopes=(Ratio(1),)))
    with pytest.raises(ValueError, match="1 indices, not 0"):
        table.due(5)
    with pytest.raises(KeyError):
        table.remove("b")
    with pytest.raises(ValueError, match="more than once"):
        table.load(["x", "x"], np.zeros((3, 2)))
    with pytest.raises(ValueError, match="shape"):
        table.load(["x"], np.zeros((2, 1)))
    with pytest.raises(ValueError, match="no number"):
        table.load(["x"], np.full((3, 1), np.nan))
    with pytest.raises(ValueError, match="too large"):
        table.load(["x"], np.full((3, 1), np.inf))

    assert len(table) == 1
    assert "b" not in table
    assert table.due(6, [1]) == ["a"]
    assert table.due(7, [1]) == []


def test_dump_and_load_bring_the_same_table_back() -> None:
    """A2: a table restored beside a snapshot answers as the one that was folded row by row."""
    draw = random.Random(7)
    table: DueTable[int] = DueTable(ABOVE, indices=2)
    for key in range(3_000):
        slopes = (Ratio(draw.randrange(-9, 9)), Ratio(draw.randrange(-9, 9), 7))
        table.upsert(key, Threshold(fixed=Ratio(draw.randrange(4_000, 9_000)), base=Ratio(5_000), slopes=slopes))
    restored: DueTable[int] = DueTable(ABOVE, indices=2)
    restored.upsert(99, Threshold(fixed=Ratio(1)))

    restored.load(*table.dump())
    for each in (table, restored):
        each.upsert(3_000, Threshold(fixed=Ratio(10)))
        each.remove(17)

    for price in (0, 10, 4_500, 5_000, 5_100, 8_000):
        assert restored.due(price, [11, 13]) == table.due(price, [11, 13])
    assert len(restored) == 3_000


@pytest.mark.parametrize("indices", [0, 2])
def test_what_a_table_remembers_of_its_blocks_never_hides_a_row(indices: int) -> None:
    """E9, E11: 1,000 rows in eight blocks, changed between ticks; at every tick a table made anew says the same."""
    draw = random.Random(indices)
    table: DueTable[int] = DueTable(BELOW, indices)
    rows: dict[int, Threshold] = {}
    values = [0] * indices
    found = 0

    def change(key: int) -> None:
        base, slopes = draw.randrange(900), tuple(draw.randrange(-50, 50) for _ in range(indices))
        rows[key] = Threshold(fixed=draw.randrange(950), base=base if indices else None, slopes=slopes)
        table.upsert(key, rows[key])

    for key in range(1_000):
        change(key)
    for _ in range(100):
        for _ in range(draw.randrange(4)):
            change(draw.randrange(1_200))
            gone = draw.choice(list(rows))
            table.remove(gone)
            del rows[gone]
        if draw.random() < 0.2:
            values = [draw.randrange(3) for _ in values]
        price = draw.randrange(900, 1_100)
        exact = {key for key, row in rows.items() if is_due(row, BELOW, price, tuple(values))}

        assert set(table.due(price, values)) == exact
        found += len(exact)
    assert found > 100


def test_rows_that_come_to_a_block_out_of_reach_are_seen() -> None:
    """E11: by a removal that moves the last row there, by a replacement, by a load."""
    table: DueTable[int] = DueTable(BELOW)
    for key in range(400):
        table.upsert(key, Threshold(fixed=100))
    table.upsert(400, Threshold(fixed=500))

    assert table.due(200) == table.due(200) == [400]
    table.remove(3)
    assert table.due(200) == [400], "moved to the first block"
    table.upsert(200, Threshold(fixed=300))
    assert sorted(table.due(200)) == [200, 400]
    table.remove(400)
    table.remove(200)
    assert table.due(200) == []
    table.load([1, 2, 3], np.array([[1.0, 250.0, 1.0]]))
    assert table.due(200) == [2]


class TableAgainstDict(RuleBasedStateMachine):
    """Insert, replace, remove, insert again: the table holds what a plain dict holds (E9, E11)."""

    keys = st.integers(0, 40)
    prices = st.integers(0, 100)

    def __init__(self) -> None:
        super().__init__()
        self.table: DueTable[int] = DueTable(BELOW)
        self.model: dict[int, int] = {}

    @rule(key=keys, price=prices)
    def upsert(self, key: int, price: int) -> None:
        self.table.upsert(key, Threshold(fixed=Ratio(2 * price)))
        self.model[key] = 2 * price

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model)))
        self.table.remove(key)
        del self.model[key]

    @rule(price=prices)
    def due(self, price: int) -> None:
        found = self.table.due(2 * price - 1)
        assert sorted(found) == sorted(key for key, level in self.model.items() if level >= 2 * price - 1)

    @invariant()
    def holds_the_same_keys(self) -> None:
        assert len(self.table) == len(self.model)
        assert all((key in self.table) == (key in self.model) for key in range(41))


test_table_against_dict = TableAgainstDict.TestCase
