"""Collateral in, out, between own accounts, and from one token to another (reference 7.6)."""

from __future__ import annotations

from zlp.engine import ledger
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books, open_books
from zlp.engine.branches.custody import require_amount
from zlp.engine.branches.fund import claims, swapping
from zlp.engine.commands.cross_margin import DepositMargin, MoveMargin, SwitchCollateral, WithdrawMargin
from zlp.engine.draft import Draft
from zlp.engine.events.cross_margin import MarginDeposited, MarginWithdrawn
from zlp.engine.leaves.cross_margin import CrossAccount
from zlp.engine.rejections import Code, Reject


def deposit(draft: Draft, command: DepositMargin) -> None:
    """Put collateral behind an account."""
    books = open_books(draft, command.pool)
    require_amount(command.amount)
    account = books.account(draft.sender, command.number)
    _credit(books, account, draft.sender, command.token, command.amount)


def withdraw(draft: Draft, command: WithdrawMargin) -> None:
    """Take collateral out; equity must stay at or above the initial margin."""
    books = open_books(draft, command.pool)
    account = books.account(draft.sender, command.number)
    amount = command.amount or ledger.balance_of(draft, account.holder, command.token)
    require_amount(amount)
    health.require_fresh(books, account, reducing=not account.markets)
    _debit(books, account, draft.sender, command.token, amount)
    health.require_free(books, account)


def move(draft: Draft, command: MoveMargin) -> None:
    """Between two accounts of the same owner."""
    books = open_books(draft, command.pool)
    require_amount(command.amount)
    if command.number == command.to_number:
        raise Reject(Code.INVALID_ACCOUNT_NUMBER, actual=command.to_number)
    source = books.account(draft.sender, command.number)
    target = books.account(draft.sender, command.to_number)
    health.require_fresh(books, source, reducing=not source.markets)
    _debit(books, source, target.holder, command.token, command.amount)
    _record_deposit(books, target, command.token, command.amount)
    books.draft.put(target)
    health.require_free(books, source)


def switch(draft: Draft, command: SwitchCollateral) -> None:
    """Swap collateral through the fund at its fee."""
    books = open_books(draft, command.pool)
    require_amount(command.amount)
    account = books.account(draft.sender, command.number)
    _require_collateral(books, command.to_token)
    health.require_fresh(books, account, reducing=False)
    received = swapping.exchange(
        books.desk, account.holder, account.holder, command.token, command.to_token, command.amount
    )
    if received < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=command.min_amount, actual=received)
    _record_withdrawal(books, account, command.token, command.amount)
    _record_deposit(books, account, command.to_token, received)
    claims.settle(books.desk)
    health.require_free(books, account)


def _require_collateral(books: Books, token: str) -> None:
    if not books.desk.asset(token, Code.COLLATERAL_NOT_LISTED).collateral_bps:
        raise Reject(Code.COLLATERAL_NOT_LISTED, detail=token)


def _credit(books: Books, account: CrossAccount, source: str, token: str, amount: int) -> None:
    _require_collateral(books, token)
    ledger.move(books.draft, token, source, account.holder, amount)
    books.draft.put(account)
    _record_deposit(books, account, token, amount)


def _debit(books: Books, account: CrossAccount, target: str, token: str, amount: int) -> None:
    ledger.move(books.draft, token, account.holder, target, amount)
    _record_withdrawal(books, account, token, amount)


def _record_deposit(books: Books, account: CrossAccount, token: str, amount: int) -> None:
    books.draft.record(
        MarginDeposited(pool=books.pool, owner=account.owner, account=account.number, token=token, amount=amount)
    )


def _record_withdrawal(books: Books, account: CrossAccount, token: str, amount: int) -> None:
    books.draft.record(
        MarginWithdrawn(pool=books.pool, owner=account.owner, account=account.number, token=token, amount=amount)
    )
