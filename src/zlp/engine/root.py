"""The root: the only door to the state.

It checks a command, routes it to the branch that handles its type inside a draft, checks the invariants,
commits or drops the draft, and keeps the digest chain. It holds no rule of any market.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from zlp.engine import access, invariants
from zlp.engine.branches import CATALOGUE
from zlp.engine.branches.base import Handler, Observer
from zlp.engine.codec import canonical, decode_leaf, plain
from zlp.engine.commands.base import Command, Envelope, MalformedEnvelope, check_envelope, check_ranges
from zlp.engine.draft import Draft
from zlp.engine.events.base import Event
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.base import Key, Leaf
from zlp.engine.pricing import PRICED_BY
from zlp.engine.rejections import Code, Reject, Rejection
from zlp.engine.state import Reader, State

GENESIS = bytes(32)
"""The digest before the first command."""
ALWAYS_INSTALLED = "governance"
NOTHING: frozenset[Code] = frozenset()
Watcher = Callable[[Mapping[type[Leaf], Mapping[Key, Leaf | None]]], None]


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What became of one command: its events, or a rejection; and the digest of the log up to here."""

    sequence: int
    time: int
    events: tuple[Any, ...]
    rejection: Rejection | None
    digest: str

    @property
    def accepted(self) -> bool:
        """Whether the command changed anything."""
        return self.rejection is None


class Quote(msgspec.Struct, frozen=True):
    """What a command would do: its receipt (without digest), and the state as it would be after."""

    receipt: Receipt
    after: Any


