"""Traders who follow a script of intentions: the same on every design, so that designs can be compared."""

from __future__ import annotations

import msgspec

from zlp.engine.fixed import USD
from zlp.simulator.agents.base import DAY, HOUR, Behaviour
from zlp.simulator.agents.noise import HOLDING_HOURS, LEVERAGE
from zlp.simulator.hand import Hand
from zlp.simulator.stream import Stream

BOTTOMLESS = 10**12 * USD
"""More than any run of intentions can spend."""


class Intention(msgspec.Struct, frozen=True):
    """At ``time``: put ``margin`` whole USD behind a position of ``leverage`` and hold it for ``hold`` seconds."""

    time: int
    asset: str
    is_long: bool
    margin: int
    leverage: float
    hold: int


class TapeTrader(Behaviour, frozen=True, kw_only=True):
    """Draws all his intentions from his own stream, which no venue can influence, and carries out what he can.

    ``assets``: what he trades, where a market of it exists. A trade every ``interval`` seconds on average, with
    fresh money each time: ``margin`` is between these two amounts of USD, whatever became of earlier trades.
    """

    name: str = "tape"
    assets: tuple[str, ...] = ("BTC", "ETH")
    interval: int = 12 * HOUR
    leverage: tuple[float, ...] = LEVERAGE
    holding_hours: tuple[float, ...] = HOLDING_HOURS
    long_bias: float = 0.55
    margin: tuple[float, float] = (200.0, 12_000.0)

    def budget(self, _stream: Stream) -> int:
        """Never what limits him."""
        return BOTTOMLESS

    def act(self, hand: Hand) -> int:
        """Carry out what is due, and look ahead to the next intention."""
        self._close_due(hand)
        following: Intention = hand.notes.get("next") or self.draw(hand.stream, hand.now)
        while following.time <= hand.now:
            self._open(hand, following)
            following = self.draw(hand.stream, following.time)
        hand.notes["next"] = following
        return 1 if hand.positions or hand.is_waiting else following.time - hand.now

    def draw(self, stream: Stream, after: int) -> Intention:
        """The next intention after a moment."""
        return Intention(
            time=after + 1 + int(stream.wait(self.interval)),
            asset=stream.pick(self.assets),
            is_long=stream.chance(self.long_bias),
            margin=int(stream.between(*self.margin)),
            leverage=stream.quantile(self.leverage),
            hold=int(stream.quantile(self.holding_hours) * HOUR),
        )

    def _open(self, hand: Hand, wanted: Intention) -> None:
        market = next((market for market in self.tradable(hand) if wanted.asset in market.market), None)
        if market is not None:
            hand.open(market, is_long=wanted.is_long, margin=wanted.margin * USD, leverage=wanted.leverage)
            hand.notes.setdefault("holds", {})[market.market] = wanted.hold

    def _close_due(self, hand: Hand) -> None:
        """A position that was closed and opened again is another one, though it has the same name."""
        exits: dict[tuple[str, int], int] = hand.notes.setdefault("exits", {})
        holds: dict[str, int] = hand.notes.setdefault("holds", {})
        held = {(position.position, position.opened_at): position for position in hand.positions.values()}
        for key, position in held.items():
            until = exits.setdefault(key, position.opened_at + holds.get(position.market, DAY))
            if hand.now >= until and not position.closing:
                hand.close(position)
        for gone in [key for key in exits if key not in held]:
            del exits[gone]
