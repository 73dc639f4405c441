"""10 to 13 March 2023: two pools that hold USDC, an arbitrageur without limits, and USDC's holders who leave.

    ZLP_TEST_DATA=<folder> python docs/studies/depeg.py

needs `depeg-1m-2023-03.parquet` (columns time, btc_usd, usdc_usd_implied, usdt_usd_implied). Prints the table and
draws the picture of docs/studies/depeg.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import track

from zlp.desks import desk_of
from zlp.engine import Command, Envelope, Receipt, Root, ledger
from zlp.engine.codec import canonical
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.liquidity import Mint, Swap
from zlp.engine.commands.orders import PlaceOrder
from zlp.engine.events.liquidity import FeeCharged, Swapped
from zlp.engine.fixed import USD
from zlp.engine.leaves.coin_vaults import CoinVaultSettings
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.pool import AssetSettings
from zlp.engine.state import Reader
from zlp.keepers import LocalPort, LocalVenue, OrderKeeper, PriceKeeper
from zlp.oracle.price_path import PricePath, PriceStep
from zlp.oracle.replay import load_prices
from zlp.profiles.loader import load
from zlp.simulator.feeds import KnownPrices, PathFeed, assume

START, END = (int(datetime(2023, 3, day, tzinfo=UTC).timestamp()) for day in (10, 14))
COLUMNS = {"BTC": "btc_usd", "USDC": "usdc_usd_implied", "USDT": "usdt_usd_implied"}
LIQUIDITY_USD = 10_000_000
SIZES_USD = (20_000, 100_000, 400_000)
EDGE_BPS = 5
LEAVING_BELOW, LEAVING_USD, LEAVING_COST_BPS = 0.99, 50_000, 60
ORDERS_A_MINUTE = 5
PICTURE = Path(__file__).with_suffix(".svg")


class Variant(msgspec.Struct, frozen=True):
    """A pool to run: its profile, parameters that governance changes first, and whether the oracle says 1 dollar."""

    name: str
    profile: str
    changes: tuple[tuple[str, str, str, str], ...] = ()
    dollar: bool = False


NO_TAX = tuple(
    ("PoolSettings", '["main"]', f"swap_fees.{name}", "0")
    for name in ("tax_bps", "stable_tax_bps", "mint_burn_tax_bps", "stable_mint_burn_tax_bps")
)
LOOSE_PEG = ("PriceSettings", '["USDC"]', "spread.strict_deviation", f'"{USD // 100}"')
NO_BAND = (("BorrowPoolSettings", '["main"]', "swap_fees.max_fee", "0"),)
VARIANTS = (
    Variant("ZEUS as shipped", "zeus"),
    Variant("ZEUS without the tax", "zeus", NO_TAX),
    Variant("ZEUS, peg tolerance 1 %", "zeus", (LOOSE_PEG,)),
    Variant("ZEUS, oracle says a dollar", "zeus", dollar=True),
    Variant("ZO as shipped", "zo"),
    Variant("ZO without the band", "zo", NO_BAND),
    Variant("ZO, oracle says a dollar", "zo", dollar=True),
)


class Outcome(msgspec.Struct):
    """What a run gave, by minute: value against holding, weight of USDC; and totals in USD."""

    name: str
    against_holding: list[float] = []
    usdc_weight: list[float] = []
    volume: float = 0.0
    fees: float = 0.0
    profit: float = 0.0
    left: float = 0.0


class Study:
    """One venue of one variant, its keepers, and the arbitrageur.

    He acts as everybody must: he orders now, and the order runs at the prices that are posted a minute later. He
    asks for at least what his tokens are worth elsewhere now, so that a price that moved against him costs nothing.
    """

    def __init__(self, variant: Variant, path: PricePath) -> None:
        self.variant, self.outcome = variant, Outcome(variant.name)
        self.now = path.steps[0].time
        self.venue = LocalVenue(Root())
        for envelope in load(variant.profile).genesis(time=self.now):
            self.venue.apply(envelope)
        for leaf, key, field, value in variant.changes:
            self.must("governor", SetParameter(leaf=leaf, key=key, field=field, value=value))
        assumptions = assume(self.reader, path, {"ETH": "0.07 BTC"})
        self.feed, self.market = PathFeed(self.reader, assumptions), KnownPrices(assumptions)
        port = LocalPort(self.venue, "keeper", lambda: self.now)
        self.keepers = (PriceKeeper(port, self.feed), OrderKeeper(port))
        # Only so that he can ask for exact quotes; he acts by orders.
        names = '["Mint","Burn","Swap"]'
        self.must("governor", SetParameter(leaf="OrderSettings", key="[]", field="immediate", value=names))
        self.units = {token: ledger.token(self.reader, token).unit for token in self.tokens()}
        self.hear(path.steps[0])
        self.found()
        self.start = self.amounts()

    @property
    def reader(self) -> Reader:
        return self.venue.root.state

    def tokens(self) -> list[str]:
        """The pool's tokens."""
        return [settings.token for kind in (AssetSettings, CoinVaultSettings) for settings in self.reader.each(kind)]

    def must(self, account: str, command: Command) -> Receipt:
        receipt = self.venue.apply(Envelope(time=self.now, account=account, command=command))
        if receipt.rejection is not None:
            raise RuntimeError(f"{command}: {receipt.rejection}")
        return receipt

    def hear(self, step: PriceStep) -> None:
        """This minute's prices are posted, and the orders of the last minute run."""
        known = {asset: candle.close for asset, candle in step.candles.items()}
        if self.variant.dollar:
            known["USDC"] = USD
        self.now, self.truth = step.time, self.prices(step)
        self.feed.move_to(step.time, known)
        for keeper in self.keepers:
            keeper.work()

    def found(self) -> None:
        """Ten million dollars at target weights."""
        [pool] = desk_of(self.reader).pools(self.reader, self.now)
        whole = sum(asset.target_bps for asset in pool.assets)
        for asset in pool.assets:
            value = LIQUIDITY_USD * USD * asset.target_bps // whole
            amount = value * self.units[asset.token] // self.feed.prices[asset.token]
            self.must("bridge", Deposit(account="provider", token=asset.token, amount=amount))
            self.must("provider", Mint(pool=pool.pool, token=asset.token, amount=amount))

    def amounts(self) -> dict[str, float]:
        """Whole tokens in the pool."""
        [pool] = desk_of(self.reader).pools(self.reader, self.now)
        return {asset.token: asset.amount / self.units[asset.token] for asset in pool.assets}

    def arbitrage(self, truth: dict[str, float]) -> None:
        """Order the swap that earns most now, as often as it would still be worth it."""
        found = max(self.offers(truth), key=lambda offer: offer[0], default=None)
        if found is None:
            return
        for _ in range(ORDERS_A_MINUTE):
            self.order("arbitrageur", found[1])

    def leave(self, truth: dict[str, float]) -> None:
        """While USDC is below 99 cents its holders leave it for BTC, a fixed amount a minute, at up to 60 bps."""
        if truth["USDC"] >= LEAVING_BELOW:
            return
        amount = int(LEAVING_USD / truth["USDC"] * self.units["USDC"])
        least = int(LEAVING_USD * (1 - LEAVING_COST_BPS / 10_000) / truth["BTC"] * self.units["BTC"])
        self.order("holder", Swap(pool="main", path=("USDC", "BTC"), amount=amount, min_amount=least))

    def order(self, account: str, command: Swap) -> None:
        """Bring the tokens in and place the order."""
        settings = self.reader.get(OrderSettings, ())
        for token, amount in ((command.path[0], command.amount), (settings.fee_token, settings.minimum_fee)):
            self.must("bridge", Deposit(account=account, token=token, amount=amount))
        self.must(account, PlaceOrder(action=canonical(command).decode(), fee=settings.minimum_fee))

    def offers(self, truth: dict[str, float]) -> Iterator[tuple[float, Swap]]:
        """Profit and command of each swap worth more than its edge at this minute's prices, here and elsewhere."""
        for token_in, token_out in permutations(self.start, 2):
            unit = self.units[token_out]
            for size in SIZES_USD:
                amount = int(size / truth[token_in] * self.units[token_in])
                least = int(size * (1 + EDGE_BPS / 10_000) / truth[token_out] * unit)
                command = Swap(pool="main", path=(token_in, token_out), amount=amount, min_amount=least)
                if ledger.balance_of(self.reader, "arbitrageur", token_in) < amount:
                    self.must("bridge", Deposit(account="arbitrageur", token=token_in, amount=amount))
                envelope = Envelope(time=self.now, account="arbitrageur", command=command)
                receipt = self.venue.root.quote(envelope).receipt
                if receipt.rejection is None:
                    out = sum(event.amount_out for event in receipt.events if type(event) is Swapped)
                    yield out / unit * truth[token_out] - size, command

    def hears(self, receipt: Receipt) -> None:
        """Count what the arbitrageur did, at the prices of the minute in which it ran."""
        for event in receipt.events:
            if type(event) is Swapped and event.account == "holder":
                self.outcome.left += event.amount_in / self.units["USDC"] * self.truth["USDC"]
            elif type(event) is Swapped and event.account == "arbitrageur":
                paid = event.amount_in / self.units[event.token_in] * self.truth[event.token_in]
                got = event.amount_out / self.units[event.token_out] * self.truth[event.token_out]
                self.outcome.volume += paid
                self.outcome.profit += got - paid
            elif type(event) is FeeCharged and event.kind == "swap":
                self.outcome.fees += event.value_usd / USD

    def account(self, truth: dict[str, float]) -> None:
        """Write this minute down at true prices."""
        held = self.amounts()
        value = sum(amount * truth[token] for token, amount in held.items())
        held_from_start = sum(amount * truth[token] for token, amount in self.start.items())
        self.outcome.against_holding.append(value / held_from_start - 1)
        self.outcome.usdc_weight.append(held["USDC"] * truth["USDC"] / value)

    def prices(self, step: PriceStep) -> dict[str, float]:
        """True prices of every token at a step, in USD."""
        closes = {asset: candle.close for asset, candle in step.candles.items()}
        return {asset: price / USD for asset, price in self.market.prices_at(closes).items()}


