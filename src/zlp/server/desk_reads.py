"""Reads that ask the venue's desk: the same paths and shapes for every trading design.

A plan (`/v1/desk/open/long`) is the list of commands that would do it; a quote runs commands one
after the other on a draft and shows what they would change. Neither changes anything.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from zlp.desks import Desk, decimals_of, desk_of
from zlp.engine import Envelope
from zlp.engine.codec import decode_command, plain
from zlp.engine.fixed import UINT256, UNITS, USD
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.ledger import Balance, Token
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.node import Node, NotAdmitted
from zlp.server import desk_risk, desk_views, views
from zlp.server.intake import address, decode
from zlp.server.kept import Kept
from zlp.server.owned import owned_by
from zlp.server.problems import Problem
from zlp.server.reads import Parameters, Read

QUOTED_AT_ONCE = 8
_kept = Kept()


class UnsignedCommands(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/desk/quote``: what would these commands do, one after the other? Nothing is signed."""

    account: str
    commands: list[msgspec.Raw]


_many = msgspec.json.Decoder(UnsignedCommands).decode


def desk(node: Node) -> Desk:
    """The desk of the installed trading branch."""
    try:
        return desk_of(node.root.state)
    except LookupError as fault:
        raise Problem("not_found", str(fault)) from None


def _overview(node: Node, parameters: Parameters) -> Any:
    """Pools and markets as the desk values them now. ``missing`` says why a list is empty: no price, for example.

    ``design`` is empty where no trading branch is installed.
    """
    found = _kept.find(node, "", parameters.lag())
    return found or _kept.make(node, "", lambda: _valued(node))


def _valued(node: Node) -> dict[str, Any]:
    state, now = node.root.state, node.now()
    answer: dict[str, Any] = {
        "sequence": str(node.root.sequence),
        "time": str(now),
        "design": "",
        "branches": [each.branch for each in state.each(Installed)],
        "pools": [],
        "markets": [],
        "missing": {},
    }
    try:
        found = desk_of(state)
    except LookupError:
        return answer
    answer["design"] = found.BRANCH
    try:
        answer["pools"] = [desk_views.pool_row(state, view) for view in found.pools(state, now)]
    except Reject as refused:
        answer["missing"]["pools"] = plain(refused.rejection)
    try:
        answer["markets"] = [desk_views.market_row(view) for view in found.markets(state, now)]
    except Reject as refused:
        answer["missing"]["markets"] = plain(refused.rejection)
    return answer


def _positions(node: Node, parameters: Parameters) -> Any:
    """Positions with PnL, health and liquidation price. Without an account: at most `limit` of all."""
    text = parameters.text("account")
    account = address(text) if text.lower().startswith("0x") else text
    answer: dict[str, Any] = {"sequence": str(node.root.sequence), "items": []}
    try:
        found = desk_of(node.root.state)
    except LookupError:
        return answer
    try:
        reader = owned_by(node, account) if account else node.root.state
        each = found.positions(reader, node.now(), account)
        limit = None if account else parameters.limit()
        answer["items"] = [desk_views.position_row(view) for view in islice(each, limit)]
    except Reject as refused:
        raise NotAdmitted(refused.rejection) from None
    return answer


def _open(node: Node, parameters: Parameters) -> Any:
    """``amount`` of ``token``, ``size`` in USD and ``price`` are decimals; the last command is the trade.

    ``price``: what an order that waits for a price is expected to run at; without it, the present one.
    """
    side, state, token = parameters.text("side"), node.root.state, parameters.text("token")
    if side not in ("long", "short"):
        raise Problem("not_found", "a position is long or short")
    amount = scaled(parameters, "amount", _unit(state, token)) if token else 0
    try:
        commands = desk(node).open(
            state,
            node.now(),
            pool=parameters.text("pool"),
            market=parameters.text("market"),
            is_long=side == "long",
            collateral=token,
            amount=amount,
            size_usd=scaled(parameters, "size", USD),
            price=scaled(parameters, "price", USD),
        )
    except Reject as refused:
        raise NotAdmitted(refused.rejection) from None
    return {"sequence": str(node.root.sequence), "commands": [plain(command) for command in commands]}


def _close(node: Node, parameters: Parameters) -> Any:
    """``fraction`` of the position in bps; the first command is the trade, those after it take margin out."""
    try:
        commands = desk(node).close(
            node.root.state,
            node.now(),
            position=parameters.text("position"),
            fraction_bps=parameters.number("fraction"),
        )
    except (Reject, ValueError) as fault:
        if isinstance(fault, Reject):
            raise NotAdmitted(fault.rejection) from None
        raise Problem("malformed_request", "no position is called so") from None
    return {"sequence": str(node.root.sequence), "commands": [plain(command) for command in commands]}


def _margin(node: Node, parameters: Parameters) -> Any:
    """``amount`` is a decimal number of ``unit``: a token, or USD, in which ZEUS counts what is taken out.

    ``token``: another one than backs the position, where the design takes it. Without a ``position``: the sender's
    first margin account (of ``pool``), where positions share one. For an amount of 0 there are no commands.
    """
    state, now, found, way = node.root.state, node.now(), desk(node), parameters.text("way")
    if way not in ("add", "take"):
        raise Problem("not_found", "margin is changed by add or by take")
    adds = way == "add"
    asked = {
        "position": parameters.text("position"),
        "token": parameters.text("token"),
        "pool": parameters.text("pool"),
    }
    try:
        token = found.margin_token(state, now, adds=adds, **asked)
        amount = scaled(parameters, "amount", _unit(state, token) if token else USD)
        commands = found.margin(state, now, adds=adds, amount=amount, **asked) if amount else []
    except Reject as refused:
        raise NotAdmitted(refused.rejection) from None
    except ValueError:
        raise Problem("malformed_request", "no position is called so") from None
    return {
        "sequence": str(node.root.sequence),
        "unit": token or "USD",
        "commands": [plain(command) for command in commands],
    }


