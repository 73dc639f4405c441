"""A venue driven by hypothesis: every command it gets is checked from all sides."""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from tests.auditor import Auditor, slow_pool_value
from tests.storm.venues import GENESIS_TIME, genesis
from tests.storm.weather import value_dust, value_faults
from zlp.engine import Command, Envelope, Receipt, Root, pricing
from zlp.engine.codec import canonical, decode_envelope, wire
from zlp.engine.commands.orders import ExecuteOrder, PlaceOrder
from zlp.engine.commands.prices import FastPrice, PostPrices, PostRounds, Round
from zlp.engine.events.orders import OrderPlaced
from zlp.engine.leaves.ledger import Balance, Supply
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.rejections import Code

USD = 10**30
BASES = {"BTC": 60_000, "ETH": 3_000}
TRADERS = ("ann", "ben", "cat")


class Venue:
    """One root, its auditor, its log, and its clock."""

    def __init__(self, profile: str) -> None:
        self.root = Root()
        self.log = genesis(profile)
        self.auditor = Auditor.of(self.log, self.root)
        self.now = GENESIS_TIME
        self.answers = {settings.asset: self.base(settings.asset) for settings in self.root.state.each(PriceSettings)}

    @property
    def pool(self) -> PoolSettings:
        """The venue's pool as it is set now."""
        return next(iter(self.root.state.each(PoolSettings)))

    def base(self, asset: str) -> int:
        """An ordinary answer of the asset's primary feed."""
        settings = self.root.state.get(PriceSettings, (asset,))
        assert settings is not None
        return (1 if self.asset(asset).stable else BASES[asset]) * 10**settings.answer_decimals

    def asset(self, token: str) -> AssetSettings:
        """The pool's settings of a token."""
        found = self.root.state.get(AssetSettings, (self.pool.pool, token))
        assert found is not None
        return found

    def tokens(self, *, stable: bool) -> list[str]:
        """The pool's tokens of one kind."""
        return [token for token in self.pool.tokens if self.asset(token).stable == stable]

    def held(self, account: str, token: str) -> int:
        """Base units the account has."""
        leaf = self.root.state.get(Balance, (account, token))
        return 0 if leaf is None else leaf.amount

    def amount(self, token: str, usd: int) -> int:
        """Base units of a token worth so many USD at its highest price."""
        return usd * USD * 10 ** self.asset(token).decimals // self.price(token)[1]

    def price(self, token: str) -> tuple[int, int]:
        """Minimum and maximum now."""
        return pricing.bounds_at(self.root.state, token, self.now)

    def prices(self) -> list[tuple[int, int]]:
        """The bounds of every token of the pool now."""
        return [self.price(token) for token in self.pool.tokens]

    def post(self, **moves: int) -> Receipt:
        """A round of every asset, the named ones moved to new answers."""
        self.answers.update(moves)
        return self.ask("keeper", PostRounds(rounds=tuple(Round(*item) for item in self.answers.items())))

    def post_fast(self, away_bps: int) -> Receipt:
        """A fast price of every asset, so far from the primary's last answer."""
        fast = []
        for asset, answer in self.answers.items():
            settings = self.root.state.get(PriceSettings, (asset,))
            assert settings is not None
            price = answer * USD // 10**settings.answer_decimals
            fast.append(FastPrice(asset, price + price * away_bps // 10_000))
        return self.ask("keeper", PostPrices(prices=tuple(fast), timestamp=self.now))

    def ask(self, account: str, command: Command) -> Receipt:
        """Quote, apply, audit; a rejection must leave no trace, a quote must be what happens (A3, A4, A5)."""
        envelope = Envelope(time=self.now, account=account, command=command)
        before = self.root.state_hash()
        quote = self.root.quote(envelope)
        assert self.root.state_hash() == before, "a quote changed the state"
        receipt = self.root.apply(envelope)
        self.log.append(envelope)
        immediate = receipt.rejection is None or receipt.rejection.code is not Code.ACTION_NOT_IMMEDIATE
        if immediate:
            assert replace(receipt, digest="") == quote.receipt, "the quote was another receipt"
        if receipt.rejection is not None:
            assert self.root.state_hash() == before, "a rejection changed the state"
        self.auditor.observe(envelope, receipt, self.root)
        return receipt

    def act(self, account: str, command: Command) -> Receipt:
        """A priced action: at once where the venue allows it, else ordered, priced anew and executed."""
        settings = self.root.state.get(OrderSettings, ())
        if settings is None or type(command).__name__ in settings.immediate:
            return self.ask(account, command)
        placed = self.ask(account, PlaceOrder(action=canonical(command).decode(), fee=settings.minimum_fee))
        numbers = [event.number for event in placed.events if isinstance(event, OrderPlaced)]
        if not numbers:
            return placed
        self.post()
        return self.ask("keeper", ExecuteOrder(number=numbers[0]))

    def faults(self) -> list[str]:
        """Everything wrong with the whole state, by the engine's audit, ours, and the slow pool value."""
        return [*self.root.audit(), *self.auditor.faults(self.root), *value_faults(self.root)]

    def require_repeatable(self) -> None:
        """The log, from its wire form, and a snapshot with the rest of the log, lead to the same digest (A2)."""
        halfway = len(self.log) // 2
        first = Root()
        for envelope in self.log[:halfway]:
            first.apply(decode_envelope(wire(envelope)))
        second = Root.restore(first.snapshot())
        assert (second.chain, second.sequence, second.time) == (first.chain, first.sequence, first.time)
        for root in (first, second):
            for envelope in self.log[halfway:]:
                root.apply(decode_envelope(wire(envelope)))
            assert root.chain == self.root.chain
            assert root.state_hash() == self.root.state_hash()

    def value(self, *, maximise: bool) -> Fraction:
        """What the pool is worth, summed over its positions; USD at 1e30."""
        prices = {token: self.price(token)[1 if maximise else 0] for token in self.pool.tokens}
        return slow_pool_value(self.root, self.pool.pool, prices)

    def dust(self) -> int:
        """How far below it the engine's figure may lie."""
        prices = {token: self.price(token)[1] for token in self.pool.tokens}
        return value_dust(self.root, self.pool.pool, prices)

    def supply(self, token: str) -> int:
        """All there is of a token."""
        leaf = self.root.state.get(Supply, (token,))
        return 0 if leaf is None else leaf.amount
