"""Swapping one token of a pool for another: two fees, one for each vault it moves (O3)."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine import ledger
from zlp.engine.branches.borrow_pool import revenue, valuation, vaults
from zlp.engine.branches.custody import require_account
from zlp.engine.commands.liquidity import Swap
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import Swapped
from zlp.engine.fixed import RATE, mul_div_down, value_of
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, coins_e18
from zlp.engine.mechanisms.revenue_share import share_of
from zlp.engine.mechanisms.swap_fees import FeeKind, Inventory, SwapFees
from zlp.engine.rejections import Code, Reject


def swap(draft: Draft, command: Swap) -> None:
    """Trade along the path, hop by hop; ``min_amount`` counts at its end."""
    pool = vaults.load_pool(draft, command.pool)
    if not pool.swap_enabled:
        raise Reject(Code.SWAP_DISABLED, detail=pool.pool)
    if len(command.path) < 2:
        raise Reject(Code.INVALID_PATH, limit=2, actual=len(command.path))
    if command.amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    receiver = command.to or draft.sender
    require_account(receiver)
    ledger.move(draft, command.path[0], draft.sender, pool.holder, command.amount)
    amount = command.amount
    for source, target in zip(command.path, command.path[1:], strict=False):
        amount = _hop(draft, pool, source, target, amount)
    if amount < max(1, command.min_amount):
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=max(1, command.min_amount), actual=amount)
    ledger.move(draft, command.path[-1], pool.holder, receiver, amount)


class Legs(NamedTuple):
    """A hop's two fee rates, at the mechanism's scale, and its value (USD 1e30) after the first and the second."""

    rate_in: int
    value_left: int
    rate_out: int
    value_out: int


def swap_legs(fees: SwapFees, kind: FeeKind, source: Inventory, target: Inventory, value: int) -> Legs:
    """What each leg of a hop costs; the second still sees the total from before the swap. Fees round down."""
    rate_in = fees.fee_rate(kind, source, value, True)
    value_left = value - mul_div_down(value, rate_in, fees.scale)
    if value_left >= target.value:
        raise Reject(Code.SWAP_EXCEEDS_VAULT, limit=target.value, actual=value_left)
    rate_out = fees.fee_rate(kind, target, value_left, False)
    return Legs(rate_in, value_left, rate_out, value_left - mul_div_down(value_left, rate_out, fees.scale))


def _hop(draft: Draft, pool: BorrowPoolSettings, source: str, target: str, amount: int) -> int:
    """Take ``amount`` of ``source`` into its vault and ``target`` out of the other; both coins stay at the pool."""
    if source == target:
        raise Reject(Code.SAME_TOKEN, detail=source)
    settings_in = vaults.enabled(draft, pool.pool, source)
    settings_out = vaults.enabled(draft, pool.pool, target)
    vaults.require_fresh(draft, settings_in)
    vaults.require_fresh(draft, settings_out)
    coin_in, coin_out = vaults.priced(draft, pool, settings_in), vaults.priced(draft, pool, settings_out)
    worth = valuation.vaults_worth(draft, pool, draft.time, maximise=False)
    fees = pool.swap_fees
    kind: FeeKind = "stable_swap" if settings_in.stable and settings_out.stable else "swap"
    value = value_of(amount, coin_in.low, coin_in.unit)
    legs = swap_legs(fees, kind, worth.inventory(settings_in), worth.inventory(settings_out), value)
    paid = share_of(coins_e18(legs.value_out, coin_out.high, coin_out.unit), RATE)
    vault_in = vaults.touched(draft, settings_in, draft.time).receive(amount)
    vault_out = vaults.touched(draft, settings_out, draft.time)
    if paid >= vault_out.liquidity:
        raise Reject(Code.POOL_INSUFFICIENT, limit=vault_out.liquidity, actual=paid, detail=target)
    vault_out = vault_out.pay(paid)
    account = draft.sender
    in_e18 = mul_div_down(amount * RATE, legs.rate_in, fees.scale)
    out_e18 = coins_e18(legs.value_left - legs.value_out, coin_out.high, coin_out.unit)
    for coin, vault, fee_e18 in ((coin_in, vault_in, in_e18), (coin_out, vault_out, out_e18)):
        charged = revenue.charge(draft, coin, vault, kind="swap", source="liquidity", account=account, fee_e18=fee_e18)
        vaults.store(draft, charged)
    draft.record(
        Swapped(
            pool=pool.pool,
            account=account,
            token_in=source,
            token_out=target,
            amount_in=amount,
            gross_out=share_of(coins_e18(value, coin_out.high, coin_out.unit), RATE),
            amount_out=paid,
            value_usd=value,
            fee_rate=min(fees.scale, legs.rate_in + legs.rate_out),
            fee_scale=fees.scale,
        )
    )
    return paid
