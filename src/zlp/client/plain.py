"""The plain client: every call waits for its answer. The same calls as ``AsyncClient``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from zlp.client import calls, records
from zlp.client.calls import Call
from zlp.client.faults import Unreachable, VenueError
from zlp.client.records import AccountState, Message, Price, Quote, Receipt, Token, VenueInfo
from zlp.client.signer import Signer
from zlp.client.subscription import Subscription, stream_address
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import SignedOrder
from zlp.engine.commands.custody import RequestWithdrawal, Transfer

T = TypeVar("T")
TRIES = 5


class Client:
    """A connection to one venue; use it with ``with``.

    ``signer``: needed to send commands. Amounts are given in whole tokens as decimal text. A request that gets no
    answer is repeated with the same bytes: the venue does an intent once at most and answers the same again.
    """

    def __init__(
        self, base_url: str = "http://127.0.0.1:8420", signer: Signer | None = None, timeout: float = 10
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.signer = signer
        self._http = httpx.Client(base_url=self.base_url, timeout=timeout)
        self._venue: VenueInfo | None = None
        self._tokens: dict[str, Token] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def venue(self) -> VenueInfo:
        """Who the venue is, and where its log stands."""
        self._venue = self._run(calls.venue())
        return self._venue

    def tokens(self) -> dict[str, Token]:
        """Tokens by symbol."""
        self._tokens = self._run(calls.tokens())
        return self._tokens

    def prices(self) -> dict[str, Price]:
        """Prices by asset."""
        return self._run(calls.prices())

    def account(self, name: str | None = None) -> AccountState:
        """Balances, positions, orders; of the signer's account if none is named."""
        return self._run(calls.account(name or self._need_signer().account))

    def balance(self, token: str, name: str | None = None) -> Decimal:
        """Whole tokens an account holds."""
        state = self.account(name)
        return next((held.amount for held in state.balances if held.token == token), Decimal(0))

    def receipt(self, sequence: int) -> Receipt:
        """The receipt at a sequence."""
        return self._run(calls.receipt(sequence))

    def intent(self, client_id: str) -> Receipt:
        """What became of an intent of the signer's account, by its client id or nonce."""
        return self._run(calls.intent(self._need_signer().account, client_id))

    def get(self, path: str, **query: str) -> Any:
        """Any read as plain JSON values."""
        return self._run(calls.get(path, **query))

    def leaves(self, kind: str) -> Iterator[Any]:
        """Every leaf of one kind."""
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = self._run(calls.leaves(kind, cursor))
            yield from page

    def units(self, token: str, amount: str | int | Decimal) -> int:
        """Base units of an amount of whole tokens."""
        if token not in self._tokens:
            self.tokens()
        if token not in self._tokens:
            raise VenueError(f"the venue knows no token {token}; it knows {', '.join(self._tokens)}")
        return records.to_units(amount, self._tokens[token].decimals)

    def send(self, command: Command, *, client_id: str = "") -> Receipt:
        """Sign and send one command. ``Refused`` if it is rejected."""
        body = self._need_signer().request(self._identity(), [command], batch=False, client_id=client_id)
        return self._run(calls.command(body))

    def send_many(self, commands: Sequence[Command], *, client_id: str = "") -> tuple[Receipt, ...]:
        """Sign many commands once; they are applied in order. Rejected ones say so in their receipts."""
        body = self._need_signer().request(self._identity(), commands, batch=True, client_id=client_id)
        return self._run(calls.commands(body))

    def hand_in(self, order: SignedOrder, expires: int = 0) -> Any:
        """Leave a signed order with the venue until this second (0: as long as it is valid). ``digest`` names it."""
        return self._run(calls.hand_in(order, expires))

    def quote(self, command: Command, name: str | None = None) -> Quote:
        """What a command would do now; nothing changes."""
        return self._run(calls.quote(name or self._need_signer().account, command))

    def transfer(self, token: str, to: str, amount: str | int | Decimal) -> Receipt:
        """Send tokens to another account."""
        return self.send(Transfer(token=token, to=to.lower(), amount=self.units(token, amount)))

    def withdraw(self, token: str, amount: str | int | Decimal, destination: str) -> Receipt:
        """Ask the bridge to pay tokens out."""
        units = self.units(token, amount)
        return self.send(RequestWithdrawal(token=token, amount=units, destination=destination))

    def stream(self, channel: str, id: str = "", *, from_sequence: int | None = None) -> Iterator[Message]:  # noqa: A002 - the API's word
        """Follow a channel forever, across reconnections and restarts of the venue, without gaps."""
        subscription = Subscription(channel, id, from_sequence)
        while True:
            try:
                with connect(stream_address(self.base_url), max_queue=4_096) as socket:
                    socket.send(subscription.request())
                    for text in socket:
                        message = subscription.receive(text)
                        if message is not None:
                            yield message
            except (OSError, WebSocketException):
                pass
            time.sleep(subscription.next_wait())

    def _identity(self) -> str:
        return (self._venue or self.venue()).identity

    def _need_signer(self) -> Signer:
        if self.signer is None:
            raise VenueError("this needs a signer: Client(url, Signer(private_key))")
        return self.signer

    def _run(self, call: Call[T]) -> T:
        fault = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(0.1 * 2**attempt)
            try:
                if call.body is None:
                    said = self._http.get(call.path, params=call.query)
                else:
                    said = self._http.post(call.path, content=call.body, headers={"content-type": "application/json"})
            except httpx.TransportError as broken:
                fault = repr(broken)
                continue
            if calls.should_repeat(said.status_code) and attempt + 1 < TRIES:
                continue
            return calls.answer(call, said.status_code, said.content)
        raise Unreachable(f"{self.base_url}{call.path}: {fault}")
