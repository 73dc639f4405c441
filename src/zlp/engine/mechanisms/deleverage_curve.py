"""Curves over a debt-to-credit ratio: how much of a profit is paid, and what redeeming the stable token earns.

Ratios, exponents and factors are at 1e18, values are USD at 1e30. Source: reference sections 6 and 7.
"""

from __future__ import annotations

from zlp.engine.fixed import RATE, mul_div_down, mul_div_toward_zero
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.mechanisms.power import power


def debt_ratio(debt: int, credit: int) -> int:
    """``debt / credit`` at 1e18, signed, truncated; 0 without credit."""
    return mul_div_toward_zero(debt, RATE, credit) if credit else 0


class DeleverageCurve(Mechanism, frozen=True, kw_only=True):
    """Scales profits down as a market's debt approaches its credit (Z5).

    Up to ``start`` the whole profit is paid; from there the share falls as ``1 - x ** exponent``, ``x`` going
    from 0 at ``start`` to 1 at ``end``; from ``end`` on nothing is paid. A negative debt pays in full.
    """

    start: int
    end: int
    exponent: int = RATE

    def invalid(self) -> str | None:
        """The curve must fall between two different ratios."""
        if not 0 <= self.start < self.end:
            return "start must be below end"
        return None if self.exponent > 0 else "exponent must be above 0"

    def payout_factor(self, delegated: int, debt: int) -> int:
        """The share of a profit that is paid; the profit itself is already part of ``debt``."""
        ratio = debt_ratio(debt, delegated)
        if ratio <= self.start:
            return RATE
        if ratio >= self.end:
            return 0
        return RATE - power(mul_div_down(ratio - self.start, RATE, self.end - self.start), self.exponent)


class PremiumCurve(Mechanism, frozen=True, kw_only=True):
    """The premium or discount of swapping the stable token for a vault's collateral (Z6).

    ``x`` is the vault's debt (or credit) over the value of its assets. Up to ``x_min`` the price is the
    oracle's; above it the adjustment grows from ``y_min`` to ``y_max`` at ``x_max`` with power ``exponent``. A
    vault in debt pays a premium, a vault in credit takes a discount.
    """

    x_min: int
    x_max: int
    y_min: int
    y_max: int
    exponent: int = RATE

    def invalid(self) -> str | None:
        """The curve must rise between two different ratios and leave a positive price."""
        if not 0 <= self.x_min < self.x_max:
            return "x_min must be below x_max"
        if not 0 <= self.y_min <= self.y_max < RATE:
            return "y_min must not be above y_max, and both below 100 %"
        return None if self.exponent > 0 else "exponent must be above 0"

    def factor(self, assets_value: int, debt: int) -> int:
        """What the output is multiplied with. ``assets_value`` must be positive."""
        ratio = mul_div_down(abs(debt), RATE, assets_value)
        if ratio <= self.x_min:
            return RATE
        along = mul_div_down(min(ratio, self.x_max) - self.x_min, RATE, self.x_max - self.x_min)
        adjustment = self.y_min + mul_div_down(self.y_max - self.y_min, power(along, self.exponent), RATE)
        return RATE + adjustment if debt >= 0 else RATE - adjustment
