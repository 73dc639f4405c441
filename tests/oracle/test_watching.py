"""The live table: what people read off it."""

import io
from collections.abc import AsyncIterator, Mapping

import msgspec
from rich.console import Console

from zlp.oracle.blending import BlendSettings
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.observation import Health, Observation, Status
from zlp.oracle.pricing import Pricing
from zlp.oracle.settings import OracleSettings, SyntheticSettings
from zlp.oracle.source_group import SourceGroup
from zlp.oracle.synthetic import AssetModel
from zlp.oracle.watching import deviation_bps, render

NOW = 1_700_000_000


class Told:
    """A source that says what it is told, and how it does."""

    def __init__(self, name: str, said: list[Observation], health: dict[str, Health]) -> None:
        self.name, self._said, self._health = name, said, health

    async def observations(self) -> AsyncIterator[Observation]:
        for one in self._said:
            yield one

    def health(self) -> Mapping[str, Health]:
        return self._health


def said(source: str, asset: str, price: str, *, age: int = 1, quote: str = "USD") -> Observation:
    return Observation(
        source=source, asset=asset, price_e30=price_from_text(price), observed_at=NOW - age, received_at=NOW,
        quote=quote,
    )  # fmt: skip


async def drawn(*sources: Told, quotes: dict[str, str] | None = None) -> str:
    """The table as text."""
    placeholder = SyntheticSettings(seed=1, assets=(AssetModel(asset="ETH", start_price="1"),), steps=1, step_seconds=1)
    settings = OracleSettings(
        sources=(placeholder,), primary="chainlink", fast=("bybit", "mexc"), quotes=quotes or {}, blend=BlendSettings()
    )
    pricing = Pricing(SourceGroup(sources), settings)
    async for observation in pricing.group.observations():
        pricing.take(observation)
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(render(pricing, NOW))
    return console.export_text()


def line_of(text: str, *words: str) -> str:
    [found] = [line for line in text.splitlines() if all(word in line for word in words)]
    return found


LIVE = Health(status=Status.LIVE, last_heard_at=NOW)


async def test_sources_side_by_side() -> None:
    """E5: price, age, deviation, status and what the venue would use, for a healthy pair of exchanges."""
    text = await drawn(
        Told("chainlink", [said("chainlink", "ETH", "1800", age=900)], {"ETH": LIVE}),
        Told("bybit", [said("bybit", "ETH", "1803.6")], {"ETH": LIVE}),
        Told("mexc", [said("mexc", "ETH", "1800.9", age=2)], {"ETH": LIVE}),
    )
    row = line_of(text, "bybit")
    assert all(word in row for word in ("1803.600000", "1 s", "+20.00 bps", "live"))
    assert "900 s" in line_of(text, "chainlink")
    assert "1802.250000" in line_of(text, "the fast price, 12 bps from the primary")


async def test_trouble_is_explained() -> None:
    """A7: silence, disagreement and a missing conversion each show why, with the last price still visible."""
    silent = Health(status=Status.SILENT, last_heard_at=NOW - 60, reason="silent for 60 s")
    text = await drawn(
        Told("chainlink", [said("chainlink", "ETH", "1800", age=900)], {"ETH": LIVE}),
        Told("bybit", [said("bybit", "ETH", "1700", age=60)], {"ETH": silent}),
        Told("mexc", [said("mexc", "ETH", "1801", quote="USDT")], {"ETH": LIVE}),
    )
    assert all(word in line_of(text, "bybit") for word in ("1700.000000", "60 s", "silent", "silent for 60 s"))
    assert all(word in line_of(text, "mexc") for word in ("USDT", "not blended: there is no price of USDT"))
    assert "primary_chain_error" in text
    assert "there was no fast price" in text


async def test_quotes_are_converted_by_a_live_source_only() -> None:
    """A7: USDT counts at what the primary says of it, and not at all when that is not live."""
    sources = [
        Told("bybit", [said("bybit", "ETH", "2000", quote="USDT")], {"ETH": LIVE}),
        Told("mexc", [said("mexc", "ETH", "2000", quote="USDT")], {"ETH": LIVE}),
    ]
    primary = Told(
        "chainlink",
        [said("chainlink", "ETH", "1760"), said("chainlink", "USDT", "0.88")],
        {"ETH": LIVE, "USDT": LIVE},
    )
    text = await drawn(primary, *sources, quotes={"USDT": "chainlink"})
    assert "1760.000000" in line_of(text, "the fast price, 0 bps")
    failed = Told("chainlink", primary._said, {"ETH": LIVE, "USDT": Health(status=Status.FAILED, reason="gone")})
    assert "there is no price of USDT" in await drawn(failed, *sources, quotes={"USDT": "chainlink"})
    assert "the fast price, 1363 bps" not in await drawn(primary, *sources, quotes={"USDT": "par"})
    assert "fast and primary are 1363 bps apart" in await drawn(primary, *sources, quotes={"USDT": "par"})


def test_deviations_are_signed_and_cut() -> None:
    """A deviation is cut to hundredths of a basis point towards zero, and zero has no sign."""
    assert deviation_bps(10_001, 10_000) == "+1.00 bps"
    assert deviation_bps(9_990, 10_000) == "-10.00 bps"
    assert deviation_bps(10**30 - 1, 10**30) == "0.00 bps"


def test_settings_structs_are_data() -> None:
    """A1: settings survive their own encoding, so that a tool can write them."""
    settings = BlendSettings(outlier_bps=7)
    assert msgspec.convert(msgspec.to_builtins(settings), BlendSettings) == settings
