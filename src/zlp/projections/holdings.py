"""Tokens that came, went and moved; withdrawals; rewards; and the log of governance."""

from __future__ import annotations

from typing import Any

from zlp.engine.codec import wire
from zlp.engine.events.credit import VaultRewardsClaimed
from zlp.engine.events.governance import ParameterChanged
from zlp.engine.events.ledger import Issued, Retired, Transferred, WithdrawalRequested, WithdrawalSettled
from zlp.engine.events.revenue import EpochClaimed
from zlp.engine.events.staking import RewardClaimed
from zlp.projections import tables
from zlp.projections.batch import Batch, Place
from zlp.projections.names import Names


def moved(batch: Batch, names: Names, place: Place, event: Transferred | Issued | Retired) -> None:  # noqa: ARG001 - handlers are alike
    """Tokens between two owners, into being, or out of it. Holders of the engine's own are ``kind:name``."""
    batch.append(
        tables.transfers,
        place,
        kind=type(event).__name__.lower(),
        token=event.token,
        source=getattr(event, "source", ""),
        target=getattr(event, "target", ""),
        amount=event.amount,
    )


def withdrawal_requested(batch: Batch, names: Names, place: Place, event: WithdrawalRequested) -> None:  # noqa: ARG001 - handlers are alike
    """Tokens wait for the bridge."""
    batch.put(
        tables.withdrawals,
        withdrawal=str(event.number),
        requested_in=place.sequence,
        requested_at=place.time,
        account=event.account,
        token=event.token,
        amount=event.amount,
        destination=event.destination,
        status="waiting",
    )


def withdrawal_settled(batch: Batch, names: Names, place: Place, event: WithdrawalSettled) -> None:  # noqa: ARG001 - handlers are alike
    """The bridge paid, or gave back."""
    row = batch.card(tables.withdrawals, str(event.number))
    if row is not None:
        status = "paid" if event.paid else "returned"
        end = {"status": status, "reference": event.reference, "settled_at": place.time}
        batch.put(tables.withdrawals, **{**row, **end})


def rewarded(
    batch: Batch, names: Names, place: Place, event: RewardClaimed | EpochClaimed | VaultRewardsClaimed
) -> None:
    """Rewards that an account claimed; a vault pays in the venue's one reward token."""
    token = getattr(event, "token", names.reward)
    kind = {"RewardClaimed": "staking", "EpochClaimed": "epoch", "VaultRewardsClaimed": "vault"}[type(event).__name__]
    batch.append(tables.rewards, place, kind=kind, account=event.account, token=token, amount=event.amount)


def governed(batch: Batch, names: Names, place: Place, event: Any) -> None:
    """A fact of authority, whole."""
    if isinstance(event, ParameterChanged):
        names.changed(batch, place, event)
    batch.append(
        tables.governance, place, kind=type(event).__name__, account=place.account, record=wire(event).decode()
    )
