"""How ccxt's orders become commands: which way a trigger points, and what goes into the order book."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from zlp.client.ccxt_shapes import Shape, exact
from zlp.client.faults import VenueError
from zlp.client.records import Receipt, price_units
from zlp.engine.codec import canonical, decode_command
from zlp.engine.commands.base import Command
from zlp.engine.commands.orders import PlaceOrder
from zlp.engine.events.credit_positions import CreditOrderPlaced
from zlp.engine.events.orders import OrderPlaced
from zlp.engine.leaves.orders import OrderSettings


class NotSupported(VenueError):  # noqa: N818 - ccxt's own name for it
    """This venue's design has no such order."""


class Trigger(NamedTuple):
    """The price an order waits for, and whether from below."""

    price: Decimal
    above: bool


def trigger_of(kind: str, side: str, price: Any, params: Shape) -> Trigger | None:
    """What an order waits for; ``None`` for a market order.

    A limit and a take-profit wait for a better price: below for a buyer, above for a seller. A stop and a stop-loss
    wait for a worse one.
    """
    buys = side == "buy"
    worse, better = buys, not buys
    for name, above in (
        ("stopLossPrice", worse),
        ("takeProfitPrice", better),
        ("triggerPrice", worse),
        ("stopPrice", worse),
    ):
        if params.get(name) is not None:
            return Trigger(exact(params[name]), above)
    if kind == "limit":
        if price is None:
            raise NotSupported("a limit order needs a price")
        return Trigger(exact(price), better)
    if kind != "market":
        raise NotSupported(
            "types are market and limit; triggers are params: triggerPrice, stopLossPrice, takeProfitPrice"
        )
    return None


def reduces(params: Shape) -> bool:
    """Whether an order may only close."""
    return bool(params.get("reduceOnly") or params.get("stopLossPrice") or params.get("takeProfitPrice"))


def checked(rows: list[Shape], account: str) -> list[Command]:
    """The venue's proposal as commands; nothing is signed that would pay anybody else or do more than trade."""
    commands = [decode_command(_text(row)) for row in rows]
    for command in commands:
        if command.scope != "trade" or getattr(command, "to", "") not in ("", account):
            raise VenueError(f"the venue proposes {command!r}: that is no trade of one's own, and is not signed")
    return commands


def _text(row: Shape) -> bytes:
    return canonical(row)


def booked(
    command: Command, asset: str, trigger: Trigger | None, settings: OrderSettings | None, client: str
) -> Command:
    """The command itself where it may run at once, else an order that carries it."""
    if not command.orderable or settings is None:
        if trigger is not None:
            raise NotSupported(
                f"{type(command).__name__} can't wait for a price at this venue; watch the price instead"
            )
        return command
    if trigger is None and type(command).__name__ in settings.immediate:
        return command
    order: Shape = {"action": canonical(command).decode(), "fee": settings.minimum_fee, "client": client}
    if trigger is not None:
        price = price_units(trigger.price)
        order |= {"resting": True, "trigger_asset": asset, "trigger_price": price, "trigger_above": trigger.above}
    return PlaceOrder(**order)


def placed(receipt: Receipt) -> Shape:
    """Identity and state of what was sent: an order that waits, or a command that ran at once."""
    for ordinal, event in enumerate(receipt.events):
        if isinstance(event, OrderPlaced):
            return {"id": str(event.number), "status": "open", "info": receipt}
        if isinstance(event, CreditOrderPlaced):
            name = f"{event.trading_account}/{event.market}@{receipt.sequence}.{ordinal}"
            return {"id": name, "status": "open", "info": receipt}
    return {"id": str(receipt.sequence), "status": "closed", "info": receipt}
