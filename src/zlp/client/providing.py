"""Providing liquidity in one's own words: mint, burn or ask to leave, stake, claim, vest; and spot swaps.

Which commands do it differs between designs; what is not there says so at once, and says what to do instead.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from zlp.client.booking import NotSupported, Row
from zlp.client.faults import Refused, Unreachable, VenueError
from zlp.client.records import Receipt, from_units
from zlp.client.seat import PAUSE, Seat
from zlp.engine.codec import plain
from zlp.engine.commands import credit, revenue, stability, staking
from zlp.engine.commands.base import Command
from zlp.engine.commands.liquidity import Burn, Mint, Swap
from zlp.engine.events.credit import StableSwapRequested
from zlp.engine.events.ledger import Issued, Transferred
from zlp.engine.leaves.credit import CreditSettings, CreditStake, CreditVaultSettings, Redemption
from zlp.engine.leaves.revenue import EpochScore
from zlp.engine.leaves.stability import StableSwapRequest
from zlp.engine.leaves.staking import Stake, StakingSettings, Vesting

STABLE_SWAP = "stable_swap:"
SHARES_WAIT = "this vault pays out after a delay: request first (zlp lp request), redeem when it is due (zlp lp redeem)"


class Providing(Seat):
    """Provides liquidity for the client's signer."""

    # in and out -------------------------------------------------------------------------------------------

    def mint(self, token: str, amount: str, *, pool: str = "", client_id: str = "") -> Row:
        """Put whole tokens into a pool (the first that takes them, if none is named) for shares."""
        units = self.client.units(token, amount)
        return self._book([Mint(pool=self._pool(pool, token)["pool"], token=token, amount=units)], "", None, client_id)

    def burn(self, token: str, shares: str, *, pool: str = "", client_id: str = "") -> Row:
        """Give whole shares of a pool back for a token; staked ones are unstaked where the free ones are too few.

        ``NotSupported`` where providers wait: there ``request`` and ``redeem`` do it in two steps.
        """
        row = self._pool(pool, token)
        if self._waits():
            raise NotSupported(SHARES_WAIT)
        self.client.units(token, 0)  # says which tokens there are
        wanted = self.client.units(row["share"], shares)
        free, staked = self._shares(row)
        missing = min(max(0, wanted - free), staked)
        first: list[Command] = [staking.UnstakeShares(pool=row["pool"], amount=missing)] if missing else []
        return self._book([*first, Burn(pool=row["pool"], token=token, shares=wanted)], "", None, client_id)

    def shares(self, pool: str = "", token: str = "") -> Decimal:
        """Whole shares one has of a pool, staked ones included."""
        row = self._pool(pool, token)
        return from_units(sum(self._shares(row)), self.client.tokens()[row["share"]].decimals)

    def request(self, shares: str, *, pool: str) -> Row:
        """Ask to leave a vault that pays out after a delay; the request as ``requests`` lists it."""
        row = self._pool(pool)
        if not self._waits():
            raise NotSupported("this pool pays out at once: burn()")
        self.client.send(credit.RequestRedemption(vault=row["pool"], shares=self.client.units(row["share"], shares)))
        return max(self.requests(), key=lambda each: int(each["request"]))

    def requests(self) -> list[Row]:
        """One's requests to leave, and the second from which each can be redeemed."""
        terms: dict[str, CreditVaultSettings] = {leaf.vault: leaf for leaf in self.client.leaves("CreditVaultSettings")}
        now, tokens = self.client.venue().time, self.client.tokens()
        rows = []
        for leaf in sorted(self._leaves(Redemption), key=lambda leaf: leaf.number):
            vault = terms[leaf.vault]
            due = leaf.requested_at + vault.withdrawal_delay
            shares = from_units(leaf.shares, tokens[vault.share].decimals)
            row = {"request": str(leaf.number), "pool": leaf.vault, "token": vault.token, "shares": f"{shares:f}"}
            rows.append({**row, "due": due, "is_due": now >= due})
        return rows

    def redeem(self, request: str = "", *, minimum: str = "") -> list[Row]:
        """Redeem a request (all that are due, if none is named) for at least ``minimum`` whole tokens each.

        What was paid: rows of ``token`` and ``amount``.
        """
        rows = [row for row in self.requests() if request in ("", row["request"])]
        if not rows:
            raise VenueError(f"you have no request {request}" if request else "you have asked for nothing: request()")
        ready = [row for row in rows if row["is_due"]]
        if not ready:
            minutes = (min(row["due"] for row in rows) - self.client.venue().time) // 60
            raise VenueError(f"nothing is due yet; the first is in {minutes // 60} h {minutes % 60} min")
        commands: list[Command] = []
        for row in ready:
            least = self.client.units(row["token"], minimum or 0)
            commands.append(credit.RedeemShares(redemption=int(row["request"]), min_amount=least))
        return self._paid(commands)

    def stay(self, request: str) -> Receipt:
        """Take a request to leave back."""
        return self.client.send(credit.CancelRedemption(redemption=int(request)))

    # rewards ----------------------------------------------------------------------------------------------

    def stake(self, shares: str, *, pool: str = "") -> Receipt:
        """Stake whole shares; ``NotSupported`` where shares earn by themselves."""
        row = self._pool(pool)
        amount = self.client.units(row["share"], shares)
        if self._waits():
            return self.client.send(credit.StakeVaultShares(vault=row["pool"], shares=amount))
        self._require_streams()
        return self.client.send(staking.StakeShares(pool=row["pool"], amount=amount))

    def unstake(self, shares: str, *, pool: str = "") -> Receipt:
        """Take staked shares back; what they have earned stays claimable."""
        row = self._pool(pool)
        amount = self.client.units(row["share"], shares)
        if self._waits():
            return self.client.send(credit.UnstakeVaultShares(vault=row["pool"], shares=amount))
        self._require_streams()
        return self.client.send(staking.UnstakeShares(pool=row["pool"], amount=amount))

    def earned(self) -> list[Row]:
        """What could be claimed now: rows of ``token`` and ``amount``; nothing changes."""
        return self._rows(event for command in self._claims() for event in self.client.quote(command).receipt.events)

    def claim(self) -> list[Row]:
        """Claim everything one has earned, wherever: staking, vesting, epochs. What was paid, like ``earned``."""
        paying = [command for command in self._claims() if self.client.quote(command).accepted]
        paid = self._paid(paying) if paying else []
        if not paid:
            raise VenueError("there is nothing to claim now")
        return paid

    def _claims(self) -> list[Command]:
        """Every claim that might pay something."""
        branches, found = self._branches(), list[Command]()
        if "staking" in branches:
            found += [staking.ClaimStreams(pool=leaf.pool) for leaf in self._leaves(Stake)]
            found += [staking.ClaimVested(pool=leaf.pool, vesting=leaf.number) for leaf in self._leaves(Vesting)]
        if "credit_vaults" in branches:
            found += [credit.ClaimVaultRewards(vault=leaf.vault) for leaf in self._leaves(CreditStake)]
        if "revenue" in branches:
            found += [revenue.ClaimEpoch(epoch=leaf.epoch) for leaf in self._leaves(EpochScore)]
        return found

    def vest(self, amount: str, *, pool: str = "") -> Receipt:
        """Let whole escrowed reward tokens vest."""
        terms = self._require_streams(self._pool(pool)["pool"])
        units = self.client.units(terms.escrow_token, amount)
        return self.client.send(staking.StartVesting(pool=terms.pool, amount=units))

    def vestings(self) -> list[Row]:
        """What is vesting: ``vesting`` (its number), ``pool``, ``amount`` and ``claimed`` in whole tokens."""
        terms: dict[str, StakingSettings] = {leaf.pool: leaf for leaf in self.client.leaves("StakingSettings")}
        tokens, rows = self.client.tokens(), []
        for leaf in self._leaves(Vesting):
            decimals = tokens[terms[leaf.pool].escrow_token].decimals
            amounts = {name: f"{from_units(getattr(leaf, name), decimals):f}" for name in ("amount", "claimed")}
            rows.append({"vesting": str(leaf.number), "pool": leaf.pool, **amounts, "started_at": leaf.started_at})
        return rows

    def leave_vesting(self, vesting: str) -> list[Row]:
        """Collect what has vested and forfeit the rest. What was paid."""
        for row in self.vestings():
            if row["vesting"] == vesting:
                return self._paid([staking.LeaveVesting(pool=row["pool"], vesting=int(vesting))])
        raise VenueError(f"nothing is vesting under number {vesting}")

    def soulbound(self, token: str, most: str, *, pool: str = "") -> Receipt:
        """Become a holder of the soulbound token, for at most ``most`` whole tokens; epochs are for its holders."""
        units = self.client.units(token, most)
        return self.client.send(
            revenue.MintSoulbound(pool=self._pool(pool, token)["pool"], token=token, max_amount=units)
        )

    def epochs(self) -> list[Row]:
        """Reward programmes that have anything left, and whether one takes part."""
        joined = {leaf.epoch for leaf in self._leaves(EpochScore)}
        tokens, rows = self.client.tokens(), []
        for leaf in self.client.leaves("Epoch"):
            budget = f"{from_units(leaf.budget, tokens[leaf.token].decimals):f}"
            row = {"epoch": str(leaf.number), "pool": leaf.pool, "token": leaf.token, "budget": budget}
            rows.append({**row, "score": leaf.score, "starts": leaf.starts, "ends": leaf.ends})
            rows[-1]["joined"] = leaf.number in joined
        return rows

    def join(self, epoch: str) -> Receipt:
        """Take part in an epoch from now on; needs the soulbound token."""
        return self.client.send(revenue.JoinEpoch(epoch=int(epoch)))

    # swaps ------------------------------------------------------------------------------------------------

    def swap(
        self, token: str, into: str, amount: str, *, minimum: str = "", pool: str = "", client_id: str = ""
    ) -> Row:
        """Swap whole tokens at a pool for at least ``minimum``; on Zaros the stable token for a vault's collateral."""
        units, least = self.client.units(token, amount), self.client.units(into, minimum or 0)
        if "stability" not in self._branches():
            name = self._pool(pool, token)["pool"]
            trade = Swap(pool=name, path=(token, into), amount=units, min_amount=least)
            return self._book([trade], "", None, client_id)
        terms: CreditSettings | None = next(self.client.leaves("CreditSettings"), None)
        if terms is None or token != terms.stable:
            raise NotSupported(f"here only {terms.stable if terms else 'the stable token'} can be swapped")
        vault = self._pool(pool, into)["pool"]
        sent = self.client.send(
            stability.RequestStableSwap(vault=vault, amount=units, min_amount=least), client_id=client_id
        )
        number = next(event.swap for event in sent.events if isinstance(event, StableSwapRequested))
        return {"id": f"{STABLE_SWAP}{number}", "status": "open", "info": sent}

    def settled(self, sent: Row, timeout: float = 60) -> Row:
        """Wait until what was sent has run. ``OrderEnded`` if it ended otherwise, ``Unreachable`` if it never did."""
        if not sent["id"].startswith(STABLE_SWAP):
            return super().settled(sent, timeout)
        number, until = int(sent["id"].removeprefix(STABLE_SWAP)), time.monotonic() + timeout
        while time.monotonic() < until:
            if all(leaf.number != number for leaf in self._leaves(StableSwapRequest)):
                return {**sent, "status": "closed"}
            time.sleep(PAUSE)
        raise Unreachable(f"swap {number} still waits for a keeper; after its deadline you can take it back: refund()")

    def refund(self, swap: str) -> Receipt:
        """Take back a swap of the stable token that no keeper has fulfilled before its deadline."""
        return self.client.send(stability.RefundStableSwap(swap=int(swap.removeprefix(STABLE_SWAP))))

    # what the above share ---------------------------------------------------------------------------------

    def _branches(self) -> list[str]:
        return list(self.client.get("/v1/desk")["branches"])

    def _waits(self) -> bool:
        """Whether shares are redeemed after a delay."""
        return "credit_vaults" in self._branches()

    def _require_streams(self, pool: str = "") -> StakingSettings:
        for terms in self.client.leaves("StakingSettings"):
            if pool in ("", terms.pool):
                return terms  # type: ignore[no-any-return]
        raise NotSupported("shares of this pool earn by themselves; nothing is staked")

    def _shares(self, row: Row) -> tuple[int, int]:
        """Base units of a pool's shares: free, and staked."""
        free = sum(held.units for held in self.client.account(self.account).balances if held.token == row["share"])
        staked = sum(leaf.amount for leaf in self._leaves(Stake) if leaf.pool == row["pool"])
        staked += sum(leaf.shares for leaf in self._leaves(CreditStake) if leaf.vault == row["pool"])
        return free, staked

    def _paid(self, commands: list[Command]) -> list[Row]:
        """Send commands, and say what reached the account by them; the first that was refused is raised."""
        receipts = self.client.send_many(commands)
        for receipt in receipts:
            if receipt.rejection is not None:
                raise Refused(422, {**plain(receipt.rejection), "sequence": receipt.sequence})
        return self._rows(event for receipt in receipts for event in receipt.events)

    def _rows(self, events: Iterable[Any]) -> list[Row]:
        tokens, came = self.client.tokens(), dict[str, int]()
        for event in events:
            if isinstance(event, Transferred | Issued) and event.target == self.account:
                came[event.token] = came.get(event.token, 0) + event.amount
        return [{"token": name, "amount": f"{from_units(came[name], tokens[name].decimals):f}"} for name in came]
