"""What a generator of commands sees of a venue with a fund, and the fund's profit summed the slow, exact way."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

from tests.storm.coin_scene import Kind
from tests.storm.scene import USD, Scene
from zlp.engine import Root, pricing
from zlp.engine.branches.fund import valuation
from zlp.engine.branches.fund.desk import open_desk
from zlp.engine.draft import Draft
from zlp.engine.leaves.cross_margin import CrossAccount, CrossPosition, FundMarket, FundMarketSettings
from zlp.engine.leaves.fund import FundSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.rejections import Reject


class FundScene(Scene):
    """The scene of a fund: the same names, other records."""

    @cached_property
    def pool(self) -> Any:
        """The venue's first fund."""
        return next(iter(self.state.each(FundSettings)))

    @cached_property
    def assets(self) -> Any:
        """The fund's tokens."""
        found = {}
        for symbol in self.pool.assets:
            token = self.state.get(Token, (symbol,))
            assert token is not None
            found[symbol] = Kind(token.decimals, "USD" in symbol)
        return found

    @cached_property
    def positions(self) -> Any:
        """Every open position."""
        return list(self.state.each(CrossPosition))

    @cached_property
    def accounts(self) -> list[CrossAccount]:
        """Every margin account."""
        return list(self.state.each(CrossAccount))

    @cached_property
    def markets(self) -> list[FundMarketSettings]:
        """Every market."""
        return list(self.state.each(FundMarketSettings))

    def margin(self, account: CrossAccount, token: str) -> int:
        """Base units of collateral behind an account."""
        return self.held(account.holder, token)

    def margin_usd(self, account: CrossAccount) -> int:
        """Rough worth (USD 1e30) of all of it."""
        return sum(
            self.margin(account, token) * self.bounds(token)[0] // 10**kind.decimals
            for token, kind in self.assets.items()
        )


def fund_faults(root: Root) -> Iterator[str]:
    """Funds whose net profit from open positions is not the exact sum over them, to within their rounding."""
    draft = Draft(root.state, time=root.time, sender="", sequence=0, route=root._route)
    for settings in root.state.each(FundSettings):
        desk = open_desk(draft, settings.pool)
        try:
            fast = valuation.net_pnl_usd(desk)
            slow, dust = slow_net_pnl(root, settings.pool)
        except Reject:
            continue
        if abs(fast - slow) > dust:
            yield f"{settings.pool}: net profit {fast}, sum over positions {float(slow)}, dust {float(dust)}"


def slow_net_pnl(root: Root, pool: str) -> tuple[Fraction, Fraction]:
    """Minus the exact profit of every position at its own exact close price; and a bound on all rounding.

    Units of 1e-30 USD. Dust: each accumulator term and each premium is rounded by at most one unit, which weighs
    a price, or a position's size in coins.
    """
    total = dust = Fraction(0)
    for position in root.state.each(CrossPosition):
        if position.pool != pool:
            continue
        settings = root.state.get(FundMarketSettings, (pool, position.market))
        market = root.state.get(FundMarket, (pool, position.market))
        assert settings is not None
        assert market is not None
        low, high = pricing.bounds_at(root.state, settings.market, root.time)
        price = Fraction(high if position.is_long else low)
        scale = settings.price.max_skew_scale
        premium = Fraction(2 * market.skew - position.size, 2 * scale) if scale else Fraction(0)
        close = price * (1 + premium)
        total -= Fraction(position.size) * (close - position.average_price) / position.average_price
        coins = Fraction(abs(position.size), position.average_price)
        dust += 4 * (price / USD + 1) * (1 + abs(premium)) + 4 * coins + 4
    return total, dust
