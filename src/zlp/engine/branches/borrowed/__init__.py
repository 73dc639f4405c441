"""Trading with borrowed tokens: open, decrease, close, change collateral and reserve, liquidate (O1, O2, O5, O8)."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.borrowed import collateral, liquidation, opening, reducing, referral
from zlp.engine.branches.borrowed.audit import audit
from zlp.engine.commands import borrowed as commands

BRANCH = Branch(
    name="borrowed",
    version=1,
    summary="positions that borrow the pool's tokens",
    handlers={
        commands.OpenBorrowed: opening.open_position,
        commands.DecreaseBorrowed: reducing.decrease,
        commands.CloseBorrowed: reducing.close,
        commands.CloseExhausted: reducing.close_exhausted,
        commands.PledgeCollateral: collateral.pledge,
        commands.RedeemCollateral: collateral.redeem,
        commands.ReduceReserve: collateral.reduce_reserve,
        commands.LiquidateBorrowed: liquidation.liquidate,
        commands.SetReferrer: referral.set_referrer,
    },
    audit=audit,
)
