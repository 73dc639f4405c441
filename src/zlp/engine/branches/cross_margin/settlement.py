"""Moving profits, losses, fees and funding between an account and the fund, in the fund's order of assets (N4)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.cross_margin.books import Books
from zlp.engine.branches.fund import claims
from zlp.engine.branches.fund.payments import charge, payment
from zlp.engine.events.cross_margin import DebtChanged
from zlp.engine.events.fund import FundingPaid, FundingReceived, ProfitUnpaid
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.leaves.cross_margin import CrossAccount

DEBTS = ("trading_debt_usd", "borrowing_debt_usd", "funding_debt_usd", "loss_debt_usd")


class Bill:
    """What one action owes or is owed, USD at 1e30: ``pnl`` and ``funding`` signed (funding positive: paid).

    ``fee``: paid to the account ``payee`` before everything else, and forgotten where it can't be.
    """

    __slots__ = ("borrowing", "fee", "fee_kind", "funding", "payee", "pnl", "trading")

    def __init__(
        self,
        *,
        pnl: int = 0,
        funding: int = 0,
        borrowing: int = 0,
        trading: int = 0,
        fee: int = 0,
        payee: str = "",
        fee_kind: str = "liquidation",
    ) -> None:
        self.pnl, self.funding, self.borrowing, self.trading = pnl, funding, borrowing, trading
        self.fee, self.payee, self.fee_kind = fee, payee, fee_kind


def settle(books: Books, account: CrossAccount, bill: Bill, profit_token: str = "") -> CrossAccount:
    """Pay what the account receives, then collect what it owes (reference 5.2, 5.3); the account as it is then.

    What the account can't pay stays as its debt; what the fund can't pay waits as a claim.
    """
    _pay_out(books, account, max(bill.pnl, 0), max(-bill.funding, 0), profit_token)
    account = _collect(books, account, bill)
    claims.settle(books.desk)
    return account


def _pay_out(books: Books, account: CrossAccount, profit: int, funding: int, profit_token: str) -> None:
    desk, fund = books.desk, books.desk.fund
    if profit and profit_token:
        desk.asset(profit_token)
        profit -= _pay(books, account, profit_token, fund.holder, profit)
    for token in fund.assets if funding else ():
        funding -= _receive_funding(books, account, token, fund.funding_holder, funding, lent=False)
    for token in fund.assets if profit or funding else ():
        profit -= _pay(books, account, token, fund.holder, profit)
        lent = _receive_funding(books, account, token, fund.holder, funding, lent=True)
        if lent:
            funding -= lent
            books.draft.put(replace(desk.books, loan_usd=desk.books.loan_usd + lent))
    unpaid = profit + funding
    if not unpaid:
        return
    if books.rules.is_sound:
        claims.record(desk, account.owner, account.number, unpaid)
    else:
        books.draft.record(
            ProfitUnpaid(pool=books.pool, owner=account.owner, account=account.number, claim=0, value_usd=unpaid)
        )


def _pay(books: Books, account: CrossAccount, token: str, holder: str, value: int) -> int:
    """Pay up to ``value`` to the account from a holder of the fund's; the value that cleared."""
    balance = ledger.balance_of(books.draft, holder, token) if value else 0
    if not balance:
        return 0
    desk = books.desk
    amount, cleared = payment(balance, value, desk.price(token, True), desk.unit(token), sound=books.rules.is_sound)
    ledger.move(books.draft, token, holder, account.holder, amount)
    return cleared


def _receive_funding(books: Books, account: CrossAccount, token: str, holder: str, value: int, *, lent: bool) -> int:
    before = ledger.balance_of(books.draft, holder, token) if value else 0
    cleared = _pay(books, account, token, holder, value)
    if cleared:
        books.draft.record(
            FundingReceived(
                pool=books.pool,
                owner=account.owner,
                account=account.number,
                token=token,
                amount=before - ledger.balance_of(books.draft, holder, token),
                value_usd=cleared,
                lent=lent,
            )
        )
    return cleared


