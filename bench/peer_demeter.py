"""zelos-demeter's side of `bench.peers`, run by the interpreter of .venv-peers, which has nothing of ours.

`python peer_demeter.py PRICES`: a CSV of minute,price. Each line on stdin ("idle" or "active") is one backtest, each
line on stdout its steps a second. One position is held all the time; active: it grows by half of its first size and
collateral at one minute and shrinks by that at the next.
"""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from demeter import Actuator, Asset, MarketInfo, MarketTypeEnum, Snapshot, Strategy, TokenInfo
from demeter.gmx import GmxV2PerpMarket, GmxV2Pool

logging.disable(logging.CRITICAL)

ETH, USDC = TokenInfo("WETH", 18), TokenInfo("USDC", 6)
POOL = GmxV2Pool(ETH, USDC, ETH)
MARKET = MarketInfo("ETH", MarketTypeEnum.gmx_v2_prep)
STANDING = {
    "longAmount": 1_500.0,
    "shortAmount": 5_000_000.0,
    "virtualSwapInventoryLong": 1_500.0,
    "virtualSwapInventoryShort": 5_000_000.0,
    "poolValue": 10_000_000.0,
    "marketTokensSupply": 10_000_000.0,
    "impactPoolAmount": 10.0,
    "pendingPnl": 0.0,
    "realizedPnl": 0.0,
    "realizedProfit": 0.0,
    "openInterestLong": 1_000_000.0,
    "openInterestShort": 1_000_000.0,
    "openInterestInTokensLong": 300.0,
    "openInterestInTokensShort": 300.0,
    "shortPrice": 1.0,
    "virtualPositionInventory": 0.0,
    "positionImpactPoolAmount": 10.0,
    "positionFeeFactor": 0.0006,
    "positionFeeReceiverFactor": 0.37,
    "borrowingFeeReceiverFactor": 0.37,
}
GROWING = (
    "cumulativeBorrowingFactorLong",
    "cumulativeBorrowingFactorShort",
    "longTokenFundingFeeAmountPerSizeLong",
    "longTokenFundingFeeAmountPerSizeShort",
    "shortTokenFundingFeeAmountPerSizeLong",
    "shortTokenFundingFeeAmountPerSizeShort",
    "longTokenClaimableFundingAmountPerSizeLong",
    "longTokenClaimableFundingAmountPerSizeShort",
    "shortTokenClaimableFundingAmountPerSizeLong",
    "shortTokenClaimableFundingAmountPerSizeShort",
)


class Turns(Strategy):
    """Opens a position and makes it larger and smaller in turn; idle: opens once."""

    def __init__(self, *, idle: bool) -> None:
        super().__init__()
        self.idle = idle
        self.large = False

    def on_bar(self, _snapshot: Snapshot) -> None:
        """One action, of one position. A little less collateral leaves than came, for fees and losses."""
        market = self.markets.default
        if not market.positions:
            market.increase_position(ETH, 1.0, True, size_in_usd=5_940.0)
            return
        if self.idle:
            return
        if self.large:
            market.decrease_position(ETH, True, size_in_usd=2_970.0, collateral_amount=0.499)
        else:
            market.increase_position(ETH, 0.5, True, size_in_usd=2_970.0)
        self.large = not self.large


def frame(file: Path) -> pd.DataFrame:
    """The pool's minutes: the given prices, standing amounts, growing fees."""
    rows = [line.split(",") for line in file.read_text().splitlines()]
    index = pd.DatetimeIndex([datetime.fromtimestamp(int(time), UTC).replace(tzinfo=None) for time, _ in rows])
    prices = [float(price) for _, price in rows]
    growth = {name: [place * 1e-9 for place in range(len(rows))] for name in GROWING}
    return pd.DataFrame({**STANDING, "longPrice": prices, "indexPrice": prices, **growth}, index=index)


def steps_a_second(data: pd.DataFrame, *, idle: bool) -> float:
    """One backtest, timed without its preparation."""
    actuator = Actuator()
    market = GmxV2PerpMarket(MARKET, POOL, data=data)
    actuator.broker.add_market(market)
    actuator.set_assets([Asset(ETH, 1_000), Asset(USDC, 1_000_000)])
    actuator.set_price(market.get_price_from_data())
    actuator.strategy = Turns(idle=idle)
    start = time.process_time()
    actuator.run(print_result=False)
    seconds = time.process_time() - start
    expected = 1 if idle else len(data)
    if len(actuator.actions) != expected:
        raise RuntimeError(f"{len(actuator.actions)} actions in {len(data)} steps, not {expected}")
    if len(market.positions) != 1:
        raise RuntimeError("the position is gone")
    return len(data) / seconds


def main() -> None:
    """Answer each line."""
    data = frame(Path(sys.argv[1]))
    for line in sys.stdin:
        print(steps_a_second(data, idle=line.strip() == "idle"), flush=True)


if __name__ == "__main__":
    main()
