"""Positions from the first fill to the last: rows for what was done, cards for what each came to.

A position's name returns when it is opened again, so a life is known by the place of the fact that opened it.
"""

from __future__ import annotations

from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.projections import markets, pools, tables
from zlp.projections.batch import Batch, Place, Row
from zlp.projections.names import Names

TRADES = ("open", "extend", "reduce", "close", "flip", "liquidate", "deleverage")
"""Actions that buy or sell; ``deposit`` and ``withdraw`` move collateral only."""


def position_changed(batch: Batch, names: Names, place: Place, event: PositionChanged) -> None:
    """One fill: its row, the life it belongs to, volume, open interest, funding and the pool's side of the result."""
    life = _life(batch, place, event)
    flips = bool(life["fills"]) and life["is_long"] != event.is_long and event.size_before > 0 and event.size_after > 0
    action = "flip" if flips else event.action
    traded = event.traded_usd or (
        event.size_before + event.size_after if flips else abs(event.size_after - event.size_before)
    )
    was_long = bool(life["is_long"])
    markets.interest_changed(batch, event.market, was_long, -event.size_before)
    markets.interest_changed(batch, event.market, event.is_long, event.size_after)
    if action in TRADES and traded:
        price = markets.last_price(batch, names.asset_of_market(event.market)) or event.price
        markets.traded(batch, place, event.market, price, traded)
    if event.carry_usd:
        batch.append(
            tables.funding,
            place,
            account=event.account,
            market=event.market,
            position=event.position,
            is_long=was_long,
            paid_usd=event.carry_usd,
            size_usd=event.size_before,
        )
    pool = names.pool_of(event.market, event.position)
    if pool:
        pools.earned(batch, pool, "trader_pnl", -event.pnl_usd)
    _row(batch, place, event, life, action, traded)
    if flips:
        _store(batch, place, {**life, "last_action": "flip"}, event, size=0)
        life = {**_born(place, event), "fills": 0}
        _store(batch, place, {**life, "last_action": "flip"}, event, size=event.size_after, results=False)
    else:
        _store(batch, place, {**life, "last_action": action}, event, size=event.size_after)


def _life(batch: Batch, place: Place, event: PositionChanged) -> Row:
    """The card of the life this fact continues, or a new one."""
    live = batch.card(tables.live_positions, event.position)
    if live is not None and live["opened_in"]:
        found = batch.card(tables.positions, live["opened_in"], live["opened_at_ordinal"])
        if found is not None:
            return found
    return _born(place, event)


def _born(place: Place, event: PositionChanged) -> Row:
    return {
        "opened_in": place.sequence,
        "opened_at_ordinal": place.ordinal,
        "position": event.position,
        "account": event.account,
        "market": event.market,
        "collateral": event.collateral,
        "is_long": event.is_long,
        "opened_at": place.time,
        **dict.fromkeys(("fills", "largest_usd", "average_price", "collateral_usd"), 0),
        **dict.fromkeys(("pnl_usd", "fee_usd", "carry_usd", "net_usd"), 0),
    }


def _store(batch: Batch, place: Place, life: Row, event: PositionChanged, *, size: int, results: bool = True) -> None:
    """The life after the fact. A price of 0 says that nothing was priced: what was known before stays."""
    priced = event.price > 0
    gained = (event.pnl_usd, event.fee_usd, event.carry_usd) if results else (0, 0, 0)
    batch.put(
        tables.positions,
        **{
            **life,
            "closed_at": 0 if size else place.time,
            "changed_in": place.sequence,
            "fills": life["fills"] + 1,
            "size_usd": size,
            "largest_usd": max(life["largest_usd"], size),
            "average_price": event.average_price if priced and size else life["average_price"],
            "collateral_usd": event.collateral_usd if priced else life["collateral_usd"],
            "pnl_usd": life["pnl_usd"] + gained[0],
            "fee_usd": life["fee_usd"] + gained[1],
            "carry_usd": life["carry_usd"] + gained[2],
            "net_usd": life["net_usd"] + gained[0] - gained[1] - gained[2],
        },
    )
    batch.put(
        tables.live_positions,
        position=event.position,
        opened_in=life["opened_in"] if size else 0,
        opened_at_ordinal=life["opened_at_ordinal"] if size else 0,
    )


def _row(batch: Batch, place: Place, event: PositionChanged, life: Row, action: str, traded: int) -> None:
    """The fill itself. ``closed_basis_usd``: entry value of what it closed; ``cost_basis_usd``: of what stays open.

    ``net_usd`` runs over the life: profit less fees less carry, this fill included.
    """
    batch.append(
        tables.fills,
        place,
        account=event.account,
        market=event.market,
        position=event.position,
        opened_in=life["opened_in"],
        opened_at_ordinal=life["opened_at_ordinal"],
        collateral=event.collateral,
        is_long=event.is_long,
        action=action,
        side=_side(action, event.is_long),
        traded_usd=traded if action in TRADES else 0,
        price=event.price,
        size_before=event.size_before,
        size_after=event.size_after,
        average_price=event.average_price or life["average_price"],
        collateral_usd=event.collateral_usd,
        pnl_usd=event.pnl_usd,
        fee_usd=event.fee_usd,
        carry_usd=event.carry_usd,
        closed_basis_usd=_closed_basis(event, action),
        cost_basis_usd=event.size_after,
        net_usd=life["net_usd"] + event.pnl_usd - event.fee_usd - event.carry_usd,
        order=place.order,
    )


def _closed_basis(event: PositionChanged, action: str) -> int:
    """Entry value of what the fill closed; in proportion to what was sold where every fill revalues the size."""
    if action not in TRADES or action in ("open", "extend"):
        return 0
    if action == "flip" or not event.size_after:
        return event.size_before
    if event.traded_usd:
        return event.size_before * event.traded_usd // (event.traded_usd + event.size_after)
    return event.size_before - event.size_after


def _side(action: str, is_long: bool) -> str:
    """What the trader did in the market: buy or sell; empty where only collateral moved."""
    if action not in TRADES:
        return ""
    enters = action in ("open", "extend", "flip")
    return "buy" if enters == is_long else "sell"


def liquidated(batch: Batch, names: Names, place: Place, event: Liquidated) -> None:  # noqa: ARG001 - handlers are alike
    """A forced close of a position or of an account (then ``market`` lists all of its markets)."""
    batch.append(
        tables.liquidations,
        place,
        account=event.account,
        market=event.market,
        liquidator=event.liquidator,
        token=event.token,
        reward=event.reward,
        bad_debt_usd=event.bad_debt_usd,
    )
