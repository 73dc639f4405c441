"""Trading with one margin for all positions of an account, against a fund, at prices that lean against the skew."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.access import require_role
from zlp.engine.branches.base import Branch
from zlp.engine.branches.cross_margin import forced, funding_reserve, liquidation, margin, trading
from zlp.engine.branches.cross_margin.audit import audit
from zlp.engine.branches.cross_margin.books import open_books
from zlp.engine.commands import cross_margin as commands
from zlp.engine.commands.fund import ConvertFundingReserve, SweepFundingSurplus
from zlp.engine.draft import Draft
from zlp.engine.events.cross_margin import MarketOpenSet
from zlp.engine.leaves.access import Role


def set_open(draft: Draft, command: commands.SetMarketOpen) -> None:
    """Open or close a market for the day."""
    require_role(draft, Role.KEEPER, Role.GUARDIAN)
    books = open_books(draft, command.pool)
    books.settings(command.market)
    draft.put(replace(books.market(command.market), is_open=command.is_open))
    draft.record(MarketOpenSet(pool=command.pool, market=command.market, is_open=command.is_open))


BRANCH = Branch(
    name="cross_margin",
    version=1,
    summary="cross-margin accounts trading against a fund: trades, deleveraging, liquidation, funding reserve",
    handlers={
        commands.DepositMargin: margin.deposit,
        commands.WithdrawMargin: margin.withdraw,
        commands.MoveMargin: margin.move,
        commands.SwitchCollateral: margin.switch,
        commands.CrossTrade: trading.trade,
        commands.CrossReduce: trading.reduce,
        commands.TakeMaxProfit: forced.take_max_profit,
        commands.Deleverage: forced.deleverage,
        commands.CloseDelisted: forced.close_delisted,
        commands.LiquidateAccount: liquidation.liquidate,
        commands.SetMarketOpen: set_open,
        ConvertFundingReserve: funding_reserve.convert,
        SweepFundingSurplus: funding_reserve.sweep,
    },
    audit=audit,
)
