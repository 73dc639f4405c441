"""Pools: deposits and withdrawals, swaps, fees, and where the value of a share comes from.

Income is counted by source and, at each measuring of the pool, divided by the shares there are: ``per_share`` grows
by what one whole share earned since the measuring before. So over any two samples the change of the share's price is
exactly the sum of the changes of ``per_share`` of every source, and a rest: what the prices of the pool's assets and
the open profits of traders did (``returns.py``).
"""

from __future__ import annotations

from typing import Any

from zlp.engine.events.credit import VaultRecalculated
from zlp.engine.events.liquidity import Donated, FeeCharged, PoolMeasured, SharesBurned, SharesMinted, Swapped
from zlp.projections import markets, tables
from zlp.projections.batch import Batch, Place
from zlp.projections.names import Names


def shares_changed(batch: Batch, names: Names, place: Place, event: SharesMinted | SharesBurned) -> None:
    """A deposit or a withdrawal."""
    _liquidity(
        batch,
        place,
        event,
        action="mint" if isinstance(event, SharesMinted) else "burn",
        share=names.pools.get(event.pool, ""),
        shares=event.shares,
        value_usd=event.value_usd,
        pool_value_usd=event.pool_value_usd,
        supply=event.supply,
        fee_rate=event.fee_rate,
        fee_scale=event.fee_scale,
    )


def donated(batch: Batch, names: Names, place: Place, event: Donated) -> None:
    """A gift to the pool, valued at the last posted price."""
    price = markets.last_price(batch, names.asset_of(event.token))
    value = event.amount * price // names.unit(event.token)
    _liquidity(batch, place, event, action="donate", share=names.pools.get(event.pool, ""), value_usd=value)
    earned(batch, event.pool, "donations", value)


def _liquidity(batch: Batch, place: Place, event: Any, **values: Any) -> None:
    batch.append(
        tables.liquidity,
        place,
        pool=event.pool,
        account=event.account,
        token=event.token,
        amount=event.amount,
        order=place.order,
        **values,
    )


def swapped(batch: Batch, names: Names, place: Place, event: Swapped) -> None:  # noqa: ARG001 - handlers are alike
    """One hop of a swap."""
    batch.append(
        tables.swaps,
        place,
        pool=event.pool,
        account=event.account,
        token_in=event.token_in,
        token_out=event.token_out,
        amount_in=event.amount_in,
        gross_out=event.gross_out,
        amount_out=event.amount_out,
        value_usd=event.value_usd,
        fee_rate=event.fee_rate,
        fee_scale=event.fee_scale,
        order=place.order,
    )


def fee_charged(batch: Batch, names: Names, place: Place, event: FeeCharged) -> None:
    """A fee; the part that stays with the pool is its income, by kind."""
    to_pool = event.value_usd * event.to_pool // event.amount if event.amount else 0
    batch.append(
        tables.fees,
        place,
        kind=event.kind,
        pool=event.pool,
        account=event.account,
        token=event.token,
        amount=event.amount,
        to_pool=event.to_pool,
        value_usd=event.value_usd,
        to_pool_usd=to_pool,
        order=place.order,
    )
    if event.pool in names.pools:
        earned(batch, event.pool, f"fee_{event.kind}", to_pool)


def vault_recalculated(batch: Batch, names: Names, place: Place, event: VaultRecalculated) -> None:  # noqa: ARG001 - handlers are alike
    """A vault took its part of its markets: debt is what traders won; rewards are paid to stakers beside the share."""
    earned(batch, event.vault, "trader_pnl", -event.realized_change)
    if event.reward_change:
        price = markets.last_price(batch, names.asset_of(names.reward))
        earned(batch, event.vault, "rewards", event.reward_change * price // names.unit(names.reward))


def earned(batch: Batch, pool: str, source: str, value_usd: int) -> None:
    """Income (negative: a loss) of a pool since it was last measured."""
    if not value_usd:
        return
    row = batch.card(tables.pool_income, pool, source) or {"pool": pool, "source": source}
    empty = {"pending_usd": 0, "total_usd": 0, "per_share": 0}
    row = {**empty, **row}
    batch.put(
        tables.pool_income,
        **{**row, "pending_usd": row["pending_usd"] + value_usd, "total_usd": row["total_usd"] + value_usd},
    )


def pool_measured(batch: Batch, names: Names, place: Place, event: PoolMeasured) -> None:
    """A sample of the pool's value, and of its income by source."""
    unit = names.unit(event.share)
    supply = event.supply
    batch.append(
        tables.pool_samples,
        place,
        pool=event.pool,
        share=event.share,
        low_usd=event.low_usd,
        high_usd=event.high_usd,
        supply=supply,
        share_price=event.high_usd * unit // supply if supply else 0,
        burn_price=event.low_usd * unit // supply if supply else 0,
    )
    for income in list(batch.cards(tables.pool_income, pool=event.pool)):
        row = income
        if income["pending_usd"] and supply:
            per_share = income["per_share"] + income["pending_usd"] * unit // supply
            row = {**income, "pending_usd": 0, "per_share": per_share}
            batch.put(tables.pool_income, **row)
        batch.put(
            tables.income_samples,
            pool=event.pool,
            sequence=place.sequence,
            source=row["source"],
            time=place.time,
            total_usd=row["total_usd"],
            per_share=row["per_share"],
        )
