"""What open positions pay for the tokens reserved for them, by the pool's utilisation (E8)."""

from __future__ import annotations

from zlp.engine.fixed import div_down, floor_to_multiple, mul_div_down
from zlp.engine.mechanisms.base import Mechanism


class UtilisationFunding(Mechanism, frozen=True, kw_only=True):
    """Funding index per collateral token (reference section 3).

    ``interval``: seconds between accruals. ``factor`` and ``stable_factor``: index units per interval at 100 %
    utilisation; the index is at ``scale`` (``scale`` units are 100 % of a position's size). One rate, from the
    utilisation at the moment of touching, applies to all intervals that have passed; a first touch only
    anchors the clock.
    """

    interval: int
    factor: int
    stable_factor: int
    scale: int = 1_000_000

    def invalid(self) -> str | None:
        """An interval of at least a minute, a positive scale, rates below 1 % an interval."""
        if self.interval < 60:
            return "interval must be at least 60 s"
        if self.scale <= 0:
            return "scale must be positive"
        if max(self.factor, self.stable_factor) * 100 > self.scale:
            return "factor must be at most 1 % of scale"
        return None

    def accrue(self, index: int, anchor: int, now: int, reserved: int, amount: int, stable: bool) -> tuple[int, int]:
        """``(index, anchor)`` brought up to ``now``; the increment is rounded down in one step."""
        if anchor == 0:
            return index, floor_to_multiple(now, self.interval)
        if anchor + self.interval > now:
            return index, anchor
        intervals = div_down(now - anchor, self.interval)
        factor = self.stable_factor if stable else self.factor
        rate = mul_div_down(factor * intervals, reserved, amount) if amount else 0
        return index + rate, floor_to_multiple(now, self.interval)

    def fee(self, size: int, entry: int, index: int) -> int:
        """USD 1e30 a position of ``size`` owes since ``entry``, rounded down."""
        return mul_div_down(size, index - entry, self.scale) if size else 0
