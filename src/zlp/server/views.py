"""What the state looks like to people: amounts and prices as decimal text beside the exact integers.

Every view reads the durable state between two awaits, so it is of one sequence. Kinds of leaves are found by the
last words of their names, so a new pool design shows its positions, orders and markets here without new code.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

from zlp.desks import decimals_of
from zlp.engine import Root, pricing
from zlp.engine.codec import canonical, plain
from zlp.engine.fixed import UNITS, USD
from zlp.engine.leaves import KINDS
from zlp.engine.leaves.access import Venue
from zlp.engine.leaves.base import Leaf
from zlp.engine.leaves.ledger import Balance, Supply, Token
from zlp.engine.leaves.prices import FastFeed, FastFeedSettings, PriceFeed, PriceSettings, sampled
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader, State
from zlp.server.owned import FIELDS, AccountReader

KIND_BY_NAME: dict[str, type[Leaf]] = {kind.__name__: kind for kind in KINDS}


def kinds_called(*endings: str) -> tuple[type[Leaf], ...]:
    """Kinds whose names end so, settings included."""
    return tuple(kind for kind in KINDS if kind.__name__.endswith(endings))


POSITIONS = kinds_called("Position")
ORDERS = kinds_called("Order", "Request", "Redemption", "Withdrawal")
MARKETS = kinds_called("Market", "MarketSettings", "MarketSide")
POOLS = kinds_called(
    "Pool", "PoolSettings", "PoolAsset", "AssetSettings", "Vault", "VaultSettings", "Fund", "FundSettings"
)


class Frozen(NamedTuple):
    """Some kinds of leaves as they were at one sequence. Reads like a root, and may be walked beside the event loop."""

    state: State
    sequence: int


def freeze(root: Root, kinds: tuple[type[Leaf], ...]) -> Frozen:
    """A copy of these kinds' tables: quick, since leaves are immutable and only the tables are copied."""
    state = State()
    state.tables = {kind: dict(root.state.tables[kind]) for kind in kinds if kind in root.state.tables}
    return Frozen(state, root.sequence)


def count(root: Root, kinds: tuple[type[Leaf], ...]) -> int:
    """How many leaves of these kinds there are."""
    return sum(len(root.state.tables.get(kind, ())) for kind in kinds)


def decimal(amount: int, unit: int) -> str:
    """``amount / unit`` as decimal text, exactly; ``unit`` is a power of ten."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, rest = divmod(amount, unit)
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{str(rest).rjust(len(str(unit)) - 1, '0').rstrip('0')}"


def venue(root: Root, now: int) -> dict[str, Any]:
    """Who this is, and where its log stands."""
    found = root.state.get(Venue, ())
    return {
        "identity": found.identity if found else "",
        "profile": found.profile if found else "",
        "profile_hash": found.profile_hash if found else "",
        "engine_version": found.engine_version if found else "",
        "sequence": str(root.sequence),
        "digest": root.chain.hex(),
        "time": str(now),
    }


def tokens(root: Root) -> list[dict[str, Any]]:
    """Every token with its supply inside the venue; ``decimals`` as people count it."""
    rows = []
    counted = decimals_of(root.state)
    for token in root.state.each(Token):
        supply = root.state.get(Supply, (token.symbol,))
        units, places = supply.amount if supply else 0, counted[token.symbol]
        amount = {"decimals": str(places), "supply": decimal(units, UNITS[places]), "supply_units": str(units)}
        rows.append({**plain(token), **amount})
    return rows


def prices(root: Root, now: int) -> list[dict[str, Any]]:
    """Every asset's price pair as the engine would use it now, and the sources it comes from."""
    return [price(root, settings, now) for settings in root.state.each(PriceSettings)]


