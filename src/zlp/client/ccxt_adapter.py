"""A venue as ccxt's users know exchanges: the same method names, arguments and shapes, over the asynchronous SDK.

    exchange = ZlpExchange({"url": "http://127.0.0.1:8420", "privateKey": "0x..."})
    await exchange.create_order("ETH/USD:USDC", "market", "buy", 0.5, params={"leverage": 5})

Markets are linear swaps of one coin. ``amount`` is coins. An order that does not reduce opens or extends a position of
its own side; one with ``reduceOnly`` (or ``stopLossPrice``, ``takeProfitPrice``) closes a part of the other. Numbers of
bots become exact decimals as they are written, before anything is computed or signed; answers are floats where ccxt's
shapes have floats, and exact under ``info``.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from zlp.client import ccxt_shapes as shapes
from zlp.client.booking import (
    NotSupported,
    Trigger,
    batches,
    booked,
    cancelling,
    cancelling_all,
    checked,
    guarded,
    placed,
)
from zlp.client.ccxt_orders import limit_of, reduces, trigger_of
from zlp.client.ccxt_reads import ExchangeReads
from zlp.client.ccxt_shapes import PRECISION, Shape, exact, text
from zlp.client.faults import Refused, VenueError
from zlp.client.records import Receipt
from zlp.engine.codec import plain
from zlp.engine.commands.base import Command
from zlp.engine.commands.orders import ScheduleCancel

LEVERAGE = 5
USD_PLACES = 30
NEARLY_ALL = Decimal("0.9999")
"""A part of a position that is taken for all of it: what a bot's floats lose."""


