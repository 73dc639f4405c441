"""Facts about prices."""

from __future__ import annotations

from zlp.engine.events.base import Event


class RoundPosted(Event, frozen=True):
    """A primary round; ``low`` and ``high`` are the sampled bounds at 1e30 after it."""

    asset: str
    answer: int
    low: int
    high: int


class FastPricePosted(Event, frozen=True):
    """A fast price at 1e30. ``runaway``: it moved too much further than the primary inside one window."""

    asset: str
    price: int
    timestamp: int
    runaway: bool


class PricesDisputed(Event, frozen=True):
    """A signer flagged the fast prices, or withdrew the flag; ``votes`` stand now."""

    signer: str
    dispute: bool
    votes: int


class SpreadForced(Event, frozen=True):
    """Both prices are used, or no longer."""

    forced: bool
