"""What the tables say is what happened: compared with the state that the same log leads to, on every profile."""

from collections import Counter, defaultdict
from fractions import Fraction

import pytest
from sqlalchemy import select

from tests.projections.weather import model, storm
from zlp.desks import desk_of
from zlp.engine import Root
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.credit_positions import CreditOrder, HeldOrder
from zlp.engine.leaves.ledger import Balance
from zlp.engine.leaves.orders import Order
from zlp.projections import ReadModel, reading, returns, tables
from zlp.projections.markets import INTERVALS
from zlp.projections.reading import BadCursor, Stretch

PROFILES = ("zeus", "zeno", "zo", "zaros")
SEEDS = {"zaros": 12}
"""A storm that ends with positions and orders of every kind open."""


class Day:
    """A storm's log, the state after it and the read model of it."""

    def __init__(self, profile: str, folder) -> None:
        self.root = Root()
        self.told = list(storm(profile, SEEDS.get(profile, 11), 2_500, self.root))
        self.model: ReadModel = model(folder / profile, self.told)
        self.events = [event for fact in self.told for event in fact.receipt.events]

    def rows(self, table) -> list[dict]:
        """All of a table."""
        with self.model.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]


@pytest.fixture(scope="module", params=PROFILES)
def day(request, tmp_path_factory) -> Day:
    """One for each profile."""
    return Day(request.param, tmp_path_factory.mktemp("days"))


def test_open_positions_are_those_of_the_state(day: Day) -> None:
    """A2: the cards that are not closed name the positions there are, with their side."""
    open_cards = {row["position"]: row for row in day.rows(tables.positions) if not row["closed_at"]}
    views = {view.position: view for view in desk_of(day.root.state).positions(day.root.state, day.root.time)}
    assert {name: row["is_long"] for name, row in open_cards.items()} == {
        name: view.is_long for name, view in views.items()
    }
    assert open_cards
    assert len(day.rows(tables.positions)) >= 10
    live = {row["position"] for row in day.rows(tables.live_positions) if row["opened_in"]}
    assert live == set(open_cards)


def test_lives_add_up_to_their_fills(day: Day) -> None:
    """A3: results, fees and carry of the cards are those of the events; every fill belongs to one life."""
    changes = [event for event in day.events if isinstance(event, PositionChanged)]
    fills, cards = day.rows(tables.fills), day.rows(tables.positions)
    assert len(fills) == len(changes)
    for name in ("pnl_usd", "fee_usd", "carry_usd"):
        wanted = sum(getattr(event, name) for event in changes)
        assert wanted == sum(row[name] for row in fills) == sum(row[name] for row in cards)
    last = {}
    for row in fills:
        last[row["opened_in"], row["opened_at_ordinal"]] = row
    for card in cards:
        assert card["net_usd"] == card["pnl_usd"] - card["fee_usd"] - card["carry_usd"]
        if card["last_action"] != "flip":
            assert last[card["opened_in"], card["opened_at_ordinal"]]["net_usd"] == card["net_usd"]
    assert sum(row["paid_usd"] for row in day.rows(tables.funding)) == sum(event.carry_usd for event in changes)


def test_open_interest_is_the_sum_of_open_positions(day: Day) -> None:
    """A3: by market and side, also after flips and liquidations."""
    sides: Counter = Counter()
    for row in day.rows(tables.positions):
        sides[row["market"], row["is_long"]] += row["size_usd"]
    for row in day.rows(tables.open_interest):
        assert (row["long_usd"], row["short_usd"]) == (sides[row["market"], True], sides[row["market"], False])


def test_candles_of_all_lengths_agree(day: Day) -> None:
    """A3: the longer candle is made of the shorter ones: open of the first, extremes, close of the last, volume."""
    candles = defaultdict(dict)
    for row in day.rows(tables.candles):
        assert row["start"] % INTERVALS[row["interval"]] == 0
        assert row["low"] <= min(row["open"], row["close"]) <= max(row["open"], row["close"]) <= row["high"]
        candles[row["symbol"], row["interval"]][row["start"]] = row
    volume: Counter = Counter()
    for row in day.rows(tables.fills):
        volume[row["market"]] += row["traded_usd"]
    for symbol in {name for name, _ in candles}:
        minutes = list(candles[symbol, "1m"].values())
        assert sum(row["volume_usd"] for row in minutes) == volume[symbol]
        for interval, seconds in INTERVALS.items():
            for start, row in candles[symbol, interval].items():
                inside = [each for each in minutes if start <= each["start"] < start + seconds]
                assert row["high"] == max(each["high"] for each in inside)
                assert row["low"] == min(each["low"] for each in inside)
                assert (row["open"], row["close"]) == (inside[0]["open"], inside[-1]["close"])
                assert row["trades"] == sum(each["trades"] for each in inside)
                assert row["volume_usd"] == sum(each["volume_usd"] for each in inside)


