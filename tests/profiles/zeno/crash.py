"""The shipped profile through the hours of 9 to 12 October 2025, with a crowd on one side and keepers at work.

`python -m tests.profiles.zeno.crash FOLDER` prints the table of docs/zeno.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.profiles.zeno.venue import POOL, USD, Watched
from zlp.engine import ledger
from zlp.engine.branches.cross_margin import forced
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.cross_margin import Deleverage, TakeMaxProfit
from zlp.engine.events.fund import BufferMeasured, ProfitUnpaid
from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.oracle.price_path import PriceTick
from zlp.oracle.replay import load_prices

CANDLES = "candles-1h-2024-2026.parquet"
MARKETS = ("ETH", "BTC", "SOL")
START, END = 1_759_968_000, 1_760_313_600
"""9 October 2025 00:00 and 13 October 00:00 UTC."""
FUND = 2_600_000
TRADERS = 200
LONGS = {"mostly long": 0.8, "balanced": 0.5, "mostly short": 0.2}
"""Share of the traders that are long, by the name of the crowd."""


@dataclass
class Outcome:
    """What happened to one crowd. Money in USD, the buffer and the share price in ten-thousandths."""

    crowd: str
    opened: int = 0
    liquidated: int = 0
    bad_debt: int = 0
    max_profits: int = 0
    runs: int = 0
    deleveraged: int = 0
    lowest_before: int = 10**9
    lowest_after: int = 10**9
    unpaid: int = 0
    shares: list[int] = field(default_factory=list)

    def row(self) -> str:
        """One line of the table."""
        lowest = f"{self.lowest_before / 100:.1f} %" if self.runs else "above 60 %"
        after = f"{self.lowest_after / 100:.1f} %" if self.runs else ""
        return (
            f"| {self.crowd} | {self.opened} | {self.liquidated} | {self.bad_debt:,} | {self.max_profits} "
            f"| {self.deleveraged} in {self.runs} runs | {lowest} | {after} | {self.unpaid:,} "
            f"| {self.shares[0] / 10_000:.4f} | {self.shares[-1] / 10_000:.4f} |"
        )


class Crash:
    """One crowd's way through it."""

    def __init__(self, folder: Path, crowd: str, seed: int = 10) -> None:
        self.random, self.outcome = Random(seed), Outcome(crowd)
        window = load_prices(folder / CANDLES).prices.window(START, END).only(MARKETS)
        self.ticks: Iterator[PriceTick] = window.ticks(per_candle=4)
        self.venue = Watched()
        self.venue.now = START - 100
        first = next(self.ticks)
        self._post(first)
        self.venue.fund(FUND)
        self._open(LONGS[crowd])

    def run(self) -> Outcome:
        """To the end; every audit must hold."""
        self._note_share()
        for tick in self.ticks:
            self.venue.now = max(self.venue.now, tick.time)
            self._post(tick)
            self._keep()
        self._note_share()
        self.venue.check()
        return self.outcome

    def _post(self, tick: PriceTick) -> None:
        self.venue.post(**{asset: price / USD for asset, price in tick.prices.items()})
        self.venue.post(**{"m.USDC": 1, "m.USDT": 1, "METIS": 20})

    def _open(self, longs: float) -> None:
        """Traders with 5 to 25 times their margin, until the fund will promise no more."""
        for number in range(TRADERS):
            owner, market = f"trader-{number}", self.random.choice(MARKETS)
            usd = self.random.randrange(50_000, 400_000)
            self.venue.margin(owner, "m.USDC", usd // self.random.randrange(5, 26))
            side = 1 if self.random.random() < longs else -1
            self.outcome.opened += self.venue.trade(owner, market, side * usd) is None
            self.venue.now += 1

    def _keep(self) -> None:
        """Keepers act until nothing they find succeeds."""
        acted = True
        while acted:
            acted = False
            for command in self.venue.watch.due(self.venue.now):
                before = self._buffer() if isinstance(command, Deleverage) else 0
                if self.venue.apply("keeper", command) is None:
                    acted = True
                    self._count(command, before)

    def _count(self, command: object, before: int) -> None:
        found, venue = self.outcome, self.venue
        for event in venue.seen(Liquidated):
            found.liquidated += 1
            found.bad_debt += event.bad_debt_usd // USD
        found.max_profits += isinstance(command, TakeMaxProfit)
        if isinstance(command, Deleverage):
            found.runs += 1
            found.deleveraged += len(venue.seen(PositionChanged))
            found.lowest_before = min(found.lowest_before, before)
            found.lowest_after = min(found.lowest_after, venue.seen(BufferMeasured)[0].buffer_bps)
        found.unpaid += sum(event.value_usd // USD for event in venue.seen(ProfitUnpaid))

    def _buffer(self) -> int:
        desk = self.venue.books().desk
        return desk.fund.buffer.ratio_bps(valuation.net_pnl_usd(desk), valuation.assets_usd(desk))

    def _note_share(self) -> None:
        desk = self.venue.books().desk
        supply = ledger.supply_of(desk.draft, "ZLP")
        self.outcome.shares.append(valuation.share_price(valuation.value_usd(desk), supply) * 10_000 // USD)

    def restored(self) -> bool:
        """Whether the fund ended with its buffer, or without any profit left to close."""
        books = self.venue.books()
        return forced.buffer_healthy(books) or not any(
            forced.capped_profit(books, position) > 0 for position in self.venue.positions()
        )


if __name__ == "__main__":
    print("pool", POOL, "fund", FUND, "traders", TRADERS)
    for name in LONGS:
        print(Crash(Path(sys.argv[1]), name).run().row())
