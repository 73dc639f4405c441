"""Signed orders the venue keeps for their owners until their price comes: taken in, and dropped when they are done."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from zlp.engine.branches.credit.values import market_settings
from zlp.engine.branches.credit_positions.health import account_of, trading_settings
from zlp.engine.codec import canonical
from zlp.engine.commands.credit_positions import HoldSignedOrder, SignedOrder
from zlp.engine.draft import Draft
from zlp.engine.events.credit_positions import SignedOrderDropped, SignedOrderHeld
from zlp.engine.leaves.access import Agent
from zlp.engine.leaves.credit_positions import HeldOrder, HeldOrders, TradingAccount, UsedOrder
from zlp.engine.rejections import Code, Reject


def digest(order: SignedOrder) -> str:
    """SHA-256 of all an order says, whoever hands it in and whatever its signature looks like."""
    return hashlib.sha256(canonical(replace(order, signer="", evidence=""))).hexdigest()


def signed_order(held: HeldOrder) -> SignedOrder:
    """The order as its owner signed it."""
    return SignedOrder(
        trading_account=held.trading_account,
        market=held.market,
        size_delta=held.size_delta,
        target_price=held.target_price,
        increase_nonce=held.increase_nonce,
        nonce=held.nonce,
        salt=held.salt,
        signer=held.signer,
        evidence=held.evidence,
    )


def require_signer(draft: Draft, account: TradingAccount, order: SignedOrder) -> None:
    """The evidence must name the owner, or a key the owner approved for trading."""
    if not order.evidence:
        raise Reject(Code.SIGNED_BY_ANOTHER, detail="no signature")
    if order.signer == account.owner:
        return
    agent = draft.get(Agent, (account.owner, order.signer))
    if agent is None or draft.time > agent.expires or "trade" not in agent.scopes:
        raise Reject(Code.SIGNED_BY_ANOTHER, detail=order.signer)


def require_valid(draft: Draft, account: TradingAccount, order: SignedOrder) -> UsedOrder:
    """Refuse an order that is signed by another, of another nonce or filled; the mark that a fill leaves."""
    require_signer(draft, account, order)
    if order.nonce != account.nonce:
        raise Reject(Code.SIGNED_NONCE_WRONG, limit=account.nonce, actual=order.nonce)
    used = UsedOrder(digest(order))
    if draft.get(UsedOrder, used.key) is not None:
        raise Reject(Code.SIGNED_ORDER_USED, detail=used.digest)
    return used


def hold(draft: Draft, command: HoldSignedOrder) -> None:
    """Keep an order that could be filled at its price."""
    order = command.order
    settings = market_settings(draft, order.market)
    account = account_of(draft, order.trading_account)
    name = require_valid(draft, account, order).digest
    if draft.get(HeldOrder, (name,)) is not None:
        raise Reject(Code.SIGNED_ORDER_HELD, detail=name)
    if abs(order.size_delta) < settings.min_trade:
        raise Reject(Code.TRADE_TOO_SMALL, limit=settings.min_trade, actual=abs(order.size_delta))
    if not order.target_price:
        raise Reject(Code.INVALID_PRICE, detail="an order that is kept needs a target_price")
    if command.expires and command.expires <= draft.time:
        raise Reject(Code.DEADLINE_PASSED, limit=command.expires, actual=draft.time)
    others, most = _digests(draft, account.number), trading_settings(draft).max_held
    if len(others) >= most:
        raise Reject(Code.TOO_MANY_ORDERS, limit=most, actual=len(others) + 1)
    draft.put(HeldOrders(account.number, (*others, name)))
    draft.put(
        HeldOrder(
            digest=name,
            owner=account.owner,
            trading_account=account.number,
            market=order.market,
            size_delta=order.size_delta,
            target_price=order.target_price,
            increase_nonce=order.increase_nonce,
            nonce=order.nonce,
            salt=order.salt,
            signer=order.signer,
            evidence=order.evidence,
            expires=command.expires,
            held_at=draft.time,
        )
    )
    draft.record(
        SignedOrderHeld(
            digest=name,
            owner=account.owner,
            trading_account=account.number,
            market=order.market,
            size_delta=order.size_delta,
            target_price=order.target_price,
            expires=command.expires,
        )
    )


def _digests(draft: Draft, account: int) -> tuple[str, ...]:
    found = draft.get(HeldOrders, (account,))
    return () if found is None else found.digests


def drop_expired(draft: Draft, order: SignedOrder) -> bool:
    """Drop the order if it is kept and its time is over; whether it was."""
    held = draft.get(HeldOrder, (digest(order),))
    if held is None or not held.expires or draft.time <= held.expires:
        return False
    _drop(draft, held, "expired")
    return True


def forget(draft: Draft, name: str) -> None:
    """Keep an order no longer that is being filled, whoever handed it in."""
    held = draft.get(HeldOrder, (name,))
    if held is not None:
        others = tuple(other for other in _digests(draft, held.trading_account) if other != name)
        index = HeldOrders(held.trading_account, others)
        if others:
            draft.put(index)
        else:
            draft.drop(index)
        draft.drop(held)


def drop_voided(draft: Draft, account: int) -> None:
    """Drop all orders kept for an account: its nonce has moved on."""
    for name in _digests(draft, account):
        held = draft.get(HeldOrder, (name,))
        if held is not None:
            _drop(draft, held, "voided")


def _drop(draft: Draft, held: HeldOrder, reason: str) -> None:
    forget(draft, held.digest)
    draft.record(
        SignedOrderDropped(
            digest=held.digest,
            owner=held.owner,
            trading_account=held.trading_account,
            market=held.market,
            reason=reason,
        )
    )
