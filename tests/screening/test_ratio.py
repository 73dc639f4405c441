"""Conversions from exact integers to floats go the stated way."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zlp.screening.ratio import LIMIT, Ratio, as_variable

numerators = st.integers(-(2**600), 2**600) | st.integers(-100, 100)
denominators = st.integers(1, 2**300) | st.integers(1, 100)


@given(numerators, denominators)
@example(1, 3)
@example(2**53 + 1, 1)
@example(-(2**53) - 1, 1)
@example(1, 2**300)
def test_up_and_down_enclose_the_exact_number_within_two_steps(numerator: int, denominator: int) -> None:
    """A3: no error on the harmful side; the enclosure is tight, so candidates stay few."""
    ratio = Ratio(numerator, denominator)
    exact = Fraction(numerator, denominator)

    down, nearest, up = ratio.down(), ratio.nearest(), ratio.up()

    assert Fraction(down) <= exact <= Fraction(up)
    assert down == up == 0.0 if exact == 0 else abs(Fraction(nearest) - exact) <= abs(exact) * Fraction(1, 2**53)
    assert math.nextafter(nearest, math.inf) >= up
    assert math.nextafter(nearest, -math.inf) <= down


def test_numbers_beyond_floats_become_infinite_on_the_safe_side() -> None:
    """A number that no float holds does not raise: its row becomes a candidate."""
    huge = Ratio(10**400)

    assert huge.up() == math.inf
    assert huge.down() < math.inf
    assert huge.negated().down() == -math.inf
    assert huge.negated().up() > -math.inf


def test_zero_and_negative_denominators_are_refused() -> None:
    """A ratio that is no number is an error, not a column."""
    for denominator in (0, -1):
        with pytest.raises(ValueError, match="positive denominator"):
            Ratio(1, denominator).nearest()


def test_variables_have_a_limit() -> None:
    """Engine integers (below 2**256) pass; what could overflow a sum does not."""
    assert as_variable(2**256) == 2.0**256
    with pytest.raises(ValueError, match=r"2\*\*500"):
        as_variable(int(LIMIT))
