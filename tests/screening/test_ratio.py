"""Conversions from exact integers to floats: nearest, monotone, never an exception in the middle of a tick."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zlp.screening import Ratio
from zlp.screening.ratio import LIMIT, nearest, nearest_variable

ratios = st.builds(
    Ratio,
    st.integers(-(2**600), 2**600) | st.integers(-100, 100),
    st.integers(1, 2**300) | st.integers(1, 100),
)


@given(ratios, ratios)
@example(Ratio(2**53 + 1), Ratio(2**53))
@example(Ratio(1, 3), Ratio(333, 1_000))
@example(Ratio(10**400), Ratio(10**399))
@example(Ratio(-(10**400)), Ratio(1, 10**400))
def test_conversion_is_nearest_and_monotone(one: Ratio, other: Ratio) -> None:
    """A3: the two facts about conversions on which the margin's derivation stands."""
    exact, exact_other = Fraction(*one), Fraction(*other)

    if abs(exact) < 2**1000 and abs(exact) > Fraction(1, 2**1000):
        assert abs(Fraction(nearest(one)) - exact) <= abs(exact) * Fraction(1, 2**53)
    assert nearest(one) <= nearest(other) if exact <= exact_other else nearest(one) >= nearest(other)


def test_numbers_beyond_floats_become_infinite() -> None:
    """A number that no float holds does not raise: its row becomes a candidate."""
    assert nearest(10**400) == math.inf
    assert nearest(Ratio(-(10**400), 3)) == -math.inf


def test_zero_and_negative_denominators_are_refused() -> None:
    """A ratio that is no number is an error, not a column."""
    for denominator in (0, -1):
        with pytest.raises(ValueError, match="positive denominator"):
            nearest(Ratio(1, denominator))


def test_variables_have_a_limit() -> None:
    """Engine integers (below 2**256) pass; what could overflow a sum does not."""
    assert nearest_variable(2**256) == 2.0**256
    with pytest.raises(ValueError, match=r"2\*\*500"):
        nearest_variable(int(LIMIT))
