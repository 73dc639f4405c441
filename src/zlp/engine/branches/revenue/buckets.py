"""Collecting fees and what the treasurer may do with them (E4, E14)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import require_role
from zlp.engine.branches.basket.assets import load_asset, load_pool
from zlp.engine.branches.basket.swap import swap_along
from zlp.engine.branches.custody import require_account, require_amount
from zlp.engine.commands import revenue as commands
from zlp.engine.draft import Draft
from zlp.engine.events import revenue as events
from zlp.engine.fixed import BPS, mul_div_down
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.revenue import BUCKETS, BUYBACK, SOULBOUND, TREASURY, RevenueSettings
from zlp.engine.rejections import Code, Reject


def collect(draft: Draft, command: commands.CollectFees) -> None:
    """Split what has been collected; every share rounds down, the treasury gets the rest."""
    pool = load_pool(draft, command.pool)
    settings = draft.need(RevenueSettings, (command.pool,), Code.UNKNOWN_POOL)
    asset = load_asset(draft, command.pool, command.token)
    require_amount(asset.fees)
    soulbound = mul_div_down(asset.fees, settings.soulbound_bps, BPS)
    buyback = mul_div_down(asset.fees, settings.buyback_bps, BPS)
    providers = mul_div_down(asset.fees, settings.providers_bps, BPS)
    treasury = asset.fees - soulbound - buyback - providers
    draft.put(replace(asset, fees=0, amount=asset.amount + providers))
    for holder, amount in ((TREASURY, treasury), (SOULBOUND, soulbound), (BUYBACK, buyback)):
        ledger.move(draft, command.token, pool.holder, holder, amount)
    draft.record(
        events.FeesCollected(
            pool=command.pool,
            token=command.token,
            treasury=treasury,
            soulbound=soulbound,
            buyback=buyback,
            providers=providers,
        )
    )


def allocate(draft: Draft, command: commands.AllocateFees) -> None:
    """An explicit decision of the treasurer; what is set aside for soulbound holders is theirs, through epochs."""
    require_role(draft, Role.TREASURER)
    require_account(command.to)
    require_amount(command.amount)
    if bucket(command.bucket) == SOULBOUND:
        raise Reject(Code.ACTION_NOT_ALLOWED, detail="paid through epochs")
    ledger.move(draft, command.token, bucket(command.bucket), command.to, command.amount)
    draft.record(events.FeesAllocated(bucket=command.bucket, token=command.token, amount=command.amount, to=command.to))


def bucket(name: str) -> str:
    """The holder behind a bucket's name."""
    holder = BUCKETS.get(name)
    if holder is None:
        raise Reject(Code.UNKNOWN_BUCKET, detail=name)
    return holder


def buy_back(draft: Draft, command: commands.Buyback) -> None:
    """Swap bucket tokens at the pool's price, fees included."""
    require_role(draft, Role.TREASURER)
    pool = load_pool(draft, command.pool)
    with draft.acting_as(BUYBACK):
        bought = swap_along(draft, pool, command.path, command.amount, command.min_amount, BUYBACK)
    draft.record(
        events.BoughtBack(
            token_in=command.path[0],
            token_out=command.path[-1],
            amount_in=command.amount,
            amount_out=bought,
        )
    )


def burn_bought(draft: Draft, command: commands.BurnBought) -> None:
    """Destroy what was bought; only tokens whose settings allow it."""
    require_role(draft, Role.TREASURER)
    if not ledger.token(draft, command.token).burnable:
        raise Reject(Code.NOT_BURNABLE, detail=command.token)
    require_amount(command.amount)
    ledger.retire(draft, command.token, BUYBACK, command.amount)
