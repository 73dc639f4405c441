"""Turns a price path into what a venue's two feeds would have said along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from zlp.engine.fixed import BPS, USD, mul_div_down, mul_div_toward_zero
from zlp.engine.leaves.prices import ComposedPrice, FastFeedSettings, PriceSettings
from zlp.engine.state import Reader
from zlp.keepers.prices import FastQuote
from zlp.oracle.price_path import PricePath

STABLES = ("USD", "DAI")
"""What the name of an asset worth one dollar contains."""

TYPICAL = {"BTC": 60_000, "ETH": 2_500, "SOL": 120, "METIS": 30, "SUI": 2}
TYPICAL_OTHER = 10
"""USD at which an asset starts that the path does not know."""


class FeedRule(msgspec.Struct, frozen=True, kw_only=True):
    """When the primary feed answers: at a move of ``deviation_bps`` (feeds of majors: 5 to 50), or with age.

    With age is when half the asset's maximum age has passed; without one, every ``heartbeat`` seconds. A larger
    move between two ticks gives several rounds, evenly spaced, of which the newest ``most_rounds`` are posted.
    """

    deviation_bps: int = 10
    heartbeat: int = 3_600
    most_rounds: int = 4


class Assumption(msgspec.Struct, frozen=True):
    """An asset the venue prices but the path does not hold: it follows ``base`` (empty: the dollar) at a ratio.

    ``ratio`` is at 1e30.
    """

    asset: str
    base: str
    ratio: int

    def __str__(self) -> str:
        """In words, for reports."""
        amount = f"{self.ratio / USD:.6g}"
        return f"{self.asset} is {amount} {self.base}" if self.base else f"{self.asset} is {amount} USD"


def assume(reader: Reader, path: PricePath, given: Mapping[str, str] | None = None) -> list[Assumption]:
    """How each priced asset that the path lacks is priced instead; ``given`` is like ``{"METIS": "0.01 ETH"}``.

    Without a word from the caller a stable is a dollar and a wrapped token is its base at par; anything else starts
    at a typical price and moves with ETH, or with the path's first asset. A composed price's ratio stays at its anchor.
    Raises ``ValueError`` for a text that is not like that, or a base that has no price.
    """
    stated = {asset: _given(asset, text) for asset, text in (given or {}).items()}
    for rule in stated.values():
        if rule.base and rule.base not in (*path.assets, *stated):
            raise ValueError(f"{rule.asset}: {rule.base} has no prices; there are {', '.join(path.assets)}")
    ratios = {settings.ratio: settings.anchor_ratio for settings in reader.each(ComposedPrice)}
    found = []
    for settings in reader.each(PriceSettings):
        asset = settings.asset
        if asset in stated:
            found.append(stated[asset])
        elif asset in ratios:
            found.append(Assumption(asset, "", ratios[asset]))
        elif asset not in path.assets:
            found.append(_guess(asset, path))
    return found


def _given(asset: str, text: str) -> Assumption:
    number, _, base = text.strip().partition(" ")
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    ratio = int(digits) * USD // 10 ** len(fraction) if digits.isdecimal() else 0
    if ratio <= 0:
        raise ValueError(f"{asset}: {text!r} is not like '1 USD' or '0.01 ETH'")
    return Assumption(asset, "" if base.strip() in ("", "USD") else base.strip(), ratio)


def _guess(asset: str, path: PricePath) -> Assumption:
    inside = [known for known in path.assets if known in asset]
    if inside:
        return Assumption(asset, max(inside, key=len), USD)
    if any(name in asset for name in STABLES):
        return Assumption(asset, "", USD)
    base = "ETH" if "ETH" in path.assets else path.assets[0]
    first = next(step.candles[base].open for step in path.steps if base in step.candles)
    start = TYPICAL.get(asset, TYPICAL_OTHER) * USD
    return Assumption(asset, base, mul_div_down(start, USD, first))


class KnownPrices:
    """The newest prices of a path, with those that follow from its assumptions."""

    def __init__(self, assumptions: Sequence[Assumption]) -> None:
        self._assumptions = tuple(assumptions)
        self._prices: dict[str, int] = {}

    def prices_at(self, prices: Mapping[str, int]) -> dict[str, int]:
        """All prices after these have come; an asset without one keeps its last."""
        known = {**self._prices, **prices}
        for rule in self._assumptions:
            base = USD if not rule.base else known.get(rule.base)
            if base is not None:
                known[rule.asset] = mul_div_down(base, rule.ratio, USD)
        self._prices = known
        return known


class PathFeed:
    """A price source whose present is set tick by tick: ``move_to``, then the price keeper asks."""

    def __init__(self, reader: Reader, assumptions: Sequence[Assumption], rule: FeedRule | None = None) -> None:
        self._rule = rule or FeedRule()
        self._known = KnownPrices(assumptions)
        self._is_fast = reader.get(FastFeedSettings, ()) is not None
        self._assets = tuple(settings.asset for settings in reader.each(PriceSettings))
        self._heartbeats = {
            settings.asset: settings.max_age // 2 or self._rule.heartbeat for settings in reader.each(PriceSettings)
        }
        self._answered: dict[str, tuple[int, int]] = {}
        self._time = 0
        self.prices: dict[str, int] = {}

    def move_to(self, time: int, prices: Mapping[str, int]) -> None:
        """Second ``time`` has come with these prices of the path; an asset without one keeps its last."""
        self._time = time
        self.prices = self._known.prices_at(prices)

    def rounds(self, now: int) -> dict[str, list[int]]:
        """Primary rounds since the last tick; without a fast feed every tick is a round."""
        found: dict[str, list[int]] = {}
        for asset in self._assets:
            price = self.prices.get(asset)
            if price is None:
                continue
            last, at = self._answered.get(asset, (0, 0))
            rounds = self._between(asset, last, price, now - at)
            if rounds:
                found[asset] = rounds
                self._answered[asset] = (price, now)
        return found

    def _between(self, asset: str, last: int, price: int, age: int) -> list[int]:
        if not last or not self._is_fast:
            return [price]
        steps = mul_div_down(abs(price - last), BPS, last) // self._rule.deviation_bps
        if steps == 0:
            return [price] if age >= self._heartbeats[asset] else []
        newest = range(max(1, steps - self._rule.most_rounds + 1), steps + 1)
        return [last + mul_div_toward_zero(price - last, step, steps) for step in newest]

    def fast(self, now: int) -> FastQuote | None:
        """What the exchanges said last, observed when the path moved there (never after ``now``)."""
        prices = {asset: self.prices[asset] for asset in self._assets if asset in self.prices}
        return FastQuote(min(self._time, now), prices) if prices else None
