"""The adaptive price of a trade: what the engine charges, the exact rational, and with rounded ratios (N11)."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated, NamedTuple

import typer

from zlp.engine.fixed import USD, mul_div_toward_zero
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.rejections import Reject
from zlp.profiles.quantities import scaled, shown

DIGITS = 8
"""Decimal places to which the design's document rounds its ratios."""


class AdaptiveQuote(NamedTuple):
    """The price of one trade. ``*_ratio`` and ``premium`` signed at 1e30, ``price`` USD at 1e30 (the engine's own).

    ``exact``: the rational it truncates. ``rounded``: the price when both ratios are first rounded half up to
    8 decimal places, as the document's worked example does.
    """

    before_ratio: int
    after_ratio: int
    premium: int
    price: int
    exact: Fraction
    rounded: Fraction


def adaptive_price(oracle_price: int, skew: int, size_delta: int, max_skew_scale: int) -> AdaptiveQuote:
    """Price of a trade of ``size_delta`` in a market with ``skew``; all USD at 1e30, sizes signed (long positive).

    Raises ``ValueError`` for a price or scale that is not positive, or a premium that would leave no price.
    """
    if oracle_price <= 0 or max_skew_scale <= 0:
        raise ValueError("the oracle price and the skew scale must be above zero")
    mechanism = AdaptivePrice(max_skew_scale=max_skew_scale)
    try:
        price = mechanism.execution_price(oracle_price, skew, size_delta)
    except Reject:
        raise ValueError("the skew is so large that no price is left") from None
    before, after = Fraction(skew, max_skew_scale), Fraction(skew + size_delta, max_skew_scale)
    oracle = Fraction(oracle_price, USD)
    return AdaptiveQuote(
        before_ratio=mul_div_toward_zero(skew, USD, max_skew_scale),
        after_ratio=mul_div_toward_zero(skew + size_delta, USD, max_skew_scale),
        premium=mechanism.premium(skew, skew + size_delta),
        price=price,
        exact=oracle * (1 + (before + after) / 2),
        rounded=oracle * (1 + (_half_up(before) + _half_up(after)) / 2),
    )


def _half_up(ratio: Fraction) -> Fraction:
    """The ratio rounded half away from zero to 8 decimal places."""
    unit = 10**DIGITS
    size = (abs(ratio) * unit * 2 + 1) // 2
    return Fraction(size if ratio >= 0 else -size, unit)


def decimal_text(value: Fraction, places: int = 28) -> str:
    """A rational as decimal text: exact where it ends within ``places``, otherwise cut off there with dots."""
    with localcontext() as context:
        context.prec = 80
        whole = value * 10**places
        text = shown(whole.numerator // whole.denominator, 10**places)
        return text if whole.denominator == 1 else f"{Decimal(text):f}..."


def adaptive_price_command(
    oracle: Annotated[str, typer.Option(help="Oracle price in USD.")] = "1800",
    skew: Annotated[str, typer.Option(help="Long less short open interest before the trade, in USD.")] = "0",
    size: Annotated[str, typer.Option(help="USD bought, or sold if below zero.")] = "1000000",
    scale: Annotated[str, typer.Option(help="Skew, in USD, that would move the price by 100 %.")] = "300000000",
) -> None:
    """Work out the price of a trade from the market's skew. The defaults are the document's worked example.

    Example: zlp quote adaptive-price --oracle 1800 --skew 1000000 --size -500000
    """
    from rich.console import Console
    from rich.table import Table

    try:
        quote = adaptive_price(scaled(oracle, USD), scaled(skew, USD), scaled(size, USD), scaled(scale, USD))
    except ValueError as fault:
        typer.echo(f"zlp quote adaptive-price: {fault}", err=True)
        raise typer.Exit(2) from None
    table = Table(title=f"A trade of ${size} at an oracle price of ${oracle}, skew ${skew}")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_row("premium before (skew / scale)", shown(quote.before_ratio, USD))
    table.add_row("premium after ((skew + size) / scale)", shown(quote.after_ratio, USD))
    table.add_row("their mean", shown(quote.premium, USD))
    table.add_row("price the engine charges", shown(quote.price, USD))
    table.add_row("exact price", decimal_text(quote.exact))
    table.add_row("price with ratios rounded to 8 digits", decimal_text(quote.rounded))
    Console().print(table)
