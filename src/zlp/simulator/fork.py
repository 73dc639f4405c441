"""What if? From a venue's present state on, along a made path that starts at its present prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from zlp.engine import Root
from zlp.engine.fixed import USD, mul_div_down
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.pricing import bounds_at
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.oracle.decimal_text import price_to_text
from zlp.oracle.price_path import PricePath
from zlp.oracle.synthetic import AssetModel, generate
from zlp.simulator.agents import Founder
from zlp.simulator.backtest import Progress, Result, Setup, run_from
from zlp.simulator.shocks import PriceShock

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


def wrapped(prices: Mapping[str, int]) -> dict[str, str]:
    """Assets that are another one in a wrapper, by name and price (within 1 %), as assumptions: WETH is 1 ETH."""
    found = {}
    for asset, price in prices.items():
        inside = [
            base
            for base, worth in prices.items()
            if base != asset and base in asset and "/" not in asset and abs(price - worth) * 100 <= worth
        ]
        if inside:
            base = max(inside, key=len)
            found[asset] = f"{price_to_text(mul_div_down(price, USD, prices[base]))} {base}"
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

    Open positions and orders stay as they are; ``crowd`` lets the setup's agents in beside them. What wraps another
    asset moves with it. Raises ``ValueError`` if the snapshot is damaged, the venue has no prices yet, or a shock
    names an asset that it does not price.
    """
    root = Root.restore(dict(snapshot))
    prices = present_prices(root.state, root.time)
    if not prices:
        raise ValueError("the venue has no prices yet")
    followers = wrapped(prices)
    free = {asset: price for asset, price in prices.items() if asset not in followers}
    _check(setup, free, followers)
    path = continued(free, setup.seed, start=root.time, hours=hours, volatility=volatility)
    others = tuple(agent for agent in setup.crowd if not isinstance(agent, Founder)) if crowd else ()
    assumptions = {**followers, **setup.assumptions}
    return run_from(root, path, msgspec.structs.replace(setup, crowd=others, assumptions=assumptions), progress)


def _check(setup: Setup, free: Mapping[str, int], followers: Mapping[str, str]) -> None:
    for asset in (asset for shock in setup.shocks if isinstance(shock, PriceShock) for asset in shock.assets):
        if asset in followers:
            raise ValueError(f"{asset} moves with {followers[asset].partition(' ')[2]}: name that")
        if asset not in free:
            raise ValueError(f"the venue has no price of {asset}; there are {', '.join(sorted(free))}")
