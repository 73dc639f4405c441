"""Prices as the engine knows them: settings per asset, rounds of the primary feed, the fast price."""

from __future__ import annotations

from zlp.engine.fixed import RATE, UNITS, USD, mul_div_down
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.price_guard import FastPriceGuard, Spread

ROUNDS_KEPT = 16
USD_DECIMALS = 30
YEAR = 31_536_000


class PriceSettings(Settings, frozen=True):
    """How an asset is priced.

    ``answer_decimals``: scale of the primary feed's answers. ``sample_rounds``: how many of its newest
    rounds make the min and max (counted, not timed). ``max_age``: seconds after which the price stops new
    risk; ``max_age_reducing``: after which it stops closing too; 0 is never. ``min_answer``/``max_answer``:
    band a round must lie in, at ``answer_decimals``; 0 is none. ``max_delta_difference``: how much further
    than the primary the fast price may travel inside one window, at 1e7. ``inverted``: the feed answers in
    units per USD (USD/JPY for JPY).
    """

    asset: str
    answer_decimals: int = 8
    sample_rounds: int = 1
    spread: Spread = Spread()
    max_age: int = 0
    max_age_reducing: int = 0
    min_answer: int = 0
    max_answer: int = 0
    max_delta_difference: int = 10**6
    inverted: bool = False

    @property
    def key(self) -> Key:
        """By asset."""
        return (self.asset,)

    def invalid(self) -> str | None:
        """Bounds of the reference, and what this engine keeps."""
        if not 1 <= self.sample_rounds <= ROUNDS_KEPT:
            return f"sample_rounds must be from 1 to {ROUNDS_KEPT}"
        if not 0 <= self.answer_decimals < len(UNITS):
            return "answer_decimals must be from 0 to 36"
        return self.spread.invalid()


class FastFeedSettings(Settings, frozen=True):
    """The fast feed's guard; without this record only the primary feed counts."""

    guard: FastPriceGuard

    @property
    def key(self) -> Key:
        """There is one."""
        return ()

    def invalid(self) -> str | None:
        """As the guard says."""
        return self.guard.invalid()


class ComposedPrice(Settings, frozen=True):
    """An asset priced by two feeds: its ``ratio`` to ``base``, times the price of ``base`` (wstETH/ETH x ETH).

    A staking token's ratio only creeps up, so a jump is a fault of its feed: the ratio counts at most as
    ``anchor_ratio`` (1e30) grown by ``max_growth`` a year (1e18, linear) since ``anchored_at``. An
    ``anchor_ratio`` of 0 does not cap. Both feeds have price settings of their own.
    """

    asset: str
    ratio: str
    base: str
    anchor_ratio: int = 0
    anchored_at: int = 0
    max_growth: int = 0

    @property
    def key(self) -> Key:
        """By asset."""
        return (self.asset,)

    def invalid(self) -> str | None:
        """Composed of two other assets."""
        return "asset, ratio and base must be different" if len({self.asset, self.ratio, self.base}) != 3 else None

    def compose(self, ratio: int, base: int, now: int) -> int:
        """The price at second ``now``, rounded down."""
        if self.anchor_ratio:
            grown = mul_div_down(self.max_growth, max(0, now - self.anchored_at), YEAR)
            ratio = min(ratio, mul_div_down(self.anchor_ratio, RATE + grown, RATE))
        return mul_div_down(ratio, base, USD)


class PriceFeed(Leaf, frozen=True):
    """What has been posted for one asset.

    ``rounds``: newest primary answers, newest last, raw. ``fast``: last fast price at 1e30, 0 for none,
    observed at second ``fast_at``.
    ``reference*``, ``moved*``: the watch of cumulative movement (reference 13.3). ``posted_at`` and
    ``posted_in``: second and sequence of the last post.
    """

    asset: str
    rounds: tuple[int, ...] = ()
    round_at: int = 0
    fast: int = 0
    fast_at: int = 0
    reference: int = 0
    reference_at: int = 0
    reference_moved: int = 0
    fast_moved: int = 0
    posted_at: int = 0
    posted_in: int = 0

    @property
    def key(self) -> Key:
        """By asset."""
        return (self.asset,)


class FastFeed(Leaf, frozen=True):
    """State all fast prices share: when they were posted, who disputes them."""

    updated_at: int = 0
    posted_at: int = 0
    spread_forced: bool = False
    votes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """There is one."""
        return ()


def sampled(settings: PriceSettings, rounds: tuple[int, ...]) -> tuple[int, int]:
    """Minimum and maximum of the newest rounds, scaled to 1e30 and rounded down (reference 2.1)."""
    newest = rounds[-settings.sample_rounds :]
    low, high = min(newest), max(newest)
    if settings.answer_decimals <= USD_DECIMALS:
        scale = UNITS[USD_DECIMALS - settings.answer_decimals]
        low, high = low * scale, high * scale
    else:
        unit = UNITS[settings.answer_decimals]
        low, high = mul_div_down(low, USD, unit), mul_div_down(high, USD, unit)
    if settings.inverted:
        return mul_div_down(USD, USD, high), mul_div_down(USD, USD, low)
    return low, high
