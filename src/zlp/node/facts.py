"""What goes into a node, and what comes out of it."""

from __future__ import annotations

from typing import Any

import msgspec

from zlp.engine import Receipt, Rejection
from zlp.engine.codec import decode_command, decode_event, wire
from zlp.engine.commands.base import Command
from zlp.journal import Record
from zlp.journal.record import decode_raw_envelope, key_of


class Submission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Commands of one account that are sequenced together: those of one signed intent, or of a trusted caller.

    ``texts``: the commands' JSON as signed. ``signer``: the agent that signed, empty for the account itself.
    ``nonce`` (milliseconds), ``deadline`` (seconds), ``client_id``, ``signature``: as in the intent.
    ``local``: name of the trusted caller inside this process; then there is no signature. ``key``, made here: what
    makes a repeat known; empty for trusted callers, who do not repeat by accident.
    """

    account: str
    commands: tuple[Command, ...]
    texts: tuple[bytes, ...]
    signer: str = ""
    nonce: int = 0
    deadline: int = 0
    client_id: str = ""
    signature: bytes = b""
    local: str = ""
    key: bytes = b""

    def __post_init__(self) -> None:
        """Make the key once; a node asks for it many times."""
        if self.nonce or self.client_id:
            msgspec.structs.force_setattr(self, "key", key_of(self.account, self.nonce, self.client_id))

    @classmethod
    def trusted(cls, account: str, *commands: Command, local: str) -> Submission:
        """Commands of a caller inside the process (genesis, an in-process keeper)."""
        return cls(account=account, commands=commands, texts=tuple(wire(each) for each in commands), local=local)


class Fact(msgspec.Struct, frozen=True):
    """One durable command: who asked what, what became of it, and the receipt's wire JSON, encoded once."""

    sequence: int
    time_ns: int
    account: str
    command: Command
    receipt: Receipt
    body: bytes


class _StoredReceipt(msgspec.Struct):
    sequence: int
    time: int
    events: tuple[msgspec.Raw, ...]
    rejection: Rejection | None
    digest: str


_stored_receipt = msgspec.json.Decoder(_StoredReceipt, strict=False).decode


def fact_of(record: Record) -> Fact:
    """The fact a journal record keeps."""
    envelope = decode_raw_envelope(record.envelope)
    stored = _stored_receipt(record.receipt)
    events: tuple[Any, ...] = tuple(decode_event(bytes(event)) for event in stored.events)
    return Fact(
        sequence=record.sequence,
        time_ns=record.time_ns,
        account=envelope.account,
        command=decode_command(bytes(envelope.command)),
        receipt=Receipt(stored.sequence, stored.time, events, stored.rejection, stored.digest),
        body=record.receipt,
    )
