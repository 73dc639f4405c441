"""Text of the outside world becomes exact integers, and back."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.oracle.decimal_text import (
    PriceTextError,
    amount_from_text,
    price_from_float,
    price_from_text,
    price_to_text,
)


@pytest.mark.parametrize(
    ("text", "price_e30"),
    [
        ("1800.25", 180025 * 10**28),
        ("1", 10**30),
        ("0.000000000000000000000000000001", 1),
        ("1e-7", 10**23),
        ("1.5E+3", 1500 * 10**30),
        ("12.", 12 * 10**30),
        ("007.50", 75 * 10**29),
        ("0.1000000000000000000000000000000000", 10**29),
    ],
)
def test_text_becomes_the_exact_integer(text: str, price_e30: int) -> None:
    """A3: the integer is the text's value, digit by digit; zeros below the scale lose nothing."""
    assert price_from_text(text) == price_e30


@pytest.mark.parametrize(
    "text",
    [
        *["", "-1", "+1", "nan", "inf", "0", "0.000", "1,5", " 1", "1 ", "0x1", "1_0", "1e999", "1e-31"],
        *["\u0663", "1" * 81],
    ],
)
def test_what_is_not_a_price_is_refused(text: str) -> None:
    """A3: signs, blanks, specials, other scripts' digits, zero, and digits below the scale raise."""
    with pytest.raises(PriceTextError):
        price_from_text(text)


@given(st.integers(min_value=1, max_value=2**200))
def test_showing_and_reading_is_the_identity(price_e30: int) -> None:
    """A3: no price up to 2**200 changes on its way through text."""
    assert price_from_text(price_to_text(price_e30)) == price_e30


@given(st.floats(min_value=1e-9, max_value=1e12, allow_nan=False, allow_infinity=False))
def test_a_float_column_becomes_its_shortest_text(value: float) -> None:
    """A3: the integer differs from the float's own binary value by less than half its last place."""
    with localcontext(prec=100):
        assert Decimal(price_from_float(value)).scaleb(-30) == Decimal(repr(value))


def test_places_cut_and_never_round_up() -> None:
    """A table never shows a price higher than it is."""
    assert price_to_text(199_999 * 10**25, 2) == "1.99"
    assert price_to_text(10**30, 3) == "1.000"
    assert amount_from_text("2.5", 6) == 2_500_000
