"""A founded venue with liquidity, for keepers to work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zlp.engine import Command, Envelope, Receipt, Root
from zlp.engine.codec import canonical
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.isolated import IncreasePosition
from zlp.engine.commands.liquidity import Mint
from zlp.engine.commands.orders import PlaceOrder
from zlp.engine.fixed import USD
from zlp.keepers import FastQuote, LocalPort, LocalVenue, PriceKeeper
from zlp.profiles.loader import load

UNITS = {"ETH": 10**18, "BTC": 10**8, "USDC": 10**6, "USDT": 10**6}
START = {"ETH": 2_000, "BTC": 40_000, "USDC": 1, "USDT": 1}
FEE = 18 * 10**13
HOUR = 3_600


class Board:
    """A price source that says what it is told, in whole USD (or fractions)."""

    def __init__(self, prices: Mapping[str, float]) -> None:
        self.prices = dict(prices)
        self.time = 0

    def rounds(self, now: int) -> dict[str, Sequence[int]]:
        self.time = now
        return {asset: [self._exact(asset)] * 3 for asset in self.prices}

    def fast(self, now: int) -> FastQuote | None:
        return FastQuote(now, {asset: self._exact(asset) for asset in self.prices})

    def _exact(self, asset: str) -> int:
        return int(self.prices[asset] * 100) * USD // 100


class Scene:
    """One venue with a clock; `post` moves the prices, `order` places a market order of a trader."""

    def __init__(self) -> None:
        self.profile = load("zeus")
        root = Root()
        for envelope in self.profile.genesis():
            assert root.apply(envelope).accepted
        self.root = root
        self.venue = LocalVenue(root)
        self.now = 1_700_000_000
        self.board = Board(START)
        self.poster = PriceKeeper(self.port(), self.board)
        self.post()
        for token, price in START.items():
            self.fund("lp", token, 3_000_000 * UNITS[token] // price)
            self.do("lp", Mint(pool="main", token=token, amount=3_000_000 * UNITS[token] // price))

    def port(self, account: str = "keeper") -> LocalPort:
        return LocalPort(self.venue, account, lambda: self.now)

    def post(self, wait: int = 60, **prices: float) -> None:
        self.now += wait
        self.board.prices.update(prices)
        assert self.poster.work() == 2

    def do(self, account: str, command: Command) -> Receipt:
        receipt = self.venue.apply(Envelope(time=self.now, account=account, command=command))
        assert receipt.accepted, receipt.rejection
        return receipt

    def fund(self, account: str, token: str, amount: int) -> None:
        self.do("bridge", Deposit(account=account, token=token, amount=amount))

    def position(self, is_long: bool, margin: int, leverage: float, market: str = "ETH") -> IncreasePosition:
        token = market if is_long else "USDC"
        price = int(self.board.prices[token])
        return IncreasePosition(
            pool="main",
            market=market,
            collateral=token,
            is_long=is_long,
            amount=margin * UNITS[token] // price,
            size_delta=int(margin * leverage) * USD,
        )

    def order(self, account: str, action: Command, **fields: object) -> int:
        for token, amount in action.spends():
            self.fund(account, token, amount)
        self.fund(account, "ETH", FEE)
        order = PlaceOrder(action=canonical(action).decode(), fee=FEE, **fields)  # type: ignore[arg-type]
        receipt = self.do(account, order)
        return next(event.number for event in receipt.events if type(event).__name__ == "OrderPlaced")
