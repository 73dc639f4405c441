"""Metrics: a name, a unit, a function of a run's result, how it is summed up. Users add their own.

``register`` a metric from a module that a scenario names under ``plugins``; it then appears in every table, file
and plot, on every worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from zlp.engine.fixed import USD
from zlp.simulator.backtest import Result

Unit = Literal["share", "usd", "bps", "count"]
TRADING_FEES = ("trading", "borrow", "funding", "liquidation", "price_impact", "settlement", "execution")


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a run. ``better``: which way is better for LPs, for reading and for tornado colours.

    ``headline``: belongs into the first table. ``summary`` turns the numbers of many paths into (low, middle,
    high); by default their 5 %, 50 % and 95 % quantiles. ``plot``: how a report draws it over paths; a function
    makes a plotly figure of the numbers of each group, by its label.
    """

    name: str
    title: str
    unit: Unit
    function: Callable[[Result], float]
    better: Literal["higher", "lower", "neither"] = "neither"
    headline: bool = True
    summary: Callable[[Sequence[float]], tuple[float, float, float]] | None = None
    plot: Literal["histogram", "none"] | Callable[[dict[str, list[float]]], Any] = "none"

    def summarise(self, values: Sequence[float]) -> tuple[float, float, float]:
        """(low, middle, high) of the values of many paths."""
        if self.summary is not None:
            return self.summary(values)
        return quantile(values, 0.05), quantile(values, 0.5), quantile(values, 0.95)

    def shown(self, value: float) -> str:
        """A value as text with its unit."""
        if self.unit == "share":
            return f"{value:+.2%}" if self.name in SIGNED else f"{value:.2%}"
        if self.unit == "bps":
            return f"{value:.1f} bps"
        return f"{value:,.0f}"


SIGNED = ("lp_return", "leaving_return", "excess_return", "holding_return", "skew")


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest order statistics; 0 for no values."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _fees_to_lps(result: Result) -> float:
    average = sum(result.series.value) / len(result.series.value) or 1.0
    kept = sum(amount for name, amount in result.split.items() if name.startswith("fees kept"))
    return kept / USD / average


def _trader_cost(result: Result) -> float:
    """Everything charged for trading, over what was traded, in basis points."""
    kept = sum(result.split.get(f"fees kept: {kind}", 0) for kind in TRADING_FEES)
    elsewhere = sum(result.fees_elsewhere.get(kind, 0) for kind in TRADING_FEES)
    return (kept + elsewhere) * 10_000 / result.volume if result.volume else 0.0


def _leaving(result: Result) -> float:
    return result.series.total_return if result.leaving_return is None else result.leaving_return


def _holding_excess(result: Result) -> float:
    return (1.0 + _leaving(result)) / (1.0 + result.holding_return) - 1.0


REGISTRY: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Add a metric under its name; ``ValueError`` if the name is taken by another."""
    if REGISTRY.get(metric.name, metric) is not metric:
        raise ValueError(f"there is a metric called {metric.name!r} already")
    REGISTRY[metric.name] = metric
    return metric


for _metric in (
    Metric(
        name="lp_return",
        title="LP return",
        unit="share",
        function=lambda r: r.series.total_return,
        better="higher",
        plot="histogram",
    ),
    Metric(
        name="leaving_return",
        title="LP return of those who leave at the end",
        unit="share",
        function=_leaving,
        better="higher",
    ),
    Metric(
        name="excess_return",
        title="LP return over holding the same assets",
        unit="share",
        function=_holding_excess,
        better="higher",
        plot="histogram",
    ),
    Metric(
        name="drawdown",
        title="worst drawdown of a share",
        unit="share",
        function=lambda r: r.series.worst_drawdown,
        better="lower",
        plot="histogram",
    ),
    Metric(
        name="fees_to_lps", title="fees kept by LPs, of the pool", unit="share", function=_fees_to_lps, better="higher"
    ),
    Metric(
        name="fees_elsewhere",
        title="fees to treasury, keepers and others",
        unit="usd",
        function=lambda r: sum(r.fees_elsewhere.values()) / USD,
    ),
    Metric(
        name="traders",
        title="traders' result after fees",
        unit="usd",
        function=lambda r: sum(r.net_by_behaviour.values()) / USD,
    ),
    Metric(name="trader_cost", title="trader cost, of volume", unit="bps", function=_trader_cost),
    Metric(name="volume", title="volume", unit="usd", function=lambda r: r.volume / USD),
    Metric(name="utilisation", title="mean utilisation", unit="share", function=lambda r: r.series.mean_utilisation),
    Metric(
        name="utilisation_most",
        title="highest utilisation",
        unit="share",
        function=lambda r: max(r.series.utilisation, default=0.0),
        better="lower",
    ),
    Metric(name="skew", title="mean skew", unit="share", function=lambda r: r.series.mean_skew),
    Metric(name="liquidations", title="liquidations", unit="count", function=lambda r: float(r.liquidations)),
    Metric(name="deleverages", title="deleverages", unit="count", function=lambda r: float(r.deleverages)),
    Metric(
        name="bad_debt",
        title="bad debt",
        unit="usd",
        function=lambda r: r.bad_debt / USD,
        better="lower",
        plot="histogram",
    ),
    Metric(
        name="insolvency_margin",
        title="insolvency margin: assets left after all that is owed, at worst",
        unit="share",
        function=lambda r: min(r.series.margin, default=1.0),
        better="higher",
    ),
    Metric(
        name="keeper_profit",
        title="keepers' fees and rewards",
        unit="usd",
        function=lambda r: r.keeper_profit / USD,
        plot="histogram",
    ),
    Metric(
        name="holding_return",
        title="return of holding the same assets",
        unit="share",
        function=lambda r: r.holding_return,
        headline=False,
    ),
):
    register(_metric)
