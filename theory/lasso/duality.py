"""Primal and dual values of the convex second layer, rounded the honest way.

    P(b) = E (y - Z b)^2 + sum_j k_j |b_j|,   D(r) = E (2 y r - r^2)  for every r with |2 E z_j r| <= k_j for all j,

E the weighted mean over the sample. P(b) >= D(r): with rho = y - Z b, E rho^2 >= E (2 rho r - r^2) = D(r) - 2 E r Z b.
The same line without feasibility reads P(b) >= D(r) - max(0, max_j |2 E z_j r| - kappa) |b|_1.

The best r near a residual rho differs from it by the span of a few features: `_projected`. The dual is that of the
lasso (Tibshirani 1996) with the scaling of `theory.lasso.solve`. A `Problem` p has features and targets of size one and
weighted rows, so that E is a sum there.

Z (N, m) features, y and r (N,), w (N,) weights that sum to one, beta (m,), kappa: checked, in any units; top, value:
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from theory.lasso.problem import Problem, slabs
from theory.numerics import TINY, UNIT, Array, above, down, exponent, gamma, times, up

# No weights: the rows of a `Problem` have them.
ONE = np.ones(1)

# A residual is made feasible by more than a scaling when the gap exceeds this share of the primal value.
FINE = 1e-9

# kappa = 0 with features singular to working precision: the share of E y^2 spent on stating the bound for large |b|_1.
ALLOWANCE = 1e-9


@dataclass(frozen=True)
class Dual:
    """value <= P(b) for every b with |b|_1 <= radius, in exact arithmetic."""

    value: float
    radius: float = math.inf


# --- the primal value --------------------------------------------------------------------------------------------


def primal(Z: Array, y: Array, w: Array, kappa: float, beta: Array, blur: Array | float = 0.0) -> float:
    """An upper bound on P(beta) for checked arrays, larger than P(beta) by roundings only; inf beyond float64.

    Z (N, m), y, w (N,), beta (m,), in any units. blur (N,): what Z beta is off because Z itself was computed in floats.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rho, slip = residual(Z, y, beta)
        return float(up(square(w, rho, slip + blur) + cost(kappa, beta)))


def square(w: Array, rho: Array, slip: Array) -> float:
    """An upper bound on E r^2 for every r (N,) with |r - rho| <= slip, rho and slip (N,); inf where float64 overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(up(up(_length(w, rho) + _length(w, slip)) ** 2))
    return math.inf if math.isnan(found) else found


def cost(kappa: float, beta: Array, shift: int = 0) -> float:
    """An upper bound on kappa |beta|_1 2^shift for weights beta (m,); inf beyond float64."""
    size = exponent(beta)
    mantissa, e = math.frexp(kappa)
    return above(math.fsum(np.abs(times(beta, -size))) * mantissa * (1 + gamma(4)), e + size + shift)


def residual(Z: Array, y: Array, beta: Array) -> tuple[Array, Array]:
    """y - Z beta as computed, and bounds on its error: both (N,)."""
    rho, size, absolute = np.empty(len(y)), np.empty(len(y)), np.abs(beta)
    for rows, block, moduli in _blocks(Z):
        np.matmul(block, beta, out=rho[rows])
        np.matmul(moduli, absolute, out=size[rows])
    least = (4 * len(beta) + 8 + absolute.sum()) * 2.0**-1074
    return y - rho, gamma(2 * Z.shape[1] + 8) * (size + np.abs(y)) + least


def _length(w: Array, a: Array) -> float:
    """An upper bound on (E a^2)^(1/2); inf or NaN where a is."""
    largest = float(np.max(np.abs(a), initial=0.0))
    if not 0 < largest < math.inf:
        return largest
    e = exponent(largest)
    a = times(a, -e)
    return above(_root(_mean(w, a, a)), e)


# --- the dual value ------------------------------------------------------------------------------------------------


def dual(p: Problem, b: Array, rho: Array, value: float) -> Dual:
    """The best dual value found near the residual rho (N,) of b (m,), whose primal value is `value`; in p's units."""
    if not p.k.any():
        return _least_squares_dual(p, b, rho, value)
    seen = _correlations(p.A, ONE, rho)
    bound = scaled_dual(p.a, ONE, 1.0, rho, _excess(p, seen[1]))
    if not value - bound <= FINE * value:
        bound = max(bound, _projected(p, b, rho, rho, seen))
    if not value - bound <= FINE * value and b.any():
        used = np.flatnonzero(b)
        r = _feasible(p.A[:, used], p.k[used] / 2 * np.sign(b[used]), rho)
        seen = _correlations(p.A, ONE, r)
        bound = max(bound, scaled_dual(p.a, ONE, 1.0, r, _excess(p, seen[1])))
        bound = max(bound, _projected(p, b, rho, r, seen)) if _blurred(p, b, rho) else bound
    if not value - bound <= FINE * value:
        # kappa next to nothing: P >= |a - A b|^2, and beyond the radius of that bound P >= kappa radius
        free = _least_squares_dual(p, b, rho, value)
        paid = float(down(float(p.k.min()) * free.radius)) if free.radius < math.inf else math.inf
        bound = max(bound, min(free.value, paid))
    return Dual(bound)


