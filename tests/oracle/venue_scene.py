"""A whole price line for tests: exchanges and a chain on loopback, feeds, keepers, and a venue they post to.

The chain's newest block is everybody's clock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.oracle.exchange_server import ExchangeServer, serve_exchange
from tests.oracle.local_chain import LocalChain, RpcEndpoint, serve
from tests.oracle.test_chainlink import CHAIN_ID
from tests.oracle.waiting import eventually
from zlp import Venue
from zlp.cli.oracle_feed import OracleFeed
from zlp.engine import Code, Command, Envelope
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition
from zlp.engine.commands.liquidity import Mint, Swap
from zlp.engine.pricing import bounds_at
from zlp.keepers import LocalPort, LocalVenue, PostingPace, PriceKeeper
from zlp.oracle.chainlink import ChainlinkFeed, ChainlinkSettings
from zlp.oracle.decimal_text import price_from_text, price_to_text
from zlp.oracle.exchanges import ExchangeMarket, ExchangeSettings
from zlp.oracle.pricing import Pricing
from zlp.oracle.reconnection import Backoff
from zlp.oracle.settings import OracleSettings, build_source
from zlp.oracle.source_group import SourceGroup

PRICES = {"ETH": "2000", "BTC": "40000", "USDC": "1", "USDT": "1"}
TRADED = ("ETH", "BTC")
OPENING = IncreasePosition(
    pool="main", market="ETH", collateral="ETH", is_long=True, amount=10**17, size_delta=1_000 * 10**30
)
MINTING = Mint(pool="main", token="ETH", amount=10**17)
SWAPPING = Swap(pool="main", path=("ETH", "BTC"), amount=10**17)
CLOSING = DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, size_delta=100 * 10**30)


class Scene:
    """The line, wired; see `running`."""

    def __init__(self, chain: LocalChain, endpoint: RpcEndpoint, exchanges: dict[str, ExchangeServer]) -> None:
        self.chain, self.endpoint, self.exchanges = chain, endpoint, exchanges
        self.aggregators = {asset: chain.aggregator() for asset in PRICES}
        self.sequencer = chain.aggregator(decimals=0)
        chain.post(self.sequencer, 1, 0, age=10_000)
        self._numbers = dict.fromkeys(PRICES, 0)
        settings = self._settings()
        self.group = SourceGroup([build_source(one, clock=lambda: float(self.now)) for one in settings.sources])
        self.pricing = Pricing(self.group, settings)
        self.feed = OracleFeed(self.pricing, "chainlink")
        for asset, price in PRICES.items():
            self.round(asset, price)
        self.venue = Venue("zeus", time=self.now)
        self.local = LocalVenue(self.venue.root)
        self.keeper = PriceKeeper(self.port("keeper"), self.feed, PostingPace(cadence=15, deviation_bps=10))

    def _settings(self) -> OracleSettings:
        feeds = [
            ChainlinkFeed(asset=asset, address=address, heartbeat_seconds=90_000)
            for asset, address in self.aggregators.items()
        ]
        chainlink = ChainlinkSettings(
            chain_id=CHAIN_ID, endpoints=(self.endpoint.url,), feeds=tuple(feeds), rounds=1, poll_seconds=0.1,
            sequencer_feed=self.sequencer,
        )  # fmt: skip
        markets = tuple(ExchangeMarket(asset=asset, symbol=f"{asset}/USDT") for asset in TRADED)
        exchanges = [
            ExchangeSettings(
                exchange=name, markets=markets, websocket_url=server.url, reconnect_seconds=1e9,  # type: ignore[arg-type]
                backoff=Backoff(first_seconds=0.01, longest_seconds=0.02),
            )
            for name, server in self.exchanges.items()
        ]  # fmt: skip
        return OracleSettings(
            sources=(chainlink, *exchanges), primary="chainlink", fast=tuple(self.exchanges), quotes={"USDT": "par"}
        )

    @property
    def now(self) -> int:
        """The clock of chain, exchanges, feeds, keepers and venue."""
        return self.chain.now()

    def port(self, account: str) -> LocalPort:
        """A keeper's door to the venue."""
        return LocalPort(self.local, account, lambda: self.now)

    def round(self, asset: str, price: str) -> None:
        """The chain's aggregator answers."""
        self._numbers[asset] += 1
        self.chain.post(self.aggregators[asset], self._numbers[asset], price_from_text(price) // 10**22)

    async def quote(
        self, asset: str, price: str, *, exchanges: tuple[str, ...] = ("bybit", "mexc"), age: int = 0
    ) -> None:
        """Exchanges say a price; waits until the feeds have it."""
        at = self.now - age
        self._numbers["quotes"] = self._numbers.get("quotes", 0) + 1
        for name in exchanges:
            number = self._numbers["quotes"]
            message = self.exchanges[name].message(
                f"{asset}USDT", price, price, number=number, at_ms=at * 1000 + number
            )
            await self.exchanges[name].push(message)
        for name in exchanges:
            await eventually(lambda name=name: self._heard(name, asset, price))

    def _heard(self, source: str, asset: str, price: str) -> bool:
        latest = self.group.latest(source, asset)
        return latest is not None and latest.price_e30 == price_from_text(price)

    async def settled(self) -> None:
        """Wait until the feeds have seen the chain's newest rounds."""
        for asset, address in self.aggregators.items():
            newest = self.chain.latest_round(address)
            await eventually(lambda asset=asset, newest=newest: self._answered(asset, newest))

    def _answered(self, asset: str, round_id: int) -> bool:
        latest = self.group.latest("chainlink", asset)
        return latest is not None and latest.round_id == round_id

    def post(self) -> int:
        """The price keeper works once."""
        return self.keeper.work()

    def pair(self, asset: str = "ETH") -> tuple[str, str]:
        """Minimum and maximum price the venue uses now."""
        low, high = bounds_at(self.venue.root.state, asset, self.now)
        return price_to_text(low), price_to_text(high)

    def code(self, command: Command) -> Code | None:
        """Why a trader's command would be refused now; None if it would be done."""
        receipt = self.venue.root.quote(Envelope(time=self.now, account="alice", command=command)).receipt
        return None if receipt.rejection is None else receipt.rejection.code

    def refused(self) -> tuple[Code | None, Code | None]:
        """What new risk (opening, minting, swapping: all the same) and closing answer now."""
        opening = {self.code(command) for command in (OPENING, MINTING, SWAPPING)}
        assert len(opening) == 1, opening
        return opening.pop(), self.code(CLOSING)

    async def found(self) -> None:
        """Post the first prices, fill the pool, and let alice open a position."""
        await self.settled()
        for asset in TRADED:
            await self.quote(asset, PRICES[asset])
        assert self.post() == 2
        self.venue.now = self.now
        names = '["Mint","Burn","Swap","IncreasePosition","DecreasePosition"]'
        self.venue.apply("governor", SetParameter(leaf="OrderSettings", key="[]", field="immediate", value=names))
        for account in ("provider", "alice"):
            for token, amount in (("ETH", "1000"), ("BTC", "40"), ("USDC", "2000000"), ("USDT", "600000")):
                self.venue.deposit(account, token, amount)
        for token, amount in (("ETH", "750"), ("BTC", "31.25"), ("USDC", "1750000"), ("USDT", "500000")):
            self.venue.mint("provider", token, amount)
        self.venue.apply("alice", OPENING)


@asynccontextmanager
async def running(chain: LocalChain) -> AsyncIterator[Scene]:
    """A scene with everything connected, prices posted, and one open position."""
    async with serve(chain) as [endpoint], serve_exchange("bybit") as bybit, serve_exchange("mexc") as mexc:
        scene = Scene(chain, endpoint, {"bybit": bybit, "mexc": mexc})

        async def follow() -> None:
            async for observation in scene.group.observations():
                scene.feed.take(observation)

        following = asyncio.create_task(follow())
        try:
            await bybit.connected(1)
            await mexc.connected(1)
            await scene.found()
            yield scene
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
