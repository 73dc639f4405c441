"""Where fees go: the pool's part stays in the vault, the protocol's and the referrer's leave at once (O4, O6)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.borrow_pool.valuation import pool_value, require_fresh
from zlp.engine.branches.borrow_pool.vaults import Coin, load_pool
from zlp.engine.commands.borrowed import UpdateYield
from zlp.engine.draft import Draft
from zlp.engine.events.borrowed import YieldUpdated
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.fixed import RATE, div_up, value_of
from zlp.engine.leaves.borrowed import Referral
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault, PoolYield, YieldRecord
from zlp.engine.mechanisms.revenue_share import WEEK, Source, apr_bps, share_of, yield_due
from zlp.engine.rejections import Code, Reject


def charge(
    draft: Draft, coin: Coin, vault: CoinVault, *, kind: str, source: Source, account: str, fee_e18: int
) -> CoinVault:
    """Divide a fee that is already in the vault; ``fee_e18`` in base units at 1e18.

    Never refuses: what liquidity does not hold, the protocol and the referrer do not get.
    """
    if fee_e18 == 0:
        return vault
    revenue = coin.pool.revenue
    amount = div_up(fee_e18, RATE)
    vault, protocol = _give(draft, coin, vault, coin.pool.collector, share_of(fee_e18, revenue.rate(source)))
    referred = 0
    referral = draft.get(Referral, (account,)) if source == "trading" and revenue.referral else None
    if referral is not None:
        vault, referred = _give(draft, coin, vault, referral.referrer, share_of(fee_e18, revenue.referral))
    to_pool = amount - protocol - referred
    draft.record(
        FeeCharged(
            kind=kind,
            pool=coin.pool.pool,
            account=account,
            token=coin.settings.token,
            amount=amount,
            to_pool=to_pool,
            value_usd=value_of(amount, coin.low, coin.unit),
        )
    )
    earned = load_yield(draft, coin.pool.pool)
    realised = earned.realised_fee_usd + value_of(to_pool, coin.low, coin.unit)
    draft.put(replace(earned, realised_fee_usd=realised))
    return vault


def _give(draft: Draft, coin: Coin, vault: CoinVault, target: str, amount: int) -> tuple[CoinVault, int]:
    paid = min(amount, vault.liquidity)
    ledger.move(draft, coin.settings.token, coin.pool.holder, target, paid)
    return vault.pay(paid), paid


def load_yield(draft: Draft, pool: str) -> PoolYield:
    """What the pool has earned; its clock starts with its first fee or deposit."""
    return draft.get(PoolYield, (pool,)) or PoolYield(pool, since=draft.time)


def update_yield(draft: Draft, command: UpdateYield) -> None:
    """The weekly figure, on request."""
    pool = load_pool(draft, command.pool)
    earned = load_yield(draft, pool.pool)
    if not yield_due(earned.since, draft.time):
        raise Reject(Code.YIELD_NOT_DUE, limit=earned.since + WEEK, actual=draft.time)
    require_fresh(draft, pool, reducing=False)
    value = pool_value(draft, pool, draft.time, maximise=False)
    if value <= 0:
        raise Reject(Code.POOL_VALUE_NOT_POSITIVE, limit=1, actual=value)
    record_yield(draft, pool, value)


def record_yield(draft: Draft, pool: BorrowPoolSettings, value: int) -> None:
    """Close the period if it is due and the pool is worth something (USD 1e30), and start the next."""
    earned = load_yield(draft, pool.pool)
    if value <= 0 or not yield_due(earned.since, draft.time):
        draft.put(earned)
        return
    apr = apr_bps(earned.realised_fee_usd, value, draft.time - earned.since)
    period = earned.periods + 1
    draft.put(PoolYield(pool.pool, draft.time, 0, apr, period))
    draft.put(YieldRecord(pool.pool, period, earned.since, draft.time, earned.realised_fee_usd, value, apr))
    draft.record(
        YieldUpdated(
            pool=pool.pool,
            period=period,
            since=earned.since,
            realised_fee_usd=earned.realised_fee_usd,
            pool_usd=value,
            apr_bps=apr,
        )
    )
