"""Scripted events: flash crashes, lasting falls, depegs, an oracle that lags or goes silent, keepers that sleep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from zlp.oracle.price_path import Candle, PricePath, PriceStep, PriceTick

PERCENT = 10_000
"""Depths are applied in steps of a hundredth of a percent."""


class PriceShock(msgspec.Struct, frozen=True, kw_only=True, tag="price", forbid_unknown_fields=True):
    """The price of ``assets`` (empty: all that are not near a dollar) falls by ``depth`` and comes back.

    It falls over ``fall`` seconds from ``after`` seconds into the path, stays for ``stay``, and recovers the share
    ``recovery`` of the fall over ``rise`` seconds. A negative depth is a jump up.
    """

    after: int
    depth: float
    assets: tuple[str, ...] = ()
    fall: int = 600
    stay: int = 0
    rise: int = 3_600
    recovery: float = 1.0

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for a fall to nothing, or a time before the path or backwards."""
        if self.depth >= 1.0:
            raise ValueError(f"a depth is a share below 1, not {self.depth}")
        if min(self.after, self.fall, self.stay, self.rise) < 0:
            raise ValueError("the seconds of a shock are not negative")

    def factor(self, elapsed: int) -> int:
        """What is left of the price, at ``PERCENT``, ``elapsed`` seconds into the path."""
        since = elapsed - self.after
        if since < 0:
            return PERCENT
        fallen = min(1.0, since / self.fall) if self.fall else 1.0
        risen = since - self.fall - self.stay
        back = 0.0 if risen <= 0 else self.recovery * (min(1.0, risen / self.rise) if self.rise else 1.0)
        return PERCENT - int(self.depth * PERCENT * fallen * (1.0 - back))


class OracleOutage(msgspec.Struct, frozen=True, kw_only=True, tag="outage", forbid_unknown_fields=True):
    """Nobody posts prices for ``seconds``, from ``after`` seconds into the path; the world goes on."""

    after: int
    seconds: int


class OracleLag(msgspec.Struct, frozen=True, kw_only=True, tag="lag", forbid_unknown_fields=True):
    """For ``seconds`` the venue hears prices that are ``delay`` seconds old; agents see the true ones."""

    after: int
    seconds: int
    delay: int


class KeeperOutage(msgspec.Struct, frozen=True, kw_only=True, tag="keepers", forbid_unknown_fields=True):
    """For ``seconds``, from ``after`` seconds into the path, prices come and no keeper acts on them."""

    after: int
    seconds: int


Shock = PriceShock | OracleOutage | OracleLag | KeeperOutage


class Moment(msgspec.Struct, frozen=True):
    """One tick of the world: the true prices, what the oracle says (``None``: nothing), and if keepers are awake."""

    truth: PriceTick
    heard: PriceTick | None
    attended: bool = True


def shaken(path: PricePath, shocks: Sequence[Shock]) -> PricePath:
    """The path with its price shocks applied, exactly, candle by candle (at the time a candle ends).

    Raises ``ValueError`` for a shock of an asset that the path does not hold.
    """
    falls = [shock for shock in shocks if isinstance(shock, PriceShock)]
    if not falls:
        return path
    unknown = {asset for shock in falls for asset in shock.assets} - set(path.assets)
    if unknown:
        raise ValueError(f"a shock names {', '.join(sorted(unknown))}; the prices are of {', '.join(path.assets)}")
    start = path.steps[0].time
    steps = []
    for step in path.steps:
        candles = dict(step.candles)
        for shock in falls:
            factor = shock.factor(step.time + path.step_seconds - start)
            for asset, candle in candles.items():
                if factor != PERCENT and _is_meant(shock, asset):
                    candles[asset] = _scaled(candle, factor)
        steps.append(PriceStep(step.time, candles))
    return PricePath(assets=path.assets, step_seconds=path.step_seconds, steps=tuple(steps))


def _is_meant(shock: PriceShock, asset: str) -> bool:
    return asset in shock.assets if shock.assets else not any(name in asset for name in ("USD", "DAI"))


def _scaled(candle: Candle, factor: int) -> Candle:
    return Candle(
        *(max(1, price * factor // PERCENT) for price in (candle.open, candle.high, candle.low, candle.close))
    )


def moments(path: PricePath, shocks: Sequence[Shock], per_candle: int) -> Iterator[Moment]:
    """The ticks of a shaken path with what the oracle says at each."""
    outages = [shock for shock in shocks if isinstance(shock, OracleOutage)]
    lags = [shock for shock in shocks if isinstance(shock, OracleLag)]
    sleeps = [shock for shock in shocks if isinstance(shock, KeeperOutage)]
    start = path.steps[0].time
    past: list[PriceTick] = []
    for tick in shaken(path, shocks).ticks(per_candle):
        elapsed = tick.time - start
        heard: PriceTick | None = tick
        if lags:
            past.append(tick)
            delay = max((lag.delay for lag in lags if lag.after <= elapsed < lag.after + lag.seconds), default=0)
            heard = _as_of(past, tick.time - delay) if delay else tick
        if any(outage.after <= elapsed < outage.after + outage.seconds for outage in outages):
            heard = None
        yield Moment(tick, heard, not any(sleep.after <= elapsed < sleep.after + sleep.seconds for sleep in sleeps))


def _as_of(past: Sequence[PriceTick], time: int) -> PriceTick:
    """The newest tick that is not after ``time``, else the oldest."""
    for tick in reversed(past):
        if tick.time <= time:
            return tick
    return past[0]
