"""Facts about margin accounts. Values are USD at 1e30."""

from __future__ import annotations

from zlp.engine.events.base import Event


class MarginDeposited(Event, frozen=True):
    """Collateral entered an account."""

    pool: str
    owner: str
    account: int
    token: str
    amount: int


class MarginWithdrawn(Event, frozen=True):
    """Collateral left an account."""

    pool: str
    owner: str
    account: int
    token: str
    amount: int


class DebtChanged(Event, frozen=True):
    """What an account owes, after a settlement left something unpaid or paid something old."""

    pool: str
    owner: str
    account: int
    trading_usd: int
    borrowing_usd: int
    funding_usd: int
    loss_usd: int


class DebtForgiven(Event, frozen=True):
    """A liquidation erased what the account could not pay; the fund bears it."""

    pool: str
    owner: str
    account: int
    trading_usd: int
    borrowing_usd: int
    funding_usd: int
    loss_usd: int


class PositionSkipped(Event, frozen=True):
    """A deleverage left this position alone, for the reason that would have refused closing it."""

    pool: str
    owner: str
    account: int
    market: str
    reason: str


class MarketOpenSet(Event, frozen=True):
    """The underlying market opened or closed."""

    pool: str
    market: str
    is_open: bool
