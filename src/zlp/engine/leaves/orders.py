"""Orders: actions that wait, with what they set aside."""

from __future__ import annotations

from zlp.engine.leaves.base import Key, Leaf, Settings


class OrderSettings(Settings, frozen=True):
    """How this venue takes and executes orders.

    ``fee_token``: what execution fees are paid in; ``minimum_fee``: least fee, base units. ``immediate``: names
    of actions that may also be sent directly. ``market_lifetime``: seconds after which a market order is
    cancelled instead of executed. ``keeper_delay``: seconds before a keeper may execute a market order;
    ``owner_delay``: before the owner may execute or cancel one himself, 0 for never. ``newer_price``: an order
    executes only at prices posted after it. ``public``: anybody may execute, not only keepers.
    ``expired_fee_to_keeper``: who gets the fee of an expired market order. ``maximum_open``: orders an account
    may have. ``minimum_margin``: what a resting order that opens a position must bring, USD 1e30, 0 for no least.
    """

    fee_token: str
    minimum_fee: int = 0
    immediate: tuple[str, ...] = ()
    market_lifetime: int = 300
    keeper_delay: int = 0
    owner_delay: int = 180
    newer_price: bool = True
    public: bool = False
    expired_fee_to_keeper: bool = True
    maximum_open: int = 100
    minimum_margin: int = 0

    @property
    def key(self) -> Key:
        """There is one."""
        return ()

    def invalid(self) -> str | None:
        """An order must be able to live."""
        if self.market_lifetime <= self.keeper_delay:
            return "market_lifetime must be above keeper_delay"
        return "maximum_open must be at least 1" if self.maximum_open < 1 else None


class Order(Leaf, frozen=True):
    """An action that waits for a price or a keeper.

    ``action``: its JSON text. ``trigger_asset``'s price, or its ratio to ``trigger_quote``'s at 1e30, must pass
    ``trigger_price`` (strictly); empty for no trigger. ``resting``: stays when an attempt fails; otherwise it is
    a market order, and a failed attempt cancels it. ``fee`` base units of ``fee_token`` and what the action
    spends are held by ``holder``. ``expires``: last second of a resting order, 0 for none.
    """

    number: int
    account: str
    action: str
    trigger_asset: str
    trigger_quote: str
    trigger_price: int
    trigger_above: bool
    resting: bool
    fee: int
    fee_token: str
    expires: int
    client: str
    placed_at: int
    placed_in: int

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    @property
    def holder(self) -> str:
        """Who holds the fee and the tokens."""
        return f"order:{self.number}"


class OpenOrders(Leaf, frozen=True):
    """How many orders an account has open."""

    account: str
    count: int

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)

    def broken(self) -> str | None:
        """Not negative."""
        return "fewer than no orders" if self.count < 0 else None


class CancelSchedule(Leaf, frozen=True):
    """An account's dead-man switch: at second ``at`` (0: never) it falls, and its orders from before then are void.

    ``fell_at``: when it fell last; what is void stays void, however the switch is set again.
    """

    account: str
    at: int
    fell_at: int

    @property
    def key(self) -> Key:
        """By account."""
        return (self.account,)

    def voids_before(self, now: int) -> int:
        """Orders placed before this second are void."""
        return self.at if 0 < self.at <= now else self.fell_at
