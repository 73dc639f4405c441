"""One fast price from several sources: convert to USD, drop what can't be trusted, then median or by depth.

Integers only. Every source that is not used is named with the reason; too few left means no price.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from zlp.oracle.decimal_text import PRICE_SCALE
from zlp.oracle.observation import Observation

BPS = 10_000


class BlendSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a blend is made.

    `age_max_seconds` bounds how old an observation may be by our clock, `skew_max_seconds` how far a source's
    clock may be ahead of it. `outlier_bps` is the largest distance from the median that is still used; it is
    inclusive. With `depth` each price counts by the value offered at its best bid and ask.
    """

    method: Literal["median", "depth"] = "median"
    sources_min: int = 2
    age_max_seconds: int = 10
    skew_max_seconds: int = 3
    outlier_bps: int = 100

    def __post_init__(self) -> None:
        if self.sources_min < 1 or self.age_max_seconds < 1 or self.outlier_bps < 1 or self.skew_max_seconds < 0:
            raise ValueError("sources_min, age_max_seconds and outlier_bps are at least 1, skew_max_seconds at least 0")


class Blend(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: a USD price at 1e30, or None with the `reason`.

    `observed_at` is the oldest time among the sources used: the blend is no fresher than its oldest part.
    """

    asset: str
    price_e30: int | None
    observed_at: int
    used: tuple[str, ...]
    dropped: dict[str, str]
    reason: str = ""


def to_usd(observation: Observation, usd_rates: Mapping[str, int]) -> Observation | None:
    """The observation in USD, rounded down, by the rate (1e30) of its quote asset; None without a rate."""
    if observation.quote == "USD":
        return observation
    rate = usd_rates.get(observation.quote)
    if rate is None:
        return None

    def converted(amount: int | None) -> int | None:
        return None if amount is None else amount * rate // PRICE_SCALE

    return replace(
        observation,
        quote="USD",
        price_e30=observation.price_e30 * rate // PRICE_SCALE,
        bid_e30=converted(observation.bid_e30),
        ask_e30=converted(observation.ask_e30),
        depth_e30=converted(observation.depth_e30),
    )


def blend(
    asset: str,
    observations: Sequence[Observation],
    settings: BlendSettings,
    now: int,
    usd_rates: Mapping[str, int] | None = None,
) -> Blend:
    """Blend the newest observation of each source for one asset at second `now`."""
    dropped: dict[str, str] = {}
    fresh: list[Observation] = []
    for observation in observations:
        in_usd = to_usd(observation, usd_rates or {})
        fault = _fault(observation, settings, now)
        if in_usd is None or not in_usd.price_e30:
            dropped[observation.source] = f"there is no price of {observation.quote}"
        elif fault:
            dropped[observation.source] = fault
        else:
            fresh.append(in_usd)
    if len(fresh) < settings.sources_min:
        return _none(asset, dropped, f"{len(fresh)} of {settings.sources_min} needed sources are fresh")
    middle = median([one.price_e30 for one in fresh])
    kept = [one for one in fresh if abs(one.price_e30 - middle) * BPS <= settings.outlier_bps * middle]
    for one in fresh:
        if one not in kept:
            dropped[one.source] = f"further than {settings.outlier_bps} bps from the median"
    if len(kept) < settings.sources_min:
        return _none(asset, dropped, f"the sources disagree: {len(kept)} of {settings.sources_min} agree")
    return Blend(
        asset=asset,
        price_e30=_price(kept, settings),
        observed_at=min(one.observed_at for one in kept),
        used=tuple(one.source for one in kept),
        dropped=dropped,
    )


def median(prices: Sequence[int]) -> int:
    """The middle price; of an even number the mean of the two in the middle, rounded down."""
    ordered = sorted(prices)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def _fault(one: Observation, settings: BlendSettings, now: int) -> str:
    if now - one.observed_at > settings.age_max_seconds:
        return f"{now - one.observed_at} s old"
    if one.observed_at - now > settings.skew_max_seconds:
        return f"its clock is {one.observed_at - now} s ahead"
    if settings.method == "depth" and not one.depth_e30:
        return "it gives no depth"
    return ""


def _price(kept: Sequence[Observation], settings: BlendSettings) -> int:
    if settings.method == "median":
        return median([one.price_e30 for one in kept])
    weights = [one.depth_e30 or 0 for one in kept]
    return sum(one.price_e30 * weight for one, weight in zip(kept, weights, strict=True)) // sum(weights)


def _none(asset: str, dropped: dict[str, str], reason: str) -> Blend:
    return Blend(asset=asset, price_e30=None, observed_at=0, used=(), dropped=dropped, reason=reason)
