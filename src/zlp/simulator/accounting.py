"""Where the LPs' return came from, and what it cost whom: exact sums along a run.

Everything is USD at 1e30. Between two ticks the pool's assets move by the prices (``price_effect``, taken on what
the pool held when the prices moved); everything else moves by commands and is read off their events. What is
left between the sum of the parts and the change of the pool's value is ``OTHER``: what the pool earns where a trader
pays one price and gets another, price impact that is no fee, rounding. It is dust where a profile has no spread.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from zlp.desks import PoolView
from zlp.engine import Receipt
from zlp.engine.events.liquidity import Donated, FeeCharged, SharesBurned, SharesMinted
from zlp.engine.events.orders import OrderCancelled, OrderExecuted
from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.engine.fixed import USD, value_of
from zlp.engine.leaves.orders import OrderSettings
from zlp.simulator.books import books_of
from zlp.simulator.series import Series
from zlp.simulator.world import World

OTHER = "price spreads, price impact, rounding"
"""The part of the split that is what the others leave."""


class Accounting:
    """Listens to a world's receipts and looks at its pools at every tick, from ``begin`` on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fees_to_pool: dict[str, int] = defaultdict(int)
        self.fees_elsewhere: dict[str, int] = defaultdict(int)
        self.books = books_of(world)
        self.books.tell = self._beyond
        self.minted = self.burned = self.donated = 0
        self.price_effect = self.volume = self.commands = 0
        self.bad_debt = self.keeper_profit = 0
        self.bad_debts: list[str] = []
        self.actions: Counter[str] = Counter()
        self.rejections: Counter[str] = Counter()
        self.start_value = 0
        self.series = Series()
        self._prices: dict[str, int] = {}
        self._pools: Sequence[PoolView] = ()
        self._founded: dict[str, int] = {}
        self._founded_at: dict[str, int] = {}
        self._open_then: dict[str, tuple[int, int]] = {}
        self._count_then = (0, 0)
        self._paid_then = 1.0
        own: dict[type, Any] = {
            FeeCharged: self._fee,
            PositionChanged: self._position,
            Liquidated: self._liquidated,
            SharesMinted: self._mint,
            SharesBurned: self._burn,
            Donated: self._donate,
            OrderExecuted: self._executed,
            OrderCancelled: self._cancelled,
        }
        self._handlers: dict[type, list[Any]] = defaultdict(list)
        for kind, handler in (*own.items(), *self.books.handlers.items()):
            self._handlers[kind].append(handler)
        world.venue.listen(self._hear)

    def begin(self) -> None:
        """The pools are founded: count from here."""
        self._pools = self.world.desk.pools(self.world.reader, self.world.now)
        self._prices = {asset.token: self.world.token_price(asset.token) for p in self._pools for asset in p.assets}
        self.start_value = sum(pool.value_usd for pool in self._pools)
        for asset in (asset for pool in self._pools for asset in pool.assets):
            self._founded[asset.token] = self._founded.get(asset.token, 0) + asset.amount
        self._founded_at = dict(self._prices)
        self._open_then = self._open()
        self._count_then = (self.books.open_result(), self.books.accrued())
        self._paid_then = self._share_paid()
        self.books.clear()
        for sums in (self.fees_to_pool, self.fees_elsewhere, self.actions, self.rejections):
            sums.clear()
        self.minted = self.burned = self.donated = self.commands = 0
        self.series.add(self.world.now, self._pools, self._pools, self.world.markets())

    def observe(self) -> None:
        """Prices have moved and nothing else: take the price effect and a sample."""
        world = self.world
        pools = world.pools()
        prices = {asset.token: world.token_price(asset.token) for pool in pools for asset in pool.assets}
        for token, amount in self.books.held(pools):
            price = prices.get(token)
            if price is None:
                price = prices[token] = world.token_price(token)
            before = self._prices.get(token, price)
            if amount and price != before:
                self.price_effect += amount * (price - before) // world.token_unit(token)
        self.series.add(world.now, pools, self._pools, world.markets())
        self._prices, self._pools = prices, pools

    def _hear(self, receipt: Receipt) -> None:
        self.commands += 1
        if receipt.rejection is not None:
            self.rejections[receipt.rejection.code] += 1
            return
        for event in receipt.events:
            for handler in self._handlers.get(type(event), ()):
                handler(event)

    def _fee(self, event: FeeCharged) -> None:
        to_pool = self.books.kept(event)
        self.fees_to_pool[event.kind] += to_pool
        self.fees_elsewhere[event.kind] += event.value_usd - to_pool

    def _position(self, event: PositionChanged) -> None:
        self.actions[event.action] += 1
        self.volume += abs(event.size_after - event.size_before)

    def _liquidated(self, event: Liquidated) -> None:
        if event.reward:
            self.keeper_profit += self.world.worth(event.token, event.reward)
        if event.bad_debt_usd:
            self._beyond(event.account, event.market, event.bad_debt_usd)

    def _beyond(self, account: str, market: str, usd: int) -> None:
        self.bad_debt += usd
        moment = datetime.fromtimestamp(self.world.now, UTC).strftime("%Y-%m-%d %H:%M")
        beyond = f"{usd / USD:,.2f} USD beyond its collateral when the prices came"
        self.bad_debts.append(f"{moment} {account} in {market}: {beyond}")

    def _mint(self, event: SharesMinted) -> None:
        self.actions["mint"] += 1
        self.minted += event.value_usd

    def _burn(self, event: SharesBurned) -> None:
        self.actions["burn"] += 1
        self.burned += event.value_usd

    def _donate(self, event: Donated) -> None:
        self.donated += self.world.worth(event.token, event.amount)

    def _executed(self, event: OrderExecuted) -> None:
        self.actions["order executed"] += 1
        settings = self.world.reader.get(OrderSettings, ())
        if settings is not None:
            self.keeper_profit += self.world.worth(settings.fee_token, event.fee)

    def _cancelled(self, event: OrderCancelled) -> None:
        self.actions[f"order ended: {event.reason}"] += 1

    def holding_return(self) -> float:
        """What the assets the pools were founded with have gained by themselves."""
        then = sum(self._worth_at(token, amount, self._founded_at) for token, amount in self._founded.items())
        now = sum(self._worth_at(token, amount, self._prices) for token, amount in self._founded.items())
        return now / then - 1.0 if then else 0.0

    def _worth_at(self, token: str, amount: int, prices: dict[str, int]) -> int:
        return value_of(amount, prices[token], self.world.token_unit(token))

    def leaving_return(self) -> float:
        """What a share gained for somebody who came at the start and leaves now, at the prices leavers are paid."""
        return (1.0 + self.series.total_return) * self._share_paid() / self._paid_then - 1.0

    def _share_paid(self) -> float:
        """What leavers are paid of the value that a desk shows."""
        pools = self.world.desk.pools(self.world.reader, self.world.now)
        shown = sum(pool.value_usd for pool in pools)
        return sum(map(self.books.low_value, pools)) / shown if shown else 1.0

    def _open(self) -> dict[str, tuple[int, int]]:
        """(result, fees owed) of every account's open positions at present prices. O(positions)."""
        found: dict[str, tuple[int, int]] = {}
        for view in self.world.desk.positions(self.world.reader, self.world.now):
            result, owed = found.get(view.account, (0, 0))
            found[view.account] = (result + view.pnl_usd, owed + view.owed_usd)
        return found

    def results(self) -> dict[str, int]:
        """What each account's trading made since ``begin``, after fees, open positions included; zeros left out."""
        net = defaultdict(int, self.books.net)
        for sign, found in ((1, self._open()), (-1, self._open_then)):
            for account, (result, owed) in found.items():
                net[account] += sign * (result - owed)
        return {account: amount for account, amount in sorted(net.items()) if amount}

    def split(self) -> dict[str, int]:
        """The change of the pools' value since ``begin``, by where it came from; the parts add up exactly."""
        end = sum(pool.value_usd for pool in self.world.desk.pools(self.world.reader, self.world.now))
        books = self.books
        parts = {f"fees kept: {kind}": amount for kind, amount in sorted(self.fees_to_pool.items()) if amount}
        more = {
            "fees accrued, not yet paid": books.accrued() - self._count_then[1],
            "funding settled with results": books.carried,
            "profits beyond what backed them": books.unpaid,
            "fees of conversions": -books.converted,
        }
        parts["traders' realised result"] = -books.realised
        parts["traders' open result"] = self._count_then[0] - books.open_result()
        parts["collateral left by liquidations"] = books.forfeited
        parts["losses beyond collateral"] = -books.uncollected
        parts |= {name: amount for name, amount in more.items() if amount}
        parts["price effect of the assets held"] = self.price_effect
        parts["deposits of liquidity"] = self.minted + self.donated
        parts["withdrawals of liquidity"] = -self.burned
        parts[OTHER] = end - self.start_value - sum(parts.values())
        return parts
