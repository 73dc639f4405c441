"""Trading in one's own words at a venue of any design: open, protect, close, sign.

The venue's desk says which commands do it; they are checked, booked as orders where the venue wants that, signed
here and sent. Nothing in this module knows a design, but for orders that are signed away from the venue.
"""

from __future__ import annotations

import secrets
from decimal import Decimal

from msgspec.structs import replace

from zlp.client.booking import (
    NotSupported,
    Row,
    Trigger,
    batches,
    cancelling,
    cancelling_all,
    checked,
    guarded,
    worst,
)
from zlp.client.faults import OrderEnded, VenueError
from zlp.client.providing import Providing
from zlp.client.records import Receipt, price_units
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import (
    CancelSignedOrders,
    PlaceCreditOrder,
    SignedOrder,
)
from zlp.engine.commands.orders import ScheduleCancel
from zlp.engine.leaves.credit_positions import MainAccount, TradingAccount

WHOLE = 10_000
HALF = "50"
"""Percent that a collateral may lose before an action with a slippage runs."""
DIGEST = 64
"""Digits of a signed order's name."""


class Trading(Providing):
    """Trades and provides liquidity for the client's signer. Amounts and prices are decimal text, as everywhere.

    Rows are as the venue's desk gives them (``/v1/desk``): USD and prices as decimal text. What does not run at
    once waits as an order with an ``id``; ``settled`` waits until it has ended.
    """

    # looking ----------------------------------------------------------------------------------------------

    def markets(self) -> list[Row]:
        """Every market, with its prices, sizes, carry and the tokens that back each side."""
        return list(self.client.get("/v1/desk")["markets"])

    def market(self, name: str, pool: str = "") -> Row:
        """One market, of the first pool that has it if none is named. ``VenueError`` names those there are."""
        rows = self.markets()
        for row in rows:
            if row["market"] == name and pool in ("", row["pool"]):
                return row
        known = ", ".join(f"{row['market']} of {row['pool']}" if pool else row["market"] for row in rows)
        raise VenueError(f"no market {name}{f' of pool {pool}' if pool else ''}; there are {known or 'none'}")

    def positions(self) -> list[Row]:
        """One's positions with PnL, health and liquidation price."""
        return list(self.client.get("/v1/desk/positions", account=self.account)["items"])

    def position(self, name: str) -> Row:
        """One position, by its name or by its market where there is only one."""
        rows = self.positions()
        own = [row for row in rows if name in (row["position"], row["market"])]
        if len(own) == 1:
            return own[0]
        known = ", ".join(row["position"] for row in rows) or "none"
        raise VenueError(f"{'several positions are' if own else 'no position is'} called {name}; there are {known}")

    # doing ------------------------------------------------------------------------------------------------

    def open(
        self,
        market: str,
        *,
        is_long: bool,
        margin: str,
        size: str,
        token: str = "",
        at: str = "",
        slippage: str = "",
        pool: str = "",
        client_id: str = "",
    ) -> Row:
        """Open or extend a position of ``size`` USD, backed by ``margin`` whole tokens (0: what is there already).

        ``token``: the first that backs this side if not given. ``at``: wait for this price or a better one.
        ``slippage``: percent by which the price may move against one until it runs, any amount if not given; where a
        design lets one, a collateral that loses half its price until then stops it too. ``pool``: whose market.
        """
        row = self.market(market, pool)
        accepted = row["long_collaterals" if is_long else "short_collaterals"]
        plan = self.client.get(
            f"/v1/desk/open/{'long' if is_long else 'short'}",
            pool=row["pool"],
            market=market,
            token=token or accepted[0],
            amount=margin,
            size=size,
            price=at,
        )
        trigger = Trigger(Decimal(at), above=not is_long) if at else None
        *before, trade = checked(plan["commands"], self.account)
        trade = guarded(trade, trigger.price) if trigger else self._slipping(trade, row, slippage, buys=is_long)
        return self._book([*before, trade], market, trigger, client_id)

    def close(
        self, position: str, *, share: str = "1", slippage: str = "", client_id: str = "", timeout: float = 60
    ) -> Row:
        """Close a share of a position and wait for it; margin that backs nothing afterwards comes back.

        ``slippage`` as in ``open``.
        """
        row = self.position(position)
        first, *after = self._closing(row, share)
        if slippage:
            market = self.market(row["market"], row["pool"])
            first = self._slipping(first, market, slippage, buys=not row["is_long"])
        sent = self.settled(self._book([first], row["market"], None, client_id), timeout)
        for command in (*after, *self._idle(row["position"])):
            self.client.send(command)
        return sent

    def add_margin(self, position: str, amount: str, *, token: str = "", client_id: str = "") -> Row:
        """Back a position with ``amount`` more whole tokens: of what backs it, or of ``token`` where a design takes it.

        Where positions share the margin of an account, an empty ``position`` is the main account, which need not exist.
        ``unit`` in the answer says what the amount was counted in.
        """
        return self._change_margin("add", position, amount, token, client_id)

    def take_margin(self, position: str, amount: str, *, token: str = "", client_id: str = "") -> Row:
        """Take margin out, as far as the position can spare it; otherwise like ``add_margin``.

        A design that counts collateral in USD (ZEUS) wants ``amount`` in USD; ``unit`` in the answer is then USD.
        """
        return self._change_margin("take", position, amount, token, client_id)

    def _change_margin(self, way: str, position: str, amount: str, token: str, client_id: str) -> Row:
        name = self.position(position)["position"] if position else ""
        plan = self.client.get(f"/v1/desk/margin/{way}", position=name, amount=amount, token=token)
        if not plan["commands"]:
            raise VenueError("an amount of margin is above 0")
        return {**self._book(checked(plan["commands"], self.account), "", None, client_id), "unit": plan["unit"]}

    def collect(self) -> list[Row]:
        """Take out margin that backs nothing: what a stop has closed leaves its margin where it was (Zaros).

        What came back: rows of ``token`` and ``amount``.
        """
        commands = [command for own in self._leaves(TradingAccount) for command in self._idle(f"{own.number}/")]
        return self._paid(commands) if commands else []

    def _idle(self, position: str) -> list[Command]:
        return checked(self.client.get("/v1/desk/idle", position=position)["commands"], self.account)

    def protect(self, position: str, *, stop: str = "", take: str = "", share: str = "1", client_id: str = "") -> Row:
        """An order that only closes: when the price falls (for a short: rises) to ``stop``, or reaches ``take``."""
        if bool(stop) == bool(take):
            raise VenueError("give a stop or a take, and two orders for both")
        row = self.position(position)
        trigger = Trigger(Decimal(stop or take), above=row["is_long"] == bool(take))
        return self._book(self._closing(row, share)[:1], row["market"], trigger, client_id)

    def sign(
        self, market: str, *, is_long: bool, size: str, at: str, voids_others: bool = False, expires: int = 0
    ) -> Row:
        """Sign a limit order of ``size`` USD away from the venue, and leave it there; ``id`` is its digest.

        It fills at ``at`` or better as long as it is not voided; until second ``expires``, if given. ``voids_others``:
        its fill voids every other order signed so far. ``NotSupported`` where a design has no such orders.
        """
        side = "long" if is_long else "short"
        plan = self.client.get(f"/v1/desk/open/{side}", market=market, size=size, price=at)
        trade = checked(plan["commands"], self.account)[-1]
        if not isinstance(trade, PlaceCreditOrder):
            raise NotSupported("orders signed away from the venue belong to trading on credit")
        account = self._trading_account()
        order = SignedOrder(
            trading_account=account.number,
            market=market,
            size_delta=trade.size_delta,
            target_price=price_units(at),
            increase_nonce=voids_others,
            nonce=account.nonce,
            salt=secrets.token_hex(16),
            signer="",
            evidence="",
        )
        kept = self.client.hand_in(self._signer.order(self.client.venue().identity, order), expires)
        return {"id": kept["digest"], "status": "open", "info": kept}

    def void(self, trading_account: int = 0) -> Receipt:
        """Void every order signed for one trading account (0: the main one), kept by the venue or not."""
        return self.client.send(CancelSignedOrders(trading_account=trading_account))

    def cancel(self, number: str) -> Receipt:
        """Take an order back; what it set aside returns. Signed orders are voided together instead."""
        if len(number) == DIGEST:
            raise NotSupported("a signed order stays valid wherever a copy of it is; void() ends all of them")
        return self.client.send(cancelling(number))

    def cancel_all(self, market: str = "") -> list[Receipt]:
        """Take every order that waits back, or those of one market, under one signature (or few, if they are many).

        Signed orders are voided too, unless a market is named: they end only all together. The receipts; one that is
        rejected is of an order that ended meanwhile.
        """
        commands = cancelling_all(self.client.account(self.account).orders, market)
        most = int(self.client.get("/v1/venue")["limits"]["batch_commands"])
        return [receipt for batch in batches(commands, most) for receipt in self.client.send_many(batch)]

    def cancel_after(self, seconds: int) -> Receipt:
        """Dead-man switch: unless this is called again in time, the orders that wait now are void; 0 takes it back.

        Signed orders are no part of it: void those, or let them expire.
        """
        return self.client.send(ScheduleCancel(at=self.client.venue().time + seconds if seconds else 0))

    # what the above share ---------------------------------------------------------------------------------

    def _trading_account(self) -> TradingAccount:
        """The main one."""
        own = {leaf.number: leaf for leaf in self._leaves(TradingAccount)}
        if not own:
            raise VenueError("a signed order counts on margin: open a position or add margin first")
        main = next(self._leaves(MainAccount), None)
        return own[main.number if main is not None and main.number in own else min(own)]

    def _slipping(self, trade: Command, market: Row, slippage: str, *, buys: bool) -> Command:
        """The trade with the worst prices it may run at."""
        if not slippage:
            return trade
        trade = guarded(trade, worst(market["high" if buys else "low"], slippage, buys=buys))
        if "collateral_price_floor" not in trade.__struct_fields__:
            return trade
        low = self.client.prices()[trade.token].low  # type: ignore[attr-defined]
        return replace(trade, collateral_price_floor=price_units(worst(f"{low or 0:f}", HALF, buys=False)))

    def _closing(self, row: Row, share: str) -> list[Command]:
        fraction = int(Decimal(share) * WHOLE)
        if not 0 < fraction <= WHOLE:
            raise VenueError("a share is above 0 and at most 1")
        plan = self.client.get(f"/v1/desk/close/{fraction}", position=row["position"])
        return checked(plan["commands"], self.account)


__all__ = ["NotSupported", "OrderEnded", "Trading"]
