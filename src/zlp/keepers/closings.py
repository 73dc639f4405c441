"""Keepers that close positions against their owners' will: for want of collateral, or to protect the pool."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine import Command
from zlp.engine.commands.borrowed import CloseExhausted, LiquidateBorrowed
from zlp.engine.commands.credit_positions import LiquidateTradingAccount
from zlp.engine.commands.cross_margin import CloseDelisted, Deleverage, LiquidateAccount, TakeMaxProfit
from zlp.engine.commands.isolated import LiquidatePosition
from zlp.keepers.port import Port
from zlp.keepers.watches import Watch, watch_of


class _Closing:
    """Submits what its watch finds of its kinds; the engine checks each again. Several may share one watch."""

    kinds: ClassVar[tuple[type[Command], ...]]

    def __init__(self, port: Port, watch: Watch | None = None) -> None:
        self._port = port
        self._watch = watch or watch_of(port)

    def work(self) -> int:
        """One look, and what it finds."""
        done = 0
        for command in self._watch.due(self._port.now()):
            if isinstance(command, self.kinds):
                done += self._port.submit(command).accepted
        return done


class LiquidationKeeper(_Closing):
    """Liquidates what its collateral no longer carries, and ends positions that can win no more."""

    name = "liquidations"
    kinds = (LiquidatePosition, LiquidateAccount, LiquidateBorrowed, CloseExhausted, LiquidateTradingAccount)


class DeleverageKeeper(_Closing):
    """Closes positions for their owners where the pool could no longer pay: by position and by fund.

    A design without automatic deleverage never has any of them due, and then a round costs its watch only:
    leave the keeper out.
    """

    name = "deleverage"
    kinds = (TakeMaxProfit, Deleverage, CloseDelisted)
