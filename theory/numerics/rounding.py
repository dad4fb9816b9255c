"""Rounding in float64, bounded a priori (Higham, *Accuracy and Stability of Numerical Algorithms*, SIAM 2002, ch. 3).

`UNIT` is the unit roundoff u = 2^-53, `EPS` = 2 u the distance from 1 to the next float. A sum or dot product of n terms, in any order, is within
`gamma(n) * sum |terms|` of the exact value, gamma(n) = n u / (1 - n u). Underflow is covered by `TINY`,
an absolute term far above n times the smallest subnormal for every n met here.
"""

from __future__ import annotations

import numpy as np

UNIT = 2.0**-53
EPS = 2.0**-52
TINY = 1e-300

# numpy's float64 exp, log1p, tanh and powers promise at most 4 units in the last place; twice that is assumed, and the tests
# compare them with python-flint's balls on many thousands of points.
LIBM = 16 * UNIT


def gamma(n: int) -> float:
    """gamma_n = n u / (1 - n u): the relative error of n successive roundings is at most this.

    ValueError when n u >= 1.
    """
    if n * UNIT >= 0.5:
        raise ValueError(f"n must be below 2^52 for a rounding bound to make sense; got {n}")
    return n * UNIT / (1 - n * UNIT)


def up(x):
    """A number not below x after the one rounding that produced it."""
    return np.nextafter(x, np.inf)


def down(x):
    """A number not above x after the one rounding that produced it."""
    return np.nextafter(x, -np.inf)
