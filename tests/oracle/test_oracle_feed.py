"""Live feeds as the keepers see them: rounds once, blends on demand, evidence, a thread that dies loudly."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.oracle.test_watching import LIVE, NOW, Told, said
from zlp.cli.oracle_feed import LiveFeed, OracleFeed
from zlp.oracle.blending import BlendSettings
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.observation import Health, Observation
from zlp.oracle.pricing import Pricing
from zlp.oracle.settings import OracleSettings, SyntheticSettings
from zlp.oracle.source_group import SourceGroup
from zlp.oracle.synthetic import AssetModel

MODEL = SyntheticSettings(
    name="model", seed=3, assets=(AssetModel(asset="ETH", start_price="1800"),), steps=3, step_seconds=60, speed=0
)


def settings(**more: Any) -> OracleSettings:
    return OracleSettings(
        **({"sources": (MODEL,), "primary": "chainlink", "fast": ("bybit", "mexc"), "blend": BlendSettings()} | more)
    )


async def fed(*sources: Told) -> OracleFeed:
    feed = OracleFeed(Pricing(SourceGroup(sources), settings()), "chainlink")
    async for observation in feed._pricing.group.observations():
        feed.take(observation)
    return feed


async def test_rounds_are_handed_out_once_and_blends_on_demand() -> None:
    """E5: every primary round once, oldest first; the blend as of the second it is asked for."""
    feed = await fed(
        Told("chainlink", [said("chainlink", "ETH", "1800", age=9), said("chainlink", "ETH", "1801")], {"ETH": LIVE}),
        Told("bybit", [said("bybit", "ETH", "1802")], {"ETH": LIVE}),
        Told("mexc", [said("mexc", "ETH", "1804")], {"ETH": LIVE}),
    )
    assert feed.rounds(NOW) == {"ETH": [price_from_text("1800"), price_from_text("1801")]}
    assert feed.rounds(NOW) == {}
    quote = feed.fast(NOW)
    assert quote is not None
    assert (quote.timestamp, quote.prices) == (NOW, {"ETH": price_from_text("1803")})
    assert feed.fast(NOW + 60) is None


async def test_the_reports_behind_prices_are_named() -> None:
    """Z6: the digests of the reports behind rounds and blends go with them, for auditors."""
    signed = [
        Observation(source=source, asset="ETH", price_e30=10**30, observed_at=NOW, received_at=NOW, evidence=digit * 64)
        for source, digit in (("chainlink", "a"), ("bybit", "b"), ("mexc", "c"))
    ]
    feed = await fed(*[Told(one.source, [one], {"ETH": LIVE}) for one in signed])
    feed.rounds(NOW)
    assert feed.evidence() == "a" * 64
    quote = feed.fast(NOW)
    assert quote is not None
    assert quote.evidence == "b" * 64 + " " + "c" * 64
    feed.rounds(NOW)
    assert feed.evidence() == ""


def until(condition: Any) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_thread_follows_the_sources() -> None:
    """E5: keepers call plainly while the sources run elsewhere; leaving closes them."""
    seen: list[int] = []
    with LiveFeed(settings(primary="model", fast=("model",), blend=BlendSettings(sources_min=1))) as feed:
        until(lambda: seen.extend(feed.rounds(0).get("ETH", [])) or len(seen) == 3)
        assert feed.evidence() == ""
    assert not feed._thread.is_alive()


class Broken:
    """A source with a bug."""

    name = "broken"

    async def observations(self) -> AsyncIterator[Observation]:
        raise ArithmeticError("a bug in a source")
        yield

    def health(self) -> Mapping[str, Health]:
        return {}


def test_a_dead_thread_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A7: a keeper whose feeds have stopped learns it at its next call."""
    monkeypatch.setattr("zlp.cli.oracle_feed.build_source", lambda one, clock: Broken())
    with LiveFeed(settings(primary="", fast=())) as feed:

        def stopped() -> bool:
            try:
                feed.fast(0)
            except RuntimeError as error:
                return isinstance(error.__cause__, ArithmeticError)
            return False

        until(stopped)
