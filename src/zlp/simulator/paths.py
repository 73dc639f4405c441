"""Price paths by name: a file, or one made from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from zlp.oracle.price_path import PricePath
from zlp.oracle.replay import PriceFileError, load_prices
from zlp.oracle.synthetic import AssetModel, Market, Regime, generate

MADE_START = 1_735_689_600
"""2025-01-01: where made paths begin."""
MADE_ASSETS = (
    AssetModel(asset="ETH", start_price="3300", volatility=0.7, jump_mean=-0.03, jump_volatility=0.05, decimals=2),
    AssetModel(asset="BTC", start_price="95000", volatility=0.5, jump_mean=-0.02, jump_volatility=0.04, decimals=2),
    AssetModel(asset="SOL", start_price="190", volatility=0.9, jump_mean=-0.04, jump_volatility=0.06, decimals=4),
    AssetModel(asset="USDC", start_price="1", volatility=0.006, jump_volatility=0.0, reversion=400.0, decimals=6),
    AssetModel(asset="USDT", start_price="1", volatility=0.006, jump_volatility=0.0, reversion=400.0, decimals=6),
)
"""Majors that move together and stables that come back; volatilities near those of 2024 and 2025."""
MADE_MARKET = Market(
    correlation=(
        (1.0, 0.8, 0.75, 0.0, 0.0),
        (0.8, 1.0, 0.7, 0.0, 0.0),
        (0.75, 0.7, 1.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 1.0, 0.5),
        (0.0, 0.0, 0.0, 0.5, 1.0),
    ),
    regimes=(
        Regime(mean_seconds=20 * 86_400, volatility_scale=0.8, drift=0.2),
        Regime(mean_seconds=6 * 86_400, volatility_scale=1.8, drift=-0.5),
    ),
    jumps_per_year=6,
)


class Prices(msgspec.Struct, frozen=True):
    """A path and where it is from: ``source`` in words, ``sha256`` of the file, empty for a made path."""

    path: PricePath
    source: str
    sha256: str = ""


def made(seed: int, days: int = 90, step_seconds: int = 3_600) -> Prices:
    """Two moods of correlated majors, with jumps; the same seed gives the same path on every machine."""
    steps = max(2, days * 86_400 // step_seconds)
    path = generate(seed, MADE_ASSETS, steps, step_seconds, start_time=MADE_START, market=MADE_MARKET)
    return Prices(path, f"made path, seed {seed}, {days} days of {step_seconds} s")


def from_file(
    file: Path, *, start: int | None = None, end: int | None = None, columns: Mapping[str, str] | None = None
) -> Prices:
    """A price file, or a part of it (unix seconds). Raises ``PriceFileError`` naming the row and column at fault."""
    loaded = load_prices(file, columns)
    path = loaded.prices
    if start is not None or end is not None:
        first, last = path.steps[0].time, path.steps[-1].time
        path = path.window(first if start is None else start, last + 1 if end is None else end)
        if len(path.steps) < 2:
            raise PriceFileError(
                file, f"nothing between the given times; the file goes from {day(first)} to {day(last)}"
            )
    return Prices(path, loaded.name, loaded.sha256)


def seconds_of(text: str) -> int:
    """Unix seconds of a date or a date with time (UTC where it has no zone). ``ValueError`` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date like 2025-10-01") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def day(time: int) -> str:
    """A second as a date, for people."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")
