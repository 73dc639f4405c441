"""The risk of a whole venue: the liquidation ladder, profits and losses of traders, who is nearest to the edge.

It looks at every position, so it works on a frozen copy beside the event loop, and one answer serves a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from zlp.desks import Desk, PositionView, desk_of
from zlp.engine.fixed import BPS, mul_div_toward_zero
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.node import Node
from zlp.server.desk_backing import backing
from zlp.server.desk_views import market_row, pool_row, position_row, usd
from zlp.server.kept import Kept

STEP_BPS = 250
STEPS = 20
LISTED = 25
SECONDS = 3
SHARE = 20
"""An answer that took long serves so many times that long."""
NOTHING: dict[str, Any] = {
    "positions": "0",
    "due": "0",
    "traders_pnl_usd": "0",
    "markets": [],
    "pools": [],
    "nearest": [],
    "most_profitable": [],
    "backing": {"funds": [], "vaults": [], "credit_markets": [], "lent": []},
}
_kept = Kept()


def risk(node: Node, parameters: Any) -> Any:  # noqa: ARG001 - every read has these arguments
    """Figures of every market, the liquidation ladder, the positions nearest to the edge and the largest profits."""
    kept = _kept.find(node, "", SECONDS, SHARE)
    if kept is not None:
        return kept
    now = node.now()
    try:
        desk = desk_of(node.root.state)
    except LookupError:
        return {"sequence": str(node.root.sequence), "time": str(now), **NOTHING}
    frozen = node.copy()

    def job() -> Any:
        """Whoever waited for another's answer takes that."""
        waited_for = _kept.find(node, "", SECONDS, SHARE)
        return waited_for or _kept.make(
            node, "", lambda: {"sequence": str(frozen.sequence), "time": str(now), **figures(desk, frozen.state, now)}
        )

    return job


def figures(desk: Desk, state: Reader, now: int) -> dict[str, Any]:
    """All of it at one moment; a market without a price leaves its lists empty."""
    held = _or_empty(lambda: list(desk.positions(state, now)))
    markets = _or_empty(lambda: desk.markets(state, now))
    pools = _or_empty(lambda: desk.pools(state, now))
    edge = sorted((view for view in held if view.liquidation_price), key=lambda view: (abs(_move(view)), view.position))
    queue = sorted((view for view in held if view.pnl_usd > 0), key=lambda view: (-view.pnl_usd, view.position))
    return {
        "positions": str(len(held)),
        "due": str(sum(view.due for view in held)),
        "traders_pnl_usd": usd(sum(view.pnl_usd for view in held)),
        "markets": [{**market_row(market), **_of_market(held, market.market)} for market in markets],
        "pools": [pool_row(state, pool) for pool in pools],
        "nearest": [{**position_row(view), "move_bps": str(_move(view))} for view in edge[:LISTED]],
        "most_profitable": [position_row(view) for view in queue[:LISTED]],
        "backing": backing(state, now),
    }


def _of_market(held: Iterable[PositionView], market: str) -> dict[str, Any]:
    """One market's PnL and ladder."""
    of_market = [view for view in held if view.market == market]
    return {
        "positions": str(len(of_market)),
        "long_pnl_usd": usd(sum(view.pnl_usd for view in of_market if view.is_long)),
        "short_pnl_usd": usd(sum(view.pnl_usd for view in of_market if not view.is_long)),
        "ladder": ladder(of_market),
    }


def ladder(held: Iterable[PositionView]) -> list[dict[str, str]]:
    """Notional that a move of the price would make due, cumulated outwards; moves in bps of the mark."""
    due = [(_move(view), view.size_usd) for view in held if view.liquidation_price]
    rows = []
    for step in (*range(-STEPS, 0), *range(1, STEPS + 1)):
        move = step * STEP_BPS
        if step < 0:
            reached = sum(size for at, size in due if move <= at <= 0)
        else:
            reached = sum(size for at, size in due if 0 < at <= move)
        rows.append({"move_bps": str(move), "liquidated_usd": usd(reached)})
    return rows


def _move(view: PositionView) -> int:
    """How far the price may move until the position is due, in bps of the mark."""
    if view.mark_price <= 0:
        return BPS
    return mul_div_toward_zero(view.liquidation_price - view.mark_price, BPS, view.mark_price)


def _or_empty(read: Callable[[], list[Any]]) -> list[Any]:
    try:
        return read()
    except Reject:
        return []
