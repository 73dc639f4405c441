"""Facts about trading accounts on the vaults' credit; position changes are in ``events.trading``."""

from __future__ import annotations

from zlp.engine.commands.base import Signed
from zlp.engine.events.base import Event


class TradingAccountOpened(Event, frozen=True):
    """A new account."""

    trading_account: int
    owner: str


class TradingAccountTransferred(Event, frozen=True):
    """An account changed its owner."""

    trading_account: int
    owner: str
    previous: str


class MarginChanged(Event, frozen=True):
    """Margin was added (positive) or removed by its owner."""

    trading_account: int
    token: str
    change: Signed


class CreditOrderPlaced(Event, frozen=True):
    """A market order waits for a keeper; see ``commands.credit_positions.PlaceCreditOrder`` for the fields."""

    trading_account: int
    owner: str
    market: str
    size_delta: Signed
    acceptable_price: int
    reduce_only: bool


class CreditOrderClosed(Event, frozen=True):
    """A pending order is gone: ``reason`` is filled, cancelled, replaced, expired, liquidated or no_position."""

    trading_account: int
    owner: str
    market: str
    reason: str


class SignedOrderHeld(Event, frozen=True):
    """A signed order was left with the venue; see ``leaves.credit_positions.HeldOrder`` for the fields."""

    digest: str
    owner: str
    trading_account: int
    market: str
    size_delta: Signed
    target_price: int
    expires: int


class SignedOrderFilled(Event, frozen=True):
    """A signed order was filled, whoever handed it in; its effects are the events before this one."""

    digest: str
    owner: str
    trading_account: int
    market: str


class SignedOrderDropped(Event, frozen=True):
    """The venue keeps a signed order no longer: ``reason`` is voided or expired."""

    digest: str
    owner: str
    trading_account: int
    market: str
    reason: str


class SignedOrderSkipped(Event, frozen=True):
    """A signed order was left out of a batch; ``code`` says why, it stays valid."""

    trading_account: int
    market: str
    code: str


class SignedOrdersVoided(Event, frozen=True):
    """Signed orders must carry ``nonce`` from now on."""

    trading_account: int
    nonce: int


class ShortfallForgiven(Event, frozen=True):
    """An account could not pay what it lost; the market's vaults bear it."""

    trading_account: int
    market: str
    shortfall_usd: int
