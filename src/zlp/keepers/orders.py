"""Executes orders that are due, in batches, and clears those that have expired."""

from __future__ import annotations

from zlp.engine import Receipt
from zlp.engine.commands.orders import ExecuteOrders
from zlp.engine.events.orders import OrderCancelled, OrderExecuted, OrderSkipped
from zlp.keepers.port import Port
from zlp.keepers.waiting_orders import WaitingOrders

BATCH = 64


class OrderKeeper:
    """Earns the execution fees of the orders it executes. One order that can't run never stops the others."""

    name = "orders"

    def __init__(self, port: Port, reward_to: str = "") -> None:
        self._port = port
        self._reward_to = reward_to
        self._stuck: set[int] = set()
        self._waiting = WaitingOrders(port.reader)
        port.listen(self._waiting.hear)

    def work(self) -> int:
        """Attempt every order that looks due; returns how many ended."""
        ended = 0
        due = self._waiting.due(self._port.now())
        self._stuck &= set(due)
        for start in range(0, len(due), BATCH):
            numbers = self._possible(tuple(due[start : start + BATCH]))
            if numbers:
                receipt = self._port.submit(ExecuteOrders(numbers=numbers, reward_to=self._reward_to))
                ended += sum(isinstance(event, OrderExecuted | OrderCancelled) for event in receipt.events)
                self._stuck |= _skipped(receipt)
        return ended

    def _possible(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """Without those that were skipped before and would be again: the log hears of it once, not every second."""
        again = tuple(number for number in numbers if number in self._stuck)
        if not again:
            return numbers
        tried = self._port.quote(ExecuteOrders(numbers=again, reward_to=self._reward_to))
        hopeless = _skipped(tried) if tried.accepted else set(again)
        return tuple(number for number in numbers if number not in hopeless)


def _skipped(receipt: Receipt) -> set[int]:
    return {event.number for event in receipt.events if isinstance(event, OrderSkipped)}
