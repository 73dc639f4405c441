"""The exact rules in plain integers, written apart from the folds: the slow scan that screening is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

USD = 10**30
BPS = 10**4
RATE = 10**18


def toward_zero(dividend: int, divisor: int) -> int:
    """Division that drops the fraction, whatever the sign."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def turning_point(due: Callable[[int], bool], low: int, high: int) -> tuple[int, int]:
    """Two neighbours between `low` and `high` of which exactly one is due; (low, low) when both ends agree."""
    at_low = due(low)
    if due(high) == at_low:
        return low, low
    while high - low > 1:
        middle = (low + high) // 2
        if due(middle) == at_low:
            low = middle
        else:
            high = middle
    return low, high


@dataclass(frozen=True, slots=True)
class IsolatedRules:
    """What zeus.md 5 takes from the venue."""

    margin_fee_bps: int = 10
    liquidation_fee: int = 5 * USD
    index_scale: int = 10**6
    maximum_leverage_bps: int | None = 30 * BPS
    minimum_profit_bps: int = 0

    def position_fee(self, size: int) -> int:
        """5.1: rounds up."""
        return size - size * (BPS - self.margin_fee_bps) // BPS


@dataclass(frozen=True, slots=True)
class Isolated:
    """A position record of zeus.md."""

    is_long: bool
    size: int
    collateral: int
    average_price: int
    entry_index: int


def isolated_due(position: Isolated, price: int, index: int, rules: IsolatedRules) -> bool:
    """zeus.md 5.2 and 5.5, not raising: state 1 or 2. `price` is the low one for a long, the high one for a short."""
    size, average = position.size, position.average_price
    delta = size * abs(average - price) // average
    profit = price > average if position.is_long else average > price
    if profit and delta * BPS <= size * rules.minimum_profit_bps:
        delta = 0
    fees = size * (index - position.entry_index) // rules.index_scale + rules.position_fee(size)
    if not profit and position.collateral < delta:
        return True
    remaining = position.collateral + delta if profit else position.collateral - delta
    if remaining < fees or remaining < fees + rules.liquidation_fee:
        return True
    return rules.maximum_leverage_bps is not None and remaining * rules.maximum_leverage_bps < size * BPS


@dataclass(frozen=True, slots=True)
class BorrowedRules:
    """What zo.md 7 takes from the venue."""

    amount_unit: int = 10**8
    collateral_unit: int = 10**6
    threshold: int = 98 * RATE // 100


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A position of zo.md."""

    is_long: bool
    amount: int
    size: int
    collateral: int
    reserved: int
    owed: int
    entry_rate: int
    funding: int
    entry_funding: int


def borrowed_due(
    position: Borrowed, price: int, collateral: tuple[int, int], rate: int, funding: int, rules: BorrowedRules
) -> bool:
    """zo.md 7: d = delta - (funding + reserving fee's value); due if d <= 0 and value * threshold <= |d|.

    `price` is the low one for a long, the high one for a short; `collateral` its token's low and high price.
    """
    low, high = collateral
    value = position.amount * price // rules.amount_unit
    delta = value - position.size if position.is_long else position.size - value
    paid = position.funding + toward_zero(position.size * (funding - position.entry_funding), RATE)
    fee = -(-(position.owed + position.reserved * (rate - position.entry_rate)) // RATE)
    d = delta - (paid + fee * high // rules.collateral_unit)
    backing = position.collateral * low // rules.collateral_unit
    return d <= 0 and backing * rules.threshold // RATE <= -d


@dataclass(frozen=True, slots=True)
class CrossRules:
    """Configuration of zeno.md 0.4, one set for every market."""

    maintenance_bps: int = 50
    taker: int = 70_000
    maker: int = 30_000
    maximum_skew_scale: int = 300_000_000 * USD
    profit_share_bps: int = 8_000
    liquidation_fee: int = 5 * USD
    unit: int = 10**8
    factor_bps: int = 8_000


@dataclass(frozen=True, slots=True)
class Held:
    """A position of a cross-margin account; `size` is signed, `reserve` caps its profit."""

    market: str
    size: int
    average_price: int
    reserve: int
    entry_borrow: int
    entry_funding: int


@dataclass(frozen=True, slots=True)
class CrossAccount:
    """A sub-account of zeno.md: amounts by token, positions, debts."""

    collateral: dict[str, int]
    positions: tuple[Held, ...]
    debts: int


@dataclass(frozen=True, slots=True)
class Tick:
    """What zeno.md 3 reads from the venue: low and high prices and skews by market, rates projected to now."""

    prices: dict[str, tuple[int, int]]
    skews: dict[str, int]
    funding: dict[str, int]
    borrow: int


def close_price(price: int, skew: int, size: int, scale: int) -> int:
    """zeno.md 1.4: the adaptive price of closing the whole position."""
    if scale == 0:
        return price
    before = toward_zero(skew * USD, scale)
    after = toward_zero((skew - size) * USD, scale)
    return price * (USD + toward_zero(before + after, 2)) // USD


def closing_fee(size: int, skew: int, rules: CrossRules) -> int:
    """zeno.md 4.3 for the trade that closes: maker, taker, or both when it flips the skew."""
    trade = -size
    if trade * skew > 0:
        return abs(trade) * rules.taker // 10**8
    if abs(trade) > abs(skew):
        return abs(skew) * rules.maker // 10**8 + abs(trade + skew) * rules.taker // 10**8
    return abs(trade) * rules.maker // 10**8


def cross_margin_due(account: CrossAccount, tick: Tick, rules: CrossRules) -> bool:
    """zeno.md 3: equity below zero or below the maintenance margin."""
    equity = sum(
        amount * tick.prices[token][0] * rules.factor_bps // (rules.unit * BPS)
        for token, amount in account.collateral.items()
    )
    unrealised = fees = 0
    for held in account.positions:
        skew = tick.skews[held.market]
        mark = close_price(tick.prices[held.market][held.size < 0], skew, held.size, rules.maximum_skew_scale)
        delta = abs(held.size) * abs(held.average_price - mark) // held.average_price
        profit = mark > held.average_price if held.size > 0 else mark < held.average_price
        unrealised += min(delta, held.reserve) if profit else -delta
        fees += held.reserve * (tick.borrow - held.entry_borrow) // RATE
        fees += toward_zero(held.size * (tick.funding[held.market] - held.entry_funding), RATE)
        fees += closing_fee(held.size, skew, rules)
    if account.positions:
        fees += rules.liquidation_fee
    if unrealised > 0:
        unrealised = rules.profit_share_bps * unrealised // BPS
    equity += unrealised - fees - account.debts
    margin = sum(abs(held.size) * rules.maintenance_bps // BPS for held in account.positions)
    return equity < 0 or equity < margin
