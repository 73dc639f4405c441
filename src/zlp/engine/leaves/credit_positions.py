"""Trading on the vaults' credit: accounts, positions, the totals of a market, orders that wait.

Sizes are signed at 1e18 of whole index units, prices and USD at 1e30, funding rates at 1e30 per day.
"""

from __future__ import annotations

from zlp.engine.leaves.base import Key, Leaf, Settings


class CreditTradingSettings(Settings, frozen=True):
    """What every trade pays and how long orders rest. Fees in USD at 1e30, ages in seconds.

    ``order_lifetime``: age below which a pending order can be neither cancelled nor replaced. ``order_expiry``: age
    from which it is no longer filled and a keeper may clear it. ``max_held``: signed orders of one account that the
    venue keeps.
    """

    settlement_fee_usd: int = 0
    liquidation_fee_usd: int = 0
    order_lifetime: int = 10
    order_expiry: int = 300
    max_positions: int = 10
    max_held: int = 50

    @property
    def key(self) -> Key:
        """There is one."""
        return ()

    def invalid(self) -> str | None:
        """Nothing negative; an account's upkeep stays bounded."""
        if min(self.settlement_fee_usd, self.liquidation_fee_usd, self.order_lifetime) < 0:
            return "fees and order_lifetime must not be negative"
        if self.order_expiry <= self.order_lifetime:
            return "order_expiry must be above order_lifetime"
        if not 1 <= self.max_positions <= 100:
            return "max_positions must be from 1 to 100"
        return None if 0 <= self.max_held <= 1_000 else "max_held must be from 0 to 1000"


class TradingAccount(Leaf, frozen=True):
    """A cross-margin account. Its tokens lie at ``margin:<number>``; it can change its owner.

    ``tokens``: what it has as margin. ``markets``: where it has positions. ``nonce``: what a signed order
    must carry.
    """

    number: int
    owner: str
    tokens: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    nonce: int = 0

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    @property
    def holder(self) -> str:
        """Who holds its margin."""
        return f"margin:{self.number}"


class MainAccount(Leaf, frozen=True):
    """The trading account an owner means when naming none: the first it opened."""

    owner: str
    number: int

    @property
    def key(self) -> Key:
        """By owner."""
        return (self.owner,)


class CreditPosition(Leaf, frozen=True):
    """One account's position in one market: signed size, price and funding index it was last settled at."""

    account: int
    market: str
    size: int
    price: int
    funding: int

    @property
    def key(self) -> Key:
        """By account and market."""
        return (self.account, self.market)

    def broken(self) -> str | None:
        """A closed position leaves no record."""
        return "empty position" if self.size == 0 else None


class SkewTotals(Leaf, frozen=True):
    """Sums over a market's positions, so that its unrealised debt is known without visiting them.

    ``skew``: sum of sizes. ``open_interest``: sum of their magnitudes. ``entry_value``: sum of size x price,
    ``funding_entry``: sum of size x funding index, both exact products. ``funding_rate`` (1e30 per day) and
    ``funding_index`` (USD received per unit long) as of second ``funding_at``.
    """

    market: str
    skew: int = 0
    open_interest: int = 0
    entry_value: int = 0
    funding_entry: int = 0
    funding_rate: int = 0
    funding_index: int = 0
    funding_at: int = 0

    @property
    def key(self) -> Key:
        """By market."""
        return (self.market,)

    def broken(self) -> str | None:
        """The skew never exceeds the open interest, and an empty market has no entries."""
        if abs(self.skew) > self.open_interest:
            return "skew above open interest"
        return "entries without positions" if not self.open_interest and self.entry_value else None


class MarginTotal(Leaf, frozen=True):
    """What all trading accounts together have deposited of one token, for its cap."""

    token: str
    amount: int

    @property
    def key(self) -> Key:
        """By token."""
        return (self.token,)


class CreditOrder(Leaf, frozen=True):
    """The one market order an account may have pending."""

    account: int
    market: str
    size_delta: int
    placed_at: int
    acceptable_price: int = 0
    reduce_only: bool = False

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)


class UsedOrder(Leaf, frozen=True):
    """A signed order that was filled; it can't be filled again. ``digest`` is of everything it says."""

    digest: str

    @property
    def key(self) -> Key:
        """By digest."""
        return (self.digest,)


class HeldOrder(Leaf, frozen=True):
    """A signed order that was left with the venue; fields as in ``commands.credit_positions.SignedOrder``.

    ``digest``: of everything it says. ``owner``: of its account. ``expires``: last second it is kept, 0 for none.
    """

    digest: str
    owner: str
    trading_account: int
    market: str
    size_delta: int
    target_price: int
    increase_nonce: bool
    nonce: int
    salt: str
    signer: str
    evidence: str
    expires: int
    held_at: int

    @property
    def key(self) -> Key:
        """By digest."""
        return (self.digest,)


class HeldOrders(Leaf, frozen=True):
    """Digests of the orders the venue keeps for one account, so that all can be dropped with its nonce."""

    account: int
    digests: tuple[str, ...]

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)