def correlation(Z: Array, w: Array, r: Array) -> float:
    """An upper bound on max_j |E z_j r|; inf when undecided."""
    return _worst(_correlations(Z, w, r)[1])


def _excess(p: Problem, bound: Array) -> float:
    """An upper bound on max_j |2 E z_j r| / k_j, by how much r exceeds the penalties; bound (m,): on |E z_j r|."""
    bound = 2 * bound * (1 + 4 * UNIT)
    return _worst(np.divide(bound, p.k, out=np.full(len(p.k), math.inf), where=p.k > 0))


def scaled_dual(y: Array, w: Array, kappa: float, r: Array, top: float) -> float:
    """A lower bound on max_s D(s r) over s top <= kappa; feasible when |2 E z r| <= top for every feature z; else 0."""
    if not (0 <= top < math.inf and np.isfinite(r).all()):
        return 0.0
    square = _mean(w, r, r)
    product, size = math.fsum(w * y * r), _mean(w, y, r)
    s = product / square
    if abs(s) * top > kappa * (1 - 4 * UNIT):
        s = math.copysign(max(0.0, float(down(kappa / top))), s)
    value = 2 * s * product - s * s * square
    error = gamma(10) * (2 * abs(s) * size + s * s * square) + TINY
    return _positive(value - error)


def _projected(p: Problem, b: Array, rho: Array, near: Array, seen: tuple[Array, Array]) -> float:
    """A lower bound on min P from r = near - d, d in the span of the used features, with 2 <A_j, r> = +- k_j on them.

    Such a d exists when the used features are independent, and its length is bounded (`_shift`). Since a = rho + A b,

        D(r) = 2 <rho, r> - |r|^2 + 2 <r, A b> = |rho|^2 - |rho - r|^2 + sum_j k_j |b_j|,

    P(b) but for |rho - r|^2. near: rho, or a vector beside it where large weights have blurred rho. Used are those with
    b_j != 0 and, at first, those that are violated: 2 <A_j, r> is brought to the nearest allowed value. What the others
    violate by after that is removed by a scaling: D(s r) = s D(r) + s (1 - s) |r|^2 for 0 <= s <= 1.
    seen: `_correlations` of near.
    """
    value, bound = seen
    half = p.k / 2
    target = np.where(b != 0, np.sign(b) * half, np.clip(value, -half, half))
    miss = np.abs(value - target) + (bound - np.abs(value))
    for used in ((b != 0) | ~(bound <= half), b != 0):
        shift = _shift(p.A[:, used], miss[used])
        if not shift < math.inf:
            continue
        reach = 2 * (bound[~used] + _norms(p.A[:, ~used]) * shift) * (1 + 8 * UNIT)
        return _shifted(p, b, rho, near, shift, _worst(reach / p.k[~used]) if (p.k[~used] > 0).all() else math.inf)
    return 0.0


