"""Swaps of the stable token for a vault's collateral: their terms, and requests that wait for a keeper."""

from __future__ import annotations

from zlp.engine.leaves.base import Claim, Key, Leaf, Settings
from zlp.engine.mechanisms.stability import StableSwap


class StabilitySettings(Settings, frozen=True):
    """Terms of swaps, and how long a keeper has to fulfil one (seconds)."""

    terms: StableSwap
    max_execution_time: int = 3_600

    @property
    def key(self) -> Key:
        """There is one."""
        return ()

    def invalid(self) -> str | None:
        """As the terms say."""
        return "max_execution_time must be above 0" if self.max_execution_time <= 0 else self.terms.invalid()


class StableSwapRequest(Leaf, frozen=True):
    """Stable tokens that wait at ``stable_swap:<number>`` to be swapped for a vault's collateral.

    The keeper may fulfil it up to ``deadline``, the owner may take it back from ``deadline`` on.
    """

    number: int
    account: str
    vault: str
    token: str
    amount: int
    min_amount: int
    deadline: int

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    @property
    def holder(self) -> str:
        """Who holds the stable tokens meanwhile."""
        return f"stable_swap:{self.number}"

    def claim(self) -> Claim:
        """All of it."""
        return Claim(self.holder, self.token, self.amount)
