"""Who finds what is due: the desk's exact walk over all positions, or a screen where one exists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from zlp.desks import Desk, desk_of
from zlp.engine import Command
from zlp.engine.leaves.access import Installed
from zlp.keepers.cross_margin_watch import CrossMarginWatch
from zlp.keepers.isolated_watch import IsolatedWatch
from zlp.keepers.port import Port


class Watch(Protocol):
    """Finds forced actions that would succeed now."""

    def due(self, now: int) -> Iterable[Command]:
        """Commands a keeper may submit, the most urgent first."""


class DeskWatch:
    """Asks the desk: exact, and O(positions) each time."""

    def __init__(self, port: Port, desk: Desk) -> None:
        self._port = port
        self._desk = desk

    def due(self, now: int) -> Iterable[Command]:
        """What the desk finds."""
        return list(self._desk.due(self._port.reader, now))


def watch_of(port: Port) -> Watch:
    """The fastest watch for the trading design this venue runs."""
    if port.reader.get(Installed, (IsolatedWatch.BRANCH,)) is not None:
        return IsolatedWatch(port)
    if port.reader.get(Installed, (CrossMarginWatch.BRANCH,)) is not None:
        return CrossMarginWatch(port)
    return DeskWatch(port, desk_of(port.reader))
