"""What minting, burning and swapping costs, by how far the pool's inventory is from its targets.

Every mechanism here answers ``fee_rate(kind, inventory, delta, increase)`` at its own ``scale``; a fee of rate
r on ``amount`` keeps ``floor(amount * (scale - r) / scale)``, so the fee rounds up.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_up
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.rejections import Code, Reject

FeeKind: TypeAlias = Literal["mint", "burn", "swap", "stable_swap"]


class Inventory(msgspec.Struct, frozen=True, gc=False):
    """One asset of a pool before an action.

    ``value``: what the pool holds of it, ``total``: of all assets, in the same unit (USD or pool debt, any
    scale). ``weight`` of ``total_weight`` is its target share. ``stable``: a token that stands for 1 USD.
    """

    value: int
    total: int
    weight: int
    total_weight: int
    stable: bool = False

    @property
    def target(self) -> int:
        """The value at which the asset has its target share, rounded down."""
        return mul_div_down(self.weight, self.total, self.total_weight) if self.total else 0


class DynamicTax(Mechanism, frozen=True, kw_only=True):
    """A base fee, plus a tax when an action moves the asset away from its target (E3; reference section 1).

    All in basis points. A move that leaves the distance unchanged counts as away. The tax grows with the mean of
    the distances before and after, up to the whole target. ``rebate``: a move toward the target lowers the fee
    by the same curve over the distance before it; without it such a move pays the base fee.
    ``enabled = false`` leaves the base fee alone.
    """

    scale: ClassVar[int] = BPS

    mint_burn_bps: int
    swap_bps: int
    stable_swap_bps: int
    tax_bps: int
    stable_tax_bps: int
    mint_burn_tax_bps: int
    stable_mint_burn_tax_bps: int
    rebate: bool = False
    enabled: bool = True

    def invalid(self) -> str | None:
        """No fee may pass 100 %."""
        base = max(self.mint_burn_bps, self.swap_bps, self.stable_swap_bps)
        tax = max(self.tax_bps, self.stable_tax_bps, self.mint_burn_tax_bps, self.stable_mint_burn_tax_bps)
        return "tax_bps and the base fee together must stay below 10000" if base + tax >= BPS else None

    def fee_rate(self, kind: FeeKind, inventory: Inventory, delta: int, increase: bool) -> int:
        """Fee in bps of an action that changes ``inventory.value`` by ``delta``."""
        if kind == "swap" or kind == "stable_swap":
            base = self.swap_bps if kind == "swap" else self.stable_swap_bps
            tax = self.tax_bps if kind == "swap" else self.stable_tax_bps
        else:
            base = self.mint_burn_bps
            tax = self.stable_mint_burn_tax_bps if inventory.stable else self.mint_burn_tax_bps
        return self.curve(base, tax, inventory, delta, increase) if self.enabled else base

    def curve(self, base: int, tax: int, inventory: Inventory, delta: int, increase: bool) -> int:
        """The reference's ``getFeeBasisPoints``: base fee and tax by distance from the target."""
        target = inventory.target
        if target == 0:
            return base
        before = inventory.value
        after = before + delta if increase else max(0, before - delta)
        distance_before, distance_after = abs(before - target), abs(after - target)
        if distance_after < distance_before:
            if not self.rebate:
                return base
            return max(0, base - mul_div_down(tax, distance_before, target))
        mean = min((distance_before + distance_after) >> 1, target)
        return base + mul_div_down(tax, mean, target)


