"""What every behaviour has: a name, how many agents follow it, how much money each brings."""

from __future__ import annotations

import re

import msgspec

from zlp.desks import MarketView
from zlp.engine.fixed import USD
from zlp.simulator.hand import Hand
from zlp.simulator.stream import Stream

HOUR = 3_600
DAY = 86_400


def table_name(kind: str) -> str:
    """``TrendFollower`` is ``type = "trend_follower"`` in a scenario."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()


class Behaviour(
    msgspec.Struct, frozen=True, kw_only=True, tag=table_name, tag_field="type", forbid_unknown_fields=True
):
    """Settings of one kind of agent. ``wealth``: each brings between these two amounts of USD.

    ``markets``: which it trades, empty for all. ``newcomers``: a trader who has lost everything is replaced after
    this long (0: never). Times are seconds.
    """

    name: str
    count: int = 1
    wealth: tuple[float, float] = (10_000.0, 100_000.0)
    markets: tuple[str, ...] = ()
    newcomers: int = 30 * DAY

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for settings with which an agent could only do nothing, or nonsense."""
        low, high = self.wealth
        if self.count < 0:
            raise ValueError(f"{self.name}: count is not negative")
        if not 0 <= low <= high:
            raise ValueError(f"{self.name}: wealth is two amounts of USD, the lower one first")
        for field, least in (("interval", 0), ("lookback", 1)):
            if getattr(self, field, least) < least:
                raise ValueError(f"{self.name}: {field} is at least {least}")
        for field in ("leverage", "holding_hours", "assets"):
            if getattr(self, field, True) == ():
                raise ValueError(f"{self.name}: {field} is empty")
        if not 0 <= getattr(self, "long_bias", 0) <= 1:
            raise ValueError(f"{self.name}: long_bias is a share, 0 to 1")

    def budget(self, stream: Stream) -> int:
        """USD at 1e30 this agent brings, to the dollar."""
        return int(stream.between(*self.wealth)) * USD

    def wake(self, hand: Hand) -> int:
        """One look at the world, also after a ruin; returns the seconds to the next."""
        if not hand.is_ruined():
            return self.act(hand)
        until: int = hand.notes.setdefault("returns", hand.now + self.newcomers)
        if not self.newcomers:
            return 365 * DAY
        if hand.now >= until:
            hand.start_over(self.budget(hand.stream))
            return self.act(hand)
        return until - hand.now

    def act(self, hand: Hand) -> int:
        """Look and act; returns the seconds until the agent wants to look again."""
        raise NotImplementedError

    def tradable(self, hand: Hand) -> list[MarketView]:
        """The markets this agent looks at."""
        markets = hand.stage.markets()
        return [market for market in markets if market.market in self.markets] if self.markets else markets


def change_over(history: list[float], ticks: int) -> float | None:
    """Relative change of the price over the last ``ticks`` ticks, or ``None`` before there are that many."""
    if len(history) <= ticks or ticks < 1:
        return None
    return history[-1] / history[-1 - ticks] - 1.0
