"""Holds coins elsewhere and keeps a short against them."""

from __future__ import annotations

from zlp.simulator.agents.base import DAY, Behaviour
from zlp.simulator.hand import Hand


class Hedger(Behaviour, frozen=True, kw_only=True):
    """Keeps a short worth ``leverage`` times its margin in one market, and renews it every ``term``.

    A hedger does not look at trends; when a position is gone (closed or liquidated), he opens the next.
    """

    name: str = "hedger"
    stake: float = 0.8
    leverage: float = 1.5
    term: int = 30 * DAY
    pause: int = DAY

    def act(self, hand: Hand) -> int:
        """See that the hedge stands."""
        markets = self.tradable(hand)
        if not markets:
            return self.pause
        name = hand.notes.setdefault("market", hand.stream.pick([market.market for market in markets]))
        market = next((market for market in markets if market.market == name), markets[0])
        held = hand.held(market.market)
        for position in held:
            if hand.now - position.opened_at > self.term:
                hand.close(position)
        if not held:
            hand.open(market, is_long=False, margin=int(hand.free * self.stake), leverage=self.leverage)
        return int(self.pause * hand.stream.between(0.8, 1.2))
