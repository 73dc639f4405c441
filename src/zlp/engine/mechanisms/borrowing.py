"""What it costs to borrow the pool's tokens, and what a borrowed position must keep to (O1, O2, O8)."""

from __future__ import annotations

import msgspec

from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_up
from zlp.engine.mechanisms.base import Mechanism

PERIOD = 28_800
"""Borrow and funding rates are quoted per 8 hours, in seconds."""


class HourlyBorrow(Mechanism, frozen=True, kw_only=True):
    """Borrow fee by utilisation, by the second (O1): at 100 % utilisation ``rate_8h`` (1e18) per 8 hours.

    The document's 0.01 % an hour is 0.0008 per 8 hours. Two steps, each rounded down: the rate at this
    utilisation, then its part for the elapsed seconds. One utilisation, the one before the accrual, applies to
    the whole interval, so nothing compounds within it.
    """

    rate_8h: int = 8 * 10**14

    def invalid(self) -> str | None:
        """At most 10 % per 8 hours, the reference's bound."""
        return None if 0 <= self.rate_8h <= 10**17 else "rate_8h must be from 0 to 10 %"

    def accrued(self, utilisation: int, elapsed: int) -> int:
        """Increment (1e18) of the cumulative rate after ``elapsed`` seconds at ``utilisation`` (1e18)."""
        return mul_div_down(mul_div_down(self.rate_8h, utilisation, RATE), elapsed, PERIOD)


def utilisation(liquidity: int, reserved: int, owed_e18: int) -> int:
    """Share (1e18) of a vault that is lent out: reserved of liquidity, reserved and unpaid fees (1e18 units)."""
    supply_e18 = (liquidity + reserved) * RATE + owed_e18
    return mul_div_down(reserved * RATE, RATE, supply_e18) if supply_e18 else 0


class BorrowRules(Mechanism, frozen=True, kw_only=True):
    """What a position keeps to from its opening to its end; copied into it when it is opened.

    ``max_leverage`` and ``max_reserve`` (multiple of the collateral) in 1e4 ("50 x"). ``min_holding``: seconds
    before a profit can be taken. ``min_collateral_usd`` at 1e30. At 1e18: ``open_fee`` and ``close_fee`` of the
    size; ``liquidation_threshold``, ``liquidation_bonus`` (to the liquidator) and ``liquidation_fee`` (to the
    protocol) of the collateral; ``min_reserve``, least worth of the borrowed coins, of the size. Profits beyond
    those coins weigh on the pool's value though nobody will be paid them, so a position must not promise much more
    than it borrows; 0, as in the reference, sets no bound.
    """

    max_leverage: int
    min_holding: int
    max_reserve: int
    min_collateral_usd: int
    open_fee: int
    close_fee: int
    liquidation_threshold: int
    liquidation_bonus: int
    liquidation_fee: int = 0
    min_reserve: int = 0

    def invalid(self) -> str | None:
        """The reference's bounds: leverage to 100, fees to 200 bps, threshold and bonus together below 100 %."""
        if not BPS <= self.max_leverage <= 100 * BPS:
            return "max_leverage must be from 1 x to 100 x"
        if self.max_reserve < 0 or self.min_holding < 0 or self.min_collateral_usd < 0:
            return "max_reserve, min_holding and min_collateral_usd can't be negative"
        if not 0 <= self.open_fee <= 2 * 10**16 or not 0 <= self.close_fee <= 2 * 10**16:
            return "open_fee and close_fee must be from 0 to 200 bps"
        if not 0 <= self.min_reserve <= RATE:
            return "min_reserve must be from 0 to 100 %"
        shares = (self.liquidation_threshold, self.liquidation_bonus, self.liquidation_fee)
        if min(shares) < 0 or self.liquidation_threshold + self.liquidation_bonus >= RATE:
            return "liquidation_threshold and liquidation_bonus together must be below 100 %"
        if self.liquidation_bonus + self.liquidation_fee >= RATE:
            return "liquidation_bonus and liquidation_fee together must be below 100 %"
        return None

    def enough_collateral(self, collateral_usd: int, size_usd: int) -> bool:
        """Whether the collateral carries the size at the largest leverage (equality does)."""
        return collateral_usd * self.max_leverage >= size_usd * BPS

    def least_reserve_usd(self, size_usd: int) -> int:
        """Least worth (USD 1e30, rounded up) of the coins a position of this size borrows."""
        return mul_div_up(size_usd, self.min_reserve, RATE)

    def liquidatable(self, collateral_usd: int, equity_change_usd: int) -> bool:
        """Whether a change of equity (signed, losses below 0) has used up the threshold of the collateral."""
        if equity_change_usd > 0:
            return False
        return mul_div_down(collateral_usd, self.liquidation_threshold, RATE) <= -equity_change_usd


class ExitTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the fee on quick exits: ``fee`` (1e18) of the closed size within ``seconds`` of opening."""

    seconds: int
    fee: int


class InstantExitFee(Mechanism, frozen=True, kw_only=True):
    """An extra fee on profits taken soon after opening: the first tier that matches applies."""

    tiers: tuple[ExitTier, ...]

    def invalid(self) -> str | None:
        """Tiers rise in time and cost less than 100 %."""
        if any(not 0 <= tier.fee < RATE for tier in self.tiers):
            return "tiers must have fees below 100 %"
        limits = [tier.seconds for tier in self.tiers]
        return None if limits == sorted(limits) else "tiers must rise in seconds"

    def fee_usd(self, size_usd: int, held: int) -> int:
        """USD (1e30, rounded down) for closing ``size_usd`` at a profit after ``held`` seconds."""
        for tier in self.tiers:
            if held <= tier.seconds:
                return mul_div_down(size_usd, tier.fee, RATE)
        return 0


class LossProtection(Mechanism, frozen=True, kw_only=True):
    """A side vault: ``rate`` (1e18) of each realised loss waits there and pays later profits first."""

    rate: int

    def invalid(self) -> str | None:
        """A share of a loss."""
        return None if 0 <= self.rate <= RATE else "rate must be from 0 to 100 %"

    def parked(self, loss: int) -> int:
        """Base units of a loss that go to the side vault, rounded down."""
        return mul_div_down(loss, self.rate, RATE)
