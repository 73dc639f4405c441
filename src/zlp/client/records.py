"""What the venue answers, as typed objects: amounts and prices as ``Decimal``, identifiers and times as ``int``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from zlp.engine import Rejection
from zlp.engine.codec import decode_event, decode_leaf
from zlp.engine.fixed import UINT256

PRECISION = 100
PRICE_DECIMALS = 30


class VenueInfo(msgspec.Struct, frozen=True):
    """Who the venue is, and where its log stands."""

    identity: str
    profile: str
    profile_hash: str
    engine_version: str
    sequence: int
    digest: str
    time: int


class Token(msgspec.Struct, frozen=True):
    """A token. ``supply``: what exists of it inside the venue."""

    symbol: str
    decimals: int
    supply: Decimal
    transferable: bool = True
    native: bool = False
    faucet_limit: int = 0


class Source(msgspec.Struct, frozen=True):
    """One source of a price."""

    source: str
    low: Decimal
    high: Decimal
    time: int
    trusted: bool = True


class Price(msgspec.Struct, frozen=True):
    """An asset's price pair in USD per whole token, as the engine would use it now; ``None`` without a price."""

    asset: str
    status: str
    low: Decimal | None = None
    high: Decimal | None = None
    age_seconds: int = 0
    sources: tuple[Source, ...] = ()


class Balance(msgspec.Struct, frozen=True):
    """What an account holds of one token: whole tokens, and the exact base units."""

    token: str
    amount: Decimal
    units: int


class AccountState(msgspec.Struct, frozen=True):
    """Everything held for an account. Positions, orders and ``other`` are the engine's own leaves."""

    account: str
    sequence: int
    balances: tuple[Balance, ...]
    positions: tuple[Any, ...]
    orders: tuple[Any, ...]
    other: tuple[Any, ...]


class Receipt(msgspec.Struct, frozen=True):
    """What became of a command. ``events`` are the engine's own; ``rejection`` is ``None`` if it was accepted."""

    sequence: int
    time: int
    events: tuple[Any, ...]
    rejection: Rejection | None
    digest: str

    @property
    def accepted(self) -> bool:
        """Whether it changed anything."""
        return self.rejection is None


class Quote(msgspec.Struct, frozen=True):
    """What a command would do."""

    sequence: int
    receipt: Receipt
    balances_after: tuple[Balance, ...]

    @property
    def accepted(self) -> bool:
        """Whether the venue would take it."""
        return self.receipt.accepted


class Message(msgspec.Struct, frozen=True):
    """One message of a stream. A snapshot comes first, and again wherever the past could not be resumed.

    ``data``: the snapshot as plain values; else a ``Receipt``, or a tuple of events.
    """

    channel: str
    id: str
    sequence: int
    is_snapshot: bool
    data: Any


def convert(value: Any, kind: Any) -> Any:
    """Plain JSON values to a typed object; decimal text becomes numbers."""
    return msgspec.convert(value, kind, strict=False)


def receipt(value: Mapping[str, Any]) -> Receipt:
    """A receipt with typed events."""
    rejection = value["rejection"]
    return Receipt(
        sequence=int(value["sequence"]),
        time=int(value["time"]),
        events=tuple(decode_event(msgspec.json.encode(event)) for event in value["events"]),
        rejection=None if rejection is None else convert(rejection, Rejection),
        digest=value["digest"],
    )


def leaves(values: list[Any]) -> tuple[Any, ...]:
    """Typed leaves."""
    return tuple(decode_leaf(msgspec.json.encode(value)) for value in values)


def account_state(value: Mapping[str, Any]) -> AccountState:
    """An account's state."""
    return AccountState(
        account=value["account"],
        sequence=int(value["sequence"]),
        balances=convert(value["balances"], tuple[Balance, ...]),
        positions=leaves(value["positions"]),
        orders=leaves(value["orders"]),
        other=leaves(value["other"]),
    )


def quote(value: Mapping[str, Any]) -> Quote:
    """A quote."""
    after = convert(value["balances_after"], tuple[Balance, ...])
    return Quote(int(value["sequence"]), receipt(value["receipt"]), after)


def to_units(amount: str | int | Decimal, decimals: int) -> int:
    """Whole tokens (``"1.5"``) to base units, exactly. Floats and amounts finer than a base unit are refused."""
    if isinstance(amount, float):
        raise TypeError(f"{amount!r} is a float; give decimal text, as in {str(amount)!r}")
    with localcontext(prec=PRECISION):
        units = Decimal(amount).scaleb(decimals)
        whole = int(units)
        if whole != units:
            raise ValueError(f"{amount} has more than {decimals} decimals")
    if not 0 <= whole < UINT256:
        raise ValueError(f"{amount} is out of range")
    return whole


def from_units(units: int, decimals: int) -> Decimal:
    """Base units to whole tokens, exactly."""
    with localcontext(prec=PRECISION):
        return Decimal(units).scaleb(-decimals)


def price_units(price: str | int | Decimal) -> int:
    """USD per whole token (``"1800.25"``) to the engine's integer at 1e30."""
    return to_units(price, PRICE_DECIMALS)
