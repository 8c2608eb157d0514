"""Logarithm, exponential and normal quantile whose last bit is the same on every processor.

NumPy's own transcendental functions take different code paths on different processors and differ in the last
bit. These use additions, multiplications, divisions and square roots only, which IEEE 754 rounds exactly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LN2_HIGH: Final = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
_SQRT_HALF: Final = float.fromhex("0x1.6a09e667f3bcdp-1")
_LOG_TERMS: Final = tuple(1.0 / (2 * term + 1) for term in range(11, -1, -1))


def _exp_terms() -> tuple[float, ...]:
    factorial, terms = 1.0, [1.0]
    for term in range(1, 15):
        factorial *= term
        terms.append(1.0 / factorial)
    return tuple(reversed(terms))


_EXP_TERMS: Final = _exp_terms()


def _polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """Horner's rule, highest power first."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def log(x: Floats) -> Floats:
    """Natural logarithm of positive numbers (series of the area tangent; within 3 units in the last place)."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < _SQRT_HALF
    mantissa = np.where(small, mantissa * 2, mantissa)
    power = (exponent - small).astype(np.float64)
    s = (mantissa - 1) / (mantissa + 1)
    series = 2 * s * _polynomial(s * s, _LOG_TERMS)
    return np.asarray(power * _LN2_HIGH + (series + power * _LN2_LOW))


def exp(x: Floats) -> Floats:
    """Exponential function (Taylor series after removing powers of two); overflows to infinity past 709."""
    clipped = np.clip(x, -746.0, 710.0)
    power = np.rint(clipped * 1.4426950408889634)
    rest = (clipped - power * _LN2_HIGH) - power * _LN2_LOW
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(_polynomial(rest, _EXP_TERMS), power.astype(np.int32)))


# Coefficients of algorithm AS 241 (Wichura 1988, Applied Statistics 37, 477-484), highest power first.
_CENTRE_TOP: Final = (
    2509.0809287301226727,
    33430.575583588128105,
    67265.770927008700853,
    45921.953931549871457,
    13731.693765509461125,
    1971.5909503065514427,
    133.14166789178437745,
    3.387132872796366608,
)
_CENTRE_BOTTOM: Final = (
    5226.495278852545925,
    28729.085735721942674,
    39307.89580009271061,
    21213.794301586595867,
    5394.1960214247511077,
    687.1870074920579083,
    42.313330701600911252,
    1.0,
)
_NEAR_TOP: Final = (
    7.7454501427834140764e-4,
    0.0227238449892691845833,
    0.24178072517745061177,
    1.27045825245236838258,
    3.64784832476320460504,
    5.7694972214606914055,
    4.6303378461565452959,
    1.42343711074968357734,
)
_NEAR_BOTTOM: Final = (
    1.05075007164441684324e-9,
    5.475938084995344946e-4,
    0.0151986665636164571966,
    0.14810397642748007459,
    0.68976733498510000455,
    1.6763848301838038494,
    2.05319162663775882187,
    1.0,
)
_FAR_TOP: Final = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    0.0012426609473880784386,
    0.026532189526576123093,
    0.29656057182850489123,
    1.7848265399172913358,
    5.4637849111641143699,
    6.6579046435011037772,
)
_FAR_BOTTOM: Final = (
    2.04426310338993978564e-15,
    1.4215117583164458887e-7,
    1.8463183175100546818e-5,
    7.868691311456132591e-4,
    0.0148753612908506148525,
    0.13692988092273580531,
    0.59983220655588793769,
    1.0,
)


def normal_quantile(u: Floats) -> Floats:
    """Quantile function of the standard normal distribution, for u in (0, 1).

    Notes
    -----
    Algorithm AS 241, PPND16 (Wichura 1988); relative accuracy about 1e-16.
    """
    q = u - 0.5
    r = 0.180625 - q * q
    result = q * _polynomial(r, _CENTRE_TOP) / _polynomial(r, _CENTRE_BOTTOM)
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if len(tail):
        outside = u[tail]
        left = outside < 0.5
        root = np.sqrt(-log(np.where(left, outside, 1 - outside)))
        near = root - 1.6
        value = _polynomial(near, _NEAR_TOP) / _polynomial(near, _NEAR_BOTTOM)
        far = np.flatnonzero(root > 5)
        if len(far):
            distance = root[far] - 5
            value[far] = _polynomial(distance, _FAR_TOP) / _polynomial(distance, _FAR_BOTTOM)
        result[tail] = np.where(left, -value, value)
    return result