def run(variant: Variant, path: PricePath) -> Outcome:
    """Run a variant along the path."""
    study = Study(variant, path)
    study.venue.listen(study.hears)
    for step in track(path.steps[1:], description=variant.name):
        study.hear(step)
        study.arbitrage(study.truth)
        study.leave(study.truth)
        study.account(study.truth)
    faults = study.venue.root.audit()
    if faults:
        raise RuntimeError(f"{variant.name}: {faults[:3]}")
    return study.outcome


def draw(prices: list[float], outcomes: list[Outcome]) -> str:
    """Three panels over time: the price of USDC, its weight in each pool, and each pool against holding."""
    colours = ("#1f77b4", "#17becf", "#2ca02c", "#7f7f7f", "#d62728", "#ff7f0e", "#8c564b")
    panels = [
        ("USDC in USD", [("USDC", prices, "#333333")]),
        ("share of USDC in the pool", [
            (one.name, one.usdc_weight, c) for one, c in zip(outcomes, colours, strict=True)
        ]),
        ("pool against holding, %", [
            (one.name, [100 * x for x in one.against_holding], c) for one, c in zip(outcomes, colours, strict=True)
        ]),
    ]  # fmt: skip
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="830" font-family="sans-serif" font-size="12">'
    ]
    parts.append('<rect width="900" height="830" fill="white"/>')
    for number, (title, lines) in enumerate(panels):
        parts += _panel(title, lines, top=30 + 240 * number)
    for number, (one, colour) in enumerate(zip(outcomes, colours, strict=True)):
        x, y = 70 + 280 * (number % 3), 765 + 20 * (number // 3)
        parts.append(f'<path d="M{x} {y - 4}h22" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{x + 28}" y="{y}">{one.name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _panel(title: str, lines: list[tuple[str, list[float], str]], top: int) -> Iterator[str]:
    left, width, height = 70, 800, 190
    low = min(min(values) for _, values, _ in lines)
    high = max(max(values) for _, values, _ in lines)
    room = (high - low or 1.0) * 0.05
    low, high = low - room, high + room
    yield f'<text x="{left}" y="{top - 8}" font-weight="bold">{title}</text>'
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>'
    for part in range(5):
        y = top + height * part / 4
        yield f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{high - (high - low) * part / 4:.3g}</text>'
    for day in range(4):
        x = left + width * day / 4
        yield f'<path d="M{x:.0f} {top}v{height}" stroke="#eee"/>'
        yield f'<text x="{x + 4:.0f}" y="{top + height + 14}">{10 + day} March</text>'
    for _, values, colour in lines:
        shown = values[::6]
        points = " ".join(
            f"{left + width * index / (len(shown) - 1):.1f},{top + height * (high - value) / (high - low):.1f}"
            for index, value in enumerate(shown)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>'


def main() -> None:
    """Run every variant, print the table, draw the picture."""
    folder = os.environ.get("ZLP_TEST_DATA")
    if not folder:
        raise SystemExit("set ZLP_TEST_DATA to the folder that holds depeg-1m-2023-03.parquet")
    path = load_prices(Path(folder) / "depeg-1m-2023-03.parquet", COLUMNS).prices.window(START, END)
    outcomes = [run(variant, path) for variant in VARIANTS]
    say = Console(soft_wrap=True, highlight=False).print
    say("| pool | arbitrage | his gain | holders left | fees paid | against holding, worst | at the end | most USDC |")
    say("|---|---|---|---|---|---|---|---|")
    for one in outcomes:
        say(
            f"| {one.name} | ${one.volume:,.0f} | ${one.profit:,.0f} | ${one.left:,.0f} | ${one.fees:,.0f} "
            f"| {100 * min(one.against_holding):+.2f} % | {100 * one.against_holding[-1]:+.2f} % "
            f"| {100 * max(one.usdc_weight):.1f} % |"
        )
    truth = [step.candles["USDC"].close / USD for step in path.steps[1:]]
    PICTURE.write_text(draw(truth, outcomes))
    say(f"lowest price of USDC: {min(truth):.4f}; picture: {PICTURE.name}")


if __name__ == "__main__":
    main()
