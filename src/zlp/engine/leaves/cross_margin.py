"""Trading against a fund with one margin for all positions: markets, accounts, positions."""

from __future__ import annotations

from typing import Literal

from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.carry import ReserveBorrowing, VelocityFunding
from zlp.engine.mechanisms.counter_trade import ProfitDelay
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.mechanisms.skew_fee import SkewFee

ACCOUNTS_PER_OWNER = 256


class CrossMarginSettings(Settings, frozen=True):
    """Rules every account of a fund shares.

    ``pnl_bps``: part of a net unrealised profit that counts as equity; losses count in full.
    ``liquidation_fee_usd`` and ``min_position_usd`` at 1e30. ``max_positions`` per account.
    ``private_liquidation``: only liquidators and keepers may liquidate. ``arithmetic``: ``sound``, or
    ``reference`` to replay recordings: a payment that takes exactly all of a token may leave dust of a debt,
    a profit the fund cannot pay is dropped, and a profit that still waits blocks deleveraging.
    """

    pool: str
    pnl_bps: int = 8_000
    liquidation_fee_usd: int = 5 * 10**30
    min_position_usd: int = 10**30
    max_positions: int = 10
    private_liquidation: bool = False
    arithmetic: Literal["sound", "reference"] = "sound"

    @property
    def key(self) -> Key:
        """By fund."""
        return (self.pool,)

    @property
    def is_sound(self) -> bool:
        """Whether the reference's three defects are off."""
        return self.arithmetic == "sound"

    def invalid(self) -> str | None:
        """Every close looks at all positions of one account, so their number is bounded."""
        if not 0 <= self.pnl_bps <= BPS:
            return "pnl_bps must be from 0 to 10000"
        return None if 1 <= self.max_positions <= 100 else "max_positions must be from 1 to 100"


class BorrowingClassSettings(Settings, frozen=True):
    """Markets whose reserved liquidity shares one borrowing rate."""

    pool: str
    name: str
    borrowing: ReserveBorrowing

    @property
    def key(self) -> Key:
        """By fund and name."""
        return (self.pool, self.name)

    def invalid(self) -> str | None:
        """As the mechanism says."""
        return self.borrowing.invalid()


class BorrowingClass(Leaf, frozen=True):
    """Accrued borrowing of a class: ``rate`` at 1e18 since the start; USD at 1e30."""

    pool: str
    name: str
    reserve_usd: int = 0
    rate: int = 0
    updated_at: int = 0
    accrued_usd: int = 0
    settled_usd: int = 0

    @property
    def key(self) -> Key:
        """By fund and name."""
        return (self.pool, self.name)

    def broken(self) -> str | None:
        """Reserves are not negative."""
        return "reserve below zero" if self.reserve_usd < 0 else None


class FundMarketSettings(Settings, frozen=True):
    """One market of a fund.

    ``market``: also the asset whose price it follows. ``initial_bps``/``maintenance_bps`` of the size are the margins.
    ``max_profit_bps`` of the initial margin is the most a position can earn; that much is reserved, and
    reaching it closes the position. ``max_long_usd``/``max_short_usd`` bound open interest,
    ``max_trade_usd``/``max_position_usd`` one trade and one position (0: no bound); USD at 1e30.
    ``opening``: increases are allowed. ``listed``: off stops all trading, keepers close what is left.
    """

    pool: str
    market: str
    borrowing_class: str
    initial_bps: int
    maintenance_bps: int
    max_long_usd: int
    max_short_usd: int
    max_profit_bps: int = 90_000
    price: AdaptivePrice = AdaptivePrice()
    fees: SkewFee = SkewFee()
    funding: VelocityFunding = VelocityFunding(max_velocity=0, max_skew_scale=0)
    delay: ProfitDelay = ProfitDelay()
    max_trade_usd: int = 0
    max_position_usd: int = 0
    opening: bool = True
    listed: bool = True

    @property
    def key(self) -> Key:
        """By fund and market."""
        return (self.pool, self.market)

    def invalid(self) -> str | None:
        """Maintenance never exceeds initial margin."""
        if not 0 < self.maintenance_bps <= self.initial_bps <= BPS:
            return "initial_bps must be at least maintenance_bps, and both from 1 to 10000"
        if self.max_profit_bps <= 0:
            return "max_profit_bps must be above zero"
        parts = (self.price, self.fees, self.funding, self.delay)
        return next((fault for part in parts if (fault := part.invalid()) is not None), None)

    def reserve_for(self, size_usd: int) -> int:
        """Most a change of ``size_usd`` can earn (rounded down, reference 6.1 step 11)."""
        return mul_div_down(size_usd, self.initial_bps * self.max_profit_bps, BPS * BPS)


