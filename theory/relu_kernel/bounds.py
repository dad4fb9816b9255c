"""Section 2.3.2: the kernel [w1, w2]_Z = E z(w1) z(w2), z(w) = max(0, <w, X>), and Proposition 2.3 with its proof.

A measure is a `Sample` (weighted atoms; its Y plays no part) or a `Gaussian`. Vectors have shape (..., n), results
the broadcast shape (...). Everything rests on one line: with p = (w1 + w2)/2 and d = (w2 - w1)/2,

    <x, w1> <x, w2> = <x, p>^2 - <x, d>^2,     relu(a) relu(b) <= relu((a + b)/2)^2,

and the first product, cut to {<x, p> >= 0}, is never above z(w1) z(w2). For unit vectors at angle alpha p = c w_m with
c = cos(alpha/2) and the bisector w_m, and |d| = s = sin(alpha/2). At alpha = pi the bisector is undefined: here w_m = 0,
so that c w_m = p holds at every angle, and all formulas hold verbatim (C(w_m) is everything, A a hyperplane).

Rounding is bounded a priori, see `theory.relu_kernel.measures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import TINY, Array, gamma
from theory.numerics import validation as check
from theory.relu_kernel.gaussian import arc_cosine, arc_cosine_ball
from theory.relu_kernel.measures import (
    Enclosure,
    Gaussian,
    Measure,
    as_measure,
    direction,
    expectation,
    form,
    plain,
    rounding,
    second_moment_norm,
    times_lengths,
    vectors,
)
from theory.relu_kernel.pairs import Pair, _geometry


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
    return plain(expectation(measure, (a, b), lambda f, g: np.maximum(f, 0) * np.maximum(g, 0)))


def kernel_enclosure(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Enclosure:
    """The kernel with rigorous lower and upper bounds; for a Gaussian by ball arithmetic, one pair at a time."""
    a, b = vectors(w1, w2, as_measure(measure).n_in)
    value = np.asarray(kernel(a, b, measure))
    if isinstance(measure, Gaussian):
        pairs = zip(*(v.reshape(-1, measure.n_in) for v in np.broadcast_arrays(a, b)))
        ends = np.array([arc_cosine_ball(f, g, measure.second_moment) for f, g in pairs]).reshape(*value.shape, 2)
        return Enclosure(value, ends[..., 0], ends[..., 1])
    middle, radius = np.asarray(kernel(direction(a), direction(b), measure)), rounding(measure)
    lower, upper = times_lengths(middle - radius, a, b) - TINY, times_lengths(middle + radius, a, b) + TINY
    return Enclosure(value, np.maximum(lower, 0), upper)


def linear_metric(w1: ArrayLike, w2: ArrayLike, second_moment: ArrayLike) -> Any:
    """<w1, w2>_X = w1^T Sigma w2, (...): w1, w2 (..., n), second_moment Sigma (n, n)."""
    S = Gaussian(check.finite_array(second_moment, "second_moment")).second_moment
    a, b = vectors(w1, w2, len(S))
    return plain(form(a, b, S))


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
    g, scale = _geometry(w1, w2, measure)
    main, radius = _half_energy(g.p, measure), rounding(measure)
    error = 2 * second_moment_norm(measure).upper * (g.s**2 + g.sin_squared)
    return PrintedBounds(
        scale(main - error - radius) - TINY, scale(main + radius) + TINY, scale(main), scale(error), g.alpha
    )


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
    g, scale = _geometry(w1, w2, measure)
    main, radius = _half_energy(g.p, measure), rounding(measure)
    across = form(g.d, g.d, measure.second_moment)
    losses = _half_space_energy(g, measure), across, g.s**2 * second_moment_norm(measure).upper
    half_space, direction, norm = (scale(main - loss - radius) - TINY for loss in losses)
    upper = scale(main + radius) + TINY
    return SharpBounds(np.maximum(half_space, 0), upper, half_space, direction, norm, g.alpha)


def symmetric_bounds(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Enclosure:
    """Bounds for a symmetric law of X: <w1, w2>_X / 2 <= [w1, w2]_Z <= <w1, w2>_X / 2 + s^2 d^^T Sigma d^ / 2.

    For vectors of other lengths both sides are times |w1| |w2|; d^ is the unit normal, s = sin(alpha/2).
    Only the second moment of `measure` is used, so a Sample stands for its symmetrisation (X and -X alike). `value` is
    half the linear metric, the bounds hold in exact arithmetic and are attained. ValueError for a zero vector.
    """
    g, scale = _geometry(w1, w2, measure)
    radius, S = rounding(measure), measure.second_moment
    half = form(g.w1, g.w2, S) / 2
    upper = half + form(g.d, g.d, S) / 2
    lower = np.maximum(scale(half - radius) - TINY, 0)
    return Enclosure(scale(half), lower, scale(upper + radius) + TINY)


def _half_energy(p: Array, measure: Measure) -> Array:
    """||p||_Z^2 = E max(0, <p, X>)^2."""
    if isinstance(measure, Gaussian):
        return form(p, p, measure.second_moment) / 2
    return expectation(measure, (p,), lambda f: np.maximum(f, 0) ** 2)


def _half_space_energy(g: Pair, measure: Measure) -> Array:
    """E[<X, d>^2 1{<X, p> >= 0}], atoms counted in when <x, p> is within rounding of 0; at p = 0 all of d^T Sigma d."""
    whole = form(g.d, g.d, measure.second_moment)
    if isinstance(measure, Gaussian):
        return np.where(g.r > 0, whole / 2, whole)
    tolerance = gamma(4 * measure.n_in + 32) * np.linalg.norm(measure.X, axis=1) + TINY
    return expectation(measure, (g.p, g.d), lambda f, h: h**2 * (f >= -tolerance))
