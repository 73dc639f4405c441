"""Fee curves of a pool: what ever larger deposits and withdrawals of one token would pay, and where its weight goes.

Each point is a quote for an account that has just enough, so whatever the design charges is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zlp.desks import Desk, desk_of
from zlp.desks.base import reading
from zlp.engine import Envelope, Root, ledger
from zlp.engine.commands.liquidity import Burn, Mint
from zlp.engine.events.liquidity import SharesBurned, SharesMinted
from zlp.engine.fixed import BPS, RATE, mul_div_down
from zlp.engine.leaves.ledger import Balance
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.node import Node
from zlp.server.desk_views import usd
from zlp.server.kept import Kept
from zlp.server.problems import Problem
from zlp.server.reads import Parameters, Read
from zlp.server.views import decimal

SOMEBODY = "0x" + "0" * 39 + "f"
SECONDS = 10
_kept = Kept()
PARTS_BPS = (10, 50, 100, 200, 400, 700, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000)


def _curve(node: Node, parameters: Parameters) -> Any:
    """Fees in bps by the size of the deposit or withdrawal in USD; refused sizes are left out.

    It runs dozens of commands on drafts, so it works on a copy beside the event loop, and is kept for a while.
    """
    question = (parameters.text("pool"), parameters.text("token"))
    kept = _kept.find(node, question, SECONDS)
    if kept is not None:
        return kept
    curves = _Curves(node.copy(), node.now(), *question)
    return lambda: _kept.find(node, question, SECONDS) or _kept.make(node, question, curves.both)


class _Curves:
    """What a pool would charge for one of its tokens, at one moment of one root."""

    def __init__(self, root: Root, now: int, pool: str, token: str) -> None:
        self.root, self.now = root, now
        try:
            self.desk = desk_of(root.state)
            self.view = next(view for view in self.desk.pools(root.state, now) if view.pool == pool)
            self.asset = next(asset for asset in self.view.assets if asset.token == token)
        except (LookupError, Reject, StopIteration):
            raise Problem("not_found", "no pool with a price holds this token") from None
        if not self.asset.amount or not self.asset.value_usd:
            raise Problem("not_found", "the pool holds none of it yet, so its price in the pool is not known")

    def both(self) -> dict[str, Any]:
        """Both curves."""
        pool, token = self.view.pool, self.asset.token
        held = [(each.amount, each.owner) for each in self.root.state.each(Balance) if each.token == self.view.share]
        _, richest = max(held, default=(0, SOMEBODY))
        deposits: list[Any] = []
        withdrawals: list[Any] = []
        for part in PARTS_BPS:
            worth = mul_div_down(self.view.value_usd, part, BPS)
            amount = mul_div_down(worth, self.asset.amount, self.asset.value_usd)
            shares = mul_div_down(self.view.supply, part, BPS)
            deposits += self._point(worth, Mint(pool=pool, token=token, amount=amount))
            withdrawals += self._point(worth, Burn(pool=pool, token=token, shares=shares), richest)
        return {"sequence": str(self.root.sequence), "deposits": deposits, "withdrawals": withdrawals}

    def _point(self, worth: int, command: Mint | Burn, richest: str = "") -> Iterator[Any]:
        """One point, or none where the venue would refuse. Shares come from whom has most, tokens from outside."""
        funded = reading(self.root.state, self.now, SOMEBODY)
        try:
            if isinstance(command, Mint):
                ledger.issue(funded, self.asset.token, SOMEBODY, command.amount)
            else:
                ledger.move(funded, self.view.share, richest, SOMEBODY, command.shares)
        except Reject:
            return
        answer = self.root.quote(Envelope(time=self.now, account=SOMEBODY, command=command), funded)
        for event in answer.receipt.events:
            if isinstance(event, SharesMinted | SharesBurned):
                yield {
                    "usd": usd(worth),
                    "fee_bps": decimal(mul_div_down(event.fee_rate * BPS, RATE, event.fee_scale), RATE),
                    "weight_bps": str(_weight(self.desk, answer.after, self.now, self.view.pool, self.asset.token)),
                }


def _weight(desk: Desk, reader: Reader, now: int, pool: str, token: str) -> int:
    for view in desk.pools(reader, now):
        if view.pool == pool:
            return sum(asset.weight_bps for asset in view.assets if asset.token == token)
    return 0


READS: list[Read] = [
    Read("/v1/desk/curve/{pool}/{token}", "what larger deposits and withdrawals of a token would pay", _curve, "desk"),
]
