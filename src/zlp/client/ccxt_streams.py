"""What ccxt's ``watch_*`` wait for: each method has a subscription of its own for each subject it is asked about."""

from __future__ import annotations

import asyncio

from zlp.client.asynchronous import AsyncClient
from zlp.client.records import Message, Receipt
from zlp.engine.events.credit_positions import CreditOrderClosed, CreditOrderPlaced
from zlp.engine.events.orders import OrderCancelled, OrderExecuted, OrderPlaced, OrderUpdated
from zlp.engine.events.trading import PositionChanged

ORDER_EVENTS = (OrderPlaced, OrderUpdated, OrderExecuted, OrderCancelled)
Key = tuple[str, str, str]


class Streams:
    """Subscriptions by watcher, channel and name. They reconnect by themselves.

    Messages wait in a queue between two calls, so none is lost, also when a call is cancelled by a time limit.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._queues: dict[Key, asyncio.Queue[Message]] = {}
        self._pumps: list[asyncio.Task[None]] = []
        self._credit: dict[str, str] = {}

    async def close(self) -> None:
        """End all subscriptions."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self._pumps.clear()
        self._queues.clear()

    async def _next(self, *key: str) -> Message:
        watcher, channel, name = key
        if (watcher, channel, name) not in self._queues:
            self._queues[watcher, channel, name] = asyncio.Queue()
            self._pumps.append(asyncio.create_task(self._pump((watcher, channel, name))))
        return await self._queues[watcher, channel, name].get()

    async def _pump(self, key: Key) -> None:
        queue = self._queues[key]
        async for message in self._client.stream(key[1], key[2]):
            queue.put_nowait(message)

    async def price(self, asset: str) -> None:
        """Wait for a price: the standing one at first, then each that is posted."""
        await self._next("ticker", "prices", asset)

    async def fills(self, watcher: str, channel: str, name: str) -> int:
        """Wait for a change of a position; the sequence of the command that made it."""
        while True:
            message = await self._next(watcher, channel, name)
            if not message.is_snapshot and any(isinstance(event, PositionChanged) for event in message.data):
                return message.sequence

    async def orders(self, account: str) -> tuple[int, list[str]]:
        """Wait for changes of an account's orders: the sequence, and the orders' names."""
        while True:
            message = await self._next("orders", "account", account)
            if not message.is_snapshot:
                names = self._named(message.data, account)
                if names:
                    return message.sequence, names

    def _named(self, receipt: Receipt, account: str) -> list[str]:
        names = []
        for ordinal, event in enumerate(receipt.events):
            if isinstance(event, ORDER_EVENTS) and event.account == account:
                names.append(str(event.number))
            elif isinstance(event, CreditOrderPlaced):
                slot = f"{event.trading_account}/{event.market}"
                self._credit[slot] = f"{slot}@{receipt.sequence}.{ordinal}"
                names.append(self._credit[slot])
            elif isinstance(event, CreditOrderClosed):
                known = self._credit.pop(f"{event.trading_account}/{event.market}", None)
                names += [known] if known is not None else []
        return list(dict.fromkeys(names))