class ZlpExchange(ExchangeReads):
    """``config``: ``url``; to trade, ``privateKey`` (hexadecimal) or ``signer``; ``account`` if the key is an agent."""

    def __init__(self, config: Shape | None = None) -> None:
        super().__init__(config)
        self._leverage: dict[str, Decimal] = {}

    async def set_leverage(self, leverage: float, symbol: str, params: Shape | None = None) -> Shape:
        """What orders that open take as leverage unless they say otherwise; kept here, not at the venue."""
        await self._market(symbol)
        self._leverage[symbol] = exact(leverage)
        return {"symbol": symbol, "leverage": float(leverage)}

    async def add_margin(self, symbol: str, amount: float | str, params: Shape | None = None) -> Shape:
        """Back the position of a symbol with more. ``params``: ``collateral`` (token), ``side`` where there are two."""
        return await self._change_margin(symbol, "add", amount, params or {})

    async def reduce_margin(self, symbol: str, amount: float | str, params: Shape | None = None) -> Shape:
        """Take margin out; ``code`` says in what ``amount`` is counted: USD where a design counts collateral so."""
        return await self._change_margin(symbol, "reduce", amount, params or {})

    async def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: float | str | None,
        price: float | str | None = None,
        params: Shape | None = None,
    ) -> Shape:
        """``market``; ``limit`` at ``price``; or a trigger: ``triggerPrice``, ``stopLossPrice``, ``takeProfitPrice``.

        ``params``: ``reduceOnly``; ``leverage``, or ``margin`` (whole tokens); ``collateral`` (token);
        ``clientOrderId``. A reducing order without amount closes the whole position.
        """
        params = params or {}
        if side not in ("buy", "sell"):
            raise NotSupported("side is buy or sell")
        if params.get("stopLoss") or params.get("takeProfit"):
            raise NotSupported(
                "protect an open position: send stopLossPrice and takeProfitPrice as orders of their own"
            )
        market, trigger = await self._market(symbol), trigger_of(type, side, price, params)
        if reduces(params):
            commands = [await self._closing(market, side, amount)]
        else:
            commands = await self._opening(market, side, amount, trigger, params)
        client_id = str(params.get("clientOrderId", ""))
        trade = guarded(commands[-1], limit_of(type, price))
        commands[-1] = booked(trade, market["id"], trigger, self._orders, client_id)
        receipts = await self._send(commands, client_id)
        return {
            "symbol": symbol,
            "type": type,
            "side": side,
            "amount": None if amount is None else float(amount),
            "price": None if price is None else float(price),
            "triggerPrice": None if trigger is None else float(trigger.price),
            "reduceOnly": reduces(params),
            "clientOrderId": client_id or None,
            **shapes.stamped(receipts[-1].time),
            **placed(receipts[-1]),
        }

    async def cancel_order(self, id: str, symbol: str | None = None, params: Shape | None = None) -> Shape:
        """Take an order back; what it set aside returns."""
        await self._send([cancelling(id)], "")
        return await self.fetch_order(id, symbol)

    async def cancel_all_orders_after(self, timeout: int, params: Shape | None = None) -> Shape:  # noqa: ASYNC109 - ccxt's
        """Dead-man switch: in ``timeout`` milliseconds what waits is void, unless this is called again; 0: never."""
        now = (await self.client.venue()).time
        receipt = await self.client.send(ScheduleCancel(at=now + -(-timeout // 1_000) if timeout else 0))
        return {"info": receipt}

    async def cancel_all_orders(self, symbol: str | None = None, params: Shape | None = None) -> list[Shape]:
        """Take every order that waits back, or those of a symbol, under one signature (or few, if they are many).

        Orders as they are afterwards: one may have ended meanwhile. Signed orders end only without a symbol.
        """
        market = await self._market_id(symbol)
        waiting = await self.fetch_open_orders(symbol)
        if not waiting:
            return []
        commands = cancelling_all((await self.client.account(self.account)).orders, market)
        most = int((await self.client.get("/v1/venue"))["limits"]["batch_commands"])
        for batch in batches(commands, most):
            receipts = await self.client.send_many(batch)
            self._seen = max(self._seen, receipts[-1].sequence)
        names = {each["id"] for each in waiting}
        found = await self.fetch_orders(symbol, since=min(each["timestamp"] for each in waiting))
        return [each for each in found if each["id"] in names]

    # what the methods above share -------------------------------------------------------------------------

    async def _opening(
        self, market: Shape, side: str, amount: Any, trigger: Trigger | None, params: Shape
    ) -> list[Command]:
        if amount is None:
            raise NotSupported("an order that opens needs an amount")
        desk = await self.client.get("/v1/desk")
        row = next(row for row in desk["markets"] if row["market"] == market["id"])
        price = trigger.price if trigger is not None else Decimal(row["high" if side == "buy" else "low"])
        with localcontext(prec=PRECISION):
            size = exact(amount) * price
        accepted = row["long_collaterals" if side == "buy" else "short_collaterals"]
        token = params.get("collateral") or (market["settle"] if market["settle"] in accepted else accepted[0])
        tokens = await self.client.tokens()
        if token not in tokens:
            raise NotSupported(f"no token {token}")
        margin = await self._margin(market["symbol"], token, size, params)
        plan = await self.client.get(
            f"/v1/desk/open/{'long' if side == 'buy' else 'short'}",
            pool=row["pool"],
            market=market["id"],
            token=token,
            amount=text(margin, tokens[token].decimals),
            size=text(size, USD_PLACES),
            price=text(price, USD_PLACES),
        )
        return checked(plan["commands"], self.account)

    async def _margin(self, symbol: str, token: str, size: Decimal, params: Shape) -> Decimal:
        """Whole tokens that back an order: as given, or its size over the leverage."""
        if params.get("margin") is not None:
            return exact(params["margin"])
        given = params.get("leverage")
        leverage = exact(given) if given is not None else self._leverage.get(symbol, Decimal(LEVERAGE))
        price = (await self.client.prices()).get(token)
        with localcontext(prec=PRECISION):
            return size / leverage / (price.low if price is not None and price.low else 1)

    async def _closing(self, market: Shape, side: str, amount: Any) -> Command:
        """The command that closes ``amount`` coins of the position that this side closes."""
        row = await self._own(market, "long" if side == "sell" else "short")
        part = Decimal(1) if amount is None else shapes.divided(exact(amount), row["coins"])
        fraction = 10_000 if part >= NEARLY_ALL else int(part * 10_000)
        plan = await self.client.get(f"/v1/desk/close/{fraction}", position=row["position"])
        return checked(plan["commands"][:1], self.account)[0]

    async def _own(self, market: Shape, side: str) -> Shape:
        """One's position in a market: long, short, or whichever there is."""
        rows, _ = await self._positions()
        for row in rows:
            if row["market"] == market["id"] and side in ("", "long" if row["is_long"] else "short"):
                return row
        raise VenueError(f"there is no {side} position in {market['symbol']}".replace("  ", " "))

    async def _change_margin(self, symbol: str, type: str, amount: Any, params: Shape) -> Shape:
        market = await self._market(symbol)
        row = await self._own(market, params.get("side", ""))
        asked = {"position": row["position"], "amount": f"{exact(amount):f}", "token": params.get("collateral", "")}
        plan = await self.client.get(f"/v1/desk/margin/{'add' if type == 'add' else 'take'}", **asked)
        if not plan["commands"]:
            raise VenueError("an amount of margin is above 0")
        commands = [booked(each, "", None, self._orders, "") for each in checked(plan["commands"], self.account)]
        receipts = await self._send(commands, "")
        changed = shapes.margin(row, symbol, type, exact(amount), plan["unit"], receipts[-1].time)
        return {**placed(receipts[-1]), **changed}

    async def _send(self, commands: list[Command], client_id: str) -> tuple[Receipt, ...]:
        """Sign the commands together; the first that was refused is raised."""
        receipts = await self.client.send_many(commands, client_id=client_id)
        self._seen = max(self._seen, receipts[-1].sequence)
        for receipt in receipts:
            if receipt.rejection is not None:
                raise Refused(422, {**plain(receipt.rejection), "sequence": receipt.sequence})
        return receipts
