"""The sums of every market, added up again from its positions."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.engine.leaves.credit_positions import (
    CreditPosition,
    HeldOrder,
    HeldOrders,
    MarginTotal,
    SkewTotals,
    TradingAccount,
)
from zlp.engine.leaves.ledger import Balance
from zlp.engine.state import Reader


def audit(reader: Reader) -> Iterator[str]:
    """Skew, open interest, entries and funding of each market; each account lists its positions."""
    sums: dict[str, list[int]] = {}
    for position in reader.each(CreditPosition):
        total = sums.setdefault(position.market, [0, 0, 0, 0])
        total[0] += position.size
        total[1] += abs(position.size)
        total[2] += position.size * position.price
        total[3] += position.size * position.funding
        account = reader.get(TradingAccount, (position.account,))
        if account is None or position.market not in account.markets:
            yield f"account {position.account} does not list its position in {position.market}"
    for totals in reader.each(SkewTotals):
        kept = [totals.skew, totals.open_interest, totals.entry_value, totals.funding_entry]
        counted = sums.get(totals.market, [0, 0, 0, 0])
        if kept != counted:
            yield f"market {totals.market}: keeps {kept}, its positions sum to {counted}"
    for account in reader.each(TradingAccount):
        for market in account.markets:
            if reader.get(CreditPosition, (account.number, market)) is None:
                yield f"account {account.number} lists no position in {market}"
    yield from _margin(reader)
    yield from _held(reader)


def _held(reader: Reader) -> Iterator[str]:
    """Each account lists the signed orders that are kept for it, and only those of its nonce are kept."""
    listed = {(each.account, name) for each in reader.each(HeldOrders) for name in each.digests}
    kept = {(each.trading_account, each.digest) for each in reader.each(HeldOrder)}
    if listed != kept:
        yield f"signed orders listed and kept differ: {sorted(listed ^ kept)}"
    for held in reader.each(HeldOrder):
        account = reader.get(TradingAccount, (held.trading_account,))
        if account is None or account.nonce != held.nonce or account.owner != held.owner:
            yield f"signed order {held.digest} is kept for an account of another nonce or owner"


def _margin(reader: Reader) -> Iterator[str]:
    """What the caps count is what the accounts hold."""
    margin: dict[str, int] = {}
    for balance in reader.each(Balance):
        if balance.owner.startswith("margin:"):
            margin[balance.token] = margin.get(balance.token, 0) + balance.amount
    for total in reader.each(MarginTotal):
        if total.amount != margin.get(total.token, 0):
            yield f"margin in {total.token}: counted {total.amount}, held {margin.get(total.token, 0)}"
