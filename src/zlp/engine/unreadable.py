"""Why a text is no record, in our own words: a library's would change with its version, and receipts keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

NESTING_LIMIT = 32
"""Brackets inside brackets that a text may have; where a decoder would give up depends on its version."""
SHOWN = 64
"""Characters of a sender's own names that are repeated to him."""


def is_too_deep(text: bytes | str) -> bool:
    """Whether brackets nest deeper than the limit. Brackets inside strings don't count."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if data.count(b"[") + data.count(b"{") <= NESTING_LIMIT:
        return False
    depth, in_string, escaped = 0, False, False
    for byte in data:
        if in_string:
            in_string = escaped or byte != ord('"')
            escaped = byte == ord("\\") and not escaped
        elif byte == ord('"'):
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > NESTING_LIMIT:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def explain(text: bytes | str, kinds: Mapping[str, type[msgspec.Struct]]) -> str:
    """What is wrong with a text that should be a record of one of these types: the first fault, in field order."""
    if is_too_deep(text):
        return f"nested deeper than {NESTING_LIMIT}"
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "not JSON"
    if not isinstance(value, dict):
        return "not an object"
    kind = kinds.get(value["type"]) if isinstance(value.get("type"), str) else None
    if kind is None:
        return "its type is missing or unknown"
    return f"{kind.__name__}: {_fault(value, kind)}"


def _fault(value: dict[str, Any], kind: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(kind)
    known = {"type", *(field.encode_name for field in fields)}
    for name in value:
        if name not in known:
            return f"there is no field {name[:SHOWN]}"
    for field in fields:
        if field.encode_name not in value:
            if field.required:
                return f"{field.encode_name} is missing"
            continue
        try:
            msgspec.convert(value[field.encode_name], field.type, strict=False)
        except (msgspec.ValidationError, RecursionError):
            return f"{field.encode_name} is not of its type"
    return "not of its type"
