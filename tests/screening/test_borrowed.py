"""Positions that borrow tokens: screening plus exact confirmation finds what the slow exact scan finds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.screening.exact import RATE, USD, Borrowed, BorrowedRules, borrowed_due, turning_point
from zlp.screening import Direction, DueTable, fold_borrowed

DIRECTIONS = {True: Direction.AT_OR_BELOW, False: Direction.AT_OR_ABOVE}


def indices(collateral: tuple[int, int], rate: int, funding: int) -> list[int]:
    """What moves the rows of a table."""
    low, high = collateral
    return [low, high, high * rate, funding]


def table_of(positions: list[Borrowed], rules: BorrowedRules, is_long: bool) -> DueTable[int]:
    table: DueTable[int] = DueTable(DIRECTIONS[is_long], indices=4)
    for key, each in enumerate(positions):
        if each.is_long != is_long:
            continue
        threshold = fold_borrowed(
            is_long=is_long,
            amount=each.amount,
            amount_unit=rules.amount_unit,
            size=each.size,
            collateral=each.collateral,
            collateral_unit=rules.collateral_unit,
            reserved=each.reserved,
            owed=each.owed,
            entry_rate=each.entry_rate,
            funding=each.funding,
            entry_funding=each.entry_funding,
            liquidation_threshold=rules.threshold,
        )
        table.upsert(key, threshold)
    return table


amounts = st.integers(0, 500) | st.integers(0, 160).flatmap(lambda bits: st.integers(0, 2**bits))
signed = st.integers(-500, 500) | st.integers(0, 160).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))


@st.composite
def borrowed(draw: st.DrawFn, is_long: bool) -> Borrowed:
    """Any position, whether or not a venue would let it open."""
    return Borrowed(
        is_long=is_long,
        amount=draw(amounts) + 1,
        size=draw(amounts),
        collateral=draw(amounts),
        reserved=draw(amounts),
        owed=draw(amounts),
        entry_rate=draw(st.integers(0, RATE)),
        funding=draw(signed),
        entry_funding=draw(st.integers(-RATE, RATE)),
    )


@st.composite
def plausible(draw: st.DrawFn, is_long: bool, in_kind: bool, entry: int, rules: BorrowedRules) -> Borrowed:
    """A position near its liquidation price, of any magnitude down to a few units."""
    amount = draw(amounts) + 1
    size = amount * entry // rules.amount_unit * draw(st.integers(90, 110)) // 100
    collateral = (amount if in_kind else size) * draw(st.integers(0, 50)) // 100
    return Borrowed(
        is_long=is_long,
        amount=amount,
        size=size,
        collateral=collateral,
        reserved=collateral * draw(st.integers(0, 10)),
        owed=draw(st.integers(0, 5) | st.integers(0, 5 * RATE)),
        entry_rate=draw(st.integers(0, RATE // 10)),
        funding=draw(st.integers(-10, 10)),
        entry_funding=draw(st.integers(-RATE // 10, RATE // 10)),
    )


@given(st.data(), st.booleans(), st.booleans())
@settings(max_examples=300)
def test_screening_and_confirmation_agree_with_the_exact_scan(
    data: st.DataObject, is_long: bool, in_kind: bool
) -> None:
    """O8: nothing due is missed, at any magnitude, with signed funding, in kind or with another collateral."""
    unit = data.draw(st.sampled_from([1, 10**8]))
    rules = BorrowedRules(amount_unit=unit, collateral_unit=unit if in_kind else 10**6)
    entry = data.draw(amounts) + 1
    near = plausible(is_long, in_kind, entry, rules)
    positions = data.draw(st.lists(near | borrowed(is_long), min_size=1, max_size=6))
    rate = max(each.entry_rate for each in positions) + data.draw(st.integers(0, RATE // 10))
    funding = data.draw(st.integers(-RATE // 10, RATE // 10))
    stable_price, spread = data.draw(st.just(rules.collateral_unit) | amounts), data.draw(st.integers(0, 3))
    one = data.draw(st.sampled_from(positions))

    def collateral(price: int) -> tuple[int, int]:
        paid_in = price if in_kind else stable_price
        return (paid_in, paid_in + spread) if is_long else (max(paid_in - spread, 0), paid_in)

    def due(position: Borrowed, price: int) -> bool:
        return borrowed_due(position, price, collateral(price), rate, funding, rules)

    turn = turning_point(lambda price: due(one, price), 0, 3 * entry)
    for price in (*turn, data.draw(amounts)):
        candidates = table_of(positions, rules, is_long).due(price, indices(collateral(price), rate, funding))
        assert {key for key, each in enumerate(positions) if due(each, price)} <= set(candidates)


@pytest.mark.parametrize("is_long", [True, False])
def test_a_large_market_is_found_exactly(is_long: bool) -> None:
    """O1, O8: 20,000 seeded positions at the real scale; a stable collateral that slipped, a rate that grew."""
    draw = random.Random(11 + is_long)
    rules = BorrowedRules(collateral_unit=10**8 if is_long else 10**6)
    entry_price = 60_000
    positions = []
    for _ in range(20_000):
        amount = int(draw.lognormvariate(17, 2)) + 1
        opened = draw.uniform(0.8, 1.2) * entry_price
        backing = amount * opened / 1e8 / draw.uniform(1.1, 50)
        positions.append(
            Borrowed(
                is_long=is_long,
                amount=amount,
                size=amount * int(opened * 1e6) * 10**24 // rules.amount_unit,
                collateral=int(backing / opened * 1e8) if is_long else int(backing * 1e6),
                reserved=int(backing / opened * 1e8 * 5) if is_long else int(backing * 1e6 * 5),
                owed=draw.randrange(1_000 * RATE),
                entry_rate=draw.randrange(RATE // 10),
                funding=0,
                entry_funding=0,
            )
        )
    table = table_of(positions, rules, is_long)
    rate = RATE // 9

    for price in (50_000 * USD + 3, 60_000 * USD, 70_000 * USD - 3):
        collateral = (price, price * 1_001 // 1_000) if is_long else (98 * USD // 100, USD)
        exact = {key for key, each in enumerate(positions) if borrowed_due(each, price, collateral, rate, 0, rules)}
        candidates = table.due(price, indices(collateral, rate, 0))
        assert exact == set(candidates)
        assert 100 < len(exact) < 19_900


def test_the_closed_form_of_the_liquidation_price() -> None:
    """O8: entry 2000, 2 tokens, 400 USDC, 98 %: a long is due from 2000 - 392 / 2 = 1804, a short from 2196."""
    rules = BorrowedRules()
    for is_long, level in ((True, 1_804 * USD), (False, 2_196 * USD)):
        toward = -1 if is_long else 1
        position = Borrowed(is_long, 2 * 10**8, 4_000 * USD, 400 * 10**6, 0, 0, 0, 0, 0)
        table = table_of([position], rules, is_long)
        near = level - toward * USD // 1_000

        assert borrowed_due(position, level, (USD, USD), 0, 0, rules)
        assert not borrowed_due(position, level - toward, (USD, USD), 0, 0, rules)
        assert table.due(level, indices((USD, USD), 0, 0)) == [0]
        assert table.due(near, indices((USD, USD), 0, 0)) == []


def test_a_position_without_amount_is_refused() -> None:
    """A4: nothing to divide by is an error of the caller, not a row."""
    with pytest.raises(ValueError, match="open position"):
        table_of([Borrowed(True, 0, 0, 0, 0, 0, 0, 0, 0)], BorrowedRules(), is_long=True)
