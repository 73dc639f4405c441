"""The one place where engine records become text and back.

Two forms. The canonical form (digests): compact JSON in declared field order, integers as JSON numbers of any
length. The wire form (journal, snapshots, API): the same JSON with every integer as a decimal string, since
browsers lose integers above 53 bits. Both decode with the same decoders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from zlp.engine.commands import COMMANDS, AnyCommand
from zlp.engine.commands.base import Command, Envelope
from zlp.engine.events import AnyEvent
from zlp.engine.leaves import SETTINGS, AnyLeaf, AnySettings
from zlp.engine.leaves.base import Leaf, Settings
from zlp.engine.rejections import Code, Reject
from zlp.engine.unreadable import explain, is_too_deep

T = TypeVar("T")

canonical = msgspec.json.Encoder().encode
"""Canonical bytes of any engine record."""

UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What a decoder raises for text that is not JSON of the wanted type: wrong, not UTF-8, or nested without end."""

_command = msgspec.json.Decoder(AnyCommand, strict=False)
_settings = msgspec.json.Decoder(AnySettings, strict=False)
_leaf = msgspec.json.Decoder(AnyLeaf, strict=False)
_event = msgspec.json.Decoder(AnyEvent, strict=False)


def wire(record: Any) -> bytes:
    """Wire bytes of any engine record: every integer a decimal string."""
    return msgspec.json.encode(plain(record))


def plain(record: Any) -> Any:
    """The record as dictionaries, lists, texts and booleans, integers as decimal strings."""
    return _texts(msgspec.to_builtins(record))


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_texts(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def decode_command(data: bytes | str) -> Command:
    """A command of any registered type; ``malformed_command`` if it is none."""
    return _decoded(_command, data, COMMANDS, Code.MALFORMED_COMMAND)  # type: ignore[no-any-return]


def decode_settings(data: bytes | str) -> Settings:
    """A settings record of any registered type; ``invalid_setting`` if it is none."""
    return _decoded(_settings, data, SETTINGS, Code.INVALID_SETTING)  # type: ignore[no-any-return]


def decode_plain(data: str, code: Code) -> Any:
    """Plain JSON values; a rejection of this code if it is not JSON, or nested too deep."""
    try:
        if not is_too_deep(data):
            return msgspec.json.decode(data)
    except UNREADABLE:
        raise Reject(code, detail="not JSON") from None
    raise Reject(code, detail=explain(data, {}))


def _decoded(decoder: msgspec.json.Decoder[Any], data: bytes | str, kinds: Mapping[str, Any], code: Code) -> Any:
    try:
        if not is_too_deep(data):
            return decoder.decode(data)
    except UNREADABLE:
        pass
    raise Reject(code, detail=explain(data, kinds))


def decode_leaf(data: bytes | str) -> Leaf:
    """A leaf of any registered type."""
    return _leaf.decode(data)  # type: ignore[no-any-return]


def decode_event(data: bytes | str) -> Any:
    """An event of any registered type."""
    return _event.decode(data)


def decode_envelope(data: bytes | str) -> Envelope:
    """An envelope with its command; ``malformed_command`` if it is none."""
    try:
        record = msgspec.json.decode(data, type=_RawEnvelope, strict=False)
    except UNREADABLE:
        raise Reject(Code.MALFORMED_COMMAND, detail="not an envelope") from None
    return Envelope(
        time=record.time,
        account=record.account,
        command=decode_command(bytes(record.command)),
        signer=record.signer,
        nonce=record.nonce,
        deadline=record.deadline,
    )


class _RawEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    time: int
    account: str
    command: msgspec.Raw
    signer: str = ""
    nonce: int = 0
    deadline: int = 0
