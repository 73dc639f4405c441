"""Decisions of those who hold a role, alone or as members of a multisig; and epochs of rewards, which they fund."""

from __future__ import annotations

import msgspec

from zlp.client.booking import NotSupported, Row
from zlp.client.faults import VenueError
from zlp.client.records import Receipt, from_units
from zlp.client.seat import Seat
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command
from zlp.engine.commands.governance import Approve, Propose
from zlp.engine.commands.revenue import FundEpoch
from zlp.engine.events.governance import Approved, Proposed
from zlp.engine.leaves.access import Multisig, Proposal, Role, RoleHolder
from zlp.engine.leaves.revenue import BUCKETS

PROPOSED_FOR = 3 * 86_400
"""Seconds in which the other members approve, where nothing else is said."""


class Governing(Seat):
    """Acts for the client's signer: a holder of a role, or a member of the multisig that holds it."""

    def decide(self, command: Command, *, multisig: str = "", expires: int = 0) -> Row:
        """Send a command; for a multisig propose it, which is the first approval, until second ``expires``.

        ``status``: done, or proposed under the number in ``proposal``.
        """
        if not multisig:
            return {"status": "done", "proposal": "", "info": self.client.send(command)}
        until = expires or self.client.venue().time + PROPOSED_FOR
        proposal = Propose(multisig=multisig, command=canonical(command).decode(), expires=until)
        return self._outcome(self.client.send(proposal))

    def approve(self, proposal: str) -> Row:
        """Approve a proposal; the approval that completes it runs the command. Answers like ``decide``."""
        return self._outcome(self.client.send(Approve(proposal=int(proposal))))

    def _outcome(self, receipt: Receipt) -> Row:
        number = next((event.number for event in receipt.events if isinstance(event, Proposed | Approved)), 0)
        done = any(isinstance(event, Approved) and event.executed for event in receipt.events)
        return {"status": "done" if done else "proposed", "proposal": str(number), "info": receipt}

    def proposals(self) -> list[Row]:
        """What waits: ``proposal`` (number), ``multisig``, ``command``, ``approvals``, ``threshold``, ``expires``."""
        groups = self._multisigs()
        leaves: list[Proposal] = list(self.client.leaves("Proposal"))
        return [
            {
                "proposal": str(leaf.number),
                "multisig": leaf.multisig,
                "command": msgspec.json.decode(leaf.command),
                "approvals": list(leaf.approvals),
                "threshold": groups[leaf.multisig].threshold,
                "expires": leaf.expires,
            }
            for leaf in leaves
        ]

    def seat(self, role: Role) -> str:
        """The multisig by which one acts in a role; empty where one holds it oneself. ``VenueError`` names who does."""
        found: list[RoleHolder] = list(self.client.leaves("RoleHolder"))
        holders = [leaf.holder for leaf in found if leaf.role == role]
        if self.account in holders:
            return ""
        groups = self._multisigs()
        for name, group in groups.items():
            if group.account in holders and self.account in group.members:
                return name
        named = [
            f"{name} ({', '.join(groups[name.removeprefix('multisig:')].members)})" if ":" in name else name
            for name in holders
        ]
        raise VenueError(f"you are no {role}; that is {' or '.join(named) or 'nobody'}")

    def buckets(self) -> list[Row]:
        """What collected fees have brought into each bucket: ``bucket``, ``token``, ``amount`` in whole tokens."""
        tokens = self.client.tokens()
        return [
            {"bucket": name, "token": held.token, "amount": f"{from_units(held.units, tokens[held.token].decimals):f}"}
            for name, holder in BUCKETS.items()
            for held in self.client.account(holder).balances
            if held.units
        ]

    def fund_epoch(
        self,
        token: str,
        amount: str,
        *,
        starts: int,
        ends: int,
        score: str = "volume",
        bucket: str = "treasury",
        pool: str = "",
    ) -> Row:
        """Open an epoch with whole tokens of a bucket, from second ``starts`` to ``ends``. Answers like ``decide``.

        ``score``: what counts, which is volume, fees or shares. For a multisig the others must approve before it
        starts. ``NotSupported`` where the design has no epochs.
        """
        if next(self.client.leaves("RevenueSettings"), None) is None:
            raise NotSupported("this design has no epochs")
        command = FundEpoch(
            pool=self._pool(pool)["pool"],
            bucket=bucket,
            token=token,
            amount=self.client.units(token, amount),
            starts=starts,
            ends=ends,
            score=score,
        )
        return self.decide(command, multisig=self.seat(Role.TREASURER), expires=starts)

    def _multisigs(self) -> dict[str, Multisig]:
        return {leaf.name: leaf for leaf in self.client.leaves("Multisig")}
