"""The settings file of the oracle: which sources, how they are blended, which rule is watched.

Secrets stay outside: `${NAME}` in any text is replaced by the environment variable NAME.
"""

import os
import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from zlp.oracle.blending import BlendSettings
from zlp.oracle.chainlink import ChainlinkSettings, ChainlinkSource
from zlp.oracle.data_streams.source import DataStreamsSettings, DataStreamsSource
from zlp.oracle.decision import GuardSettings
from zlp.oracle.exchanges import ExchangeSettings, ExchangeSource
from zlp.oracle.observation import FeedError, PriceSource
from zlp.oracle.recording import RecordingSource
from zlp.oracle.replay import ReplaySource, load_prices
from zlp.oracle.synthetic import AssetModel, Market, generate

PAR = "par"


class SettingsError(FeedError):
    """The settings file can't be used; the message says which key and what was expected."""


class ReplaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="replay"):
    """A price file. `speed` is how many seconds of it pass in one; `columns` as `load_prices` takes them."""

    name: str = "replay"
    path: str
    columns: dict[str, str] | None = None
    speed: float = 1.0
    ticks_per_candle: int = 1


class RecordingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="recording"):
    """One source of a recording of `zlp oracle record`; `name` is the source's name in it."""

    name: str
    path: str
    speed: float = 1.0


class SyntheticSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="synthetic"):
    """A seeded generator, as `generate` takes it."""

    name: str = "synthetic"
    seed: int
    assets: tuple[AssetModel, ...]
    steps: int
    step_seconds: int
    market: Market = Market()
    speed: float = 1.0


SourceSettings = (
    ChainlinkSettings | DataStreamsSettings | ExchangeSettings | RecordingSettings | ReplaySettings | SyntheticSettings
)


class OracleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file.

    `primary` names the source of primary rounds and `fast` those that are blended (all others if left out).
    `quotes` says what an exchange's quote asset is worth: `"par"` for exactly one dollar, or the name of a
    source that prices it, e.g. `USDT = "chainlink"`.
    """

    sources: tuple[SourceSettings, ...]
    primary: str = ""
    fast: tuple[str, ...] = ()
    quotes: dict[str, str] = {}
    blend: BlendSettings = BlendSettings()
    guard: GuardSettings = GuardSettings()

    @property
    def fast_sources(self) -> tuple[str, ...]:
        """The names of the sources that are blended."""
        return self.fast or tuple(name for name in map(name_of, self.sources) if name != self.primary)


def load_settings(path: str | Path) -> OracleSettings:
    """Read a settings file. Raises `SettingsError` that names the file, the key and the fault."""
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    if "oracle" in table:
        table = table["oracle"]
    try:
        settings = msgspec.convert(_expand(table, path), OracleSettings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_readable(str(error))}") from error
    _check_names(settings, path)
    return settings


def build_source(settings: SourceSettings, *, clock: Callable[[], float] = time.time) -> PriceSource:
    """The source that a table of the settings describes. Files are loaded here, connections are not made."""
    match settings:
        case ChainlinkSettings():
            return ChainlinkSource(settings, clock=clock)
        case DataStreamsSettings():
            return DataStreamsSource(settings, clock=clock)
        case ExchangeSettings():
            return ExchangeSource(settings, clock=clock)
        case RecordingSettings():
            return RecordingSource(settings.path, settings.name, speed=settings.speed, clock=clock)
        case ReplaySettings():
            prices = load_prices(settings.path, settings.columns).prices
            ticks = settings.ticks_per_candle
            return ReplaySource(prices, name=settings.name, speed=settings.speed, ticks_per_candle=ticks, clock=clock)
        case SyntheticSettings():
            prices = generate(
                settings.seed, settings.assets, settings.steps, settings.step_seconds, market=settings.market
            )
            return ReplaySource(prices, name=settings.name, speed=settings.speed, clock=clock)


def name_of(settings: SourceSettings) -> str:
    """The name under which a source's observations appear."""
    return settings.name or (settings.exchange if isinstance(settings, ExchangeSettings) else "")


def _check_names(settings: OracleSettings, path: Path) -> None:
    names = [name_of(one) for one in settings.sources]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{path}: two sources are named {name!r}; give one of them another name")
    used = {"primary": [settings.primary] if settings.primary else [], "fast": list(settings.fast)}
    used["quotes"] = [name for name in settings.quotes.values() if name != PAR]
    for key, wanted in used.items():
        for name in wanted:
            if name not in names:
                raise SettingsError(f"{path}: {key} names {name!r}, but the sources are {', '.join(names)}")


def _expand(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _expand(inner, path) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, path) for inner in value]
    if not isinstance(value, str):
        return value

    def environment(match: re.Match[str]) -> str:
        found = os.environ.get(match.group(1))
        if found is None:
            raise SettingsError(f"{path}: the environment variable {match.group(1)} is not set")
        return found

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", environment, value)


def _readable(error: str) -> str:
    """Turn `Expected int - at $.sources[0].x` into `sources[0].x: expected int`."""
    fault, _, place = error.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    return f"{place}: {fault[0].lower()}{fault[1:]}" if place else fault
