"""Orders from placing to the end, with every change on the way; of the order book and of trading accounts alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from zlp.engine.codec import wire
from zlp.engine.commands.credit_positions import PlaceCreditOrder
from zlp.engine.events.credit_positions import (
    CreditOrderClosed,
    CreditOrderPlaced,
    SignedOrderDropped,
    SignedOrderFilled,
    SignedOrderHeld,
)
from zlp.engine.events.orders import OrderCancelled, OrderExecuted, OrderPlaced, OrderSkipped, OrderUpdated
from zlp.projections import tables
from zlp.projections.batch import Batch, Place, Row
from zlp.projections.names import Names

STATUS = {
    "cancelled": "cancelled",
    "replaced": "cancelled",
    "voided": "cancelled",
    "expired": "expired",
    "filled": "filled",
}
"""Status by the reason an order ended with; any other reason is the code its action failed with."""


def placed(batch: Batch, names: Names, place: Place, event: OrderPlaced) -> None:  # noqa: ARG001 - handlers are alike
    """An order waits."""
    order = str(event.number)
    kind, market = _described(event.action)
    batch.put(
        tables.orders,
        order=order,
        account=event.account,
        status="waiting",
        kind=kind,
        market=market,
        action=event.action,
        resting=event.resting,
        trigger_asset=event.trigger_asset,
        trigger_quote=event.trigger_quote,
        trigger_price=event.trigger_price,
        trigger_above=event.trigger_above,
        fee=event.fee,
        expires=event.expires,
        client=event.client,
        **_begun(place),
    )
    _change(batch, place, order, event.account, "placed", event.client)


def _begun(place: Place) -> Row:
    return {
        "placed_in": place.sequence,
        "placed_at_ordinal": place.ordinal,
        "placed_at": place.time,
        "changed_in": place.sequence,
    }


def _described(action: str) -> tuple[str, str]:
    """What an order would do, and in which market or token."""
    record = msgspec.json.decode(action)
    path = record.get("path") or [""]
    return record["type"], record.get("market") or record.get("token") or path[-1]


def updated(batch: Batch, names: Names, place: Place, event: OrderUpdated) -> None:  # noqa: ARG001 - handlers are alike
    """A resting order has another trigger or action."""
    row = batch.card(tables.orders, str(event.number))
    if row is not None:
        kind, market = _described(event.action)
        changed = {
            "action": event.action,
            "kind": kind,
            "market": market,
            "trigger_price": event.trigger_price,
            "trigger_above": event.trigger_above,
            "changed_in": place.sequence,
        }
        batch.put(tables.orders, **{**row, **changed})
    _change(batch, place, str(event.number), event.account, "updated", event.action)


def executed(batch: Batch, names: Names, place: Place, event: OrderExecuted) -> None:  # noqa: ARG001 - handlers are alike
    """The order's action ran."""
    _end(batch, place, str(event.number), event.account, "filled", "", event.keeper)


def cancelled(batch: Batch, names: Names, place: Place, event: OrderCancelled) -> None:  # noqa: ARG001 - handlers are alike
    """The order ended without running."""
    _end(batch, place, str(event.number), event.account, STATUS.get(event.reason, "failed"), event.reason, "")


def skipped(batch: Batch, names: Names, place: Place, event: OrderSkipped) -> None:  # noqa: ARG001 - handlers are alike
    """An attempt changed nothing; the order still waits, if there is one of this number."""
    row = batch.card(tables.orders, str(event.number))
    if row is not None:
        _change(batch, place, row["order"], row["account"], "skipped", event.reason)


def credit_placed(batch: Batch, names: Names, place: Place, event: CreditOrderPlaced) -> None:  # noqa: ARG001 - handlers are alike
    """A trading account's market order waits; it has one at a time in a market, so its name is made here."""
    slot = f"{event.trading_account}/{event.market}"
    order = f"{slot}@{place.sequence}.{place.ordinal}"
    action = PlaceCreditOrder(
        trading_account=event.trading_account,
        market=event.market,
        size_delta=event.size_delta,
        acceptable_price=event.acceptable_price,
        reduce_only=event.reduce_only,
    )
    batch.put(
        tables.orders,
        order=order,
        account=event.owner,
        status="waiting",
        kind="PlaceCreditOrder",
        market=event.market,
        action=wire(action).decode(),
        **_begun(place),
    )
    batch.put(tables.credit_orders, slot=slot, order=order)
    _change(batch, place, order, event.owner, "placed", "")


def credit_closed(batch: Batch, names: Names, place: Place, event: CreditOrderClosed) -> None:  # noqa: ARG001 - handlers are alike
    """A trading account's market order is gone."""
    known = batch.card(tables.credit_orders, f"{event.trading_account}/{event.market}")
    if known is not None:
        status = STATUS.get(event.reason, "failed")
        _end(batch, place, known["order"], event.owner, status, "" if status == "filled" else event.reason, "")


def signed_held(batch: Batch, names: Names, place: Place, event: SignedOrderHeld) -> None:  # noqa: ARG001 - handlers are alike
    """A signed order was left with the venue; its digest is its name."""
    action = {"type": "HoldSignedOrder", "market": event.market, "size_delta": str(event.size_delta)}
    batch.put(
        tables.orders,
        order=event.digest,
        account=event.owner,
        status="waiting",
        kind="HoldSignedOrder",
        market=event.market,
        action=msgspec.json.encode(action).decode(),
        resting=True,
        trigger_asset=event.market,
        trigger_price=event.target_price,
        trigger_above=event.size_delta < 0,
        expires=event.expires,
        **_begun(place),
    )
    _change(batch, place, event.digest, event.owner, "placed", "")


def signed_filled(batch: Batch, names: Names, place: Place, event: SignedOrderFilled) -> None:  # noqa: ARG001 - handlers are alike
    """A signed order was filled; the venue may never have kept it."""
    if batch.card(tables.orders, event.digest) is not None:
        _end(batch, place, event.digest, event.owner, "filled", "", place.account)


def signed_dropped(batch: Batch, names: Names, place: Place, event: SignedOrderDropped) -> None:  # noqa: ARG001 - handlers are alike
    """The venue keeps it no longer."""
    _end(batch, place, event.digest, event.owner, STATUS[event.reason], event.reason, "")


def credit_filled(events: Sequence[Any]) -> set[str]:
    """Slots (trading account and market) whose order these events fill; a position there bears the same name."""
    closed = [event for event in events if isinstance(event, CreditOrderClosed) and event.reason == "filled"]
    return {f"{event.trading_account}/{event.market}" for event in closed}


def credit_order(batch: Batch, slot: str) -> str:
    """The order that was last placed in a slot."""
    known = batch.card(tables.credit_orders, slot)
    return "" if known is None else str(known["order"])


def _end(batch: Batch, place: Place, order: str, account: str, status: str, reason: str, keeper: str) -> None:
    row = batch.card(tables.orders, order)
    if row is not None:
        end = {"status": status, "reason": reason, "keeper": keeper, "closed_at": place.time}
        batch.put(tables.orders, **{**row, **end, "changed_in": place.sequence})
    _change(batch, place, order, account, status, reason)


def _change(batch: Batch, place: Place, order: str, account: str, change: str, detail: str) -> None:
    batch.append(tables.order_changes, place, order=order, account=account, change=change, detail=detail)
