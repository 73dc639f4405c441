"""A ZO venue to drive in tests: the shipped profile, with every action immediate and prices of our choice."""

from __future__ import annotations

import json
from typing import Any

from zlp.engine import Code, Command, Envelope, Receipt, Root, ledger
from zlp.engine.branches.borrow_pool.valuation import pool_value, share_price
from zlp.engine.commands import borrowed, governance, liquidity
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.leaves.borrowed import BorrowedPosition
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault
from zlp.engine.leaves.ledger import Token
from zlp.profiles.loader import load

START = 1_700_000_000
USD = 10**30
PRICES = {"BTC": 60_000, "ETH": 3_000, "SOL": 150, "SUI": 2, "USDC": 1, "USDT": 1}
IMMEDIATE = ["Mint", "Burn", "Swap", "OpenBorrowed", "DecreaseBorrowed", "CloseBorrowed"]
SEED = {"BTC": 25, "ETH": 20, "SOL": 10, "SUI": 10, "USDC": 26, "USDT": 9}
TREASURY = "multisig:treasury"


class Venue:
    """The shipped profile; amounts are whole tokens unless said otherwise."""

    def __init__(self, *, seeded: bool = True) -> None:
        self.root, self.now = Root(), START
        for envelope in load("zo").genesis(time=START):
            assert self.root.apply(envelope).accepted
        self.set("OrderSettings", [], "immediate", IMMEDIATE)
        # Most cases here choose small reserves to reach the cap; the least reserve has tests of its own.
        self.set("BorrowMarketSettings", ["main", "BTC"], "rules.min_reserve", 0)
        self.post()
        if seeded:
            for token, weight in SEED.items():
                amount = weight * 100_000 * self.unit(token) // PRICES[token]
                self.give("lp", token, amount)
                self.ok("lp", liquidity.Mint(pool="main", token=token, amount=amount))

    def send(self, account: str, command: Command) -> Receipt:
        """Apply one command now."""
        return self.root.apply(Envelope(time=self.now, account=account, command=command))

    def ok(self, account: str, command: Command) -> Receipt:
        """A command that must succeed."""
        receipt = self.send(account, command)
        assert receipt.rejection is None, receipt.rejection
        return receipt

    def refused(self, account: str, command: Command) -> Code:
        """The code of a command that must fail; nothing changes."""
        before = self.root.state_hash()
        receipt = self.send(account, command)
        assert receipt.rejection is not None, "accepted"
        assert self.root.state_hash() == before
        return receipt.rejection.code

    def set(self, leaf: str, key: list[Any], field: str, value: Any) -> None:
        """Governance changes one parameter."""
        command = governance.SetParameter(leaf=leaf, key=json.dumps(key), field=field, value=json.dumps(value))
        self.ok("governor", command)

    def post(self, **prices: str | int) -> None:
        """Post all prices, some of them changed (USD)."""
        self.prices = {**getattr(self, "prices", PRICES), **prices}
        answers = tuple(Round(asset, round(float(price) * 10**8)) for asset, price in self.prices.items())
        self.ok("keeper", PostRounds(rounds=answers))

    def later(self, seconds: int, **prices: str | int) -> None:
        """Time passes, then prices are posted."""
        self.now += seconds
        self.post(**prices)

    def give(self, account: str, token: str, amount: int) -> None:
        """Deposit base units."""
        self.ok("bridge", Deposit(account=account, token=token, amount=amount))

    def unit(self, token: str) -> int:
        """Base units of one token."""
        found = self.root.state.get(Token, (token,))
        assert found is not None
        return found.unit

    def held(self, account: str, token: str) -> int:
        """Base units of an account."""
        return ledger.balance_of(self.root.state, account, token)

    def vault(self, token: str, pool: str = "main") -> CoinVault:
        """A vault."""
        found = self.root.state.get(CoinVault, (pool, token))
        assert found is not None
        return found

    def position(self, number: int = 1) -> BorrowedPosition:
        """An open position."""
        found = self.root.state.get(BorrowedPosition, (number,))
        assert found is not None
        return found

    @property
    def pool(self) -> BorrowPoolSettings:
        """The pool's settings."""
        found = self.root.state.get(BorrowPoolSettings, ("main",))
        assert found is not None
        return found

    def value(self) -> int:
        """The pool's value in USD at 1e30."""
        return pool_value(self.root.state, self.pool, self.now, maximise=False)

    def share(self) -> int:
        """The share's price in USD at 1e30."""
        return share_price(self.root.state, self.pool, self.value())

    def long(self, account: str = "ann", **changes: Any) -> borrowed.OpenBorrowed:
        """A 10x long: 0.1 BTC of collateral, 1 BTC of size, 0.5 BTC borrowed."""
        unit = 10**8
        self.give(account, "BTC", unit // 10)
        terms = {"market": "BTC", "is_long": True, "token": "BTC", "amount": unit}
        terms |= {"collateral": unit // 10, "reserve": unit // 2}
        return borrowed.OpenBorrowed(**({"pool": "main"} | terms | changes))

    def short(self, account: str = "bob", **changes: Any) -> borrowed.OpenBorrowed:
        """A 10x short: 6000 USDC of collateral, 1 BTC of size, 30000 USDC borrowed."""
        self.give(account, "USDC", 6_000 * 10**6)
        terms = {"market": "BTC", "is_long": False, "token": "USDC", "amount": 10**8}
        terms |= {"collateral": 6_000 * 10**6, "reserve": 30_000 * 10**6}
        return borrowed.OpenBorrowed(**({"pool": "main"} | terms | changes))

    def close(self, number: int = 1, **changes: Any) -> borrowed.CloseBorrowed:
        """Close a position whole."""
        return borrowed.CloseBorrowed(position=number, **(self.named(number) | changes))

    def decrease(self, amount: int, number: int = 1, **changes: Any) -> borrowed.DecreaseBorrowed:
        """Close a part of a position."""
        return borrowed.DecreaseBorrowed(position=number, **(self.named(number) | {"amount": amount} | changes))

    def named(self, number: int) -> dict[str, Any]:
        """What a position is."""
        position = self.position(number)
        return {"market": position.market, "token": position.token, "is_long": position.is_long}
