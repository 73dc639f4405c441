"""Powers of fixed-point numbers, exact to about thirty digits, from integers alone."""

from __future__ import annotations

from zlp.engine.fixed import RATE, div_down, mul_div_down

_FINE = 10**40
_FRACTION_BITS = 128


def power(base: int, exponent: int) -> int:
    """``base ** exponent``, both and the result at 1e18, rounded down; ``0 ** 0`` is 1 (reference section 0).

    The whole part of the exponent multiplies, the fraction takes repeated square roots: every bit of it is
    one root.
    """
    if exponent == 0 or base == RATE:
        return RATE
    if base == 0 or exponent == RATE:
        return base
    whole = div_down(exponent, RATE)
    result = _FINE
    factor = mul_div_down(base, _FINE, RATE)
    square = factor
    while whole:
        if whole & 1:
            result = mul_div_down(result, square, _FINE)
        square = mul_div_down(square, square, _FINE)
        whole >>= 1
    fraction = mul_div_down(exponent - div_down(exponent, RATE) * RATE, 1 << _FRACTION_BITS, RATE)
    return mul_div_down(_root_power(result, factor, fraction), RATE, _FINE)


def _root_power(result: int, factor: int, fraction: int) -> int:
    """``result * factor ** (fraction / 2**128)`` at the fine scale."""
    root = factor
    for bit in range(_FRACTION_BITS - 1, -1, -1):
        root = square_root(root * _FINE)
        if fraction >> bit & 1:
            result = mul_div_down(result, root, _FINE)
        if root == _FINE:
            break
    return result


def square_root(value: int) -> int:
    """The largest integer whose square is not above ``value`` (Newton's rule)."""
    if value < 2:
        return value
    guess = 1 << ((value.bit_length() + 1) >> 1)
    while True:
        closer = (guess + div_down(value, guess)) >> 1
        if closer >= guess:
            return guess
        guess = closer
