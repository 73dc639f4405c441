"""FeeBranch of a basket pool: collected fees reach their buckets, the soulbound token, epochs (E12 to E14)."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.revenue import buckets, epochs
from zlp.engine.commands import revenue as commands
from zlp.engine.events.ledger import Issued, Retired, Transferred
from zlp.engine.events.liquidity import FeeCharged, Swapped
from zlp.engine.events.trading import PositionChanged

BRANCH = Branch(
    name="revenue",
    version=1,
    summary="fee buckets, treasury decisions, the soulbound token, epochs",
    handlers={
        commands.CollectFees: buckets.collect,
        commands.AllocateFees: buckets.allocate,
        commands.Buyback: buckets.buy_back,
        commands.BurnBought: buckets.burn_bought,
        commands.MintSoulbound: epochs.mint_soulbound,
        commands.FundEpoch: epochs.fund,
        commands.JoinEpoch: epochs.join,
        commands.ClaimEpoch: epochs.claim,
        commands.CloseEpoch: epochs.close,
    },
    observers={
        PositionChanged: epochs.scored_trade,
        Swapped: epochs.scored_swap,
        FeeCharged: epochs.scored_fee,
        Issued: epochs.held_more,
        Retired: epochs.held_less,
        Transferred: epochs.passed_on,
    },
)
