"""ZLPBranch of a fund: one pool of assets behind all markets, valued with the traders' open profit."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.fund import claims, liquidity, revenue, swapping, valuation
from zlp.engine.branches.fund.desk import open_desk
from zlp.engine.commands import fund as commands
from zlp.engine.commands.liquidity import Burn, Donate, MeasurePool, Mint, Swap
from zlp.engine.draft import Draft
from zlp.engine.rejections import Code, Reject


def settle_claims(draft: Draft, command: commands.SettleClaims) -> None:
    """Pay waiting claims; refused when none can be paid."""
    if not claims.settle(open_desk(draft, command.pool)):
        raise Reject(Code.NOTHING_TO_CLAIM, detail=command.pool)


BRANCH = Branch(
    name="fund",
    version=1,
    summary="deposits, withdrawals, swaps and revenue of a fund that counter-trades",
    handlers={
        Mint: liquidity.mint,
        Burn: liquidity.burn,
        Swap: swapping.swap,
        Donate: liquidity.donate,
        MeasurePool: valuation.measure,
        commands.SettleClaims: settle_claims,
        commands.DistributeRevenue: revenue.distribute,
        commands.WithdrawRevenue: revenue.withdraw,
    },
)