def _shifted(p: Problem, b: Array, rho: Array, near: Array, shift: float, top: float) -> float:
    """The bound of `_projected` for |d| <= shift, where r exceeds the penalties by the factor top at most.

    From the identity there, or from D(r) itself, which does not see how large weights cancel.
    """
    slip = _length(ONE, residual(p.A, p.a, b)[1])
    size, length = math.sqrt(math.fsum(rho * rho)), math.sqrt(math.fsum(near * near))
    paid, apart = math.fsum(p.k * np.abs(b)), shift + slip + _length(ONE, rho - near)
    identity = (max(0.0, size - slip) ** 2 + paid - apart**2, size**2 + paid + apart**2)
    product, spread = math.fsum(p.a * near), _mean(ONE, p.a, near)
    moved = _length(ONE, p.a) * shift
    plain = (2 * (product - moved) - (length + shift) ** 2, 2 * (spread + moved) + (length + shift) ** 2)
    value = max(
        (v - gamma(32) * terms for v, terms in (identity, plain)), key=lambda v: -math.inf if math.isnan(v) else v
    )
    if not top <= 1:
        s = max(0.0, float(down(1 / top)))
        value = s * value + s * (1 - s) * max(0.0, length - shift) ** 2 - gamma(32) * (abs(value) + length**2)
    return _positive(value - TINY)


def _least_squares_dual(p: Problem, b: Array, rho: Array, value: float) -> Dual:
    """kappa = 0: min |a - A b|^2 = |rho|^2 - |d|^2, d the projection of rho on the features, where their rank is proved.

    Zero and repeated features do no harm. Otherwise D(r) - 2 max_j |<A_j, r>| radius with r nearly orthogonal to them,
    the radius in the units of p.
    """
    free, best = replace(p, k=np.zeros_like(p.k)), -1.0
    for near in (lambda: rho, lambda: _feasible(p.A, np.zeros_like(b), rho)):
        r = near()
        shift = _whole_shift(p.A, _correlations(p.A, ONE, r)[1])
        if shift < math.inf:
            best = max(best, _shifted(free, b, rho, r, shift, 0.0))
        if shift < math.inf and (value - best <= FINE * value or not _blurred(p, b, rho)):
            break
    return _within_a_radius(p, b, r) if best < 0 else Dual(best)


def _blurred(p: Problem, b: Array, rho: Array) -> bool:
    """Whether weights so large that they cancel have left their roundings in the residual."""
    return not _length(ONE, residual(p.A, p.a, b)[1]) <= FINE * math.sqrt(math.fsum(rho * rho))


def _whole_shift(A: Array, miss: Array) -> float:
    """`_shift` for all columns of A (N, m), of which zero ones and copies need no shift of their own."""
    used = A.any(axis=0)
    A, miss = A[:, used], miss[used]
    shift = _shift(A, miss)
    if shift < math.inf:
        return shift
    kept = np.unique(A, axis=1, return_index=True)[1]
    return _shift(A[:, kept], miss[kept])


def _within_a_radius(p: Problem, b: Array, r: Array) -> Dual:
    """kappa = 0, singular features: D(r) - 2 max_j |<A_j, r>| radius for r (N,) nearly orthogonal to them."""
    square = _mean(ONE, r, r)
    product = math.fsum(p.a * r) - gamma(8) * _mean(ONE, p.a, r) - TINY
    top = 2 * _worst(_correlations(p.A, ONE, r)[1] * p.shares)
    norm = math.fsum(np.abs(b) / p.shares) if p.shares.all() else math.inf
    radius = max(2 * norm, ALLOWANCE * _mean(ONE, p.a, p.a) / top)
    value = (2 * product * (1 - 2 * UNIT) - square) - up(top * radius)
    bound = _positive(value - 4 * UNIT * (2 * product + square)) if product > 0 else 0.0
    return Dual(bound, radius) if bound > 0 else Dual(0.0)


def _feasible(A: Array, target: Array, rho: Array) -> Array:
    """rho changed as little as possible so that <A_j, rho> is target_j (m,), up to rounding and the rank of A.

    Columns of A have a size near one, so the threshold of the rank is one for all.
    """
    from scipy.linalg import qr, solve_triangular

    if not A.any():
        return rho
    Q, R, pivots = qr(A, mode="economic", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diag(R))
    rank = int(np.sum(diagonal > 8 * A.shape[1] * UNIT * diagonal[0]))
    Q = Q[:, :rank]
    goal = solve_triangular(R[:rank, :rank], target[pivots[:rank]], trans="T", check_finite=False)
    for _ in range(2):
        rho = rho - Q @ (Q.T @ rho - goal)
    return rho