class WeightBand(Mechanism, frozen=True, kw_only=True):
    """Fee by the weight an action leaves behind, inside a band around the target (O3).

    All at 1e18. An action that leaves the asset beyond its target (a deposit above it, a withdrawal below it)
    pays from ``min_fee`` at the target up to ``max_fee`` at the edge of the band and outside; the edge is
    ``width`` of the target away, so 26 % with a width of 20 % allows 20.8 % to 31.2 %. Every other action pays
    ``min_fee``. The document gives both ends and the band; the straight line between them is ours. ``hard``: an
    action that would leave the asset outside the band on its own side is refused. The only asset of a pool has
    nothing to balance and pays ``min_fee``. Rounded up.
    """

    scale: ClassVar[int] = RATE

    max_fee: int = 10**16
    width: int = 2 * 10**17
    min_fee: int = 0
    hard: bool = False

    def invalid(self) -> str | None:
        """Fees rise with the distance and stay below 100 %; a band has a width."""
        if not 0 <= self.min_fee <= self.max_fee < RATE:
            return "max_fee must be from min_fee to below 100 %"
        return None if 0 < self.width <= RATE else "width must be from above 0 to 100 %"

    def fee_rate(self, kind: FeeKind, inventory: Inventory, delta: int, increase: bool) -> int:
        """Fee at 1e18; ``weight_out_of_band`` when the band is hard and the action leaves it."""
        value, total = _after(kind, inventory, delta, increase)
        if value >= total:
            return self.min_fee
        # Both sides of the comparison are shares of the total, over the same denominator.
        share, target = value * inventory.total_weight, inventory.weight * total
        if share == target or (share > target) != increase:
            return self.min_fee
        distance, edge = abs(share - target) * RATE, self.width * target
        if self.hard and distance > edge:
            lower, upper = self.edges(inventory.weight, inventory.total_weight)
            actual = mul_div_down(value, RATE, total)
            raise Reject(Code.WEIGHT_OUT_OF_BAND, limit=upper if increase else lower, actual=actual)
        if distance >= edge:
            return self.max_fee
        return self.min_fee + mul_div_up(self.max_fee - self.min_fee, distance, edge)

    def edges(self, weight: int, total_weight: int) -> tuple[int, int]:
        """Lowest and highest weight (1e18, rounded down) inside the band of a target."""
        lower = mul_div_down(weight, RATE - self.width, total_weight)
        return lower, mul_div_down(weight, RATE + self.width, total_weight)


class RebaseCurve(Mechanism, frozen=True, kw_only=True):
    """A base fee, and beyond the target ``multiplier * |weight after - target| ** exponent`` on top.

    All at 1e18; every step rounds down, as the reference does. The only asset of a pool pays nothing. There is
    no cap but the one the parameters imply: ``base + multiplier``.
    """

    scale: ClassVar[int] = RATE

    base: int = 10**14
    multiplier: int = 10**16
    exponent: int = 1

    def invalid(self) -> str | None:
        """The bounds the reference's administrators have."""
        if not 10**14 <= self.base <= 10**17:
            return "base must be from 1 bp to 10 %"
        if not 10**14 <= self.multiplier <= 10**17:
            return "multiplier must be from 1e14 to 1e17"
        return None if 1 <= self.exponent <= 3 else "exponent must be from 1 to 3"

    def fee_rate(self, kind: FeeKind, inventory: Inventory, delta: int, increase: bool) -> int:
        """Fee at 1e18 of the weight after the action."""
        value, total = _after(kind, inventory, delta, increase)
        if value >= total:
            return 0
        share = mul_div_down(value, RATE, total)
        target = mul_div_down(inventory.weight, RATE, inventory.total_weight)
        if share == target or (share > target) != increase:
            return self.base
        distance = power = abs(share - target)
        for _ in range(self.exponent - 1):
            power = mul_div_down(power, distance, RATE)
        return self.base + mul_div_down(self.multiplier, power, RATE)


def _after(kind: FeeKind, inventory: Inventory, delta: int, increase: bool) -> tuple[int, int]:
    """Value of the asset and of the pool after an action; what leaves by a swap came in as another asset."""
    if increase:
        return inventory.value + delta, inventory.total + delta
    total = inventory.total - delta if kind == "burn" else inventory.total
    return max(0, inventory.value - delta), max(0, total)


SwapFees: TypeAlias = DynamicTax | WeightBand | RebaseCurve
"""Any fee mechanism of a pool."""


def split_fee(amount: int, rate: int, scale: int) -> tuple[int, int]:
    """``(net, fee)`` of an amount; the fee rounds up."""
    net = mul_div_down(amount, scale - rate, scale)
    return net, amount - net
