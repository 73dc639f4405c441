"""Everything one action on an isolated position works with, loaded once; and its pure readings."""

from __future__ import annotations

import msgspec

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import load_pool, touch
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.fixed import BPS, amount_of, mul_div_down, value_of
from zlp.engine.leaves.isolated import IsolatedSettings, Market, MarketSettings, Position
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.rejections import Code, Reject


class Book(msgspec.Struct, gc=False):
    """One position with its pool, market, collateral asset and prices, while an action changes them.

    ``position``, ``asset`` and ``market`` are replaced as the action goes on and stored by ``save``.
    ``entry_price`` and ``exit_price``: the trader's worse side of the index going in, and going out, with the
    premium of the skew where the market has one; ``oracle_exit`` is without.
    """

    draft: Draft
    pool: PoolSettings
    rules: IsolatedSettings
    limits: MarketSettings
    index_settings: AssetSettings
    settings: AssetSettings
    asset: PoolAsset
    market: Market
    position: Position
    entry_price: int
    exit_price: int
    oracle_exit: int

    def remark(self, size_change: int) -> None:
        """Mark the changed position in the market it has changed (signed USD), where prices lean on the skew."""
        if self.limits.pricing is not None:
            side = 1 if self.position.is_long else -1
            skew = self.market.skew + size_change
            self.exit_price = self.limits.pricing.close_price(self.oracle_exit, skew, side * self.position.size)

    def fewest_tokens(self, value_usd: int) -> int:
        """Collateral tokens for a USD value at the maximum price: payouts and fees."""
        if value_usd == 0:
            return 0
        return amount_of(value_usd, pricing.bounds(self.draft, self.settings.token)[1], self.settings.unit)

    def most_tokens(self, value_usd: int) -> int:
        """Collateral tokens for a USD value at the minimum price: reserves only."""
        if value_usd == 0:
            return 0
        return amount_of(value_usd, pricing.bounds(self.draft, self.settings.token)[0], self.settings.unit)

    def size_fee(self, size: int, bps: int) -> int:
        """USD fee on a size; rounds up (5.1)."""
        return size - mul_div_down(size, BPS - bps, BPS) if size else 0

    def funding_fee(self) -> int:
        """USD the position owes for its size since its entry index."""
        if self.pool.funding is None:
            return 0
        position = self.position
        return self.pool.funding.fee(position.size, position.entry_funding, self.asset.funding_index)

    def delta(self) -> tuple[bool, int]:
        """``(has profit, USD of it or of the loss)`` at the exit price; small young profits are 0 (5.2)."""
        position = self.position
        if position.average == 0:
            raise Reject(Code.INVALID_AVERAGE_PRICE, detail=position.name)
        price = self.exit_price
        delta = mul_div_down(position.size, abs(position.average - price), position.average)
        profit = price > position.average if position.is_long else position.average > price
        if profit:
            young = self.draft.time <= position.increased_at + self.rules.minimum_profit_time
            threshold = self.index_settings.minimum_profit_bps if young else 0
            if delta * BPS <= position.size * threshold:
                delta = 0
            if self.limits.pricing is not None:  # a premium on leaving may not win more than was set aside (E10)
                low = pricing.bounds(self.draft, self.settings.token)[0]
                delta = min(delta, value_of(position.reserved, low, self.settings.unit))
        return profit, delta

    def collect(self, size_fee: int, funding_fee: int) -> int:
        """Book the fees in collateral tokens and say what they were; returns the tokens."""
        tokens = self.fewest_tokens(size_fee + funding_fee)
        self.asset = self.asset.collect(tokens)
        funding_tokens = min(tokens, self.fewest_tokens(funding_fee))
        self._say("trading", tokens - funding_tokens, size_fee)
        self._say("funding", funding_tokens, funding_fee)
        return tokens

    def _say(self, kind: str, tokens: int, value_usd: int) -> None:
        if value_usd:
            self.draft.record(
                FeeCharged(
                    kind=kind,
                    pool=self.pool.pool,
                    account=self.position.account,
                    token=self.settings.token,
                    amount=tokens,
                    to_pool=0,
                    value_usd=value_usd,
                )
            )

    def save(self) -> None:
        """Store asset and market, after every transfer; the position is stored or dropped by the action.

        A short's collateral is promised in USD while its tokens lie beside the LPs'. Where the token has lost
        value since, the LPs' tokens cover what it lacks.
        """
        held = ledger.balance_of(self.draft, self.pool.holder, self.settings.token)
        lacking = self.asset.amount + self.asset.fees - held
        if lacking > 0 and not self.position.is_long:
            self.asset = self.asset.take(lacking)
        self.draft.put(self.asset)
        self.draft.put(self.market)


def open_book(
    draft: Draft, pool_name: str, account: str, collateral: str, market_name: str, is_long: bool, size_delta: int = 0
) -> Book:
    """Load what an action on a position needs and bring the collateral's funding up to now.

    ``size_delta``: USD about to be added, which adaptive pricing asks for.
    """
    pool = load_pool(draft, pool_name)
    settings = _settings(draft, pool_name, collateral)
    key = (pool_name, account, collateral, market_name, is_long)
    limits = draft.get(MarketSettings, (pool_name, market_name)) or MarketSettings(pool_name, market_name)
    market = draft.get(Market, (pool_name, market_name)) or Market(pool_name, market_name)
    position = draft.get(Position, key) or Position(pool_name, account, collateral, market_name, is_long)
    low, high = pricing.bounds(draft, market_name)
    entry, oracle_exit = (high, low) if is_long else (low, high)
    leave = oracle_exit
    if limits.pricing is not None:
        side = 1 if is_long else -1
        if size_delta:
            entry = limits.pricing.execution_price(entry, market.skew, side * size_delta)
        leave = limits.pricing.close_price(leave, market.skew, side * position.size)
    return Book(
        draft=draft,
        pool=pool,
        rules=draft.need(IsolatedSettings, (pool_name,), Code.LEVERAGE_DISABLED),
        limits=limits,
        index_settings=_settings(draft, pool_name, market_name),
        settings=settings,
        asset=touch(draft, pool, settings),
        market=market,
        position=position,
        entry_price=entry,
        exit_price=leave,
        oracle_exit=oracle_exit,
    )


def _settings(draft: Draft, pool: str, token: str) -> AssetSettings:
    """The token's settings; an unknown token counts as unlisted, so that the steps of an action refuse it."""
    return draft.get(AssetSettings, (pool, token)) or AssetSettings(pool, token, 0, 0, listed=False)
