"""Takes the side that few hold, for the funding it earns or the better price it gets."""

from __future__ import annotations

from zlp.simulator.agents.base import HOUR, Behaviour
from zlp.simulator.hand import Hand


class SkewArbitrageur(Behaviour, frozen=True, kw_only=True):
    """Opens against the skew when it is above ``threshold`` of all open interest; leaves when it has turned.

    He holds the same coins elsewhere on the other side, so only carry and price premium matter to him, not the
    direction of the price. He stays away while his side pays more than ``most_carry`` an hour (share of size).
    """

    name: str = "skew"
    threshold: float = 0.3
    stake: float = 0.3
    leverage: float = 2.0
    most_carry: float = 0.00002
    pause: int = 2 * HOUR

    def act(self, hand: Hand) -> int:
        """Look at the skew of each market."""
        for market in self.tradable(hand):
            total = market.long_size + market.short_size
            skew = (market.long_size - market.short_size) / total if total else 0.0
            for position in hand.held(market.market):
                if (skew > 0) == position.is_long and abs(skew) > self.threshold / 2:
                    hand.close(position)
            carry = (market.short_carry if skew > 0 else market.long_carry) / 10**18
            if abs(skew) > self.threshold and carry <= self.most_carry and not hand.held(market.market):
                hand.open(market, is_long=skew < 0, margin=int(hand.free * self.stake), leverage=self.leverage)
        return int(self.pause * hand.stream.between(0.5, 1.5))
