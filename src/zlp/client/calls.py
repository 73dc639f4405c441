"""Every call of the API once: what is sent, and how the answer is read. Both clients run these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from zlp.client import records
from zlp.client.faults import Refused, Unreachable
from zlp.engine.codec import plain
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import SignedOrder

T = TypeVar("T")


class Call(NamedTuple, Generic[T]):
    """One request, and what turns its JSON into an object. ``body`` makes it a POST."""

    path: str
    read: Callable[[Any], T]
    body: bytes | None = None
    query: dict[str, str] | None = None


def answer(call: Call[T], status: int, content: bytes) -> T:
    """The object of an answer, or ``Refused``; ``Unreachable`` for what no venue says."""
    try:
        value = msgspec.json.decode(content)
    except msgspec.DecodeError:
        raise Unreachable(f"{call.path}: status {status}, and no JSON") from None
    if status == 200:
        return call.read(value)
    raise Refused(status, value if isinstance(value, dict) else {})


def should_repeat(status: int) -> bool:
    """Whether the same bytes may succeed in a moment. Repeating an intent is safe: it is done once."""
    return status in (429, 503)


def venue() -> Call[records.VenueInfo]:
    """Who the venue is."""
    return Call("/v1/venue", lambda value: records.convert(value, records.VenueInfo))


def tokens() -> Call[dict[str, records.Token]]:
    """Tokens by symbol."""
    return Call(
        "/v1/tokens", lambda value: {row["symbol"]: records.convert(row, records.Token) for row in value["items"]}
    )


def prices() -> Call[dict[str, records.Price]]:
    """Prices by asset."""
    return Call(
        "/v1/prices", lambda value: {row["asset"]: records.convert(row, records.Price) for row in value["items"]}
    )


def account(name: str) -> Call[records.AccountState]:
    """All that is held for an account."""
    return Call(f"/v1/accounts/{name}", records.account_state)


def receipt(sequence: int) -> Call[records.Receipt]:
    """The receipt at a sequence."""
    return Call(f"/v1/receipts/{sequence}", lambda value: records.receipt(value["receipt"]))


def intent(name: str, client_id: str) -> Call[records.Receipt]:
    """What became of an intent, by client id or nonce."""
    return Call(f"/v1/accounts/{name}/intents/{client_id}", lambda value: records.receipt(value["receipt"]))


def leaves(kind: str, after: str) -> Call[tuple[tuple[Any, ...], str | None]]:
    """A page of leaves of one kind, and the cursor of the next."""
    query = {"limit": "1000", "after": after}
    return Call(f"/v1/leaves/{kind}", lambda value: (records.leaves(value["items"]), value["next"]), query=query)


def receipts(after: int) -> Call[tuple[tuple[records.Receipt, ...], str | None]]:
    """A page of the log, and the cursor of the next."""
    query = {"limit": "1000", "after": str(after)}
    return Call(
        "/v1/receipts",
        lambda value: (tuple(records.receipt(item["receipt"]) for item in value["items"]), value["next"]),
        query=query,
    )


def command(body: bytes) -> Call[records.Receipt]:
    """A signed command."""
    return Call("/v1/command", records.receipt, body)


def commands(body: bytes) -> Call[tuple[records.Receipt, ...]]:
    """A signed batch."""
    return Call("/v1/commands", lambda value: tuple(records.receipt(each) for each in value["receipts"]), body)


def hand_in(order: SignedOrder, expires: int) -> Call[Any]:
    """An order that was signed away from the venue."""
    fields = plain(order)
    fields["signature"] = fields.pop("evidence")
    del fields["signer"]
    return Call("/v1/signed-orders", lambda value: value, msgspec.json.encode({**fields, "expires": str(expires)}))


def quote(name: str, asked: Command) -> Call[records.Quote]:
    """What a command would do."""
    body = msgspec.json.encode({"account": name, "command": plain(asked)})
    return Call("/v1/quote", records.quote, body)


def get(path: str, **query: str) -> Call[Any]:
    """Any read, as plain JSON values (the read model's pages, for example)."""
    return Call(path, lambda value: value, query=query or None)
