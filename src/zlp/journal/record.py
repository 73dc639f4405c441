"""What one line of the journal holds, and how lines are chained."""

from __future__ import annotations

import hashlib

import msgspec

from zlp.engine.commands.base import Envelope

ORIGIN = bytes(32)
"""The link before the first record."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One command as it was sequenced.

    ``sequence``: from 1, without gaps. ``time_ns``: when the node sequenced it. ``envelope``: its wire JSON,
    with the command exactly as it was sent. ``evidence``: who signed what (``Evidence`` as JSON). ``digest``: of
    its receipt, 64 hexadecimal digits. ``receipt``: the receipt's wire JSON; it can be recomputed, and is kept
    so that streams and lookups need no second execution. ``key``: 16 bytes that make a repeated intent known,
    empty for none.
    """

    sequence: int
    time_ns: int
    envelope: bytes
    evidence: bytes
    digest: str
    receipt: bytes
    key: bytes = b""


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the venue believed that the account wanted this.

    A signed intent: ``signature`` (0x and 130 hexadecimal digits), ``nonce``, ``deadline``, ``client_id`` and
    ``count``, the number of its commands, which are in this record and the ones after it. A later command of
    the same intent: ``intent``, the sequence of its first. Neither: ``local``, the name of the trusted caller.
    """

    signature: str = ""
    nonce: str = ""
    deadline: str = ""
    client_id: str = ""
    count: int = 0
    intent: int = 0
    local: str = ""


class RawEnvelope(msgspec.Struct, frozen=True):
    """An envelope whose command is still the text that was signed."""

    time: str
    account: str
    command: msgspec.Raw
    signer: str = ""
    nonce: str = "0"
    deadline: str = "0"


decode_raw_envelope = msgspec.json.Decoder(RawEnvelope).decode
decode_evidence = msgspec.json.Decoder(Evidence).decode
_encode = msgspec.json.Encoder().encode


def envelope_text(envelope: Envelope, command_text: bytes) -> bytes:
    """The envelope's wire JSON around the command's text, untouched."""
    return (
        b'{"time":"%d","account":%b,"command":%b,"signer":%b,"nonce":"%d","deadline":"%d"}'  # one field order
        % (
            envelope.time,
            _encode(envelope.account),
            command_text,
            _encode(envelope.signer),
            envelope.nonce,
            envelope.deadline,
        )
    )


def evidence_text(evidence: Evidence) -> bytes:
    """The evidence as JSON."""
    return _encode(evidence)


def link(previous: bytes, record: Record) -> bytes:
    """The record's link of the integrity chain: a hash over the link before it and every field of this one."""
    body = hashlib.blake2b(previous, digest_size=32)
    body.update(
        b"%d,%d,%d,%d,%d,"
        % (
            record.sequence,
            record.time_ns,
            len(record.envelope),
            len(record.evidence),
            len(record.receipt),
        )
    )
    body.update(record.envelope)
    body.update(record.evidence)
    body.update(record.receipt)
    body.update(record.digest.encode())
    body.update(record.key)
    return body.digest()


def key_of(account: str, nonce: int, client_id: str) -> bytes:
    """What makes an intent the same as an earlier one: the sender's own name for it, or else its nonce."""
    name = f"{account}:{client_id}" if client_id else f"{account}#{nonce}"
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
