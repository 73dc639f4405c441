"""Posts prices: rounds of the primary feed, and the fast price beside them where a venue takes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from zlp.engine.commands.prices import FastPrice, PostPrices, PostRounds, Round
from zlp.engine.fixed import UNITS, USD, mul_div_down
from zlp.engine.leaves.prices import FastFeedSettings, PriceFeed, PriceSettings
from zlp.keepers.port import Port

REPEAT_AFTER = 60
"""Seconds after which an unchanged round is posted again; sooner it is another keeper's work seen twice."""


class FastQuote(msgspec.Struct, frozen=True):
    """Blended prices of the exchanges, USD at 1e30 by asset, observed at ``timestamp`` (seconds)."""

    timestamp: int
    prices: Mapping[str, int]


class PriceSource(Protocol):
    """Where prices come from: feeds of the outside world, a file, a simulation."""

    def rounds(self, now: int) -> Mapping[str, Sequence[int]]:
        """Primary rounds not yet handed out, oldest first, USD at 1e30 by asset."""

    def fast(self, now: int) -> FastQuote | None:
        """The newest fast prices, or ``None`` while there are none."""


class PriceKeeper:
    """Hands on what its source says. An asset the venue does not price is left out."""

    name = "prices"

    def __init__(self, port: Port, source: PriceSource) -> None:
        self._port = port
        self._source = source
        self._posted_until = -1

    def work(self) -> int:
        """Post the rounds that are new, then the fast prices if they are newer than the last."""
        now = self._port.now()
        return self._post_rounds(now) + self._post_fast(now)

    def _post_rounds(self, now: int) -> int:
        rounds: list[Round] = []
        for asset, prices in self._source.rounds(now).items():
            settings = self._port.reader.get(PriceSettings, (asset,))
            if settings is None:
                continue
            feed = self._port.reader.get(PriceFeed, (asset,)) or PriceFeed(asset)
            for price in prices:
                answer = mul_div_down(price, UNITS[settings.answer_decimals], USD)
                repeated = len(prices) == 1 and feed.rounds[-1:] == (answer,) and now - feed.round_at < REPEAT_AFTER
                if answer and not repeated:
                    rounds.append(Round(asset, answer))
        if not rounds:
            return 0
        return int(self._port.submit(PostRounds(rounds=tuple(rounds))).accepted)

    def _post_fast(self, now: int) -> int:
        if self._port.reader.get(FastFeedSettings, ()) is None:
            return 0
        quote = self._source.fast(now)
        if quote is None or quote.timestamp <= self._posted_until:
            return 0
        prices = tuple(
            FastPrice(asset, price)
            for asset, price in quote.prices.items()
            if (feed := self._port.reader.get(PriceFeed, (asset,))) is not None and feed.rounds
        )
        if not prices:
            return 0
        self._posted_until = quote.timestamp
        return int(self._port.submit(PostPrices(prices=prices, timestamp=quote.timestamp)).accepted)
