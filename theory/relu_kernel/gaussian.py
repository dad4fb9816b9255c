"""The kernel of a Gaussian in closed form: the arc-cosine kernel of degree one (Cho & Saul 2009).

For X ~ N(0, Sigma), or any elliptical X with this second moment, with x_i = Sigma^(1/2) w_i at the angle phi,
[w1, w2]_Z = |x1| |x2| (sin phi + (pi - phi) cos phi) / (2 pi). No square root of Sigma is taken: only the forms
w_i^T Sigma w_j enter, so that a singular Sigma is an ordinary case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, binade, gamma
from theory.numerics import validation as check
from theory.relu_kernel.measures import Gaussian, form, plain, vectors


def arc_cosine(w1: ArrayLike, w2: ArrayLike, second_moment: ArrayLike) -> Any:
    """[w1, w2]_Z for X ~ N(0, Sigma), or any elliptical X: |x1| |x2| (sin phi + (pi - phi) cos phi) / (2 pi).

    w1, w2 (..., n); second_moment: Sigma (n, n); the result has shape (...). x_i = Sigma^(1/2) w_i and phi is their
    angle (Cho & Saul 2009, degree one). Sigma may be singular: a w_i that Sigma does not see (up to the rounding of
    w_i^T Sigma w_i) gives 0.

    >>> round(arc_cosine([1.0, 0.0], [0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]]) * 2 * np.pi, 12)
    1.0
    """
    pair = _Whitened.of(w1, w2, second_moment)
    return pair.times_lengths(arc_cosine_shape(pair.minus, pair.plus) / (2 * np.pi))


def arc_cosine_shape(minus: Array, plus: Array) -> Array:
    """sin phi + (pi - phi) cos phi, (...), accurate relatively at every angle, 0 and pi included.

    minus, plus (...): |x - y| and |x + y| of two unit vectors at the angle phi, or any common multiple, 0 <= both.
    """
    phi, rest = 2 * np.arctan2(minus, plus), 2 * np.arctan2(plus, minus)
    # for phi > pi/2 the two terms cancel, and the sum is sin(rest) - rest cos(rest) with rest = pi - phi
    return np.where(phi <= np.pi / 2, np.sin(phi) + rest * np.cos(phi), _sine_minus(rest))


@dataclass(frozen=True, eq=False)
class _Whitened:
    """|x1| |x2| = lengths 2^exponent, and |x1^ - x2^|, |x1^ + x2^| of the unit vectors x_i^ along x_i = Sigma^(1/2) w_i.

    After Kahan: no square root of Sigma is needed. lengths, exponent, minus and plus (...).
    """

    lengths: Array
    exponent: Array
    minus: Array
    plus: Array

    @classmethod
    def of(cls, w1: ArrayLike, w2: ArrayLike, second_moment: ArrayLike) -> _Whitened:
        S = Gaussian(check.finite_array(second_moment, "second_moment")).second_moment
        e = int(binade(S, None))
        S, units = np.ldexp(S, -e), []
        lengths: Array = np.ones(())
        exponent: Array = np.array(e)
        for w in np.broadcast_arrays(*vectors(w1, w2, len(S))):
            k = binade(w)
            w, exponent = np.ldexp(w, -k[..., None]), exponent + k
            square = form(w, w, S)
            square = np.where(square > gamma(2 * len(S) + 2) * form(np.abs(w), np.abs(w), np.abs(S)), square, 0)
            lengths = lengths * np.sqrt(square)
            units.append(w / np.sqrt(np.where(square > 0, square, 1))[..., None])
        a, b = units
        return cls(lengths, exponent, *(np.sqrt(np.maximum(form(v, v, S), 0)) for v in (b - a, a + b)))

    def times_lengths(self, value: Array) -> Any:
        with np.errstate(over="ignore"):
            return plain(
                check.no_overflow(np.ldexp(self.lengths * value, self.exponent), "w1, w2 or the second moment")
            )


def _sine_minus(x: Array) -> Array:
    """sin x - x cos x on [0, pi], to full relative accuracy: below 1 the series of 2k x^(2k+1) (-1)^(k+1) / (2k+1)!."""
    small = np.minimum(x, 1.0)
    term, total = small**3 / 3, small**3 / 3
    for k in range(2, 12):
        term = -term * small**2 * k / ((k - 1) * 2 * k * (2 * k + 1))
        total = total + term
    return np.where(x < 1, total, np.sin(x) - x * np.cos(x))


def arc_cosine_ball(w1: Array, w2: Array, S: Array) -> tuple[float, float]:
    """Bounds of the arc-cosine kernel for one pair, from exact floats in 256-bit ball arithmetic.

    w1, w2 (n,); S (n, n): Sigma. Lower and upper bound; ValueError when they are not finite.
    """
    from flint import arb, arb_mat, ctx

    bits, ctx.prec = ctx.prec, 256
    try:
        a, b = arb_mat(1, len(S), w1.tolist()), arb_mat(1, len(S), w2.tolist())
        M = arb_mat(S.tolist())
        qa, qb, qab = ((f * M * g.transpose())[0, 0] for f, g in ((a, a), (b, b), (a, b)))
        product = (qa.nonnegative_part() * qb.nonnegative_part()).sqrt()
        if not (qa > 0 and qb > 0):  # a length that may be 0: the angle is unknown, the kernel at most |x1| |x2| / 2
            low, high = arb(0), product / 2
        else:
            cosine = qab / product
            minus, plus = ((1 - cosine).nonnegative_part().sqrt(), (1 + cosine).nonnegative_part().sqrt())
            rest = 2 * arb.atan2(plus, minus)
            low = high = product * (minus * plus + rest * cosine) / (2 * arb.pi())
        ends = float(low.lower()), float(high.upper())
        if not np.isfinite(ends).all():
            raise ValueError("second_moment, w1 or w2 is too large: the kernel overflows")
        return max(float(np.nextafter(ends[0], -np.inf)), 0.0), float(np.nextafter(ends[1], np.inf))
    finally:
        ctx.prec = bits
