"""Commands of vaults, their stakers and the keepers that keep debt settled and fees converted.

Keepers convert tokens by delivering them: a conversion names what the keeper delivers, and the engine refuses
less than the posted prices and the tolerance allow. Where the keeper gets it (an exchange, its own stock) is its
own affair.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zlp.engine.commands.base import Command


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A signed price report whose signatures the edge has verified; the log keeps ``evidence``, its digest.

    Prices are USD at 1e30, times are seconds. ``price`` is the benchmark, ``bid`` and ``ask`` surround it.
    """

    feed: str
    price: int
    bid: int
    ask: int
    valid_from: int
    expires: int
    evidence: str


class RequestRedemption(Command, frozen=True, kw_only=True):
    """Put vault shares aside; they can be redeemed when the vault's withdrawal delay has passed."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    vault: str
    shares: int


class RedeemShares(Command, frozen=True, kw_only=True):
    """Redeem what was requested, for at least ``min_amount`` of the vault's collateral."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    redemption: int
    min_amount: int = 0


class CancelRedemption(Command, frozen=True, kw_only=True):
    """Take requested shares back."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    redemption: int


class StakeVaultShares(Command, frozen=True, kw_only=True):
    """Stake shares of a vault to earn its part of the fees, and points."""

    scope: ClassVar[str] = "liquidity"
    vault: str
    shares: int


class UnstakeVaultShares(Command, frozen=True, kw_only=True):
    """Take staked shares back; what they earned stays claimable."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    vault: str
    shares: int


class ClaimVaultRewards(Command, frozen=True, kw_only=True):
    """Receive the reward tokens one's stake has earned."""

    scope: ClassVar[str] = "liquidity"
    reduces_risk: ClassVar[bool] = True
    vault: str


class RefreshVaults(Command, frozen=True, kw_only=True):
    """Anyone: bring vaults up to date with their markets, one after the other."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    vaults: tuple[str, ...]


class ConvertDeposits(Command, frozen=True, kw_only=True):
    """Keeper: take all of ``token`` that losers paid in a market, deliver ``delivered`` settlement tokens."""

    scope: ClassVar[str] = "keep"
    market: str
    token: str
    delivered: int


class SettleVaultDebt(Command, frozen=True, kw_only=True):
    """Keeper: settle a vault. In debt: deliver settlement tokens, take its collateral. In credit: the reverse."""

    scope: ClassVar[str] = "keep"
    vault: str
    delivered: int


class RebalanceVaults(Command, frozen=True, kw_only=True):
    """Keeper: settle a vault in debt against a vault in credit.

    ``delivered`` settlement tokens go to the vault in credit, the keeper takes collateral of the one in debt.
    """

    scope: ClassVar[str] = "keep"
    credit_vault: str
    debt_vault: str
    delivered: int


class ConvertFees(Command, frozen=True, kw_only=True):
    """Keeper: take all fees a market holds in ``token``, deliver ``delivered`` reward tokens."""

    scope: ClassVar[str] = "keep"
    market: str
    token: str
    delivered: int


class PayRecipients(Command, frozen=True, kw_only=True):
    """Anyone: pay the protocol's part of ``token`` out to the fee recipients."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    token: str
