"""The best bid and ask in the messages of Bybit and MEXC, from their text: one pure reader per exchange.

Sources: Bybit v5 public order book (depth 1), MEXC spot v3 aggregated book ticker (protobuf, decoded to a
dictionary by ccxt). Both send numbers as strings; a JSON number would have passed through a float and is refused.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from zlp.oracle.decimal_text import PRICE_DECIMALS, PriceTextError, amount_from_text, price_from_text
from zlp.oracle.observation import FeedError

QUANTITY_DECIMALS = PRICE_DECIMALS
QUANTITY_SCALE = 10**QUANTITY_DECIMALS
BYBIT_TOPIC = "orderbook.1."


class MessageError(FeedError):
    """A message is not in its exchange's documented form, or carries an impossible price."""


class Quote(msgspec.Struct, frozen=True):
    """The top of one order book: prices at 1e30, quantities of the base token at 1e30, exchange time in ms.

    `update` is the exchange's number of the message where it has one.
    """

    market_id: str
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    at_ms: int
    update: int

    @property
    def middle(self) -> int:
        """Half way between bid and ask, rounded down."""
        return (self.bid + self.ask) // 2

    @property
    def depth(self) -> int:
        """The value offered at both sides together, at 1e30 in the quote asset, rounded down."""
        return int((self.bid * self.bid_quantity + self.ask * self.ask_quantity) // QUANTITY_SCALE)


class Reader(Protocol):
    """Reads the messages of one connection to one exchange."""

    def market_of(self, message: Any) -> str | None:
        """The market whose quote a message carries; None for every other message."""

    def quote(self, message: Any) -> Quote | None:
        """The quote of such a message; None if it repeats or was overtaken. Raises `MessageError`."""


class BybitReader:
    """Keeps the one level of each book that Bybit sends, so that its changes can be applied too.

    An unchanged book is sent again every three seconds with a new time: that is news, the price still holds.
    """

    def __init__(self) -> None:
        self._sides: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
        self._last: dict[str, tuple[int, int]] = {}

    def market_of(self, message: Any) -> str | None:
        topic = message.get("topic") if isinstance(message, dict) else None
        return topic.removeprefix(BYBIT_TOPIC) if isinstance(topic, str) and topic.startswith(BYBIT_TOPIC) else None

    def quote(self, message: Any) -> Quote | None:
        market_id, data = self.market_of(message) or "", message.get("data")
        if not isinstance(data, dict) or data.get("s") != market_id:
            raise MessageError("the data is not that of the topic")
        snapshot = message.get("type") == "snapshot"
        at_ms, update = _integer(message.get("ts")), _integer(data.get("u"))
        last_ms, last_update = self._last.get(market_id, (-1, -1))
        if at_ms < last_ms or (at_ms == last_ms and update <= last_update):
            return None
        if not snapshot and market_id not in self._sides:
            raise MessageError("a change came before the first snapshot")
        sides: tuple[dict[int, int], dict[int, int]] = ({}, {}) if snapshot else self._sides[market_id]
        for side, name in zip(sides, ("b", "a"), strict=True):
            _apply(side, data.get(name))
        if not all(sides):
            raise MessageError("one side of the book is empty")
        self._sides[market_id], self._last[market_id] = sides, (at_ms, update)
        bid, ask = max(sides[0]), min(sides[1])
        return _checked(Quote(market_id, bid, sides[0][bid], ask, sides[1][ask], at_ms, update))


class MexcReader:
    """Reads book tickers after ccxt decoded their protobuf into a dictionary; each is whole in itself."""

    def __init__(self) -> None:
        self._last: dict[str, Quote] = {}

    def market_of(self, message: Any) -> str | None:
        if not isinstance(message, dict) or "publicAggreBookTicker" not in message:
            return None
        return str(message.get("symbol", ""))

    def quote(self, message: Any) -> Quote | None:
        data = message["publicAggreBookTicker"]
        if not isinstance(data, dict):
            raise MessageError("a book ticker has no data")
        quote = Quote(
            self.market_of(message) or "",
            _price(data.get("bidPrice")),
            _quantity(data.get("bidQuantity")),
            _price(data.get("askPrice")),
            _quantity(data.get("askQuantity")),
            _integer(message.get("sendTime")),
            0,
        )
        last = self._last.get(quote.market_id)
        if last is not None and (quote.at_ms < last.at_ms or quote == last):
            return None
        self._last[quote.market_id] = quote
        return _checked(quote)


def refusal_of(message: Any) -> str:
    """What a MEXC acknowledgement refuses (it reports failures with code 0), or an empty string."""
    text = message.get("msg", "") if isinstance(message, Mapping) else ""
    return text if isinstance(text, str) and text.startswith("Not Subscribed") else ""


def _apply(side: dict[int, int], levels: Any) -> None:
    if not isinstance(levels, list):
        raise MessageError("a side of the book is not a list")
    for level in levels:
        if not isinstance(level, list) or len(level) != 2:
            raise MessageError("a level of the book is not a price and a quantity")
        price, quantity = _price(level[0]), _quantity(level[1])
        side.pop(price, None)
        if quantity:
            side[price] = quantity


def _checked(quote: Quote) -> Quote:
    if quote.bid > quote.ask:
        raise MessageError("the bid is above the ask")
    return quote


def _price(value: Any) -> int:
    try:
        return price_from_text(_text(value))
    except PriceTextError as error:
        raise MessageError(str(error)) from error


def _quantity(value: Any) -> int:
    try:
        return amount_from_text(_text(value), QUANTITY_DECIMALS)
    except PriceTextError as error:
        raise MessageError(str(error)) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{value!r} is not text; a number that was parsed as a float is not used")
    return value


def _integer(value: Any) -> int:
    """A whole number: JSON integer, or its text as protobuf's JSON form has it."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise MessageError(f"{value!r} is not a time or an update number")
