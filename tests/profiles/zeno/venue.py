"""The shipped profile as a venue in process, with the few verbs its tests need."""

from __future__ import annotations

import json
from typing import Any

from zlp.engine import Code, Envelope, Event, Root, ledger
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books, open_books
from zlp.engine.commands.base import Command
from zlp.engine.commands.cross_margin import CrossTrade, DepositMargin, PositionRef
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import Configure, SetParameter
from zlp.engine.commands.liquidity import Mint
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.draft import Draft
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.cross_margin import CrossPosition
from zlp.keepers.cross_margin_watch import CrossMarginWatch
from zlp.keepers.port import LocalPort, LocalVenue
from zlp.profiles.loader import load

USD, POOL = 10**30, "main"
DIRECT = ["Mint", "Burn", "Swap", "SwitchCollateral", "CrossTrade", "CrossReduce"]
PRICES = {"m.USDC": 1, "m.USDT": 1, "WETH": 1_800, "ETH": 1_800, "BTC": 30_000, "SOL": 100, "METIS": 20}
DECIMALS = {"m.USDC": 6, "m.USDT": 6, "WETH": 18, "BTC": 8, "METIS": 18}


class Venue:
    """A fresh venue; actions run at once unless ``orders``. Times are seconds, amounts whole tokens."""

    def __init__(self, *, orders: bool = False) -> None:
        self.root, self.now, self.events = Root(), 1_000_000, list[Event]()
        for envelope in load("zeno").genesis(time=self.now, roles={role.value: (role.value,) for role in Role}):
            assert self.root.apply(envelope).accepted
        if not orders:
            self.set("OrderSettings", [], "immediate", DIRECT)
        self.post(**PRICES)

    def apply(self, account: str, command: Command) -> Code | None:
        """Apply a command; its rejection's code. ``events`` are the last command's."""
        receipt = self.root.apply(Envelope(time=self.now, account=account, command=command))
        self.events = list(receipt.events)
        return None if receipt.rejection is None else receipt.rejection.code

    def do(self, account: str, command: Command) -> None:
        """Apply a command that has to succeed."""
        receipt = self.root.apply(Envelope(time=self.now, account=account, command=command))
        self.events = list(receipt.events)
        assert receipt.rejection is None, receipt.rejection

    def wait(self, seconds: int) -> None:
        """Let time pass, with the same prices posted again at its end."""
        self.now += seconds
        self.post(**self.prices)

    def post(self, **prices: float) -> None:
        """Post prices in USD; the others stay as they are. ETH is also the price of WETH."""
        if "ETH" in prices:
            prices = {**prices, "WETH": prices["ETH"]}
        self.prices = {**getattr(self, "prices", {}), **prices}
        rounds = tuple(Round(asset, round(price * 10**8)) for asset, price in prices.items())
        self.do("keeper", PostRounds(rounds=rounds))

    def set(self, leaf: str, key: list[Any], field: str, value: Any) -> None:
        """Change one parameter as governance."""
        command = SetParameter(leaf=leaf, key=json.dumps(key), field=field, value=json.dumps(value))
        self.do("governor", command)

    def configure(self, kind: str, **fields: Any) -> None:
        """Put a settings record as governance."""
        self.do("governor", Configure(settings=json.dumps({"type": kind, **fields})))

    def give(self, account: str, token: str, amount: float) -> int:
        """Bring tokens in; base units."""
        units = round(amount * 10**6) * 10 ** DECIMALS[token] // 10**6
        self.do("bridge", Deposit(account=account, token=token, amount=units))
        return units

    def mint(self, account: str, token: str, amount: float) -> None:
        """Bring tokens in and mint with all of them."""
        self.do(account, Mint(pool=POOL, token=token, amount=self.give(account, token, amount)))

    def fund(self, usd: int = 10_000_000) -> None:
        """A fund at its target weights."""
        self.mint("lp", "m.USDC", usd // 4)
        self.mint("lp", "m.USDT", usd // 4)
        self.mint("lp", "WETH", usd / 2 / self.prices["WETH"])

    def margin(self, owner: str, token: str, amount: float, number: int = 0) -> None:
        """Bring tokens in and put them behind an account."""
        units = self.give(owner, token, amount)
        self.do(owner, DepositMargin(pool=POOL, number=number, token=token, amount=units))

    def trade(self, owner: str, market: str, usd: int, number: int = 0, **options: Any) -> Code | None:
        """Buy or sell USD notional."""
        command = CrossTrade(pool=POOL, number=number, market=market, size_delta=usd * USD, **options)
        return self.apply(owner, command)

    def held(self, owner: str, token: str) -> int:
        """Base units."""
        return ledger.balance_of(self.root.state, owner, token)

    def collateral(self, owner: str, token: str, number: int = 0) -> int:
        """Base units behind an account."""
        return self.held(f"margin:{POOL}:{owner}:{number}", token)

    def books(self) -> Books:
        """The books now, to read from."""
        draft = Draft(self.root.state, time=self.now, sender="", sequence=0, route=self.root._route)
        return open_books(draft, POOL)

    def position(self, owner: str, market: str, number: int = 0) -> CrossPosition | None:
        """A position."""
        return self.root.state.get(CrossPosition, (POOL, owner, number, market))

    def positions(self) -> list[CrossPosition]:
        """Every position."""
        return list(self.root.state.each(CrossPosition))

    def health(self, owner: str, number: int = 0) -> health.Health:
        """An account's figures now."""
        books = self.books()
        return health.measure(books, books.account(owner, number))

    def seen(self, kind: type[Event]) -> list[Any]:
        """Events of one type of the last command."""
        return [event for event in self.events if isinstance(event, kind)]

    def check(self) -> None:
        """The whole state, the slow way."""
        assert self.root.audit() == []


class Watched(Venue):
    """A venue whose receipts a watch hears."""

    def __init__(self) -> None:
        super().__init__()
        self.local = LocalVenue(self.root)
        self.root = _Heard(self.local)  # type: ignore[assignment]
        self.watch = CrossMarginWatch(LocalPort(self.local, "keeper", lambda: self.now))


class _Heard:
    """The root, but everybody hears what is applied."""

    def __init__(self, local: LocalVenue) -> None:
        self._local = local

    def apply(self, envelope: Envelope) -> object:
        return self._local.apply(envelope)

    def __getattr__(self, name: str) -> object:
        return getattr(self._local.root, name)


def ref(owner: str, market: str, number: int = 0) -> PositionRef:
    """Which position."""
    return PositionRef(owner=owner, number=number, market=market)
