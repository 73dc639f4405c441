"""A venue elsewhere as keepers see it: a copy of its state that follows its public log, and signed commands.

The copy starts from the venue's snapshot and applies every command of ``/v1/receipts`` after it, so that looking,
trying out and deciding cost the venue nothing. What was missed while the venue or the network was away is read
from the log afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from zlp.client import Client, Refused, records
from zlp.engine import Code, Envelope, Receipt, Rejection, Root
from zlp.engine.codec import decode_command
from zlp.engine.rejections import Reject
from zlp.keepers.replica import Replica

PAGE = "1000"


class CopyLost(Exception):  # noqa: N818 - named by what happened
    """This copy can't follow any longer (the log was compacted, or rules differ): start again from a snapshot."""


class RemoteDoor:
    """What ``LocalVenue`` is to a root, over the network. ``client`` has the keeper's signer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._replica = Replica(Root.restore(client.get("/v1/snapshot")))
        self._listeners: list[Callable[[Receipt], None]] = []
        self._ahead = client.venue().time - int(time.time())
        self.account = client.signer.account if client.signer is not None else ""

    @property
    def root(self) -> Root:
        """The copy's root."""
        return self._replica.root

    def now(self) -> int:
        """The venue's second: this machine's clock, corrected by what it differed at the start."""
        return max(self.root.time, int(time.time()) + self._ahead)

    def apply(self, envelope: Envelope) -> Receipt:
        """Sign and send; returns when the venue has acknowledged and the copy has followed.

        What the engine rejects comes back as a rejected receipt. Raises ``Refused`` for what the door refuses (a
        limit, a late deadline), ``Unreachable`` if the venue does not answer.
        """
        try:
            sent = self._client.send(envelope.command)
        except Refused as refused:
            return self._refused(refused, envelope.time)
        self.catch_up()
        return _receipt(sent)

    def listen(self, listener: Callable[[Receipt], None]) -> None:
        """Call ``listener`` with every receipt from now on."""
        self._listeners.append(listener)

    def catch_up(self) -> int:
        """Follow the log to its end; how many entries were new. Raises ``CopyLost`` and ``Unreachable``."""
        new, more = 0, True
        while more:
            page = self._page()
            new += sum(self._follow(item) for item in page["items"])
            more = page["next"] is not None
        return new

    def _page(self) -> dict[str, Any]:
        try:
            page: dict[str, Any] = self._client.get("/v1/receipts", after=str(self._replica.sequence), limit=PAGE)
        except Refused as refused:
            if refused.code == "compacted":
                raise CopyLost(str(refused)) from None
            raise
        if int(page["sequence"]) < self._replica.sequence:
            raise CopyLost(f"the venue is at {page['sequence']}, behind this copy: it is another one")
        return page

    def _follow(self, item: dict[str, Any]) -> bool:
        receipt = _receipt(records.receipt(item["receipt"]))
        try:
            is_new = self._replica.follow(
                item["account"], decode_command(msgspec.json.encode(item["command"])), receipt
            )
        except (ValueError, Reject) as fault:
            raise CopyLost(str(fault)) from None
        if is_new:
            for listener in self._listeners:
                listener(receipt)
        return is_new

    def _refused(self, refused: Refused, now: int) -> Receipt:
        if refused.sequence is None:
            raise refused
        self.catch_up()
        rejection = Rejection(Code(refused.code), refused.limit, refused.actual, refused.detail)
        return Receipt(refused.sequence, now, (), rejection, "")


def _receipt(found: records.Receipt) -> Receipt:
    return Receipt(found.sequence, found.time, found.events, found.rejection, found.digest)
