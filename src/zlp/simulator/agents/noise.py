"""Trades for no reason an observer could see: retail flow with realistic leverage and holding times."""

from __future__ import annotations

from zlp.simulator.agents.base import HOUR, Behaviour
from zlp.simulator.hand import Hand

LEVERAGE = (1.1, 2.0, 3.0, 5.0, 7.0, 10.0, 12.0, 16.0, 20.0, 25.0, 28.0)
"""Deciles of the leverage that retail traders choose."""
HOLDING_HOURS = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0, 140.0, 500.0)
"""Deciles of how long they hold, in hours."""


class NoiseTrader(Behaviour, frozen=True, kw_only=True):
    """Opens positions at random times, a position each ``interval`` on average while he has money.

    ``leverage`` and ``holding_hours`` are evenly spaced quantiles (0 % to 100 %) of what he draws from;
    ``long_bias`` is the share of longs, ``stake`` the range of his free money that a position takes. With
    ``react`` above 0 he trades less while carrying a position is dear: the interval grows by this factor for each
    basis point of hourly carry. With ``fee_react`` above 0 he trades less where trading itself is dear: it grows as
    1 + x + x^2 / 2, where x is this factor times the fee of his last trade in basis points (so there is a fee at
    which a venue earns most: where x is the root of 2).
    """

    name: str = "noise"
    interval: int = 12 * HOUR
    leverage: tuple[float, ...] = LEVERAGE
    holding_hours: tuple[float, ...] = HOLDING_HOURS
    long_bias: float = 0.55
    stake: tuple[float, float] = (0.02, 0.3)
    react: float = 0.5
    fee_react: float = 0.0

    def act(self, hand: Hand) -> int:
        """Close what has been held long enough, perhaps open something."""
        exits: dict[str, int] = hand.notes.setdefault("exits", {})
        for position in list(hand.positions.values()):
            until = exits.get(position.position)
            if until is None:
                hours = hand.stream.quantile(self.holding_hours)
                until = exits[position.position] = position.opened_at + int(hours * HOUR)
            if hand.now >= until and not position.closing:
                hand.close(position)
        for gone in [name for name in exits if name not in hand.positions]:
            del exits[gone]
        if "wish" not in hand.notes:
            hand.notes["wish"] = hand.now + int(hand.stream.wait(self.interval))
        wish: int = hand.notes["wish"]
        if hand.now >= wish:
            wish = hand.notes["wish"] = hand.now + int(hand.stream.wait(self.interval) * self._open(hand))
        waits = [until for until in exits.values() if until > hand.now] + [wish]
        pause = min(waits) - hand.now
        return min(pause, HOUR) if len(hand.positions) > len(exits) or hand.is_waiting else pause

    def _open(self, hand: Hand) -> float:
        """Take a position; returns by how much carry and fee make him wait longer for the next."""
        markets = self.tradable(hand)
        if not markets:
            return 1.0
        market = hand.stream.pick(markets)
        is_long = hand.stream.chance(self.long_bias)
        margin = int(hand.free * hand.stream.between(*self.stake))
        leverage = hand.stream.quantile(self.leverage)
        hand.open(market, is_long=is_long, margin=margin, leverage=leverage)
        carry_bps = (market.long_carry if is_long else market.short_carry) / 10**14
        dear = self.fee_react * hand.fee_bps
        return (1.0 + self.react * max(0.0, carry_bps)) * (1.0 + dear + dear * dear / 2)
