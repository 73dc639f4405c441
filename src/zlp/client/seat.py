"""What an account of a venue asks and sends, whatever it does there: pools, waiting orders, the faucet, bookings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import ROUND_UP, Decimal, localcontext
from typing import TypeVar

from zlp.client.booking import Row, Trigger, booked, placed
from zlp.client.faults import OrderEnded, Refused, Unreachable, VenueError
from zlp.client.plain import Client
from zlp.client.records import Receipt
from zlp.engine.codec import plain
from zlp.engine.commands.base import Command
from zlp.engine.commands.custody import Faucet
from zlp.engine.leaves.orders import OrderSettings

L = TypeVar("L")
WAITING = "waiting"
PAUSE = 0.2
PAGE = 1_000
PRECISION = 100


class Seat:
    """One account's place at a venue. Amounts and prices are decimal text, as everywhere in the client.

    What does not run at once waits as an order with an ``id``; ``settled`` waits until it has ended.
    """

    def __init__(self, client: Client) -> None:
        if client.signer is None:
            raise VenueError("trading needs a signer: Trading(Client(url, Signer(private_key)))")
        self.client = client
        self._signer = client.signer
        self.account = client.signer.account

    def pools(self) -> list[Row]:
        """Every pool, valued now."""
        return list(self.client.get("/v1/desk")["pools"])

    def orders(self) -> list[Row]:
        """One's orders that wait, newest first; what was acknowledged before is in it."""
        asked = {"account": self.account, "status": WAITING, "sequence": str(self.client.venue().sequence)}
        rows: list[Row] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.client.get("/v1/history/orders", limit=str(PAGE), before=cursor, **asked)
            rows += page["items"]
            cursor = page["next"]
        return rows

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

    def faucet(self, token: str, amount: str = "") -> Receipt:
        """Tokens of a demo venue that are worth nothing; as many as it gives at once, without an amount."""
        known = self.client.tokens().get(token)
        limit = 0 if known is None else known.faucet_limit
        return self.client.send(Faucet(token=token, amount=self.client.units(token, amount) if amount else limit))

    def act(self, command: Command, *, client_id: str = "") -> Row:
        """Any command of the engine; as an order where the venue runs it only at newer prices."""
        return self._book([command], "", None, client_id)

    # what its users share -----------------------------------------------------------------------------------

    def _leaves(self, kind: type[L]) -> Iterator[L]:
        """One's own leaves of a kind."""
        state = self.client.account(self.account)
        return (leaf for leaf in (*state.orders, *state.other) if isinstance(leaf, kind))

    def _pool(self, name: str, token: str = "") -> Row:
        """The pool of this name; without one the first that has the token, or just the first."""
        rows = self.pools()
        for row in rows:
            if name == row["pool"] or (not name and token in ("", *(asset["token"] for asset in row["assets"]))):
                return row
        wanted = f"no pool {name}" if name else f"no pool takes {token}"
        raise VenueError(f"{wanted}; there are {', '.join(row['pool'] for row in rows) or 'none'}")

    def _book(self, commands: list[Command], asset: str, trigger: Trigger | None, client_id: str) -> Row:
        """Sign all under one intent; the last may become an order. The first that was refused is raised."""
        settings: OrderSettings | None = next(self.client.leaves("OrderSettings"), None)
        ready = [*commands[:-1], booked(commands[-1], asset, trigger, settings, client_id)]
        receipts = self.client.send_many(ready, client_id=client_id)
        for receipt in receipts:
            if receipt.rejection is not None:
                raise Refused(422, {**plain(receipt.rejection), "sequence": receipt.sequence})
        return {**placed(receipts[-1]), "receipts": receipts}
