"""Where fees go after they are collected: buckets, the soulbound token, epochs (E4, E12 to E14)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine.fixed import BPS
from zlp.engine.leaves.base import Claim, Key, Leaf, Settings

TREASURY = "fees:treasury"
SOULBOUND = "fees:soulbound"
BUYBACK = "fees:buyback"
BUCKETS = {"treasury": TREASURY, "soulbound": SOULBOUND, "buyback": BUYBACK}
"""Holders of collected fees, by the name commands use."""


class RevenueSettings(Settings, frozen=True):
    """How collected fees are split (basis points of each collection; the treasury gets the rest).

    ``soulbound_bps``: set aside for holders of the soulbound token. ``buyback_bps``: for buying back a token.
    ``providers_bps``: streamed back into the pool (the automated router; 0 is off). ``soulbound_price``: USD
    1e30 an account pays once to become a holder. ``claim_window``: seconds after an epoch in which its rewards
    can be claimed.
    """

    pool: str
    soulbound_bps: int = 0
    buyback_bps: int = 0
    providers_bps: int = 0
    soulbound_price: int = 0
    claim_window: int = 2_592_000

    @property
    def key(self) -> Key:
        """By pool."""
        return (self.pool,)

    def invalid(self) -> str | None:
        """No more than everything can be given away."""
        total = self.soulbound_bps + self.buyback_bps + self.providers_bps
        return "soulbound_bps, buyback_bps and providers_bps together must be at most 10000" if total > BPS else None


class Soulbound(Leaf, frozen=True):
    """An account that holds the soulbound token; it can't be transferred."""

    account: str
    minted_at: int

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)


class Epoch(Leaf, frozen=True):
    """A reward programme from ``starts`` to ``ends`` (seconds), by one kind of score.

    ``score``: volume (USD traded), fees (USD paid) or shares (share tokens held times seconds). ``budget`` and
    ``left`` of ``token`` lie with ``holder``. ``total``: sum of all scores. For shares, ``held`` is what
    participants hold now and ``counted_at`` the second ``total`` was brought up to. ``source``: bucket that
    unclaimed rewards return to.
    """

    number: int
    pool: str
    token: str
    source: str
    score: str
    starts: int
    ends: int
    budget: int
    left: int
    total: int = 0
    held: int = 0
    counted_at: int = 0

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    @property
    def holder(self) -> str:
        """Who holds the rewards."""
        return f"epoch:{self.number}"

    def broken(self) -> str | None:
        """Never pays more than it has."""
        return "an epoch overpaid" if self.left < 0 or self.held < 0 else None

    def claim(self) -> Claim:
        """What has not been claimed."""
        return Claim(self.holder, self.token, self.left)

    def seconds(self, since: int, now: int) -> int:
        """Seconds of the epoch between two moments."""
        return max(0, min(now, self.ends) - max(since, self.starts))

    def counted(self, now: int) -> Epoch:
        """With the time-weighted total brought up to now."""
        points = self.held * self.seconds(self.counted_at, now)
        return replace(self, total=self.total + points, counted_at=now)


class EpochScore(Leaf, frozen=True):
    """One participant's score; for shares also what he holds and since when that is counted."""

    epoch: int
    account: str
    points: int = 0
    held: int = 0
    counted_at: int = 0

    @property
    def key(self) -> Key:
        """By epoch and account."""
        return (self.epoch, self.account)

    def counted(self, epoch: Epoch, now: int) -> EpochScore:
        """With time-weighted points brought up to now."""
        points = self.held * epoch.seconds(self.counted_at, now)
        return replace(self, points=self.points + points, counted_at=now)


class RunningEpochs(Leaf, frozen=True):
    """Epochs whose scores still move."""

    numbers: tuple[int, ...]

    @property
    def key(self) -> Key:
        """There is one."""
        return ()
