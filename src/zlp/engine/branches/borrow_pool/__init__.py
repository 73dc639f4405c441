"""The liquidity branch of a pool of coin vaults: mint, burn, swap, donate, and the weekly yield."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.borrow_pool import liquidity, revenue, swaps, valuation
from zlp.engine.commands.borrowed import UpdateYield
from zlp.engine.commands.liquidity import Burn, Donate, MeasurePool, Mint, Swap

BRANCH = Branch(
    name="borrow_pool",
    version=1,
    summary="a pool of coin vaults: mint, burn, swap, donate, weekly yield",
    handlers={
        Mint: liquidity.mint,
        Burn: liquidity.burn,
        Swap: swaps.swap,
        Donate: liquidity.donate,
        MeasurePool: valuation.measure,
        UpdateYield: revenue.update_yield,
    },
)
