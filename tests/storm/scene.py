"""What a generator of commands sees of a venue with a basket pool, and how it draws numbers."""

from __future__ import annotations

from functools import cached_property
from random import Random

from zlp.engine import Command, Envelope, Root, pricing
from zlp.engine.codec import canonical
from zlp.engine.commands.orders import PlaceOrder
from zlp.engine.leaves.isolated import MarketSettings, Position
from zlp.engine.leaves.ledger import Balance
from zlp.engine.leaves.orders import Order, OrderSettings
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.rejections import Reject

USD = 10**30
BOUND = 2**256
GIANT = "giant"
"""The one trader who may own absurd amounts; ordinary ones spend at most `LARGEST_WORTH` at a time."""
LARGEST_WORTH = 20_000_000
ACCOUNTS = tuple(f"account-{number}" for number in range(24))
BASE_PRICES = {"BTC": 60_000, "ETH": 3_000}
"""USD that prices wander around; every other volatile token's is 10, a stable token's 1."""


class Scene:
    """One moment of a venue: its first pool, prices, positions; and the dice."""

    def __init__(self, random: Random, root: Root, now: int) -> None:
        self.random, self.root, self.now, self.state = random, root, now, root.state

    @cached_property
    def pool(self) -> PoolSettings:
        """The venue's first basket pool."""
        return next(iter(self.state.each(PoolSettings)))

    @cached_property
    def assets(self) -> dict[str, AssetSettings]:
        """The pool's tokens."""
        found = {token: self.state.get(AssetSettings, (self.pool.pool, token)) for token in self.pool.tokens}
        return {token: settings for token, settings in found.items() if settings is not None}

    @cached_property
    def positions(self) -> list[Position]:
        """Every open position."""
        return list(self.state.each(Position))

    @cached_property
    def orders(self) -> list[Order]:
        """Every open order."""
        return list(self.state.each(Order))

    def envelope(self, account: str, command: Command, time: int | None = None) -> Envelope:
        """The command now; as an order where the venue wants it so, now and then against its will."""
        settings = self.state.get(OrderSettings, ())
        waits = settings is not None and command.orderable and type(command).__name__ not in settings.immediate
        if waits and self.random.random() < 0.97:
            assert settings is not None
            command = PlaceOrder(action=canonical(command).decode(), fee=settings.minimum_fee)
        return Envelope(time=self.now if time is None else time, account=account, command=command)

    def account(self) -> str:
        """Any trader."""
        return self.random.choice(ACCOUNTS)

    def holder(self, token: str) -> str:
        """The richest of a few traders."""
        return max(self.random.sample(ACCOUNTS, 4), key=lambda account: self.held(account, token))

    def token(self, *, stable: bool | None = None) -> str:
        """Any token of the pool, of one kind if asked."""
        fitting = [token for token, settings in self.assets.items() if stable is None or settings.stable == stable]
        return self.random.choice(fitting or list(self.assets))

    def held(self, account: str, token: str) -> int:
        """Base units the account has."""
        leaf = self.state.get(Balance, (account, token))
        return 0 if leaf is None else leaf.amount

    def bounds(self, asset: str) -> tuple[int, int]:
        """Minimum and maximum price; 1 USD where there is none."""
        try:
            return pricing.bounds_at(self.state, asset, self.now)
        except Reject:
            return USD, USD

    def leverage_limit(self, market: str) -> int:
        """The market's most leverage, in bps."""
        limits = self.state.get(MarketSettings, (self.pool.pool, market))
        return 300_000 if limits is None else limits.max_leverage

    def affordable(self, account: str, token: str) -> int:
        """What an ordinary account may spend of a token at once."""
        held = self.held(account, token)
        if token not in self.assets:
            return held
        unit = 10 ** self.assets[token].decimals
        return min(held, LARGEST_WORTH * USD * unit // self.bounds(token)[1])

    def amount(self, held: int) -> int:
        """An amount to spend out of ``held``: mostly some part of it, often an edge, rarely absurd."""
        draw = self.random.random()
        if draw < 0.70:
            return int(held * self.random.random() ** 3)
        if draw < 0.80:
            return held
        if draw < 0.90:
            return self.random.randrange(1, 10_000)
        if draw < 0.93:
            return held + 1
        return self.edge()

    def edge(self) -> int:
        """A number at the edge of something."""
        return self.random.choice((0, 1, 2, 10**6, 10**12, 2**64, BOUND - 1, BOUND))

    def answer(self, asset: str) -> int:
        """The primary feed's next answer: a small step, a jump now and then, drawn back to the base price."""
        settings = self.state.get(PriceSettings, (asset,))
        assert settings is not None
        kind = self.assets.get(asset)
        stable = kind is not None and kind.stable
        base = (1 if stable else BASE_PRICES.get(asset, 10)) * 10**settings.answer_decimals
        feed = self.state.get(PriceFeed, (asset,))
        last = feed.rounds[-1] if feed is not None and feed.rounds else base
        return max(1, min(base * 1_000, self._step(last, base, stable)))

    def _step(self, last: int, base: int, stable: bool) -> int:
        draw = self.random.random()
        if stable:
            if draw < 0.90:
                return base + int(base * self.random.gauss(0, 0.0005))
            return int(base * self.random.choice((0.80, 0.95, 0.989, 0.99, 1.01, 1.011, 1.05)))
        if draw < 0.75:
            return last + int(last * self.random.gauss(0, 0.001))
        if draw < 0.96:
            return last + int(last * self.random.gauss(0, 0.01))
        if draw < 0.985:
            return base + int(base * self.random.gauss(0, 0.1))
        return int(last * self.random.choice((0.5, 0.7, 0.9, 1.1, 1.4, 2.0)))
