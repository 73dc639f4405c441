"""Trading in one's own words at a venue of any design: open, protect, close, provide liquidity.

The venue's desk says which commands do it; they are checked, booked as orders where the venue wants that, signed
here and sent. Nothing in this module knows a design.
"""

from __future__ import annotations

import time
from decimal import ROUND_UP, Decimal, localcontext

from zlp.client.booking import NotSupported, Row, Trigger, booked, checked, guarded, placed
from zlp.client.faults import OrderEnded, Refused, Unreachable, VenueError
from zlp.client.plain import Client
from zlp.client.records import Receipt, from_units
from zlp.engine.codec import plain
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import CancelCreditOrder
from zlp.engine.commands.custody import Faucet
from zlp.engine.commands.liquidity import Burn, Mint
from zlp.engine.commands.orders import CancelOrder
from zlp.engine.commands.staking import UnstakeShares
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.staking import Stake

WAITING = "waiting"
PAUSE = 0.2
PRECISION = 100
WHOLE = 10_000


class Trading:
    """Trades for the client's signer. Amounts and prices are decimal text, as everywhere in the client.

    Rows are as the venue's desk gives them (``/v1/desk``): USD and prices as decimal text. What does not run at
    once waits as an order with an ``id``; ``settled`` waits until it has ended.
    """

    def __init__(self, client: Client) -> None:
        if client.signer is None:
            raise VenueError("trading needs a signer: Trading(Client(url, Signer(private_key)))")
        self.client = client
        self.account = client.signer.account

    # looking ----------------------------------------------------------------------------------------------

    def pools(self) -> list[Row]:
        """Every pool, valued now."""
        return list(self.client.get("/v1/desk")["pools"])

    def markets(self) -> list[Row]:
        """Every market, with its prices, sizes, carry and the tokens that back each side."""
        return list(self.client.get("/v1/desk")["markets"])

    def market(self, name: str) -> Row:
        """One market. ``VenueError`` names those there are."""
        rows = self.markets()
        for row in rows:
            if row["market"] == name:
                return row  # type: ignore[no-any-return]
        raise VenueError(f"no market {name}; there are {', '.join(row['market'] for row in rows) or 'none'}")

    def positions(self) -> list[Row]:
        """One's positions with PnL, health and liquidation price."""
        return list(self.client.get("/v1/desk/positions", account=self.account)["items"])

    def position(self, name: str) -> Row:
        """One position, by its name or by its market where there is only one."""
        rows = self.positions()
        own = [row for row in rows if name in (row["position"], row["market"])]
        if len(own) == 1:
            return own[0]  # type: ignore[no-any-return]
        known = ", ".join(row["position"] for row in rows) or "none"
        raise VenueError(f"{'several positions are' if own else 'no position is'} called {name}; there are {known}")

    def orders(self) -> list[Row]:
        """One's orders that wait, newest first; what was acknowledged before is in it."""
        seen = str(self.client.venue().sequence)
        found = self.client.get("/v1/history/orders", account=self.account, status=WAITING, sequence=seen)
        return list(found["items"])

    def order(self, number: str) -> Row:
        """One order: ``status`` is waiting, filled, cancelled, expired or failed, with a ``reason``."""
        seen = str(self.client.venue().sequence)
        rows = self.client.get("/v1/history/orders", account=self.account, order=number, sequence=seen)["items"]
        if not rows:
            raise VenueError(f"no order {number}")
        return rows[0]  # type: ignore[no-any-return]

    def settled(self, sent: Row, timeout: float = 60) -> Row:
        """Wait until what was sent has run. ``OrderEnded`` if it ended otherwise, ``Unreachable`` if it never did."""
        if sent["status"] != "open":
            return sent
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            row = self.order(sent["id"])
            if row["status"] == "filled":
                return {**sent, "status": "closed"}
            if row["status"] != WAITING:
                raise OrderEnded(sent["id"], row["status"], row["reason"])
            time.sleep(PAUSE)
        raise Unreachable(f"order {sent['id']} still waits; does a keeper run? cancel it, or look again later")

    def tokens_for(self, token: str, usd: str | int) -> str:
        """Whole tokens worth this many USD at the lower price, rounded up to the token's last decimal."""
        tokens = self.client.tokens()
        self.client.units(token, 0)  # says which tokens there are
        priced_as = {leaf.token: leaf.asset for leaf in self.client.leaves("CreditCollateral")}
        asset = priced_as.get(token, token)
        known = self.client.prices().get(asset)
        low = Decimal(1) if not asset else known.low if known is not None else None
        if not low:
            raise VenueError(f"the venue has no price of {token} now")
        with localcontext(prec=PRECISION, rounding=ROUND_UP):
            return f"{(Decimal(usd) / low).quantize(Decimal(1).scaleb(-tokens[token].decimals)):f}"

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
        client_id: str = "",
    ) -> Row:
        """Open or extend a position of ``size`` USD, backed by ``margin`` whole tokens (0: what is there already).

        ``token``: the first that backs this side if not given. ``at``: wait for this price or a better one.
        """
        row = self.market(market)
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
        return self._book([*before, guarded(trade, trigger.price if trigger else None)], market, trigger, client_id)

    def close(self, position: str, *, share: str = "1", client_id: str = "", timeout: float = 60) -> Row:
        """Close a share of a position and wait for it; where a design keeps margin apart, it comes back after."""
        row = self.position(position)
        first, *after = self._closing(row, share)
        sent = self.settled(self._book([first], row["market"], None, client_id), timeout)
        for command in after:
            self.client.send(command)
        return sent

    def protect(self, position: str, *, stop: str = "", take: str = "", share: str = "1", client_id: str = "") -> Row:
        """An order that only closes: when the price falls (for a short: rises) to ``stop``, or reaches ``take``."""
        if bool(stop) == bool(take):
            raise VenueError("give a stop or a take, and two orders for both")
        row = self.position(position)
        trigger = Trigger(Decimal(stop or take), above=row["is_long"] == bool(take))
        return self._book(self._closing(row, share)[:1], row["market"], trigger, client_id)

    def cancel(self, number: str) -> Receipt:
        """Take an order back; what it set aside returns."""
        slot = number.partition("/")[0]
        own: Command = (
            CancelOrder(number=int(number)) if slot == number else CancelCreditOrder(trading_account=int(slot))
        )
        return self.client.send(own)

    def mint(self, token: str, amount: str, *, pool: str = "", client_id: str = "") -> Row:
        """Put whole tokens into a pool (the first, if none is named) for shares."""
        name = self._pool(pool)["pool"]
        return self._book([Mint(pool=name, token=token, amount=self.client.units(token, amount))], "", None, client_id)

    def burn(self, token: str, shares: str, *, pool: str = "", client_id: str = "") -> Row:
        """Give whole shares of a pool back for a token; staked ones are unstaked where the free ones are too few."""
        row = self._pool(pool)
        self.client.units(token, 0)  # says which tokens there are
        wanted = self.client.units(row["share"], shares)
        free, staked = self._shares(row)
        missing = min(max(0, wanted - free), staked)
        first: list[Command] = [UnstakeShares(pool=row["pool"], amount=missing)] if missing else []
        return self._book([*first, Burn(pool=row["pool"], token=token, shares=wanted)], "", None, client_id)

    def shares(self, pool: str = "") -> Decimal:
        """Whole shares one has of a pool, staked ones included."""
        row = self._pool(pool)
        return from_units(sum(self._shares(row)), self.client.tokens()[row["share"]].decimals)

    def faucet(self, token: str, amount: str = "") -> Receipt:
        """Tokens of a demo venue that are worth nothing; as many as it gives at once, without an amount."""
        known = self.client.tokens().get(token)
        limit = 0 if known is None else known.faucet_limit
        return self.client.send(Faucet(token=token, amount=self.client.units(token, amount) if amount else limit))

    # what the above share ---------------------------------------------------------------------------------

    def _pool(self, name: str) -> Row:
        rows = self.pools()
        for row in rows:
            if name in ("", row["pool"]):
                return row  # type: ignore[no-any-return]
        raise VenueError(f"no pool {name}; there are {', '.join(row['pool'] for row in rows) or 'none'}")

    def _shares(self, row: Row) -> tuple[int, int]:
        """Base units of a pool's shares: free, and staked."""
        state = self.client.account(self.account)
        free = sum(held.units for held in state.balances if held.token == row["share"])
        staked = sum(leaf.amount for leaf in state.other if isinstance(leaf, Stake) and leaf.pool == row["pool"])
        return free, staked

    def _closing(self, row: Row, share: str) -> list[Command]:
        fraction = int(Decimal(share) * WHOLE)
        if not 0 < fraction <= WHOLE:
            raise VenueError("a share is above 0 and at most 1")
        plan = self.client.get(f"/v1/desk/close/{fraction}", position=row["position"])
        return checked(plan["commands"], self.account)

    def _book(self, commands: list[Command], asset: str, trigger: Trigger | None, client_id: str) -> Row:
        """Sign all under one intent; the last may become an order. The first that was refused is raised."""
        settings: OrderSettings | None = next(self.client.leaves("OrderSettings"), None)
        ready = [*commands[:-1], booked(commands[-1], asset, trigger, settings, client_id)]
        receipts = self.client.send_many(ready, client_id=client_id)
        for receipt in receipts:
            if receipt.rejection is not None:
                raise Refused(422, {**plain(receipt.rejection), "sequence": receipt.sequence})
        return {**placed(receipts[-1]), "receipts": receipts}


__all__ = ["NotSupported", "OrderEnded", "Trading"]
