"""Random lives of orders on the vaults' credit: whatever rests, triggers and fills, the terms of each order hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.profiles.zaros.registry import Registry
from tests.profiles.zaros.venue import UNIT
from zlp.engine import Receipt
from zlp.engine.codec import decode_command
from zlp.engine.commands import credit_positions, orders
from zlp.engine.events.orders import OrderExecuted
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import USD
from zlp.engine.leaves.credit_positions import CreditOrder
from zlp.engine.leaves.orders import Order
from zlp.keepers import CreditKeeper, OrderKeeper

sizes = st.sampled_from([-UNIT, -UNIT // 10, -UNIT // 500, UNIT // 500, UNIT // 10, UNIT])
levels = st.sampled_from([96_000, 99_000, 99_990, 100_000, 100_010, 101_000, 104_000])


class OrderMachine(RuleBasedStateMachine):
    """One trader, one market, one keeper; reports are the posted prices."""

    @initialize()
    def open_venue(self) -> None:
        """Credit, margin, and no order yet."""
        self.scene = Registry()
        self.now_at = 100_000

    @rule(delta=sizes, at=levels, above=st.booleans(), reduce_only=st.booleans(), limited=st.booleans())
    def rest(self, delta: int, at: int, above: bool, reduce_only: bool, limited: bool) -> None:
        """A limit, a stop or a take-profit."""
        limit = at * USD if limited else 0
        self.scene.rest(delta, at, above=above, acceptable_price=limit, reduce_only=reduce_only)

    @rule(delta=sizes, reduce_only=st.booleans(), limit=st.sampled_from([0, 99_000 * USD, 101_000 * USD]))
    def trade(self, delta: int, reduce_only: bool, limit: int) -> None:
        """A market order, which may be refused."""
        order = credit_positions.PlaceCreditOrder(
            trading_account=1, market="BTC", size_delta=delta, acceptable_price=limit, reduce_only=reduce_only
        )
        self.scene.send("t", order)

    @rule(at=levels, seconds=st.sampled_from([0, 1, 30, 400]))
    def move(self, at: int, seconds: int) -> None:
        """Time passes and the price is another."""
        self.scene.now += seconds
        self.now_at = at
        self.scene.price(BTC=at, USDC=1, ETH=2_000, ETHx=2_000)

    @rule()
    def fill_waiting(self) -> None:
        """Every order of the registry is tried with the posted price as its report."""
        for order in list(self.scene.root.state.each(Order)):
            before = self.scene.size()
            receipt = self.scene.execute(order.number, self.now_at)
            if any(isinstance(event, OrderExecuted) for event in receipt.events):
                action = decode_command(order.action)
                self.judge(action, before, receipt)
                reached = self.now_at * USD > order.trigger_price
                assert reached if order.trigger_above else self.now_at * USD < order.trigger_price

    @rule()
    def fill_pending(self) -> None:
        """The pending order is filled, if it can be."""
        for order in list(self.scene.root.state.each(CreditOrder)):
            before = self.scene.size()
            report = self.scene.report("BTC", self.now_at * USD)
            receipt = self.scene.send("keeper", credit_positions.FillCreditOrder(trading_account=1, report=report))
            if self.scene.size() != before:
                self.judge(order, before, receipt)

    @rule()
    def keep(self) -> None:
        """The keepers leave nothing due behind: a second round finds nothing to do."""
        for kind in (OrderKeeper, CreditKeeper):
            kind(self.scene.port()).work()
        assert OrderKeeper(self.scene.port()).work() == 0

    @rule()
    def cancel(self) -> None:
        """The owner takes the oldest back."""
        for order in list(self.scene.root.state.each(Order))[:1]:
            self.scene.must("t", orders.CancelOrder(number=order.number))

    def judge(self, order: credit_positions.PlaceCreditOrder | CreditOrder, before: int, receipt: Receipt) -> None:
        """What an order allows: no more than its size, not past nothing if it only reduces, not beyond its price."""
        after = self.scene.size()
        (fill,) = [event for event in receipt.events if isinstance(event, PositionChanged)]
        assert abs(after - before) <= abs(order.size_delta)
        assert (after - before) * order.size_delta > 0
        if order.reduce_only:
            assert abs(after) < abs(before)
            assert after * before >= 0
        else:
            assert after - before == order.size_delta
        if order.acceptable_price:
            assert (
                (fill.price <= order.acceptable_price)
                if order.size_delta > 0
                else (fill.price >= order.acceptable_price)
            )

    @invariant()
    def sums_hold(self) -> None:
        """A3: the engine's own audit."""
        assert list(self.scene.root.audit()) == []


OrderMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestOrders = OrderMachine.TestCase
