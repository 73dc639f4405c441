"""Spot swaps against the pool at oracle prices (E9; reference 4.3)."""

from __future__ import annotations

from itertools import pairwise

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import DEBT_UNIT, inventory, load_listed, load_pool, touch
from zlp.engine.branches.basket.debt import charge
from zlp.engine.branches.basket.surcharge import skew_surcharge
from zlp.engine.branches.custody import require_account
from zlp.engine.commands.liquidity import LONGEST_PATH, Swap
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import Swapped
from zlp.engine.fixed import USD, amount_of, mul_div_down, value_of
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.mechanisms.swap_fees import FeeKind, split_fee
from zlp.engine.rejections import Code, Reject


def swap(draft: Draft, command: Swap) -> None:
    """Trade along a path of two or three tokens; only the last hop has a minimum."""
    pool = load_pool(draft, command.pool)
    receiver = command.to or draft.sender
    require_account(receiver)
    swap_along(draft, pool, command.path, command.amount, command.min_amount, receiver)


def swap_along(
    draft: Draft, pool: PoolSettings, path: tuple[str, ...], amount: int, min_amount: int, receiver: str
) -> int:
    """Swap the sender's ``amount`` hop by hop; returns what ``receiver`` got. What is sold is asked for first."""
    if path:
        ledger.move(draft, path[0], draft.sender, pool.holder, amount)
    if not 2 <= len(path) <= LONGEST_PATH:
        raise Reject(Code.INVALID_PATH, limit=LONGEST_PATH, actual=len(path))
    for hop, (token_in, token_out) in enumerate(pairwise(path), start=2):
        last = hop == len(path)
        if hop > 2:
            ledger.move(draft, token_in, draft.sender, pool.holder, amount)
        amount = _hop(draft, pool, token_in, token_out, amount, receiver if last else draft.sender)
    if amount < min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=min_amount, actual=amount)
    return amount


def _hop(draft: Draft, pool: PoolSettings, token_in: str, token_out: str, amount: int, receiver: str) -> int:
    """One hop: the pool takes all of the input; the whole fee is taken from the output."""
    if not pool.swap_enabled:
        raise Reject(Code.SWAP_DISABLED, detail=pool.pool)
    settings_in = load_listed(draft, pool.pool, token_in, Code.INPUT_NOT_LISTED)
    settings_out = load_listed(draft, pool.pool, token_out, Code.OUTPUT_NOT_LISTED)
    if token_in == token_out:
        raise Reject(Code.SAME_TOKEN, detail=token_in)
    asset_in, asset_out = touch(draft, pool, settings_in), touch(draft, pool, settings_out)
    if amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    pricing.require_all_fresh(draft, (token_in, token_out))
    price_in, price_out = pricing.bounds(draft, token_in)[0], pricing.bounds(draft, token_out)[1]
    gross = mul_div_down(amount_of(amount, price_out, price_in), settings_out.unit, settings_in.unit)
    debt = mul_div_down(mul_div_down(amount, price_in, USD), DEBT_UNIT, settings_in.unit)
    rate = _rate(draft, pool, (settings_in, asset_in), (settings_out, asset_out), debt)
    net, fee = split_fee(gross, rate, pool.swap_fees.scale)
    asset_in = asset_in.borrow(debt, settings_in.max_debt).add(amount)
    asset_out = asset_out.collect(fee).repay(debt).take(gross)
    if asset_out.amount < settings_out.buffer:
        raise Reject(Code.POOL_BELOW_BUFFER, limit=settings_out.buffer, actual=asset_out.amount, detail=token_out)
    draft.put(asset_in)
    draft.put(asset_out)
    ledger.move(draft, token_out, pool.holder, receiver, net)
    draft.record(
        Swapped(
            pool=pool.pool,
            account=draft.sender,
            token_in=token_in,
            token_out=token_out,
            amount_in=amount,
            gross_out=gross,
            amount_out=net,
            value_usd=value_of(amount, price_in, settings_in.unit),
            fee_rate=rate,
            fee_scale=pool.swap_fees.scale,
        )
    )
    charge(draft, pool, "swap", settings_out, fee, 0, price_out)
    return net


def _rate(
    draft: Draft,
    pool: PoolSettings,
    entering: tuple[AssetSettings, PoolAsset],
    leaving: tuple[AssetSettings, PoolAsset],
    debt: int,
) -> int:
    """The dearer of the two sides' fees, both seen before the swap."""
    kind: FeeKind = "stable_swap" if entering[0].stable and leaving[0].stable else "swap"
    supply = ledger.supply_of(draft, pool.debt)
    rate_in = pool.swap_fees.fee_rate(kind, inventory(draft, pool, entering[0], entering[1].debt, supply), debt, True)
    rate_out = pool.swap_fees.fee_rate(kind, inventory(draft, pool, leaving[0], leaving[1].debt, supply), debt, False)
    rate = max(rate_in, rate_out)
    if pool.skew_surcharge_bps == 0:
        return rate
    return rate + max(skew_surcharge(draft, pool, entering[0].token), skew_surcharge(draft, pool, leaving[0].token))
