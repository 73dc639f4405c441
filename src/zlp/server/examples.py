"""What the API's description shows as examples of requests, and what a venue answered to them."""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec

ALICE, BOB = "0x" + "a11ce".zfill(40), "0x" + "b0b".zfill(40)
PAYMENT = {"type": "Transfer", "token": "USDC", "to": BOB, "amount": "1500000"}
OPENING = {
    "type": "IncreasePosition",
    "pool": "main",
    "market": "ETH",
    "collateral": "ETH",
    "is_long": True,
    "amount": "1000000000000000000",
    "size_delta": "5000" + "0" * 30,
}
SIGNED = {
    "nonce": "1795856043123",
    "deadline": "1795856103",
    "signature": "0x" + "00" * 65,
    "client_id": "rent-november",
}
BODIES: dict[str, dict[str, Any]] = {
    "SignedCommand": {"account": ALICE, "command": PAYMENT, **SIGNED},
    "SignedCommands": {"account": ALICE, "commands": [PAYMENT, PAYMENT], **SIGNED},
    "UnsignedCommand": {"account": ALICE, "command": OPENING},
    "UnsignedCommands": {"account": ALICE, "commands": [OPENING]},
    "HandedIn": {
        "trading_account": "1",
        "market": "ETH",
        "size_delta": "1" + "0" * 18,
        "target_price": "1900" + "0" * 30,
        "nonce": "0",
        "salt": "first",
        "signature": SIGNED["signature"],
        "expires": "1795942503",
    },
}
"""By the name of the body's struct."""

IN_PATH = {
    "account": ALICE,
    "asset": "ETH",
    "client_id": "rent-november",
    "fraction": "5000",
    "kind": "trades.csv",
    "number": "1",
    "pool": "main",
    "side": "long",
    "symbol": "ETH",
    "token": "ETH",
    "way": "add",
}
"""By the name of the parameter."""

POSITION = f"main/{ALICE}/ETH/ETH/long"
IN_QUERY: dict[str, dict[str, str]] = {
    "/v1/desk/positions": {"account": ALICE},
    "/v1/desk/open/{side}": {"pool": "main", "market": "ETH", "token": "ETH", "amount": "1", "size": "5000"},
    "/v1/desk/close/{fraction}": {"position": POSITION},
    "/v1/desk/margin/{way}": {"position": POSITION, "amount": "0.5"},
    "/v1/desk/idle": {"position": POSITION},
    "/v1/pools/{pool}/returns/history": {"step": "60"},
}
"""By path, where a request makes no sense without."""

ANSWERS: dict[str, Any] = msgspec.json.decode(resources.files("zlp.server").joinpath("answers.json").read_bytes())
"""Recorded by ``tests/server/answers.py``, by method and path; the test beside it holds their shapes. Lists are cut."""
