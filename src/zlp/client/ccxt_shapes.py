"""What the venue answers, in the shapes ccxt's users know. Floats are made here, at the very end, and go nowhere else.

Every shape keeps the venue's own row, exact, under ``info``.
"""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Any

import msgspec

from zlp.engine.commands import COMMANDS

Shape = dict[str, Any]
TIMEFRAMES = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "1d": 86_400}
STATUS = {"waiting": "open", "filled": "closed", "cancelled": "canceled", "expired": "expired", "failed": "rejected"}
PRECISION = 100


def exact(value: Any) -> Decimal:
    """A bot's number exactly as it is written: 0.1 is 0.1. ``ValueError`` for what is no positive number."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"{value!r} is not an amount")
    return number


def text(value: Decimal, places: int) -> str:
    """Decimal text with at most ``places`` decimals, rounded down."""
    with localcontext(prec=PRECISION):
        return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_DOWN):f}"


def divided(value: Any, by: Any) -> Decimal:
    """The quotient to a hundred digits, 0 by 0."""
    with localcontext(prec=PRECISION):
        return Decimal(value) / Decimal(by) if Decimal(by) else Decimal(0)


def iso(milliseconds: int) -> str:
    """The moment as ccxt writes it."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(milliseconds / 1_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1_000:03d}Z"


def stamped(seconds: Any) -> Shape:
    """``timestamp`` and ``datetime``."""
    milliseconds = int(seconds) * 1_000
    return {"timestamp": milliseconds, "datetime": iso(milliseconds)}


def market(row: Shape, stables: list[str]) -> Shape:
    """A linear swap with a contract size of one coin, settled in the first stable that backs shorts."""
    accepted = row["short_collaterals"]
    settle = next((token for token in accepted if token in stables), accepted[0] if accepted else "USD")
    symbol = f"{row['market']}/USD:{settle}"
    leverage = divided(row["max_leverage_bps"], 10_000)
    return {
        "id": row["market"],
        "symbol": symbol,
        "base": row["market"],
        "quote": "USD",
        "settle": settle,
        "baseId": row["market"],
        "quoteId": "USD",
        "settleId": settle,
        "type": "swap",
        "spot": False,
        "margin": False,
        "swap": True,
        "future": False,
        "option": False,
        "contract": True,
        "active": True,
        "linear": True,
        "inverse": False,
        "contractSize": 1.0,
        "expiry": None,
        "expiryDatetime": None,
        "strike": None,
        "optionType": None,
        "precision": {"amount": 1e-18, "price": 1e-18},
        "limits": {
            "leverage": {"min": 1.0, "max": float(leverage) or None},
            **{name: {"min": None, "max": None} for name in ("amount", "price", "cost")},
        },
        "info": row,
    }


def ticker(symbol: str, row: Shape, hours: list[Shape], seconds: int) -> Shape:
    """Bid and ask are the two ends of the price; the day's figures are of the last 24 hourly candles."""
    last = hours[-1]["close"] if hours else row["high"]
    opened = hours[0]["open"] if hours else last
    change = Decimal(last) - Decimal(opened)
    quote = sum((Decimal(hour["volume_usd"]) for hour in hours), Decimal(0))
    return {
        "symbol": symbol,
        **stamped(seconds),
        "bid": float(row["low"]),
        "ask": float(row["high"]),
        "bidVolume": None,
        "askVolume": None,
        "open": float(opened),
        "high": float(max((Decimal(hour["high"]) for hour in hours), default=Decimal(last))),
        "low": float(min((Decimal(hour["low"]) for hour in hours), default=Decimal(last))),
        "close": float(last),
        "last": float(last),
        "previousClose": None,
        "change": float(change),
        "percentage": float(divided(change * 100, opened)),
        "average": float((Decimal(last) + Decimal(opened)) / 2),
        "vwap": None,
        "baseVolume": float(divided(quote, last)),
        "quoteVolume": float(quote),
        "info": row,
    }


def candle(row: Shape) -> list[float]:
    """ccxt's list: milliseconds, open, high, low, close, volume in coins."""
    prices = [float(row[name]) for name in ("open", "high", "low", "close")]
    return [int(row["start"]) * 1_000, *prices, float(divided(row["volume_usd"], row["close"]))]


