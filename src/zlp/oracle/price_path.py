"""Candles of several assets over time, as exact integers: what a price file holds and a generator makes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec


class Candle(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Open, high, low and close of one asset in one step, integers at 1e30 USD per whole token."""

    open: int
    high: int
    low: int
    close: int

    def ticks(self) -> tuple[int, int, int, int]:
        """The four prices in the order they are replayed: towards the far end first, then to the close.

        A rising candle visits its low before its high, a falling one its high before its low. It is the usual
        reading of a candle, and the cautious one for liquidations against the candle's own direction.
        """
        if self.close >= self.open:
            return self.open, self.low, self.high, self.close
        return self.open, self.high, self.low, self.close


class PriceStep(msgspec.Struct, frozen=True):
    """The candles that begin at `time` (unix seconds), by asset. An asset without data is absent."""

    time: int
    candles: dict[str, Candle]


class PriceTick(msgspec.Struct, frozen=True):
    """Prices that become known at `time` (unix seconds), by asset, at 1e30."""

    time: int
    prices: dict[str, int]


class PricePath(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in ascending order of time. `step_seconds` is how long one candle lasts."""

    assets: tuple[str, ...]
    step_seconds: int
    steps: tuple[PriceStep, ...]

    def window(self, start: int, end: int) -> "PricePath":
        """The steps with start <= time < end."""
        inside = tuple(step for step in self.steps if start <= step.time < end)
        return PricePath(assets=self.assets, step_seconds=self.step_seconds, steps=inside)

    def only(self, assets: Sequence[str]) -> "PricePath":
        """The same path for some of its assets; steps that hold none of them are left out."""
        missing = [asset for asset in assets if asset not in self.assets]
        if missing:
            raise KeyError(f"no prices of {', '.join(missing)}; there are {', '.join(self.assets)}")
        kept = []
        for step in self.steps:
            candles = {asset: step.candles[asset] for asset in assets if asset in step.candles}
            if candles:
                kept.append(PriceStep(step.time, candles))
        return PricePath(assets=tuple(assets), step_seconds=self.step_seconds, steps=tuple(kept))

    def ticks(self, per_candle: int = 1) -> Iterator[PriceTick]:
        """Yield the prices in the order a venue would have learnt them.

        With 1 tick a candle the close is known when the candle ends (`time + step_seconds`): nothing is known
        early. With 4, open, the two extremes and close come at the ends of the candle's quarters.
        """
        if per_candle not in (1, 4):
            raise ValueError(f"per_candle is 1 or 4, not {per_candle}")
        for step in self.steps:
            if per_candle == 1:
                closes = {asset: candle.close for asset, candle in step.candles.items()}
                yield PriceTick(step.time + self.step_seconds, closes)
                continue
            visited = {asset: candle.ticks() for asset, candle in step.candles.items()}
            for quarter in range(4):
                time = step.time + (self.step_seconds * (quarter + 1)) // 4
                yield PriceTick(time, {asset: prices[quarter] for asset, prices in visited.items()})


def assemble(candles: Mapping[tuple[int, str], Candle], step_seconds: int | None = None) -> PricePath:
    """Order candles, keyed by time and asset, into a path.

    Without `step_seconds` the most common distance between times is the step; one moment alone has none and
    raises `ValueError`.
    """
    by_time: dict[int, dict[str, Candle]] = {}
    for time, asset in sorted(candles):
        by_time.setdefault(time, {})[asset] = candles[time, asset]
    if step_seconds is None:
        gaps = Counter(later - earlier for earlier, later in pairwise(by_time))
        if not gaps:
            raise ValueError("one moment is not a path: at least two times are needed")
        step_seconds = gaps.most_common(1)[0][0]
    return PricePath(
        assets=tuple(sorted({asset for _, asset in candles})),
        step_seconds=step_seconds,
        steps=tuple(PriceStep(time, found) for time, found in by_time.items()),
    )
