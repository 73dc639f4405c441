"""Facts of authority. Parameter changes carry the old and the new value."""

from __future__ import annotations

from zlp.engine.events.base import Event


class Founded(Event, frozen=True):
    """The venue exists."""

    identity: str
    profile: str
    profile_hash: str
    governor: str


class ParameterChanged(Event, frozen=True):
    """A settings record changed. ``old`` and ``new`` are JSON text; ``field`` is empty for a whole record."""

    leaf: str
    key: str
    field: str
    old: str
    new: str


class RoleGranted(Event, frozen=True):
    """``holder`` now has ``role``."""

    role: str
    holder: str


class RoleRevoked(Event, frozen=True):
    """``holder`` no longer has ``role``."""

    role: str
    holder: str


class MultisigSet(Event, frozen=True):
    """A multisig exists with these members and threshold."""

    name: str
    members: tuple[str, ...]
    threshold: int


class Proposed(Event, frozen=True):
    """A multisig command waits for approvals."""

    number: int
    multisig: str
    command: str
    proposer: str


class Approved(Event, frozen=True):
    """A member approved; ``executed`` when this approval ran the command."""

    number: int
    member: str
    executed: bool


class Paused(Event, frozen=True):
    """The guardian stopped a scope."""

    scope: str


class Resumed(Event, frozen=True):
    """The governor ended a pause."""

    scope: str


class AgentApproved(Event, frozen=True):
    """A key may sign for an account."""

    account: str
    agent: str
    scopes: tuple[str, ...]
    expires: int


class AgentRevoked(Event, frozen=True):
    """A key may no longer sign for an account."""

    account: str
    agent: str


class BranchChanged(Event, frozen=True):
    """The tree changed: ``action`` add, replace or remove; versions are 0 where there is none."""

    action: str
    branch: str
    old_version: int
    new_version: int
