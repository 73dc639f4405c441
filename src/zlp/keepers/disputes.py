"""The price signer's bot: flags posted fast prices that its own feeds contradict, and withdraws its flag.

It must not share its feeds with the price keeper it watches.
"""

from __future__ import annotations

import msgspec

from zlp.engine.commands.prices import DisputePrices
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.prices import FastFeed, FastFeedSettings, PriceFeed
from zlp.keepers.port import Port
from zlp.keepers.prices import PriceSource


class DisputeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to flag and when to withdraw.

    ``flag_bps``: distance of a posted price from our own that is flagged (more than). ``calm_bps``: distance
    that every price must keep (at most) for ``calm_seconds`` before the flag is withdrawn.
    """

    flag_bps: int = 150
    calm_bps: int = 50
    calm_seconds: int = 120


class DisputeKeeper:
    """Watches for one price signer. Without prices of its own it does nothing: it keeps its flag, or none."""

    name = "disputes"

    def __init__(self, port: Port, source: PriceSource, signer: str, rule: DisputeRule | None = None) -> None:
        self._port = port
        self._source = source
        self._signer = signer
        self._rule = rule or DisputeRule()
        self._calm_since: int | None = None

    def work(self) -> int:
        """Compare every live fast price with our own; flag, withdraw, or leave it."""
        now = self._port.now()
        distance = self._distance(now)
        if distance is None:
            self._calm_since = None
            return 0
        flagged = self._signer in (self._port.reader.get(FastFeed, ()) or FastFeed()).votes
        if distance > self._rule.calm_bps:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        if not flagged and distance > self._rule.flag_bps:
            return int(self._port.submit(DisputePrices(dispute=True)).accepted)
        calm = self._calm_since is not None and now - self._calm_since >= self._rule.calm_seconds
        return int(self._port.submit(DisputePrices(dispute=False)).accepted) if flagged and calm else 0

    def _distance(self, now: int) -> int | None:
        """Largest distance in bps (rounded down) among the posted prices in use that we can judge."""
        settings = self._port.reader.get(FastFeedSettings, ())
        quote = self._source.fast(now)
        if settings is None or quote is None:
            return None
        distances = [
            mul_div_down(abs(feed.fast - price), BPS, price)
            for asset, price in quote.prices.items()
            if (feed := self._port.reader.get(PriceFeed, (asset,))) is not None
            and feed.fast
            and now - feed.fast_at <= settings.guard.price_duration
        ]
        return max(distances, default=None)
