"""Positions that borrow the pool's tokens, and the markets they are in."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.fixed import RATE, UNITS, mul_div_down, mul_div_toward_zero, value_of
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.borrowing import BorrowRules, InstantExitFee
from zlp.engine.mechanisms.open_interest import OpenInterestFunding


class BorrowMarketSettings(Settings, frozen=True):
    """A market of a pool of coin vaults.

    The market's name is also the asset of its index price. ``decimals``: those of index amounts.
    ``long_collaterals`` and ``short_collaterals``: tokens that may back each side; profits are paid in the
    collateral's token (O5). ``rules`` are copied into a position when it is opened. ``funding`` by open interest
    is optional, as is ``instant_exit``. Limits in USD at 1e30, 0 for none: ``max_long_usd`` and ``max_short_usd``
    of all sizes of a side, ``max_position_usd`` of one position.
    """

    pool: str
    market: str
    decimals: int
    long_collaterals: tuple[str, ...]
    short_collaterals: tuple[str, ...]
    rules: BorrowRules
    funding: OpenInterestFunding | None = None
    instant_exit: InstantExitFee | None = None
    max_long_usd: int = 0
    max_short_usd: int = 0
    max_position_usd: int = 0
    long_enabled: bool = True
    short_enabled: bool = True
    decrease_enabled: bool = True
    liquidation_enabled: bool = True

    @property
    def key(self) -> Key:
        """By pool and market."""
        return (self.pool, self.market)

    @property
    def unit(self) -> int:
        """Base units of one whole index token."""
        unit: int = UNITS[self.decimals]
        return unit

    def collaterals(self, is_long: bool) -> tuple[str, ...]:
        """Tokens that may back a side."""
        return self.long_collaterals if is_long else self.short_collaterals

    def opens(self, is_long: bool) -> bool:
        """Whether new positions of a side are accepted."""
        return self.long_enabled if is_long else self.short_enabled

    def max_side_usd(self, is_long: bool) -> int:
        """Most a side's sizes may come to, 0 for no limit."""
        return self.max_long_usd if is_long else self.max_short_usd

    def invalid(self) -> str | None:
        """As its mechanisms say; limits are not negative."""
        if not 0 <= self.decimals < len(UNITS):
            return "decimals must be from 0 to 36"
        if min(self.max_long_usd, self.max_short_usd, self.max_position_usd) < 0:
            return "max_long_usd, max_short_usd and max_position_usd can't be negative"
        parts = (self.rules, self.funding, self.instant_exit)
        return next((fault for part in parts if part is not None and (fault := part.invalid())), None)


class BorrowMarketSide(Leaf, frozen=True):
    """All positions of one side of a market together.

    ``amount``: index base units. ``size_usd``: value at opening (1e30). ``funding_usd`` (signed, 1e30): funding
    accrued and not settled, positive where traders owe it. ``funding_rate_e18`` (signed): cumulative rate,
    brought up to ``updated_at``; 0 before the first touch, which starts the clock.
    """

    pool: str
    market: str
    is_long: bool
    amount: int = 0
    size_usd: int = 0
    funding_usd: int = 0
    funding_rate_e18: int = 0
    updated_at: int = 0

    @property
    def key(self) -> Key:
        """By pool, market and side."""
        return (self.pool, self.market, self.is_long)

    def broken(self) -> str | None:
        """Nothing that counts positions is negative."""
        return "a total is below zero" if min(self.amount, self.size_usd) < 0 else None

    def moved(self, increment: int, now: int) -> BorrowMarketSide:
        """The side after its cumulative funding rate moved by ``increment`` (signed, 1e18)."""
        return replace(
            self,
            funding_rate_e18=self.funding_rate_e18 + increment,
            funding_usd=self.funding_usd + mul_div_toward_zero(self.size_usd, increment, RATE),
            updated_at=now,
        )

    def add(self, amount: int, size_usd: int) -> BorrowMarketSide:
        """A position joins."""
        return replace(self, amount=self.amount + amount, size_usd=self.size_usd + size_usd)

    def remove(self, amount: int, size_usd: int, funding_usd: int) -> BorrowMarketSide:
        """A position, or a part of it, leaves and settles its funding; an empty side keeps no dust of it."""
        left = self.amount - amount
        return replace(
            self,
            amount=left,
            size_usd=self.size_usd - size_usd,
            funding_usd=self.funding_usd - funding_usd if left else 0,
        )

    def value_usd(self, price: int, unit: int) -> int:
        """What the side is worth to the pool (signed, 1e30): the traders' losses and the funding they owe."""
        worth = value_of(self.amount, price, unit)
        return (self.size_usd - worth if self.is_long else worth - self.size_usd) + self.funding_usd


class BorrowedPosition(Leaf, frozen=True):
    """One position: it borrowed ``reserved`` coins of the pool, which cap its profit and carry the borrow fee.

    ``amount``: index base units. ``size_usd``: value at opening (1e30), never re-based. ``collateral`` and
    ``reserved``: base units of ``token``. ``owed_e18``: borrow fee up to ``borrow_rate_e18`` (base units at
    1e18); ``funding_usd``: funding up to ``funding_rate_e18`` (signed, 1e30). ``rules``: those of its opening.
    """

    number: int
    account: str
    pool: str
    market: str
    token: str
    is_long: bool
    opened_at: int
    amount: int
    size_usd: int
    collateral: int
    reserved: int
    borrow_rate_e18: int
    funding_rate_e18: int
    rules: BorrowRules
    owed_e18: int = 0
    funding_usd: int = 0

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    def broken(self) -> str | None:
        """An open position has an amount; nothing is negative."""
        if self.amount <= 0 or self.size_usd < 0 or min(self.collateral, self.reserved, self.owed_e18) < 0:
            return "an amount is below zero"
        return None

    def entry_price(self, unit: int) -> int:
        """The price it was opened at, as its size says (1e30, rounded down)."""
        return mul_div_down(self.size_usd, unit, self.amount)

    def profit_usd(self, price: int, unit: int) -> int:
        """The trader's profit (signed, 1e30) at an index price, before fees."""
        worth = value_of(self.amount, price, unit)
        return worth - self.size_usd if self.is_long else self.size_usd - worth

    def borrow_fee_e18(self, rate_e18: int) -> int:
        """Borrow fee owed when the vault's cumulative rate is ``rate_e18``: base units at 1e18, exact."""
        return self.owed_e18 + self.reserved * (rate_e18 - self.borrow_rate_e18)

    def funding_fee_usd(self, rate_e18: int) -> int:
        """Funding owed (signed, 1e30) when the side's cumulative rate is ``rate_e18``."""
        return self.funding_usd + mul_div_toward_zero(self.size_usd, rate_e18 - self.funding_rate_e18, RATE)


class Referral(Leaf, frozen=True):
    """Who brought an account; set once, by the account."""

    account: str
    referrer: str

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)
