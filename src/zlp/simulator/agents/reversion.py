"""Sells what has risen too fast and buys what has fallen too fast."""

from __future__ import annotations

from zlp.simulator.agents.base import HOUR, Behaviour, change_over
from zlp.simulator.hand import Hand


class MeanReverter(Behaviour, frozen=True, kw_only=True):
    """Trades against a move above ``threshold`` over ``lookback`` ticks, and leaves once ``target`` is earned.

    ``target`` and ``stop`` are relative moves of the price from the entry; ``patience`` is the longest it waits.
    """

    name: str = "reversion"
    lookback: int = 16
    threshold: float = 0.025
    target: float = 0.015
    stop: float = 0.04
    patience: int = 48 * HOUR
    stake: float = 0.2
    leverage: float = 6.0
    pause: int = HOUR

    def act(self, hand: Hand) -> int:
        """Fade the move of each market."""
        for market in self.tradable(hand):
            history = hand.stage.history(market.market)
            change = change_over(history, self.lookback)
            if change is None:
                continue
            held = hand.held(market.market)
            for position in held:
                moved = history[-1] / (position.price / 10**30) - 1.0
                gained = moved if position.is_long else -moved
                if gained > self.target or gained < -self.stop or hand.now - position.opened_at > self.patience:
                    hand.close(position)
            if not held and abs(change) > self.threshold:
                margin = int(hand.free * self.stake)
                hand.open(market, is_long=change < 0, margin=margin, leverage=self.leverage)
        return int(self.pause * hand.stream.between(0.5, 1.5))
