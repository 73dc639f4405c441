"""Facts about token ownership. The auditor re-derives every balance from these alone."""

from __future__ import annotations

from zlp.engine.events.base import Event


class Transferred(Event, frozen=True):
    """``amount`` base units moved between two owners."""

    token: str
    source: str
    target: str
    amount: int


class Issued(Event, frozen=True):
    """``amount`` base units came into being at ``target`` (deposit, mint, faucet)."""

    token: str
    target: str
    amount: int


class Retired(Event, frozen=True):
    """``amount`` base units ceased to exist at ``source`` (withdrawal, burn)."""

    token: str
    source: str
    amount: int


class WithdrawalRequested(Event, frozen=True):
    """Tokens wait for the bridge to pay them out."""

    number: int
    account: str
    token: str
    amount: int
    destination: str


class WithdrawalSettled(Event, frozen=True):
    """The bridge paid a withdrawal out, or gave it back."""

    number: int
    account: str
    paid: bool
    reference: str
