"""What can be subscribed to: which facts go to which channel, and what a subscriber sees first.

A channel either carries whole receipts, or the events of some types. An ``id`` narrows it to facts in which that
account, asset, token, market or pool occurs; without one everything comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from zlp.engine.codec import wire
from zlp.engine.events import KINDS as EVENTS
from zlp.engine.leaves.prices import PriceSettings
from zlp.node import Fact, Node
from zlp.server import views
from zlp.server.owned import owned_by

Snapshot = Callable[[Node, str], Any]


class Channel(msgspec.Struct, frozen=True):
    """``events``: types it carries, ``None`` for whole receipts. ``rejected``: only refused commands."""

    name: str
    summary: str
    snapshot: Snapshot | None
    events: frozenset[type] | None = None
    rejected: bool = False

    def first(self, node: Node, name: str) -> Any:
        """What a subscriber of ``name`` sees first, ``None`` where a channel has no state."""
        return None if self.snapshot is None else self.snapshot(node, name)

    def parts(self, fact: Fact, name: str) -> bytes | None:
        """The JSON this fact contributes for subscribers of ``name`` (empty: all), ``None`` for nothing."""
        if self.events is None:
            if self.rejected and fact.receipt.rejection is None:
                return None
            return fact.body if not name or name in mentioned(fact) else None
        chosen = [
            wire(event)
            for event in fact.receipt.events
            if type(event) in self.events and (not name or name in _texts(event))
        ]
        return b"[" + b",".join(chosen) + b"]" if chosen else None


def mentioned(fact: Fact) -> set[str]:
    """The sender and every text that occurs in the fact's events: accounts, tokens, markets."""
    found = {fact.account}
    for event in fact.receipt.events:
        found.update(_texts(event))
    return found


def _texts(event: Any) -> Iterable[str]:
    return [value for value in msgspec.structs.astuple(event) if type(value) is str]


def _events(*endings: str) -> frozenset[type]:
    return frozenset(kind for kind in EVENTS if kind.__name__.startswith(endings) or kind.__name__.endswith(endings))


def _account(node: Node, name: str) -> Any:
    return views.account(owned_by(node, name), name) if name else None


def _positions(node: Node, name: str) -> Any:
    return views.owned(owned_by(node, name), views.POSITIONS) if name else None


def _orders(node: Node, name: str) -> Any:
    return views.owned(owned_by(node, name), views.ORDERS) if name else None


def _prices(node: Node, name: str) -> Any:
    if not name:
        return views.prices(node.root, node.now())
    settings = node.root.state.get(PriceSettings, (name,))
    return [] if settings is None else [views.price(node.root, settings, node.now())]


TRADES = _events("Swapped", "PositionChanged", "Liquidated")
CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        Channel("log", "every receipt", None),
        Channel("account", "receipts that mention one account", _account),
        Channel("rejections", "refused commands", None, rejected=True),
        Channel("prices", "posted prices", _prices, _events("RoundPosted", "FastPricePosted", "PricesDisputed")),
        Channel("trades", "swaps, changes of positions, liquidations", None, TRADES),
        Channel("positions", "changes of positions", _positions, _events("PositionChanged", "Liquidated")),
        Channel(
            "orders",
            "an order's life: placed, updated, executed, skipped, cancelled",
            _orders,
            _events("Order", "CreditOrder", "SignedOrder"),
        ),
        Channel("liquidations", "liquidations", None, _events("Liquidated")),
        Channel("pool", "shares minted and burned, swaps, donations", None, _events("Shares", "Swapped", "Donated")),
        Channel("fees", "every fee", None, _events("FeeCharged")),
        Channel("funding", "funding paid and received", None, _events("Funding")),
        Channel("transfers", "tokens that moved, came or went", None, _events("Transferred", "Issued", "Retired")),
        Channel(
            "governance",
            "parameters, roles, multisigs, pauses, branches",
            None,
            _events(
                "ParameterChanged", "Role", "Multisig", "Proposed", "Approved", "Paused", "Resumed", "BranchChanged"
            ),
        ),
    )
}
