"""Exact scaling by powers of two: numbers near one inside a solver, the user's units outside.

A solver that squares its data overflows beyond 1e154 and underflows below 1e-162. Multiplying by a power of two changes
no digit, so every solver brings its data near one at its door, and its results back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# Below this a float may lose digits when it is scaled down.
NORMAL = 2.0**-1022


def exponent(x: ArrayLike) -> int:
    """The e with 2^(e - 1) <= max |x| < 2^e for a finite array x (...); 0 when there is nothing but zeros."""
    return math.frexp(abs(x) if isinstance(x, float) else np.abs(x).max(initial=0.0))[1]


def times(x: ArrayLike, e: ArrayLike) -> Any:
    """x 2^e, entry by entry (...); exact but for results below 2^-1022, rounded to the nearest, and beyond float64, +-inf."""
    with np.errstate(over="ignore"):
        return np.ldexp(x, e)


def above(x: float, e: int) -> float:
    """A float >= x 2^e for x >= 0: x 2^e itself where it is one; inf beyond float64."""
    y = _times(x, e)
    return y if y >= NORMAL or _times(y, -e) >= x else float(np.nextafter(y, np.inf))


def below(x: float, e: int) -> float:
    """A float <= x 2^e for x >= 0: x 2^e itself where it is one; inf beyond float64, which the caller refuses."""
    y = _times(x, e)
    return y if y >= NORMAL or _times(y, -e) <= x else float(np.nextafter(y, -np.inf))


def _times(x: float, e: int) -> float:
    """`times` for one float x >= 0."""
    try:
        return math.ldexp(x, e)
    except OverflowError:
        return math.inf
