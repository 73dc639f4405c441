"""Exponential, logarithm and normal deviates that give the same bits on every machine.

NumPy's own `exp`, `log` and `standard_normal` may differ in the last place between processors and versions.
Here only additions, multiplications, divisions, square roots and exact scalings of float64 arrays are used,
which IEEE 754 fixes to the bit, on raw PCG64 words, whose stream NumPy guarantees.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10
_SQRT_HALF = 0.7071067811865476

# Wichura, "Algorithm AS 241: The percentage points of the normal distribution", PPND16.
_CENTRE_TOP = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
    4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
    1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
_CENTRE_BOTTOM = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
    2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
    4.2313330701600911252e1, 1.0,
)  # fmt: skip
_NEAR_TOP = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
    1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
    4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
_NEAR_BOTTOM = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
    1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
    2.05319162663775882187e0, 1.0,
)  # fmt: skip
_FAR_TOP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
    5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
_FAR_BOTTOM = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
    7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
    5.99832206555887937690e-1, 1.0,
)  # fmt: skip


def exponential(x: Floats) -> Floats:
    """e**x to about one unit in the last place, for |x| < 700."""
    power = np.rint(x / (_LN2_HIGH + _LN2_LOW))
    rest = (x - power * _LN2_HIGH) - power * _LN2_LOW
    total = np.ones_like(rest)
    for order in range(14, 0, -1):
        total = total * rest / order + 1.0
    return np.ldexp(total, power.astype(np.int64))


def logarithm(x: Floats) -> Floats:
    """The natural logarithm of positive normal numbers, to about two units in the last place."""
    mantissa, power = np.frexp(x)
    low = mantissa < _SQRT_HALF
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    power = np.where(low, power - 1, power).astype(np.float64)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.zeros_like(ratio)
    for order in range(25, 0, -2):
        series = series * square + 1.0 / order
    return power * _LN2_HIGH + (2.0 * ratio * series + power * _LN2_LOW)


def uniforms(words: NDArray[np.uint64]) -> Floats:
    """Map raw 64-bit words to the open interval (0, 1): 52 bits and a half, exact."""
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normal_deviates(uniform: Floats) -> Floats:
    """Map numbers in (0, 1) to standard normal deviates by the inverse distribution."""
    centred = uniform - 0.5
    squared = 0.180625 - centred * centred
    centre = centred * _ratio(_CENTRE_TOP, _CENTRE_BOTTOM, squared)
    smaller = np.minimum(uniform, 1.0 - uniform)
    root = np.sqrt(-logarithm(smaller))
    near = _ratio(_NEAR_TOP, _NEAR_BOTTOM, root - 1.6)
    far = _ratio(_FAR_TOP, _FAR_BOTTOM, root - 5.0)
    tail = np.copysign(np.where(root <= 5.0, near, far), centred)
    return np.where(np.abs(centred) <= 0.425, centre, tail)


def _ratio(top: tuple[float, ...], bottom: tuple[float, ...], x: Floats) -> Floats:
    return _polynomial(top, x) / _polynomial(bottom, x)


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total
