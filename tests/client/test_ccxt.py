"""A bot that speaks ccxt trades on every profile: it opens, protects and closes, and reads what became of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from tests.client.living import KEY, Living, living
from zlp.client import Refused, Signer, VenueError
from zlp.client.booking import NotSupported, Trigger, checked
from zlp.client.ccxt_adapter import ZlpExchange
from zlp.client.ccxt_orders import trigger_of
from zlp.client.ccxt_shapes import exact, text

PROFILES = ("zeus", "zeno", "zo", "zaros")
WAIT = 300
"""Turns of a tenth of a second: far more than a keeper ever needs."""


async def until(ask: Callable[[], Awaitable], wanted: Callable = bool):
    """The first answer that is as wanted."""
    for _ in range(WAIT):
        found = await ask()
        if wanted(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"never as wanted; last: {found}")


@pytest.fixture(params=PROFILES)
async def venue(request, tmp_path) -> AsyncIterator[Living]:
    """A living venue of each profile."""
    async with living(request.param, tmp_path) as made:
        made.profile = request.param
        yield made


@pytest.fixture
async def bot(venue: Living) -> AsyncIterator[ZlpExchange]:
    """A bot with funds."""
    signer = Signer(KEY)
    await venue.fund(signer)
    async with ZlpExchange({"url": venue.address, "privateKey": "0x" + KEY.hex()}) as exchange:
        yield exchange


def symbol_of(markets: dict) -> str:
    """The ETH market, whatever it settles in."""
    return next(symbol for symbol in markets if symbol.startswith("ETH/USD:"))


async def test_a_bot_opens_protects_and_closes(venue: Living, bot: ZlpExchange) -> None:
    """A1: the same calls on each of the four profiles; nothing but the symbol differs."""
    symbol = symbol_of(await bot.load_markets())
    before = await bot.fetch_balance()
    order = await bot.create_order(symbol, "market", "buy", 1.5, params={"leverage": 4})
    assert (order["symbol"], order["side"], order["amount"], order["status"]) == (symbol, "buy", 1.5, "open")
    (position,) = await until(bot.fetch_positions)
    assert (position["symbol"], position["side"]) == (symbol, "long")
    assert position["contracts"] == pytest.approx(1.5, rel=1e-4)
    assert position["notional"] == pytest.approx(1.5 * position["entryPrice"], rel=1e-4)
    assert position["leverage"] == pytest.approx(4, rel=0.05)
    assert 0 < position["liquidationPrice"] < position["markPrice"]
    done = await until(lambda: bot.fetch_order(order["id"]), lambda found: found["status"] == "closed")
    assert done["filled"] == pytest.approx(1.5, rel=1e-4)
    assert done["average"] == pytest.approx(position["entryPrice"], rel=1e-6)

    await protect(bot, symbol, position["entryPrice"])

    venue.prices["ETH"] = venue.prices["ETH"] * 998 // 1_000  # a young profit could not be taken everywhere
    await until(lambda: bot.fetch_ticker(symbol), lambda found: found["ask"] < position["entryPrice"])
    await change_margin(bot, symbol)
    closing = await bot.create_order(symbol, "market", "sell", None, params={"reduceOnly": True})
    assert closing["reduceOnly"]
    await until(bot.fetch_positions, lambda found: not found)
    mine = await until(lambda: bot.fetch_my_trades(symbol), lambda found: len(found) == 2)
    assert [(trade["side"], trade["takerOrMaker"]) for trade in mine] == [("buy", "taker"), ("sell", "taker")]
    assert mine[0]["timestamp"] <= mine[1]["timestamp"]
    assert mine[1]["cost"] == pytest.approx(mine[0]["cost"], rel=5e-3)
    assert [each["id"] for each in await bot.fetch_my_trades(symbol, since=0, limit=1)] == [mine[0]["id"]]
    closed = [each["id"] for each in await bot.fetch_closed_orders(symbol)]
    assert closed[0] == order["id"]
    assert closed[-1] == closing["id"]
    after = await bot.fetch_balance()
    assert set(after["total"]) >= {token for token in before["total"] if not token.startswith("m.")}


async def protect(bot: ZlpExchange, symbol: str, entry: float) -> None:
    """A stop below and a take-profit above, seen among the open orders and taken back."""
    stop = await bot.create_order(symbol, "market", "sell", None, params={"stopLossPrice": entry * 0.9})
    take = await bot.create_order(
        symbol, "market", "sell", 0.5, params={"takeProfitPrice": entry * 1.2, "clientOrderId": "take"}
    )
    resting = await bot.fetch_open_orders(symbol)
    assert [each["id"] for each in resting] == [stop["id"], take["id"]]
    assert [each["triggerPrice"] for each in resting] == pytest.approx([entry * 0.9, entry * 1.2])
    assert [each["info"]["trigger_above"] for each in resting] == [False, True]
    assert all(each["reduceOnly"] for each in resting)
    assert resting[1]["clientOrderId"] == "take"
    other = next(each for each in bot.markets if each != symbol)
    assert await bot.cancel_all_orders(other) == []
    third = await bot.create_order(symbol, "market", "sell", None, params={"stopLossPrice": entry * 0.8})
    assert (await bot.cancel_order(third["id"], symbol))["status"] == "canceled"
    gone = await bot.cancel_all_orders(symbol)
    assert [(each["id"], each["status"]) for each in gone] == [(stop["id"], "canceled"), (take["id"], "canceled")]
    assert await bot.fetch_open_orders(symbol) == []
    assert await bot.cancel_all_orders() == []
    switched = [(await bot.cancel_all_orders_after(after))["info"] for after in (59_001, 0)]
    assert [receipt.events[0].at and receipt.events[0].at - receipt.time for receipt in switched] == [60, 0]


async def change_margin(bot: ZlpExchange, symbol: str) -> None:
    """More behind a position, and some of it taken out again; its size stays."""
    position = await bot.fetch_position(symbol)
    added = await bot.add_margin(symbol, 0.5, {"side": "long"})
    assert (added["symbol"], added["type"], added["amount"], added["status"]) == (symbol, "add", 0.5, "ok")
    more = await until(
        lambda: bot.fetch_position(symbol), lambda found: found["collateral"] > position["collateral"] * 1.0001
    )
    assert more["contracts"] == pytest.approx(position["contracts"], rel=1e-6)
    taken = await bot.reduce_margin(symbol, "0.25")
    assert (taken["type"], taken["code"] in ("USD", added["code"])) == ("reduce", True)
    less = await until(
        lambda: bot.fetch_position(symbol), lambda found: found["collateral"] < more["collateral"] * 0.99999
    )
    assert less["contracts"] == pytest.approx(position["contracts"], rel=1e-6)
    with pytest.raises(VenueError, match="no short position"):
        await bot.add_margin(symbol, 1, {"side": "short"})
    with pytest.raises(VenueError, match="above 0"):
        await bot.add_margin(symbol, 0)


async def test_markets_and_prices_have_ccxts_shapes(venue: Living, bot: ZlpExchange) -> None:
    """A1: symbols, tickers, candles and funding rates of every market."""
    markets = await bot.load_markets()
    symbol = symbol_of(markets)
    market = markets[symbol]
    assert (market["base"], market["quote"], market["type"], market["linear"]) == ("ETH", "USD", "swap", True)
    assert market["symbol"] == f"ETH/USD:{market['settle']}"
    tickers = await bot.fetch_tickers()
    assert set(tickers) == set(markets)
    price = float(Decimal(venue.prices["ETH"]).scaleb(-30))
    for name in ("bid", "ask", "last", "high", "low"):
        assert tickers[symbol][name] == pytest.approx(price, rel=1e-3)
    (candle, *_) = await until(lambda: bot.fetch_ohlcv(symbol, "1m", since=0, limit=5))
    assert candle[0] % 60_000 == 0
    assert candle[3] <= candle[1] <= candle[2]
    assert (await bot.fetch_funding_rate(symbol))["interval"] == "1h"
    assert await bot.fetch_funding_history(symbol) == []
    assert abs(await bot.fetch_time() / 1_000 - venue.node.now()) < 5
    with pytest.raises(NotSupported, match="no market"):
        await bot.fetch_ticker("DOGE/USD:USDC")
    with pytest.raises(NotSupported, match="timeframes"):
        await bot.fetch_ohlcv(symbol, "7m")


async def test_watching_sees_prices_orders_fills_and_positions(venue: Living, bot: ZlpExchange) -> None:
    """A2: each watch returns with the next change, in ccxt's shapes."""
    symbol = symbol_of(await bot.load_markets())
    ticker = await asyncio.wait_for(bot.watch_ticker(symbol), 30)
    assert ticker["symbol"] == symbol
    waiting = [asyncio.create_task(each) for each in (bot.watch_orders(), bot.watch_my_trades(), bot.watch_positions())]
    waiting.append(asyncio.create_task(bot.watch_trades(symbol)))
    await asyncio.sleep(0.5)
    order = await bot.create_order(symbol, "market", "sell", 1, params={"leverage": 3})
    orders, mine, positions, trades = await asyncio.wait_for(asyncio.gather(*waiting), 60)
    assert [each["id"] for each in orders] == [order["id"]]
    assert mine == trades
    assert (mine[0]["side"], mine[0]["symbol"]) == ("sell", symbol)
    assert positions[0]["side"] == "short"
    again = await asyncio.wait_for(bot.watch_orders(symbol), 60)
    assert again[0]["status"] == "closed"


