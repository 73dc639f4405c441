"""Executes orders that are due, in batches, and clears those that have expired."""

from __future__ import annotations

from zlp.engine.commands.orders import ExecuteOrders
from zlp.engine.events.orders import OrderCancelled, OrderExecuted
from zlp.keepers.port import Port
from zlp.keepers.waiting_orders import WaitingOrders

BATCH = 64


class OrderKeeper:
    """Earns the execution fees of the orders it executes. One order that can't run never stops the others."""

    name = "orders"

    def __init__(self, port: Port, reward_to: str = "") -> None:
        self._port = port
        self._reward_to = reward_to
        self._waiting = WaitingOrders(port.reader)
        port.listen(self._waiting.hear)

    def work(self) -> int:
        """Attempt every order that looks due; returns how many ended."""
        ended = 0
        due = self._waiting.due(self._port.now())
        for start in range(0, len(due), BATCH):
            numbers = tuple(due[start : start + BATCH])
            receipt = self._port.submit(ExecuteOrders(numbers=numbers, reward_to=self._reward_to))
            ended += sum(isinstance(event, OrderExecuted | OrderCancelled) for event in receipt.events)
        return ended
