"""The basket pool and its positions a second time, in plain integers, straight from the reference's description.

It shares no code with the engine, so what both agree on is not one person's slip. Numbers of sections are the
reference's. Operations and states have the form of the recordings, so the replay's driver runs them.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

USD = 10**30
DEBT_UNIT = 10**18
VAULT, MANAGER, ROUTER = "VAULT", "GLP_MANAGER", "ROUTER"
SHORT_OF = {
    "GLP": "BaseToken: burn amount exceeds balance",
    "USDG": "YieldToken: transfer amount exceeds balance",
}
TOKEN_FIELDS = {
    "poolAmounts": "pool",
    "reservedAmounts": "reserved",
    "guaranteedUsd": "guaranteed",
    "usdgAmounts": "debt",
    "feeReserves": "fees",
    "cumulativeFundingRates": "funding",
    "lastFundingTimes": "funded_at",
    "globalShortSizes": "short_size",
    "globalShortAveragePrices": "short_average",
    "shortsTrackerAveragePrices": "tracked",
}
POSITION_FIELDS = ("size", "collateral", "average", "entry", "reserve", "pnl", "increased_at")
Key = tuple[str, str, str, bool]
"""Account, collateral, index, long."""


class Reverted(Exception):  # noqa: N818 - what the reference calls it
    """The operation is undone, for the reason given."""


def require(condition: bool, reason: str) -> None:
    """Undo the operation unless the condition holds."""
    if not condition:
        raise Reverted(reason)


def less(a: int, b: int) -> int:
    """A checked difference."""
    require(b <= a, "SafeMath: subtraction overflow")
    return a - b


def over(a: int, b: int) -> int:
    """A checked quotient."""
    require(b != 0, "SafeMath: division by zero")
    return a // b


class Pool:
    """Prices, fees, funding, the inner debt token and the share: sections 0 to 4 and 9."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.tokens: list[str] = config["tokenOrder"]
        self.now = int(config["startTime"])
        self.settings = {
            name: int(value) if isinstance(value, str) else value
            for name, value in config.items()
            if isinstance(value, bool) or (isinstance(value, str) and value.isdigit())
        }
        self.rules: dict[str, Any] = {}
        for token, row in config["tokens"].items():
            self.rules[token] = {n: int(v) if isinstance(v, str) else v for n, v in row.items()}
            self.rules[token]["answers"] = [int(row["initialAnswer"])]
        self.state: dict[str, Any] = {t: dict.fromkeys(TOKEN_FIELDS.values(), 0) for t in self.tokens}
        self.balances: dict[tuple[str, str], int] = defaultdict(int)
        for account in config["accounts"]:
            for token in (*self.tokens, "DOGE"):
                self.balances[account, token] = 0 if account == "pauper" else 10**36
        self.supplies = {"GLP": 0, "USDG": 0}
        self.added_at: dict[str, int] = {}
        self.positions: dict[Key, dict[str, int]] = {}
        self.payouts: list[list[str]] = []

    # money -------------------------------------------------------------------------------------------------

    def move(self, token: str, source: str, target: str, amount: int) -> None:
        """A transfer; of nothing it always succeeds."""
        if amount:
            require(
                self.balances[source, token] >= amount, SHORT_OF.get(token, "ERC20: transfer amount exceeds balance")
            )
            self.balances[source, token] -= amount
            self.balances[target, token] += amount

    def pay(self, token: str, amount: int, target: str) -> None:
        """Out of the vault."""
        self.move(token, VAULT, target, amount)
        self.payouts.append([token, target, str(amount)])

    # prices (2) --------------------------------------------------------------------------------------------

    def price(self, token: str, maximise: bool) -> int:
        """The newest rounds, then the strict stable or the spread."""
        require(token in self.rules, "VaultPriceFeed: invalid price feed")
        rules = self.rules[token]
        newest = rules["answers"][-self.settings["priceSampleSpace"] :]
        price = (max(newest) if maximise else min(newest)) * USD // 10**8
        if not rules["strictStable"]:
            spread = rules["spreadBps"] if maximise else -rules["spreadBps"]
            return int(price * (10_000 + spread) // 10_000)
        far = abs(price - USD) > self.settings["maxStrictPriceDeviation"]
        return int(price) if far and (price > USD) == maximise else USD

    def low(self, token: str) -> int:
        """Minimum price."""
        return self.price(token, False)

    def high(self, token: str) -> int:
        """Maximum price."""
        return self.price(token, True)

    def unit(self, token: str) -> int:
        """Base units of one token."""
        return 10 ** int(self.rules[token]["decimals"])

    def usd(self, token: str, amount: int) -> int:
        """Worth at the minimum."""
        return amount * self.low(token) // self.unit(token) if amount else 0

    def fewest(self, token: str, usd: int) -> int:
        """Tokens at the maximum price."""
        return over(usd * self.unit(token), self.high(token)) if usd else 0

    def most(self, token: str, usd: int) -> int:
        """Tokens at the minimum price."""
        return over(usd * self.unit(token), self.low(token)) if usd else 0

    # books (0.2) -------------------------------------------------------------------------------------------

    def add(self, token: str, amount: int) -> None:
        """To the pool."""
        self.state[token]["pool"] += amount

    def take(self, token: str, amount: int) -> None:
        """From the pool."""
        book = self.state[token]
        require(amount <= book["pool"], "Vault: poolAmount exceeded")
        book["pool"] -= amount
        require(book["reserved"] <= book["pool"], "Vault: reserve exceeds pool")

    def reserve(self, token: str, amount: int) -> None:
        """For a position."""
        book = self.state[token]
        book["reserved"] += amount
        require(book["reserved"] <= book["pool"], "Vault: reserve exceeds pool")

    def owe(self, token: str, debt: int) -> None:
        """More debt stands behind the token."""
        book, limit = self.state[token], self.rules[token]["maxUsdgAmount"]
        book["debt"] += debt
        require(not limit or book["debt"] <= limit, "Vault: max USDG exceeded")

    def forgive(self, token: str, debt: int) -> None:
        """Less debt; never below nothing."""
        self.state[token]["debt"] = max(0, self.state[token]["debt"] - debt)

    # fees and funding (1, 3) -------------------------------------------------------------------------------

    def curve(self, token: str, delta: int, base: int, tax: int, increase: bool) -> int:
        """Fee in bps by the distance from the target."""
        weights = sum(row["weight"] for row in self.rules.values())
        target = self.rules[token]["weight"] * self.supplies["USDG"] // weights
        if not self.settings["hasDynamicFees"] or target == 0:
            return base
        before = self.state[token]["debt"]
        after = before + delta if increase else max(0, before - delta)
        near, far = abs(before - target), abs(after - target)
        if far < near:
            return max(0, base - tax * near // target)
        return int(base + tax * min((near + far) // 2, target) // target)

    def liquidity_fee(self, token: str, delta: int, increase: bool) -> int:
        """Fee of minting or burning."""
        return self.curve(
            token, delta, self.settings["mintBurnFeeBasisPoints"], self.settings["taxBasisPoints"], increase
        )

    def swap_fee(self, source: str, target: str, delta: int) -> int:
        """The dearer of the two sides."""
        stable = self.rules[source]["stable"] and self.rules[target]["stable"]
        base = self.settings["stableSwapFeeBasisPoints" if stable else "swapFeeBasisPoints"]
        tax = self.settings["stableTaxBasisPoints" if stable else "taxBasisPoints"]
        return max(self.curve(source, delta, base, tax, True), self.curve(target, delta, base, tax, False))

    def net(self, token: str, amount: int, bps: int) -> int:
        """What a fee leaves; the fee is booked."""
        left = amount * (10_000 - bps) // 10_000
        self.state[token]["fees"] += amount - left
        return left

    def touch(self, token: str) -> None:
        """Bring the funding index up to now."""
        book, interval = self.state[token], self.settings["fundingInterval"]
        anchor = self.now // interval * interval
        if book["funded_at"] == 0:
            book["funded_at"] = anchor
        elif book["funded_at"] + interval <= self.now:
            count = (self.now - book["funded_at"]) // interval
            factor = self.settings["stableFundingRateFactor" if self.rules[token]["stable"] else "fundingRateFactor"]
            book["funding"] += factor * book["reserved"] * count // book["pool"] if book["pool"] else 0
            book["funded_at"] = anchor

    # the inner debt token and swaps (4) --------------------------------------------------------------------

    def buy_debt(self, token: str, amount: int) -> int:
        """For tokens that have arrived."""
        require(token in self.rules, "Vault: _token not whitelisted")
        require(amount > 0, "Vault: invalid tokenAmount")
        self.touch(token)
        price = self.low(token)
        gross = amount * price // USD * DEBT_UNIT // self.unit(token)
        require(gross > 0, "Vault: invalid usdgAmount")
        left = self.net(token, amount, self.liquidity_fee(token, gross, True))
        minted = left * price // USD * DEBT_UNIT // self.unit(token)
        self.owe(token, minted)
        self.add(token, left)
        self.supplies["USDG"] += minted
        self.balances[MANAGER, "USDG"] += minted
        return minted

    def sell_debt(self, token: str, debt: int, target: str) -> int:
        """The manager's, for tokens."""
        require(token in self.rules, "Vault: _token not whitelisted")
        require(debt > 0, "Vault: invalid usdgAmount")
        self.touch(token)
        out = debt * USD // self.high(token) * self.unit(token) // DEBT_UNIT
        require(out > 0, "Vault: invalid redemptionAmount")
        self.forgive(token, debt)
        self.take(token, out)
        self.balances[MANAGER, "USDG"] -= debt
        self.supplies["USDG"] -= debt
        left = self.net(token, out, self.liquidity_fee(token, debt, False))
        require(left > 0, "Vault: invalid amountOut")
        self.pay(token, left, target)
        return left

    def swap_one(self, source: str, target: str, amount: int, receiver: str) -> int:
        """One hop, for tokens that have arrived."""
        require(source in self.rules, "Vault: _tokenIn not whitelisted")
        require(target in self.rules, "Vault: _tokenOut not whitelisted")
        require(source != target, "Vault: invalid tokens")
        self.touch(source)
        self.touch(target)
        require(amount > 0, "Vault: invalid amountIn")
        price = self.low(source)
        gross = amount * price // self.high(target) * self.unit(target) // self.unit(source)
        delta = amount * price // USD * DEBT_UNIT // self.unit(source)
        left = self.net(target, gross, self.swap_fee(source, target, delta))
        self.owe(source, delta)
        self.forgive(target, delta)
        self.add(source, amount)
        self.take(target, gross)
        require(self.state[target]["pool"] >= self.rules[target]["bufferAmount"], "Vault: poolAmount < buffer")
        self.pay(target, left, receiver)
        return left

    def swap(self, account: str, path: list[str], amount: int, least: int, receiver: str) -> None:
        """Two or three tokens."""
        self.move(path[0], account, VAULT, amount)
        require(len(path) in (2, 3), "Router: invalid _path.length")
        if len(path) > 2:
            amount = self.swap_one(path[0], path[1], amount, ROUTER)
            self.move(path[1], ROUTER, VAULT, amount)
        out = self.swap_one(path[-2], path[-1], amount, receiver)
        require(out >= least, "Router: insufficient amountOut")

    def give(self, account: str, token: str, amount: int) -> None:
        """For nothing (4.4)."""
        self.move(token, account, VAULT, amount)
        require(token in self.rules, "Vault: _token not whitelisted")
        require(amount > 0, "Vault: invalid tokenAmount")
        self.add(token, amount)

    # the share (9) -----------------------------------------------------------------------------------------

    def value(self, maximise: bool) -> int:
        """USD of the pool."""
        worth = winning = 0
        for token in self.tokens:
            book, price = self.state[token], self.price(token, maximise)
            if self.rules[token]["stable"]:
                worth += book["pool"] * price // self.unit(token)
                continue
            if book["short_size"]:
                delta = over(book["short_size"] * abs(book["tracked"] - price), book["tracked"])
                winning += delta if book["tracked"] > price else 0
                worth += 0 if book["tracked"] > price else delta
            worth += book["guaranteed"] + less(book["pool"], book["reserved"]) * price // self.unit(token)
        return max(0, worth - winning)

    def add_liquidity(self, account: str, token: str, amount: int, least_debt: int, least: int) -> None:
        """Shares for tokens."""
        require(amount > 0, "GlpManager: invalid _amount")
        value, supply = self.value(True) * DEBT_UNIT // USD, self.supplies["GLP"]
        self.move(token, account, VAULT, amount)
        minted = self.buy_debt(token, amount)
        require(minted >= least_debt, "GlpManager: insufficient USDG output")
        shares = minted * supply // value if value else minted
        require(shares >= least, "GlpManager: insufficient GLP output")
        self.supplies["GLP"] += shares
        self.balances[account, "GLP"] += shares
        self.added_at[account] = self.now

    def remove_liquidity(self, account: str, token: str, shares: int, least: int, target: str) -> None:
        """Tokens for shares."""
        require(shares > 0, "GlpManager: invalid _glpAmount")
        cooled = self.added_at.get(account, 0) + self.settings["cooldownDuration"]
        require(cooled <= self.now, "GlpManager: cooldown duration not yet passed")
        debt = over(shares * (self.value(False) * DEBT_UNIT // USD), self.supplies["GLP"])
        short = max(0, debt - self.balances[MANAGER, "USDG"])
        self.balances[MANAGER, "USDG"] += short
        self.supplies["USDG"] += short
        require(self.balances[account, "GLP"] >= shares, SHORT_OF["GLP"])
        self.balances[account, "GLP"] -= shares
        self.supplies["GLP"] -= shares
        require(self.sell_debt(token, debt, target) >= least, "GlpManager: insufficient output")

    # undoing -----------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """Everything an operation may change."""
        kept = ("now", "settings", "rules", "state", "balances", "supplies", "added_at", "positions")
        return copy.deepcopy({name: self.__dict__[name] for name in kept})