def _collect(books: Books, account: CrossAccount, bill: Bill) -> CrossAccount:
    owed = {
        "trading_debt_usd": account.trading_debt_usd + bill.trading,
        "borrowing_debt_usd": account.borrowing_debt_usd + bill.borrowing,
        "funding_debt_usd": account.funding_debt_usd + max(bill.funding, 0),
        "loss_debt_usd": account.loss_debt_usd + max(-bill.pnl, 0),
    }
    fee = bill.fee
    for token in books.desk.fund.assets:
        if not (fee or any(owed.values())):
            break
        if not ledger.balance_of(books.draft, account.holder, token):
            continue
        fee -= _pay_fee(books, account, token, bill, fee)
        owed["borrowing_debt_usd"] -= _pay_charge(books, account, token, "borrow", owed["borrowing_debt_usd"])
        owed["trading_debt_usd"] -= _pay_charge(books, account, token, "trading", owed["trading_debt_usd"])
        owed["funding_debt_usd"] -= _pay_funding(books, account, token, owed["funding_debt_usd"])
        owed["loss_debt_usd"] -= _take(books, account, token, books.desk.fund.holder, owed["loss_debt_usd"])[1]
    return write_debts(books, account, owed)


def write_debts(books: Books, account: CrossAccount, owed: dict[str, int]) -> CrossAccount:
    """Store an account with new debts, and the same change in the fund's books."""
    changes = {name: owed[name] - getattr(account, name) for name in DEBTS}
    if any(changes.values()):
        fund = books.desk.books
        books.draft.put(replace(fund, **{name: getattr(fund, name) + change for name, change in changes.items()}))
        account = replace(account, **owed)
        books.draft.record(
            DebtChanged(
                pool=books.pool,
                owner=account.owner,
                account=account.number,
                trading_usd=account.trading_debt_usd,
                borrowing_usd=account.borrowing_debt_usd,
                funding_usd=account.funding_debt_usd,
                loss_usd=account.loss_debt_usd,
            )
        )
    books.draft.put(account)
    return account


def _affordable(books: Books, account: CrossAccount, token: str, value: int) -> tuple[int, int]:
    balance = ledger.balance_of(books.draft, account.holder, token)
    desk = books.desk
    return payment(balance, value, desk.price(token, False), desk.unit(token), sound=books.rules.is_sound)


def _take(books: Books, account: CrossAccount, token: str, holder: str, value: int) -> tuple[int, int]:
    """Take up to ``value`` of one token; the amount and the value that cleared."""
    if not value:
        return 0, 0
    amount, cleared = _affordable(books, account, token, value)
    ledger.move(books.draft, token, account.holder, holder, amount)
    return amount, cleared


def _pay_fee(books: Books, account: CrossAccount, token: str, bill: Bill, value: int) -> int:
    amount, cleared = _take(books, account, token, bill.payee, value)
    if amount:
        books.draft.record(
            FeeCharged(
                kind=bill.fee_kind,
                pool=books.pool,
                account=account.owner,
                token=token,
                amount=amount,
                to_pool=0,
                value_usd=cleared,
            )
        )
    return cleared


def _pay_charge(books: Books, account: CrossAccount, token: str, kind: str, value: int) -> int:
    if not value:
        return 0
    amount, cleared = _affordable(books, account, token, value)
    charge(books.desk, kind, account.holder, account.owner, token, amount, to_fund=kind == "borrow")
    return cleared


def _pay_funding(books: Books, account: CrossAccount, token: str, value: int) -> int:
    """The fund's loan first, then the reserve for receivers."""
    if not value:
        return 0
    fund = books.desk.fund
    loan = books.desk.books.loan_usd
    repaid = _funding_part(books, account, token, fund.holder, min(value, loan), repaid=True)
    if repaid:
        books.draft.put(replace(books.desk.books, loan_usd=loan - repaid))
    if value - repaid == 0 or repaid < min(value, loan):
        return repaid
    return repaid + _funding_part(books, account, token, fund.funding_holder, value - repaid, repaid=False)


def _funding_part(books: Books, account: CrossAccount, token: str, holder: str, value: int, *, repaid: bool) -> int:
    amount, cleared = _take(books, account, token, holder, value)
    if cleared:
        books.draft.record(
            FundingPaid(
                pool=books.pool,
                owner=account.owner,
                account=account.number,
                token=token,
                amount=amount,
                value_usd=cleared,
                repaid=repaid,
            )
        )
        books.draft.record(
            FeeCharged(
                kind="funding",
                pool=books.pool,
                account=account.owner,
                token=token,
                amount=amount,
                to_pool=amount if repaid else 0,
                value_usd=cleared,
            )
        )
    return cleared
