"""What an agent acts with: an account at the venue, its positions, its money, its own random stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from zlp.desks import Desk, MarketView, PoolView
from zlp.engine import Command, Receipt, ledger
from zlp.engine.codec import canonical
from zlp.engine.commands.credit_positions import AddMargin, PlaceCreditOrder
from zlp.engine.commands.cross_margin import DepositMargin
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.liquidity import Burn, Mint, Swap
from zlp.engine.commands.orders import PlaceOrder
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import BPS, USD
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.simulator.stream import Stream

SMALLEST_MARGIN = 50 * USD
"""A position below costs more in fixed fees than it can earn."""
FEES_AHEAD = 200
"""Execution fees an agent brings in at once, so that not every order needs a deposit of its own."""


class Stage(Protocol):
    """What a hand needs of the world it acts in."""

    desk: Desk
    now: int

    @property
    def reader(self) -> Reader:
        """The venue's state."""

    def submit(self, account: str, command: Command) -> Receipt:
        """Apply a command now."""

    def bring(self, deposit: Deposit) -> Receipt:
        """Let the bridge credit tokens."""

    def token_price(self, token: str) -> int:
        """USD at 1e30 per whole token, 0 if unknown."""

    def token_unit(self, token: str) -> int:
        """Base units of a whole token."""

    def markets(self) -> list[MarketView]:
        """Every market, as of this tick."""

    def pools(self) -> list[PoolView]:
        """Every pool, as of this tick."""

    def history(self, market: str) -> list[float]:
        """Prices of a market so far, one a tick, the newest last."""

    def awaits_prices(self, hand: Hand) -> None:
        """This hand has orders to send just before the next prices."""


class Held(msgspec.Struct):
    """An open position as its owner sees it: USD at 1e30, times in seconds."""

    position: str
    market: str
    is_long: bool
    size: int
    price: int
    margin: int
    opened_at: int
    closing: bool = False