class Root:
    """One venue's state machine: the whole state is a pure function of the envelopes applied.

    ``chain_n = SHA256(chain_{n-1}, envelope, events, rejection, every changed leaf)`` commits to all state
    and costs O(touched). A rejection counts by code, limit and actual value: its wording is for people and may
    come from a library. Deleted leaves enter as their kind and key.
    """

    __slots__ = ("_observers", "_routes", "_watchers", "chain", "sequence", "state", "time")

    def __init__(
        self, leaves: Iterable[Leaf] = (), *, chain: bytes = GENESIS, sequence: int = 0, time: int = 0
    ) -> None:
        self.state = State(leaves)
        self.chain = chain
        self.sequence = sequence
        self.time = time
        self._routes: dict[type[Command], Handler] = {}
        self._observers: dict[type[Event], tuple[Observer, ...]] = {}
        self._watchers: list[Watcher] = []
        self._connect()

    def apply(self, envelope: Envelope, *, turned_away: frozenset[Code] = NOTHING) -> Receipt:
        """Sequence one command. Raises ``InvariantBroken`` (state unchanged) if the engine is at fault.

        ``turned_away``: who is refused at the door with one of these codes leaves no trace; it is raised as ``Reject``.
        """
        draft, rejection = self._run(envelope, turned_away=turned_away)
        events: tuple[Event, ...] = () if rejection else tuple(draft.events)
        changed = [] if rejection else _changes(draft)
        outcome = canonical((events, rejection and (rejection.code, rejection.limit, rejection.actual)))
        body = b"".join((self.chain, _asked(envelope), outcome, *changed))
        self.sequence += 1
        self.time = max(self.time, envelope.time)
        self.chain = hashlib.sha256(body).digest()
        if rejection is None:
            self._commit(draft)
        return Receipt(self.sequence, envelope.time, events, rejection, self.chain.hex())

    def quote(self, envelope: Envelope, upon: Reader | None = None) -> Quote:
        """What ``apply`` would answer now, and the state after it; nothing changes.

        An action that a profile runs only by orders is quoted as if an order ran it at these prices. ``upon``: the
        state after an earlier quote, to quote several commands in a row.
        """
        draft, rejection = self._run(envelope, quoting=True, upon=upon)
        events: tuple[Event, ...] = () if rejection else tuple(draft.events)
        receipt = Receipt(self.sequence + 1, envelope.time, events, rejection, "")
        return Quote(receipt, (self.state if upon is None else upon) if rejection else draft)

    def _run(
        self,
        envelope: Envelope,
        *,
        quoting: bool = False,
        upon: Reader | None = None,
        turned_away: frozenset[Code] = NOTHING,
    ) -> tuple[Draft, Rejection | None]:
        check_envelope(envelope)
        draft = Draft(
            self.state if upon is None else upon,
            time=envelope.time,
            sender=envelope.account,
            sequence=self.sequence + 1,
            route=self._route,
        )
        try:
            if envelope.time < self.time:
                raise Reject(Code.TIME_WENT_BACK, limit=self.time, actual=envelope.time)
            check_ranges(envelope.command)
            access.admit(draft, envelope, quoting=quoting)
        except Reject as refused:
            if turned_away:
                _turn_away(draft, envelope, refused, turned_away)
            return draft, refused.rejection
        try:
            self._route(draft, envelope.command)
            if self._observers:
                self._observe(draft)
        except Reject as refused:
            return draft, refused.rejection
        invariants.check(draft)
        return draft, None

    def _route(self, draft: Draft, command: Command) -> None:
        handler = self._routes.get(type(command))
        if handler is None:
            raise Reject(Code.UNKNOWN_COMMAND, detail=type(command).__name__)
        handler(draft, command)

    def _observe(self, draft: Draft) -> None:
        """Show every recorded event, also those of observers, to the branches that watch its type."""
        seen = 0
        while seen < len(draft.events):
            event = draft.events[seen]
            for observer in self._observers.get(type(event), ()):
                observer(draft, event)
            seen += 1

    def _commit(self, draft: Draft) -> None:
        tables = self.state.tables
        for kind, writes in draft.writes.items():
            table = tables.setdefault(kind, {})
            for key, leaf in writes.items():
                if leaf is None:
                    table.pop(key, None)
                else:
                    table[key] = leaf
        if not PRICED_BY.isdisjoint(draft.writes):
            self.state.prices = (0, {})
        if Installed in draft.writes:
            self._connect()
        for watcher in self._watchers:
            watcher(draft.writes)

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher`` with the leaves that each accepted command has stored (``None`` where it removed one)."""
        self._watchers.append(watcher)

    def copy(self) -> Root:
        """The root as it is now: leaves are immutable, so only their tables are copied. Nobody watches the copy."""
        root = Root(chain=self.chain, sequence=self.sequence, time=self.time)
        root.state.tables = {kind: dict(table) for kind, table in self.state.tables.items()}
        root._connect()
        return root

    def _connect(self) -> None:
        """Rebuild the routing table from the branches that are installed."""
        self._routes = dict(CATALOGUE[ALWAYS_INSTALLED, 1].handlers)
        self._observers = {}
        for installed in sorted(self.state.each(Installed), key=lambda leaf: leaf.branch):
            branch = CATALOGUE[installed.branch, installed.version]
            self._routes.update(branch.handlers)
            for kind, observer in branch.observers.items():
                self._observers[kind] = (*self._observers.get(kind, ()), observer)

    def state_hash(self) -> str:
        """SHA-256 over every leaf in canonical form, sorted: equal states have equal hashes. O(leaves)."""
        digest = hashlib.sha256()
        for encoded in sorted(canonical(leaf) for leaf in self.state.leaves()):
            digest.update(encoded)
            digest.update(b"\n")
        return digest.hexdigest()

    def audit(self) -> list[str]:
        """Every fault of the whole state, checked the slow way: empty when all is well."""
        faults = list(invariants.audit(self.state))
        for installed in self.state.each(Installed):
            check = CATALOGUE[installed.branch, installed.version].audit
            if check is not None:
                faults.extend(check(self.state))
        return faults

    def snapshot(self) -> dict[str, Any]:
        """The state, its place in the log and its hash, ready for JSON (integers as decimal strings).

        Leaves keep the order in which they were stored: a restored root must walk them as this one does.
        """
        return {
            "sequence": str(self.sequence),
            "time": str(self.time),
            "chain": self.chain.hex(),
            "state_hash": self.state_hash(),
            "leaves": [plain(leaf) for leaf in self.state.leaves()],
        }

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Root:
        """The root a snapshot was taken of. Raises ``ValueError`` if its state hash does not match."""
        root = cls(
            (decode_leaf(msgspec.json.encode(leaf)) for leaf in snapshot["leaves"]),
            chain=bytes.fromhex(snapshot["chain"]),
            sequence=int(snapshot["sequence"]),
            time=int(snapshot["time"]),
        )
        if root.state_hash() != snapshot["state_hash"]:
            raise ValueError("the snapshot's leaves do not match its state hash")
        return root


def _asked(envelope: Envelope) -> bytes:
    """Canonical bytes of an envelope; what can't be written down can't be sequenced."""
    try:
        return canonical(envelope)
    except (TypeError, UnicodeError) as fault:
        raise MalformedEnvelope(str(fault)) from None


def _turn_away(draft: Draft, envelope: Envelope, refused: Reject, turned_away: frozenset[Code]) -> None:
    """Raise what refuses the sender at the door, if anything does, also where what he asks for is out of range."""
    if refused.rejection.code in turned_away:
        raise refused
    try:
        access.admit(draft, envelope)
    except Reject as at_the_door:
        if at_the_door.rejection.code in turned_away:
            raise


def _changes(draft: Draft) -> list[bytes]:
    """Canonical bytes of every changed leaf, in byte order."""
    return sorted(
        [
            canonical((kind.__name__, key)) if leaf is None else canonical(leaf)
            for kind, writes in draft.writes.items()
            for key, leaf in writes.items()
        ]
    )
