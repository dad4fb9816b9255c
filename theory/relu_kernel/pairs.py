"""Two unit vectors, their angle, bisector and difference: the geometry of Proposition 2.3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, gamma
from theory.relu_kernel.measures import (
    Measure,
    as_measure,
    direction,
    times_lengths,
    vectors,
)


@dataclass(frozen=True, eq=False)
class Pair:
    """The geometry of two directions; angles and lengths (...), vectors (..., n).

    w1, w2: the unit vectors. alpha: their angle in [0, pi], accurate when tiny and near pi. r = |w1 + w2|/2 =
    cos(alpha/2), the r of the proof; r_printed = (1 + cos alpha)/2, which is r^2. p = (w1 + w2)/2 = r w_m and d = (w2 -
    w1)/2 (..., n), |d| = s = sin(alpha/2). bisector w_m and normal d/|d| (..., n): zero vectors where undefined (pi,
    0). What cannot be told from 0 or pi after normalising is 0 or pi: there d = 0 or p = 0 exactly.
    """

    w1: Array
    w2: Array
    alpha: Array
    r: Array
    s: Array
    p: Array
    d: Array
    bisector: Array
    normal: Array

    @property
    def r_printed(self) -> Array:
        """The proof's r = (1 + cos alpha)/2: right only where r is 0 or 1."""
        return self.r**2

    @property
    def sin_squared(self) -> Array:
        """sin(alpha)^2 = 4 r^2 s^2."""
        return 4 * self.r**2 * self.s**2


def pair(w1: ArrayLike, w2: ArrayLike) -> Pair:
    """Angle, bisector and half difference of two nonzero vectors (..., n); ValueError for a zero vector."""
    a, b = vectors(w1, w2)
    for w, name in ((a, "w1"), (b, "w2")):
        if (w == 0).all(axis=-1).any():
            raise ValueError(f"{name} must be nonzero, as a zero vector has no angle; got {w.tolist()}")
    a, b = np.broadcast_arrays(direction(a), direction(b))
    p, d = (_snap((a + b) / 2), _snap((b - a) / 2))
    r, s = np.linalg.norm(p, axis=-1), np.linalg.norm(d, axis=-1)
    return Pair(a, b, 2 * np.arctan2(s, r), r, s, p, d, direction(p), direction(d))


def _geometry(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> tuple[Pair, Callable[[Array], Array]]:
    """The pair, and multiplication by |w1| |w2|."""
    a, b = vectors(w1, w2, as_measure(measure).n_in)
    return pair(a, b), lambda value: times_lengths(value, a, b)


def _snap(v: Array) -> Array:
    """A half sum or half difference of normalised vectors, 0 when it is within their rounding."""
    return np.where(np.linalg.norm(v, axis=-1, keepdims=True) > gamma(v.shape[-1] + 5), v, 0)
