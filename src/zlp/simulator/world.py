"""The world: a root, its keepers and a crowd of agents, on a clock that price ticks drive.

A tick goes: orders decided on what was known are placed a moment before it; the prices come; the account is
taken; keepers execute, liquidate and deleverage; agents whose time has come look and decide. So nobody acts on a
price before it is known, and no order is executed at a price its owner knew.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from zlp.desks import MarketView, PoolView, desk_of
from zlp.engine import Command, Envelope, Receipt, Root, ledger
from zlp.engine.commands.custody import Deposit
from zlp.engine.events.orders import OrderCancelled
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import value_of
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.credit import CreditCollateral
from zlp.engine.pricing import bounds_at
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.keepers import (
    CreditKeeper,
    DeleverageKeeper,
    FeeKeeper,
    Keeper,
    LiquidationKeeper,
    LocalPort,
    LocalVenue,
    OrderKeeper,
    PriceKeeper,
    VenueDoor,
)
from zlp.keepers.watches import watch_of
from zlp.simulator.agents import Behaviour
from zlp.simulator.feeds import Assumption, KnownPrices, PathFeed
from zlp.simulator.hand import Hand
from zlp.simulator.shocks import Moment
from zlp.simulator.stream import Stream

LEAD = 1
"""Seconds before a tick at which waiting orders are placed."""

Roles = Mapping[str, Sequence[str]]


class World:
    """One simulated venue. ``tick`` it along a path; everything that happened is in ``venue``'s receipts."""

    def __init__(
        self,
        root: Root,
        roles: Roles,
        assumptions: Sequence[Assumption],
        seed: int,
        venue: VenueDoor | None = None,
    ) -> None:
        self.venue = venue or LocalVenue(root)
        self.desk = desk_of(root.state)
        self.assumptions = tuple(assumptions)
        self.feed = PathFeed(root.state, assumptions)
        self.truth = KnownPrices(assumptions)
        self.now = root.time
        self.hands: dict[str, Hand] = {}
        self.behaviours: dict[str, Behaviour] = {}
        self.done: Counter[str] = Counter()
        self._seed = seed
        self._bridge = roles["bridge"][0]
        self._poster = PriceKeeper(self._port(roles["keeper"][0]), self.feed)
        self._keepers = self._hire(roles)
        self._alarms: list[tuple[int, int, Hand]] = []
        self._waiting: dict[str, Hand] = {}
        self._history: dict[str, list[float]] = {}
        self._markets: list[MarketView] | None = None
        self._pools: list[PoolView] | None = None
        self._priced_as = {leaf.token: leaf.asset for leaf in root.state.each(CreditCollateral)}
        self.venue.listen(self._hear)

    @property
    def root(self) -> Root:
        """The venue's root."""
        return self.venue.root

    @property
    def reader(self) -> Reader:
        """The venue's state."""
        return self.venue.root.state

    def _port(self, account: str) -> LocalPort:
        return LocalPort(self.venue, account, lambda: self.now)

    def _hire(self, roles: Roles) -> list[Keeper]:
        """The keepers this design needs, in the order in which they work at a tick."""
        keeper = roles["keeper"][0]
        liquidator = (*roles.get("liquidator", ()), keeper)[0]
        hired: list[Keeper] = []
        if self.reader.get(Installed, ("orders",)) is not None:
            hired.append(OrderKeeper(self._port(keeper)))
        if self.reader.get(Installed, ("credit_positions",)) is not None:
            hired.append(CreditKeeper(self._port(keeper)))
        watch = watch_of(self._port(liquidator))
        hired.append(LiquidationKeeper(self._port(liquidator), watch))
        if self.reader.get(Installed, ("cross_margin",)) is not None:
            hired.append(DeleverageKeeper(self._port(liquidator), watch))
        hired.append(FeeKeeper(self._port(keeper)))
        return hired

    def hire(self, maker: Callable[[LocalPort], Keeper], account: str) -> None:
        """One keeper more, under this account, who works after the others at every tick."""
        self._keepers.append(maker(self._port(account)))

    def settle(self, behaviour: Behaviour) -> None:
        """Let the behaviour's agents into the world; each wakes for the first time at the next tick."""
        for number in range(1, behaviour.count + 1):
            account = f"{behaviour.name}-{number}"
            if account in self.hands:
                raise ValueError(f"two behaviours are called {behaviour.name!r}")
            stream = Stream(self._seed, account)
            hand = Hand(self, account, behaviour.budget(stream), stream)
            self.hands[account] = hand
            self.behaviours[account] = behaviour
            heapq.heappush(self._alarms, (self.now, len(self.hands), hand))

    def tick(self, moment: Moment, account: Callable[[], None] | None = None) -> None:
        """Pass one tick. ``account`` is called once the prices are in and before anybody reacts to them."""
        tick = moment.truth
        if self._waiting:
            self._place(max(self.now, tick.time - LEAD))
        self.now = tick.time
        self._markets = self._pools = None
        for asset, price in self.truth.prices_at(tick.prices).items():
            self._history.setdefault(asset, []).append(price / 10**30)
        if moment.heard is not None:
            self.feed.move_to(tick.time, moment.heard.prices)
            self._poster.work()
        if account is not None:
            account()
        for keeper in self._keepers if moment.attended else ():
            self.done[keeper.name] += keeper.work()
        while self._alarms and self._alarms[0][0] <= self.now:
            _, order, hand = heapq.heappop(self._alarms)
            pause = self.behaviours[hand.account].wake(hand)
            heapq.heappush(self._alarms, (self.now + max(1, pause), order, hand))

    def _place(self, moment: int) -> None:
        self.now = moment
        waiting, self._waiting = self._waiting, {}
        for hand in waiting.values():
            hand.flush()

    @property
    def is_waiting(self) -> bool:
        """Whether any orders wait for the next prices."""
        return bool(self._waiting)

    def awaits_prices(self, hand: Hand) -> None:
        """Remember to place this hand's orders before the next tick."""
        self._waiting[hand.account] = hand

    def submit(self, account: str, command: Command) -> Receipt:
        """Apply a command now."""
        return self.venue.apply(Envelope(time=self.now, account=account, command=command))

    def bring(self, deposit: Deposit) -> Receipt:
        """Let the bridge credit tokens."""
        return self.submit(self._bridge, deposit)

    def _hear(self, receipt: Receipt) -> None:
        for event in receipt.events:
            kind = type(event)
            if kind is PositionChanged:
                hand = self.hands.get(event.account)
                if hand is not None:
                    hand.hear(event)
            elif kind is OrderCancelled:
                hand = self.hands.get(event.account)
                if hand is not None:
                    hand.refused()

    def markets(self) -> list[MarketView]:
        """Every market, as of the first question since the tick."""
        if self._markets is None:
            self._markets = self.desk.markets(self.reader, self.now)
        return self._markets

    def pools(self) -> list[PoolView]:
        """Every pool, as of the first question since the tick."""
        if self._pools is None:
            self._pools = self.desk.pools(self.reader, self.now)
        return self._pools

    def token_price(self, token: str) -> int:
        """The lower price of a token (USD at 1e30 per whole token), 0 if it has none."""
        asset = self._priced_as.get(token, token)
        if not asset:
            return 10**30
        try:
            return bounds_at(self.reader, asset, self.now)[0]
        except Reject:
            return 0

    def token_unit(self, token: str) -> int:
        """Base units of a whole token."""
        return ledger.token(self.reader, token).unit

    def worth(self, token: str, amount: int) -> int:
        """USD at 1e30 of base units of a token, rounded down."""
        return value_of(amount, self.token_price(token), self.token_unit(token))

    def history(self, market: str) -> list[float]:
        """True prices of a market so far, one a tick; a market is named after its asset, or contains its name."""
        known = self._history.get(market)
        if known is None:
            inside = [asset for asset in self._history if asset in market]
            known = self._history[max(inside, key=len)] if inside else []
        return known

    def populate(self, behaviours: Iterable[Behaviour]) -> None:
        """Settle several behaviours, in order."""
        for behaviour in behaviours:
            self.settle(behaviour)