async def test_a_limit_order_rests_and_is_filled(venue: Living, bot: ZlpExchange) -> None:
    """E9: a buyer's limit waits below the price; when the price comes, a keeper fills it there or better."""
    symbol = symbol_of(await bot.load_markets())
    last = (await bot.fetch_ticker(symbol))["last"]
    order = await bot.create_order(symbol, "limit", "buy", "0.25", last * 0.98)
    assert (await bot.fetch_open_orders())[0]["id"] == order["id"]
    assert await bot.fetch_positions() == []
    venue.prices["ETH"] = venue.prices["ETH"] * 97 // 100
    done = await until(lambda: bot.fetch_order(order["id"]), lambda found: found["status"] == "closed")
    assert done["average"] <= last * 0.98
    assert done["side"] == "buy"
    (position,) = await bot.fetch_positions([symbol])
    assert position["contracts"] == pytest.approx(0.25, rel=0.02)


async def test_a_stop_or_a_limit_that_closes_is_filled_once(venue: Living, bot: ZlpExchange) -> None:
    """E9: of a stop and a take-profit one closes the position; the other ends at its price and opens nothing."""
    symbol = symbol_of(await bot.load_markets())
    await bot.create_order(symbol, "market", "sell", "0.5", params={"leverage": 3})
    (position,) = await until(bot.fetch_positions)
    entry = position["entryPrice"]
    first, second = [
        await bot.create_order(symbol, "market", "buy", None, params={"stopLossPrice": entry * factor})
        for factor in (1.02, 1.03)
    ]
    venue.prices["ETH"] = venue.prices["ETH"] * 104 // 100
    ends = {}
    for each in (first, second):
        ended = await until(lambda each=each: bot.fetch_order(each["id"]), lambda found: found["status"] != "open")
        ends[each["id"]] = ended["status"]
    assert sorted(ends.values()) == ["closed", "rejected"]
    assert await bot.fetch_positions() == []


