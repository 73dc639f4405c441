"""Asks the venue, once a minute and right after a price post, to put on record what its pools are worth.

The answer is a command in the log like any other, so the history of share prices follows from the log alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.events.prices import FastPricePosted, RoundPosted
from zlp.engine.leaves import SETTINGS
from zlp.engine.leaves.access import Role, RoleHolder
from zlp.node.facts import Fact, Submission
from zlp.node.faults import NodeDown, NodeFull
from zlp.node.node import Node, Reply

EVERY = 60
SHARED = tuple(kind for kind in SETTINGS.values() if "share" in kind.__struct_fields__)
"""Settings of everything that has shares; their key begins with its name."""


class Measuring:
    """Listens to a node's feed. ``every``: seconds of venue time between measurings of every pool."""

    def __init__(self, node: Node, every: int = EVERY) -> None:
        self._node, self._every = node, every
        self._done = 0
        self.stop = node.feed.listen(self._heard)

    def _heard(self, facts: Sequence[Fact]) -> None:
        newest = facts[-1].receipt.time // self._every
        if newest > self._done and any(_posts(fact) for fact in facts):
            self._done = newest
            asyncio.get_running_loop().call_soon(self._ask)

    def _ask(self) -> None:
        state = self._node.root.state
        commands = [MeasurePool(pool=str(settings.key[0])) for kind in SHARED for settings in state.each(kind)]
        if not commands:
            return
        account = next((held.holder for held in state.each(RoleHolder) if held.role == Role.KEEPER), "measuring")
        try:
            reply = self._node.submit(Submission.trusted(account, *commands, local="measuring"))
        except (NodeDown, NodeFull):
            return  # the next minute asks again
        reply.add_done_callback(_forget)


def _posts(fact: Fact) -> bool:
    return any(type(event) in (RoundPosted, FastPricePosted) for event in fact.receipt.events)


def _forget(reply: Reply) -> None:
    if not reply.cancelled():
        reply.exception()
