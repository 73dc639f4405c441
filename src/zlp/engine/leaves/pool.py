"""A basket pool: several tokens, one share token, and what the pool owes and holds of each (reference section 0)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.fixed import BPS, UNITS
from zlp.engine.leaves.base import Claim, Key, Leaf, Settings
from zlp.engine.mechanisms.funding import UtilisationFunding
from zlp.engine.mechanisms.swap_fees import SwapFees
from zlp.engine.rejections import Code, Reject


class PoolSettings(Settings, frozen=True):
    """A basket pool.

    ``share``: its share token. ``debt``: the token its internal accounting unit is kept in (18 decimals, USD at
    the moment of each deposit); never leaves the pool. ``tokens``: its assets. ``swap_fees``: what minting,
    burning and swapping costs. ``funding``: what open positions pay for what is reserved for them.
    ``fee_to_pool_bps``: share of each mint and burn fee that stays with the LPs. ``cooldown``: seconds between
    minting and burning, or passing shares on. ``skew_surcharge_bps``: added to mint and swap fees of an asset whose
    open interest lies on one side only, in proportion to the imbalance (0: off).
    ``value_addition``/``value_deduction``: USD 1e30 governance adds to or takes from the pool's value.
    ``orphans_block``: as in the reference, value that belongs to no share (a gift before the first deposit, dust
    after the last withdrawal) makes every later deposit mint nothing; otherwise it goes to who mints next, and a
    deposit too small for any share is refused.
    """

    pool: str
    share: str
    debt: str
    tokens: tuple[str, ...]
    swap_fees: SwapFees
    funding: UtilisationFunding | None = None
    fee_to_pool_bps: int = 0
    cooldown: int = 0
    mint_enabled: bool = True
    swap_enabled: bool = True
    skew_surcharge_bps: int = 0
    value_addition: int = 0
    value_deduction: int = 0
    orphans_block: bool = False

    @property
    def key(self) -> Key:
        """By name."""
        return (self.pool,)

    @property
    def holder(self) -> str:
        """Who holds the pool's tokens."""
        return f"pool:{self.pool}"

    def require_cooled(self, last: LastMint | None, now: int) -> None:
        """Refuse to burn or pass on shares at second ``now`` before the cool-down since ``last`` is over."""
        earliest = self.cooldown + (0 if last is None else last.time)
        if earliest > now:
            raise Reject(Code.COOLDOWN_NOT_PASSED, limit=earliest, actual=now)

    def issues(self) -> tuple[str, ...]:
        """Its share, and its inner unit of account."""
        return (self.share, self.debt)

    def invalid(self) -> str | None:
        """Shares of fees are at most 100 %; a cool-down is at most 48 hours, as in the reference."""
        if self.fee_to_pool_bps > BPS:
            return "fee_to_pool_bps must be at most 10000"
        if self.cooldown > 172_800:
            return "cooldown must be at most 48 h"
        if self.skew_surcharge_bps > 1_000:
            return "skew_surcharge_bps must be at most 1000"
        return self.swap_fees.invalid()


class AssetSettings(Settings, frozen=True):
    """A token a basket pool accepts.

    ``weight``: its target share is ``weight`` over the sum of all. ``buffer``: base units a swap must leave.
    ``max_debt``: most pool debt (1e18) it may stand for, 0 for no limit. ``minimum_profit_bps``: smaller profits
    count as none while a position is young (front-running guard).
    """

    pool: str
    token: str
    weight: int
    decimals: int
    stable: bool = False
    shortable: bool = False
    listed: bool = True
    buffer: int = 0
    max_debt: int = 0
    minimum_profit_bps: int = 0

    @property
    def key(self) -> Key:
        """By pool and token."""
        return (self.pool, self.token)

    @property
    def unit(self) -> int:
        """Base units of one whole token."""
        unit: int = UNITS[self.decimals]
        return unit

    def invalid(self) -> str | None:
        """Decimals the engine can scale."""
        return None if 0 <= self.decimals < len(UNITS) else "decimals must be from 0 to 36"


