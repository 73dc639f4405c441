"""The orders that wait, arranged so that finding the executable ones does not look at every order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zlp.engine import Command, Receipt
from zlp.engine.branches.orders import action_of
from zlp.engine.events.orders import CancelScheduled, OrderCancelled, OrderExecuted, OrderPlaced, OrderUpdated
from zlp.engine.leaves.orders import CancelSchedule, Order, OrderSettings
from zlp.engine.leaves.prices import PriceFeed
from zlp.engine.pricing import awaited, bounds_at
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.screening.trigger_table import TriggerTable

CHANGES = frozenset({OrderPlaced, OrderUpdated, OrderExecuted, OrderCancelled})
"""After the last two there is no such order any more."""


class WaitingOrders:
    """Follows the registry by its events; orders whose action is priced by a signed report, or all others.

    Market orders (and resting ones without a plain trigger) are few and looked at one by one; orders with a
    trigger price lie in one table per asset and side of the price.
    """

    def __init__(self, reader: Reader, *, reported: bool = False) -> None:
        self._reader = reader
        self._reported = reported
        self._listed: dict[int, tuple[Order, Command]] = {}
        self._place: dict[int, tuple[str, bool]] = {}
        self._expiring: dict[int, int] = {}
        self._placed: dict[int, tuple[str, int]] = {}
        self._switches = {leaf.account: leaf for leaf in reader.each(CancelSchedule)}
        self._triggers: dict[tuple[str, bool], TriggerTable[int]] = defaultdict(TriggerTable)
        for order in reader.each(Order):
            self._add(order)

    def hear(self, receipt: Receipt) -> None:
        """Take over what a command changed."""
        for event in receipt.events:
            if type(event) in CHANGES:
                self._forget(event.number)
                order = self._reader.get(Order, (event.number,))
                if order is not None:
                    self._add(order)
            elif type(event) is CancelScheduled:
                switch = self._reader.get(CancelSchedule, (event.account,))
                if switch is not None:
                    self._switches[event.account] = switch

    def due(self, now: int) -> list[int]:
        """Numbers of orders that can probably be executed, or have expired, oldest first."""
        if not (self._placed or self._listed or self._place):
            return []
        settings = self._reader.get(OrderSettings, ())
        if settings is None:
            return []
        found = {number for number, until in self._expiring.items() if now > until}
        found.update(self._void(now))
        for number, (order, action) in self._listed.items():
            if self._may_run(settings, order, action, now):
                found.add(number)
        for place, table in self._triggers.items():
            if len(table):
                found.update(self._triggered(place, table, now))
        return sorted(found)

    def _void(self, now: int) -> list[int]:
        """Orders whose owner's dead-man switch has fallen; a switch with none left is looked at no more."""
        before = {account: switch.voids_before(now) for account, switch in self._switches.items()}
        fallen = {account for account, second in before.items() if second}
        if not fallen:
            return []
        void = [number for number, (owner, at) in self._placed.items() if owner in fallen and at < before[owner]]
        waiting = {self._placed[number][0] for number in void}
        for account in fallen - waiting:
            if self._switches[account].at <= now:
                del self._switches[account]
        return void

    def _triggered(self, place: tuple[str, bool], table: TriggerTable[int], now: int) -> Iterator[int]:
        asset, buys = place
        try:
            price = bounds_at(self._reader, asset, now)[1 if buys else 0]
        except Reject:
            return
        yield from table.due(price)

    def _may_run(self, settings: OrderSettings, order: Order, action: Command, now: int) -> bool:
        if not order.resting and order.placed_at + settings.market_lifetime <= now:
            return True
        if order.placed_at + settings.keeper_delay > now:
            return False
        if not settings.newer_price:
            return True
        for asset in awaited(self._reader, action):
            feed = self._reader.get(PriceFeed, (asset,))
            if feed is None or feed.posted_in <= order.placed_in:
                return False
        return True

    def _add(self, order: Order) -> None:
        action = action_of(order)
        if not self._reported:
            self._placed[order.number] = (order.account, order.placed_at)
            if order.resting and order.expires:
                self._expiring[order.number] = order.expires
        if action.reported != self._reported:
            return
        if order.trigger_asset and not order.trigger_quote:
            place = (order.trigger_asset, action.buys())
            self._place[order.number] = place
            self._triggers[place].upsert(order.number, order.trigger_price, above=order.trigger_above)
        else:
            self._listed[order.number] = (order, action)

    def _forget(self, number: int) -> None:
        self._expiring.pop(number, None)
        self._placed.pop(number, None)
        self._listed.pop(number, None)
        place = self._place.pop(number, None)
        if place is not None:
            self._triggers[place].remove(number)
