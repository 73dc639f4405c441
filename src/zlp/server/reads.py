"""What can be read: one line per path. The read model adds its routes to the same table.

A read is a plain function of the node and the request's parameters. It runs between two awaits, so its answer is of
one sequence, which every answer names. Lists are paged by cursor and never capped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from zlp.engine import Envelope
from zlp.engine.codec import plain
from zlp.engine.commands import COMMANDS
from zlp.engine.leaves.access import Installed, Pause, RoleHolder
from zlp.engine.leaves.base import Leaf
from zlp.node import Fact, Node, PastGone
from zlp.server import views
from zlp.server.intake import address, unsigned
from zlp.server.kept import Kept
from zlp.server.limits import Limits
from zlp.server.owned import owned_by
from zlp.server.problems import Problem
from zlp.signing.intent import INTENT_TYPE, VERSION

GOVERNANCE_SCAN = 5_000
MOST_LAG = 5_000
FEW_LEAVES = 2_000
"""So many are walked in a few milliseconds; more would hold up commands."""


class Parameters:
    """Path and query parameters of one request, checked when they are asked for."""

    def __init__(self, path: dict[str, str], query: dict[str, str], limits: Limits) -> None:
        self._path, self._query, self.limits = path, query, limits

    def account(self) -> str:
        """``{account}``: an address, or ``multisig:name`` and the engine's own holders."""
        text = self._path["account"]
        return text if ":" in text and len(text) <= 80 else address(text)

    def text(self, name: str, default: str = "") -> str:
        """Any parameter, at most 512 characters."""
        value = self._path.get(name, self._query.get(name, default))
        if len(value) > 512:
            raise Problem("malformed_request", f"{name} is too long", limit=512, actual=len(value))
        return value

    def number(self, name: str, default: int = 0) -> int:
        """Decimal text of at most 18 digits."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise Problem("malformed_request", f"{name} is decimal text of at most 18 digits")
        return int(text)

    def lag(self) -> float:
        """Seconds that an answer may be old, a few at most."""
        return min(self.number("lag"), MOST_LAG) / 1_000

    def limit(self) -> int:
        """Page size."""
        return max(1, min(self.number("limit", 100), self.limits.page))


Handler = Callable[[Node, Parameters], Any]


class Read(msgspec.Struct, frozen=True):
    """``GET path``. ``query``: names of its query parameters, described in ``QUERY``.

    What ``handler`` answers is plain JSON values, or a function that makes them beside the event loop.
    ``in_thread``: it reads a database instead of the state, so it may wait, in a thread of its own. Then it may
    also answer pieces of text, of ``media_type``, that are sent as they come.
    """

    path: str
    summary: str
    handler: Handler
    tag: str = "state"
    query: tuple[str, ...] = ()
    in_thread: bool = False
    media_type: str = "application/json"


QUERY = {
    "after": "cursor: the `next` of the page before; a sequence where the items are receipts",
    "before": "only sequences below this one; the `next` of the page before",
    "lag": "how many milliseconds the answer may be old, so that one answer serves many; 0 if not given",
    "limit": "items per page, 100 if not given, 1000 at most",
    "sort": "newest (first) or oldest; with `after`, oldest",
    "sequence": "wait, for some seconds at most, until history has reached this sequence",
    "order": "only of this order",
    "from": "only from this second on",
    "to": "only before this second",
    "interval": "1m, 5m, 15m, 1h, 4h or 1d; 1h if not given",
    "window": "how many seconds back; a week if not given",
    "step": "seconds of one step; a day if not given",
    "format": "generic, koinly or cointracking",
    "account": "only of this account",
    "market": "only of this market",
    "pool": "only of this pool",
    "kind": "only of this kind",
    "token": "only of this token",
    "price": "what a size is divided by where a design counts coins: the price of a limit; the present one without it",
    "status": "only with this status",
    "client": "only with this client id",
    "amount": "a decimal number of whole tokens",
    "size": "notional in USD, a decimal number",
    "position": "the text by which positions are listed",
    "given": "inputs as `name=decimal` pairs joined by commas; the published example's where left out",
}
PAGED = ("after", "limit")


def _venue(node: Node, parameters: Parameters) -> Any:
    limits = parameters.limits
    return {
        **views.venue(node.root, node.now()),
        "signing": {"domain": {"name": node.identity, "version": VERSION}, "type": INTENT_TYPE},
        "branches": [plain(each) for each in node.root.state.each(Installed)],
        "pauses": [each.scope for each in node.root.state.each(Pause)],
        "roles": [plain(each) for each in node.root.state.each(RoleHolder)],
        "limits": {name: str(getattr(limits, name)) for name in limits.__dataclass_fields__},
    }


def _list(rows: list[Any], node: Node) -> dict[str, Any]:
    return {"sequence": str(node.root.sequence), "items": rows}


def _account(node: Node, parameters: Parameters) -> Any:
    account = parameters.account()
    return {"sequence": str(node.root.sequence), **views.account(owned_by(node, account), account)}


def _owned(kinds: tuple[type[Leaf], ...]) -> Handler:
    def handler(node: Node, parameters: Parameters) -> Any:
        return _list(views.owned(owned_by(node, parameters.account()), kinds), node)

    return handler


def _paged(kinds: tuple[type[Leaf], ...]) -> Handler:
    """Leaves of these kinds by pages: walked at once where they are few, beside the event loop where not."""

    def handler(node: Node, parameters: Parameters) -> Any:
        after, limit = parameters.text("after"), parameters.limit()
        if views.count(node.root, kinds) <= FEW_LEAVES:
            return views.page(node.root, kinds, after, limit)
        frozen = views.freeze(node.root, kinds)
        return lambda: views.page(frozen, kinds, after, limit)

    return handler


def _leaves(node: Node, parameters: Parameters) -> Any:
    kind = views.KIND_BY_NAME.get(parameters.text("kind"))
    if kind is None:
        raise Problem("not_found", f"kinds of leaves are {', '.join(views.KIND_BY_NAME)}")
    return _paged((kind,))(node, parameters)


def _kinds(node: Node, parameters: Parameters) -> Any:  # noqa: ARG001 - every read has these arguments
    tables = node.root.state.tables
    return _list(
        [{"kind": name, "count": str(len(tables.get(kind, ())))} for name, kind in views.KIND_BY_NAME.items()], node
    )


def fact_json(fact: Fact) -> dict[str, Any]:
    """A fact for people: who asked what, and the receipt."""
    return {
        "sequence": str(fact.sequence),
        "time_ns": str(fact.time_ns),
        "account": fact.account,
        "command": plain(fact.command),
        "receipt": msgspec.Raw(fact.body),
    }


def _receipts(node: Node, parameters: Parameters) -> Any:
    after, limit = parameters.number("after", node.feed.oldest() - 1), parameters.limit()
    facts = _read(node, after, limit)
    more = bool(facts) and facts[-1].sequence < node.feed.last
    return {
        "sequence": str(node.feed.last),
        "items": [fact_json(fact) for fact in facts],
        "next": str(facts[-1].sequence) if more else None,
    }


def _read(node: Node, after: int, limit: int) -> list[Fact]:
    try:
        return node.feed.read(after, limit)
    except PastGone as fault:
        raise Problem("compacted", str(fault), limit=fault.oldest, actual=after + 1) from None


def _receipt(node: Node, parameters: Parameters) -> Any:
    sequence = parameters.number("number")
    if not 1 <= sequence <= node.feed.last:
        raise Problem("not_found", "no such sequence", limit=node.feed.last, actual=sequence)
    return fact_json(_read(node, sequence - 1, 1)[0])


def _intent(node: Node, parameters: Parameters) -> Any:
    account, name = parameters.account(), parameters.text("client_id")
    sequence = node.find(account, name)
    if sequence is None:
        raise Problem("not_found", f"{account} has sent nothing under this client id or nonce")
    return fact_json(_read(node, sequence - 1, 1)[0])


def _governance(node: Node, parameters: Parameters) -> Any:
    """Newest first. Each page looks at a bounded stretch of the log, so it may be short or empty before the end."""
    before = parameters.number("before") or node.feed.last + 1
    lowest = max(node.feed.oldest() - 1, min(before, node.feed.last + 1) - 1 - GOVERNANCE_SCAN)
    found: list[Fact] = []
    if before - 1 > lowest:
        stretch = _read(node, lowest, min(before, node.feed.last + 1) - 1 - lowest)
        found = [fact for fact in reversed(stretch) if fact.command.scope == "govern"]
    limit = parameters.limit()
    if len(found) > limit:
        found = found[:limit]
        lowest = found[-1].sequence - 1
    more = lowest >= node.feed.oldest()
    return {**_list([fact_json(fact) for fact in found], node), "next": str(lowest + 1) if more else None}


def _command_kinds(node: Node, parameters: Parameters) -> Any:  # noqa: ARG001 - every read has these arguments
    return _list(
        [
            {
                "type": name,
                "scope": kind.scope,
                "orderable": kind.orderable,
                "reduces_risk": kind.reduces_risk,
                "fields": list(kind.__struct_fields__),
            }
            for name, kind in COMMANDS.items()
        ],
        node,
    )


_kept_prices = Kept()


def _prices(node: Node, parameters: Parameters) -> Any:
    found = _kept_prices.find(node, "", parameters.lag())
    return found or _kept_prices.make(node, "", lambda: _list(views.prices(node.root, node.now()), node))


READS: list[Read] = [
    Read("/v1/venue", "the venue, how to sign for it, and its limits", _venue, "venue"),
    Read("/v1/commands", "the commands there are", _command_kinds, "commands"),
    Read("/v1/tokens", "tokens and their supply", lambda node, _: _list(views.tokens(node.root), node)),
    Read("/v1/prices", "prices and their sources", _prices, query=("lag",)),
    Read("/v1/markets", "markets", _paged(views.MARKETS), query=PAGED),
    Read("/v1/pools", "pools, vaults and funds", _paged(views.POOLS), query=PAGED),
    Read("/v1/positions", "all positions", _paged(views.POSITIONS), query=PAGED),
    Read("/v1/orders", "all waiting orders and requests", _paged(views.ORDERS), query=PAGED),
    Read("/v1/accounts/{account}", "all that is held for an account", _account, "accounts"),
    Read(
        "/v1/accounts/{account}/balances",
        "its balances",
        lambda node, given: _list(views.balances(node.root.state, given.account()), node),
        "accounts",
    ),
    Read("/v1/accounts/{account}/positions", "its positions", _owned(views.POSITIONS), "accounts"),
    Read("/v1/accounts/{account}/orders", "its waiting orders and requests", _owned(views.ORDERS), "accounts"),
    Read(
        "/v1/accounts/{account}/intents/{client_id}",
        "what became of an intent (by client id or nonce)",
        _intent,
        "accounts",
    ),
    Read("/v1/leaves", "kinds of leaves and how many there are", _kinds),
    Read("/v1/leaves/{kind}", "leaves of one kind, in key order", _leaves, query=PAGED),
    Read("/v1/receipts", "the log: commands and receipts by sequence", _receipts, "log", PAGED),
    Read("/v1/receipts/{number}", "one command and its receipt", _receipt, "log"),
    Read("/v1/governance", "the governance log, newest first", _governance, "log", ("before", "limit")),
]


def quote(node: Node, body: bytes) -> dict[str, Any]:
    """What a command would do if it were sequenced now; nothing changes (A5)."""
    account, command = unsigned(body)
    envelope = Envelope(time=node.now(), account=account, command=command)
    answer = node.root.quote(envelope)
    return {
        "sequence": str(node.root.sequence),
        "accepted": answer.receipt.accepted,
        "receipt": plain(answer.receipt),
        "balances_after": views.held_by(answer.after, account),
    }
