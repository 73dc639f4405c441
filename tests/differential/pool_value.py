"""One day of a live pool of the basket design, minute by minute: our pool value against its own (E2, E4).

A few columns of the recording were stored as floats, so values agree to one part in 10**15.
"""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

from tests.differential.report import Report
from zlp.engine.branches.basket.valuation import pool_value
from zlp.engine.leaves.base import Leaf
from zlp.engine.leaves.isolated import IsolatedSettings, Market
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.mechanisms.shorts import ReferenceShorts, Shorts
from zlp.engine.mechanisms.swap_fees import DynamicTax
from zlp.engine.state import State

DECIMALS = {"btc.b": 8, "weth": 18, "wbtc": 8, "wavax": 18, "mim": 18, "usdc": 6, "usdc.e": 6}
STABLE = {"mim", "usdc", "usdc.e"}
POOL = "main"
FREE = DynamicTax(
    mint_burn_bps=0,
    swap_bps=0,
    stable_swap_bps=0,
    tax_bps=0,
    stable_tax_bps=0,
    mint_burn_tax_bps=0,
    stable_mint_burn_tax_bps=0,
)


def replay(path: Path) -> Report:
    """Value every minute's pool and compare with the recorded value."""
    report = Report("minutes")
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            recorded = _integer(row["aum"])
            ours = pool_value(_state(row), _pool(), 0, maximise=True)
            if abs(ours - recorded) * 10**15 <= recorded:
                report.match()
            else:
                report.mismatch(row["time"], f"recorded {recorded}, ours {ours}")
    return report


def _integer(text: str) -> int:
    return int(Decimal(text)) if text else 0


def _pool() -> PoolSettings:
    return PoolSettings(POOL, share="GLP", debt="USDG", tokens=tuple(DECIMALS), swap_fees=FREE)


def _state(row: dict[str, str]) -> State:
    leaves: list[Leaf] = [
        IsolatedSettings(POOL, opening_fee_bps=10, closing_fee_bps=10, liquidation_fee=0, shorts=ReferenceShorts())
    ]
    for token, decimals in DECIMALS.items():

        def column(name: str, token: str = token) -> int:
            return _integer(row.get(f"{token}_{name}", ""))

        leaves += [
            PriceSettings(token, answer_decimals=30),
            PriceFeed(token, rounds=(column("price"),)),
            AssetSettings(POOL, token, column("weight"), decimals, stable=token in STABLE),
            PoolAsset(
                POOL,
                token,
                amount=column("pool"),
                reserved=column("reserved"),
                guaranteed=column("guaranteed"),
                debt=column("usdg"),
            ),
            Market(POOL, token, shorts=Shorts(size=column("size"), tracked=column("average"))),
        ]
    return State(leaves)
