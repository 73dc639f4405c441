"""A venue that lends credit and has the order registry: what rests there, and who fills it."""

from __future__ import annotations

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine.codec import canonical
from zlp.engine.commands import credit_positions, governance, orders
from zlp.engine.fixed import USD
from zlp.engine.leaves.credit_positions import CreditPosition
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.root import Receipt
from zlp.keepers import LocalPort, LocalVenue


class Registry(CreditVenue):
    """A venue with two million USD of credit behind BTC, one trader with 10,000 USD, and orders that rest."""

    def __init__(self) -> None:
        super().__init__([market(), vault("v", "ETHx")])
        add = (governance.BranchCut(action="add", branch="orders", version=1),)
        self.must("governor", governance.UpgradeBranches(cuts=add))
        self.configure(OrderSettings(fee_token="WETH", immediate=("Mint", "PlaceCreditOrder")))
        self.deposit("lp", "v", 1_000 * UNIT)
        self.trader("t", USDC=10**10)

    def rest(self, delta: int, at: int, *, above: bool, account: str = "t", **fields: object) -> int:
        """An order for ``delta`` that waits for a whole price; its number."""
        told = {name: fields.pop(name) for name in ("expires",) if name in fields}
        action = credit_positions.PlaceCreditOrder(
            trading_account=1,
            market="BTC",
            size_delta=delta,
            **fields,  # type: ignore[arg-type]
        )
        command = orders.PlaceOrder(
            action=canonical(action).decode(),
            fee=0,
            resting=True,
            trigger_asset="BTC",
            trigger_price=at * USD,
            trigger_above=above,
            **told,  # type: ignore[arg-type]
        )
        return self.must(account, command).events[0].number

    def stop(self, delta: int, at: int) -> int:
        """A stop that only closes a long."""
        return self.rest(delta, at, above=False, reduce_only=True)

    def execute(self, number: int, price: int) -> Receipt:
        """A keeper hands in a report at a whole price."""
        command = credit_positions.FillWaitingOrder(number=number, report=self.report("BTC", price * USD))
        return self.send("keeper", command)

    def port(self) -> LocalPort:
        """The keeper's."""
        return LocalPort(LocalVenue(self.root), "keeper", lambda: self.now)

    def size(self) -> int:
        """The trader's position."""
        held = self.root.state.get(CreditPosition, (1, "BTC"))
        return 0 if held is None else held.size
