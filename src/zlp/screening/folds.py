"""From the engine's exact rules to the rows of the tables.

Each function folds one rule: it moves the prices and indices of a tick to one side, everything that only
changes with the position to the other. Where the exact rule truncates, the fold takes the unit that makes the
row due earlier; the sum of those units is named beside each. USD amounts and prices are integers at 1e30,
sizes and collateral in USD, token amounts in the token's own units, unless a parameter says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zlp.screening.account_table import Headroom, Leg, Variable
from zlp.screening.due_table import Threshold
from zlp.screening.ratio import Ratio

USD = 10**30
BASIS_POINTS = 10**4
RATE = 10**18


def fold_isolated(
    *,
    is_long: bool,
    size: int,
    collateral: int,
    average_price: int,
    entry_index: int,
    position_fee: int,
    liquidation_fee: int,
    index_scale: int,
    maximum_leverage_bps: int | None,
    minimum_profit_bps: int = 0,
) -> Threshold:
    """An isolated position whose collateral is held in USD, with a common funding index (zeus.md 5.2 and
    5.5).

    For the table of one market, one side and one collateral token: longs are due at or below the low price,
    shorts at or above the high price, both move with `indices = [cumulative funding]`.

    Exact rule: with rem = collateral + pnl, fees = position_fee + floor(size * (index - entry) / scale), due
    if rem < fees + liquidation_fee, or rem * leverage < size * 10000. In rational numbers, for a long, rem =
    collateral + (price - average) * size / average. Solved for the price, with one unit for the truncated pnl
    (truncated fees are only smaller):

        leverage:  price < average * (size + size * 10000 / leverage - collateral + 1) / size
        fees:      price < average * (size + position_fee + liquidation_fee - collateral + 1) / size
                           + (index - entry) * average / scale

    and mirrored for a short. A profit that the minimum profit rule may still erase (`minimum_profit_bps` of
    the size, 0 once its time has passed) counts as missing.
    """
    if size <= 0 or average_price <= 0:
        raise ValueError("an open position has a size and an average price")
    missing = 1 + -(-size * minimum_profit_bps // BASIS_POINTS)
    fees = position_fee + liquidation_fee - collateral + missing
    side = 1 if is_long else -1
    base = average_price * ((size + side * fees) * index_scale - side * size * entry_index)
    fixed = None
    if maximum_leverage_bps is not None:
        short_of = size * BASIS_POINTS - (collateral - missing) * maximum_leverage_bps
        fixed = Ratio(average_price * (size * maximum_leverage_bps + side * short_of), size * maximum_leverage_bps)
    return Threshold(
        fixed=fixed,
        base=Ratio(base, size * index_scale),
        slopes=(Ratio(side * average_price, index_scale),),
    )


def fold_borrowed(
    *,
    is_long: bool,
    amount: int,
    amount_unit: int,
    size: int,
    collateral: int,
    collateral_unit: int,
    reserved: int,
    owed: int,
    entry_rate: int,
    funding: int,
    entry_funding: int,
    liquidation_threshold: int,
) -> Threshold:
    """A position that borrows tokens of the pool, its collateral held in tokens (zo.md 2, 3 and 7).

    For the table of one market, one side and one collateral: longs are due at or below the low index price,
    shorts at or above the high one, and both move with four indices: `[low collateral price, high collateral
    price, high collateral price * borrow rate, funding rate]`, rates cumulative at 1e18. Units: `amount` of the
    index token and `collateral`, `reserved` of the collateral token in their own units (`..._unit` =
    10**decimals); `owed`, the borrow fee up to `entry_rate`, in those units at 1e18; `size` and `funding`, the
    funding up to `entry_funding` (signed, positive: the trader pays), in USD; `liquidation_threshold` at 1e18.

    Exact rule: due if pnl - fees <= 0 and value(collateral) * threshold <= -(pnl - fees). The second implies the
    first. In rational numbers, for a long,

        pnl  = amount * price - size
        fees = funding + size * (funding rate - entry) + high price * (owed + reserved * (rate - entry))
        due: amount * price <= size + fees - low price * collateral * threshold

    and mirrored for a short. Truncated in the pool's favour: the value of the amount, that of the collateral and
    its share, the funding fee (4 units of USD); the borrow fee, to a whole unit of its token.
    """
    if amount <= 0:
        raise ValueError("an open position has an amount")
    side = 1 if is_long else -1
    base = (size + side * (funding + 4)) * RATE - side * size * entry_funding
    fee = owed + RATE - reserved * entry_rate
    coins = amount * collateral_unit * RATE
    return Threshold(
        base=Ratio(base * amount_unit, amount * RATE),
        slopes=(
            Ratio(-side * collateral * liquidation_threshold * amount_unit, coins),
            Ratio(side * fee * amount_unit, coins),
            Ratio(side * reserved * amount_unit, coins),
            Ratio(side * size * amount_unit, amount * RATE),
        ),
    )


def low_price_of(asset: str) -> Variable:
    """The variable of an asset's low price, at 1e30: what collateral counts at and longs close at."""
    return "low price", asset


def high_price_of(asset: str) -> Variable:
    """The variable of an asset's high price, at 1e30: what shorts close at."""
    return "high price", asset


def skewed_price_of(market: str, is_long: bool) -> Variable:
    """The variable of skew * price of a market, both at 1e30 (signed), with the price at which a side closes."""
    return "skew * low price" if is_long else "skew * high price", market


