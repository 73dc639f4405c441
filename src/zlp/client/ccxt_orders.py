"""How ccxt's orders are meant: which way a trigger points, the worst price, and whether they may only close."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from zlp.client.booking import NotSupported, Trigger
from zlp.client.ccxt_shapes import Shape, exact


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


def limit_of(kind: str, price: Any) -> Decimal | None:
    """The price a limit order must not be filled worse than, with a trigger of its own or without."""
    return exact(price) if kind == "limit" and price is not None else None
