"""Fee curves of a pool: what ever larger deposits and withdrawals of one token would pay, and where its weight goes.

Each point is a quote for an account that has just enough, so whatever the design charges is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zlp.desks import Desk, PoolView, desk_of
from zlp.desks.base import reading
from zlp.engine import Envelope, ledger
from zlp.engine.commands.base import Command
from zlp.engine.commands.liquidity import Burn, Mint
from zlp.engine.events.liquidity import SharesBurned, SharesMinted
from zlp.engine.fixed import BPS, RATE, mul_div_down
from zlp.engine.leaves.ledger import Balance
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.node import Node
from zlp.server.desk_views import usd
from zlp.server.problems import Problem
from zlp.server.reads import Parameters, Read
from zlp.server.views import decimal

SOMEBODY = "0x" + "0" * 39 + "f"
PARTS_BPS = (10, 50, 100, 200, 400, 700, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000)


def _curve(node: Node, parameters: Parameters) -> Any:
    """Fees in bps by the size of the deposit or withdrawal in USD; refused sizes are left out."""
    now, state = node.now(), node.root.state
    try:
        desk = desk_of(state)
        view = next(pool for pool in desk.pools(state, now) if pool.pool == parameters.text("pool"))
        asset = next(each for each in view.assets if each.token == parameters.text("token"))
    except (LookupError, Reject, StopIteration):
        raise Problem("not_found", "no pool with a price holds this token") from None
    if not asset.amount or not asset.value_usd:
        raise Problem("not_found", "the pool holds none of it yet, so its price in the pool is not known")
    deposits, withdrawals = [], []
    for part in PARTS_BPS:
        worth = mul_div_down(view.value_usd, part, BPS)
        amount = mul_div_down(worth, asset.amount, asset.value_usd)
        deposits += _point(node, desk, view, asset.token, worth, Mint(pool=view.pool, token=asset.token, amount=amount))
        shares = mul_div_down(view.supply, part, BPS)
        withdrawals += _point(
            node, desk, view, asset.token, worth, Burn(pool=view.pool, token=asset.token, shares=shares)
        )
    return {"sequence": str(node.root.sequence), "deposits": deposits, "withdrawals": withdrawals}


def _point(node: Node, desk: Desk, view: PoolView, token: str, worth: int, command: Command) -> Iterator[Any]:
    """One point, or none where the venue would refuse."""
    now = node.now()
    funded = reading(node.root.state, now, SOMEBODY)
    try:
        if isinstance(command, Mint):
            ledger.issue(funded, token, SOMEBODY, command.amount)
        elif isinstance(command, Burn):
            ledger.move(funded, view.share, _largest(funded, view.share), SOMEBODY, command.shares)
    except Reject:
        return
    answer = node.root.quote(Envelope(time=now, account=SOMEBODY, command=command), funded)
    for event in answer.receipt.events:
        if isinstance(event, SharesMinted | SharesBurned):
            yield {
                "usd": usd(worth),
                "fee_bps": decimal(mul_div_down(event.fee_rate * BPS, RATE, event.fee_scale), RATE),
                "weight_bps": str(_weight(desk, answer.after, now, view.pool, token)),
            }


def _largest(reader: Reader, share: str) -> str:
    """Who holds most of a share token."""
    held = max((each.amount, each.owner) for each in reader.each(Balance) if each.token == share)
    return held[1]


def _weight(desk: Desk, reader: Reader, now: int, pool: str, token: str) -> int:
    for view in desk.pools(reader, now):
        if view.pool == pool:
            return sum(asset.weight_bps for asset in view.assets if asset.token == token)
    return 0


READS: list[Read] = [
    Read("/v1/desk/curve/{pool}/{token}", "what larger deposits and withdrawals of a token would pay", _curve, "desk"),
]
