"""Cross-margin trading on the vaults' credit: market and signed orders, skew prices, liquidation (Z10)."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.credit_positions import held, liquidation, margin, orders
from zlp.engine.branches.credit_positions.audit import audit
from zlp.engine.commands import credit_positions as commands

BRANCH = Branch(
    name="credit_positions",
    version=1,
    summary="cross-margin accounts settled in credit: orders, fills, liquidation",
    handlers={
        commands.OpenTradingAccount: margin.open_account,
        commands.TransferTradingAccount: margin.transfer_account,
        commands.AddMargin: margin.add_margin,
        commands.RemoveMargin: margin.remove_margin,
        commands.PlaceCreditOrder: orders.place,
        commands.CancelCreditOrder: orders.cancel,
        commands.FillCreditOrder: orders.fill_order,
        commands.FillWaitingOrder: orders.fill_waiting,
        commands.HoldSignedOrder: held.hold,
        commands.FillSignedOrders: orders.fill_signed,
        commands.CancelSignedOrders: orders.cancel_signed,
        commands.LiquidateTradingAccount: liquidation.liquidate,
    },
    audit=audit,
)
