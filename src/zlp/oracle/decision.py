"""What a venue would use for an asset right now, and why: the engine's own guard on what the sources say.

The venue decides when a command is applied, by prices that were posted. This is the same rule applied to the
prices as they are seen here, for people who watch the feeds.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.mechanisms.price_guard import FastPriceGuard, Spread
from zlp.oracle.blending import Blend


class PriceState(StrEnum):
    """Which price the venue uses. The table of docs/oracle.md says what leads to each."""

    FAST = "fast"
    BOTH = "both"
    PRIMARY_INACTIVE = "primary_inactive"
    PRIMARY_CHAIN_ERROR = "primary_chain_error"
    NONE = "none"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The pair of prices (1e30), the state, and the reason in words; `deviation_bps` of fast from primary."""

    state: PriceState
    low_e30: int
    high_e30: int
    why: str
    deviation_bps: int | None = None


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The venue's rule, as its profile states it: how many rounds are sampled, the guard, the asset's spread."""

    sample_rounds: int = 1
    guard: FastPriceGuard = FastPriceGuard(
        price_duration=300,
        max_update_delay=3_600,
        max_time_deviation=60,
        max_deviation_bps=250,
        spread_inactive_bps=20,
        spread_chain_error_bps=500,
        data_interval=60,
        votes_to_dispute=1,
    )
    spread: Spread = Spread()


def decide(rounds: Sequence[int], last_fast: Blend | None, settings: GuardSettings, now: int) -> Decision:
    """Apply the guard to the newest primary rounds (1e30, newest last) and the last blend that had a price.

    A venue keeps using a fast price until it is too old, also while the sources behind it are gone.
    """
    if not rounds:
        return Decision(state=PriceState.NONE, low_e30=0, high_e30=0, why="there is no primary round")
    guard, newest = settings.guard, rounds[-settings.sample_rounds :]
    low, high = min(newest), max(newest)
    fast, posted_at = (0, 0) if last_fast is None else (last_fast.price_e30 or 0, last_fast.observed_at)
    deviation = max(mul_div_down(abs(primary - fast), BPS, primary) for primary in (low, high)) if fast else None
    state, why = _state(guard, now - posted_at, deviation)
    return Decision(
        state=state,
        low_e30=settings.spread.price(guard.price(low, fast, now - posted_at, True, False), False),
        high_e30=settings.spread.price(guard.price(high, fast, now - posted_at, True, True), True),
        why=why,
        deviation_bps=deviation,
    )


def _state(guard: FastPriceGuard, age: int, deviation: int | None) -> tuple[PriceState, str]:
    if deviation is None or age > guard.max_update_delay:
        since = "there was no fast price" if deviation is None else f"the fast price is {age} s old"
        return PriceState.PRIMARY_CHAIN_ERROR, f"{since}: primary with {guard.spread_chain_error_bps} bps"
    if age > guard.price_duration:
        why = f"the fast price is {age} s old: primary with {guard.spread_inactive_bps} bps"
        return PriceState.PRIMARY_INACTIVE, why
    if deviation <= guard.max_deviation_bps:
        return PriceState.FAST, f"the fast price, {deviation} bps from the primary"
    spread = guard.dispute_spread_bps
    return PriceState.BOTH, f"fast and primary are {deviation} bps apart: the worse of both, with {spread} bps"
