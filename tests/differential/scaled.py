"""Compares computed results with recorded ones, as each quantity's name says how exact it must be."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

RELATIVE = Fraction(1, 10**12)
UNITS = 2


def differences(expected: dict[str, Any], actual: dict[str, Any], tolerance: str = "0") -> list[str]:
    """One text per expected value that was not met.

    ``*_x18`` (USD, rates and amounts at 1e18) agree within 2 units or 1e-12, since the references round at 1e18
    where the engine keeps 1e30; decimals within ``tolerance``; raw amounts, booleans and texts are exact.
    Computed values are exact ``Fraction``, ``int``, ``bool`` or ``str``.
    """
    found = []
    for name, want in expected.items():
        if name not in actual:
            found.append(f"{name}: not computed")
        elif not _agrees(name, want, actual[name], Fraction(tolerance)):
            found.append(f"{name}: expected {want}, got {actual[name]}")
    return found


def _agrees(name: str, want: Any, got: Any, tolerance: Fraction) -> bool:
    if isinstance(want, bool) or isinstance(got, str):
        return bool(want == got)
    target, value = Fraction(want), Fraction(got)
    if name.endswith("_x18"):
        return abs(value - target) <= max(UNITS, abs(target) * RELATIVE, tolerance)
    if name.endswith("_raw"):
        return value == target
    return abs(value - target) <= tolerance


def usd18(value: int) -> Fraction:
    """A USD value at 1e30 in units of 1e18, exact."""
    return Fraction(value, 10**12)
