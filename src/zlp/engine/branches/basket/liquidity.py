"""Minting, burning and donating (E2; reference 9.3, 9.4, 4.4)."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import USD_PER_DEBT, load_asset, load_listed, load_pool
from zlp.engine.branches.basket.debt import buy_debt, sell_debt
from zlp.engine.branches.basket.valuation import pool_value_in_debt
from zlp.engine.branches.custody import require_account
from zlp.engine.commands.liquidity import Burn, Donate, Mint
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import Donated, SharesBurned, SharesMinted
from zlp.engine.fixed import mul_div_down
from zlp.engine.leaves.pool import LastMint, PoolSettings
from zlp.engine.rejections import Code, Reject


def mint(draft: Draft, command: Mint) -> None:
    """Shares for a deposit, priced at the pool's maximum value before it."""
    pool = load_pool(draft, command.pool)
    if not pool.mint_enabled:
        raise Reject(Code.MINT_DISABLED, detail=pool.pool)
    if command.amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    pricing.require_all_fresh(draft, pool.tokens)
    value = pool_value_in_debt(draft, pool, draft.time, maximise=True)
    supply = ledger.supply_of(draft, pool.share)
    ledger.move(draft, command.token, draft.sender, pool.holder, command.amount)
    minted, rate = buy_debt(draft, pool, command.token, command.amount, _manager(pool))
    first = supply == 0 and not pool.orphans_block
    shares = minted if value == 0 or first else mul_div_down(minted, supply, value)
    least = command.min_shares if pool.orphans_block else max(1, command.min_shares)
    if shares < least:
        raise Reject(Code.SHARES_BELOW_MINIMUM, limit=least, actual=shares)
    ledger.issue(draft, pool.share, draft.sender, shares)
    draft.put(LastMint(pool.pool, draft.sender, draft.time))
    draft.record(
        SharesMinted(
            pool=pool.pool,
            account=draft.sender,
            token=command.token,
            amount=command.amount,
            shares=shares,
            value_usd=minted * USD_PER_DEBT,
            pool_value_usd=value * USD_PER_DEBT,
            supply=supply,
            fee_rate=rate,
            fee_scale=pool.swap_fees.scale,
        )
    )


def burn(draft: Draft, command: Burn) -> None:
    """A token for shares, priced at the pool's minimum value; not before the cool-down has passed."""
    pool = load_pool(draft, command.pool)
    receiver = command.to or draft.sender
    require_account(receiver)
    if command.shares == 0:
        raise Reject(Code.ZERO_AMOUNT)
    pool.require_cooled(draft.get(LastMint, (pool.pool, draft.sender)), draft.time)
    pricing.require_all_fresh(draft, pool.tokens)
    value = pool_value_in_debt(draft, pool, draft.time, maximise=False)
    supply = ledger.supply_of(draft, pool.share)
    debt = mul_div_down(command.shares, value, supply)
    held = ledger.balance_of(draft, _manager(pool), pool.debt)
    if debt > held:
        ledger.issue(draft, pool.debt, _manager(pool), debt - held)
    ledger.retire(draft, pool.share, draft.sender, command.shares)
    paid, rate = sell_debt(draft, pool, command.token, debt, _manager(pool), receiver)
    if paid < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=command.min_amount, actual=paid)
    draft.record(
        SharesBurned(
            pool=pool.pool,
            account=draft.sender,
            token=command.token,
            amount=paid,
            shares=command.shares,
            value_usd=debt * USD_PER_DEBT,
            pool_value_usd=value * USD_PER_DEBT,
            supply=supply,
            fee_rate=rate,
            fee_scale=pool.swap_fees.scale,
        )
    )


def donate(draft: Draft, command: Donate) -> None:
    """Tokens for the LPs, for nothing: no fee, no debt, no funding touch (4.4)."""
    pool = load_pool(draft, command.pool)
    ledger.move(draft, command.token, draft.sender, pool.holder, command.amount)
    load_listed(draft, pool.pool, command.token)
    if command.amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    draft.put(load_asset(draft, pool.pool, command.token).add(command.amount))
    draft.record(Donated(pool=pool.pool, account=draft.sender, token=command.token, amount=command.amount))


def _manager(pool: PoolSettings) -> str:
    """Who holds the pool debt that shares stand for."""
    return f"debt:{pool.pool}"
