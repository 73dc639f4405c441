"""What a generator of commands sees of a venue whose vaults lend credit."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from tests.storm.scene import Scene
from zlp.engine.commands.credit import Report
from zlp.engine.leaves.credit import (
    CreditMarketSettings,
    CreditVaultSettings,
    FeeRecipients,
    Redemption,
    ReportFeed,
)
from zlp.engine.leaves.credit_positions import CreditOrder, CreditPosition, TradingAccount
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.leaves.stability import StableSwapRequest

USD = 10**30
UNIT = 10**18
BASE = {"BTC": 60_000, "ETH": 3_000, "USDC": 1, "wstETH/ETH": 1.19, "weETH/ETH": 1.05}
"""What prices wander around."""
ASSETS = {"USDC": "USDC", "WETH": "ETH", "WBTC": "BTC", "wstETH": "wstETH", "weETH": "weETH"}
"""What prices a token; the stable token counts as one USD."""


class CreditScene(Scene):
    """One moment: vaults, markets, trading accounts, what waits."""

    @cached_property
    def vaults(self) -> list[CreditVaultSettings]:
        """Every vault."""
        return list(self.state.each(CreditVaultSettings))

    @cached_property
    def markets(self) -> list[CreditMarketSettings]:
        """Every market."""
        return list(self.state.each(CreditMarketSettings))

    @cached_property
    def trading(self) -> list[TradingAccount]:
        """Every trading account."""
        return list(self.state.each(TradingAccount))

    @cached_property
    def positions(self) -> list[Any]:
        """Every open position."""
        return list(self.state.each(CreditPosition))

    def vault(self) -> CreditVaultSettings:
        """Any vault."""
        return self.random.choice(self.vaults)

    def market(self) -> CreditMarketSettings:
        """Any market."""
        return self.random.choice(self.markets)

    def any_of(self, kind: type[Any]) -> Any:
        """Any leaf of a kind, or ``None``."""
        found = list(self.state.each(kind))
        return self.random.choice(found) if found else None

    def redemption(self) -> Redemption | None:
        """Any redemption that waits."""
        return self.any_of(Redemption)

    def stable_swap(self) -> StableSwapRequest | None:
        """Any swap that waits."""
        return self.any_of(StableSwapRequest)

    def pending(self) -> CreditOrder | None:
        """Any pending order."""
        return self.any_of(CreditOrder)

    def recipients(self) -> FeeRecipients | None:
        """The fee recipients."""
        return self.state.get(FeeRecipients, ())

    def decimals(self, token: str) -> int:
        """Decimals of a token."""
        found = self.state.get(Token, (token,))
        return 18 if found is None else found.decimals

    def price(self, token: str) -> int:
        """Price of a token (1e30), the high one."""
        return self.bounds(ASSETS[token])[1] if token in ASSETS else USD

    def worth(self, token: str, usd: float) -> int:
        """Base units worth so many USD."""
        return int(usd) * USD * 10 ** self.decimals(token) // self.price(token)

    def value(self, token: str, amount: int) -> int:
        """USD (1e30) of base units."""
        return amount * self.price(token) // 10 ** self.decimals(token)

    def answer(self, asset: str) -> int:
        """The feed's next answer."""
        settings = self.state.get(PriceSettings, (asset,))
        assert settings is not None
        base = round(BASE.get(asset, 10) * 10**settings.answer_decimals)
        feed = self.state.get(PriceFeed, (asset,))
        last = feed.rounds[-1] if feed is not None and feed.rounds else base
        if "/" in asset:
            return base + int(base * self.random.gauss(0, 0.001))
        return max(1, self._step(last, base, asset == "USDC"))

    def report(self, asset: str) -> Report:
        """A report near the posted price, mostly in order."""
        random = self.random
        feed = self.state.get(ReportFeed, (asset,))
        price = self.bounds(asset)[0] * random.choice((1_000, 1_000, 1_000, 1_001, 998, 1_040)) // 1_000
        spread = price // random.choice((10**4, 10**5, 10**9))
        start = self.now - random.choice((0, 0, 0, 0, 1, 30, 61, -1))
        return Report(
            feed=feed.feed if feed is not None and random.random() < 0.98 else "other",
            price=price,
            bid=price - spread,
            ask=price + spread,
            valid_from=max(0, start),
            expires=self.now + random.choice((60,) * 8 + (0, -1)),
            evidence=random.choice(("digest",) * 30 + ("",)),
        )
