"""What a command is, and the check every command passes before its branch sees it."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec

from zlp.engine.fixed import UINT256
from zlp.engine.rejections import Code, Reject

Signed: TypeAlias = Annotated[int, "signed"]
"""An integer field that may be negative; every other integer of a command is from 0 to 2**256 - 1."""

TEXT_LIMIT = 4_096
ITEMS_LIMIT = 1_024


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True, forbid_unknown_fields=True):
    """One intention of one account: data only. The root routes it to the branch that handles its type.

    A command that carries another (orders, proposals) carries its JSON text.
    """

    scope: ClassVar[str] = "trade"
    """What an agent key needs to be approved for: trade, liquidity, transfer, keep or govern."""
    reduces_risk: ClassVar[bool] = False
    """True for commands that a general pause leaves open (closing, cancelling, burning, claiming)."""
    orderable: ClassVar[bool] = False
    """True for priced actions: an order may carry them, and they run at once only where a profile says so."""

    def spends(self) -> tuple[tuple[str, int], ...]:
        """Tokens and amounts an order that carries this action must set aside."""
        return ()

    def priced_by(self) -> tuple[str, ...]:
        """Assets whose prices decide what this action costs; an order waits for newer ones."""
        return ()

    def buys(self) -> bool:
        """Whether the action pays the maximum price; a trigger is read on that side."""
        return True


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A command as the log records it: who, when, and what protects it from being sent twice.

    ``time``: whole seconds, never falling from one envelope to the next. ``account``: on whose behalf.
    ``signer``: the agent key that signed, empty when the account signed itself. ``nonce``: milliseconds,
    unique per account inside a window, 0 where the caller is trusted (genesis, simulation). ``deadline``:
    last second at which the command may be applied, 0 for none.
    """

    time: int
    account: str
    command: Any
    signer: str = ""
    nonce: int = 0
    deadline: int = 0


Checks: TypeAlias = tuple[tuple[tuple[str, bool], ...], tuple[str, ...], tuple[str, ...]]
_checks: dict[type, Checks] = {}


def _accepts(hint: Any, wanted: type) -> bool:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _accepts(typing.get_args(hint)[0], wanted)
    if origin in (types.UnionType, typing.Union):
        return any(_accepts(part, wanted) for part in typing.get_args(hint))
    return (origin or hint) is wanted


def _is_signed(hint: Any) -> bool:
    if typing.get_origin(hint) is Annotated:
        return "signed" in typing.get_args(hint)[1:]
    return any(_is_signed(part) for part in typing.get_args(hint))


def _compile(kind: type) -> Checks:
    """Sort the fields of a struct by what has to be checked: integers, texts, nested values."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {name: hints[name] for name in kind.__struct_fields__}  # type: ignore[attr-defined]
    numbers = tuple((name, _is_signed(hint)) for name, hint in fields.items() if _accepts(hint, int))
    texts = tuple(name for name, hint in fields.items() if _accepts(hint, str))
    plain = {name for name, _ in numbers} | set(texts)
    nested = tuple(name for name, hint in fields.items() if name not in plain and not _accepts(hint, bool))
    return numbers, texts, nested


def check_ranges(value: Any) -> None:
    """Refuse integers outside their range, texts that are too long and values of the wrong type.

    Callers inside the process are not trusted more than the wire: a float amount is refused here.
    """
    kind = type(value)
    checks = _checks.get(kind)
    if checks is None:
        checks = _checks[kind] = _compile(kind)
    numbers, texts, nested = checks
    for name, signed in numbers:
        number = getattr(value, name)
        if type(number) is not int:
            if number is None:
                continue
            raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} must be an integer")
        if number >= UINT256 or number < (-UINT256 if signed else 0):
            raise Reject(Code.AMOUNT_OUT_OF_RANGE, detail=name)
    for name in texts:
        text = getattr(value, name)
        if text is not None and (not isinstance(text, str) or len(text) > TEXT_LIMIT):
            raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} must be text of at most {TEXT_LIMIT}")
    for name in nested:
        _check_nested(name, getattr(value, name))


def _check_nested(name: str, value: Any) -> None:
    if isinstance(value, msgspec.Struct):
        check_ranges(value)
    elif isinstance(value, tuple):
        if len(value) > ITEMS_LIMIT:
            raise Reject(Code.MALFORMED_COMMAND, limit=ITEMS_LIMIT, actual=len(value), detail=name)
        for item in value:
            _check_nested(name, item)
    elif isinstance(value, int):
        if not 0 <= value < UINT256:
            raise Reject(Code.AMOUNT_OUT_OF_RANGE, detail=name)
    elif value is not None and not isinstance(value, (str, msgspec.Raw)):
        raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} has an unexpected type")
