"""ZLPBranch of a basket pool: several tokens behind one share token, at oracle prices (E1 to E3)."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.basket import audit, liquidity, swap, valuation
from zlp.engine.commands.liquidity import Burn, Donate, MeasurePool, Mint, Swap

BRANCH = Branch(
    name="basket",
    version=1,
    summary="a basket pool: mint, burn, swap, donate",
    handlers={
        Mint: liquidity.mint,
        Burn: liquidity.burn,
        Swap: swap.swap,
        Donate: liquidity.donate,
        MeasurePool: valuation.measure,
    },
    audit=audit.faults,
)
