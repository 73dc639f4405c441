"""Commands of stakers: stake, unstake, claim, vest; and of governance: emission."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command


class StakeShares(Command, frozen=True, kw_only=True):
    """Stake ``amount`` shares of a pool."""

    scope: ClassVar[str] = "liquidity"
    pool: str
    amount: int


class UnstakeShares(Command, frozen=True, kw_only=True):
    """Take ``amount`` shares back; what they have earned stays claimable."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    pool: str
    amount: int


class SetAutomaticStaking(Command, frozen=True, kw_only=True):
    """Whether the sender's future mints are staked at once (they are, unless this says otherwise)."""

    scope: ClassVar[str] = "liquidity"
    pool: str
    automatic: bool


class ClaimStreams(Command, frozen=True, kw_only=True):
    """Collect what the sender's stake has earned, in every reward token."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    pool: str


class StartEmission(Command, frozen=True, kw_only=True):
    """Governor: emit ``amount`` of the escrow token to stakers over ``seconds``, with what the last epoch left."""

    scope: ClassVar[str] = "govern"
    pool: str
    amount: int
    seconds: int


class StartVesting(Command, frozen=True, kw_only=True):
    """Let ``amount`` of the escrow token vest."""

    scope: ClassVar[str] = "liquidity"
    pool: str
    amount: int


class ClaimVested(Command, frozen=True, kw_only=True):
    """Collect what has vested so far."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    pool: str
    vesting: int


class LeaveVesting(Command, frozen=True, kw_only=True):
    """Collect what has vested and forfeit the rest."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    pool: str
    vesting: int
