"""What if? From a venue's present state on, along a made path that starts at its present prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from zlp.engine import Root
from zlp.engine.fixed import USD
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.pricing import bounds_at
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.oracle.decimal_text import price_to_text
from zlp.oracle.price_path import PricePath
from zlp.oracle.synthetic import AssetModel, generate
from zlp.simulator.agents import Founder
from zlp.simulator.backtest import Progress, Result, Setup, run_from

NEAR_DOLLAR = USD // 20
"""A price this close to a dollar is taken for that of a stable coin."""


def present_prices(reader: Reader, now: int) -> dict[str, int]:
    """The venue's own prices (lower bounds, USD at 1e30) of everything that has one."""
    found: dict[str, int] = {}
    for settings in reader.each(PriceSettings):
        try:
            found[settings.asset] = bounds_at(reader, settings.asset, now)[0]
        except Reject:
            continue
    return found


def continued(
    prices: Mapping[str, int], seed: int, *, start: int, hours: int, step_seconds: int = 300, volatility: float = 0.7
) -> PricePath:
    """A path from these prices on: ``volatility`` a year, stable coins almost still, no trend, no jumps."""
    models = []
    for asset, price in sorted(prices.items()):
        is_still = abs(price - USD) < NEAR_DOLLAR or "/" in asset
        models.append(
            AssetModel(
                asset=asset,
                start_price=price_to_text(price),
                volatility=0.0 if is_still else volatility,
                decimals=18,
            )
        )
    steps = max(2, hours * 3_600 // step_seconds)
    return generate(seed, models, steps, step_seconds, start_time=start)


def fork(
    snapshot: Mapping[str, Any],
    setup: Setup,
    *,
    hours: int = 24,
    volatility: float = 0.7,
    crowd: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Run on from a snapshot of a venue, which itself is not touched.

    Open positions and orders stay as they are; ``crowd`` lets the setup's agents in beside them. Raises
    ``ValueError`` if the snapshot is damaged or the venue has no prices yet.
    """
    root = Root.restore(dict(snapshot))
    prices = present_prices(root.state, root.time)
    if not prices:
        raise ValueError("the venue has no prices yet")
    path = continued(prices, setup.seed, start=root.time, hours=hours, volatility=volatility)
    others = tuple(agent for agent in setup.crowd if not isinstance(agent, Founder)) if crowd else ()
    return run_from(root, path, msgspec.structs.replace(setup, crowd=others), progress)
