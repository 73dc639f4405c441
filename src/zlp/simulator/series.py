"""What a run looked like over time: share price, value, utilisation, open interest; and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from zlp.desks import MarketView, PoolView


class Series(msgspec.Struct):
    """One sample a tick. ``index``: what 1 USD of shares grew to, over all pools by value; USD as floats.

    ``utilisation``: 0 to 1, by value. ``margin``: what is left of the pools' assets after all they owe, 0 to 1.
    ``drawdown``: fall from the highest index so far, 0 to 1.
    """

    times: list[int] = []
    index: list[float] = []
    value: list[float] = []
    utilisation: list[float] = []
    margin: list[float] = []
    long_size: list[float] = []
    short_size: list[float] = []
    drawdown: list[float] = []
    peak: float = 0.0

    def add(
        self, time: int, pools: Sequence[PoolView], last: Sequence[PoolView], markets: Sequence[MarketView]
    ) -> None:
        """A sample; ``last`` are the pools of the sample before."""
        value = used = assets = 0
        for pool in pools:
            value += pool.value_usd
            used += pool.utilisation_bps * pool.value_usd
            for asset in pool.assets:
                assets += asset.value_usd
        index = (self.index[-1] if self.index else 1.0) * _growth(pools, last)
        self.peak = max(self.peak, index)
        self.times.append(time)
        self.index.append(index)
        self.value.append(value / 10**30)
        self.utilisation.append(used / (value * 10_000) if value else 0.0)
        self.margin.append(value / assets if assets else 1.0)
        self.long_size.append(sum(market.long_size for market in markets) / 10**30)
        self.short_size.append(sum(market.short_size for market in markets) / 10**30)
        self.drawdown.append(1.0 - index / self.peak if self.peak else 0.0)

    @property
    def total_return(self) -> float:
        """Growth of the index over the run."""
        return self.index[-1] / self.index[0] - 1.0 if self.index else 0.0

    @property
    def worst_drawdown(self) -> float:
        """The largest fall from a peak."""
        return max(self.drawdown, default=0.0)

    @property
    def mean_skew(self) -> float:
        """Average of the long share less the short share of all open interest, signed."""
        pairs = [(long, short) for long, short in zip(self.long_size, self.short_size, strict=True) if long + short]
        return sum((long - short) / (long + short) for long, short in pairs) / len(pairs) if pairs else 0.0

    @property
    def mean_utilisation(self) -> float:
        """Average over the samples."""
        return sum(self.utilisation) / len(self.utilisation) if self.utilisation else 0.0


def _growth(pools: Sequence[PoolView], last: Sequence[PoolView]) -> float:
    """Growth of shares since the last sample, pools weighted by their value then; a new pool starts at 1."""
    before = {pool.pool: pool for pool in last}
    grown = weight = 0
    for pool in pools:
        old = before.get(pool.pool)
        if old is not None and old.share_price:
            grown += pool.share_price * old.value_usd // old.share_price
            weight += old.value_usd
    return grown / weight if weight else 1.0