def price(root: Root, settings: PriceSettings, now: int) -> dict[str, Any]:
    """One asset: ``low`` and ``high`` in USD per whole token, its sources and its age."""
    feed = root.state.get(PriceFeed, (settings.asset,))
    row: dict[str, Any] = {"asset": settings.asset, "low": None, "high": None, "sources": []}
    if feed is None or not feed.rounds:
        return {**row, "status": "no_price"}
    try:
        low, high = pricing.bounds_at(root.state, settings.asset, now)
    except Reject as refused:
        return {**row, "status": refused.rejection.code.value}
    primary_low, primary_high = sampled(settings, feed.rounds)
    sources: list[dict[str, Any]] = [
        {
            "source": "primary",
            "low": decimal(primary_low, USD),
            "high": decimal(primary_high, USD),
            "rounds": str(min(len(feed.rounds), settings.sample_rounds)),
            "time": str(feed.round_at),
        }
    ]
    fast_settings, shared = root.state.get(FastFeedSettings, ()), root.state.get(FastFeed, ()) or FastFeed()
    if fast_settings is not None and feed.fast:
        fast = decimal(feed.fast, USD)
        trusted = pricing.favoured(settings, fast_settings, shared, feed)
        sources.append(
            {"source": "fast", "low": fast, "high": fast, "time": str(shared.updated_at), "trusted": trusted}
        )
    age = now - feed.posted_at
    stale = bool(settings.max_age) and age > settings.max_age
    return {
        **row,
        "low": decimal(low, USD),
        "high": decimal(high, USD),
        "low_e30": str(low),
        "high_e30": str(high),
        "age_seconds": str(age),
        "status": "stale" if stale else "live",
        "sources": sources,
    }


def balances(reader: Reader, owner: str) -> list[dict[str, Any]]:
    """What one owner holds: exact units, and the same as decimal text."""
    return [row for row in held_by(reader, owner) if row["units"] != "0"]


def held_by(reader: Reader, owner: str) -> list[dict[str, Any]]:
    """The same, with what it has held once and holds no more."""
    rows = []
    counted = decimals_of(reader)
    for token in reader.each(Token):
        held = reader.get(Balance, (owner, token.symbol))
        if held is not None:
            amount = decimal(held.amount, UNITS[counted[token.symbol]])
            rows.append({"token": token.symbol, "amount": amount, "units": str(held.amount)})
    return rows


_OTHERS = tuple(kind for kind in FIELDS if kind not in (*POSITIONS, *ORDERS))


def account(reader: AccountReader, owner: str) -> dict[str, Any]:
    """Everything the state holds for one account, whose reader this is."""
    return {
        "account": owner,
        "balances": balances(reader, owner),
        "positions": owned(reader, POSITIONS),
        "orders": owned(reader, ORDERS),
        "other": owned(reader, _OTHERS),
    }


def owned(reader: AccountReader, kinds: tuple[type[Leaf], ...]) -> list[Any]:
    """Leaves of these kinds that belong to the reader's account."""
    return [plain(leaf) for kind in kinds if kind in FIELDS for leaf in reader.each(kind)]


def each_of(root: Root | Frozen, kinds: tuple[type[Leaf], ...]) -> Iterator[Leaf]:
    """Leaves of several kinds."""
    for kind in kinds:
        yield from root.state.each(kind)


def page(root: Root | Frozen, kinds: tuple[type[Leaf], ...], after: str, limit: int) -> dict[str, Any]:
    """One page of leaves in key order. ``next`` is the cursor of the following page, null at the end.

    The cursor is the last key itself, so a page stays right while leaves come and go.
    """
    cursor = after.encode()
    entries = ((_name(leaf), leaf) for leaf in each_of(root, kinds))
    found = heapq.nsmallest(limit + 1, (entry for entry in entries if entry[0] > cursor), key=lambda entry: entry[0])
    more = len(found) > limit
    found = found[:limit]
    return {
        "sequence": str(root.sequence),
        "items": [plain(leaf) for _, leaf in found],
        "next": found[-1][0].decode() if more else None,
    }


def _name(leaf: Leaf) -> bytes:
    return canonical((type(leaf).__name__, leaf.key))
