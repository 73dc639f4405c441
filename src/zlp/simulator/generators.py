"""Where a scenario's prices come from: each kind makes any number of paths from seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from zlp.oracle.price_path import Candle, PricePath, PriceStep
from zlp.oracle.synthetic import AssetModel, Market, generate
from zlp.simulator.paths import MADE_ASSETS, MADE_MARKET, MADE_START, Prices, from_file, seconds_of
from zlp.simulator.stream import Stream, seed_of

DAY = 86_400


class FromFile(msgspec.Struct, frozen=True, kw_only=True, tag="file", forbid_unknown_fields=True):
    """History as it was: one path, whatever the seed. ``start`` and ``end`` are dates; ``columns`` of a wide file."""

    file: str
    start: str = ""
    end: str = ""
    columns: dict[str, str] = {}

    def prices(self, _seed: int) -> Prices:
        """The part of the file that is meant."""
        return _loaded(self.file, self.start, self.end, tuple(sorted(self.columns.items())))


class Made(msgspec.Struct, frozen=True, kw_only=True, tag="made", forbid_unknown_fields=True):
    """Geometric Brownian motion with jumps, regimes and correlation; without assets the majors of ``paths``."""

    days: int = 30
    step_seconds: int = 3_600
    assets: tuple[AssetModel, ...] = MADE_ASSETS
    market: Market | None = None

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for a path without length."""
        if self.days < 1 or self.step_seconds < 1:
            raise ValueError("days and step_seconds are at least 1")

    def prices(self, seed: int) -> Prices:
        """One path of this seed."""
        market = self.market or (MADE_MARKET if self.assets == MADE_ASSETS else Market())
        steps = max(2, self.days * DAY // self.step_seconds)
        path = generate(seed, self.assets, steps, self.step_seconds, start_time=MADE_START, market=market)
        return Prices(path, f"made, {self.days} days")


class Bootstrap(msgspec.Struct, frozen=True, kw_only=True, tag="bootstrap", forbid_unknown_fields=True):
    """History shuffled in blocks: keeps what happens within ``block`` steps (volatility clusters, correlation).

    Blocks are drawn from all full candles of ``history``, wrapped at its end, and joined by the returns in them.
    """

    history: FromFile
    days: int = 30
    block: int = 72

    def prices(self, seed: int) -> Prices:
        """One path of this seed: it starts at the last prices of the history."""
        source = self.history.prices(0)
        path = bootstrap(source.path, seed, self.days * DAY // source.path.step_seconds, self.block)
        return Prices(path, f"blocks of {self.block} steps of {source.source}, {self.days} days", source.sha256)


PriceSource = FromFile | Made | Bootstrap


@lru_cache(maxsize=8)
def _loaded(file: str, start: str, end: str, columns: tuple[tuple[str, str], ...]) -> Prices:
    return from_file(
        Path(file),
        start=seconds_of(start) if start else None,
        end=seconds_of(end) if end else None,
        columns=dict(columns) or None,
    )


def bootstrap(path: PricePath, seed: int, steps: int, block: int) -> PricePath:
    """Join random blocks of a path: every candle keeps its shape relative to the close before it."""
    rows = [step.candles for step in path.steps if len(step.candles) == len(path.assets)]
    if len(rows) < 2 or block < 1 or steps < 2:
        raise ValueError("a bootstrap needs a history, blocks of at least 1 and at least 2 steps")
    stream = Stream(seed, "blocks")
    level = {asset: rows[-1][asset].close for asset in path.assets}
    made: list[PriceStep] = []
    place = 0
    for index in range(steps):
        if index % block == 0:
            place = 1 + int(stream.uniform() * (len(rows) - 1))
        now, before = rows[place], rows[place - 1]
        candles = {}
        for asset in path.assets:
            candles[asset] = _carried(now[asset], before[asset].close, level[asset])
            level[asset] = candles[asset].close
        made.append(PriceStep(MADE_START + index * path.step_seconds, candles))
        place = place + 1 if place + 1 < len(rows) else 1
    return PricePath(assets=path.assets, step_seconds=path.step_seconds, steps=tuple(made))


def _carried(candle: Candle, base: int, level: int) -> Candle:
    """The candle at another level, to a billionth of a dollar, never below that."""
    unit = 10**21
    values = (candle.open, candle.high, candle.low, candle.close)
    return Candle(*(max(1, value * level // (base * unit)) * unit for value in values))


def path_seed(seed: int, path: int) -> int:
    """The seed of one path of a scenario."""
    return seed_of(seed, "path", path) % 2**64


def data_hash(prices: Prices) -> str:
    """SHA-256 of every candle of a path: what a report names, also for made paths."""
    digest = hashlib.sha256()
    for step in prices.path.steps:
        digest.update(repr((step.time, _ordered(step.candles))).encode())
    return digest.hexdigest()


def _ordered(candles: dict[str, Candle]) -> Sequence[tuple[str, int, int, int, int]]:
    return [(asset, c.open, c.high, c.low, c.close) for asset, c in sorted(candles.items())]
