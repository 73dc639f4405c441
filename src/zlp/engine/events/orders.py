"""Facts about orders: their whole life, from placed to filled, failed, cancelled or expired."""

from __future__ import annotations

from zlp.engine.events.base import Event


class OrderPlaced(Event, frozen=True):
    """An order waits; see ``leaves.orders.Order`` for the fields."""

    number: int
    account: str
    action: str
    resting: bool
    trigger_asset: str
    trigger_quote: str
    trigger_price: int
    trigger_above: bool
    fee: int
    expires: int
    client: str


class OrderUpdated(Event, frozen=True):
    """A resting order changed."""

    number: int
    account: str
    action: str
    trigger_price: int
    trigger_above: bool


class OrderExecuted(Event, frozen=True):
    """An order's action ran; its effects are the events before this one."""

    number: int
    account: str
    keeper: str
    fee: int
    client: str


class OrderCancelled(Event, frozen=True):
    """An order ended without running: ``reason`` is cancelled, expired (also by a dead-man switch), or a code."""

    number: int
    account: str
    reason: str
    fee_to: str
    fee: int
    client: str


class CancelScheduled(Event, frozen=True):
    """An account set its dead-man switch to second ``at``, or took it back (0)."""

    account: str
    at: int


class OrderSkipped(Event, frozen=True):
    """A keeper's attempt in a batch changed nothing; the order still waits."""

    number: int
    reason: str
