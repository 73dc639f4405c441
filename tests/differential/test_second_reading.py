"""The engine against a second reading of the reference, on what no recording holds: edges and faults (E1 to E11)."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.differential import zeus
from tests.differential.second_positions import Vault
from tests.differential.zeus_operations import Operations
from tests.differential.zeus_venue import ReferenceVenue

RECORDING = Path(__file__).resolve().parents[1] / "vectors" / "zeus-dev.jsonl.gz"
TRADERS, PROVIDERS = ("t0", "t1", "t2"), ("lp0", "lp1")
LONG_TOKENS, STABLES = ("WETH", "WBTC", "LINK"), ("USDC", "USDT")
WAITS = (1, 899, 900, 3_599, 3_600, 3_601, 28_799, 28_800, 100_000)


def config(chance: random.Random) -> dict[str, Any]:
    """The recorded deployment with other numbers."""
    with gzip.open(RECORDING, "rt") as lines:
        found: dict[str, Any] = json.loads(next(iter(lines)))["baseConfig"]
    found["fundingInterval"] = chance.choice(("3600", "28800"))
    found["priceSampleSpace"] = chance.choice(("1", "3"))
    found["minProfitTime"] = chance.choice(("0", "3600"))
    found["maxStrictPriceDeviation"] = chance.choice(("0", str(10**28)))
    found["privateLiquidation"] = chance.random() < 0.5
    found["hasDynamicFees"] = chance.random() < 0.85
    for token in LONG_TOKENS:
        row = found["tokens"][token]
        row["minProfitBps"], row["spreadBps"] = chance.choice(("0", "75")), chance.choice(("0", "20", "50"))
        row["maxGlobalShortSize"] = chance.choice(("0", "0", str(10**36)))
    found["tokens"]["USDC"]["maxUsdgAmount"] = chance.choice(("0", str(4 * 10**24)))
    found["tokens"]["WETH"]["bufferAmount"] = chance.choice(("0", str(10**21)))
    return found


class Weather:
    """Operations that look for edges of the state as it is."""

    def __init__(self, vault: Vault, chance: random.Random) -> None:
        self.vault, self.chance = vault, chance

    def next(self) -> dict[str, Any]:
        """One operation."""
        makers = (self.price, self.wait, self.provide, self.leave, self.give, self.swap)
        makers += (self.increase, self.reduce, self.seize)
        [make] = self.chance.choices(makers, weights=(12, 8, 8, 6, 2, 10, 26, 20, 10))
        return make()

    def amount(self, token: str) -> str:
        """Worth from a fraction of a cent to a million dollars; sometimes nothing, sometimes dust."""
        dust = self.chance.random()
        if dust < 0.06 or token not in self.vault.rules:
            return str(self.chance.choice((0, 1, 999)))
        usd = int(10 ** self.chance.uniform(-2, 5.5) * 10**6) * 10**24
        return str(usd * self.vault.unit(token) // self.vault.low(token))

    def token(self) -> str:
        """A listed one, nearly always."""
        return self.chance.choice((*LONG_TOKENS, *STABLES)) if self.chance.random() < 0.98 else "DOGE"

    def account(self, names: tuple[str, ...]) -> str:
        """One who can pay, nearly always."""
        return self.chance.choice(names) if self.chance.random() < 0.95 else "pauper"

    def price(self) -> dict[str, Any]:
        token = self.token() if self.chance.random() < 0.5 else self.chance.choice(LONG_TOKENS)
        token = token if token in self.vault.rules else "WETH"
        rules = self.vault.rules[token]
        answer = int(
            rules["answers"][-1]
            * self.chance.choice((1, self.chance.uniform(0.9, 1.1), self.chance.uniform(0.75, 1.3)))
        )
        first = 10**8 if token in STABLES else rules["initialAnswer"]
        if token in STABLES:
            answer = self.chance.choice((10**8, 99_000_000, 98_999_999, 101_000_001))
        return {"op": "set_price", "token": token, "answer": str(max(first // 3, min(first * 3, answer)))}

    def wait(self) -> dict[str, Any]:
        return {"op": "advance", "seconds": str(self.chance.choice(WAITS))}

    def provide(self) -> dict[str, Any]:
        token, least = self.token(), ("0", "0", str(10**21))
        return {
            "op": "add_liquidity", "account": self.account(PROVIDERS), "token": token, "amount": self.amount(token),
            "minUsdg": self.chance.choice(least), "minGlp": self.chance.choice(least),
        }  # fmt: skip

    def found(self, token: str) -> dict[str, Any]:
        """Three million dollars of a token."""
        amount = str(3_000_000 * 10**30 * self.vault.unit(token) // self.vault.low(token))
        return {**self.provide(), "account": "lp0", "token": token, "amount": amount, "minUsdg": "0", "minGlp": "0"}

    def leave(self) -> dict[str, Any]:
        account = self.account(PROVIDERS)
        held = self.vault.balances[account, "GLP"]
        return {
            "op": "remove_liquidity", "account": account, "token": self.token(), "minOut": "0", "receiver": account,
            "glpAmount": str(self.chance.choice((held, held + 1, held // 9, held // 999, 1, 0))),
        }  # fmt: skip

    def give(self) -> dict[str, Any]:
        token = self.token()
        return {
            "op": "direct_deposit", "account": self.account(TRADERS), "token": token, "amount": self.amount(token)
        }  # fmt: skip

    def swap(self) -> dict[str, Any]:
        path = [self.token() for _ in range(self.chance.choice((1, 2, 2, 2, 2, 3, 3, 4)))]
        return {
            "op": "swap", "account": self.account(TRADERS), "path": path, "amountIn": self.amount(path[0]),
            "minOut": self.chance.choice(("0", "0", str(10**12))), "receiver": "other",
        }  # fmt: skip

    def place(self, held: float) -> dict[str, Any]:
        """Which position, with this probability one there is, and who asks."""
        if self.vault.positions and self.chance.random() < held:
            account, collateral, index, is_long = self.chance.choice(list(self.vault.positions))
        else:
            is_long, index, account = self.chance.random() < 0.5, self.chance.choice(LONG_TOKENS), self.account(TRADERS)
            collateral = index if is_long else self.chance.choice(STABLES)
        if self.chance.random() < 0.04:
            collateral = self.token()
        sender = account if self.chance.random() < 0.98 else "other"
        return {"account": account, "collateral": collateral, "index": index, "isLong": is_long, "sender": sender}

    def increase(self) -> dict[str, Any]:
        place = self.place(0.5)
        amount = self.amount(place["collateral"])
        worth = self.vault.usd(place["collateral"], int(amount)) if place["collateral"] in self.vault.rules else 0
        size = int(worth * self.chance.uniform(0.5, 33)) + self.chance.choice((-1, 0, 0, 1, 10**30)) * (worth > 0)
        size = self.chance.choice((size, size, worth, worth * 29, 0))
        return {"op": "increase", **place, "amountIn": amount, "sizeDelta": str(max(0, size))}

    def reduce(self) -> dict[str, Any]:
        place = self.place(0.95)
        key = (place["account"], place["collateral"], place["index"], place["isLong"])
        held = self.vault.positions.get(key, {"size": 10**30, "collateral": 0})
        size = self.chance.choice((held["size"], held["size"], held["size"] // 2, held["size"] + 1, 1, 0))
        taken = self.chance.choice((0, 0, held["collateral"] // 3, held["collateral"], held["collateral"] + 1))
        if len(held) > 2 and self.chance.random() < 0.2:  # what is withdrawn is exactly the fee, or next to it
            taken = max(0, self.vault.size_fee(size) + self.chance.choice((-1, 0, 1)))
        return {
            "op": "decrease", **place, "sizeDelta": str(size), "collateralDelta": str(taken), "receiver": "other",
        }  # fmt: skip

    def seize(self) -> dict[str, Any]:
        place = self.place(0.95)
        for key, position in self.vault.positions.items():
            if self.vault.health(key, position)[0]:
                place |= dict(zip(("account", "collateral", "index", "isLong"), key, strict=True))
        place["sender"] = self.chance.choice(("keeper", "keeper", "t1"))
        return {"op": "liquidate", **place, "feeReceiver": "feeRecv"}


@pytest.mark.parametrize("seed", range(12))
def test_both_readings_agree_on_every_number_and_reason(seed: int) -> None:
    """E1-E11: 250 operations at the edges; state, payouts, health and the reason of every refusal."""
    chance = random.Random(seed)
    numbers = config(chance)
    vault, venue = Vault(numbers), ReferenceVenue(numbers)
    operations, weather = Operations(venue), Weather(vault, chance)
    founding = [weather.found(token) for token in vault.tokens]
    for number in range(250):
        record = vault.run(founding[number] if number < len(founding) else weather.next())
        difference = zeus._compare(venue, operations, record)
        assert difference == "", f"operation {number} { ({**record, 'state': ''}) }: {difference}"
