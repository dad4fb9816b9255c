"""Two unit vectors, their angle, bisector and difference: the geometry of Proposition 2.3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, Ball, direction, direction_ball, dot, gamma, length, length_ball
from theory.relu_kernel.measures import Law, Measure, as_measure, bounded, vectors


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
    r, s = length(p), length(d)
    return Pair(a, b, 2 * np.arctan2(s, r), r, s, p, d, direction(p), direction(d))


@dataclass(frozen=True, eq=False)
class Posed:
    """Two vectors and a measure, ready for bounds.

    geometry: the pair in floats; law: the measure. w1, w2 (..., n): the unit vectors, p, d (..., n) as in `Pair`, all
    enclosed. |w1| |w2| is lengths 2^i, (...), and exponent (...) is i plus that of the law: so `scaled` turns what is
    known of the unit vectors in the units of the law into what is asked.
    """

    geometry: Pair
    law: Law
    w1: Ball
    w2: Ball
    p: Ball
    d: Ball
    lengths: Ball
    exponent: Array

    def scaled(self, value: Ball) -> Ball:
        """`value` (...) of the unit vectors, times |w1| |w2| and in the units of the measure; ValueError on overflow."""
        return bounded(value * self.lengths, self.exponent)

    @property
    def s_squared(self) -> Ball:
        """sin(alpha / 2)^2, (...)."""
        return dot(self.d, self.d)

    @property
    def sin_squared(self) -> Ball:
        """sin(alpha)^2 = 4 r^2 s^2, (...)."""
        return (dot(self.p, self.p) * self.s_squared).ldexp(2)


def pose(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Posed:
    """The problem in balls; ValueError for a zero vector, or one that does not fit the measure."""
    a, b = vectors(w1, w2, as_measure(measure).n_in)
    geometry, law = pair(a, b), Law.of(measure)
    u, v = (direction_ball(w) for w in np.broadcast_arrays(a, b))
    (f, i), (g, j) = length_ball(a), length_ball(b)
    return Posed(geometry, law, u, v, (u + v).ldexp(-1), (v - u).ldexp(-1), f * g, i + j + law.exponent)


def _snap(v: Array) -> Array:
    """A half sum or half difference of normalised vectors, 0 when it is within their rounding."""
    return np.where(length(v)[..., None] > gamma(v.shape[-1] + 5), v, 0)
