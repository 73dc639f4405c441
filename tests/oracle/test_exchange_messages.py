"""Readers of exchange messages: prices from text, every malformed message refused, order kept."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.exchange_messages import BybitReader, MessageError, MexcReader, Reader, refusal_of

PAYLOADS = Path(__file__).parent / "payloads"
BYBIT = [json.loads(line) for line in (PAYLOADS / "bybit_orderbook.jsonl").read_text().splitlines()]
MEXC: dict[str, Any] = {
    "channel": "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT",
    "symbol": "BTCUSDT",
    "sendTime": "1736412092433",
    "publicAggreBookTicker": {
        "bidPrice": "93387.28",
        "bidQuantity": "3.73485",
        "askPrice": "93387.29",
        "askQuantity": "7.669875",
    },
}


def test_a_bybit_session() -> None:
    """E5: a documented session: snapshots, a change, the three second repeat; acknowledgements are no quotes."""
    reader = BybitReader()
    quotes = [reader.quote(message) for message in BYBIT if reader.market_of(message)]
    assert [reader.market_of(message) for message in BYBIT] == [
        None, "BTCUSDT", "ETHUSDT", "BTCUSDT", "BTCUSDT", None,
    ]  # fmt: skip
    assert all(quotes)
    first, ether, changed, repeated = (quote for quote in quotes if quote)
    assert (first.bid, first.ask) == (price_from_text("93387.28"), price_from_text("93387.29"))
    assert first.middle == price_from_text("93387.285")
    assert ether.depth == price_from_text("3321.1") * 1207613 // 10**5 + price_from_text("3321.11") * 44 // 10
    assert (changed.bid, changed.ask, changed.bid_quantity) == (price_from_text("93385"), first.ask, 2 * 10**30)
    assert (repeated.bid, repeated.at_ms) == (changed.bid, 1736412095202)


def test_a_mexc_ticker() -> None:
    """E5: the decoded protobuf gives the same exact integers."""
    quote = MexcReader().quote(MEXC)
    assert quote is not None
    assert (quote.market_id, quote.middle, quote.at_ms) == ("BTCUSDT", price_from_text("93387.285"), 1736412092433)


@pytest.mark.parametrize("make", [BybitReader, MexcReader])
def test_repeats_and_overtaken_messages_are_no_quotes(make: Any) -> None:
    """A7: time never runs backwards; the identical message twice is one."""
    first = BYBIT[1] if make is BybitReader else MEXC
    reader: Reader = make()
    assert reader.quote(first) is not None
    assert reader.quote(first) is None
    older = copy.deepcopy(first)
    older["ts"], older["sendTime"] = 1736412092000, "1736412092000"
    assert reader.quote(older) is None


def test_an_old_snapshot_does_not_disturb_the_book() -> None:
    """A7: a snapshot that was overtaken leaves the book as it is for the next change."""
    reader = BybitReader()
    reader.quote(BYBIT[3] | {"type": "snapshot", "data": BYBIT[1]["data"]})
    old = copy.deepcopy(BYBIT[1])
    old["data"]["b"] = [["1", "1"]]
    assert reader.quote(old) is None
    later = copy.deepcopy(BYBIT[3])
    later["ts"] += 1
    quote = reader.quote(later)
    assert quote is not None
    assert quote.bid == price_from_text("93385")


def test_a_restarted_exchange_starts_again_at_one() -> None:
    """E5: Bybit's update number 1 in a later snapshot replaces the book."""
    reader = BybitReader()
    reader.quote(BYBIT[1])
    restarted = copy.deepcopy(BYBIT[1])
    restarted["ts"] += 5_000
    restarted["data"]["u"] = 1
    assert reader.quote(restarted) is not None


@pytest.mark.parametrize(
    "spoil",
    [
        {"b": [[93387.28, "1"]]},
        {"b": [["93387.28", 1.5]]},
        {"b": [["9,338", "1"]]},
        {"b": [["-1", "1"]]},
        {"b": [["0", "1"]]},
        {"b": [["1"]]},
        {"b": []},
        {"b": None},
        {"b": [["93387.28", "0"]]},
        {"b": [["99999", "1"]]},
        {"s": "ETHUSDT"},
        {"s": None},
        {"u": "x"},
        {"u": 1.5},
        {"u": -1},
        {"u": True},
    ],
)
def test_malformed_bybit_books_are_refused(spoil: dict[str, Any]) -> None:
    """A7: floats, wrong text, empty and crossed books, wrong names and numbers are errors, never prices."""
    message = copy.deepcopy(BYBIT[1])
    message["data"] |= spoil
    with pytest.raises(MessageError):
        BybitReader().quote(message)


def test_a_change_before_the_snapshot_is_refused() -> None:
    """A7: a change needs a book."""
    with pytest.raises(MessageError, match="first snapshot"):
        BybitReader().quote(BYBIT[3])


@pytest.mark.parametrize(
    "spoil",
    [
        {"bidPrice": 93387.28},
        {"bidPrice": ""},
        {"askPrice": None},
        {"askPrice": "1"},
        {"bidQuantity": "many"},
        {"askQuantity": 7},
    ],
)
def test_malformed_mexc_tickers_are_refused(spoil: dict[str, Any]) -> None:
    """A7: the same for MEXC."""
    message = copy.deepcopy(MEXC)
    message["publicAggreBookTicker"] |= spoil
    with pytest.raises(MessageError):
        MexcReader().quote(message)
    for broken in ({"sendTime": "soon"}, {"sendTime": None}, {"publicAggreBookTicker": []}):
        with pytest.raises(MessageError):
            MexcReader().quote(MEXC | broken)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_any_json_is_a_quote_or_an_error(kind: Any, at: Any, data: Any) -> None:
    """A7: no message can raise anything but the one error."""
    message = {"topic": "orderbook.1.BTCUSDT", "type": kind, "ts": at, "data": data, "publicAggreBookTicker": data}
    for reader in (BybitReader(), MexcReader()):
        for candidate in (message, data, kind):
            if reader.market_of(candidate) is not None:
                with pytest.raises(MessageError):
                    reader.quote(candidate)


def test_refusals_of_mexc_are_noticed() -> None:
    """A7: MEXC refuses subscriptions with code 0 and words."""
    assert refusal_of({"id": 0, "code": 0, "msg": "Not Subscribed successfully! [x]. Reason: Blocked!"})
    assert not refusal_of({"id": 0, "code": 0, "msg": "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT"})
    assert not refusal_of({"id": 0, "code": 0, "msg": 5})
    assert not refusal_of([])
