"""Spot prices of Bybit and MEXC: ccxt holds the connection, our own readers take the price from the text.

The price is the middle of the best bid and ask. It is in the market's quote asset; blending converts it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal

import ccxt.pro  # type: ignore[import-untyped]
import msgspec

from zlp.oracle.exchange_messages import BybitReader, MessageError, MexcReader, Quote, Reader, refusal_of
from zlp.oracle.health_board import HealthBoard
from zlp.oracle.observation import Health, Observation
from zlp.oracle.reconnection import Backoff, keep_connected

QUEUE_LENGTH = 10_000
MEXC_SUBSCRIPTIONS_MAX = 30


class ExchangeMarket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One spot market: which of our assets it prices, and its unified symbol such as `ETH/USDT`."""

    asset: str
    symbol: str

    def __post_init__(self) -> None:
        if len(self.symbol.split("/")) != 2 or not all(self.symbol.split("/")):
            raise ValueError(f"{self.symbol!r} is not a symbol like ETH/USDT")

    @property
    def base(self) -> str:
        return self.symbol.split("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.split("/")[1]

    @property
    def id(self) -> str:
        """The market's name at both exchanges."""
        return self.base + self.quote


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="exchange"):
    """One exchange. A market silent for `silence_seconds` raises the alarm; when all are silent for
    `reconnect_seconds` the connection is made anew. `websocket_url` replaces the exchange's own address.
    """

    exchange: Literal["bybit", "mexc"]
    markets: tuple[ExchangeMarket, ...]
    name: str = ""
    silence_seconds: float = 15.0
    reconnect_seconds: float = 30.0
    backoff: Backoff = Backoff()
    websocket_url: str | None = None

    def __post_init__(self) -> None:
        if self.exchange == "mexc" and len(self.markets) > MEXC_SUBSCRIPTIONS_MAX:
            raise ValueError(f"MEXC takes {MEXC_SUBSCRIPTIONS_MAX} markets on one connection; use several sources")


class ExchangeSource:
    """Quotes of one exchange as observations, in order, each once."""

    def __init__(self, settings: ExchangeSettings, *, clock: Callable[[], float] = time.time) -> None:
        self.name = settings.name or settings.exchange
        self._settings = settings
        self._clock = clock
        self._markets = {market.id: market for market in settings.markets}
        self._board = HealthBoard([market.asset for market in settings.markets], settings.silence_seconds, clock)
        self._heard_at = 0.0
        self._quotes: asyncio.Queue[Quote] = asyncio.Queue(QUEUE_LENGTH)

    def health(self) -> Mapping[str, Health]:
        return self._board.health()

    async def observations(self) -> AsyncIterator[Observation]:
        connecting = keep_connected(self._connection, self._settings.backoff, self._board.disconnected)
        task = asyncio.create_task(connecting)
        try:
            while True:
                yield self._observation(await self._quotes.get())
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _connection(self) -> None:
        """Connect, subscribe, and listen until the connection ends or everything is silent for too long."""
        trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        exchange = _exchange(self._settings, self._take, trouble)
        self._heard_at = self._clock()
        symbols = [market.symbol for market in self._settings.markets]
        listening = asyncio.ensure_future(exchange.watch_bids_asks(symbols))
        watching = asyncio.create_task(self._watch_silence())
        try:
            done, _ = await asyncio.wait({listening, watching, trouble}, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                if not ended.cancelled():
                    ended.result()
        finally:
            for pending in (listening, watching, trouble):
                pending.cancel()
            await exchange.close()
            await asyncio.gather(listening, watching, trouble, return_exceptions=True)

    async def _watch_silence(self) -> None:
        limit = self._settings.reconnect_seconds
        while self._clock() - self._heard_at <= limit:  # noqa: ASYNC110 - it is time itself that is waited for
            await asyncio.sleep(limit / 10)
        raise MessageError(f"every market was silent for {limit:g} s")

    def _take(self, reader: Reader, message: Any) -> bool:
        """Use one message if it carries a quote; True if it does. A bad one shows in its market's health."""
        market_id = reader.market_of(message)
        if market_id is None:
            return False
        market = self._markets.get(market_id)
        if market is None:
            return True
        try:
            quote = reader.quote(message)
        except MessageError as error:
            self._board.failed(market.asset, str(error))
            return True
        if quote is not None:
            self._heard_at = self._clock()
            self._board.heard(market.asset)
            if self._quotes.full():
                self._quotes.get_nowait()
            self._quotes.put_nowait(quote)
        return True

    def _observation(self, quote: Quote) -> Observation:
        market = self._markets[quote.market_id]
        return Observation(
            source=self.name,
            asset=market.asset,
            price_e30=quote.middle,
            observed_at=quote.at_ms // 1000,
            received_at=int(self._clock()),
            bid_e30=quote.bid,
            ask_e30=quote.ask,
            depth_e30=quote.depth,
            quote=market.quote,
        )


def _exchange(settings: ExchangeSettings, take: Callable[[Reader, Any], bool], trouble: asyncio.Future[None]) -> Any:
    """A fresh ccxt exchange whose price messages go to `take` and never to ccxt's float parsers.

    The markets are set from the settings, so that no REST call stands between us and the stream. An exception
    while a message is handled would silently end ccxt's receiving loop: it goes to `trouble` instead.
    """
    base = {"bybit": ccxt.pro.bybit, "mexc": ccxt.pro.mexc}[settings.exchange]
    reader: Reader = BybitReader() if settings.exchange == "bybit" else MexcReader()

    class Adapted(base):  # type: ignore[misc, valid-type]
        def handle_message(self, client: Any, message: Any) -> None:
            decoded = self.decode_proto_msg(message) if isinstance(message, bytes) else message
            if take(reader, decoded):
                return
            refused = refusal_of(decoded)
            if refused:
                raise MessageError(refused)
            if not isinstance(message, bytes):
                super().handle_message(client, message)

        def client(self, url: str) -> Any:
            client = super().client(url)
            if not hasattr(client, "zlp_guarded"):
                handle, client.zlp_guarded = client.handle_message, True
                client.handle_message = lambda message: _guarded(handle, message, trouble)
            return client

    exchange = Adapted({"newUpdates": True})
    exchange.set_markets([market_structure(exchange, market) for market in settings.markets])
    if settings.websocket_url is not None:
        urls = exchange.urls["api"]["ws"]
        (urls["public"] if settings.exchange == "bybit" else urls)["spot"] = settings.websocket_url
    return exchange


def _guarded(handle: Callable[[Any], None], message: Any, trouble: asyncio.Future[None]) -> None:
    try:
        handle(message)
    except Exception as error:  # noqa: BLE001 - any message that can't be handled ends the connection, visibly
        if not trouble.done():
            trouble.set_exception(MessageError(f"a message can't be read ({error})"))


def market_structure(exchange: Any, market: ExchangeMarket) -> Any:
    """The market as ccxt keeps it, made without asking the exchange."""
    return exchange.safe_market_structure(
        {"id": market.id, "symbol": market.symbol, "base": market.base, "quote": market.quote,
         "baseId": market.base, "quoteId": market.quote, "type": "spot", "spot": True, "active": True}
    )  # fmt: skip
