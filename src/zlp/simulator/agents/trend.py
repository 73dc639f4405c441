"""Buys what rises and sells what falls, and turns around when the trend does."""

from __future__ import annotations

from zlp.simulator.agents.base import HOUR, Behaviour, change_over
from zlp.simulator.hand import Hand


class TrendFollower(Behaviour, frozen=True, kw_only=True):
    """Holds a position in the direction of a move above ``threshold`` over ``lookback`` ticks.

    Each position takes ``stake`` of what is free, at ``leverage``; it is closed when the move has turned.
    """

    name: str = "trend"
    lookback: int = 96
    threshold: float = 0.03
    stake: float = 0.25
    leverage: float = 4.0
    pause: int = 6 * HOUR

    def act(self, hand: Hand) -> int:
        """Follow the trend of each market."""
        for market in self.tradable(hand):
            change = change_over(hand.stage.history(market.market), self.lookback)
            if change is None:
                continue
            held = hand.held(market.market)
            for position in held:
                if (change < 0) == position.is_long:
                    hand.close(position)
            if not held and abs(change) > self.threshold:
                margin = int(hand.free * self.stake)
                hand.open(market, is_long=change > 0, margin=margin, leverage=self.leverage)
        return int(self.pause * hand.stream.between(0.5, 1.5))
