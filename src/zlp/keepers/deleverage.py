"""Closes positions for their owners where the pool could no longer pay: by position and by fund."""

from __future__ import annotations

from zlp.engine.commands.cross_margin import CloseDelisted, Deleverage, TakeMaxProfit
from zlp.keepers.port import Port
from zlp.keepers.watches import Watch, watch_of

DELEVERAGES = (TakeMaxProfit, Deleverage, CloseDelisted)


class DeleverageKeeper:
    """Submits what its watch finds of the kinds that reduce the pool's risk without anybody's fault.

    A design without automatic deleverage never has any of them due, and then a round costs its watch only:
    leave the keeper out.
    """

    name = "deleverage"

    def __init__(self, port: Port, watch: Watch | None = None) -> None:
        self._port = port
        self._watch = watch or watch_of(port)

    def work(self) -> int:
        """One look, and what it finds."""
        done = 0
        for command in self._watch.due(self._port.now()):
            if isinstance(command, DELEVERAGES):
                done += self._port.submit(command).accepted
        return done
