"""Where the LPs' return came from, and what it cost whom: exact sums along a run.

Everything is USD at 1e30. Between two ticks the pool's assets move by the prices (``price_effect``, taken on what
the pool held when the prices moved); everything else moves by commands and is read off their events. What is
left between the sum of the parts and the change of the pool's value is ``OTHER``: what the pool earns where a trader
pays one price and gets another, price impact that is no fee, rounding. It is cents where a profile has no spread.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from zlp.desks import PoolView
from zlp.engine import Receipt
from zlp.engine.events.credit_positions import ShortfallForgiven
from zlp.engine.events.cross_margin import DebtForgiven
from zlp.engine.events.liquidity import Donated, FeeCharged, SharesBurned, SharesMinted
from zlp.engine.events.orders import OrderCancelled, OrderExecuted
from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.engine.fixed import USD, mul_div_down, value_of
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.orders import OrderSettings
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
        self.net_by_account: dict[str, int] = defaultdict(int)
        self.minted = self.burned = self.donated = 0
        self.price_effect = self.realised = self.forfeited = 0
        self.volume = self.commands = 0
        self.bad_debt = self.uncollected = self.keeper_profit = 0
        self._by_account = any(
            world.reader.get(Installed, (branch,)) is not None for branch in ("cross_margin", "credit_positions")
        )
        self.bad_debts: list[str] = []
        self.actions: Counter[str] = Counter()
        self.rejections: Counter[str] = Counter()
        self.start_value = 0
        self._named = False
        self.series = Series()
        self._collateral: dict[str, int] = {}
        self._prices: dict[str, int] = {}
        self._pools: Sequence[PoolView] = ()
        self._founded: dict[str, int] = {}
        self._founded_at: dict[str, int] = {}
        self._open_then: dict[str, tuple[int, int]] = {}
        self._handlers: dict[type, Any] = {
            FeeCharged: self._fee,
            PositionChanged: self._position,
            Liquidated: self._liquidated,
            SharesMinted: self._mint,
            SharesBurned: self._burn,
            Donated: self._donate,
            DebtForgiven: self._forgiven,
            ShortfallForgiven: self._shortfall,
            OrderExecuted: self._executed,
            OrderCancelled: self._cancelled,
        }
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
        for sums in (self.fees_to_pool, self.fees_elsewhere, self.net_by_account, self.actions, self.rejections):
            sums.clear()
        self.minted = self.burned = self.donated = self.commands = 0
        self.series.add(self.world.now, self._pools, self._pools, self.world.markets())

    def observe(self) -> None:
        """Prices have moved and nothing else: take the price effect and a sample."""
        world = self.world
        pools = world.pools()
        prices: dict[str, int] = {}
        for pool in pools:
            for asset in pool.assets:
                token = asset.token
                price = prices[token] = world.token_price(token)
                if asset.amount:
                    self.price_effect += asset.amount * (price - self._prices[token]) // world.token_unit(token)
        self.series.add(world.now, pools, self._pools, world.markets())
        self._prices, self._pools = prices, pools

    def _hear(self, receipt: Receipt) -> None:
        self.commands += 1
        if receipt.rejection is not None:
            self.rejections[receipt.rejection.code] += 1
            return
        self._named = False
        for event in receipt.events:
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)

    def _fee(self, event: FeeCharged) -> None:
        to_pool = mul_div_down(event.value_usd, event.to_pool, event.amount) if event.amount else 0
        self.fees_to_pool[event.kind] += to_pool
        self.fees_elsewhere[event.kind] += event.value_usd - to_pool

    def _position(self, event: PositionChanged) -> None:
        self.actions[event.action] += 1
        self.realised += event.pnl_usd
        self.volume += abs(event.size_after - event.size_before)
        costs = event.fee_usd + event.carry_usd
        self.net_by_account[event.account] += event.pnl_usd - costs
        before = self._collateral.pop(event.position, 0)
        if event.action == "liquidate" and event.size_after == 0 and not self._by_account:
            left = before + event.pnl_usd - costs
            self.forfeited += max(0, left)
            self.uncollected += max(0, -left)
            self.net_by_account[event.account] -= left
        elif event.size_after:
            self._collateral[event.position] = event.collateral_usd

    def _liquidated(self, event: Liquidated) -> None:
        if event.reward:
            reward = self._worth(event.token, event.reward)
            self.forfeited -= reward
            self.keeper_profit += reward
        if event.bad_debt_usd and not self._named:
            self._bad(event.bad_debt_usd, f"{event.account} in {event.market}")

    def _forgiven(self, event: DebtForgiven) -> None:
        owed = event.trading_usd + event.borrowing_usd + event.funding_usd + event.loss_usd
        self._named = True
        self._bad(owed, f"debts of {event.owner}/{event.account}")

    def _shortfall(self, event: ShortfallForgiven) -> None:
        self._named = True
        self._bad(event.shortfall_usd, f"account {event.trading_account} in {event.market}")

    def _bad(self, amount: int, whose: str) -> None:
        """A loss beyond what backed it; a liquidation that repeats what was forgiven is not counted twice."""
        self.bad_debt += amount
        self.uncollected += amount if self._by_account else 0
        moment = datetime.fromtimestamp(self.world.now, UTC).strftime("%Y-%m-%d %H:%M")
        self.bad_debts.append(f"{moment} {whose}: {amount / USD:,.2f} USD beyond its collateral when the prices came")

    def _mint(self, event: SharesMinted) -> None:
        self.actions["mint"] += 1
        self.minted += event.value_usd

    def _burn(self, event: SharesBurned) -> None:
        self.actions["burn"] += 1
        self.burned += event.value_usd

    def _donate(self, event: Donated) -> None:
        self.donated += self._worth(event.token, event.amount)

    def _executed(self, event: OrderExecuted) -> None:
        self.actions["order executed"] += 1
        settings = self.world.reader.get(OrderSettings, ())
        if settings is not None:
            self.keeper_profit += self._worth(settings.fee_token, event.fee)

    def _cancelled(self, event: OrderCancelled) -> None:
        self.actions[f"order ended: {event.reason}"] += 1

    def _worth(self, token: str, amount: int) -> int:
        return value_of(amount, self.world.token_price(token), self.world.token_unit(token))

    def holding_return(self) -> float:
        """What the assets the pools were founded with have gained by themselves."""
        then = sum(self._worth_at(token, amount, self._founded_at) for token, amount in self._founded.items())
        now = sum(self._worth_at(token, amount, self._prices) for token, amount in self._founded.items())
        return now / then - 1.0 if then else 0.0

    def _worth_at(self, token: str, amount: int, prices: dict[str, int]) -> int:
        return value_of(amount, prices[token], self.world.token_unit(token))

    def _open(self) -> dict[str, tuple[int, int]]:
        """(result, fees owed) of every account's open positions at present prices. O(positions)."""
        found: dict[str, tuple[int, int]] = {}
        for view in self.world.desk.positions(self.world.reader, self.world.now):
            result, owed = found.get(view.account, (0, 0))
            found[view.account] = (result + view.pnl_usd, owed + view.owed_usd)
        return found

    def results(self) -> dict[str, int]:
        """What each account's trading made since ``begin``, after fees, open positions included; zeros left out."""
        net = defaultdict(int, self.net_by_account)
        for sign, found in ((1, self._open()), (-1, self._open_then)):
            for account, (result, owed) in found.items():
                net[account] += sign * (result - owed)
        return {account: amount for account, amount in sorted(net.items()) if amount}

    def unrealised(self) -> int:
        """By how much the result of all open positions has grown since ``begin``."""
        now, then = (sum(result for result, _ in found.values()) for found in (self._open(), self._open_then))
        return now - then

    def split(self) -> dict[str, int]:
        """The change of the pools' value since ``begin``, by where it came from; the parts add up exactly."""
        end = sum(pool.value_usd for pool in self.world.desk.pools(self.world.reader, self.world.now))
        parts = {f"fees kept: {kind}": amount for kind, amount in sorted(self.fees_to_pool.items()) if amount}
        parts["traders' realised result"] = -self.realised
        parts["traders' open result"] = -self.unrealised()
        parts["collateral left by liquidations"] = self.forfeited
        parts["losses beyond collateral"] = -self.uncollected
        parts["price effect of the assets held"] = self.price_effect
        parts["deposits of liquidity"] = self.minted + self.donated
        parts["withdrawals of liquidity"] = -self.burned
        parts[OTHER] = end - self.start_value - sum(parts.values())
        return parts
