"""The scenario behind ``zlp compare``: one crowd of scripted traders on several designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zlp.simulator.agents import Founder, TapeTrader
from zlp.simulator.generators import Bootstrap, FromFile, Made
from zlp.simulator.scenario import Scenario


def scenario_of(
    profiles: Sequence[str],
    prices: FromFile | Made | Bootstrap,
    *,
    seed: int = 1,
    paths: int = 1,
    assume: Mapping[str, str] | None = None,
    liquidity: float = 10_000_000.0,
    traders: int = 30,
) -> Scenario:
    """The same liquidity, the same prices, the same intentions. BTC and ETH are what every shipped design trades."""
    assets: tuple[str, ...] = ("BTC", "ETH")
    if isinstance(prices, FromFile) and prices.columns:
        assets = tuple(asset for asset in assets if asset in prices.columns) or assets
    return Scenario(
        title=" and ".join(profiles) + " on the same prices and intentions",
        question="Which design protects its LPs better, at what cost to traders?",
        profiles=tuple(profiles),
        seed=seed,
        paths=paths,
        prices=prices,
        assume=dict(assume or {}),
        agents=(Founder(liquidity=liquidity), TapeTrader(count=traders, assets=assets)),
    )
