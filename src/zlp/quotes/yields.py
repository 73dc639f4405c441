"""What a pool's fees come to for one provider: the document's yield example (O6), in exact decimals."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, NamedTuple

import typer

from zlp.engine.mechanisms.revenue_share import WEEK, apr_bps

DAY = 86_400
USD = 10**30


class YieldQuote(NamedTuple):
    """Fees of the pool per day, a provider's share of the pool and of those fees (exact), the APR in bps (floored)."""

    pool_fees_per_day: Fraction
    share: Fraction
    per_day: Fraction
    apr_bps: int


def quote_yield(
    *, daily_volume: Decimal, fee_rate: Decimal, pool_share: Decimal, contribution: Decimal, pool_value: Decimal
) -> YieldQuote:
    """The yield of ``contribution`` in a pool worth ``pool_value`` (both USD, the contribution included).

    ``fee_rate`` and ``pool_share`` are ratios (0.0006, 0.75). The APR is the weekly figure of seven such days.
    Raises ``ValueError`` for a pool without value or anything negative.
    """
    volume, rate, kept, part, whole = (
        Fraction(each) for each in (daily_volume, fee_rate, pool_share, contribution, pool_value)
    )
    if whole <= 0:
        raise ValueError("the pool must be worth something")
    if min(volume, rate, kept, part) < 0:
        raise ValueError("volume, rates and contribution can't be negative")
    fees = volume * rate * kept
    share = part / whole
    week = fees * (WEEK // DAY)
    scaled = [int(amount * USD) for amount in (week, whole)]
    if scaled[1] == 0:
        raise ValueError("the pool must be worth something")
    return YieldQuote(fees, share, fees * share, apr_bps(scaled[0], scaled[1], WEEK))


def size_from_collateral(collateral: Decimal, leverage: Decimal, fee_rate: Decimal) -> Fraction:
    """The size that uses ``leverage`` on what is left of the collateral after the opening fee, same unit."""
    multiple = Fraction(leverage)
    return Fraction(collateral) * multiple / (1 + multiple * Fraction(fee_rate))


def yield_command(
    volume: Annotated[str, typer.Option(help="Trading volume of a day, in USD.")] = "50000000",
    fee_rate: Annotated[str, typer.Option(help="Fee of the volume, as a ratio: 0.0006 is 0.06 %.")] = "0.0006",
    pool_share: Annotated[str, typer.Option(help="The pool's part of the fees: 0.75 is 75 %.")] = "0.75",
    contribution: Annotated[str, typer.Option(help="What you put in, in USD.")] = "1000",
    pool_value: Annotated[str, typer.Option(help="What the pool is worth, in USD.")] = "4000000",
) -> None:
    """What a provider earns a day, and the weekly APR.

    Without options it is the published example:

        $ zlp quote yield
        Pool fees a day   $22500
        Your share        0.025 %
        You earn a day    $5.625
        Weekly APR        205.31 %
    """
    try:
        quote = quote_yield(
            daily_volume=Decimal(volume),
            fee_rate=Decimal(fee_rate),
            pool_share=Decimal(pool_share),
            contribution=Decimal(contribution),
            pool_value=Decimal(pool_value),
        )
    except (ArithmeticError, ValueError) as fault:
        raise typer.BadParameter(str(fault) or "amounts are decimal numbers, like 1000 or 0.75") from None
    typer.echo(f"Pool fees a day   ${_shown(quote.pool_fees_per_day)}")
    typer.echo(f"Your share        {_shown(quote.share * 100)} %")
    typer.echo(f"You earn a day    ${_shown(quote.per_day)}")
    typer.echo(f"Weekly APR        {_shown(Fraction(quote.apr_bps, 100))} %")


def _shown(value: Fraction) -> str:
    """Up to eight decimals, without trailing zeros."""
    text = f"{Decimal(value.numerator) / Decimal(value.denominator):.8f}"
    return text.rstrip("0").rstrip(".")