def test_balances_follow_from_transfers(day: Day) -> None:
    """A3: what came, less what went, is what everybody holds, to the last unit."""
    held: Counter = Counter()
    for row in day.rows(tables.transfers):
        held[row["target"], row["token"]] += row["amount"]
        held[row["source"], row["token"]] -= row["amount"]
    there = {(leaf.owner, leaf.token): leaf.amount for leaf in day.root.state.each(Balance) if leaf.amount}
    assert {key: amount for key, amount in held.items() if amount and key[0]} == there


def test_waiting_orders_are_those_of_the_state(day: Day) -> None:
    """A2: every order that has ended says how; the others are the ones there are."""
    rows = day.rows(tables.orders)
    waiting = [row for row in rows if row["status"] == "waiting"]
    there = [leaf.number for leaf in day.root.state.each(Order)]
    slots = [f"{leaf.account}/{leaf.market}" for leaf in day.root.state.each(CreditOrder)]
    kept = [leaf.digest for leaf in day.root.state.each(HeldOrder)]
    assert sorted(row["order"].split("@")[0] for row in waiting) == sorted([*map(str, there), *slots, *kept])
    assert all(
        row["closed_at"] and row["status"] in {"filled", "cancelled", "expired", "failed"}
        for row in rows
        if row not in waiting
    )
    assert all(row["account"] for row in rows)


def test_fees_to_the_pool_are_its_income(day: Day) -> None:
    """O6: income by kind is the fees that stayed, valued when they were charged."""
    wanted: Counter = Counter()
    pools = {row["pool"] for row in day.rows(tables.pool_samples)}
    for event in day.events:
        if isinstance(event, FeeCharged) and event.amount and event.pool in pools:
            wanted[event.pool, f"fee_{event.kind}"] += event.value_usd * event.to_pool // event.amount
    found = {
        (row["pool"], row["source"]): row["total_usd"]
        for row in day.rows(tables.pool_income)
        if row["source"].startswith("fee_")
    }
    assert found == {key: value for key, value in wanted.items() if value}
    assert pools


def test_returns_split_the_change_of_the_share_price(day: Day) -> None:
    """O6: the sources inside the share add up to its change exactly, over any stretch and over its parts."""
    pool = day.rows(tables.pool_samples)[0]["pool"]
    start, end = returns.bounds(day.model, pool)
    whole = returns.returns(day.model, pool, start, end + 1)
    change = Fraction(whole["share_price_to"]) - Fraction(whole["share_price_from"])
    inside = [row for row in whole["sources"] if row["source"] not in returns.BESIDE]
    assert sum(Fraction(row["per_share_usd"]) for row in inside) == change
    parts = returns.steps(day.model, pool, start, max(60, (end - start) // 7), 9)
    assert parts[0]["from"] == whole["from"]
    assert parts[-1]["to"] == whole["to"]
    for row in whole["sources"]:
        summed = sum(
            Fraction(each["per_share_usd"])
            for part in parts
            for each in part["sources"]
            if each["source"] == row["source"]
        )
        assert summed == Fraction(row["per_share_usd"])


def test_pages_lead_through_everything_both_ways(day: Day) -> None:
    """A2: small pages, newest first or oldest first, give every row once; nothing is capped."""
    for table in (tables.fills, tables.transfers, tables.prices, tables.orders, tables.positions):
        total = len(day.rows(table))
        for oldest in (False, True):
            seen, cursor = [], ""
            while cursor is not None:
                where = {"after": cursor} if oldest else {"before": cursor}
                page = reading.page(day.model, table, Stretch(limit=97, oldest_first=oldest, **where))
                seen += [tuple(row.values()) for row in page.items]
                cursor = page.next
            assert len(seen) == len(set(seen)) == total, table.name
    with pytest.raises(BadCursor):
        reading.page(day.model, tables.fills, Stretch(after="1.2.3"))
    with pytest.raises(BadCursor):
        reading.page(day.model, tables.fills, Stretch(before="x.2"))
