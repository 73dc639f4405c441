"""Credit: vaults that lend it, markets that use it, and what each of them owes.

USD at 1e30, ratios and fees at 1e18, indices at ``mechanisms.credit.INDEX``. A positive debt is owed to holders
of the stable token, a negative one is credit. Tokens lie at the holders named by the leaves; what a holder has
is the ledger's balance, so that no second count of it can drift.
"""

from __future__ import annotations

import msgspec

from zlp.engine.fixed import RATE
from zlp.engine.leaves.base import Key, Leaf, Settings
from zlp.engine.mechanisms.deleverage_curve import DeleverageCurve
from zlp.engine.mechanisms.skew import MakerTakerFee, SkewFunding, SkewPrice

SETTLED_HOLDER = "settled:vaults"
"""Settlement tokens that belong to vaults."""
REDEEMABLE_HOLDER = "settled:redeemable"
"""Settlement tokens vaults have paid for their debt: anyone may swap stable tokens for them."""
STAKERS_HOLDER = "rewards:stakers"
"""Reward tokens that stakers have earned."""
PROTOCOL_HOLDER = "rewards:protocol"
"""Tokens due to the fee recipients."""


PROTOCOL_LIMIT = 900_000_000_000_000_000
"""Most of a fee that the protocol may take, at 1e18."""


class CreditSettings(Settings, frozen=True):
    """The tokens of the credit system and the terms of converting one into another.

    ``stable``: the token profits are minted in. ``settlement``: the token debts are settled in. ``reward``: the
    token stakers earn. Keepers convert: they deliver one token for another worth at most
    ``conversion_tolerance`` more; ``conversion_fee_usd`` is cut from every conversion for the protocol.
    """

    stable: str
    settlement: str
    reward: str
    conversion_fee_usd: int = 0
    conversion_tolerance: int = 0

    @property
    def key(self) -> Key:
        """There is one."""
        return ()

    def issues(self) -> tuple[str, ...]:
        """The token profits are minted in."""
        return (self.stable,)

    def invalid(self) -> str | None:
        """Three different tokens."""
        if len({self.stable, self.settlement, self.reward}) != 3:
            return "stable, settlement and reward must be different tokens"
        return None if 0 <= self.conversion_tolerance < RATE else "conversion_tolerance must be below 100 %"


class CreditCollateral(Settings, frozen=True):
    """A token that vaults hold, traders deposit and losers pay with.

    ``asset``: what prices it; empty counts it as one USD. ``credit_ratio``: share of its value that counts as
    credit. ``loan_to_value``: share that counts as margin, 0 to refuse it as margin; ``margin_cap``: most base
    units all traders together may deposit; ``priority``: margin with the lowest is used first.
    """

    token: str
    asset: str = ""
    credit_ratio: int = RATE
    loan_to_value: int = 0
    margin_cap: int = 0
    priority: int = 0
    enabled: bool = True

    @property
    def key(self) -> Key:
        """By token."""
        return (self.token,)

    def invalid(self) -> str | None:
        """Ratios are shares."""
        if not 0 <= self.credit_ratio <= RATE or not 0 <= self.loan_to_value <= RATE:
            return "credit_ratio and loan_to_value must be from 0 to 100 %"
        return None


class ReportFeed(Settings, frozen=True):
    """Which signed reports settle trades of an asset: ``feed`` identifies them, ``max_age`` in seconds.

    ``max_deviation_bps``: furthest a report may be from the posted price; 0 does not compare.
    """

    asset: str
    feed: str
    max_age: int = 60
    max_deviation_bps: int = 0

    @property
    def key(self) -> Key:
        """By asset."""
        return (self.asset,)


class CreditWeight(msgspec.Struct, frozen=True):
    """How much of a vault's credit goes to a market, relative to its other markets."""

    market: str
    weight: int


class CreditVaultSettings(Settings, frozen=True):
    """One vault: what it holds, what it charges, whom it lends to.

    ``share``: symbol of its share token (18 decimals), made with the first deposit. Fees at 1e18.
    ``deposit_cap``: base units of the collateral. ``withdrawal_delay``: seconds. ``locked_ratio``: share of its
    capacity that redemptions must leave behind. ``point_rate``: points per staked share and second, at 1e18.
    A market left out of ``markets`` is settled and released at the next recalculation.
    """

    vault: str
    token: str
    share: str
    deposit_cap: int
    deposit_fee: int = 0
    redeem_fee: int = 0
    withdrawal_delay: int = 86_400
    locked_ratio: int = 0
    point_rate: int = 0
    live: bool = True
    markets: tuple[CreditWeight, ...] = ()

    @property
    def key(self) -> Key:
        """By name."""
        return (self.vault,)

    @property
    def holder(self) -> str:
        """Who holds its collateral."""
        return f"vault:{self.vault}"

    def issues(self) -> tuple[str, ...]:
        """Its share."""
        return (self.share,)

    def invalid(self) -> str | None:
        """Fees and the locked ratio are shares; a market is listed once, with a weight."""
        if not all(0 <= rate < RATE for rate in (self.deposit_fee, self.redeem_fee)):
            return "fees must be below 100 %"
        if not 0 <= self.locked_ratio <= RATE:
            return "locked_ratio must be from 0 to 100 %"
        names = [weight.market for weight in self.markets]
        if len(set(names)) != len(names) or any(weight.weight <= 0 for weight in self.markets):
            return "markets must be different and have weights above 0"
        if min(self.deposit_cap, self.withdrawal_delay, self.point_rate) < 0 or self.share == self.token:
            return "caps, delays and rates are not negative, and a share is a token of its own"
        return None


