"""One fund behind all markets: its assets and its books with the traders.

What the fund owns lies on the ledger, by purpose: ``fund:<pool>`` is its liquidity, ``funding:<pool>`` what
payers of funding left for receivers, ``revenue:<pool>`` and ``developer:<pool>`` the fee buckets. These
leaves hold only what tokens cannot say, in USD at 1e30.
"""

from __future__ import annotations

from zlp.engine.fixed import BPS, RATE
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.counter_trade import ProfitBuffer
from zlp.engine.mechanisms.weight_fee import WeightFee


class FundSettings(Settings, frozen=True):
    """A fund.

    ``assets``: every token it may hold, in the order in which profits and fees are settled. ``share``: its
    share token (18 decimals). ``developer_bps``: part of every fee set aside for developers, before all else.
    ``max_utilisation_bps``: reserved profit over assets at which opening and withdrawing stop.
    ``min_supply``: shares that must remain after a mint or a burn.
    """

    pool: str
    share: str
    assets: tuple[str, ...]
    fees: WeightFee = WeightFee()
    buffer: ProfitBuffer = ProfitBuffer()
    developer_bps: int = 1_000
    max_utilisation_bps: int = 8_000
    min_supply: int = RATE
    enabled: bool = True

    @property
    def key(self) -> Key:
        """By name."""
        return (self.pool,)

    @property
    def holder(self) -> str:
        """Who holds the liquidity."""
        return f"fund:{self.pool}"

    @property
    def funding_holder(self) -> str:
        """Who holds the funding reserve."""
        return f"funding:{self.pool}"

    @property
    def revenue_holder(self) -> str:
        """Who holds the protocol's fees until they are distributed."""
        return f"revenue:{self.pool}"

    @property
    def developer_holder(self) -> str:
        """Who holds the developers' share of fees."""
        return f"developer:{self.pool}"

    def issues(self) -> tuple[str, ...]:
        """Its share."""
        return (self.share,)

    def invalid(self) -> str | None:
        """Shares are shares, and an asset is listed once."""
        if not self.assets or len(set(self.assets)) != len(self.assets):
            return "assets must be listed once each"
        if not 0 <= self.developer_bps <= 3_000:
            return "developer_bps must be from 0 to 3000"
        if not 0 <= self.max_utilisation_bps <= BPS:
            return "max_utilisation_bps must be from 0 to 10000"
        return self.fees.invalid() or self.buffer.invalid()


class FundAssetSettings(Settings, frozen=True):
    """One token of a fund.

    ``target_weight`` and ``max_weight_difference`` at 1e18; the sum of all weights is the denominator.
    ``buffer``: base units below which withdrawals and swaps may not take the liquidity. ``accepted``: may be
    deposited. ``collateral_bps``: part of its value that counts as margin; 0: no collateral.
    """

    pool: str
    token: str
    target_weight: int = 0
    max_weight_difference: int = RATE
    buffer: int = 0
    accepted: bool = True
    collateral_bps: int = 0

    @property
    def key(self) -> Key:
        """By fund and token."""
        return (self.pool, self.token)

    def invalid(self) -> str | None:
        """Weights are shares, collateral counts at most in full."""
        if not 0 <= self.target_weight <= RATE or not 0 <= self.max_weight_difference <= RATE:
            return "target_weight and max_weight_difference must be from 0 to 10**18"
        return None if 0 <= self.collateral_bps <= BPS else "collateral_bps must be from 0 to 10000"


class Fund(Leaf, frozen=True):
    """A fund's books, USD at 1e30.

    ``reserve_usd``: most it may have to pay on open positions. ``*_debt_usd``: what accounts owe and could
    not pay yet. ``loan_usd``: lent to receivers of funding, paid back by the next payers. ``claims_usd``:
    profits it owes and could not pay; ``claims_from`` and ``claims_to`` number the first and the next claim.
    """

    pool: str
    reserve_usd: int = 0
    trading_debt_usd: int = 0
    borrowing_debt_usd: int = 0
    funding_debt_usd: int = 0
    loss_debt_usd: int = 0
    loan_usd: int = 0
    claims_usd: int = 0
    claims_from: int = 1
    claims_to: int = 1

    @property
    def key(self) -> Key:
        """By name."""
        return (self.pool,)

    def broken(self) -> str | None:
        """No part of the books is negative, and claims are numbered in order."""
        debts = (self.trading_debt_usd, self.borrowing_debt_usd, self.funding_debt_usd, self.loss_debt_usd)
        if min(self.reserve_usd, self.loan_usd, self.claims_usd, *debts) < 0:
            return "a book of the fund is below zero"
        if (self.claims_usd == 0) != (self.claims_from == self.claims_to):
            return "claims and their sum disagree"
        return None


class ProfitClaim(Leaf, frozen=True):
    """A profit or funding the fund could not pay: paid first, oldest first, from what comes in. USD at 1e30."""

    pool: str
    number: int
    owner: str
    account: int
    value_usd: int

    @property
    def key(self) -> Key:
        """By fund and number."""
        return (self.pool, self.number)

    def broken(self) -> str | None:
        """A claim is for something."""
        return None if self.value_usd > 0 else "an empty claim"
