"""Prices: posting rounds and fast prices, disputing them (E5)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.access import require_role
from zlp.engine.branches.base import Branch
from zlp.engine.commands import prices as commands
from zlp.engine.draft import Draft
from zlp.engine.events import prices as events
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.prices import (
    ROUNDS_KEPT,
    FastFeed,
    FastFeedSettings,
    PriceFeed,
    PriceSettings,
    sampled,
)
from zlp.engine.mechanisms.price_guard import FastPriceGuard, movement
from zlp.engine.rejections import Code, Reject

REFERENCE_LIMIT = 2**160 - 1
MOVED_LIMIT = 2**32 - 1


def post_rounds(draft: Draft, command: commands.PostRounds) -> None:
    """Append rounds of the primary feed and refresh the sampled bounds."""
    require_role(draft, Role.PRICE_SIGNER, Role.KEEPER)
    for item in command.rounds:
        settings = draft.need(PriceSettings, (item.asset,), Code.UNKNOWN_FEED)
        _check_answer(settings, item.answer)
        feed = draft.get(PriceFeed, (item.asset,)) or PriceFeed(item.asset)
        rounds = (*feed.rounds, item.answer)[-ROUNDS_KEPT:]
        low, high = sampled(settings, rounds)
        draft.put(
            replace(
                feed,
                rounds=rounds,
                round_at=draft.time,
                posted_at=draft.time,
                posted_in=draft.sequence,
            )
        )
        draft.record(events.RoundPosted(asset=item.asset, answer=item.answer, low=low, high=high))
    draft.memo.clear()


def _check_answer(settings: PriceSettings, answer: int) -> None:
    if answer <= 0:
        raise Reject(Code.INVALID_PRICE, limit=1, actual=answer, detail=settings.asset)
    if settings.min_answer and answer < settings.min_answer:
        raise Reject(Code.INVALID_PRICE, limit=settings.min_answer, actual=answer, detail=settings.asset)
    if settings.max_answer and answer > settings.max_answer:
        raise Reject(Code.INVALID_PRICE, limit=settings.max_answer, actual=answer, detail=settings.asset)


def post_prices(draft: Draft, command: commands.PostPrices) -> None:
    """Store fast prices; the gate of reference 13.5, then the watch of 13.3 for each price."""
    require_role(draft, Role.KEEPER)
    guard = draft.need(FastFeedSettings, (), Code.UNKNOWN_FEED).guard
    shared = draft.get(FastFeed, ()) or FastFeed()
    if guard.min_post_interval and draft.time - shared.posted_at < guard.min_post_interval:
        raise Reject(Code.POST_TOO_SOON, limit=guard.min_post_interval, actual=draft.time - shared.posted_at)
    if command.timestamp <= draft.time - guard.max_time_deviation:
        raise Reject(Code.POST_TIME_TOO_OLD, limit=draft.time - guard.max_time_deviation, actual=command.timestamp)
    if command.timestamp >= draft.time + guard.max_time_deviation:
        raise Reject(Code.POST_TIME_TOO_NEW, limit=draft.time + guard.max_time_deviation, actual=command.timestamp)
    if command.timestamp < shared.updated_at:
        return
    draft.put(replace(shared, updated_at=command.timestamp, posted_at=draft.time))
    for item in command.prices:
        _store(draft, guard, item, command.timestamp)
    draft.memo.clear()


def _store(draft: Draft, guard: FastPriceGuard, item: commands.FastPrice, timestamp: int) -> None:
    settings = draft.need(PriceSettings, (item.asset,), Code.UNKNOWN_FEED)
    feed = draft.get(PriceFeed, (item.asset,))
    if feed is None or not feed.rounds:
        raise Reject(Code.NO_PRICE, detail=item.asset)
    if item.price == 0 and not guard.zero_clears:
        raise Reject(Code.INVALID_PRICE, limit=1, actual=0, detail=item.asset)
    reference = feed.rounds[-1]
    reference_moved = fast_moved = 0
    if feed.reference > 0:
        if not guard.new_window(feed.reference_at, draft.time):
            reference_moved, fast_moved = feed.reference_moved, feed.fast_moved
        reference_moved += movement(feed.reference, reference)
        fast_moved += movement(feed.fast, item.price)
    if reference >= REFERENCE_LIMIT or max(reference_moved, fast_moved) >= MOVED_LIMIT:
        raise Reject(Code.INVALID_PRICE, limit=MOVED_LIMIT, actual=fast_moved, detail=item.asset)
    draft.put(
        replace(
            feed,
            fast=item.price,
            fast_at=timestamp,
            reference=reference,
            reference_at=draft.time,
            reference_moved=reference_moved,
            fast_moved=fast_moved,
            posted_at=draft.time,
            posted_in=draft.sequence,
        )
    )
    draft.record(
        events.FastPricePosted(
            asset=item.asset,
            price=item.price,
            timestamp=timestamp,
            runaway=fast_moved - reference_moved > settings.max_delta_difference,
        )
    )


def dispute_prices(draft: Draft, command: commands.DisputePrices) -> None:
    """Flag the fast prices, or withdraw one's own flag."""
    require_role(draft, Role.PRICE_SIGNER)
    shared = draft.get(FastFeed, ()) or FastFeed()
    voted = draft.sender in shared.votes
    if command.dispute and voted:
        raise Reject(Code.ALREADY_VOTED, detail=draft.sender)
    if not command.dispute and not voted:
        raise Reject(Code.NO_VOTE, detail=draft.sender)
    if command.dispute:
        votes = (*shared.votes, draft.sender)
    else:
        votes = tuple(vote for vote in shared.votes if vote != draft.sender)
    draft.put(replace(shared, votes=votes))
    draft.record(events.PricesDisputed(signer=draft.sender, dispute=command.dispute, votes=len(votes)))


def force_spread(draft: Draft, command: commands.ForceSpread) -> None:
    """Switch the use of both prices on or off."""
    require_role(draft, Role.GUARDIAN, Role.GOVERNOR)
    shared = draft.get(FastFeed, ()) or FastFeed()
    draft.put(replace(shared, spread_forced=command.forced))
    draft.record(events.SpreadForced(forced=command.forced))


BRANCH = Branch(
    name="prices",
    version=1,
    summary="primary rounds, fast prices, disputes",
    handlers={
        commands.PostRounds: post_rounds,
        commands.PostPrices: post_prices,
        commands.DisputePrices: dispute_prices,
        commands.ForceSpread: force_spread,
    },
)
