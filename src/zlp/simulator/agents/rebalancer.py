"""A liquidity provider who puts in what a pool lacks and takes out what it has too much of."""

from __future__ import annotations

from zlp.engine.fixed import USD
from zlp.simulator.agents.base import DAY, Behaviour
from zlp.simulator.hand import Hand


class Rebalancer(Behaviour, frozen=True, kw_only=True):
    """Now and then mints with the token furthest below its target, or burns for the one furthest above.

    Each action moves ``portion`` of his wealth (or of his shares).
    """

    name: str = "rebalancer"
    wealth: tuple[float, float] = (200_000.0, 1_000_000.0)
    portion: float = 0.2
    pause: int = 5 * DAY

    def act(self, hand: Hand) -> int:
        """Mint or burn in one pool, as likely."""
        pools = hand.stage.pools()
        pool = hand.stream.pick(pools)
        assets = [asset for asset in pool.assets if asset.target_bps or len(pool.assets) == 1]
        invested: int = hand.notes.get("invested", 0)
        if assets and hand.stream.chance(0.5) and invested < hand.budget:
            lacking = min(assets, key=lambda asset: asset.weight_bps - asset.target_bps)
            value = min(int(hand.budget * self.portion), hand.budget - invested)
            hand.mint(pool, lacking.token, value)
            hand.notes["invested"] = invested + value
        elif assets and invested > USD:
            plenty = max(assets, key=lambda asset: asset.weight_bps - asset.target_bps)
            hand.burn(pool, plenty.token, int(self.portion * 10_000))
            hand.notes["invested"] = invested - int(invested * self.portion)
        return int(self.pause * hand.stream.between(0.5, 1.5))