async def test_refusals_carry_the_engines_reasons(tmp_path) -> None:
    """A4: what the venue refuses is raised with its stable code; what makes no sense is refused before it is signed."""
    config = {"privateKey": KEY.hex()}
    async with living("zeus", tmp_path) as venue, ZlpExchange({**config, "url": venue.address}) as bot:
        symbol = symbol_of(await bot.load_markets())
        with pytest.raises(Refused) as refused:
            await bot.create_order(symbol, "market", "buy", 1)
        assert refused.value.code == "insufficient_balance"
        with pytest.raises(VenueError, match="no long position"):
            await bot.create_order(symbol, "market", "sell", 1, params={"reduceOnly": True})
        for wrong in ("x", -1, float("nan"), float("inf")):
            with pytest.raises(ValueError, match="not a"):
                await bot.create_order(symbol, "market", "buy", wrong)
        with pytest.raises(NotSupported, match="needs a price"):
            await bot.create_order(symbol, "limit", "buy", 1)
        with pytest.raises(VenueError, match="no order"):
            await bot.fetch_order("999")


def test_floats_are_taken_as_they_are_written() -> None:
    """A3: 0.1 is a tenth; nothing binary reaches a signature."""
    assert exact(0.1) == Decimal("0.1")
    assert text(exact(0.1) * exact("3299.54"), 30) == "329.954000000000000000000000000000"


@pytest.mark.parametrize(
    ("kind", "side", "params", "wanted"),
    [
        ("limit", "buy", {}, Trigger(Decimal(10), False)),
        ("limit", "sell", {}, Trigger(Decimal(10), True)),
        ("market", "sell", {"stopLossPrice": 9}, Trigger(Decimal(9), False)),
        ("market", "buy", {"stopLossPrice": 11}, Trigger(Decimal(11), True)),
        ("market", "sell", {"takeProfitPrice": 11}, Trigger(Decimal(11), True)),
        ("market", "buy", {"takeProfitPrice": 9}, Trigger(Decimal(9), False)),
        ("market", "buy", {"triggerPrice": 11}, Trigger(Decimal(11), True)),
        ("market", "buy", {}, None),
    ],
)
def test_triggers_point_the_right_way(kind: str, side: str, params: dict, wanted: Trigger | None) -> None:
    """E9: better prices for limits and take-profits, worse ones for stops."""
    assert trigger_of(kind, side, 10, params) == wanted


@pytest.mark.parametrize(
    "row",
    [
        {"type": "Transfer", "token": "USDC", "to": "0xother", "amount": "1"},
        {"type": "ApproveAgent", "agent": "0xother", "scopes": ["trade"], "expires": "1"},
        {"type": "DecreasePosition", "pool": "p", "market": "m", "collateral": "c", "is_long": True, "to": "0xother"},
    ],
)
def test_nothing_but_ones_own_trades_is_signed(row: dict) -> None:
    """A2: a venue that proposes to pay somebody else gets no signature."""
    with pytest.raises(VenueError, match="not signed"):
        checked([row], "0xme")
