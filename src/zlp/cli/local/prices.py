"""Where a local venue's prices come from: made up as it goes, a file played back, or the live sources."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from zlp.engine.fixed import USD
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.pricing import bounds_at
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.oracle.price_path import Candle, PricePath, PriceStep
from zlp.oracle.synthetic import generate
from zlp.simulator.paths import MADE_ASSETS, MADE_MARKET, from_file

CHUNK = 3_600
Prices = Mapping[str, int]
"""USD at 1e30 by asset."""


def standing(reader: Reader, now: int) -> dict[str, int]:
    """The venue's prices as they stand, so that a restarted venue goes on from them."""
    found = {}
    for settings in reader.each(PriceSettings):
        if reader.get(PriceFeed, (settings.asset,)) is not None:
            try:
                low, high = bounds_at(reader, settings.asset, now)
            except Reject:
                continue
            found[settings.asset] = (low + high) >> 1
    return found


def made_up(seed: int, step_seconds: int, start: Mapping[str, int]) -> Iterator[Prices]:
    """Endless correlated prices, from ``start`` on (or typical prices); one mapping a step."""
    last = dict(start)
    for chunk in itertools.count():
        models = [
            msgspec.structs.replace(model, start_price=_text(last[model.asset])) if model.asset in last else model
            for model in MADE_ASSETS
        ]
        path = generate(seed + chunk, models, CHUNK, step_seconds, market=MADE_MARKET, ticks_per_step=1)
        for tick in path.ticks(1):
            last.update(tick.prices)
            yield tick.prices


def played_back(file: Path) -> Iterator[Prices]:
    """A file's prices in order, each candle in four ticks; the last stay."""
    last: Prices = {}
    for tick in from_file(file).path.ticks(4):
        last = tick.prices
        yield last
    yield from itertools.repeat(last)


def path_of(prices: Prices) -> PricePath:
    """These prices as a path of one candle: what the world asks to know which assets are missing."""
    candles = {asset: Candle(price or USD, price or USD, price or USD, price or USD) for asset, price in prices.items()}
    return PricePath(assets=tuple(candles), step_seconds=1, steps=(PriceStep(0, candles),))


def _text(price: int) -> str:
    whole, fraction = divmod(price, USD)
    return f"{whole}.{fraction:030d}"[: len(str(whole)) + 9]
