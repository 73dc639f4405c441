"""The document's worked example, to the cent (E15)."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from zlp.cli import app
from zlp.engine.fixed import BPS, USD
from zlp.quotes.opening import cents, quote_opening


def example(**changes: object):
    """$1,000 of BTC, 10x long ETH."""
    values = {"market": "ETH", "collateral": "BTC", "collateral_usd": 1_000 * USD, "leverage_bps": 10 * BPS, **changes}
    return quote_opening("zeus", **values)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("swap fee", "2.50"),
        ("dynamic tax, at most", "6.00"),
        ("margin fee", "10.00"),
        ("funding, full utilisation", "1.00"),
        ("funding, half utilisation", "0.50"),
        ("liquidation fee", "5.00"),
    ],
)
def test_the_worked_example_to_the_cent(name: str, expected: str) -> None:
    """E15: each fee of the document's example, exactly."""
    line = example().line(name)

    assert cents(line.value_usd) == expected
    assert line.value_usd % 10**28 == 0


def test_the_size_and_the_execution_fee() -> None:
    """E15, E7: $10,000 of size, 0.00018 ETH to the keeper."""
    quote = example()

    assert quote.size_usd == 10_000 * USD
    assert (quote.execution_fee, quote.execution_token) == (180_000_000_000_000, "ETH")


def test_collateral_of_the_market_needs_no_swap() -> None:
    """E6: paying in the market's own token skips the swap and its tax."""
    names = [line.name for line in example(collateral="ETH").lines]

    assert names[0] == "margin fee"


def test_too_much_leverage_is_refused() -> None:
    """E6: 30x is the cap."""
    with pytest.raises(ValueError, match="at most 30x"):
        example(leverage_bps=31 * BPS)


def test_the_command_prints_the_example() -> None:
    """E15: the command line shows the same figures."""
    result = CliRunner().invoke(app, ["quote", "open"])

    assert result.exit_code == 0
    assert all(figure in result.output for figure in ("2.50", "6.00", "10.00", "1.00", "0.50", "5.00", "0.00018 ETH"))
