"""Orders that wait for a price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.screening import TriggerTable

prices = st.integers(1, 2**256) | st.integers(1800 * 10**30 - 3, 1800 * 10**30 + 3)
orders = st.dictionaries(st.integers(0, 20), st.tuples(prices, st.booleans()), max_size=20)


@given(orders, orders, st.sets(st.integers(0, 20)), prices)
def test_every_triggered_order_is_found(
    first: dict[int, tuple[int, bool]],
    updates: dict[int, tuple[int, bool]],
    cancelled: set[int],
    price: int,
) -> None:
    """E9, O8: after updates (also of the direction) and cancels, at any price, equality included."""
    table: TriggerTable[int] = TriggerTable()
    live = {**first, **updates}
    for batch in (first, updates):
        for key, (trigger, above) in batch.items():
            table.upsert(key, trigger, above=above)
    for key in cancelled & live.keys():
        table.remove(key)
        del live[key]
    # one more price that is another order's trigger, where equality is likely
    for level in (price, next(iter(live.values()))[0] if live else 1):
        reached = {key for key, (trigger, above) in live.items() if (level >= trigger if above else level <= trigger)}
        candidates = table.due(level)
        assert reached <= set(candidates)
        assert len(candidates) == len(set(candidates))
        for key in set(candidates) - reached:
            assert abs(live[key][0] - level) <= level >> 50
    assert len(table) == len(live)
    assert all((key in table) == (key in live) for key in range(21))


def test_removing_an_unknown_order_is_an_error() -> None:
    """A4: a cancel of what is not there shows a bookkeeping fault at once."""
    table: TriggerTable[str] = TriggerTable()
    table.upsert("order", 5, above=True)
    table.remove("order")

    with pytest.raises(KeyError):
        table.remove("order")
