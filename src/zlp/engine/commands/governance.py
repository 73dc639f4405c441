"""Commands of authority: founding, parameters, roles, multisigs, agents, pauses, branches."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zlp.engine.commands.base import Command


class Found(Command, frozen=True, kw_only=True):
    """First command of a log: names the venue and its first governor."""

    scope: ClassVar[str] = "govern"
    identity: str
    profile: str
    profile_hash: str
    engine_version: str
    governor: str


class Configure(Command, frozen=True, kw_only=True):
    """Governor: put a whole settings record. ``settings`` is its JSON text, ``{"type": "Token", ...}``."""

    scope: ClassVar[str] = "govern"
    settings: str


class SetParameter(Command, frozen=True, kw_only=True):
    """Governor: change one field of one settings record.

    ``leaf``: its type. ``key``: its key as JSON text, ``["main", "ETH"]``. ``field``: the field, dotted where
    it lies inside a mechanism (``swap_fees.tax_bps``). ``value``: the new value as JSON text.
    """

    scope: ClassVar[str] = "govern"
    leaf: str
    key: str
    field: str
    value: str


class GrantRole(Command, frozen=True, kw_only=True):
    """Governor: give a role to an account or ``multisig:name``."""

    scope: ClassVar[str] = "govern"
    role: str
    holder: str


class RevokeRole(Command, frozen=True, kw_only=True):
    """Governor: take a role away. The last governor can't be removed."""

    scope: ClassVar[str] = "govern"
    role: str
    holder: str


class SetMultisig(Command, frozen=True, kw_only=True):
    """Governor: create or change a t-of-n multisig; it acts as ``multisig:name``."""

    scope: ClassVar[str] = "govern"
    name: str
    members: tuple[str, ...]
    threshold: int


class Propose(Command, frozen=True, kw_only=True):
    """Member: propose a command of a multisig and approve it. Runs at once when the threshold is 1.

    ``command`` is its JSON text; ``expires`` (seconds) is the last moment at which it may be approved.
    """

    scope: ClassVar[str] = "govern"
    multisig: str
    command: str
    expires: int


class Approve(Command, frozen=True, kw_only=True):
    """Member: approve a proposal. The approval that reaches the threshold runs the command."""

    scope: ClassVar[str] = "govern"
    proposal: int


class PauseScope(Command, frozen=True, kw_only=True):
    """Guardian: stop a command type, or ``*``: everything that does not reduce risk."""

    scope: ClassVar[str] = "govern"
    target: str


class ResumeScope(Command, frozen=True, kw_only=True):
    """Governor: end a pause."""

    scope: ClassVar[str] = "govern"
    target: str


class ApproveAgent(Command, frozen=True, kw_only=True):
    """Let another key sign for this account: ``scopes`` of trade, liquidity, transfer, keep; until ``expires``."""

    scope: ClassVar[str] = "govern"
    agent: str
    scopes: tuple[str, ...]
    expires: int


class RevokeAgent(Command, frozen=True, kw_only=True):
    """Withdraw an agent's approval."""

    scope: ClassVar[str] = "govern"
    reduces_risk: ClassVar[bool] = True
    agent: str


class BranchCut(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the tree: ``action`` add, replace (by another version, with its migration) or remove."""

    action: str
    branch: str
    version: int


class UpgradeBranches(Command, frozen=True, kw_only=True):
    """Governor: change which branches of the catalogue this venue runs; all cuts or none."""

    scope: ClassVar[str] = "govern"
    cuts: tuple[BranchCut, ...]
