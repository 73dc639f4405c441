"""Profits the fund could not pay: recorded, and paid first from what comes in, oldest first."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.fund.desk import Desk
from zlp.engine.branches.fund.payments import payment
from zlp.engine.events.fund import ClaimPaid, ProfitUnpaid
from zlp.engine.leaves.cross_margin import margin_holder
from zlp.engine.leaves.fund import ProfitClaim
from zlp.engine.rejections import Code

CLAIMS_PER_COMMAND = 8
"""Bounds the work a deposit does for others."""


def record(desk: Desk, owner: str, account: int, value_usd: int) -> None:
    """Queue a claim of ``value_usd`` for an account."""
    books = desk.books
    claim = ProfitClaim(desk.fund.pool, books.claims_to, owner, account, value_usd)
    desk.draft.put(claim)
    desk.draft.put(replace(books, claims_to=books.claims_to + 1, claims_usd=books.claims_usd + value_usd))
    desk.draft.record(
        ProfitUnpaid(pool=desk.fund.pool, owner=owner, account=account, claim=claim.number, value_usd=value_usd)
    )


def settle(desk: Desk) -> int:
    """Pay waiting claims from the liquidity, at most a few per command; how many it paid in full or in part."""
    for count in range(CLAIMS_PER_COMMAND):
        books = desk.books
        if not books.claims_usd:
            return count
        claim = desk.draft.need(ProfitClaim, (desk.fund.pool, books.claims_from), Code.NOTHING_TO_CLAIM)
        left = _pay(desk, claim)
        paid = claim.value_usd - left
        if left:
            if paid:
                desk.draft.put(replace(claim, value_usd=left))
                desk.draft.put(replace(books, claims_usd=books.claims_usd - paid))
            return count + bool(paid)
        desk.draft.drop(claim)
        desk.draft.put(replace(books, claims_from=books.claims_from + 1, claims_usd=books.claims_usd - paid))
    return CLAIMS_PER_COMMAND


def _pay(desk: Desk, claim: ProfitClaim) -> int:
    left = claim.value_usd
    for token in desk.fund.assets:
        available = desk.liquidity(token)
        if not left:
            break
        if not available:
            continue
        amount, value = payment(available, left, desk.price(token, True), desk.unit(token))
        left -= value
        holder = margin_holder(desk.fund.pool, claim.owner, claim.account)
        ledger.move(desk.draft, token, desk.fund.holder, holder, amount)
        desk.draft.record(
            ClaimPaid(
                pool=desk.fund.pool,
                owner=claim.owner,
                account=claim.account,
                claim=claim.number,
                token=token,
                amount=amount,
                value_usd=value,
                left_usd=left,
            )
        )
    return left
