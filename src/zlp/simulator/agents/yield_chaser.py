"""Liquidity that comes for a return and leaves without one."""

from __future__ import annotations

from zlp.engine.fixed import USD
from zlp.simulator.agents.base import DAY, Behaviour
from zlp.simulator.hand import Hand

YEAR = 365 * DAY


class YieldChaser(Behaviour, frozen=True, kw_only=True):
    """Looks back over ``window`` at what a share gained a year; mints above ``enter``, burns below ``leave``."""

    name: str = "yield"
    wealth: tuple[float, float] = (200_000.0, 1_000_000.0)
    window: int = 14 * DAY
    enter: float = 0.15
    leave: float = 0.0
    pause: int = 2 * DAY

    def act(self, hand: Hand) -> int:
        """Judge one pool, picked once."""
        pools = hand.stage.pools()
        name = hand.notes.setdefault("pool", hand.stream.pick([pool.pool for pool in pools]))
        pool = next(pool for pool in pools if pool.pool == name)
        seen: list[tuple[int, int]] = hand.notes.setdefault("seen", [])
        seen.append((hand.now, pool.share_price))
        while len(seen) > 2 and seen[1][0] <= hand.now - self.window:
            seen.pop(0)
        since, price = seen[0]
        if hand.now - since >= self.window // 2 and price and pool.assets:
            gained = (pool.share_price / price - 1.0) * YEAR / (hand.now - since)
            invested = hand.notes.get("invested", False)
            if not invested and gained > self.enter:
                lacking = min(pool.assets, key=lambda asset: asset.weight_bps - asset.target_bps)
                hand.mint(pool, lacking.token, hand.budget // USD * USD)
                hand.notes["invested"] = True
            elif invested and gained < self.leave:
                plenty = max(pool.assets, key=lambda asset: asset.weight_bps - asset.target_bps)
                hand.burn(pool, plenty.token, 10_000)
                hand.notes["invested"] = False
        return int(self.pause * hand.stream.between(0.5, 1.5))
