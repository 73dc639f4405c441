"""A pool of coin vaults: one vault for each token, whose coins positions borrow."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.fixed import RATE, div_down, mul_div_down
from zlp.engine.leaves.base import Claim, Key, Leaf, Settings
from zlp.engine.mechanisms.borrowing import HourlyBorrow, LossProtection, utilisation
from zlp.engine.mechanisms.revenue_share import RevenueShare
from zlp.engine.mechanisms.swap_fees import SwapFees
from zlp.engine.rejections import Code, Reject

HOLDER = "coins"
"""Prefix of the holder of a pool's coins."""


def holder_of(pool: str) -> str:
    """Who holds a pool's coins: the liquidity, what is lent out, and the collateral of its positions."""
    return f"{HOLDER}:{pool}"


class BorrowPoolSettings(Settings, frozen=True):
    """A pool of coin vaults. Which vaults and markets it has, their own settings say.

    ``share``: its share token. ``swap_fees``: what minting, burning and swapping costs. ``revenue``: how fees are
    divided; ``collector``: who receives the protocol's part. ``protection``: the optional side vault for losses.
    """

    pool: str
    share: str
    swap_fees: SwapFees
    revenue: RevenueShare = RevenueShare()
    collector: str = "fees:treasury"
    protection: LossProtection | None = None
    mint_enabled: bool = True
    swap_enabled: bool = True

    @property
    def key(self) -> Key:
        """By name."""
        return (self.pool,)

    @property
    def holder(self) -> str:
        """Who holds the pool's coins."""
        return holder_of(self.pool)

    def issues(self) -> tuple[str, ...]:
        """Its share."""
        return (self.share,)

    def invalid(self) -> str | None:
        """As its mechanisms say."""
        if not self.pool or not self.share or not self.collector:
            return "pool, share and collector must not be empty"
        parts = (self.swap_fees, self.revenue, *((self.protection,) if self.protection else ()))
        return next((fault for part in parts if (fault := part.invalid())), None)


class CoinVaultSettings(Settings, frozen=True):
    """A token a pool holds and lends.

    The token's name is also the asset that prices it. ``weight``: its target share of the pool is ``weight`` over
    the sum of all, at any one scale. A vault that is not ``enabled`` takes no deposits, swaps and new positions;
    withdrawing and closing go on.
    """

    pool: str
    token: str
    weight: int
    borrow: HourlyBorrow = HourlyBorrow()
    stable: bool = False
    enabled: bool = True

    @property
    def key(self) -> Key:
        """By pool and token."""
        return (self.pool, self.token)

    def invalid(self) -> str | None:
        """A vault has a weight; its borrow fee is as the mechanism allows."""
        return "weight must be above 0" if self.weight <= 0 else self.borrow.invalid()


class CoinVault(Leaf, frozen=True):
    """The coins of one token in one pool, in base units.

    ``liquidity``: free coins of the LPs. ``reserved``: coins positions have borrowed. ``collateral``: coins that
    back positions, not the LPs'. ``protection``: the side vault for losses. ``owed_e18``: borrow fees accrued
    and not yet paid, base units at 1e18; the exact sum over the positions. ``rate_e18``: cumulative borrow
    rate, brought up to ``updated_at``; 0 before the first touch, which starts the clock.
    """

    pool: str
    token: str
    liquidity: int = 0
    reserved: int = 0
    collateral: int = 0
    protection: int = 0
    owed_e18: int = 0
    rate_e18: int = 0
    updated_at: int = 0

    @property
    def key(self) -> Key:
        """By pool and token."""
        return (self.pool, self.token)

    def broken(self) -> str | None:
        """Nothing is negative."""
        parts = (self.liquidity, self.reserved, self.collateral, self.protection, self.owed_e18, self.rate_e18)
        return "an amount is below zero" if min(parts) < 0 else None

    def claim(self) -> Claim:
        """All coins it speaks for."""
        amount = self.liquidity + self.reserved + self.collateral + self.protection
        return Claim(holder_of(self.pool), self.token, amount)

    def accrued(self, borrow: HourlyBorrow, now: int) -> CoinVault:
        """The vault with its borrow fees brought up to ``now`` (O1)."""
        if self.updated_at == 0 or now <= self.updated_at:
            return self if self.updated_at else replace(self, updated_at=now)
        used = utilisation(self.liquidity, self.reserved, self.owed_e18)
        increment = borrow.accrued(used, now - self.updated_at)
        return replace(
            self,
            rate_e18=self.rate_e18 + increment,
            owed_e18=self.owed_e18 + self.reserved * increment,
            updated_at=now,
        )

    def supply(self, revenue: RevenueShare) -> int:
        """Base units the LPs own: free, lent out, and their part of the unpaid fees (rounded down)."""
        return self.liquidity + self.reserved + div_down(revenue.pool_part(self.owed_e18), RATE)

    def receive(self, amount: int) -> CoinVault:
        """Coins join the liquidity."""
        return replace(self, liquidity=self.liquidity + amount)

    def pay(self, amount: int) -> CoinVault:
        """Coins leave the liquidity; ``pool_insufficient`` if there are fewer."""
        if amount > self.liquidity:
            raise Reject(Code.POOL_INSUFFICIENT, limit=self.liquidity, actual=amount, detail=self.token)
        return replace(self, liquidity=self.liquidity - amount)

    def lend(self, amount: int) -> CoinVault:
        """Coins are set aside for a position."""
        return replace(self, liquidity=self.liquidity - amount, reserved=self.reserved + amount)

    def take_back(self, amount: int) -> CoinVault:
        """Coins that were set aside return to the liquidity."""
        return self.lend(-amount)

    def back(self, amount: int) -> CoinVault:
        """Collateral of positions changes (signed)."""
        return replace(self, collateral=self.collateral + amount)


class PoolYield(Leaf, frozen=True):
    """What a pool has earned since its last weekly figure (O6).

    ``realised_fee_usd`` (1e30): the pool's part of all fees realised since ``since``. ``apr_bps``: the last
    figure; ``periods``: how many there have been.
    """

    pool: str
    since: int
    realised_fee_usd: int = 0
    apr_bps: int = 0
    periods: int = 0

    @property
    def key(self) -> Key:
        """By pool."""
        return (self.pool,)


class YieldRecord(Leaf, frozen=True):
    """One weekly figure of a pool: ``realised_fee_usd`` from ``since`` to ``until`` on ``pool_usd`` (1e30)."""

    pool: str
    period: int
    since: int
    until: int
    realised_fee_usd: int
    pool_usd: int
    apr_bps: int

    @property
    def key(self) -> Key:
        """By pool and period, counted from 1."""
        return (self.pool, self.period)


def coins_e18(value_usd: int, price: int, unit: int) -> int:
    """Base units at 1e18 (rounded down) that a USD value (1e30) comes to at a price (1e30)."""
    return mul_div_down(value_usd * RATE, unit, price)
