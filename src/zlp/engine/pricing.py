"""Reading prices: the pair every rule starts from, and whether it is fresh enough for what is asked.

Only posted oracle prices enter; no trade inside the venue moves them (A6).
"""

from __future__ import annotations

from collections.abc import Iterator

from zlp.engine.commands.base import Command
from zlp.engine.draft import Draft
from zlp.engine.leaves.prices import ComposedPrice, FastFeed, FastFeedSettings, PriceFeed, PriceSettings, sampled
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader, State

PRICED_BY = frozenset({PriceSettings, ComposedPrice, PriceFeed, FastFeedSettings, FastFeed})
"""The kinds of leaves that bounds follow from, with the second: where none of them has changed, no bound has."""


def bounds(draft: Draft, asset: str) -> tuple[int, int]:
    """``bounds_at`` the command's second, read once per command."""
    found: tuple[int, int] | None = draft.memo.get(asset)
    if found is None:
        found = draft.memo[asset] = bounds_at(draft, asset, draft.time)
    return found


def bounds_at(reader: Reader, asset: str, now: int) -> tuple[int, int]:
    """The asset's minimum and maximum price (USD 1e30 per whole token) at second ``now``."""
    while isinstance(reader, Draft) and PRICED_BY.isdisjoint(reader.writes):
        reader = reader.base
    if not isinstance(reader, State):
        return _read(reader, asset, now)
    second, known = reader.prices
    if second != now:
        known = {}
        reader.prices = (now, known)
    found = known.get(asset)
    if found is None:
        found = known[asset] = _read(reader, asset, now)
    return found


def _read(reader: Reader, asset: str, now: int) -> tuple[int, int]:
    settings = reader.get(PriceSettings, (asset,))
    return _composed(reader, asset, now) if settings is None else _posted(reader, settings, now)


def _posted(reader: Reader, settings: PriceSettings, now: int) -> tuple[int, int]:
    """The bounds of an asset with a feed of its own."""
    feed = reader.get(PriceFeed, (settings.asset,))
    if feed is None or not feed.rounds:
        raise Reject(Code.NO_PRICE, detail=settings.asset)
    low, high = sampled(settings, feed.rounds)
    fast_settings = reader.get(FastFeedSettings, ())
    if fast_settings is not None:
        guard = fast_settings.guard
        shared = reader.get(FastFeed, ()) or FastFeed()
        age = now - (shared.updated_at if guard.shared_age or not feed.fast else feed.fast_at)
        trusted = favoured(settings, fast_settings, shared, feed)
        low = guard.price(low, feed.fast, age, trusted, False)
        high = guard.price(high, feed.fast, age, trusted, True)
    return settings.spread.price(low, False), settings.spread.price(high, True)


def _composed(reader: Reader, asset: str, now: int) -> tuple[int, int]:
    """The bounds of an asset without a feed of its own: a capped ratio times a base."""
    settings = reader.get(ComposedPrice, (asset,))
    if settings is None:
        raise Reject(Code.UNKNOWN_FEED, detail=asset)
    ratio, base = (_posted(reader, _own_feed(reader, part), now) for part in (settings.ratio, settings.base))
    return settings.compose(ratio[0], base[0], now), settings.compose(ratio[1], base[1], now)


def _own_feed(reader: Reader, asset: str) -> PriceSettings:
    """Prices are composed of posted ones only: compositions of compositions could go round in circles."""
    settings = reader.get(PriceSettings, (asset,))
    if settings is None:
        raise Reject(Code.UNKNOWN_FEED, detail=asset)
    return settings


def favoured(settings: PriceSettings, fast: FastFeedSettings, shared: FastFeed, feed: PriceFeed) -> bool:
    """Whether the fast price may be used alone (reference 13.2): not forced, not disputed, not run away."""
    if shared.spread_forced or len(shared.votes) >= fast.guard.votes_to_dispute:
        return False
    return feed.fast_moved - feed.reference_moved <= settings.max_delta_difference


def require_fresh(draft: Draft, asset: str, *, reducing: bool = False) -> None:
    """Refuse a price that is too old: for new risk after ``max_age``, for reducing after its longer limit."""
    checked = ("fresh", asset, reducing)
    if checked in draft.memo:
        return
    settings = draft.get(PriceSettings, (asset,))
    if settings is None:
        composed = draft.need(ComposedPrice, (asset,), Code.UNKNOWN_FEED)
        for part in (composed.ratio, composed.base):
            require_fresh(draft, _own_feed(draft, part).asset, reducing=reducing)
        return
    limit = settings.max_age_reducing if reducing else settings.max_age
    if limit:
        feed = draft.get(PriceFeed, (asset,))
        age = draft.time - feed.posted_at if feed is not None else draft.time
        if age > limit:
            raise Reject(Code.STALE_PRICE, limit=limit, actual=age, detail=asset)
    draft.memo[checked] = True


def is_fresh(draft: Draft, asset: str) -> bool:
    """Whether ``require_fresh`` would let new risk be taken at the asset's price."""
    try:
        require_fresh(draft, asset)
    except Reject:
        return False
    return True


def require_all_fresh(draft: Draft, assets: tuple[str, ...]) -> None:
    """``require_fresh`` for several assets; one without a feed is left to the step that reads it."""
    for asset in assets:
        try:
            require_fresh(draft, asset)
        except Reject as refused:
            if refused.rejection.code is not Code.UNKNOWN_FEED:
                raise


def awaited(reader: Reader, action: Command) -> Iterator[str]:
    """Assets whose newer price an order with this action waits for: nobody may act on one he knew when he ordered.

    A stable on the way to a position counts as a dollar, and its feed may speak but once a day.
    """
    yield from action.priced_by()
    for asset in action.swaps():
        settings = reader.get(PriceSettings, (asset,))
        if settings is None or not settings.spread.strict_stable:
            yield asset
