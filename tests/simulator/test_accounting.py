"""Every dollar of a pool's change is explained, on paths that break positions, for every design (E4, E11)."""

from __future__ import annotations

import pytest

from tests.simulator.worlds import path_of, without_spread
from zlp.engine import Receipt
from zlp.engine.commands.cross_margin import WithdrawMargin
from zlp.engine.events.cross_margin import DebtForgiven
from zlp.engine.fixed import USD
from zlp.simulator.accounting import OTHER
from zlp.simulator.agents import Behaviour, Founder, Rebalancer, TapeTrader
from zlp.simulator.agents.base import HOUR
from zlp.simulator.backtest import Result, Setup, run
from zlp.simulator.hand import Hand
from zlp.simulator.paths import made
from zlp.simulator.shocks import PriceShock

DAY = 86_400
CROWD = (Founder(), TapeTrader(count=20, interval=6 * 3_600, leverage=(1.1, 3.0, 8.0, 15.0)))
SHOCKS = {
    "up": PriceShock(after=3 * DAY, depth=-0.6, fall=7_200, stay=10**7),
    "down": PriceShock(after=3 * DAY, depth=0.5, fall=7_200, stay=10**7),
    "down and back": PriceShock(after=3 * DAY, depth=0.4, fall=3_600, stay=3_600, rise=10_800),
}
PROFILES = ("zeus", "zeno", "zo", "zaros")


def violent(profile: str, shock: str) -> Result:
    """Five days with a move that jumps past the collateral of many."""
    setup = Setup(seed=3, ticks=1, crowd=CROWD, shocks=(SHOCKS[shock],))
    return run(without_spread(profile), made(3, days=5).path, setup)


@pytest.mark.parametrize("shock", SHOCKS)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_parts_add_up_where_positions_break(profile: str, shock: str) -> None:
    """E4: bankrupt and capped positions, forgiven debts, penalties and accrued fees leave less than a dollar over."""
    result = violent(profile, shock)

    assert result.faults == []
    assert result.bad_debt > 1_000 * USD
    assert result.volume > 1_000_000 * USD
    assert abs(result.split[OTHER]) < USD


def test_what_nobody_paid_is_counted_once() -> None:
    """E11: LPs bear exactly the bad debt that is named; in ZO also that of owners who closed too late, whose closing
    fee took a little of the collateral."""
    lost = {name: violent(name, "down") for name in PROFILES}
    beyond = {name: -result.split["losses beyond collateral"] for name, result in lost.items()}

    assert beyond["zeno"] == lost["zeno"].bad_debt
    assert beyond["zaros"] == lost["zaros"].bad_debt
    assert lost["zo"].bad_debt < beyond["zo"] < lost["zo"].bad_debt * 1_002 // 1_000
    assert beyond["zeus"] < lost["zeus"].bad_debt  # its events end a loss at the collateral


def test_vaults_settle_along_the_way() -> None:
    """E2, Z9: a keeper converts what vaults owe and are owed, as at a venue; the flat fee of each has a name."""
    result = violent("zaros", "down")

    assert result.split["fees of conversions"] < -10 * USD
    assert result.faults == []


def test_providers_who_come_and_go_are_no_gain() -> None:
    """E4: deposits and withdrawals are parts of their own."""
    crowd = (*CROWD, Rebalancer(count=4, pause=DAY // 2))
    setup = Setup(seed=3, ticks=1, crowd=crowd, shocks=(SHOCKS["down and back"],))

    result = run(without_spread("zeus"), made(3, days=5).path, setup)

    assert result.split["deposits of liquidity"] > 100_000 * USD
    assert result.split["withdrawals of liquidity"] < 0
    assert abs(result.split[OTHER]) < USD


class Leaver(Behaviour, frozen=True, kw_only=True):
    """Goes long, and while he gains takes out all the margin he may."""

    name: str = "leaver"
    wealth: tuple[float, float] = (50_000.0, 50_000.0)

    def act(self, hand: Hand) -> int:
        """Open first; once the gain alone carries the position, ask for everything else."""
        market = next(view for view in hand.stage.markets() if "ETH" in view.market)
        if not hand.notes:
            hand.notes["listens"] = hand.stage.venue.listen(_gather)  # type: ignore[attr-defined]
            hand.open(market, is_long=True, margin=5_000 * USD, leverage=5.0)
        elif hand.positions and hand.stage.history(market.market)[-1] > 2_100.0:
            everything = WithdrawMargin(pool=market.pool, number=0, token=market.long_collaterals[0], amount=0)
            hand.stage.submit(hand.account, everything)
        return HOUR


FORGIVEN: list[DebtForgiven] = []


def _gather(receipt: Receipt) -> None:
    FORGIVEN.extend(event for event in receipt.events if isinstance(event, DebtForgiven))


def test_a_fee_that_is_forgiven_was_never_the_funds() -> None:
    """E11, N4: a debt of trading fees is erased with the losses, but only the losses were the fund's."""
    FORGIVEN.clear()
    path = path_of(ETH=[2_000.0] * 6 + [2_160.0] * 6 + [1_200.0] * 3, BTC=[40_000.0] * 15)

    result = run(without_spread("zeno"), path, Setup(crowd=(Founder(), Leaver()), ticks=1))

    assert sum(debt.trading_usd for debt in FORGIVEN) > 0
    assert -result.split["losses beyond collateral"] == sum(debt.loss_usd for debt in FORGIVEN)
    assert result.bad_debt == sum(debt.loss_usd + debt.borrowing_usd for debt in FORGIVEN)
    assert abs(result.split[OTHER]) < USD
