"""Turning a USD value into tokens, in the fund's order of assets, and splitting fees between the buckets."""

from __future__ import annotations

from zlp.engine import ledger
from zlp.engine.branches.fund.desk import Desk
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.fixed import BPS, amount_of, mul_div_down, value_of


def payment(balance: int, value_usd: int, price_usd: int, unit: int, *, sound: bool = True) -> tuple[int, int]:
    """Base units of a token that pay ``value_usd`` from ``balance``, and the value that clears (reference 5.1).

    A sufficient balance clears all of the value with an amount rounded down; a short one clears what it is
    worth. When the balance is exactly the amount, ``sound`` clears all, the reference leaves dust.
    """
    amount = amount_of(value_usd, price_usd, unit)
    if balance > amount or (sound and balance == amount):
        return amount, value_usd
    return balance, value_of(balance, price_usd, unit)


def converted(desk: Desk, token: str, into: str, amount: int) -> int:
    """Base units of ``into`` worth ``amount`` of ``token`` at oracle prices, rounded down, without a fee."""
    price_in, price_out = desk.price(token, False), desk.price(into, True)
    return mul_div_down(amount * price_in, desk.unit(into), price_out * desk.unit(token))


def charge(desk: Desk, kind: str, payer: str, owner: str, token: str, amount: int, *, to_fund: bool) -> None:
    """Move a fee: the developers' part first, the rest to the fund or to the protocol's bucket.

    ``payer`` is the ledger's holder that pays, ``owner`` the account it is reported for.
    """
    if amount == 0:
        return
    developers = mul_div_down(amount, desk.fund.developer_bps, BPS)
    rest = amount - developers
    ledger.move(desk.draft, token, payer, desk.fund.developer_holder, developers)
    ledger.move(desk.draft, token, payer, desk.fund.holder if to_fund else desk.fund.revenue_holder, rest)
    desk.draft.record(
        FeeCharged(
            kind=kind,
            pool=desk.fund.pool,
            account=owner,
            token=token,
            amount=amount,
            to_pool=rest if to_fund else 0,
            value_usd=value_of(amount, desk.price(token, False), desk.unit(token)),
        )
    )
