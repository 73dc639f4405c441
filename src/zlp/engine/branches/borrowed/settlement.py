"""What closing a part of a position comes to: pure arithmetic, in the order of the reference (O8)."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine.fixed import RATE, div_down, div_up, mul_div_down, mul_div_toward_zero, mul_div_up, value_of
from zlp.engine.leaves.borrowed import BorrowedPosition
from zlp.engine.leaves.coin_vaults import coins_e18
from zlp.engine.mechanisms.borrowing import InstantExitFee


class Marks(NamedTuple):
    """Prices (USD 1e30), units and cumulative rates (1e18) a position is settled at.

    ``index_price``: the one that is worse for the trader. ``coin_low``, ``coin_high``: the collateral's pair:
    what the trader has counts at the low price, what the trader gets at the high one.
    """

    index_price: int
    index_unit: int
    coin_low: int
    coin_high: int
    coin_unit: int
    borrow_rate_e18: int
    funding_rate_e18: int


class Carry(NamedTuple):
    """Fees that accrued with time: borrow fee in base units at 1e18 and in USD (1e30), funding in signed USD."""

    borrow_e18: int
    borrow_usd: int
    funding_usd: int

    @property
    def usd(self) -> int:
        """Both together, signed."""
        return self.borrow_usd + self.funding_usd


class Settlement(NamedTuple):
    """The outcome of closing ``amount``.

    ``gross_usd``: profit of the closed part, ``rest_usd`` of what stays (both signed, before fees). ``settled``:
    base units paid out of the reserve (``has_profit``) or taken from the collateral. ``closed``: nothing is left,
    because all was closed, or the reserve or the collateral is used up.
    """

    closed: bool
    has_profit: bool
    settled: int
    amount: int
    size_usd: int
    gross_usd: int
    rest_usd: int
    close_fee_usd: int
    exit_fee_usd: int
    carry: Carry

    @property
    def fee_usd(self) -> int:
        """What closing itself costs."""
        return self.close_fee_usd + self.exit_fee_usd


def carry_of(position: BorrowedPosition, marks: Marks) -> Carry:
    """All that the position owes for the time it has been open."""
    borrow_e18 = position.borrow_fee_e18(marks.borrow_rate_e18)
    borrow_usd = value_of(div_up(borrow_e18, RATE), marks.coin_high, marks.coin_unit)
    return Carry(borrow_e18, borrow_usd, position.funding_fee_usd(marks.funding_rate_e18))


def settle(
    position: BorrowedPosition, amount: int, marks: Marks, instant_exit: InstantExitFee | None, held: int
) -> Settlement:
    """Close ``amount`` (above 0, at most the position's) after ``held`` seconds; all carry is settled, not a part.

    A profit is rounded down and capped by the reserve, a loss rounded up and capped by the collateral.
    """
    size = mul_div_down(position.size_usd, amount, position.amount)
    profit = position.profit_usd(marks.index_price, marks.index_unit)
    gross = mul_div_toward_zero(profit, amount, position.amount)
    carry = carry_of(position, marks)
    close_fee = mul_div_down(size, position.rules.close_fee, RATE)
    exit_fee = instant_exit.fee_usd(size, held) if instant_exit is not None and gross > 0 else 0
    net = gross - (carry.usd + close_fee + exit_fee)
    if net > 0:
        cap = position.reserved
        settled = div_down(coins_e18(net, marks.coin_high, marks.coin_unit), RATE)
    else:
        cap = position.collateral
        settled = div_up(coins_e18(-net, marks.coin_low, marks.coin_unit), RATE)
    return Settlement(
        closed=amount == position.amount or settled >= cap,
        has_profit=net > 0,
        settled=min(settled, cap),
        amount=amount,
        size_usd=size,
        gross_usd=gross,
        rest_usd=profit - gross,
        close_fee_usd=close_fee,
        exit_fee_usd=exit_fee,
        carry=carry,
    )


def fees_paid_e18(settlement: Settlement, position: BorrowedPosition, marks: Marks) -> tuple[int, int]:
    """Borrow and closing fees the trader really paid, base units at 1e18: less when the collateral is used up."""
    borrow = settlement.carry.borrow_e18
    closing = coins_e18(settlement.fee_usd, marks.coin_low, marks.coin_unit)
    if settlement.has_profit or settlement.settled < position.collateral:
        return borrow, closing
    available = position.collateral * RATE
    borrow = min(borrow, available)
    return borrow, min(closing, available - borrow)


def liquidation_price(is_long: bool, size_usd: int, amount: int, unit: int, kept_usd: int) -> int:
    """Index price (1e30) at which a position is due: its loss per token has reached ``kept_usd``.

    ``kept_usd``: threshold of the collateral less the fees owed so far; at least 0. For collateral whose price
    does not follow the index. Rounded so that at this price the position is due; 0 if a long never is.
    """
    if is_long:
        return mul_div_down(max(0, size_usd - kept_usd), unit, amount)
    return mul_div_up(size_usd + kept_usd, unit, amount)
