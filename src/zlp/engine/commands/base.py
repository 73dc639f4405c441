"""What a command is, and the check every command passes before its branch sees it."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias

import msgspec

from zlp.engine.fixed import UINT256
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

Signed: TypeAlias = Annotated[int, "signed"]
"""An integer field that may be negative; every other integer of a command is from 0 to 2**256 - 1."""

TIME_LIMIT = 2**63
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
    reported: ClassVar[bool] = False
    """True for actions that are priced by a signed report: an order that carries one is filled with it."""

    brings_margin: ClassVar[bool] = False
    """True for actions that open a position with what they spend."""

    def require_form(self) -> None:
        """Raise ``Reject`` for what no state of the venue could make right; an order asks this when it is placed."""

    def pays(self, reader: Reader) -> tuple[str, ...]:  # noqa: ARG002 - some say it by what there is
        """Accounts that something of the sender's is paid to; an agent may name others only with the transfer scope."""
        named = (getattr(self, name, "") for name in ("to", "reward_to", "relayer"))
        return tuple(account for account in named if account)

    def spends(self) -> tuple[tuple[str, int], ...]:
        """Tokens and amounts an order that carries this action must set aside."""
        return ()

    def priced_by(self) -> tuple[str, ...]:
        """Assets whose prices decide what this action costs; an order waits for newer ones."""
        return ()

    def swaps(self) -> tuple[str, ...]:
        """Tokens traded on the way to or from the action; an order waits for newer prices of all but stable ones."""
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


class MalformedEnvelope(ValueError):  # noqa: N818 - named by what it is
    """Not an envelope at all: a fault of the caller, never sequenced. ``code`` is ``malformed_command``."""

    code = Code.MALFORMED_COMMAND


def check_envelope(envelope: Envelope) -> None:
    """Raise ``MalformedEnvelope`` unless it carries a command, whole seconds and names as text."""
    for name in ("time", "nonce", "deadline"):
        number = getattr(envelope, name)
        if type(number) is not int or not 0 <= number < TIME_LIMIT:
            raise MalformedEnvelope(f"{name} must be an integer from 0 to 2**63 - 1")
    for name in ("account", "signer"):
        text = getattr(envelope, name)
        if not isinstance(text, str) or len(text) > TEXT_LIMIT:
            raise MalformedEnvelope(f"{name} must be text of at most {TEXT_LIMIT}")
    if not isinstance(envelope.command, Command):
        raise MalformedEnvelope("command must be a command")


class _Check(NamedTuple):
    """What one field, or one item of a tuple, may be."""

    name: str
    kinds: tuple[type, ...]
    signed: bool
    item: _Check | None


class _Plan(NamedTuple):
    """The fields of a struct, the plain ones apart because they are checked fastest."""

    amounts: tuple[str, ...]
    texts: tuple[str, ...]
    flags: tuple[str, ...]
    others: tuple[_Check, ...]


_plans: dict[type, _Plan] = {}


def _kinds(hint: Any) -> tuple[type, ...]:
    """The types a value of this hint may have; empty for any."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _kinds(typing.get_args(hint)[0])
    if origin in (types.UnionType, typing.Union):
        parts = [_kinds(part) for part in typing.get_args(hint)]
        return tuple(kind for part in parts for kind in part) if all(parts) else ()
    if origin is typing.Literal:
        return tuple(type(choice) for choice in typing.get_args(hint))
    kind = origin or hint
    return (kind,) if isinstance(kind, type) and kind is not object else ()


def _is_signed(hint: Any) -> bool:
    if typing.get_origin(hint) is Annotated:
        return "signed" in typing.get_args(hint)[1:]
    return any(_is_signed(part) for part in typing.get_args(hint))


def _field(name: str, hint: Any) -> _Check:
    item = None
    if typing.get_origin(hint) is tuple:
        items = [part for part in typing.get_args(hint) if part is not Ellipsis]
        item = _field(name, items[0] if len(items) == 1 else Any)
    return _Check(name, _kinds(hint), _is_signed(hint), item)


def check_ranges(value: Any) -> None:
    """Refuse integers outside their range, texts that are too long and values of the wrong type.

    Callers inside the process are not trusted more than the wire: a float amount is refused here.
    """
    plan = _plans.get(type(value)) or _plan(type(value))
    for name in plan.amounts:
        amount = getattr(value, name)
        if type(amount) is not int:
            raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} must be an integer")
        if not 0 <= amount < UINT256:
            raise Reject(Code.AMOUNT_OUT_OF_RANGE, detail=name)
    for name in plan.texts:
        text = getattr(value, name)
        if not isinstance(text, str) or len(text) > TEXT_LIMIT:
            raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} must be text of at most {TEXT_LIMIT}")
    for name in plan.flags:
        if type(getattr(value, name)) is not bool:
            raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} must be true or false")
    for check in plan.others:
        _check_value(check, getattr(value, check.name))


def _plan(kind: type) -> _Plan:
    hints = typing.get_type_hints(kind, include_extras=True)
    plain: dict[Any, list[str]] = {int: [], str: [], bool: []}
    others = []
    for name in kind.__struct_fields__:  # type: ignore[attr-defined]
        if hints[name] in plain:
            plain[hints[name]].append(name)
        else:
            others.append(_field(name, hints[name]))
    plan = _Plan(tuple(plain[int]), tuple(plain[str]), tuple(plain[bool]), tuple(others))
    _plans[kind] = plan
    return plan


def _check_value(check: _Check, value: Any) -> None:
    name, kinds, signed, item = check
    kind = type(value)
    if kind not in kinds and kinds and (kind is bool or not isinstance(value, kinds)):
        raise Reject(Code.MALFORMED_COMMAND, detail=f"{name} has the wrong type")
    if kind is int:
        if value >= UINT256 or value < (-UINT256 if signed else 0):
            raise Reject(Code.AMOUNT_OUT_OF_RANGE, detail=name)
    elif kind is str:
        if len(value) > TEXT_LIMIT:
            raise Reject(Code.MALFORMED_COMMAND, limit=TEXT_LIMIT, actual=len(value), detail=name)
    elif kind is tuple:
        if len(value) > ITEMS_LIMIT:
            raise Reject(Code.MALFORMED_COMMAND, limit=ITEMS_LIMIT, actual=len(value), detail=name)
        if item is not None:
            for part in value:
                _check_value(item, part)
    elif isinstance(value, msgspec.Struct):
        check_ranges(value)
