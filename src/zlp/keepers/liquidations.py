"""Liquidates positions and accounts that their collateral no longer carries, and ends those that can win no more."""

from __future__ import annotations

from zlp.engine.commands.borrowed import CloseExhausted, LiquidateBorrowed
from zlp.engine.commands.credit_positions import LiquidateTradingAccount
from zlp.engine.commands.cross_margin import LiquidateAccount
from zlp.engine.commands.isolated import LiquidatePosition
from zlp.keepers.port import Port
from zlp.keepers.watches import Watch, watch_of

LIQUIDATIONS = (LiquidatePosition, LiquidateAccount, LiquidateBorrowed, CloseExhausted, LiquidateTradingAccount)


class LiquidationKeeper:
    """Submits every liquidation its watch finds, and closes of exhausted positions; the engine checks each again."""

    name = "liquidations"

    def __init__(self, port: Port, watch: Watch | None = None) -> None:
        self._port = port
        self._watch = watch or watch_of(port)

    def work(self) -> int:
        """One look, and what it finds."""
        done = 0
        for command in self._watch.due(self._port.now()):
            if isinstance(command, LIQUIDATIONS):
                done += self._port.submit(command).accepted
        return done
