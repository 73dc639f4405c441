"""What ``--prices`` means: made up, a file played back, or live feeds by the oracle's settings file."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from zlp.cli.local.prices import Prices, made_up, path_of, played_back, standing
from zlp.cli.oracle_feed import LiveFeed
from zlp.engine.fixed import mul_div_down
from zlp.engine.state import Reader
from zlp.keepers import FastQuote, PostingPace, PriceKeeper
from zlp.keepers.port import Port
from zlp.oracle.settings import load_settings
from zlp.simulator.feeds import PathFeed, assume

PATIENCE = 30.0
"""Seconds that live feeds may take to say something for the first time."""
LIVE = Path(str(resources.files("zlp.oracle") / "exchanges.toml"))
"""What ``live`` listens to where no file is named."""


class NoPrices(ValueError):  # noqa: N818 - named by what happened
    """The source can't be used; the message says why."""


def parts(text: str) -> tuple[str, Path]:
    """Kind and file of ``--prices``. Raises ``NoPrices``."""
    kind, _, file = text.partition(":")
    if kind == "synthetic" and not file:
        return kind, Path()
    if text == "live":
        return kind, LIVE
    if kind not in ("replay", "live") or not file:
        raise NoPrices("--prices is synthetic, replay:FILE, live or live:FILE")
    if not Path(file).is_file():
        raise NoPrices(f"--prices {text}: there is no file {file}")
    return kind, Path(file)


@contextmanager
def prices(text: str, reader: Reader, now: int, *, seed: int, step: int) -> Iterator[Iterator[Prices]]:
    """Endless prices, one mapping a step. Made-up ones go on from what the venue's prices are."""
    kind, file = parts(text)
    if kind == "synthetic":
        yield made_up(seed, step, standing(reader, now))
    elif kind == "replay":
        yield played_back(file)
    else:
        with LiveFeed(load_settings(file)) as feed:
            yield _blends(feed)


def leading_to(first: Prices, seed: int, step: int, count: int) -> Iterator[Prices]:
    """``count`` made-up steps that end at these prices: a past for a demo that begins with live prices."""
    path = list(itertools.islice(made_up(seed, step, {}), count))
    for made in path:
        yield {
            asset: mul_div_down(price, made[asset], path[-1][asset]) if asset in made else price
            for asset, price in first.items()
        }


@contextmanager
def price_keeper(text: str, port: Port, *, seed: int, every: float, pace: PostingPace) -> Iterator[PriceKeeper]:
    """A price keeper and its source. Feeds with a primary are posted as they come; others make both kinds of post."""
    kind, file = parts(text)
    if kind == "live" and (settings := load_settings(file)).primary:
        with LiveFeed(settings) as feed:
            yield PriceKeeper(port, feed, pace, feed.evidence)
        return
    with prices(text, port.reader, port.now(), seed=seed, step=max(1, round(every))) as steps:
        yield PriceKeeper(port, SteppedPrices(port.reader, steps), pace)


class SteppedPrices:
    """Prices that come one step at a time as a keeper's source: each look at the rounds takes the next step."""

    def __init__(self, reader: Reader, steps: Iterator[Prices]) -> None:
        first = next(steps)
        self._steps = itertools.chain([first], steps)
        self._feed = PathFeed(reader, assume(reader, path_of(first)))
        self._is_silent = False

    def rounds(self, now: int) -> dict[str, list[int]]:
        """Rounds since the last step; none while live feeds are silent."""
        step = next(self._steps)
        self._is_silent = not step
        if self._is_silent:
            return {}
        self._feed.move_to(now, step)
        return self._feed.rounds(now)

    def fast(self, now: int) -> FastQuote | None:
        """The step's prices."""
        return None if self._is_silent else self._feed.fast(now)


def _blends(feed: LiveFeed) -> Iterator[Prices]:
    """What the fast sources agree on now; nothing while any asset lacks a fresh blend, so that it ages at the venue."""
    until = time.monotonic() + PATIENCE
    while not (first := _blend(feed)):
        if time.monotonic() > until:
            raise NoPrices("the live feeds gave no price for every asset; look at them with: zlp oracle watch FILE")
        time.sleep(0.1)
    yield first
    while True:
        yield _blend(feed)


def _blend(feed: LiveFeed) -> Prices:
    quote = feed.fast(int(time.time()))
    return quote.prices if quote is not None and set(quote.prices) >= feed.assets else {}
