"""Minting and burning shares at the pool's value of the moment (O3, O9), and gifts to it."""

from __future__ import annotations

from zlp.engine import ledger
from zlp.engine.branches.borrow_pool import revenue, valuation, vaults
from zlp.engine.branches.custody import require_account
from zlp.engine.commands.liquidity import Burn, Donate, Mint
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import Donated, SharesBurned, SharesMinted
from zlp.engine.fixed import RATE, USD, mul_div_down, value_of
from zlp.engine.leaves.coin_vaults import coins_e18
from zlp.engine.mechanisms.revenue_share import share_of
from zlp.engine.mechanisms.swap_fees import Inventory, SwapFees
from zlp.engine.rejections import Code, Reject


def mint(draft: Draft, command: Mint) -> None:
    """Deposit a token; the fee makes fewer shares."""
    pool = vaults.load_pool(draft, command.pool)
    if not pool.mint_enabled:
        raise Reject(Code.MINT_DISABLED, detail=pool.pool)
    settings = vaults.enabled(draft, pool.pool, command.token)
    if command.amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    valuation.require_fresh(draft, pool, reducing=False)
    vaults.require_fresh(draft, settings)
    coin = vaults.priced(draft, pool, settings)
    value = value_of(command.amount, coin.low, coin.unit)
    worth = valuation.vaults_worth(draft, pool, draft.time, maximise=True)
    market_value = worth.total + valuation.markets_worth(draft, pool, draft.time, maximise=True)
    supply = ledger.supply_of(draft, pool.share)
    fees = pool.swap_fees
    rate = fees.fee_rate("mint", worth.inventory(settings), value, True)
    fee_usd = mul_div_down(value, rate, fees.scale)
    shares = shares_for(value - fee_usd, market_value, supply, ledger.token(draft, pool.share).unit)
    if shares < max(1, command.min_shares):
        raise Reject(Code.SHARES_BELOW_MINIMUM, limit=max(1, command.min_shares), actual=shares)
    revenue.record_yield(draft, pool, market_value)
    ledger.move(draft, command.token, draft.sender, pool.holder, command.amount)
    vault = vaults.touched(draft, settings, draft.time).receive(command.amount)
    fee_e18 = mul_div_down(command.amount * RATE, rate, fees.scale)
    vault = revenue.charge(draft, coin, vault, kind="mint", source="liquidity", account=draft.sender, fee_e18=fee_e18)
    vaults.store(draft, vault)
    ledger.issue(draft, pool.share, draft.sender, shares)
    draft.record(
        SharesMinted(
            pool=pool.pool,
            account=draft.sender,
            token=command.token,
            amount=command.amount,
            shares=shares,
            value_usd=value,
            pool_value_usd=max(0, market_value),
            supply=supply,
            fee_rate=rate,
            fee_scale=fees.scale,
        )
    )


def shares_for(value: int, market_value: int, supply: int, share_unit: int) -> int:
    """Shares that ``value`` (USD 1e30, after the fee) buys; the first ones cost 1 USD each. Rounded down."""
    if supply == 0:
        if market_value < 0:
            raise Reject(Code.POOL_VALUE_NOT_POSITIVE, limit=0, actual=market_value)
        return mul_div_down(value, share_unit, USD)
    if market_value <= 0:
        raise Reject(Code.POOL_VALUE_NOT_POSITIVE, limit=1, actual=market_value)
    return mul_div_down(value, supply, market_value)


def burn(draft: Draft, command: Burn) -> None:
    """Give shares up for one token; coins that positions have borrowed can't leave."""
    pool = vaults.load_pool(draft, command.pool)
    settings = vaults.listed(draft, pool.pool, command.token)
    if command.shares == 0:
        raise Reject(Code.ZERO_AMOUNT)
    receiver = command.to or draft.sender
    require_account(receiver)
    valuation.require_fresh(draft, pool, reducing=True)
    coin = vaults.priced(draft, pool, settings)
    worth = valuation.vaults_worth(draft, pool, draft.time, maximise=False)
    market_value = worth.total + valuation.markets_worth(draft, pool, draft.time, maximise=False)
    if market_value <= 0:
        raise Reject(Code.POOL_VALUE_NOT_POSITIVE, limit=1, actual=market_value)
    supply = ledger.supply_of(draft, pool.share)
    ledger.retire(draft, pool.share, draft.sender, command.shares)
    fees = pool.swap_fees
    value, rate = withdrawal(fees, worth.inventory(settings), market_value, command.shares, supply)
    fee_usd = mul_div_down(value, rate, fees.scale)
    amount = share_of(coins_e18(value - fee_usd, coin.high, coin.unit), RATE)
    if amount < max(1, command.min_amount):
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=max(1, command.min_amount), actual=amount)
    revenue.record_yield(draft, pool, market_value)
    vault = vaults.touched(draft, settings, draft.time).pay(amount)
    ledger.move(draft, command.token, pool.holder, receiver, amount)
    fee_e18 = coins_e18(fee_usd, coin.high, coin.unit)
    vaults.store(
        draft,
        revenue.charge(draft, coin, vault, kind="burn", source="liquidity", account=draft.sender, fee_e18=fee_e18),
    )
    draft.record(
        SharesBurned(
            pool=pool.pool,
            account=draft.sender,
            token=command.token,
            amount=amount,
            shares=command.shares,
            value_usd=value,
            pool_value_usd=market_value,
            supply=supply,
            fee_rate=rate,
            fee_scale=fees.scale,
        )
    )


def withdrawal(fees: SwapFees, vault: Inventory, market_value: int, shares: int, supply: int) -> tuple[int, int]:
    """Value (USD 1e30, rounded down) of burned shares and the fee rate of taking it out of one vault."""
    value = mul_div_down(market_value, shares, supply)
    if value > vault.value:
        raise Reject(Code.WITHDRAWAL_EXCEEDS_VAULT, limit=vault.value, actual=value)
    return value, fees.fee_rate("burn", vault, value, False)


def donate(draft: Draft, command: Donate) -> None:
    """Coins join the liquidity for nothing."""
    pool = vaults.load_pool(draft, command.pool)
    settings = vaults.listed(draft, pool.pool, command.token)
    if command.amount == 0:
        raise Reject(Code.ZERO_AMOUNT)
    ledger.move(draft, command.token, draft.sender, pool.holder, command.amount)
    vaults.store(draft, vaults.touched(draft, settings, draft.time).receive(command.amount))
    draft.record(Donated(pool=pool.pool, account=draft.sender, token=command.token, amount=command.amount))
