"""What a venue's prices were along a path, as the fast world takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zlp.engine.fixed import UNITS, USD, mul_div_down
from zlp.engine.leaves.base import Key, Leaf
from zlp.engine.leaves.prices import ROUNDS_KEPT, FastFeed, FastFeedSettings, PriceFeed, PriceSettings
from zlp.engine.pricing import bounds_at
from zlp.engine.state import L, Reader
from zlp.simulator.feeds import Assumption, FeedRule, KnownPrices, PathFeed
from zlp.simulator.kernel.inputs import NotFastError
from zlp.simulator.kernel.state import Prices
from zlp.simulator.shocks import Moment


def heard_prices(
    reader: Reader, assumptions: Sequence[Assumption], assets: Sequence[str], ticks: Sequence[Moment]
) -> Prices:
    """The prices of every tick. While the oracle speaks, its fast price counts alone, the same in both directions for
    all but a stable off its band.
    """
    if not all(moment.attended for moment in ticks):
        raise NotFastError("the fast world's keepers never sleep")
    settings = [_checked(reader, asset) for asset in assets]
    known = KnownPrices(assumptions)
    rows: list[list[list[float]]] = []
    for moment in ticks:
        if moment.heard is not None:
            prices = known.prices_at(moment.heard.prices)
            rows.append(
                [
                    [rule.spread.price(prices[rule.asset], maximise) / USD for rule in settings]
                    for maximise in (False, True)
                ]
            )
        elif rows:
            rows.append(rows[-1])
        else:
            raise NotFastError("the fast world founds its pool at the first tick, which has no price")
    low, high = np.ascontiguousarray(np.array(rows).swapaxes(0, 1))
    posted = np.array([moment.heard is not None for moment in ticks])
    if not posted.all():
        for tick, bounds in _silence(reader, assumptions, settings, ticks):
            low[tick], high[tick] = zip(*bounds, strict=True)
    return Prices(np.array([moment.truth.time for moment in ticks], dtype=np.int64), low, high, posted)


def _checked(reader: Reader, asset: str) -> PriceSettings:
    """The asset's settings, if a fast price posted at every tick is all that counts."""
    settings, fast, rule = reader.get(PriceSettings, (asset,)), reader.get(FastFeedSettings, ()), FeedRule()
    if settings is None or fast is None or not fast.guard.votes_to_dispute or fast.guard.min_post_interval:
        raise NotFastError("the fast world needs a feed of fast prices")
    if 2 * rule.deviation_bps * (settings.sample_rounds + 1) > fast.guard.max_deviation_bps:
        raise NotFastError("the fast world needs a fast price that never strays too far from the rounds")
    if (settings.spread.spread_bps and not settings.spread.strict_stable) or settings.spread.adjustment_bps:
        raise NotFastError("the fast world knows one price for both directions")
    return settings


class _Posted:
    """A reader of what a path has posted; everything else as the venue has it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.feeds: dict[Key, PriceFeed] = {}
        self.shared = FastFeed()

    def get(self, kind: type[L], key: Key) -> L | None:
        """``Reader.get``."""
        found: Leaf | None = self.feeds.get(key) if kind is PriceFeed else self.shared if kind is FastFeed else None
        return found if isinstance(found, kind) else self._reader.get(kind, key)

    def each(self, kind: type[L]) -> Iterator[L]:
        """``Reader.each``."""
        return self._reader.each(kind)

    def post(self, settings: PriceSettings, rounds: Sequence[int], price: int, now: int) -> None:
        """Remember the rounds and the fast price of one asset."""
        answers = [mul_div_down(answer, UNITS[settings.answer_decimals], USD) for answer in rounds]
        before = self.feeds.get(settings.key) or PriceFeed(settings.asset)
        self.feeds[settings.key] = PriceFeed(
            settings.asset, (*before.rounds, *answers)[-ROUNDS_KEPT:], fast=price, fast_at=now, posted_at=now
        )


def _silence(
    reader: Reader, assumptions: Sequence[Assumption], settings: Sequence[PriceSettings], ticks: Sequence[Moment]
) -> Iterator[tuple[int, list[tuple[float, float]]]]:
    """Each tick at which nobody posts, with the bounds the engine reads then: what was posted grows old."""
    feed, posted, last = PathFeed(reader, assumptions), _Posted(reader), 0
    for tick, moment in enumerate(ticks):
        now = moment.truth.time
        if moment.heard is not None:
            feed.move_to(now, moment.heard.prices)
            rounds, last = feed.rounds(now), now
            for rule in settings:
                posted.post(rule, rounds.get(rule.asset, ()), feed.prices[rule.asset], now)
            posted.shared = FastFeed(now, now)
            continue
        if any(rule.max_age_reducing and now - last > rule.max_age_reducing for rule in settings):
            raise NotFastError("the oracle is silent for so long that nobody can be liquidated")
        found = [bounds_at(posted, rule.asset, now) for rule in settings]
        yield tick, [(low / USD, high / USD) for low, high in found]
