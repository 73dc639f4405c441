"""Staked pool shares, the streams they earn, and escrowed rewards that vest."""

from __future__ import annotations

from zlp.engine.fixed import BPS
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.streaming import LinearVesting, RewardRate


class StakingSettings(Settings, frozen=True):
    """What stakers of a pool's shares earn.

    ``share``: the token that is staked. ``revenue_token``: what the stakers' ``revenue_bps`` of the
    protocol's revenue is paid in, streamed over ``stream_seconds``, at most once per ``distribution_seconds``.
    ``escrow_token`` is earned by emission and vests into ``vested_token``.
    """

    pool: str
    share: str
    revenue_token: str
    escrow_token: str
    vested_token: str
    revenue_bps: int = 5_000
    stream_seconds: int = 7 * 86_400
    distribution_seconds: int = 86_400
    rate: RewardRate = RewardRate()
    vesting: LinearVesting = LinearVesting()

    @property
    def key(self) -> Key:
        """By pool."""
        return (self.pool,)

    @property
    def stake_holder(self) -> str:
        """Who holds staked shares."""
        return f"staked:{self.pool}"

    @property
    def reward_holder(self) -> str:
        """Who holds rewards until they are claimed."""
        return f"rewards:{self.pool}"

    @property
    def vesting_holder(self) -> str:
        """Who holds escrowed rewards while they vest."""
        return f"vesting:{self.pool}"

    @property
    def treasury_holder(self) -> str:
        """Who holds the protocol's own part of the revenue."""
        return f"treasury:{self.pool}"

    def issues(self) -> tuple[str, ...]:
        """The reward, before and after it vests."""
        return (self.escrow_token, self.vested_token)

    def invalid(self) -> str | None:
        """A share of revenue, a length the rate allows, and tokens that differ."""
        if not 0 <= self.revenue_bps <= BPS:
            return "revenue_bps must be from 0 to 10000"
        if not self.rate.allows(self.stream_seconds):
            return "stream_seconds must be within the bounds of rate"
        if self.escrow_token in (self.vested_token, self.revenue_token):
            return "escrow_token must be a token of its own"
        return self.rate.invalid() or self.vesting.invalid()


class RewardStream(Leaf, frozen=True):
    """One reward token of a pool's stakers: ``rate`` per second at 1e18, ``per_share`` at 1e30.

    While nothing is staked the stream waits: its end moves on.
    """

    pool: str
    token: str
    rate: int = 0
    per_share: int = 0
    updated_at: int = 0
    ends_at: int = 0
    fed_at: int = 0

    @property
    def key(self) -> Key:
        """By pool and token."""
        return (self.pool, self.token)


class Stake(Leaf, frozen=True):
    """Shares an account has staked, in base units. ``manual``: its mints are not staked by themselves."""

    pool: str
    account: str
    amount: int = 0
    manual: bool = False

    @property
    def key(self) -> Key:
        """By pool and account."""
        return (self.pool, self.account)

    def broken(self) -> str | None:
        """No stake is negative."""
        return "stake below zero" if self.amount < 0 else None


class StakeDebt(Leaf, frozen=True):
    """Part of a stream that an account's stake may not claim: before its time, or paid already (signed)."""

    pool: str
    account: str
    token: str
    amount: int

    @property
    def key(self) -> Key:
        """By pool, account and token."""
        return (self.pool, self.account, self.token)


class Vesting(Leaf, frozen=True):
    """Escrowed rewards on their way: ``claimed`` of ``amount`` has been paid in the vested token."""

    pool: str
    number: int
    account: str
    amount: int
    claimed: int
    started_at: int

    @property
    def key(self) -> Key:
        """By pool and number."""
        return (self.pool, self.number)

    def broken(self) -> str | None:
        """Nobody is paid more than vests."""
        return None if 0 <= self.claimed <= self.amount else "vested beyond the amount"