class PoolAsset(Leaf, frozen=True):
    """One token of a basket pool.

    ``amount``: base units that belong to the LPs. ``reserved``: of those, set aside for open positions.
    ``guaranteed``: USD 1e30 that longs owe the pool (size less collateral). ``debt``: pool debt (1e18) this token
    stands for. ``fees``: base units collected, not yet routed. ``funding_index`` and ``funding_at``: cumulative
    funding and the clock anchor it was last brought up to.
    """

    pool: str
    token: str
    amount: int = 0
    reserved: int = 0
    guaranteed: int = 0
    debt: int = 0
    fees: int = 0
    funding_index: int = 0
    funding_at: int = 0

    @property
    def key(self) -> Key:
        """By pool and token."""
        return (self.pool, self.token)

    def broken(self) -> str | None:
        """Solvency: what is reserved is there; nothing is negative."""
        if self.reserved > self.amount:
            return "reserved exceeds the pool"
        if self.amount < 0 or self.reserved < 0 or self.guaranteed < 0 or self.debt < 0 or self.fees < 0:
            return "an amount is below zero"
        return None

    def claim(self) -> Claim:
        """The LPs' tokens and the collected fees."""
        return Claim(f"pool:{self.pool}", self.token, self.amount + self.fees)

    def add(self, amount: int) -> PoolAsset:
        """Tokens join the LPs'."""
        return replace(self, amount=self.amount + amount)

    def take(self, amount: int) -> PoolAsset:
        """Tokens leave the LPs'; what is reserved must stay."""
        if amount > self.amount:
            raise Reject(Code.POOL_INSUFFICIENT, limit=self.amount, actual=amount, detail=self.token)
        if self.reserved > self.amount - amount:
            raise Reject(Code.RESERVE_EXCEEDS_POOL, limit=self.amount - amount, actual=self.reserved, detail=self.token)
        return replace(self, amount=self.amount - amount)

    def reserve(self, amount: int) -> PoolAsset:
        """Set tokens aside for a position."""
        if self.reserved + amount > self.amount:
            raise Reject(Code.RESERVE_EXCEEDS_POOL, limit=self.amount, actual=self.reserved + amount, detail=self.token)
        return replace(self, reserved=self.reserved + amount)

    def release(self, amount: int) -> PoolAsset:
        """Give back what was set aside."""
        if amount > self.reserved:
            raise Reject(Code.RESERVE_INSUFFICIENT, limit=self.reserved, actual=amount, detail=self.token)
        return replace(self, reserved=self.reserved - amount)

    def guarantee(self, owed: int, repaid: int) -> PoolAsset:
        """Move what longs owe: up by ``owed`` first, then down by ``repaid`` (USD 1e30)."""
        if repaid > self.guaranteed + owed:
            raise Reject(Code.ARITHMETIC_UNDERFLOW, limit=self.guaranteed + owed, actual=repaid)
        return replace(self, guaranteed=self.guaranteed + owed - repaid)

    def borrow(self, debt: int, limit: int) -> PoolAsset:
        """More pool debt stands behind this token; ``limit`` 0 is none."""
        if limit and self.debt + debt > limit:
            raise Reject(Code.MAX_DEBT_EXCEEDED, limit=limit, actual=self.debt + debt, detail=self.token)
        return replace(self, debt=self.debt + debt)

    def repay(self, debt: int) -> PoolAsset:
        """Less pool debt stands behind this token; never below 0."""
        return replace(self, debt=max(0, self.debt - debt))

    def collect(self, fee: int) -> PoolAsset:
        """A fee waits to be routed."""
        return replace(self, fees=self.fees + fee)


class LastMint(Leaf, frozen=True):
    """When an account last minted shares of a pool (cool-down)."""

    pool: str
    account: str
    time: int

    @property
    def key(self) -> Key:
        """By pool and account."""
        return (self.pool, self.account)
