"""The bare arithmetic of opening, closing and swapping: plain integers in local variables, nothing kept safe.

The same multiplications and divisions as the engine's basket pool and isolated positions at one price, without
commands, draft, events, invariants, ledger or digest. It is what the engine's overhead is measured against.
"""

from __future__ import annotations

USD = 10**30


class Model:
    """One pool of two tokens, positions in a dictionary."""

    def __init__(self) -> None:
        self.price = {"ETH": 2_000 * USD, "BTC": 40_000 * USD}
        self.unit = {"ETH": 10**18, "BTC": 10**8}
        self.weight = {"ETH": 30, "BTC": 25}
        self.pool = {"ETH": 10**24, "BTC": 10**13}
        self.reserved = {"ETH": 0, "BTC": 0}
        self.debt = {"ETH": 2 * 10**27, "BTC": 4 * 10**27}
        self.fees = {"ETH": 0, "BTC": 0}
        self.guaranteed = 0
        self.supply = 6 * 10**27
        self.index = 0
        self.anchor = 0
        self.now = 0
        self.positions: dict[int, list[int]] = {}

    def touch(self, token: str) -> None:
        """Funding."""
        if self.anchor + 3_600 <= self.now:
            hours = (self.now - self.anchor) // 3_600
            self.index += 125_000 * self.reserved[token] * hours // self.pool[token]
            self.anchor = self.now // 3_600 * 3_600

    def delta(self, position: list[int]) -> tuple[bool, int]:
        """Profit or loss."""
        price = self.price["ETH"]
        size, average = position[0], position[2]
        change = size * abs(average - price) // average
        return price > average, change

    def check(self, position: list[int]) -> None:
        """Liquidation test."""
        profit, change = self.delta(position)
        fee = position[0] * (self.index - position[3]) // 10**10
        remaining = position[1] if profit else position[1] - change
        if remaining < fee + 5 * USD or remaining * 300_000 < position[0] * 10_000:
            raise ValueError("unhealthy")

    def open(self, key: int, amount: int, size: int) -> None:
        """Open or extend."""
        self.touch("ETH")
        price, unit = self.price["ETH"], 10**18
        position = self.positions.get(key) or [0, 0, 0, 0, 0]
        if position[0] == 0:
            average = price
        else:
            profit, change = self.delta(position)
            total = position[0] + size
            average = price * total // (total + change if profit else total - change)
        size_fee = size - size * 9_990 // 10_000
        fee = size_fee + position[0] * (self.index - position[3]) // 10**10
        fee_tokens = fee * unit // price
        self.fees["ETH"] += fee_tokens
        worth = amount * price // unit
        collateral = position[1] + worth - fee
        reserve = size * unit // price
        position = [position[0] + size, collateral, average, self.index, position[4] + reserve]
        self.check(position)
        self.reserved["ETH"] += reserve
        self.guaranteed += size + fee - worth
        self.pool["ETH"] += amount - fee_tokens
        self.positions[key] = position

    def close(self, key: int) -> int:
        """Close whole."""
        self.touch("ETH")
        price, unit = self.price["ETH"], 10**18
        position = self.positions.pop(key)
        size = position[0]
        fee = size * (self.index - position[3]) // 10**10
        fee_tokens = fee * unit // price
        self.fees["ETH"] += fee_tokens
        part = position[4] * size // size
        self.reserved["ETH"] -= part
        profit, change = self.delta(position)
        change = size * change // size
        owed = position[1] + (change if profit else -change)
        self.guaranteed += position[1] - size
        self.pool["ETH"] -= owed * unit // price
        return (owed - fee) * unit // price

    def swap(self, source: str, target: str, amount: int) -> int:
        """One hop with the dynamic tax on both sides."""
        gross = amount * self.price[source] // self.price[target] * self.unit[target] // self.unit[source]
        debt = amount * self.price[source] // USD * 10**18 // self.unit[source]
        rate = max(self.rate(source, debt, True), self.rate(target, debt, False))
        net = gross * (10_000 - rate) // 10_000
        self.fees[target] += gross - net
        self.debt[source] += debt
        self.debt[target] -= debt
        self.pool[source] += amount
        self.pool[target] -= gross
        return net

    def rate(self, token: str, debt: int, increase: bool) -> int:
        """The fee curve."""
        target = self.weight[token] * self.supply // 55
        before = self.debt[token]
        after = before + debt if increase else before - debt
        if abs(after - target) < abs(before - target):
            return 25
        return 25 + 60 * min((abs(before - target) + abs(after - target)) // 2, target) // target