class Hand:
    """One agent's account. Orders wait in an outbox until just before the next prices; the rest acts at once.

    ``budget`` USD at 1e30 is what the agent brought into the world; ``net`` what trading made of it since
    (newcomers after a ruin included). ``fee_bps``: what trading cost at the last trade that had a fee, of its size.
    ``notes`` is for whatever a behaviour wants to remember.
    """

    def __init__(self, stage: Stage, account: str, budget: int, stream: Stream) -> None:
        self.stage = stage
        self.account = account
        self.budget = budget
        self.net = 0
        self.fee_bps = 0.0
        self.stream = stream
        self.positions: dict[str, Held] = {}
        self.notes: dict[str, Any] = {}
        self._outbox: list[Command] = []
        self._afterwards: list[Command] = []
        self._margin = 0

    @property
    def now(self) -> int:
        """The world's second."""
        return self.stage.now

    @property
    def free(self) -> int:
        """USD (1e30) not backing a position."""
        return self.budget + self.net - sum(held.margin for held in self.positions.values())

    @property
    def is_waiting(self) -> bool:
        """Whether an order of this agent has not been answered yet."""
        return bool(self._outbox)

    def is_ruined(self) -> bool:
        """Nothing open and too little left for a position."""
        return not self.positions and not self._outbox and self.free < 4 * SMALLEST_MARGIN

    def start_over(self, budget: int) -> None:
        """A newcomer takes the place of a trader who lost everything."""
        self.budget = budget - self.net
        self.notes.clear()

    def held(self, market: str) -> list[Held]:
        """Open positions in a market that are not being closed already."""
        return [held for held in self.positions.values() if held.market == market and not held.closing]

    def open(self, market: MarketView, *, is_long: bool, margin: int, leverage: float) -> None:
        """Order a position of ``margin`` USD (1e30) times ``leverage``, in the first collateral that backs it."""
        tokens = market.long_collaterals if is_long else market.short_collaterals
        margin = min(margin, self.free)
        if not tokens or margin < SMALLEST_MARGIN:
            return
        collateral = tokens[0]
        price = self.stage.token_price(collateral)
        if not price:
            return
        amount = margin * self.stage.token_unit(collateral) // price
        size = margin * int(min(leverage * BPS, market.max_leverage * 0.9 or leverage * BPS)) // BPS
        self._margin = margin
        try:
            commands = self.stage.desk.open(
                self.stage.reader,
                self.now,
                pool=market.pool,
                market=market.market,
                is_long=is_long,
                collateral=collateral,
                amount=amount,
                size_usd=size,
            )
        except Reject:
            return
        self.send(commands)

    def close(self, held: Held, fraction_bps: int = BPS) -> None:
        """Order the closing of a part of a position."""
        try:
            commands = self.stage.desk.close(
                self.stage.reader, self.now, position=held.position, fraction_bps=fraction_bps
            )
        except Reject:
            return
        held.closing = fraction_bps >= BPS
        self.send(commands[:1])
        self._afterwards += commands[1:]

    def mint(self, pool: PoolView, token: str, value: int) -> None:
        """Put ``value`` USD (1e30) of a token into a pool."""
        price = self.stage.token_price(token)
        if price:
            amount = value * self.stage.token_unit(token) // price
            if amount:
                self.send([Mint(pool=pool.pool, token=token, amount=amount)])

    def burn(self, pool: PoolView, token: str, fraction_bps: int) -> None:
        """Take a part of what one holds of a pool out in a token."""
        shares = ledger.balance_of(self.stage.reader, self.account, pool.share) * fraction_bps // BPS
        if shares:
            self.send([Burn(pool=pool.pool, token=token, shares=shares)])

    def swap(self, pool: PoolView, path: tuple[str, ...], value: int) -> None:
        """Swap ``value`` USD (1e30) of the first token of the path into its last."""
        price = self.stage.token_price(path[0])
        if price:
            amount = value * self.stage.token_unit(path[0]) // price
            self.send([Swap(pool=pool.pool, path=path, amount=amount)])

    def flush(self) -> None:
        """Place the orders of the outbox, after what earlier ones left to do."""
        afterwards, self._afterwards = self._afterwards, []
        for command in afterwards:
            self.stage.submit(self.account, command)
        outbox, self._outbox = self._outbox, []
        settings = self.stage.reader.get(OrderSettings, ())
        for action in outbox:
            if settings is None or not action.orderable or type(action).__name__ in settings.immediate:
                self._submit(action)
                continue
            self._bring_fee(settings, action)
            order = PlaceOrder(action=canonical(action).decode(), fee=settings.minimum_fee)
            if not self._submit(order, action):
                self._give_up()
        if self._afterwards:
            self.stage.awaits_prices(self)

    def hear(self, event: PositionChanged) -> None:
        """Follow one's own positions and money."""
        self.net += event.pnl_usd - event.fee_usd - event.carry_usd
        traded = event.traded_usd or abs(event.size_after - event.size_before)
        if event.fee_usd and traded:
            self.fee_bps = event.fee_usd * BPS / traded
        if event.size_after == 0:
            self.positions.pop(event.position, None)
            return
        held = self.positions.get(event.position)
        if held is None:
            self.positions[event.position] = Held(
                position=event.position,
                market=event.market,
                is_long=event.is_long,
                size=event.size_after,
                price=event.average_price,
                margin=event.collateral_usd or self._margin,
                opened_at=self.now,
            )
            return
        held.size, held.price, held.is_long = event.size_after, event.average_price, event.is_long
        held.margin = event.collateral_usd or held.margin
        held.closing = False

    def refused(self) -> None:
        """An order of this agent ended without running: what was being closed may be tried again."""
        self._give_up()

    def _give_up(self) -> None:
        for held in self.positions.values():
            held.closing = False

    def send(self, commands: Sequence[Command]) -> None:
        """Submit what may act at once, in order; the first that must wait for prices takes the rest with it."""
        settings = self.stage.reader.get(OrderSettings, ())
        waiting = False
        for command in commands:
            if waiting or _must_wait(command, settings):
                waiting = True
                self._outbox.append(command)
                self.stage.awaits_prices(self)
            else:
                self._submit(command)

    def _submit(self, command: Command, spends: Command | None = None) -> bool:
        """Bring in what it takes and send it."""
        for token, amount in _needs(spends or command):
            self._bring(token, amount, amount)
        return self.stage.submit(self.account, command).accepted

    def _bring_fee(self, settings: OrderSettings, action: Command) -> None:
        """Execution fees for many orders at once, beside what the action itself takes of that token."""
        taken = sum(amount for token, amount in action.spends() if token == settings.fee_token)
        fee = settings.minimum_fee
        self._bring(settings.fee_token, taken + fee, taken + fee * FEES_AHEAD)

    def _bring(self, token: str, needed: int, amount: int) -> None:
        """Bring tokens in from the outside world if the account has too few."""
        held = ledger.balance_of(self.stage.reader, self.account, token)
        if held < needed:
            self.stage.bring(Deposit(account=self.account, token=token, amount=max(amount, needed) - held))


def _must_wait(command: Command, settings: OrderSettings | None) -> bool:
    """Whether a command is answered only by prices that come after it."""
    if isinstance(command, PlaceCreditOrder):
        return True
    return settings is not None and command.orderable and type(command).__name__ not in settings.immediate


def _needs(command: Command) -> tuple[tuple[str, int], ...]:
    """Tokens a command takes from its sender."""
    if isinstance(command, (DepositMargin, AddMargin)):
        return ((command.token, command.amount),)
    return command.spends()
