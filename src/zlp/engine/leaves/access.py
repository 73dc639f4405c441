"""Who may do what: the venue itself, roles, multisigs, agents, nonces, pauses, installed branches."""

from __future__ import annotations

import enum

from zlp.engine.leaves.base import Key, Leaf


class Role(enum.StrEnum):
    """What an address or a multisig may be trusted with."""

    GOVERNOR = "governor"
    TREASURER = "treasurer"
    KEEPER = "keeper"
    LIQUIDATOR = "liquidator"
    PRICE_SIGNER = "price_signer"
    GUARDIAN = "guardian"
    BRIDGE = "bridge"


class Venue(Leaf, frozen=True):
    """The one record that names this venue; written by the first command of the log.

    ``identity``: separates this venue's signatures from every other's. ``profile``: the profile's title, for
    people. ``profile_hash``: SHA-256 of the profile that compiled to genesis, hexadecimal.
    """

    identity: str
    profile: str
    profile_hash: str
    engine_version: str

    @property
    def key(self) -> Key:
        """There is one."""
        return ()


class RoleHolder(Leaf, frozen=True):
    """One holder (an account or ``multisig:name``) of one role."""

    role: str
    holder: str

    @property
    def key(self) -> Key:
        """By role and holder."""
        return (self.role, self.holder)


class Multisig(Leaf, frozen=True):
    """A t-of-n account: ``threshold`` of ``members`` must approve each of its commands."""

    name: str
    members: tuple[str, ...]
    threshold: int

    @property
    def key(self) -> Key:
        """By name."""
        return (self.name,)

    @property
    def account(self) -> str:
        """The account it acts as."""
        return f"multisig:{self.name}"


class Proposal(Leaf, frozen=True):
    """A command that waits for approvals of a multisig. ``command`` is its JSON text."""

    number: int
    multisig: str
    command: str
    approvals: tuple[str, ...]
    expires: int

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)


class Agent(Leaf, frozen=True):
    """A key that may sign for an account, for some scopes, until ``expires`` (seconds)."""

    account: str
    agent: str
    scopes: tuple[str, ...]
    expires: int

    @property
    def key(self) -> Key:
        """By account and agent."""
        return (self.account, self.agent)


class Nonces(Leaf, frozen=True):
    """The highest nonces an account has used, rising. A new one must be absent and above the lowest kept."""

    account: str
    used: tuple[int, ...]

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)


EVERYTHING = "*"
"""The scope of a general pause."""


class Pause(Leaf, frozen=True):
    """A scope the guardian has stopped: a command type, or ``*`` for all that does not reduce risk."""

    scope: str

    @property
    def key(self) -> Key:
        """By scope."""
        return (self.scope,)


class Installed(Leaf, frozen=True):
    """A branch of the catalogue that this venue runs."""

    branch: str
    version: int

    @property
    def key(self) -> Key:
        """By name."""
        return (self.branch,)


class Counter(Leaf, frozen=True):
    """A number that only rises: the next identifier of a kind of record."""

    name: str
    next: int

    @property
    def key(self) -> Key:
        """By name."""
        return (self.name,)