def _shift(A: Array, miss: Array) -> float:
    """An upper bound on |d| for the d in the span of A's columns (N, m) with |<A_j, d>| <= miss_j; inf when unproved.

    |X^T miss| / sigma_min(U), U = A X for an approximate inverse factor X of A. U is nearly orthonormal, and its
    distance from that is bounded entry by entry: sigma_min >= sqrt(1 - |U^T U - I|) - |error of U|, Frobenius norms.
    Works up to condition numbers near 1e13 of the columns scaled to norm one; inf beyond.
    """
    from scipy.linalg import qr, solve_triangular

    N, m = A.shape
    if m == 0:
        return 0.0
    size = np.sqrt(np.sum(A**2, axis=0))
    if m > N or not (size > 1e-100).all() or not np.isfinite(miss).all():
        return math.inf
    A = A / size
    R = qr(A, mode="r", check_finite=False)[0][:m]
    if not np.abs(np.diag(R)).min() > UNIT:
        return math.inf
    X = solve_triangular(R, np.eye(m), check_finite=False)
    U = A @ X
    eta = gamma(m + 8) * _frobenius(np.abs(A) @ np.abs(X))
    defect = _frobenius(U.T @ U - np.eye(m)) + gamma(N + 8) * (_frobenius(U) ** 2 + m)
    if not defect < 0.5 or not eta < 0.5:
        return math.inf
    smallest = math.sqrt(1 - defect) * (1 - 4 * UNIT) - eta
    pulled = np.abs(X).T @ (miss / size) * (1 + gamma(2 * m + N + 16))
    return _frobenius(pulled) / smallest * (1 + gamma(4)) + TINY


# --- sums whose rounding is bounded ----------------------------------------------------------------------------


def _correlations(Z: Array, w: Array, r: Array) -> tuple[Array, Array]:
    """E z_j r as computed, and upper bounds on |E z_j r|: both (m,)."""
    value, total, weighted = np.zeros(Z.shape[1]), np.zeros(Z.shape[1]), w * r
    absolute = np.abs(weighted)
    for rows, block, moduli in _blocks(Z):
        value += weighted[rows] @ block
        total += absolute[rows] @ moduli
    return value, up(np.abs(value) + (gamma(2 * len(r) + 8) * total + TINY))


def _blocks(Z: Array) -> Iterator[tuple[slice, Array, Array]]:
    """Rows of Z, a few at a time: which, these, and their moduli, which the next ones overwrite."""
    buffer = np.empty((0, 0))
    for rows in slabs(Z):
        block = Z[rows]
        buffer = np.empty(block.shape) if not buffer.size else buffer
        yield rows, block, np.abs(block, out=buffer[: len(block)])


def _mean(w: Array, a: Array, b: Array) -> float:
    """An upper bound on E |a b|."""
    return math.fsum(np.abs(w * a * b)) * (1 + gamma(5)) + TINY


def _root(x: float) -> float:
    return float(up(math.sqrt(x)))


def _worst(values: Array) -> float:
    """The largest of some numbers >= 0, 0 of none; inf when one of them is undecided (NaN)."""
    return float(np.max(np.where(np.isnan(values), math.inf, values), initial=0.0))


def _positive(value: float) -> float:
    """A lower bound rounded down once more; 0, which always holds, where it is negative or undecided (NaN)."""
    value = float(down(value))
    return value if value > 0 else 0.0


def _norms(A: Array) -> Array:
    """Upper bounds on the lengths of columns (N, m), (m,)."""
    return np.sqrt(np.sum(A**2, axis=0)) * (1 + gamma(2 * len(A) + 16)) + TINY**0.5


def _frobenius(matrix: Array) -> float:
    """An upper bound on the Frobenius norm, squares of small entries not lost; inf or NaN where an entry is."""
    e = exponent(matrix)
    return above(float(np.sqrt(np.sum(times(matrix, -e) ** 2))) * (1 + gamma(2 * matrix.size + 8)), e)