class CreditMarketSettings(Settings, frozen=True):
    """One market that uses the vaults' credit. Sizes at 1e18 of whole index units, margins at 1e18.

    ``enabled``: switched off, positions can only shrink. ``asset``: what prices the index.
    """

    market: str
    asset: str
    deleverage: DeleverageCurve
    mark: SkewPrice
    funding: SkewFunding
    fees: MakerTakerFee
    initial_margin: int
    maintenance_margin: int
    min_trade: int
    max_open_interest: int
    max_skew: int
    enabled: bool = True

    @property
    def key(self) -> Key:
        """By name."""
        return (self.market,)

    def invalid(self) -> str | None:
        """As the mechanisms say; maintenance below initial margin."""
        if not 0 < self.maintenance_margin < self.initial_margin <= RATE:
            return "maintenance_margin must be below initial_margin, and that at most 100 %"
        faults = (part.invalid() for part in (self.deleverage, self.mark, self.funding, self.fees))
        return next((fault for fault in faults if fault is not None), None)


class FeeRecipient(msgspec.Struct, frozen=True):
    """Who receives a share (1e18) of all fees."""

    account: str
    share: int


class FeeRecipients(Settings, frozen=True):
    """The protocol's part of fees: the sum of the shares, at most 90 %; the rest belongs to stakers."""

    recipients: tuple[FeeRecipient, ...] = ()

    @property
    def key(self) -> Key:
        """There is one."""
        return ()

    @property
    def protocol_share(self) -> int:
        """The protocol's part, at 1e18."""
        return sum(recipient.share for recipient in self.recipients)

    def invalid(self) -> str | None:
        """The protocol takes at most 90 %."""
        if any(recipient.share < 0 for recipient in self.recipients):
            return "shares must not be negative"
        return "the shares must not exceed 90 % together" if self.protocol_share > PROTOCOL_LIMIT else None


class CreditVault(Leaf, frozen=True):
    """A vault's account: debts in USD (signed), its settlement tokens, what it distributes to stakers.

    ``markets``: those it lends to since its last recalculation. ``reward_index``: reward tokens per staked
    share; ``point_index``: points per staked share, up to second ``points_at``. ``pushed_usd``: realised debt
    it has paid with settlement tokens; ``redeemed_usd``: by redemptions of the stable token. ``token`` and
    ``share``: what it holds and issues since its first deposit, which settings can't change any more.
    """

    vault: str
    token: str = ""
    share: str = ""
    realized_debt: int = 0
    unrealized_debt: int = 0
    settled: int = 0
    markets: tuple[str, ...] = ()
    staked: int = 0
    reward_index: int = 0
    point_index: int = 0
    points_at: int = 0
    pushed_usd: int = 0
    redeemed_usd: int = 0

    @property
    def key(self) -> Key:
        """By name."""
        return (self.vault,)

    @property
    def stake_holder(self) -> str:
        """Who holds staked shares."""
        return f"stake:{self.vault}"

    def broken(self) -> str | None:
        """No negative tokens or stakes."""
        return "negative settlement tokens or stake" if min(self.settled, self.staked) < 0 else None


class CreditMarket(Leaf, frozen=True):
    """A market's account with its vaults.

    ``issued``: stable tokens minted for profits less those received for losses (USD, signed). ``delegated``:
    the credit lent to it; ``bearing``: what its debt is shared over, the same but for insolvent vaults.
    ``*_index``: per unit of ``bearing``. ``*_seen``: debt that has been distributed. ``tokens``: what losers have
    deposited, at ``deposits_holder``.
    """

    market: str
    issued: int = 0
    delegated: int = 0
    bearing: int = 0
    realized_index: int = 0
    unrealized_index: int = 0
    settled_index: int = 0
    reward_index: int = 0
    realized_seen: int = 0
    unrealized_seen: int = 0
    tokens: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """By name."""
        return (self.market,)

    @property
    def deposits_holder(self) -> str:
        """Who holds what losers paid."""
        return f"deposits:{self.market}"

    @property
    def fees_holder(self) -> str:
        """Who holds fees that wait for conversion."""
        return f"market_fees:{self.market}"

    def broken(self) -> str | None:
        """Credit is not negative."""
        return "delegated credit below zero, or above what bears" if not 0 <= self.delegated <= self.bearing else None


class Delegation(Leaf, frozen=True):
    """Credit a vault lends to a market, and the market's indices when the vault last looked.

    ``bearing``: what it bears the market's debt by: its credit, or while it is insolvent and lends nothing the
    shadow of its last credit, so that it recovers when the market's debt does.
    """

    vault: str
    market: str
    credit: int = 0
    bearing: int = 0
    realized_index: int = 0
    unrealized_index: int = 0
    settled_index: int = 0
    reward_index: int = 0

    @property
    def key(self) -> Key:
        """By vault and market."""
        return (self.vault, self.market)


class CreditStake(Leaf, frozen=True):
    """Shares one account has staked in a vault, what it earned and has not claimed, its points."""

    vault: str
    account: str
    shares: int = 0
    reward_index: int = 0
    owed: int = 0
    point_index: int = 0
    points: int = 0

    @property
    def key(self) -> Key:
        """By vault and account."""
        return (self.vault, self.account)


class Redemption(Leaf, frozen=True):
    """Shares that wait for their withdrawal delay, held by ``redemption:<number>``."""

    number: int
    vault: str
    account: str
    shares: int
    requested_at: int

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    @property
    def holder(self) -> str:
        """Who holds the shares meanwhile."""
        return f"redemption:{self.number}"
