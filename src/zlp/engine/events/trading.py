"""Facts about positions, the same for every trading design: what the read model, PnL and taxes are made of."""

from __future__ import annotations

from zlp.engine.commands.base import Signed
from zlp.engine.events.base import Event


class PositionChanged(Event, frozen=True):
    """A position was opened, extended, reduced, closed, flipped, liquidated, or its collateral changed.

    ``position``: stable text that identifies it (account, market, collateral, side). ``action``: open, extend,
    reduce, close, liquidate, deleverage, deposit, withdraw. Sizes are USD at 1e30 and unsigned; ``price`` is
    the execution price and ``average_price`` the entry price after. ``collateral_usd`` is what backs it after
    (0 where an account backs all positions). ``pnl_usd`` is what this action realised, before fees; ``fee_usd``
    the trading fee and ``carry_usd`` the funding or borrowing it settled (negative: received). ``traded_usd`` is
    what was bought or sold at ``price``, where that is not the difference of the sizes (0: it is).
    """

    position: str
    account: str
    market: str
    collateral: str
    is_long: bool
    action: str
    size_before: int
    size_after: int
    price: int
    average_price: int
    collateral_usd: int
    pnl_usd: Signed
    fee_usd: int
    carry_usd: Signed
    traded_usd: int = 0


class Liquidated(Event, frozen=True):
    """A position or an account was closed by force.

    ``bad_debt_usd``: loss beyond what backed it, borne by the pool. ``reward`` of ``token`` went to ``liquidator``.
    """

    account: str
    market: str
    liquidator: str
    token: str
    reward: int
    bad_debt_usd: int
