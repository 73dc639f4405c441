"""Facts about credit: distribution, settlement, staking, swaps of the stable token."""

from __future__ import annotations

from zlp.engine.commands.base import Signed
from zlp.engine.events.base import Event


class DebtDistributed(Event, frozen=True):
    """A market's debt changed (USD, signed) and was indexed over the credit ``delegated`` to it."""

    market: str
    realized_change: Signed
    unrealized_change: Signed
    delegated: int


class VaultRecalculated(Event, frozen=True):
    """A vault took its part: debts in USD, settlement and reward tokens; ``capacity_usd`` is what it lends."""

    vault: str
    realized_change: Signed
    unrealized_change: Signed
    settled_change: int
    reward_change: int
    capacity_usd: Signed


class ProfitMinted(Event, frozen=True):
    """A profit was paid in new stable tokens; ``payout_factor`` (1e18) of it, by the deleverage curve."""

    market: str
    trading_account: int
    profit_usd: int
    payout_factor: int
    minted: int


class LossDeposited(Event, frozen=True):
    """A loss reached the market: ``amount`` of ``token``, worth ``value_usd``."""

    market: str
    trading_account: int
    token: str
    amount: int
    value_usd: int


class DepositsConverted(Event, frozen=True):
    """A keeper turned deposits of losers into settlement tokens; ``fee`` of those went to the protocol."""

    market: str
    token: str
    amount: int
    delivered: int
    fee: int


class VaultSettled(Event, frozen=True):
    """A vault paid debt (``paid_debt``) with collateral, or bought collateral with its settlement tokens."""

    vault: str
    paid_debt: bool
    collateral: int
    settlement: int
    fee: int


class VaultsRebalanced(Event, frozen=True):
    """``settlement`` tokens passed from the vault in debt, which sold ``collateral``, to the one in credit."""

    credit_vault: str
    debt_vault: str
    collateral: int
    settlement: int
    fee: int


class FeesConverted(Event, frozen=True):
    """Fees of a market became reward tokens and were split between the protocol and stakers."""

    market: str
    token: str
    amount: int
    protocol: int
    stakers: int


class RecipientPaid(Event, frozen=True):
    """One recipient's part of the protocol's fees."""

    account: str
    token: str
    amount: int


class RedemptionRequested(Event, frozen=True):
    """Shares wait until ``redeemable_at``."""

    redemption: int
    vault: str
    account: str
    shares: int
    redeemable_at: int


class RedemptionCancelled(Event, frozen=True):
    """Shares went back."""

    redemption: int
    vault: str
    account: str
    shares: int


class StakeChanged(Event, frozen=True):
    """An account's stake, what it has earned and not claimed, and its points after the change."""

    vault: str
    account: str
    shares: int
    owed: int
    points: int


class VaultRewardsClaimed(Event, frozen=True):
    """Reward tokens paid to a staker."""

    vault: str
    account: str
    amount: int


class StableSwapRequested(Event, frozen=True):
    """Stable tokens wait for a keeper until ``deadline``."""

    swap: int
    account: str
    vault: str
    amount: int
    min_amount: int
    deadline: int


class StableSwapFulfilled(Event, frozen=True):
    """Stable tokens were burned for collateral; the vault's realised debt fell by ``value_usd``.

    ``factor`` (1e18) is the premium or discount on the report's ``price``.
    """

    swap: int
    account: str
    vault: str
    value_usd: int
    price: int
    factor: int
    amount_out: int
    to_protocol: int


class StableSwapRefunded(Event, frozen=True):
    """A swap nobody fulfilled was taken back, less the base fee."""

    swap: int
    account: str
    refund: int
    fee: int


class SettledRedeemed(Event, frozen=True):
    """Stable tokens were burned for settlement tokens that vaults had paid."""

    account: str
    value_usd: int
    amount_out: int
    fee: int
