"""Watches the world's true price and trades where the venue has not heard it yet."""

from __future__ import annotations

from zlp.simulator.agents.base import Behaviour
from zlp.simulator.hand import Hand


class StaleArbitrageur(Behaviour, frozen=True, kw_only=True):
    """Opens toward the true price when it is ``edge`` beyond the venue's, and closes when the gap has closed.

    Orders execute only at prices posted after them; what he earns is what that rule lets through.
    """

    name: str = "arbitrageur"
    edge: float = 0.002
    stake: float = 0.5
    leverage: float = 10.0
    pause: int = 60

    def act(self, hand: Hand) -> int:
        """Compare each market with the truth."""
        for market in self.tradable(hand):
            history = hand.stage.history(market.market)
            if not history or not market.low:
                continue
            truth, low, high = history[-1], market.low / 10**30, market.high / 10**30
            wants_long, wants_short = truth > high * (1 + self.edge), truth < low * (1 - self.edge)
            for position in hand.held(market.market):
                if not (wants_long if position.is_long else wants_short):
                    hand.close(position)
            if (wants_long or wants_short) and not hand.held(market.market) and not hand.is_waiting:
                hand.open(market, is_long=wants_long, margin=int(hand.free * self.stake), leverage=self.leverage)
        return self.pause
