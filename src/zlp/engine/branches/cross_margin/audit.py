"""What must hold over all accounts and positions of a fund, checked the slow way."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.engine.leaves.cross_margin import BorrowingClass, CrossAccount, CrossPosition, FundMarket
from zlp.engine.leaves.fund import Fund, ProfitClaim
from zlp.engine.mechanisms.counter_trade import size_over_entry, square_over_entry
from zlp.engine.state import Reader


def audit(reader: Reader) -> Iterator[str]:
    """A sentence per fault."""
    yield from _markets(reader)
    yield from _reserves(reader)
    yield from _accounts(reader)


def _markets(reader: Reader) -> Iterator[str]:
    """Open interest and accumulators are the sums over positions."""
    sums: dict[tuple[str, str], list[int]] = {}
    for position in reader.each(CrossPosition):
        totals = sums.setdefault((position.pool, position.market), [0] * 6)
        size, start = abs(position.size), 0 if position.is_long else 3
        totals[start] += size
        totals[start + 1] += size_over_entry(size, position.average_price)
        totals[start + 2] += square_over_entry(size, position.average_price)
    for market in reader.each(FundMarket):
        kept = [market.long_size, market.long_over_entry, market.long_square]
        kept += [market.short_size, market.short_over_entry, market.short_square]
        if kept != sums.pop((market.pool, market.market), [0] * 6):
            yield f"market {market.market}: open interest is not the sum of its positions"
    for _, name in sums:
        yield f"market {name}: positions without a market"


def _reserves(reader: Reader) -> Iterator[str]:
    """What is reserved is the sum over positions, per fund and per borrowing class."""
    funds: dict[str, int] = {}
    groups: dict[tuple[str, str], int] = {}
    for position in reader.each(CrossPosition):
        market = reader.get(FundMarket, (position.pool, position.market))
        name = "" if market is None else market.borrowing_class
        funds[position.pool] = funds.get(position.pool, 0) + position.reserve_usd
        groups[position.pool, name] = groups.get((position.pool, name), 0) + position.reserve_usd
    for fund in reader.each(Fund):
        if fund.reserve_usd != funds.get(fund.pool, 0):
            yield f"fund {fund.pool}: reserve {fund.reserve_usd}, positions {funds.get(fund.pool, 0)}"
    for group in reader.each(BorrowingClass):
        if group.reserve_usd != groups.get((group.pool, group.name), 0):
            yield f"borrowing class {group.name}: its reserve is not the sum of its positions"


def _accounts(reader: Reader) -> Iterator[str]:
    """Accounts list their positions, debts and claims add up to the fund's books."""
    listed = {(a.pool, a.owner, a.number, name) for a in reader.each(CrossAccount) for name in a.markets}
    held = {position.key for position in reader.each(CrossPosition)}
    if listed != held:
        yield f"accounts list {len(listed)} positions, there are {len(held)}"
    for fund in reader.each(Fund):
        for name in ("trading_debt_usd", "borrowing_debt_usd", "funding_debt_usd", "loss_debt_usd"):
            owed = sum(getattr(a, name) for a in reader.each(CrossAccount) if a.pool == fund.pool)
            if owed != getattr(fund, name):
                yield f"fund {fund.pool}: {name} is {getattr(fund, name)}, accounts owe {owed}"
        waiting = sum(claim.value_usd for claim in reader.each(ProfitClaim) if claim.pool == fund.pool)
        if waiting != fund.claims_usd:
            yield f"fund {fund.pool}: claims {fund.claims_usd}, waiting {waiting}"
