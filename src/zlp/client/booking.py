"""From what the venue's desk proposes to what is signed: checked, guarded by a price, booked as an order or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from zlp.client.faults import VenueError
from zlp.client.records import PRECISION, PRICE_DECIMALS, Receipt, price_units
from zlp.engine.codec import canonical, decode_command
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import CancelCreditOrder, CancelSignedOrders
from zlp.engine.commands.orders import CancelOrder, PlaceOrder
from zlp.engine.events.credit_positions import CreditOrderPlaced
from zlp.engine.events.orders import OrderPlaced
from zlp.engine.leaves.credit_positions import CreditOrder, HeldOrder
from zlp.engine.leaves.orders import Order, OrderSettings
from zlp.engine.mechanisms.triggers import beyond

Row = dict[str, Any]


class NotSupported(VenueError):  # noqa: N818 - ccxt's own name for it
    """This venue's design has no such order."""


class Trigger(NamedTuple):
    """The price at which an order executes, or at any better one; and whether it is awaited from below."""

    price: Decimal
    above: bool


def checked(rows: list[Row], account: str) -> list[Command]:
    """The venue's proposal as commands; nothing is signed that would pay anybody else or do more than trade."""
    commands = [decode_command(canonical(row)) for row in rows]
    for command in commands:
        if command.scope != "trade" or getattr(command, "to", "") not in ("", account):
            raise VenueError(f"the venue proposes {command!r}: that is no trade of one's own, and is not signed")
    return commands


def guarded(command: Command, limit: Decimal | None) -> Command:
    """The command with the worst price it may run at; as it is without a limit, or where a command has none."""
    if limit is None or "acceptable_price" not in command.__struct_fields__:
        return command
    return replace(command, acceptable_price=price_units(limit))


def worst(price: str, slippage: str, *, buys: bool) -> Decimal:
    """The worst price one accepts: ``slippage`` percent above it for who buys, below it for who sells."""
    part = Decimal(slippage) / 100
    if not 0 <= part < 1:
        raise VenueError("a price may move by 0 to less than 100 percent")
    with localcontext(prec=PRECISION, rounding=ROUND_DOWN):
        return (Decimal(price) * (1 + part if buys else 1 - part)).quantize(Decimal(1).scaleb(-PRICE_DECIMALS))


def booked(
    command: Command, asset: str, trigger: Trigger | None, settings: OrderSettings | None, client: str
) -> Command:
    """The command itself where it may run at once, else an order that carries it."""
    if not command.orderable or settings is None:
        if trigger is not None:
            raise NotSupported(f"{type(command).__name__} can't wait for a price at this venue")
        return command
    if trigger is None and type(command).__name__ in settings.immediate:
        return command
    order: Row = {"action": canonical(command).decode(), "fee": settings.minimum_fee, "client": client}
    if trigger is not None:
        price = beyond(price_units(trigger.price), trigger.above)
        order |= {"resting": True, "trigger_asset": asset, "trigger_price": price, "trigger_above": trigger.above}
    return PlaceOrder(**order)


def placed(receipt: Receipt) -> Row:
    """Identity and state of what was sent: an order that waits, or a command that ran at once."""
    for ordinal, event in enumerate(receipt.events):
        if isinstance(event, OrderPlaced):
            return {"id": str(event.number), "status": "open", "info": receipt}
        if isinstance(event, CreditOrderPlaced):
            name = f"{event.trading_account}/{event.market}@{receipt.sequence}.{ordinal}"
            return {"id": name, "status": "open", "info": receipt}
    return {"id": str(receipt.sequence), "status": "closed", "info": receipt}


def cancelling(number: str) -> Command:
    """What takes the order of this name back; one without a number is its trading account's pending one."""
    slot = number.partition("/")[0]
    return CancelOrder(number=int(number)) if slot == number else CancelCreditOrder(trading_account=int(slot))


def cancelling_all(leaves: Iterable[Any], market: str = "") -> list[Command]:
    """What takes back every order among an account's leaves, or those of one market.

    Signed orders can only be voided together, whatever they are for: they end where all orders are meant.
    """
    found: list[Command] = []
    for leaf in leaves:
        if isinstance(leaf, Order) and market in ("", msgspec.json.decode(leaf.action).get("market", "")):
            found.append(CancelOrder(number=leaf.number))
        elif isinstance(leaf, CreditOrder) and market in ("", leaf.market):
            found.append(CancelCreditOrder(trading_account=leaf.account))
        elif isinstance(leaf, HeldOrder) and not market:
            found.append(CancelSignedOrders(trading_account=leaf.trading_account))
    return list(dict.fromkeys(found))


def batches(commands: list[Command], most: int) -> Iterator[list[Command]]:
    """Commands in groups that one signature may carry."""
    for start in range(0, len(commands), most):
        yield commands[start : start + most]