class FundMarket(Leaf, frozen=True):
    """Open interest of a market and what it has accrued.

    Sizes USD at 1e30; ``*_over_entry`` and ``*_square`` are the accumulators of the fund's profit.
    ``funding_rate`` (per day) and ``accrued`` signed at 1e18; ``owed_*``: funding a side still owes (signed
    USD). ``is_open``: the underlying market is open; closed, nobody trades, but keepers still close.
    ``borrowing_class``: where its reserves are; a change of the setting counts from when nothing is open.
    """

    pool: str
    market: str
    long_size: int = 0
    long_over_entry: int = 0
    long_square: int = 0
    short_size: int = 0
    short_over_entry: int = 0
    short_square: int = 0
    funding_rate: int = 0
    accrued: int = 0
    updated_at: int = 0
    owed_long: int = 0
    owed_short: int = 0
    is_open: bool = True
    borrowing_class: str = ""

    @property
    def key(self) -> Key:
        """By fund and market."""
        return (self.pool, self.market)

    @property
    def skew(self) -> int:
        """Long less short open interest, signed."""
        return self.long_size - self.short_size

    def broken(self) -> str | None:
        """Open interest and its accumulators are not negative."""
        longs = min(self.long_size, self.long_over_entry, self.long_square)
        shorts = min(self.short_size, self.short_over_entry, self.short_square)
        return "open interest below zero" if min(longs, shorts) < 0 else None


class CrossAccount(Leaf, frozen=True):
    """One margin account: its open markets and what it owes, USD at 1e30.

    An owner has up to 256, each on its own. The collateral lies on the ledger with ``holder``.
    """

    pool: str
    owner: str
    number: int
    markets: tuple[str, ...] = ()
    trading_debt_usd: int = 0
    borrowing_debt_usd: int = 0
    funding_debt_usd: int = 0
    loss_debt_usd: int = 0

    @property
    def key(self) -> Key:
        """By fund, owner and number."""
        return (self.pool, self.owner, self.number)

    @property
    def holder(self) -> str:
        """Who holds the collateral."""
        return margin_holder(self.pool, self.owner, self.number)

    @property
    def debt_usd(self) -> int:
        """All it owes."""
        return self.trading_debt_usd + self.borrowing_debt_usd + self.funding_debt_usd + self.loss_debt_usd

    def broken(self) -> str | None:
        """No debt is negative."""
        debts = (self.trading_debt_usd, self.borrowing_debt_usd, self.funding_debt_usd, self.loss_debt_usd)
        return "a debt below zero" if min(debts) < 0 else None


def margin_holder(pool: str, owner: str, number: int) -> str:
    """Name of the ledger's holder of an account's collateral."""
    return f"margin:{pool}:{owner}:{number}"


class CrossPosition(Leaf, frozen=True):
    """The one net position of an account in a market.

    ``size`` signed USD at 1e30, ``average_price`` at 1e30, ``reserve_usd`` the most it can earn.
    ``entry_borrowing`` and ``entry_funding`` (signed) at 1e18. ``increased_at``/``increased_size``: the last
    increase. ``realised_usd`` (signed): what partial closes have realised.
    """

    pool: str
    owner: str
    number: int
    market: str
    size: int
    average_price: int
    reserve_usd: int
    entry_borrowing: int
    entry_funding: int
    increased_at: int
    increased_size: int
    realised_usd: int = 0

    @property
    def key(self) -> Key:
        """By account and market."""
        return (self.pool, self.owner, self.number, self.market)

    @property
    def is_long(self) -> bool:
        """Side."""
        return self.size > 0

    @property
    def label(self) -> str:
        """Stable text that identifies it in events."""
        return f"{self.pool}:{self.owner}:{self.number}:{self.market}"

    def broken(self) -> str | None:
        """A position has a size, a price and a bounded profit."""
        return None if self.size and self.average_price > 0 and self.reserve_usd >= 0 else "an empty position"
