"""Settings and mechanisms in words: what a profile's tables are called, what their fields mean and hold."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from rich.table import Table
from rich.text import Text

from zlp.engine.leaves import SETTINGS
from zlp.engine.leaves.base import Settings
from zlp.engine.mechanisms.base import Mechanism
from zlp.profiles.loader import table_name

Kind = type[Any]
QUANTITIES = '"5 usd", "25 bps", "30 x", "8 h", "15 min", "80 %" (of 10^18), "0.5 ETH" (of a token in the profile)'
ROUND = 10**9
"""From here on a number with zeros at its end is written as 5e30."""


def catalogue() -> dict[str, dict[str, Kind]]:
    """All tables and all mechanisms, by the names a profile calls them."""
    tables = {table_name(name): kind for name, kind in SETTINGS.items()}
    found = sorted({mechanism for kind in tables.values() for mechanism in _mechanisms(kind)}, key=_tag)
    return {"tables": dict(sorted(tables.items())), "mechanisms": {_tag(kind): kind for kind in found}}


def named(name: str) -> Kind | None:
    """The table or mechanism of this name."""
    return next((kinds[name] for kinds in catalogue().values() if name in kinds), None)


def words(kind: Kind) -> str:
    """Its meaning: the docstring, a paragraph a line."""
    text = (inspect.getdoc(kind) or "").replace("``", "")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def summaries(title: str, kinds: dict[str, Kind]) -> Table:
    """Names with the first sentence of their meaning."""
    table = Table("name", "what it is", title=title, title_justify="left")
    for name, kind in kinds.items():
        table.add_row(name, words(kind).partition("\n")[0])
    return table


def records_table(kind: type[Settings], records: Sequence[Settings]) -> Table:
    """The records of one kind side by side, a field a row; a mechanism's parameters follow its type."""
    name = table_name(kind.__name__)
    title = Text(f"[[{name}]]" if len(records) > 1 else f"[{name}]", style="bold")
    table = Table(title=title, title_justify="left")
    table.add_column("setting", no_wrap=True)
    columns = [dict(_cells(record)) for record in records]
    for record in records:
        table.add_column(" ".join(str(part) for part in record.key) or "value", overflow="fold")
    for field in dict.fromkeys(field for column in columns for field in column):
        table.add_row(field, *(column.get(field, "") for column in columns))
    return table


def fields_table(kind: Kind) -> Table:
    """Fields with what they take and what they are if left out."""
    table = Table("field", "takes", "if left out", title_justify="left")
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory
        table.add_row(field.name, _type(hints[field.name]), "must be given" if field.required else _value(default))
    return table


def _cells(record: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, Mechanism):
            yield f"{prefix}{name}.type", _tag(type(value))
            yield from _cells(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _value(value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, tuple):
        return ", ".join(_value(item) for item in value) or "none"
    if isinstance(value, msgspec.Struct):
        return " ".join(text for _, text in _cells(value)) if not isinstance(value, Mechanism) else _tag(type(value))
    return "-" if value in (None, "") else str(value)


def _number(value: int) -> str:
    """Exact and short: engine integers end in many zeros."""
    digits = str(abs(value))
    kept = digits.rstrip("0")
    if abs(value) < ROUND or len(digits) - len(kept) < len(str(ROUND)) - 1:
        return f"{value:,}"
    return f"{'-' if value < 0 else ''}{kept}e{len(digits) - len(kept)}"


def _mechanisms(kind: Kind) -> Iterator[type[Mechanism]]:
    """Every mechanism that may stand in a field of this kind, also inside another mechanism."""
    for hint in get_type_hints(kind).values():
        for part in _parts(hint):
            if isinstance(part, type) and issubclass(part, Mechanism):
                yield part
                yield from _mechanisms(part)


def _parts(hint: Any) -> Iterator[Any]:
    """The plain types inside a hint."""
    arguments = [part for part in get_args(hint) if part is not Ellipsis]
    if not arguments:
        yield hint
    for part in arguments:
        yield from _parts(part)


def _type(hint: Any) -> str:
    kinds = [part for part in _parts(hint) if isinstance(part, type)]
    mechanisms = [part for part in kinds if issubclass(part, Mechanism)]
    if mechanisms:
        return "one of " + ", ".join(_tag(part) for part in mechanisms) if len(mechanisms) > 1 else _tag(mechanisms[0])
    if get_origin(hint) is tuple:
        return f"list of {_type(get_args(hint)[0])}"
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_type(part) for part in get_args(hint) if part is not type(None))
    names = {int: "integer or quantity", bool: "true or false", str: "text"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def _tag(kind: Kind) -> str:
    return str(kind.__struct_config__.tag)
