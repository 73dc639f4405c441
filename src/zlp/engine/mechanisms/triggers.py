"""When a limit, take-profit or stop-loss at a price executes, in the terms of the order registry (O8)."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Intent: TypeAlias = Literal["open", "take_profit", "stop_loss"]


class Trigger(NamedTuple):
    """The registry's condition: the price must be strictly above, or below, ``price`` (USD 1e30)."""

    price: int
    above: bool


def trigger(intent: Intent, is_long: bool, limit: int) -> Trigger:
    """The condition of an order at ``limit``; the limit itself executes, hence one unit beyond it.

    Opening a long, taking a short's profit and stopping a long's loss wait for the price to fall to the limit;
    the other three wait for it to rise.
    """
    above = is_long != (intent != "take_profit")
    return Trigger(beyond(limit, above), above)


def beyond(limit: int, above: bool) -> int:
    """The registry's price for an order that executes at ``limit`` too: it must be strictly passed, from one side."""
    return limit - 1 if above else limit + 1


def reached(intent: Intent, is_long: bool, price: int, limit: int) -> bool:
    """Whether an order at ``limit`` executes at ``price``."""
    condition = trigger(intent, is_long, limit)
    return price > condition.price if condition.above else price < condition.price


def rests(intent: Intent, is_long: bool, price: int, limit: int) -> bool:
    """Whether an order must wait when it is placed; a stop-loss always does, even where it is already reached."""
    return intent == "stop_loss" or not reached(intent, is_long, price, limit)
