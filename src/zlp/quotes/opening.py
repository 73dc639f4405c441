"""What opening an isolated position costs, fee by fee, in words (E15)."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from zlp.engine.fixed import BPS, USD, mul_div_down
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.mechanisms.swap_fees import DynamicTax
from zlp.engine.state import State
from zlp.profiles.loader import load
from zlp.profiles.quantities import scaled, shown

FUNDING_PERIOD = 8 * 3_600
HALF = 2


class FeeLine(NamedTuple):
    """One cost: its name, USD at 1e30, basis points where it has them, and why it is charged."""

    name: str
    value_usd: int
    bps: int | None
    why: str


class OpeningQuote(NamedTuple):
    """Size and costs of opening; USD at 1e30."""

    size_usd: int
    lines: tuple[FeeLine, ...]
    execution_fee: int
    execution_token: str

    def line(self, name: str) -> FeeLine:
        """The cost of this name."""
        return next(line for line in self.lines if line.name == name)


def quote_opening(
    profile: str, *, market: str, collateral: str, collateral_usd: int, leverage_bps: int
) -> OpeningQuote:
    """Work the costs of opening a long out of a profile's own mechanisms.

    Raises ``LookupError`` for a profile without isolated positions, a market or token it does not list, and
    ``ValueError`` for more leverage than the market takes.
    """
    state = State(load(profile).settings)
    pool = next(iter(state.each(PoolSettings)), None)
    rules = next(iter(state.each(IsolatedSettings)), None)
    if pool is None or rules is None or not isinstance(pool.swap_fees, DynamicTax):
        raise LookupError(f"{profile} has no basket pool with isolated positions and a dynamic tax")
    paid, index = _asset(state, pool, collateral), _asset(state, pool, market)
    limits = state.get(MarketSettings, (pool.pool, market)) or MarketSettings(pool.pool, market)
    if leverage_bps > limits.max_leverage:
        raise ValueError(f"at most {limits.max_leverage // BPS}x on {market}")
    size = mul_div_down(collateral_usd, leverage_bps, BPS)
    lines = [*_swap(pool.swap_fees, paid, index, collateral_usd), _margin(rules, size)]
    lines += _funding(pool, size, index.stable)
    liquidation = FeeLine(
        "liquidation fee", rules.liquidation_fee, None, "fixed; to the liquidator, only if the position is liquidated"
    )
    orders = state.get(OrderSettings, ())
    return OpeningQuote(
        size,
        (*lines, liquidation),
        0 if orders is None else orders.minimum_fee,
        "" if orders is None else orders.fee_token,
    )


def _asset(state: State, pool: PoolSettings, token: str) -> AssetSettings:
    found = state.get(AssetSettings, (pool.pool, token))
    if found is None:
        raise LookupError(f"the pool does not list {token}; it lists {', '.join(pool.tokens)}")
    return found


def _swap(fees: DynamicTax, paid: AssetSettings, index: AssetSettings, value: int) -> list[FeeLine]:
    if paid.token == index.token:
        return []
    stable = paid.stable and index.stable
    base, tax = (fees.stable_swap_bps, fees.stable_tax_bps) if stable else (fees.swap_bps, fees.tax_bps)
    return [
        FeeLine("swap fee", mul_div_down(value, base, BPS), base, f"{paid.token} is swapped to {index.token} first"),
        FeeLine(
            "dynamic tax, at most",
            mul_div_down(value, tax, BPS),
            tax,
            "only if the swap moves the pool away from its target weights",
        ),
    ]


def _margin(rules: IsolatedSettings, size: int) -> FeeLine:
    bps = rules.opening_fee_bps
    return FeeLine("margin fee", size - mul_div_down(size, BPS - bps, BPS), bps, "of the size, charged on opening")


def _funding(pool: PoolSettings, size: int, stable: bool) -> list[FeeLine]:
    """Funding over eight hours at full and at half utilisation, by the mechanism's own accrual."""
    if pool.funding is None:
        return []
    lines = []
    for reserved, words in ((HALF, "full"), (1, "half")):
        index, start = 0, pool.funding.interval
        index, _ = pool.funding.accrue(index, start, start + FUNDING_PERIOD, reserved, HALF, stable)
        why = f"per 8 h at {words} utilisation; accrues hourly, settled on closing"
        lines.append(FeeLine(f"funding, {words} utilisation", pool.funding.fee(size, 0, index), None, why))
    return lines


def opening_command(
    market: Annotated[str, typer.Option(help="Market to go long on.")] = "ETH",
    collateral: Annotated[str, typer.Option(help="Token paid in; another one is swapped first.")] = "BTC",
    amount_usd: Annotated[str, typer.Option(help="Worth of the collateral in USD.")] = "1000",
    leverage: Annotated[str, typer.Option(help="Size over collateral.")] = "10",
    profile: Annotated[str, typer.Option(help="Profile name or file.")] = "zeus",
) -> None:
    """Work out what opening a position costs, fee by fee. The defaults are the document's worked example.

    Example: zlp quote open --market BTC --collateral USDC --amount-usd 250 --leverage 20
    """
    from rich.console import Console
    from rich.table import Table

    quote = quote_opening(
        profile,
        market=market,
        collateral=collateral,
        collateral_usd=scaled(amount_usd, USD),
        leverage_bps=scaled(leverage, BPS),
    )
    table = Table(title=f"{leverage}x long {market} with ${amount_usd} of {collateral}: size ${cents(quote.size_usd)}")
    for column, side in (("what", "left"), ("USD", "right"), ("bps", "right"), ("why", "left")):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    for line in quote.lines:
        table.add_row(line.name, cents(line.value_usd), "" if line.bps is None else str(line.bps), line.why)
    if quote.execution_token:
        fee = f"{shown(quote.execution_fee, 10**18)} {quote.execution_token}"
        table.add_row("execution fee", fee, "", "to the keeper that executes the order")
    Console().print(table)


def cents(value_usd: int) -> str:
    """USD at 1e30 as text with two places, rounded down."""
    return f"{value_usd // 10**28 // 100:,}.{value_usd // 10**28 % 100:02d}"
