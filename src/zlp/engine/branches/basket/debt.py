"""Buying and selling pool debt: the core of minting and burning (reference 4.1, 4.2)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import DEBT_UNIT, inventory, load_listed, touch
from zlp.engine.branches.basket.surcharge import skew_surcharge
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.fixed import BPS, USD, amount_of, mul_div_down, value_of
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.mechanisms.swap_fees import split_fee
from zlp.engine.rejections import Code, Reject


def buy_debt(draft: Draft, pool: PoolSettings, token: str, amount: int, holder: str) -> tuple[int, int]:
    """Take ``amount`` of a token that has already reached the pool; returns ``(debt minted, fee rate)``.

    The fee curve sees the gross value before the deposit; debt and pool move by what is left after the fee.
    """
    settings = load_listed(draft, pool.pool, token)
    if amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    asset = touch(draft, pool, settings)
    price = pricing.bounds(draft, token)[0]
    gross = mul_div_down(mul_div_down(amount, price, USD), DEBT_UNIT, settings.unit)
    if gross == 0:
        raise Reject(Code.DEBT_TOO_SMALL, limit=1, actual=0)
    supply = ledger.supply_of(draft, pool.debt)
    rate = pool.swap_fees.fee_rate("mint", inventory(draft, pool, settings, asset.debt, supply), gross, True)
    rate += skew_surcharge(draft, pool, token)
    net, fee = split_fee(amount, rate, pool.swap_fees.scale)
    minted = mul_div_down(mul_div_down(net, price, USD), DEBT_UNIT, settings.unit)
    kept = mul_div_down(fee, pool.fee_to_pool_bps, BPS)
    draft.put(asset.collect(fee - kept).borrow(minted, settings.max_debt).add(net + kept))
    ledger.issue(draft, pool.debt, holder, minted)
    charge(draft, pool, "mint", settings, fee, kept, price)
    return minted, rate


def sell_debt(draft: Draft, pool: PoolSettings, token: str, debt: int, holder: str, receiver: str) -> tuple[int, int]:
    """Give up pool debt for a token, paid to ``receiver``; returns ``(amount paid, fee rate)``.

    The fee curve sees the state after debt and supply have fallen; the fee is taken from what leaves the pool.
    """
    settings = load_listed(draft, pool.pool, token)
    if debt == 0:
        raise Reject(Code.DEBT_BELOW_MINIMUM, limit=1, actual=0)
    asset = touch(draft, pool, settings)
    price = pricing.bounds(draft, token)[1]
    gross = redemption(debt, price, settings)
    if gross == 0:
        raise Reject(Code.REDEMPTION_TOO_SMALL, limit=1, actual=0)
    asset = asset.repay(debt).take(gross)
    ledger.retire(draft, pool.debt, holder, debt)
    supply = ledger.supply_of(draft, pool.debt)
    rate = pool.swap_fees.fee_rate("burn", inventory(draft, pool, settings, asset.debt, supply), debt, False)
    net, fee = split_fee(gross, rate, pool.swap_fees.scale)
    if net == 0:
        raise Reject(Code.OUTPUT_TOO_SMALL, limit=1, actual=0)
    kept = mul_div_down(fee, pool.fee_to_pool_bps, BPS)
    draft.put(asset.collect(fee - kept).add(kept))
    ledger.move(draft, token, pool.holder, receiver, net)
    charge(draft, pool, "burn", settings, fee, kept, price)
    return net, rate


def redemption(debt: int, price: int, settings: AssetSettings) -> int:
    """Base units that ``debt`` buys at the token's maximum price, rounded down twice as the reference does."""
    return mul_div_down(amount_of(debt, price, USD), settings.unit, DEBT_UNIT)


def charge(
    draft: Draft, pool: PoolSettings, kind: str, settings: AssetSettings, fee: int, kept: int, price: int
) -> None:
    """Record a fee taken in a token; nothing for a fee of 0."""
    if fee:
        draft.record(
            FeeCharged(
                kind=kind,
                pool=pool.pool,
                account=draft.sender,
                token=settings.token,
                amount=fee,
                to_pool=kept,
                value_usd=value_of(fee, price, settings.unit),
            )
        )
