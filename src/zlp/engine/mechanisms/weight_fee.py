"""The fee for moving an asset of a fund away from its target weight (N2, N13)."""

from __future__ import annotations

from zlp.engine.fixed import RATE, div_down, mul_div_down
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.rejections import Code, Reject


class WeightFee(Mechanism, frozen=True, kw_only=True):
    """Base fee, less a rebate toward the target and plus a tax away from it (reference 2.7).

    All in bps. ``dynamic`` off charges the base fee alone. With base 0 an action toward the target is free.
    An equal distance before and after counts as away.
    """

    deposit_bps: int = 0
    withdraw_bps: int = 0
    swap_bps: int = 0
    tax_bps: int = 50
    dynamic: bool = True

    def invalid(self) -> str | None:
        """All of it together must leave something of the amount."""
        highest = max(self.deposit_bps, self.withdraw_bps, self.swap_bps)
        if min(self.deposit_bps, self.withdraw_bps, self.swap_bps, self.tax_bps) < 0:
            return "fees must not be below zero"
        return "base fee and tax together must be below 5000 bps" if highest + self.tax_bps >= 5_000 else None

    def fee_bps(self, base_bps: int, start_usd: int, next_usd: int, target_usd: int) -> int:
        """Fee of an action that takes an asset's value from ``start_usd`` to ``next_usd``; all USD at 1e30."""
        if not self.dynamic or target_usd == 0:
            return base_bps
        before, after = abs(start_usd - target_usd), abs(next_usd - target_usd)
        if after < before:
            return max(0, base_bps - mul_div_down(self.tax_bps, before, target_usd))
        mean = min(div_down(before + after, 2), target_usd)
        return base_bps + mul_div_down(self.tax_bps, mean, target_usd)


def target_value(total_usd: int, weight: int, weights: int) -> int:
    """Target value of an asset: its share of ``total_usd`` before the action (rounded down)."""
    return mul_div_down(total_usd, weight, weights) if weights else 0


def require_balance(next_usd: int, total_usd: int, value_usd: int, weight: int, max_difference: int) -> None:
    """Refuse a weight (1e18) further than ``max_difference`` from ``weight``.

    The denominator is total + value for withdrawals too, as the reference has it (reference 9.9).
    """
    weight_after = mul_div_down(next_usd, RATE, total_usd + value_usd)
    if weight_after > weight + max_difference:
        raise Reject(Code.POOL_IMBALANCE, limit=weight + max_difference, actual=weight_after)
    if weight_after < max(weight - max_difference, 0):
        raise Reject(Code.POOL_IMBALANCE, limit=weight - max_difference, actual=weight_after)
