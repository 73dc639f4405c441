"""Commands that bring prices in. Time and prices enter the engine in no other way."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zlp.engine.commands.base import Command


class Round(msgspec.Struct, frozen=True, gc=False):
    """One answer of the primary feed, at the feed's own decimals."""

    asset: str
    answer: int


class FastPrice(msgspec.Struct, frozen=True, gc=False):
    """One fast price: USD at 1e30 per whole token."""

    asset: str
    price: int


class PostRounds(Command, frozen=True, kw_only=True):
    """Price signer or keeper: new rounds of the primary feed. ``evidence``: digest of the reports behind them."""

    scope: ClassVar[str] = "keep"
    rounds: tuple[Round, ...]
    evidence: str = ""


class PostPrices(Command, frozen=True, kw_only=True):
    """Keeper: new fast prices observed at ``timestamp`` (seconds). An older timestamp than the last is ignored."""

    scope: ClassVar[str] = "keep"
    prices: tuple[FastPrice, ...]
    timestamp: int
    evidence: str = ""


class DisputePrices(Command, frozen=True, kw_only=True):
    """Price signer: flag the fast prices (``dispute``), or withdraw one's flag."""

    scope: ClassVar[str] = "keep"
    dispute: bool


class ForceSpread(Command, frozen=True, kw_only=True):
    """Guardian or governor: use both prices, whichever is worse for the trader, until switched off."""

    scope: ClassVar[str] = "govern"
    forced: bool