def _idle(node: Node, parameters: Parameters) -> Any:
    """Where a design keeps margin apart: the commands that take out what backed a position; elsewhere none."""
    answer: dict[str, Any] = {"sequence": str(node.root.sequence), "commands": []}
    try:
        commands = desk_of(node.root.state).idle(node.root.state, parameters.text("position"))
    except LookupError:
        return answer
    except ValueError:
        raise Problem("malformed_request", "no position is called so") from None
    return {**answer, "commands": [plain(command) for command in commands]}


def _unit(reader: Reader, symbol: str) -> int:
    token = reader.get(Token, (symbol,))
    if token is None:
        raise Problem("not_found", f"no token {symbol}")
    return token.unit


def scaled(parameters: Parameters, name: str, unit: int) -> int:
    """A decimal parameter as an integer at ``unit``; what lies beyond its last place is refused."""
    text = parameters.text(name, "0") or "0"
    whole, _, fraction = text.partition(".")
    places = len(str(unit)) - 1
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit() or len(text) > 80:
        raise Problem("malformed_request", f"{name} is a decimal number")
    if len(fraction) > places:
        raise Problem("malformed_request", f"{name} has at most {places} decimals")
    value = int(whole or "0") * unit + int(fraction.ljust(places, "0") or "0")
    if value >= UINT256:
        raise Problem("malformed_request", f"{name} is too large")
    return value


def quote(node: Node, body: bytes) -> dict[str, Any]:
    """What commands would do one after the other, with balances, positions and pools before and after.

    Where an action only waits for a keeper, the keeper's part is quoted too, at the standing prices. The first
    refusal ends it; it is the answer's ``rejection``.
    """
    request = decode(_many, body)
    account = address(request.account)
    if not 1 <= len(request.commands) <= QUOTED_AT_ONCE:
        raise Problem("too_many_commands", limit=QUOTED_AT_ONCE, actual=len(request.commands))
    found, now, before = desk(node), node.now(), node.root.state
    try:
        pending = [(account, decode_command(bytes(text))) for text in request.commands]
    except Reject as refused:
        raise NotAdmitted(refused.rejection) from None
    after: Reader = before
    events: list[Any] = []
    rejection = None
    followed = False
    while pending and rejection is None:
        sender, command = pending.pop(0)
        answer = node.root.quote(Envelope(time=now, account=sender, command=command), after)
        rejection, after = answer.receipt.rejection, answer.after
        events.extend(answer.receipt.events)
        if not pending and rejection is None and not followed:
            pending, followed = found.expected(after, now, account), True
    return {
        "sequence": str(node.root.sequence),
        "accepted": rejection is None,
        "rejection": None if rejection is None else plain(rejection),
        "events": [plain(event) for event in events],
        "balances": _balances(before, after, account),
        "positions": _views(found, owned_by(node, account, after), now, account),
        "pools": _pools(found, after, now),
    }


def _balances(before: Reader, after: Reader, account: str) -> list[dict[str, str]]:
    rows = []
    counted = decimals_of(after)
    for token in after.each(Token):
        held, left = (reader.get(Balance, (account, token.symbol)) for reader in (before, after))
        old, new = 0 if held is None else held.amount, 0 if left is None else left.amount
        if old != new:
            figures = {"before": old, "after": new, "change": new - old}
            shown = {name: views.decimal(units, UNITS[counted[token.symbol]]) for name, units in figures.items()}
            rows.append({"token": token.symbol, **shown})
    return rows


def _views(found: Desk, reader: Reader, now: int, account: str) -> list[Any]:
    try:
        return [desk_views.position_row(view) for view in found.positions(reader, now, account)]
    except Reject:
        return []


def _pools(found: Desk, reader: Reader, now: int) -> list[Any]:
    try:
        return [desk_views.pool_row(reader, view) for view in found.pools(reader, now)]
    except Reject:
        return []


OPENING = ("pool", "market", "token", "amount", "size", "price")
MARGIN = ("position", "amount", "token", "pool")
READS: list[Read] = [
    Read("/v1/desk", "pools and markets, valued now", _overview, "desk", ("lag",)),
    Read("/v1/desk/positions", "an account's positions with health", _positions, "desk", ("account", "limit")),
    Read("/v1/desk/open/{side}", "the commands that would open a position", _open, "desk", OPENING),
    Read("/v1/desk/close/{fraction}", "the commands that would close a position", _close, "desk", ("position",)),
    Read("/v1/desk/margin/{way}", "the commands that would change what backs a position", _margin, "desk", MARGIN),
    Read("/v1/desk/idle", "the commands that take out margin of a closed position", _idle, "desk", ("position",)),
    Read("/v1/desk/risk", "who would be liquidated where, and what traders stand to win", desk_risk.risk, "desk"),
]
