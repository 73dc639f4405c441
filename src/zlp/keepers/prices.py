"""Posts prices: rounds of the primary feed, and the fast price beside them where a venue takes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from zlp.engine.commands.prices import FastPrice, PostPrices, PostRounds, Round
from zlp.engine.fixed import BPS, UNITS, USD, mul_div_down
from zlp.engine.leaves.prices import FastFeed, FastFeedSettings, PriceFeed, PriceSettings
from zlp.keepers.port import Port

REPEAT_AFTER = 60
"""Seconds after which an unchanged round is posted again; sooner it is another keeper's work seen twice."""


class FastQuote(msgspec.Struct, frozen=True):
    """Blended prices of the exchanges, USD at 1e30 by asset, observed at ``timestamp`` (seconds).

    ``evidence``: digests of the signed reports behind them, with which an auditor finds and verifies them.
    """

    timestamp: int
    prices: Mapping[str, int]
    evidence: str = ""


class PostingPace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a fast price is worth a post: it moved by ``deviation_bps``, or ``cadence`` seconds have passed.

    Only the assets that are due are posted. Both 0 posts whatever is newer. Keep the cadence well below the
    venue's price duration, or its prices count as inactive in quiet markets.
    """

    cadence: int = 0
    deviation_bps: int = 0

    def due(self, feed: PriceFeed, price: int, timestamp: int) -> bool:
        """Whether this price should be posted over what the venue has."""
        if not feed.fast or timestamp - feed.fast_at >= self.cadence:
            return True
        return abs(price - feed.fast) * BPS >= self.deviation_bps * feed.fast


class PriceSource(Protocol):
    """Where prices come from: feeds of the outside world, a file, a simulation."""

    def rounds(self, now: int) -> Mapping[str, Sequence[int]]:
        """Primary rounds not yet handed out, oldest first, USD at 1e30 by asset."""

    def fast(self, now: int) -> FastQuote | None:
        """The newest fast prices, or ``None`` while there are none."""


class PriceKeeper:
    """Hands on what its source says, at its pace. An asset the venue does not price is left out.

    What was posted is read from the venue, so two keepers with the same feeds share the work. ``evidence``
    gives the digests of the signed reports behind the rounds that the source handed out last.
    """

    name = "prices"

    def __init__(
        self,
        port: Port,
        source: PriceSource,
        pace: PostingPace | None = None,
        evidence: Callable[[], str] | None = None,
    ) -> None:
        self._port = port
        self._source = source
        self._pace = pace or PostingPace()
        self._evidence = evidence

    def work(self) -> int:
        """Post the rounds that are new, then the fast prices if they are newer than the last."""
        now = self._port.now()
        return self._post_rounds(now) + self._post_fast(now)

    def _post_rounds(self, now: int) -> int:
        rounds: list[Round] = []
        reader = self._port.reader
        for asset, prices in self._source.rounds(now).items():
            settings = reader.get(PriceSettings, (asset,))
            if settings is None:
                continue
            feed = reader.get(PriceFeed, (asset,)) or PriceFeed(asset)
            for price in prices:
                answer = mul_div_down(price, UNITS[settings.answer_decimals], USD)
                repeated = len(prices) == 1 and feed.rounds[-1:] == (answer,) and now - feed.round_at < REPEAT_AFTER
                if answer and not repeated:
                    rounds.append(Round(asset, answer))
        if not rounds:
            return 0
        evidence = "" if self._evidence is None else self._evidence()
        return int(self._port.submit(PostRounds(rounds=tuple(rounds), evidence=evidence)).accepted)

    def _post_fast(self, now: int) -> int:
        reader = self._port.reader
        settings = reader.get(FastFeedSettings, ())
        if settings is None:
            return 0
        quote = self._source.fast(now)
        shared = reader.get(FastFeed, ()) or FastFeed()
        too_soon = shared.posted_at and now - shared.posted_at < settings.guard.min_post_interval
        if quote is None or quote.timestamp <= shared.updated_at or too_soon:
            return 0
        prices = tuple(
            FastPrice(asset, price)
            for asset, price in quote.prices.items()
            if (feed := reader.get(PriceFeed, (asset,))) is not None
            and feed.rounds
            and self._pace.due(feed, price, quote.timestamp)
        )
        if not prices:
            return 0
        post = PostPrices(prices=prices, timestamp=quote.timestamp, evidence=quote.evidence)
        return int(self._port.submit(post).accepted)
