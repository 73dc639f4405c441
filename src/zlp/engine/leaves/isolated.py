"""Positions that stand alone: one collateral, one index, one side (reference section 5)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.fixed import BPS
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.mechanisms.shorts import Shorts, ShortsAverage, SoundShorts


class IsolatedSettings(Settings, frozen=True):
    """How a pool trades isolated positions.

    ``opening_fee_bps``: of the size added; ``closing_fee_bps``: of the size taken off, and of the whole size in
    the liquidation check. ``liquidation_fee``: USD 1e30 to the liquidator. ``minimum_profit_time``: seconds in
    which small profits count as none. ``private_liquidation``: only liquidators may liquidate.
    ``deposit_fee_bps``: of collateral that lowers a long's leverage; ``leverage_buffer_bps``: tolerance of that
    test. ``shorts``: how all shorts are valued together.
    """

    pool: str
    opening_fee_bps: int
    closing_fee_bps: int
    liquidation_fee: int
    leverage_enabled: bool = True
    minimum_profit_time: int = 0
    private_liquidation: bool = False
    deposit_fee_bps: int = 0
    leverage_buffer_bps: int = 100
    shorts: ShortsAverage = SoundShorts()

    @property
    def key(self) -> Key:
        """By pool."""
        return (self.pool,)

    def invalid(self) -> str | None:
        """The reference's bounds: fees at most 500 bps, a liquidation fee of at most 100 USD."""
        if max(self.opening_fee_bps, self.closing_fee_bps, self.deposit_fee_bps) > 500:
            return "opening_fee_bps, closing_fee_bps and deposit_fee_bps must be at most 500"
        if self.liquidation_fee > 100 * 10**30:
            return "liquidation_fee must be at most 100 USD"
        return None


class MarketSettings(Settings, frozen=True):
    """Limits of one market of a pool. USD at 1e30, 0 for no limit; ``max_leverage`` in bps (300000 is 30x).

    ``max_long`` bounds what longs owe the pool, ``max_short`` the size of all shorts, for actions by traders;
    ``max_short_hard`` bounds the latter for every action. ``max_position`` bounds one position's size.
    ``pricing``: a premium or discount by the market's skew on what positions open and close at; none is the
    plain oracle price. It needs a bound, and a profit is then at most what is reserved for it. The pool itself is
    always valued at oracle prices.
    """

    pool: str
    token: str
    max_leverage: int = 300_000
    max_long: int = 0
    max_short: int = 0
    max_short_hard: int = 0
    max_position: int = 0
    enabled: bool = True
    pricing: AdaptivePrice | None = None

    @property
    def key(self) -> Key:
        """By pool and index token."""
        return (self.pool, self.token)

    def invalid(self) -> str | None:
        """Leverage is above 1x."""
        if self.max_leverage <= BPS:
            return "max_leverage must be above 10000 (1x)"
        if self.pricing is None:
            return None
        if self.pricing.max_skew_scale and not self.pricing.max_premium_bps:
            return "pricing must bound the premium by max_premium_bps, or skew could block closing"
        return self.pricing.invalid()


class Market(Leaf, frozen=True):
    """Open interest of one index token: USD ``long_size`` and ``shorts``."""

    pool: str
    token: str
    long_size: int = 0
    shorts: Shorts = Shorts()

    @property
    def key(self) -> Key:
        """By pool and index token."""
        return (self.pool, self.token)

    @property
    def short_size(self) -> int:
        """USD size of all shorts."""
        return self.shorts.size

    @property
    def skew(self) -> int:
        """Longs less shorts, signed USD."""
        return self.long_size - self.shorts.size

    def broken(self) -> str | None:
        """No open interest is negative."""
        if self.long_size < 0 or self.shorts.size < 0 or self.shorts.entry_tokens < 0:
            return "open interest below zero"
        return None

    def with_long(self, change: int) -> Market:
        """Long open interest moved by ``change``."""
        return replace(self, long_size=self.long_size + change)


class Position(Leaf, frozen=True):
    """One trader's position. USD fields at 1e30.

    ``size``: notional. ``collateral_usd``: what backs it. ``average``: entry price. ``entry_funding``: funding
    index it has paid up to. ``reserved``: base units of the collateral token set aside for its profit.
    ``pnl``: realised so far, signed. ``increased_at``: second of the last increase.
    """

    pool: str
    account: str
    collateral: str
    index: str
    is_long: bool
    size: int = 0
    collateral_usd: int = 0
    average: int = 0
    entry_funding: int = 0
    reserved: int = 0
    pnl: int = 0
    increased_at: int = 0

    @property
    def key(self) -> Key:
        """By pool, account, collateral, index and side."""
        return (self.pool, self.account, self.collateral, self.index, self.is_long)

    @property
    def name(self) -> str:
        """The key as text, for events."""
        side = "long" if self.is_long else "short"
        return f"{self.pool}/{self.account}/{self.collateral}/{self.index}/{side}"

    def broken(self) -> str | None:
        """Nothing unsigned is negative; a position has a size."""
        if self.size <= 0 or self.collateral_usd < 0 or self.average < 0 or self.entry_funding < 0 or self.reserved < 0:
            return "an amount is below zero"
        return None
