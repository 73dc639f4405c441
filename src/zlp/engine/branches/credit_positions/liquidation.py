"""Liquidation of a trading account: every position at its closing price, everything it has for what it owes."""

from __future__ import annotations

import msgspec

from zlp.engine import ledger
from zlp.engine.access import require_role
from zlp.engine.branches.credit.markets import credit_capacity
from zlp.engine.branches.credit.values import credit_settings, market_settings, usd_of
from zlp.engine.branches.credit_positions.fills import forgive, rebase, record_change
from zlp.engine.branches.credit_positions.health import Mark, account_of, closing, health, position_of, trading_settings
from zlp.engine.branches.credit_positions.margin import LOSS, Due, add_profit, deduct, require_fresh_account
from zlp.engine.branches.credit_positions.orders import close_pending
from zlp.engine.commands.credit_positions import LiquidateTradingAccount
from zlp.engine.draft import Draft
from zlp.engine.events.trading import Liquidated
from zlp.engine.fixed import RATE, mul_div_up
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.credit import CreditMarketSettings
from zlp.engine.leaves.credit_positions import CreditPosition, TradingAccount
from zlp.engine.mechanisms.credit import divided
from zlp.engine.rejections import Code, Reject


class Closed(msgspec.Struct, frozen=True, gc=False):
    """A position that is being closed by force."""

    settings: CreditMarketSettings
    position: CreditPosition
    mark: Mark

    @property
    def result(self) -> int:
        """Profit and funding (USD, signed)."""
        return self.mark.profit + self.mark.funding

    @property
    def penalty(self) -> int:
        """The maintenance margin, which a liquidated account forfeits to the market's vaults."""
        return mul_div_up(self.mark.notional, self.settings.maintenance_margin, RATE)


def liquidate(draft: Draft, command: LiquidateTradingAccount) -> None:
    """Close an account whose margin is below maintenance and the fee.

    Profits of some positions are paid into the margin first (as much as their market may still pay). The margin
    pays the fee, then the losses, then the penalties, each shared between the markets by what they are owed.
    """
    require_role(draft, Role.LIQUIDATOR, Role.KEEPER)
    account = account_of(draft, command.trading_account)
    require_fresh_account(draft, account, reducing=True)
    terms = trading_settings(draft)
    state = health(draft, account)
    if not state.liquidatable(terms.liquidation_fee_usd):
        limit = state.maintenance + terms.liquidation_fee_usd
        raise Reject(Code.ACCOUNT_NOT_LIQUIDATABLE, limit=limit, actual=state.margin)
    close_pending(draft, account.number, "liquidated")
    closed = [_closed(draft, position_of(draft, account.number, market)) for market in account.markets]
    for item in closed:
        if item.result > 0:
            account = _credit(draft, account, item)
    for item in closed:
        account = rebase(draft, account, item.settings, item.position, 0, item.mark.price)
        record_change(draft, account, item.position, 0, item.mark, 0, "liquidate")
    account, _ = deduct(draft, account, _by_notional("liquidation", closed, terms.liquidation_fee_usd))
    losses = [Due(LOSS, item.settings.market, max(0, -item.result)) for item in closed]
    affordable = _affordable(draft, account, losses)
    account, _ = deduct(draft, account, affordable)
    penalties = [Due(LOSS, item.settings.market, item.penalty) for item in closed]
    account, _ = deduct(draft, account, _affordable(draft, account, penalties))
    bad_debt = _forgive(draft, account, closed, affordable)
    draft.record(
        Liquidated(
            account=account.owner,
            market=",".join(item.settings.market for item in closed),
            liquidator=draft.sender,
            token=credit_settings(draft).stable,
            reward=0,
            bad_debt_usd=bad_debt,
        )
    )


def _forgive(draft: Draft, account: TradingAccount, closed: list[Closed], paid: list[Due]) -> int:
    """Losses beyond what was paid are bad debt of the markets."""
    missing = [
        Due(LOSS, due.market, -item.result - due.usd)
        for item, due in zip(closed, paid, strict=True)
        if item.result + due.usd < 0
    ]
    return forgive(draft, account, missing)


def _closed(draft: Draft, position: CreditPosition) -> Closed:
    return Closed(market_settings(draft, position.market), position, closing(draft, position))


def _credit(draft: Draft, account: TradingAccount, item: Closed) -> TradingAccount:
    """Pay a position's profit; a market without capacity pays none, so that it can't stop a liquidation."""
    if credit_capacity(draft, item.settings) <= 0:
        return account
    return add_profit(draft, item.settings, account, item.result)


def _by_notional(kind: str, closed: list[Closed], fee: int) -> list[Due]:
    values = tuple(max(1, item.mark.notional) for item in closed)
    return [Due(kind, item.settings.market, part) for item, part in zip(closed, divided(fee, values), strict=True)]


def _affordable(draft: Draft, account: TradingAccount, losses: list[Due]) -> list[Due]:
    """What each market receives: all it is owed, or its share of what there is."""
    owed = sum(due.usd for due in losses)
    held = sum(usd_of(draft, token, ledger.balance_of(draft, account.holder, token)) for token in account.tokens)
    if held >= owed:
        return losses
    parts = divided(held, tuple(due.usd for due in losses))
    return [Due(LOSS, due.market, part) for due, part in zip(losses, parts, strict=True)]
