"""Small worlds for the simulator's tests."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from zlp.engine.fixed import USD
from zlp.engine.leaves.prices import FastFeedSettings, PriceSettings
from zlp.oracle.price_path import Candle, PricePath, PriceStep
from zlp.profiles.loader import Profile, load

HOUR = 3_600


def without_spread(name: str = "zeus") -> Profile:
    """A shipped profile whose every price is one number: the newest round."""
    profile = load(name)
    settings = tuple(
        replace(record, sample_rounds=1) if isinstance(record, PriceSettings) else record
        for record in profile.settings
        if not isinstance(record, FastFeedSettings)
    )
    return dataclasses.replace(profile, settings=settings)


def path_of(step_seconds: int = HOUR, **closes: list[float]) -> PricePath:
    """A path of closes: every candle is one price."""
    count = len(next(iter(closes.values())))
    steps = []
    for index in range(count):
        prices = {asset: int(values[index] * 100) * USD // 100 for asset, values in closes.items()}
        candles = {asset: Candle(price, price, price, price) for asset, price in prices.items()}
        steps.append(PriceStep(1_700_000_000 // step_seconds * step_seconds + index * step_seconds, candles))
    return PricePath(assets=tuple(sorted(closes)), step_seconds=step_seconds, steps=tuple(steps))
