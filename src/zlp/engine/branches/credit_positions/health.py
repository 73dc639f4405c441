"""What a trading account is worth and what its positions need (Z10; reference section 10).

Every price here is the posted one with the skew premium of closing that position.
"""

from __future__ import annotations

import msgspec

from zlp.engine import ledger
from zlp.engine.branches.credit.values import collateral, funded_totals, index_price, market_settings, usd_of
from zlp.engine.draft import Draft
from zlp.engine.fixed import RATE, mul_div_down, mul_div_up
from zlp.engine.leaves.credit_positions import CreditPosition, CreditTradingSettings, SkewTotals, TradingAccount
from zlp.engine.mechanisms.skew import notional, profit
from zlp.engine.rejections import Code


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A position at one price: its profit, its funding (both USD, signed) and its value (USD)."""

    price: int
    profit: int
    funding: int
    notional: int


class Health(msgspec.Struct, frozen=True, gc=False):
    """USD at 1e30. ``margin``: collateral at its loan-to-value plus unrealised profit; ``collateral``: without profit.

    ``initial`` and ``maintenance``: what the positions need.
    """

    collateral: int
    profit: int
    initial: int
    maintenance: int

    @property
    def margin(self) -> int:
        """What counts against the requirements (signed)."""
        return self.collateral + self.profit

    def liquidatable(self, fee: int) -> bool:
        """Whether the margin no longer covers maintenance and the liquidation fee. Without positions, never."""
        return self.maintenance > 0 and self.maintenance + fee > self.margin


def trading_settings(draft: Draft) -> CreditTradingSettings:
    """The venue's trading terms."""
    return draft.get(CreditTradingSettings, ()) or CreditTradingSettings()


def marked(totals: SkewTotals, position: CreditPosition, price: int) -> Mark:
    """A position at ``price``, with the funding of ``totals``."""
    return Mark(
        price,
        profit(position.size, position.price, price),
        profit(position.size, position.funding, totals.funding_index),
        notional(position.size, price),
    )


def closing(draft: Draft, position: CreditPosition) -> Mark:
    """A position at the price of closing all of it now."""
    settings = market_settings(draft, position.market)
    totals = funded_totals(draft, settings)
    price = settings.mark.mark(index_price(draft, settings.asset), totals.skew, -position.size)
    return marked(totals, position, price)


def position_of(draft: Draft, account: int, market: str) -> CreditPosition:
    """The account's position in a market, or one of size 0."""
    return draft.get(CreditPosition, (account, market)) or CreditPosition(account, market, 0, 0, 0)


def margin_value(draft: Draft, account: TradingAccount) -> int:
    """Collateral at the low price times loan-to-value, rounded down."""
    total = 0
    for token in account.tokens:
        value = usd_of(draft, token, ledger.balance_of(draft, account.holder, token))
        total += mul_div_down(value, collateral(draft, token).loan_to_value, RATE)
    return total


def health(draft: Draft, account: TradingAccount) -> Health:
    """The account as it stands: every position at its closing price."""
    return _health(draft, account, "", 0)


def health_after(draft: Draft, account: TradingAccount, market: str, delta: int) -> Health:
    """The account as if ``delta`` were traded in ``market`` at the posted price: what an order is judged by."""
    return _health(draft, account, market, delta)


def _health(draft: Draft, account: TradingAccount, traded: str, delta: int) -> Health:
    gained = initial = maintenance = 0
    markets = account.markets if not traded or traded in account.markets else (*account.markets, traded)
    for market in markets:
        settings = market_settings(draft, market)
        position = position_of(draft, account.number, market)
        if market == traded:
            totals = funded_totals(draft, settings)
            price = settings.mark.mark(index_price(draft, settings.asset), totals.skew, delta)
            mark = marked(totals, position, price)
            value = notional(position.size + delta, price)
        else:
            mark = closing(draft, position)
            value = mark.notional
        gained += mark.profit + mark.funding
        initial += mul_div_up(value, settings.initial_margin, RATE)
        maintenance += mul_div_up(value, settings.maintenance_margin, RATE)
    return Health(margin_value(draft, account), gained, initial, maintenance)


def account_of(draft: Draft, number: int) -> TradingAccount:
    """A trading account, or ``unknown_trading_account``."""
    return draft.need(TradingAccount, (number,), Code.UNKNOWN_TRADING_ACCOUNT)
