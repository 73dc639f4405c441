"""Orders that wait for a price."""

from __future__ import annotations

from typing import Generic

from zlp.screening.due_table import Direction, DueTable, Threshold
from zlp.screening.ratio import Number
from zlp.screening.rows import Key


class TriggerTable(Generic[Key]):
    """Finds the orders whose trigger price is reached, from above or from below.

    One table holds the orders that look at the same price: of one market, and where a venue has a low and a
    high price, of one of the two. A price exactly at the trigger makes the order a candidate.
    """

    __slots__ = ("_above", "_below")

    def __init__(self) -> None:
        self._below: DueTable[Key] = DueTable(Direction.AT_OR_BELOW)
        self._above: DueTable[Key] = DueTable(Direction.AT_OR_ABOVE)

    def __len__(self) -> int:
        return len(self._below) + len(self._above)

    def __contains__(self, key: object) -> bool:
        return key in self._below or key in self._above

    def upsert(self, key: Key, trigger_price: Number, *, above: bool) -> None:
        """Add an order, or replace the one of this key. `above`: it waits for a price above its trigger."""
        wanted, other = (self._above, self._below) if above else (self._below, self._above)
        wanted.upsert(key, Threshold(fixed=trigger_price))
        if key in other:
            other.remove(key)

    def remove(self, key: Key) -> None:
        """Forget an order. KeyError when there is none."""
        (self._above if key in self._above else self._below).remove(key)

    def due(self, price: Number) -> list[Key]:
        """The keys of all orders that may be triggered at this price, in no meaningful order."""
        return self._below.due(price) + self._above.due(price)
