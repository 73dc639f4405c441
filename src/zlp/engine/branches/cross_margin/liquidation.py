"""Closing all of an account that can no longer carry its positions (reference 6.5)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import require_role
from zlp.engine.branches.cross_margin import books as ledgers
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books, open_books
from zlp.engine.branches.cross_margin.decrease import held, take_out
from zlp.engine.branches.cross_margin.reporting import record_position
from zlp.engine.branches.cross_margin.settlement import DEBTS, Bill, settle, write_debts
from zlp.engine.commands.cross_margin import LiquidateAccount
from zlp.engine.draft import Draft
from zlp.engine.events.cross_margin import DebtForgiven
from zlp.engine.events.trading import Liquidated
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.cross_margin import CrossAccount
from zlp.engine.rejections import Code, Reject


def liquidate(draft: Draft, command: LiquidateAccount) -> None:
    """Close every position at its close price, pay the sender first, forgive what can't be collected."""
    books = open_books(draft, command.pool)
    if books.rules.private_liquidation:
        require_role(draft, Role.LIQUIDATOR, Role.KEEPER)
    account = books.account(command.owner, command.number)
    health.require_fresh(books, account, reducing=True)
    figures = health.measure(books, account)
    if not figures.is_liquidatable or not account.markets:
        raise Reject(Code.ACCOUNT_HEALTHY, limit=figures.maintenance, actual=figures.equity)

    markets = ",".join(account.markets)
    bill = Bill(fee=books.rules.liquidation_fee_usd, payee=draft.sender)
    for name in account.markets:
        _close_position(books, account, name, bill)
    account = replace(account, markets=())
    rewards = _balances(books, draft.sender)
    account = settle(books, account, bill)
    borne = account.borrowing_debt_usd + account.loss_debt_usd  # what the fund counted as its own
    _forgive(books, account)
    token, reward = _reward(books, draft.sender, rewards)
    draft.record(
        Liquidated(
            account=command.owner,
            market=markets,
            liquidator=draft.sender,
            token=token,
            reward=reward,
            bad_debt_usd=borne,
        )
    )


def _close_position(books: Books, account: CrossAccount, market: str, bill: Bill) -> None:
    settings = books.settings(market)
    position = held(books, account, market)
    ledgers.refresh(books, settings)
    release = take_out(books, settings, position, -position.size, waits=True)
    ledgers.exchange_position(books, books.market(market), position, None)
    pnl = release.result.signed
    bill.pnl += pnl
    bill.funding += release.carry.funding
    bill.borrowing += release.carry.borrowing
    bill.trading += release.trading
    record_position(
        books,
        before=position,
        after=None,
        action="liquidate",
        price=release.price,
        pnl=pnl,
        trading=release.trading,
        carry=release.carry.borrowing + release.carry.funding,
    )


def _forgive(books: Books, account: CrossAccount) -> None:
    if account.debt_usd:
        books.draft.record(
            DebtForgiven(
                pool=books.pool,
                owner=account.owner,
                account=account.number,
                trading_usd=account.trading_debt_usd,
                borrowing_usd=account.borrowing_debt_usd,
                funding_usd=account.funding_debt_usd,
                loss_usd=account.loss_debt_usd,
            )
        )
        write_debts(books, account, dict.fromkeys(DEBTS, 0))


def _balances(books: Books, owner: str) -> dict[str, int]:
    return {token: ledger.balance_of(books.draft, owner, token) for token in books.desk.fund.assets}


def _reward(books: Books, liquidator: str, before: dict[str, int]) -> tuple[str, int]:
    """The token and amount of the liquidator's fee; the largest part where it was paid in several."""
    gains = {token: ledger.balance_of(books.draft, liquidator, token) - held for token, held in before.items()}
    token = max(gains, key=lambda name: (gains[name] > 0, gains[name]))
    return (token, gains[token]) if gains[token] > 0 else ("", 0)
