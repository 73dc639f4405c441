"""Puts the first liquidity in, at target weights, and stays."""

from __future__ import annotations

from zlp.engine.fixed import USD
from zlp.simulator.agents.base import DAY, Behaviour
from zlp.simulator.hand import Hand


class Founder(Behaviour, frozen=True, kw_only=True):
    """Brings ``liquidity`` USD in all, shared evenly between pools and by target weight inside each."""

    name: str = "founder"
    liquidity: float = 10_000_000.0

    def act(self, hand: Hand) -> int:
        """Mint once."""
        if not hand.notes.get("done"):
            hand.notes["done"] = True
            pools = hand.stage.pools()
            for pool in pools:
                share = int(self.liquidity) * USD // len(pools)
                weights = {asset.token: asset.target_bps for asset in pool.assets}
                if not any(weights.values()):
                    weights = dict.fromkeys(weights, 1)
                total = sum(weights.values())
                for token, weight in weights.items():
                    hand.mint(pool, token, share * weight // total)
        return 365 * DAY
