"""Isolated positions against a basket pool: one collateral, one index, one side (E6 to E11)."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.isolated import decrease, increase, liquidate
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition

BRANCH = Branch(
    name="isolated",
    version=1,
    summary="isolated leveraged positions: open, extend, reduce, close, liquidate",
    handlers={
        IncreasePosition: increase.increase,
        DecreasePosition: decrease.decrease,
        LiquidatePosition: liquidate.liquidate,
    },
)