def borrow_of(asset_class: str) -> Variable:
    """The variable of an asset class's cumulative borrow rate, projected to the present second, at 1e18."""
    return "borrow", asset_class


def funding_of(market: str) -> Variable:
    """The variable of a market's cumulative funding, projected to the present second, at 1e18, signed."""
    return "funding", market


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossPosition:
    """What the fold needs to know of one position of a cross-margin account. USD at 1e30, rates at 1e18.

    `market` is also the asset of its price. `size` is signed. `profit_cap` is what the pool has reserved for it.
    `closing_fee` is the largest share of the size that closing may cost (the greater of maker and taker).
    `maximum_skew_scale` 0: no price premium.
    """

    market: str
    asset_class: str
    size: int
    average_price: int
    profit_cap: int
    entry_borrow: int
    entry_funding: int
    closing_fee: Ratio
    maximum_skew_scale: int
    maintenance_margin_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCollateral:
    """`amount` of a token in its own units (`unit` = 10**decimals), counted at `factor_bps` of its value."""

    asset: str
    amount: int
    unit: int
    factor_bps: int


def fold_cross_margin(
    *,
    collaterals: Sequence[CrossCollateral],
    positions: Sequence[CrossPosition],
    debts: int,
    liquidation_fee: int,
    profit_share_bps: int,
) -> Headroom:
    """A cross-margin account (zeno.md 1.4, 3.1 to 3.4, 4.1 to 4.3): equity less maintenance margin.

    Exact rule: due if equity < 0 or equity < maintenance margin, where equity = collateral + U - fees - debts
    and U, the sum of the capped profits and losses, counts by its share when it is a net profit.

    Truncated: one unit for each collateral, for each funding fee and for the share of U; see `_profit_leg`
    for the positions. The closing fee is taken at its greater rate, so the skew needs no leg of its own.
    """
    if not positions:
        liquidation_fee = 0
    margin = sum(abs(p.size) * p.maintenance_margin_bps // BASIS_POINTS for p in positions)
    closing = sum(-(-abs(p.size) * p.closing_fee.numerator // p.closing_fee.denominator) for p in positions)
    units = len(collaterals) + len(positions) + 1
    return Headroom(
        constant=-(debts + liquidation_fee + margin + closing + units),
        legs=(*map(_collateral_leg, collaterals), *map(_carry_leg, positions)),
        profit_legs=tuple(map(_profit_leg, positions)),
        profit_share=Ratio(profit_share_bps, BASIS_POINTS),
    )


def _collateral_leg(collateral: CrossCollateral) -> Leg:
    share = Ratio(collateral.amount * collateral.factor_bps, collateral.unit * BASIS_POINTS)
    return Leg(terms=((low_price_of(collateral.asset), share),))


def _carry_leg(position: CrossPosition) -> Leg:
    """Minus the borrowing fee and the funding fee (which may be income)."""
    paid = position.size * position.entry_funding + position.profit_cap * position.entry_borrow
    return Leg(
        terms=(
            (funding_of(position.market), Ratio(-position.size, RATE)),
            (borrow_of(position.asset_class), Ratio(-position.profit_cap, RATE)),
        ),
        constant=Ratio(paid, RATE),
    )


def _profit_leg(position: CrossPosition) -> Leg:
    """size * (mark - average) / average, capped, with mark = price * (1 + (2 * skew - size) / (2 * scale)).

    The exact mark is truncated: the premium by less than 2 units of 1e-30, then the product by one; the pnl by
    one more. So the coefficient of the price is lowered by 2e-30 of its size, the constant by one unit of mark
    and one of pnl.
    """
    size, average, scale = position.size, position.average_price, position.maximum_skew_scale
    if average <= 0:
        raise ValueError("an open position has an average price")
    constant = -size - 1 - -(-abs(size) // average)
    price = low_price_of(position.market) if size > 0 else high_price_of(position.market)
    if scale == 0:
        return Leg(terms=((price, Ratio(size, average)),), constant=constant, cap=position.profit_cap)
    direct = size * (2 * scale - size) * USD - 2 * abs(size) * 2 * scale
    return Leg(
        terms=(
            (price, Ratio(direct, 2 * scale * average * USD)),
            (skewed_price_of(position.market, size > 0), Ratio(size, average * scale)),
        ),
        constant=constant,
        cap=position.profit_cap,
    )


def cross_margin_variables(
    *,
    prices: Mapping[str, tuple[int, int]],
    markets: Mapping[str, tuple[int, int]],
    borrow: Mapping[str, int],
) -> dict[Variable, int]:
    """The variables of a tick for accounts folded here: of whatever changed.

    `prices`: low and high by asset. `markets`: skew and cumulative funding by market; a market must be given when
    its skew, its funding or its price changed, and its price be in `prices`. `borrow`: cumulative rate by asset
    class.
    """
    variables: dict[Variable, int] = {borrow_of(name): rate for name, rate in borrow.items()}
    for asset, (low, high) in prices.items():
        variables[low_price_of(asset)] = low
        variables[high_price_of(asset)] = high
    for market, (skew, funding) in markets.items():
        low, high = prices[market]
        variables[skewed_price_of(market, is_long=True)] = skew * low
        variables[skewed_price_of(market, is_long=False)] = skew * high
        variables[funding_of(market)] = funding
    return variables