def trade(row: Shape, symbol: str | None) -> Shape:
    """One fill."""
    return {
        "id": f"{row['sequence']}.{row['ordinal']}",
        "order": row["order"] or None,
        **stamped(row["time"]),
        "symbol": symbol,
        "type": None,
        "side": row["side"] or None,
        "takerOrMaker": "taker",
        "price": float(row["price"]),
        "amount": float(divided(row["traded_usd"], row["price"])),
        "cost": float(row["traded_usd"]),
        "fee": {"cost": float(row["fee_usd"]), "currency": "USD"},
        "info": row,
    }


def payment(row: Shape, symbol: str | None) -> Shape:
    """Funding or borrowing; ccxt counts what was received as positive."""
    return {
        "id": f"{row['sequence']}.{row['ordinal']}",
        **stamped(row["time"]),
        "symbol": symbol,
        "code": "USD",
        "amount": -float(row["paid_usd"]),
        "info": row,
    }


def position(row: Shape, symbol: str | None, seconds: int) -> Shape:
    """An open position. ``contracts`` are coins."""
    size, collateral = Decimal(row["size_usd"]), Decimal(row["collateral_usd"])
    liquidation = float(row["liquidation_price"])
    return {
        "id": row["position"],
        "symbol": symbol,
        **stamped(seconds),
        "contracts": float(row["coins"]),
        "contractSize": 1.0,
        "side": "long" if row["is_long"] else "short",
        "notional": float(size),
        "entryPrice": float(row["entry_price"]),
        "markPrice": float(row["mark_price"]),
        "collateral": float(collateral),
        "initialMargin": float(collateral) or None,
        "leverage": float(divided(size, collateral)) or None,
        "unrealizedPnl": float(row["pnl_usd"]),
        "percentage": float(divided(Decimal(row["pnl_usd"]) * 100, collateral)) if collateral else None,
        "liquidationPrice": liquidation or None,
        "marginMode": "isolated" if collateral else "cross",
        "hedged": bool(collateral),
        "info": row,
    }


def margin(row: Shape, symbol: str, kind: str, amount: Decimal, unit: str, seconds: int) -> Shape:
    """A change of what backs a position; ``code`` is what ``amount`` is counted in."""
    return {
        "symbol": symbol,
        "type": kind,
        "marginMode": "isolated" if row["collateral"] else "cross",
        "amount": float(amount),
        "total": None,
        "code": unit,
        "status": "ok",
        **stamped(seconds),
    }


def order(row: Shape, symbol: str | None) -> Shape:
    """An order of the read model. ccxt's ``reduceOnly`` is the action's own nature here."""
    action = msgspec.json.decode(row["action"])
    trigger = float(row["trigger_price"]) if row["trigger_asset"] else None
    status = STATUS[row["status"]]
    return {
        "id": row["order"],
        "clientOrderId": row["client"] or None,
        **stamped(row["placed_at"]),
        "lastTradeTimestamp": int(row["closed_at"]) * 1_000 if status == "closed" else None,
        "symbol": symbol,
        "type": "limit" if row["resting"] else "market",
        "timeInForce": "GTC" if row["resting"] else "IOC",
        "side": side_of(action),
        "price": trigger,
        "triggerPrice": trigger,
        "amount": None,
        "cost": None,
        "average": None,
        "filled": None,
        "remaining": 0.0 if status == "closed" else None,
        "status": status,
        "reduceOnly": reduces(action),
        "fee": None,
        "trades": [],
        "info": row,
    }


def reduces(action: Shape) -> bool:
    """Whether an action can only make a position smaller: by what it says, or by its nature."""
    command = COMMANDS[action["type"]]
    if "reduce_only" in command.__struct_fields__:
        return bool(action.get("reduce_only"))
    return command.orderable and command.reduces_risk and command.scope == "trade"


def filled(shape: Shape, trades: list[Shape]) -> Shape:
    """An order with the fills that belong to it."""
    own = [each for each in trades if each["order"] == shape["id"]]
    if not own:
        return shape
    amount, cost = math.fsum(each["amount"] for each in own), math.fsum(each["cost"] for each in own)
    figures = {"amount": amount, "filled": amount, "remaining": 0.0, "cost": cost}
    side = shape["side"] or own[0]["side"]
    return {**shape, **figures, "average": cost / amount if amount else None, "side": side, "trades": own}


def side_of(action: Shape) -> str | None:
    """Buy or sell, where the action itself says so."""
    if "size_delta" in action and "is_long" not in action:
        return "sell" if str(action["size_delta"]).startswith("-") else "buy"
    if "is_long" in action:
        enters = not action["type"].startswith(("Decrease", "Close"))
        return "buy" if enters == action["is_long"] else "sell"
    return None
