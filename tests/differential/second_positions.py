"""Positions, short averages and the operations of a recording, on the second reading's pool (sections 5 to 9A)."""

from __future__ import annotations

from typing import Any

from tests.differential.second_reading import (
    POSITION_FIELDS,
    TOKEN_FIELDS,
    VAULT,
    Key,
    Pool,
    Reverted,
    less,
    over,
    require,
)

HEALTHY, LIQUIDATABLE, OVER_LEVERAGED = 0, 1, 2


class Vault(Pool):
    """The pool with its positions, driven by recorded operations."""

    # primitives (5) ----------------------------------------------------------------------------------------

    def size_fee(self, size: int) -> int:
        """Rounds up."""
        return size - size * (10_000 - self.settings["marginFeeBasisPoints"]) // 10_000

    def funding_fee(self, key: Key, position: dict[str, int]) -> int:
        """On the size before the change."""
        return position["size"] * (self.state[key[1]]["funding"] - position["entry"]) // 10**6

    def delta(self, key: Key, position: dict[str, int]) -> tuple[bool, int]:
        """Profit or loss at the trader's worse price."""
        _, _, index, is_long = key
        average, size = position["average"], position["size"]
        require(average > 0, "Vault: invalid _averagePrice")
        price = self.low(index) if is_long else self.high(index)
        profit, delta = price > average if is_long else average > price, size * abs(average - price) // average
        young = self.now <= position["increased_at"] + self.settings["minProfitTime"]
        least = self.rules[index]["minProfitBps"] if young else 0
        return profit, 0 if profit and delta * 10_000 <= size * least else delta

    def charge(self, key: Key, position: dict[str, int], size_delta: int) -> int:
        """The margin fee, booked in tokens."""
        fee = self.size_fee(size_delta) + self.funding_fee(key, position)
        self.state[key[1]]["fees"] += self.fewest(key[1], fee)
        return fee

    def health(self, key: Key, position: dict[str, int], *, trader: bool = False) -> tuple[int, int]:
        """State and fees; for the trader's own action every state but healthy is refused."""
        profit, delta = self.delta(key, position)
        fees, left = self.funding_fee(key, position) + self.size_fee(position["size"]), position["collateral"]
        if not profit and left < delta:
            require(not trader, "Vault: losses exceed collateral")
            return LIQUIDATABLE, fees
        left += (0 if trader else delta) if profit else -delta
        if left < fees:
            require(not trader, "Vault: fees exceed collateral")
            return LIQUIDATABLE, left
        if left < fees + self.settings["liquidationFeeUsd"]:
            require(not trader, "Vault: liquidation fees exceed collateral")
            return LIQUIDATABLE, fees
        if left * self.settings["maxLeverage"] < position["size"] * 10_000:
            require(not trader, "Vault: maxLeverage exceeded")
            return OVER_LEVERAGED, fees
        return HEALTHY, fees

    def must_be_sane(self, position: dict[str, int]) -> None:
        """At least 1x."""
        require(position["size"] >= position["collateral"], "Vault: _size must be more than _collateral")

    def track(self, key: Key, size_delta: int, increase: bool) -> None:
        """The shorts tracker, before the vault (8.2)."""
        _, _, index, is_long = key
        if is_long or size_delta == 0:
            return
        book, realised = self.state[index], 0
        mark = self.low(index) if increase else self.high(index)
        if not increase:
            position = self.position(key)
            profit, delta = self.delta(key, position)
            realised = size_delta * delta // position["size"] * (1 if profit else -1)
        size, average = book["short_size"], book["tracked"]
        after = size + size_delta if increase else less(size, size_delta)
        if after == 0 or average == 0:
            book["tracked"] = mark if after else 0
            return
        delta = size * abs(average - mark) // average
        left = (delta if average > mark else -delta) - realised
        book["tracked"] = over(mark * after, less(after, left) if left >= 0 else after - left)

    def position(self, key: Key) -> dict[str, int]:
        """A missing record reads as zeros."""
        return self.positions.setdefault(key, dict.fromkeys(POSITION_FIELDS, 0))

    # actions (6, 7, 9A) ------------------------------------------------------------------------------------

    def increase(self, key: Key, sender: str, amount: int, size_delta: int) -> None:
        """Transfer, mark price, tracker, vault."""
        account, collateral, index, is_long = key
        self.move(collateral, account, VAULT, amount)
        entry = self.high(index) if is_long else self.low(index)
        self.track(key, size_delta, True)
        require(sender == account, "Vault: invalid msg.sender")
        self.check_tokens(collateral, index, is_long)
        self.touch(collateral)
        position, book = self.position(key), self.state[collateral]
        if position["size"] == 0:
            position["average"] = entry
        elif size_delta:
            profit, delta = self.delta(key, position)
            size = position["size"] + size_delta
            position["average"] = over(entry * size, size + delta if profit == is_long else less(size, delta))
        fee, worth = self.charge(key, position, size_delta), self.usd(collateral, amount)
        require(position["collateral"] + worth >= fee, "Vault: insufficient collateral for fees")
        position["collateral"] += worth - fee
        position["entry"], position["increased_at"] = book["funding"], self.now
        position["size"] += size_delta
        require(position["size"] > 0, "Vault: invalid position.size")
        self.must_be_sane(position)
        self.health(key, position, trader=True)
        reserve = self.most(collateral, size_delta)
        position["reserve"] += reserve
        self.reserve(collateral, reserve)
        if is_long:
            book["guaranteed"] = less(book["guaranteed"] + size_delta + fee, worth)
            self.add(collateral, amount)
            self.take(collateral, self.fewest(collateral, fee))
        else:
            self.grow_shorts(index, entry, size_delta)

    def check_tokens(self, collateral: str, index: str, is_long: bool) -> None:
        """Longs are backed by their index, shorts by a stable."""
        if is_long:
            require(collateral == index, "Vault: mismatched tokens")
        require(collateral in self.rules, "Vault: _collateralToken not whitelisted")
        stable = self.rules[collateral]["stable"]
        if is_long:
            require(not stable, "Vault: _collateralToken must not be a stableToken")
            return
        require(stable, "Vault: _collateralToken must be a stableToken")
        require(not self.rules[index]["stable"], "Vault: _indexToken must not be a stableToken")
        require(self.rules[index]["shortable"], "Vault: _indexToken not shortable")

    def grow_shorts(self, index: str, price: int, size_delta: int) -> None:
        """The vault's own average (8.1)."""
        book, limit = self.state[index], self.rules[index]["maxGlobalShortSize"]
        size, average = book["short_size"], book["short_average"]
        if size == 0:
            book["short_average"] = price
        else:
            delta, after = size * abs(average - price) // average, size + size_delta
            book["short_average"] = over(price * after, less(after, delta) if average > price else after + delta)
        book["short_size"] += size_delta
        require(not limit or book["short_size"] <= limit, "Vault: max shorts exceeded")

    def decrease(self, key: Key, sender: str, collateral_delta: int, size_delta: int, target: str) -> None:
        """Mark price, tracker, vault."""
        account, _, index, is_long = key
        self.price(index, not is_long)
        self.track(key, size_delta, False)
        require(sender == account, "Vault: invalid msg.sender")
        self.reduce(key, collateral_delta, size_delta, target)

    def reduce(self, key: Key, collateral_delta: int, size_delta: int, target: str) -> None:
        """The vault's part."""
        _, collateral, index, is_long = key
        position, book = self.position(key), self.state[collateral]
        self.touch(collateral)
        require(position["size"] > 0, "Vault: empty position")
        require(size_delta <= position["size"], "Vault: position size exceeded")
        require(collateral_delta <= position["collateral"], "Vault: position collateral exceeded")
        before, closed = position["collateral"], size_delta == position["size"]
        released = position["reserve"] * size_delta // position["size"]
        position["reserve"] -= released
        book["reserved"] -= released
        out, net = self.realise(key, position, collateral_delta, size_delta)
        if closed:
            del self.positions[key]
        else:
            position["entry"] = book["funding"]
            position["size"] -= size_delta
            self.must_be_sane(position)
            self.health(key, position, trader=True)
        if is_long:
            freed = before if closed else before - position["collateral"]
            book["guaranteed"] = less(book["guaranteed"] + freed, size_delta)
        else:
            self.state[index]["short_size"] = max(0, self.state[index]["short_size"] - size_delta)
        if out:
            if is_long:
                self.take(collateral, self.fewest(collateral, out))
            self.pay(collateral, self.fewest(collateral, net), target)

    def realise(self, key: Key, position: dict[str, int], collateral_delta: int, size_delta: int) -> tuple[int, int]:
        """Profit or loss of the part, the withdrawal, the fee: USD leaving, and of it the trader's."""
        _, collateral, _, is_long = key
        fee = self.charge(key, position, size_delta)
        profit, delta = self.delta(key, position)
        part, out = size_delta * delta // position["size"], 0
        if part and profit:
            out = part
            position["pnl"] += part
            if not is_long:
                self.take(collateral, self.fewest(collateral, part))
        elif part:
            position["collateral"] = less(position["collateral"], part)
            position["pnl"] -= part
            if not is_long:
                self.add(collateral, self.fewest(collateral, part))
        out += collateral_delta
        position["collateral"] = less(position["collateral"], collateral_delta)
        if size_delta == position["size"]:
            out += position["collateral"]
            position["collateral"] = 0
        if out > fee:
            return out, out - fee
        position["collateral"] = less(position["collateral"], fee)
        if is_long:
            self.take(collateral, self.fewest(collateral, fee))
        return out, out

    def liquidate(self, key: Key, sender: str, target: str) -> None:
        """Tracker with the whole size, then the vault."""
        account, collateral, index, is_long = key
        size = self.positions.get(key, {"size": 0})["size"]
        self.price(index, not is_long)
        self.track(key, size, False)
        require(
            not self.settings["privateLiquidation"] or sender in self.config["liquidators"], "Vault: invalid liquidator"
        )
        self.touch(collateral)
        require(size > 0, "Vault: empty position")
        position, book = self.positions[key], self.state[collateral]
        health, fees = self.health(key, position)
        require(health != HEALTHY, "Vault: position cannot be liquidated")
        if health == OVER_LEVERAGED:
            self.reduce(key, 0, size, account)
            return
        tokens = self.fewest(collateral, fees)
        book["fees"] += tokens
        book["reserved"] -= position["reserve"]
        if is_long:
            book["guaranteed"] = less(book["guaranteed"], size - position["collateral"])
            self.take(collateral, tokens)
        else:
            self.add(collateral, self.fewest(collateral, max(0, position["collateral"] - fees)))
            self.state[index]["short_size"] = max(0, self.state[index]["short_size"] - size)
        del self.positions[key]
        reward = self.fewest(collateral, self.settings["liquidationFeeUsd"])
        self.take(collateral, reward)
        self.pay(collateral, reward, target)

    # recorded operations -----------------------------------------------------------------------------------

    def run(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record of an operation, with its outcome and the state after it."""
        kept, self.payouts, reason = self.kept(), [], None
        try:
            self._operate(record)
        except Reverted as reverted:
            self.__dict__.update(kept)
            reason = str(reverted)
        done = {**record, "ok": reason is None, "reason": reason, "state": self._state()}
        done["out"] = {"payouts": self.payouts} if reason is None else {}
        if "isLong" in record:
            self._add_position(done)
        return done

    def _operate(self, record: dict[str, Any]) -> None:
        operation = record["op"]
        numbers = {name: int(value) for name, value in record.items() if isinstance(value, str) and value.isdigit()}
        account, token = record.get("account", ""), record.get("token", "")
        key = (account, record.get("collateral", ""), record.get("index", ""), record.get("isLong", False))
        if operation == "set_price":
            self.rules[token]["answers"].append(numbers["answer"])
        elif operation == "advance":
            self.now += numbers["seconds"]
        elif operation == "add_liquidity":
            self.add_liquidity(account, token, numbers["amount"], numbers["minUsdg"], numbers["minGlp"])
        elif operation == "remove_liquidity":
            self.remove_liquidity(account, token, numbers["glpAmount"], numbers["minOut"], record["receiver"])
        elif operation == "direct_deposit":
            self.give(account, token, numbers["amount"])
        elif operation == "swap":
            self.swap(account, record["path"], numbers["amountIn"], numbers["minOut"], record["receiver"])
        elif operation == "increase":
            self.increase(key, record["sender"], numbers["amountIn"], numbers["sizeDelta"])
        elif operation == "decrease":
            self.decrease(key, record["sender"], numbers["collateralDelta"], numbers["sizeDelta"], record["receiver"])
        else:
            self.liquidate(key, record["sender"], record["feeReceiver"])

    def _state(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            name: [str(self.state[token][field]) for token in self.tokens] for name, field in TOKEN_FIELDS.items()
        }
        shown["minPrice"] = [str(self.low(token)) for token in self.tokens]
        shown["maxPrice"] = [str(self.high(token)) for token in self.tokens]
        shown["vaultBalance"] = [str(self.balances[VAULT, token]) for token in self.tokens]
        shown["glpSupply"], shown["usdgSupply"] = str(self.supplies["GLP"]), str(self.supplies["USDG"])
        for name, maximise in (("aumMax", True), ("aumMin", False)):
            try:
                shown[name] = str(self.value(maximise))
            except Reverted:
                shown[name] = None
        return shown

    def _add_position(self, record: dict[str, Any]) -> None:
        key = (record["account"], record["collateral"], record["index"], record["isLong"])
        found = self.positions.get(key)
        if found is not None and found["size"] == 0:
            found = self.positions.pop(key) and None
        record["position"] = ["0"] * 7 if found is None else [str(found[name]) for name in POSITION_FIELDS]
        record["liq"] = None if found is None else [str(number) for number in self.health(key, found)]
