"""Swapping the stable token for a vault's collateral: amounts and fees (Z6; reference section 7)."""

from __future__ import annotations

import msgspec

from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_up, subtract
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.mechanisms.deleverage_curve import PremiumCurve
from zlp.engine.rejections import Code, Reject


class SwapAmounts(msgspec.Struct, frozen=True, gc=False):
    """What a swap pays, in base units of the collateral. The rest of ``swap_fee`` stays in the vault."""

    factor: int
    gross: int
    base_fee: int
    swap_fee: int
    to_user: int
    to_protocol: int


class StableSwap(Mechanism, frozen=True, kw_only=True):
    """Terms of swapping stable tokens for collateral.

    ``base_fee_usd``: flat, USD at 1e30. ``fee_bps``: of the output, basis points at 1e18 (30 bps is 30e18).
    """

    base_fee_usd: int
    fee_bps: int
    curve: PremiumCurve

    def invalid(self) -> str | None:
        """The fee must leave something."""
        if not 0 <= self.fee_bps < BPS * RATE:
            return "fee_bps must be below 10000e18"
        return self.curve.invalid()

    def amounts(
        self, value: int, price: int, unit: int, assets_value: int, debt: int, protocol_share: int
    ) -> SwapAmounts:
        """Output of ``value`` USD of stable tokens at ``price``.

        Reckoned at 18 decimals, where output rounds down and fees up; what the collateral's unit can't hold is cut off
        each payment at the end, and stays in the vault.
        """
        if assets_value <= 0:
            raise Reject(Code.POOL_INSUFFICIENT, limit=0)
        factor = self.curve.factor(assets_value, debt)
        gross = mul_div_down(value, factor, price)
        base_fee = mul_div_down(self.base_fee_usd, RATE, price)
        swap_fee = mul_div_up(gross, self.fee_bps, BPS * RATE)
        to_user = subtract(gross, base_fee + swap_fee, Code.AMOUNT_BELOW_FEES)
        to_protocol = base_fee + mul_div_down(swap_fee, protocol_share, RATE)
        gross, base_fee, to_user, to_protocol = (
            mul_div_down(amount, unit, RATE) for amount in (gross, base_fee, to_user, to_protocol)
        )
        return SwapAmounts(factor, gross, base_fee, gross - base_fee - to_user, to_user, to_protocol)
