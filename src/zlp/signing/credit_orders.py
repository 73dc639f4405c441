"""Limit orders signed away from the venue: the message their owner signs, and who signed one.

The EIP-712 type is ``CreditOrder(uint256 tradingAccount,string market,int256 sizeDelta,uint256 targetPrice,bool
increaseNonce,uint256 nonce,string salt)``, under the same domain as intents. Sizes are at 1e18, prices at 1e30. The
engine trusts the ``signer`` an order names; the edge must have recovered it here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import FillSignedOrders, HoldSignedOrder, SignedOrder
from zlp.signing.intent import VERSION, WORD, keccak
from zlp.signing.keys import SignatureRefused, recover

FIELDS = (
    ("tradingAccount", "uint256"),
    ("market", "string"),
    ("sizeDelta", "int256"),
    ("targetPrice", "uint256"),
    ("increaseNonce", "bool"),
    ("nonce", "uint256"),
    ("salt", "string"),
)
ORDER_TYPE = f"CreditOrder({','.join(f'{kind} {name}' for name, kind in FIELDS)})"
_ORDER_HASH = keccak(ORDER_TYPE.encode())


def order_digest(separator: bytes, order: SignedOrder) -> bytes:
    """The 32 bytes the owner of an order signs for the venue of ``separator``."""
    body = b"".join(
        (
            _ORDER_HASH,
            order.trading_account.to_bytes(WORD, "big"),
            keccak(order.market.encode()),
            order.size_delta.to_bytes(WORD, "big", signed=True),
            order.target_price.to_bytes(WORD, "big"),
            int(order.increase_nonce).to_bytes(WORD, "big"),
            order.nonce.to_bytes(WORD, "big"),
            keccak(order.salt.encode()),
        )
    )
    return keccak(b"\x19\x01" + separator + keccak(body))


def order_typed_data(identity: str, order: SignedOrder) -> dict[str, Any]:
    """The same message as wallets take it (``eth_signTypedData_v4``)."""
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
            "CreditOrder": [{"name": name, "type": kind} for name, kind in FIELDS],
        },
        "primaryType": "CreditOrder",
        "domain": {"name": identity, "version": VERSION},
        "message": {
            "tradingAccount": str(order.trading_account),
            "market": order.market,
            "sizeDelta": str(order.size_delta),
            "targetPrice": str(order.target_price),
            "increaseNonce": order.increase_nonce,
            "nonce": str(order.nonce),
            "salt": order.salt,
        },
    }


def signed_orders(command: Command) -> Iterable[SignedOrder]:
    """The signed orders a command carries."""
    if isinstance(command, FillSignedOrders):
        return command.orders
    return (command.order,) if isinstance(command, HoldSignedOrder) else ()


def order_signer(separator: bytes, order: SignedOrder) -> str:
    """The address whose signature an order's evidence is."""
    try:
        evidence = bytes.fromhex(order.evidence.removeprefix("0x"))
        return recover(order_digest(separator, order), evidence)
    except SignatureRefused:
        raise
    except (ValueError, OverflowError) as fault:
        raise SignatureRefused("signature_malformed", f"order {order.salt}: {fault}") from None


def require_signers(separator: bytes, command: Command) -> None:
    """Refuse a command in which an order's evidence was not signed by the signer it names."""
    for order in signed_orders(command):
        signer = order_signer(separator, order)
        if signer != order.signer:
            raise SignatureRefused(
                "signature_malformed", f"order {order.salt} names {order.signer}, signed by {signer}"
            )
