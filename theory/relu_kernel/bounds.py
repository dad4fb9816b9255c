"""The kernel [w1, w2]_Z = E z(w1) z(w2), z(w) = max(0, <w, X>), and its bounds of Proposition 2.3, as printed and sharp.

A measure is a `Sample` (weighted atoms; its Y plays no part) or a `Gaussian`. Vectors have shape (..., n), results
the broadcast shape (...). Everything rests on one line: with p = (w1 + w2)/2 and d = (w2 - w1)/2,

    <x, w1> <x, w2> = <x, p>^2 - <x, d>^2,     relu(a) relu(b) <= relu((a + b)/2)^2,

and the first product, cut to {<x, p> >= 0}, is never above z(w1) z(w2). For unit vectors at angle alpha p = c w_m with
c = cos(alpha/2) and the bisector w_m, and |d| = s = sin(alpha/2). At alpha = pi the bisector is undefined: here w_m = 0,
so that c w_m = p holds at every angle, and all formulas hold verbatim (C(w_m) is everything, A a hyperplane).

Rounding is bounded by balls, whatever the sizes of X and w: see `theory.relu_kernel.measures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, Ball, binade, scaled
from theory.relu_kernel.gaussian import arc_cosine, arc_cosine_ball
from theory.relu_kernel.measures import (
    Enclosure,
    Gaussian,
    Law,
    Measure,
    as_measure,
    bounded,
    plain,
    vectors,
)
from theory.relu_kernel.pairs import Posed, pose
from theory.risk import Sample


def kernel(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Any:
    """[w1, w2]_Z = E max(0, <w1, X>) max(0, <w2, X>) for any two vectors, zero ones included. A float, or (...).

    w1, w2 (..., n); ValueError unless they fit the measure, or on overflow.

    >>> from theory.risk import Sample
    >>> sample = Sample([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0], [1.0, 1.0]], [[0.0]] * 4)
    >>> kernel([1.0, 0.0], [0.0, 1.0], sample)
    0.25
    """
    if isinstance(measure, Gaussian):
        return arc_cosine(w1, w2, measure.second_moment)
    a, b = vectors(w1, w2, as_measure(measure).n_in)
    return plain(_enclosed(a, b, measure).centre)


def kernel_enclosure(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Enclosure:
    """The kernel with rigorous lower and upper bounds; for a Gaussian by ball arithmetic, one pair at a time."""
    a, b = vectors(w1, w2, as_measure(measure).n_in)
    if isinstance(measure, Gaussian):
        value = np.asarray(arc_cosine(a, b, measure.second_moment))
        pairs = zip(*(v.reshape(-1, measure.n_in) for v in np.broadcast_arrays(a, b)))
        ends = np.array([arc_cosine_ball(f, g, measure.second_moment) for f, g in pairs]).reshape(*value.shape, 2)
        return Enclosure(value, ends[..., 0], ends[..., 1])
    ball = _enclosed(a, b, measure)
    return Enclosure(ball.centre, np.maximum(ball.lower, 0), ball.upper)


def _enclosed(a: Array, b: Array, sample: Sample) -> Ball:
    law, (k, l) = Law.of(sample), (binade(w) for w in (a, b))
    units = (scaled(w, e) for w, e in zip(np.broadcast_arrays(a, b), np.broadcast_arrays(k, l)))
    return bounded(law.mean(tuple(units), lambda f, g: f.relu() * g.relu()), k + l + law.exponent)


@dataclass(frozen=True, eq=False)
class PrintedBounds:
    """Proposition 2.3 for vectors of any length: |w1| |w2| times eq. (7). lower <= [w1, w2]_Z <= upper, (...).

    alpha (...): the angle; main (...): (1 + cos alpha)/2 ||w_m||_Z^2; error (...): 2 ||Sigma|| ((1 - cos alpha)/2 +
    sin^2 alpha), both scaled likewise.
    """

    lower: Array
    upper: Array
    main: Array
    error: Array
    alpha: Array


def printed_bounds(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> PrintedBounds:
    """Eq. (7) as printed. Sigma is the second moment; at alpha = pi the main term is 0. ValueError for a zero vector.

    w1, w2 (..., n), scaled to norm one.

    >>> from theory.risk import Sample
    >>> sample = Sample([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0], [1.0, 1.0]], [[0.0]] * 4)
    >>> bounds = printed_bounds([1.0, 0.0], [0.0, 1.0], sample)  # the kernel is 0.25
    >>> round(float(bounds.lower), 6), round(float(bounds.upper), 6)
    (-3.375, 0.375)
    """
    problem = pose(w1, w2, measure)
    main = _half_energy(problem.p, problem.law)
    error = (problem.s_squared + problem.sin_squared).ldexp(1) * problem.law.norm.upper
    whole, lower = problem.scaled(main), problem.scaled(main - error).lower
    return PrintedBounds(lower, whole.upper, whole.centre, problem.scaled(error).centre, problem.geometry.alpha)


@dataclass(frozen=True, eq=False)
class SharpBounds:
    """The sharp form of Proposition 2.3, times |w1| |w2|: lower <= [w1, w2]_Z <= upper, arrays (...).

    upper = c^2 ||w_m||_Z^2. Three lower bounds, each below the one before, rounded down:
    half_space = upper - s^2 E[<X, d^>^2 1{<X, w_m> >= 0}], direction = upper - s^2 d^T Sigma d^ (d^ the unit normal),
    norm = upper - s^2 ||Sigma||. lower = max(0, half_space). Given alpha, ||w_m||_Z^2 and ||Sigma|| alone,
    [max(0, norm), upper] is the exact range of the kernel (n >= 2).
    """

    lower: Array
    upper: Array
    half_space: Array
    direction: Array
    norm: Array
    alpha: Array


def sharp_bounds(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> SharpBounds:
    """The sharp two-sided bound in all its forms. At alpha = pi the range is {0}. ValueError for a zero vector.

    w1, w2 (..., n), scaled to norm one.

    >>> from theory.risk import Sample
    >>> sample = Sample([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0], [1.0, 1.0]], [[0.0]] * 4)
    >>> bounds = sharp_bounds([1.0, 0.0], [0.0, 1.0], sample)  # the kernel is 0.25
    >>> round(float(bounds.lower), 6), round(float(bounds.upper), 6)
    (0.25, 0.375)
    """
    problem = pose(w1, w2, measure)
    law, d = problem.law, problem.d
    main = _half_energy(problem.p, law)
    losses = _half_space_energy(problem), law.form(d, d), problem.s_squared * law.norm.upper
    half_space, direction, least = (problem.scaled(main - loss).lower for loss in losses)
    upper = problem.scaled(main).upper
    return SharpBounds(np.maximum(half_space, 0), upper, half_space, direction, least, problem.geometry.alpha)


def symmetric_bounds(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Enclosure:
    """Bounds for a symmetric law of X: <w1, w2>_X / 2 <= [w1, w2]_Z <= <w1, w2>_X / 2 + s^2 d^^T Sigma d^ / 2.

    For vectors of other lengths both sides are times |w1| |w2|; d^ is the unit normal, s = sin(alpha/2).
    Only the second moment of `measure` is used, so a Sample stands for its symmetrisation (X and -X alike). `value` is
    half the linear metric, the bounds hold in exact arithmetic and are attained. ValueError for a zero vector.
    """
    problem = pose(w1, w2, measure)
    law, d = problem.law, problem.d
    half = law.form(problem.w1, problem.w2).ldexp(-1)
    below, above = problem.scaled(half), problem.scaled(half + law.form(d, d).ldexp(-1))
    return Enclosure(below.centre, np.maximum(below.lower, 0), above.upper)


def _half_energy(p: Ball, law: Law) -> Ball:
    """||p||_Z^2 = E max(0, <p, X>)^2, in the units of the law."""
    if law.points is None:
        return law.form(p, p).ldexp(-1)
    return law.mean((p,), lambda f: f.relu().square())


def _half_space_energy(problem: Posed) -> Ball:
    """E[<X, d>^2 1{<X, p> >= 0}], atoms counted in unless <x, p> is known to be negative; at p = 0 all of d^T Sigma d.

    So never below the true one: only its upper side is used.
    """
    law, p, d = problem.law, problem.p, problem.d
    if law.points is None:
        whole = law.form(d, d)
        half = np.where(p.nonzero.any(axis=-1), 0.5, 1.0)
        return whole * half
    return law.mean((p, d), lambda f, h: h.square() * (f.upper >= 0))
