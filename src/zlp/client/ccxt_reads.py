"""What a bot that speaks ccxt reads and watches at a venue: markets, candles, its account, orders, fills."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from zlp.client import ccxt_shapes as shapes
from zlp.client.asynchronous import AsyncClient
from zlp.client.booking import NotSupported
from zlp.client.ccxt_shapes import TIMEFRAMES, Shape
from zlp.client.ccxt_streams import Streams
from zlp.client.faults import VenueError
from zlp.client.signer import Signer
from zlp.engine.codec import plain
from zlp.engine.leaves.orders import OrderSettings

DAY = 86_400
PAGE = 1_000


class ExchangeReads:
    """The half of ``ZlpExchange`` that changes nothing."""

    id = "zlp"
    name = "ZLP"
    timeframes = {name: name for name in TIMEFRAMES}

    def __init__(self, config: Shape | None = None) -> None:
        config = config or {}
        signer = config.get("signer")
        if signer is None and config.get("privateKey"):
            signer = Signer(config["privateKey"], config.get("account"))
        self.client = AsyncClient(config.get("url", "http://127.0.0.1:8420"), signer)
        self.account = signer.account if signer is not None else config.get("account", "")
        self.markets: dict[str, Shape] = {}
        self._by_id: dict[str, Shape] = {}
        self._orders: OrderSettings | None = None
        self._streams = Streams(self.client)
        self._seen = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the connections."""
        await self._streams.close()
        await self.client.close()

    # markets ----------------------------------------------------------------------------------------------

    async def load_markets(self, reload: bool = False) -> dict[str, Shape]:
        """Markets by symbol; asked once."""
        if not self.markets or reload:
            self.markets = {each["symbol"]: each for each in await self.fetch_markets()}
            self._by_id = {each["id"]: each for each in self.markets.values()}
            async for leaf in self.client.leaves("OrderSettings"):
                self._orders = leaf
        return self.markets

    async def fetch_markets(self, params: Shape | None = None) -> list[Shape]:
        """Every market of the venue."""
        desk = await self.client.get("/v1/desk")
        stables = [asset["token"] for pool in desk["pools"] for asset in pool["assets"] if asset["stable"]]
        return [shapes.market(row, stables) for row in desk["markets"]]

    async def fetch_time(self) -> int:
        """The venue's clock, in milliseconds."""
        return (await self.client.venue()).time * 1_000

    async def fetch_ticker(self, symbol: str, params: Shape | None = None) -> Shape:
        """Price ends, and the last 24 hours."""
        market = await self._market(symbol)
        desk = await self.client.get("/v1/desk")
        row = next(row for row in desk["markets"] if row["market"] == market["id"])
        since = str(int(desk["time"]) - DAY)
        path = f"/v1/candles/{market['id']}"
        hours = await self.client.get(path, interval="1h", sort="oldest", limit="25", **{"from": since})
        return shapes.ticker(symbol, row, hours["items"], desk["time"])

    async def fetch_tickers(self, symbols: list[str] | None = None, params: Shape | None = None) -> dict[str, Shape]:
        """Tickers by symbol, all if none are named."""
        chosen = symbols or list(await self.load_markets())
        return {symbol: await self.fetch_ticker(symbol, params) for symbol in chosen}

    async def fetch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[list[float]]:
        """Candles, oldest first: from ``since`` (milliseconds) on, or the newest ``limit``."""
        if timeframe not in TIMEFRAMES:
            raise NotSupported(f"timeframes are {', '.join(TIMEFRAMES)}")
        market = await self._market(symbol)
        rows = await self._history(f"/v1/candles/{market['id']}", since, limit, interval=timeframe)
        return [shapes.candle(row) for row in rows]

    async def fetch_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """Everybody's fills in a market."""
        market = await self._market(symbol)
        rows = await self._history("/v1/trades", since, limit, market=market["id"])
        return [shapes.trade(row, symbol) for row in rows if row["side"]]

    async def fetch_funding_rate(self, symbol: str, params: Shape | None = None) -> Shape:
        """What a long pays for an hour, as a part of its size; a short's is in ``info``."""
        market = await self._market(symbol)
        desk = await self.client.get("/v1/desk")
        row = next(row for row in desk["markets"] if row["market"] == market["id"])
        rate = {"symbol": symbol, "fundingRate": float(row["long_hourly"]), "interval": "1h"}
        return {**rate, **shapes.stamped(desk["time"]), "markPrice": float(row["high"]), "info": row}

    # account ----------------------------------------------------------------------------------------------

    async def fetch_balance(self, params: Shape | None = None) -> Shape:
        """Tokens in the account. Collateral of positions is with the pool, so nothing held here is in use."""
        state = await self.client.account(self.account)
        balance: Shape = {"info": plain(list(state.balances)), "free": {}, "used": {}, "total": {}}
        for held in state.balances:
            amount = float(held.amount)
            for part, value in (("free", amount), ("used", 0.0), ("total", amount)):
                balance[part][held.token] = value
            balance[held.token] = {"free": amount, "used": 0.0, "total": amount}
        return balance

    async def fetch_positions(self, symbols: list[str] | None = None, params: Shape | None = None) -> list[Shape]:
        """Open positions, of some symbols or all."""
        await self.load_markets()
        rows, seconds = await self._positions()
        found = [shapes.position(row, self._symbol(row["market"]), seconds) for row in rows]
        return [each for each in found if not symbols or each["symbol"] in symbols]

    async def fetch_position(self, symbol: str, params: Shape | None = None) -> Shape | None:
        """The first open position of a symbol."""
        return next(iter(await self.fetch_positions([symbol], params)), None)

    async def fetch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """One's own fills, oldest first."""
        market = await self._market_id(symbol)
        rows = await self._history("/v1/trades", since, limit, account=self.account, market=market)
        return [shapes.trade(row, self._symbol(row["market"])) for row in rows if row["side"]]

    async def fetch_funding_history(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """Funding and borrowing that was settled."""
        market = await self._market_id(symbol)
        rows = await self._history("/v1/funding", since, limit, account=self.account, market=market)
        return [shapes.payment(row, self._symbol(row["market"])) for row in rows]

    # orders -----------------------------------------------------------------------------------------------

    async def fetch_order(self, id: str, symbol: str | None = None, params: Shape | None = None) -> Shape:
        """One order, with its fills."""
        found = await self.fetch_orders(symbol, params={**(params or {}), "order": id})
        if not found:
            raise VenueError(f"no order {id}")
        rows = await self._history("/v1/trades", None, None, account=self.account, order=id)
        return shapes.filled(found[0], [shapes.trade(row, self._symbol(row["market"])) for row in rows])

    async def fetch_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """Orders, open and ended, oldest first."""
        query = {"account": self.account, "market": await self._market_id(symbol), **(params or {})}
        rows = await self._history("/v1/history/orders", since, limit, **query)
        return [shapes.order(row, self._symbol(row["market"])) for row in rows]

    async def fetch_open_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Shape | None = None
    ) -> list[Shape]:
        """Orders that wait."""
        return await self.fetch_orders(symbol, since, limit, {**(params or {}), "status": "waiting"})

    async def fetch_closed_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Shape | None = None
    ) -> list[Shape]:
        """Orders that were filled."""
        return await self.fetch_orders(symbol, since, limit, {**(params or {}), "status": "filled"})

    # streams ----------------------------------------------------------------------------------------------

    async def watch_ticker(self, symbol: str, params: Shape | None = None) -> Shape:
        """The ticker at the next price."""
        market = await self._market(symbol)
        await self._streams.price(market["id"])
        return await self.fetch_ticker(symbol, params)

    async def watch_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """The next fills of a market."""
        market = await self._market(symbol)
        sequence = await self._streams.fills("trades", "trades", market["id"])
        return await self._fills_of(sequence, market=market["id"])

    async def watch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """One's own next fills."""
        market = await self._market_id(symbol)
        while True:
            sequence = await self._streams.fills("my trades", "positions", self.account)
            found = await self._fills_of(sequence, account=self.account, market=market)
            if found:
                return found

    async def watch_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """One's orders that change next, as they are then."""
        while True:
            sequence, names = await self._streams.orders(self.account)
            self._seen = max(self._seen, sequence)
            found = [await self.fetch_order(name) for name in names]
            chosen = [each for each in found if symbol in (None, each["symbol"])]
            if chosen:
                return chosen

    async def watch_positions(
        self,
        symbols: list[str] | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Shape | None = None,
    ) -> list[Shape]:
        """The positions there are after the next change of one's own."""
        await self._streams.fills("positions", "positions", self.account)
        return await self.fetch_positions(symbols, params)

    # what the methods above share -------------------------------------------------------------------------

    async def _market(self, symbol: str) -> Shape:
        found = (await self.load_markets()).get(symbol)
        if found is None:
            raise NotSupported(f"no market {symbol}; there are {', '.join(self.markets)}")
        return found

    async def _market_id(self, symbol: str | None) -> str:
        await self.load_markets()
        return (await self._market(symbol))["id"] if symbol else ""

    def _symbol(self, market: str) -> str | None:
        found = self._by_id.get(market)
        return None if found is None else found["symbol"]

    async def _history(self, path: str, since: int | None, limit: int | None, **query: str) -> list[Shape]:
        """Rows of the read model, oldest first: all from ``since`` on, up to ``limit``; else the newest."""
        asked = {name: value for name, value in query.items() if value} | {"sequence": str(self._seen)}
        if since is not None:
            asked |= {"from": str(-(-since // 1_000)), "sort": "oldest"}
        rows: list[Shape] = []
        cursor: str | None = ""
        while cursor is not None and (limit is None or len(rows) < limit):
            size = PAGE if limit is None else min(PAGE, limit - len(rows))
            turn = {} if not cursor else {"after" if since is not None else "before": cursor}
            page = await self.client.get(path, limit=str(size), **asked, **turn)
            rows += page["items"]
            cursor = page["next"]
        return rows if since is not None else rows[::-1]

    async def _fills_of(self, sequence: int, **query: str) -> list[Shape]:
        """Fills of one command."""
        self._seen = max(self._seen, sequence)
        rows = await self._history("/v1/trades", None, 50, **query)
        own = [row for row in rows if int(row["sequence"]) == sequence and row["side"]]
        return [shapes.trade(row, self._symbol(row["market"])) for row in own]

    async def _positions(self) -> tuple[list[Shape], int]:
        answer = await self.client.get("/v1/desk/positions", account=self.account)
        self._seen = max(self._seen, int(answer["sequence"]))
        return answer["items"], (await self.client.venue()).time
