"""Section 2.3.2: the kernel [w1, w2]_Z = E z(w1) z(w2), z(w) = max(0, <w, X>), and Proposition 2.3 with its proof.

A measure is a `Sample` (weighted atoms; its Y plays no part) or a `Gaussian`. Vectors have shape (..., n), results
the broadcast shape (...). Everything rests on one line: with p = (w1 + w2)/2 and d = (w2 - w1)/2,

    <x, w1> <x, w2> = <x, p>^2 - <x, d>^2,     relu(a) relu(b) <= relu((a + b)/2)^2,

and the first product, cut to {<x, p> >= 0}, is never above z(w1) z(w2). For unit vectors at angle alpha p = c w_m with
c = cos(alpha/2) and the bisector w_m, and |d| = s = sin(alpha/2). At alpha = pi the bisector is undefined: here w_m = 0,
so that c w_m = p holds at every angle, and all formulas hold verbatim (C(w_m) is everything, A a hyperplane).

Rounding is bounded a priori, see `theory.measures`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import validation as check
from theory.arc_cosine_kernel import arc_cosine, arc_cosine_ball, arc_cosine_error
from theory.kernel_sampling import MonteCarlo, monte_carlo
from theory.measures import (
    Enclosure,
    Gaussian,
    Measure,
    as_measure,
    as_sample,
    direction,
    expectation,
    form,
    plain,
    rounding,
    second_moment_norm,
    times_lengths,
    vectors,
)
from theory.risk import Sample
from theory.rounding import TINY, gamma

__all__ = [
    "Enclosure",
    "Gaussian",
    "MonteCarlo",
    "Pair",
    "PrintedBounds",
    "ProofTerms",
    "SharpBounds",
    "Wedges",
    "arc_cosine",
    "arc_cosine_error",
    "kernel",
    "kernel_enclosure",
    "linear_metric",
    "monte_carlo",
    "pair",
    "printed_bounds",
    "proof_terms",
    "rounding",
    "second_moment_norm",
    "sharp_bounds",
    "symmetric_bounds",
    "wedges",
]

Array = NDArray[Any]


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


def kernel(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> Any:
    """[w1, w2]_Z = E max(0, <w1, X>) max(0, <w2, X>) for any two vectors, zero ones included. A float, or (...).

    w1, w2 (..., n); ValueError unless they fit the measure, or on overflow.

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


@dataclass(frozen=True, eq=False)
class Wedges:
    """Which points are in the sets of the proof, boolean: A (..., N) both units active, B (..., N) the rest of C(w_m)."""

    A: Array
    B: Array


def wedges(w1: ArrayLike, w2: ArrayLike, X: ArrayLike) -> Wedges:
    """A = {<x, w1> >= 0, <x, w2> >= 0} and B = C(w_m) minus A for points X (N, n), up to the rounding of the forms."""
    points = check.finite_array(X, "X", ndim=2)
    a, b = vectors(w1, w2, points.shape[1])
    g = pair(a, b)
    return _wedges(g.w1 @ points.T, g.w2 @ points.T, g.p @ points.T)


@dataclass(frozen=True, eq=False)
class ProofTerms:
    """Every quantity of appendix B.3, arrays (...), for the unit vectors in `geometry` as they are.

    Each is within `rounding` of the exact one.
    (17): kernel = r^2 bisector_norm - E1 - E2, with E1 = r^2 E[<X, w_m>^2 1_B], E2 = E[<X, d>^2 1_A].
    bisector_norm (...): ||w_m||_Z^2; energy_A, energy_B (...): E[|QX|^2 1], Q the projection onto span(w1, w2);
    across_A,
    across_B (...): E[<X, d^>^2 1]. sigma: ||Sigma||. An atom within rounding of a wall of A may be counted on either
    side of it;
    E1 + E2 does not mind.
    """

    geometry: Pair
    kernel: Array
    bisector_norm: Array
    E1: Array
    E2: Array
    energy_A: Array
    energy_B: Array
    across_A: Array
    across_B: Array
    sigma: float
    rounding: float

    @property
    def e1_printed(self) -> tuple[Array, Array]:
        """(18) with r^2 = cos^2(alpha/2): r^2 sin^2(alpha) E[|QX|^2 1_B], and the same with 2 ||Sigma||."""
        g = self.geometry
        return g.r**2 * g.sin_squared * self.energy_B, g.r**2 * g.sin_squared * 2 * self.sigma

    @property
    def e2_printed(self) -> tuple[Array, Array]:
        """(19): |d|^2 E[|QX|^2 1_A], and the same with 2 ||Sigma||."""
        return self.geometry.s**2 * self.energy_A, self.geometry.s**2 * 2 * self.sigma

    @property
    def e1_repaired(self) -> tuple[Array, Array]:
        """True bounds of E1 at every angle: s^2 E[<X, d^>^2 1_B], and r^2 s^2 E[|QX|^2 1_B]."""
        g = self.geometry
        return g.s**2 * self.across_B, g.r**2 * g.s**2 * self.energy_B


def proof_terms(w1: ArrayLike, w2: ArrayLike, sample: Sample) -> ProofTerms:
    """r, the wedges' energies, E1 and E2 of the proof of Proposition 2.3. ValueError for a zero vector."""
    g, _ = _geometry(w1, w2, as_sample(sample))

    def over(along: tuple[Array, ...], wedge: str, integrand: Callable[..., Array]) -> Array:
        def cut(f1: Array, f2: Array, fp: Array, *rest: Array) -> Array:
            return integrand(*rest) * getattr(_wedges(f1, f2, fp), wedge)

        return expectation(sample, (g.w1, g.w2, g.p, *along), cut)

    def square(f: Array) -> Array:
        return f**2

    def energy(f: Array, h: Array) -> Array:
        return f**2 + h**2

    plane = (g.bisector, g.normal)
    return ProofTerms(
        geometry=g,
        kernel=np.asarray(kernel(g.w1, g.w2, sample)),
        bisector_norm=_half_energy(g.bisector, sample),
        E1=over((g.p,), "B", square),
        E2=over((g.d,), "A", square),
        energy_A=over(plane, "A", energy),
        energy_B=over(plane, "B", energy),
        across_A=over((g.normal,), "A", square),
        across_B=over((g.normal,), "B", square),
        sigma=float(second_moment_norm(sample).value),
        rounding=rounding(sample),
    )


def _geometry(w1: ArrayLike, w2: ArrayLike, measure: Measure) -> tuple[Pair, Callable[[Array], Array]]:
    """The pair, and multiplication by |w1| |w2|."""
    a, b = vectors(w1, w2, as_measure(measure).n_in)
    return pair(a, b), lambda value: times_lengths(value, a, b)


def _snap(v: Array) -> Array:
    """A half sum or half difference of normalised vectors, 0 when it is within their rounding."""
    return np.where(np.linalg.norm(v, axis=-1, keepdims=True) > gamma(v.shape[-1] + 5), v, 0)


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


def _wedges(f1: Array, f2: Array, fp: Array) -> Wedges:
    A = (f1 >= 0) & (f2 >= 0)
    return Wedges(A, (fp >= 0) & ~A)
