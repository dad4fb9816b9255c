"""Primal and dual values of the convex second layer, rounded the honest way.

    P(b) = E (y - Z b)^2 + kappa |b|_1,      D(r) = E (2 y r - r^2)  for every r with |2 E z_j r| <= kappa for all j,

E the weighted mean over the sample. P(b) >= D(r): with rho = y - Z b, E rho^2 >= E (2 rho r - r^2) = D(r) - 2 E r Z b.
The same line without feasibility reads P(b) >= D(r) - max(0, 2 max_j |E z_j r| - kappa) |b|_1.

Z (N, m) features, y and r (N,), w (N,) weights that sum to one, beta (m,): checked arrays. The dual is that of the
lasso (Tibshirani 1996) with the scaling of `theory.lasso.solve`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import TINY, UNIT, Array, down, gamma, up
from theory.numerics import validation as check

# Rows of Z handled at once when bounding rounding errors, in numbers.
SLAB = 2_000_000

# A residual is made feasible by more than a scaling when the gap exceeds this share of the primal value.
FINE = 1e-9

# kappa = 0 with features singular to working precision: the share of E y^2 spent on stating the bound for large |b|_1.
ALLOWANCE = 1e-9


@dataclass(frozen=True)
class Dual:
    """value <= P(b) for every b with |b|_1 <= radius, in exact arithmetic."""

    value: float
    radius: float = math.inf


def features(Z: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """Z (N, m), y (N,) and weights (N,), checked: N >= 1, everything finite, one output.

    weights are nonnegative and are scaled to sum to one, unless they already do up to rounding; None means 1/N each.
    ValueError otherwise.
    """
    Z = check.finite_array(Z, "Z", ndim=2)
    y = check.finite_array(y, "y")
    if Z.shape[0] == 0:
        raise ValueError(f"Z must have at least one row (sample); got shape {Z.shape}")
    if y.ndim == 2 and y.shape[1] != 1:
        raise ValueError(f"y must have one output, shape ({Z.shape[0]},) or ({Z.shape[0]}, 1); got {y.shape}")
    if y.ndim not in (1, 2) or y.shape[0] != Z.shape[0]:
        raise ValueError(f"y must have shape ({Z.shape[0]},), one entry per row of Z; got {y.shape}")
    for array, name in ((Z, "Z"), (y, "y")):
        if array.size and np.abs(array).max() > 1e100:
            raise ValueError(f"{name} must be at most 1e100 in size, so that squares fit; got {np.abs(array).max():g}")
    if weights is None:
        return Z, y.reshape(-1), np.full(Z.shape[0], 1 / Z.shape[0])
    w = check.finite_array(weights, "weights", ndim=1)
    if w.shape != Z.shape[:1]:
        raise ValueError(f"weights must have shape ({Z.shape[0]},), one per sample; got {w.shape}")
    if (w < 0).any() or not w.any():
        raise ValueError(f"weights must be nonnegative with a positive sum; got minimum {w.min()}")
    with np.errstate(over="ignore"):
        if not np.isfinite(w.sum()):
            w = w / w.max()
    return Z, y.reshape(-1), w if abs(w.sum() - 1) <= 2 * gamma(len(w)) else w / w.sum()


def primal(Z: Array, y: Array, w: Array, kappa: float, beta: Array, blur: Array | float = 0.0) -> float:
    """An upper bound on P(beta) for checked arrays, larger than P(beta) by roundings only.

    blur (N,): what Z beta is off because Z itself was computed in floats.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rho, slip = y - Z @ beta, _slip(Z, y, beta) + blur
        norm = up(_root(_mean(w, rho, rho)) + _root(_mean(w, slip, slip)))
        return float(up(up(norm**2) + up(kappa * math.fsum(np.abs(beta))) * (1 + gamma(2))))


def dual(Z: Array, y: Array, w: Array, kappa: float, beta: Array, rho: Array, value: float) -> Dual:
    """The best dual value found near a residual rho (N,) of beta, whose primal value is `value`; checked arrays."""
    if kappa == 0:
        return _least_squares_dual(Z, y, w, beta, rho, _feasible(Z, w, np.zeros(Z.shape[1]), rho))
    bound = scaled(y, w, kappa, rho, 2 * correlation(Z, w, rho))
    if value - bound > FINE * value and beta.any():
        used = np.flatnonzero(beta)
        r = _feasible(Z[:, used], w, kappa / 2 * np.sign(beta[used]), rho)
        bound = max(bound, scaled(y, w, kappa, r, 2 * correlation(Z, w, r)))
    if value - bound > FINE * value:
        # kappa next to nothing: P >= E (y - Z b)^2, and beyond the radius of that bound P >= kappa radius
        free = _least_squares_dual(Z, y, w, beta, rho, _feasible(Z, w, np.zeros(Z.shape[1]), rho))
        bound = max(bound, free.value if free.radius == math.inf else min(free.value, float(down(kappa * free.radius))))
    return Dual(bound)


def _slip(Z: Array, y: Array, beta: Array) -> Array:
    """Bounds on the error of y - Z beta as computed, (N,)."""
    size = np.empty(len(y))
    for rows in _slabs(Z):
        size[rows] = np.abs(Z[rows]) @ np.abs(beta)
    return gamma(2 * Z.shape[1] + 8) * (size + np.abs(y)) + TINY


def correlation(Z: Array, w: Array, r: Array) -> float:
    """An upper bound on max_j |E z_j r|."""
    return float(np.max(_correlations(Z, w, r), initial=0.0))


def scaled(y: Array, w: Array, kappa: float, r: Array, top: float) -> float:
    """A lower bound on max_s D(s r) over s top <= kappa; feasible when 2 |E z r| <= top for every feature z."""
    square = _mean(w, r, r)
    product, size = math.fsum(w * y * r), _mean(w, y, r)
    s = product / square
    if abs(s) * top > kappa * (1 - 4 * UNIT):
        s = math.copysign(float(down(kappa / top)), s)
    value = 2 * s * product - s * s * square
    error = gamma(10) * (2 * abs(s) * size + s * s * square) + TINY
    return max(0.0, float(down(value - error)))


def _correlations(Z: Array, w: Array, r: Array) -> Array:
    """Upper bounds on |E z_j r|, (m,)."""
    total = np.zeros(Z.shape[1])
    for rows in _slabs(Z):
        total += np.abs(Z[rows]).T @ (w[rows] * np.abs(r[rows]))
    error = gamma(2 * len(r) + 8) * total + TINY
    return up(np.abs(Z.T @ (w * r)) + error)


def _slabs(Z: Array) -> list[slice]:
    step = max(1, SLAB // max(Z.shape[1], 1))
    return [slice(i, i + step) for i in range(0, len(Z), step)]


def _mean(w: Array, a: Array, b: Array) -> float:
    """An upper bound on E |a b|."""
    return math.fsum(np.abs(w * a * b)) * (1 + gamma(5)) + TINY


def _root(x: float) -> float:
    return float(up(math.sqrt(x)))


def _feasible(Z: Array, w: Array, target: Array, rho: Array) -> Array:
    """rho changed as little as possible so that E z_j rho is target_j (m,), up to rounding and the rank of Z."""
    from scipy.linalg import qr, solve_triangular

    if not Z.any():
        return rho
    root = np.sqrt(w)
    Q, R, pivots = qr(Z * root[:, None], mode="economic", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diag(R))
    rank = int(np.sum(diagonal > 8 * max(Z.shape) * UNIT * diagonal[0]))
    Q = Q[:, :rank]
    goal = solve_triangular(R[:rank, :rank], target[pivots[:rank]], trans="T", check_finite=False)
    a = root * rho
    for _ in range(2):
        a = a - Q @ (Q.T @ a - goal)
    return np.divide(a, root, out=rho.copy(), where=root > 0)


def _least_squares_dual(Z: Array, y: Array, w: Array, beta: Array, rho: Array, r: Array) -> Dual:
    """kappa = 0: a lower bound from a vector r that is orthogonal to the features up to rounding.

    With P the projector on the features, min P = |(1 - P) y|^2 >= (<y, r - P r> / |r|)^2, and |P r| is bounded when Z
    is proved to have full column rank (zero and repeated columns apart). In the product y may be replaced by the
    residual rho, with <rho, P r> <= (|P r| + |rho - r|) |P r|. Otherwise D(r) - 2 max_j |E z_j r| radius.
    """
    square = _mean(w, r, r)
    product = math.fsum(w * y * r) - gamma(8) * _mean(w, y, r) - TINY
    corr = _correlations(Z, w, r)
    if product <= 0 or square <= TINY:
        return Dual(0.0)
    projection = _projection(Z, w, corr)
    if projection < math.inf:
        aligned = down(product - up(_root(_mean(w, y, y)) * projection))
        slip, apart = _slip(Z, y, beta), np.abs(rho - r)
        slips = _root(_mean(w, slip, slip))
        near = math.fsum(w * rho * r) - gamma(8) * _mean(w, rho, r) - slips * _root(square) * (1 + 4 * UNIT)
        leak = (projection + slips + _root(_mean(w, apart, apart))) * projection
        aligned = max(aligned, near - leak * (1 + 8 * UNIT) - 4 * UNIT * abs(near))
        return Dual(max(0.0, float(aligned)) ** 2 / square * (1 - gamma(8)))
    top, norm = 2 * float(np.max(corr)), math.fsum(np.abs(beta))
    radius = max(2 * norm, ALLOWANCE * _mean(w, y, y) / top)
    value = (2 * product * (1 - 2 * UNIT) - square) - up(top * radius)
    return Dual(max(0.0, float(down(value - 4 * UNIT * (2 * product + square)))), radius)


def _projection(Z: Array, w: Array, corr: Array) -> float:
    """An upper bound on |P r| when |E z_j r| <= corr_j; inf when unproved. Zero and repeated columns go if need be."""
    bound = _full_rank_projection(Z, w, corr)
    if bound < math.inf:
        return bound
    Z, kept = np.unique(Z, axis=1, return_index=True)
    used = Z.any(axis=0)
    return _full_rank_projection(Z[:, used], w, corr[kept][used])


def _full_rank_projection(Z: Array, w: Array, corr: Array) -> float:
    """The bound for Z of full column rank: |X^T corr| / sigma_min(U), U = Z X for an approximate inverse factor X.

    U is nearly orthonormal, and its distance from that is bounded entry by entry: sigma_min >= sqrt(1 - |U^T U - I|) -
    |error of U|, Frobenius norms. Works up to condition numbers near 1e13; inf beyond.
    """
    from scipy.linalg import qr, solve_triangular

    N, m = Z.shape
    if m == 0:
        return 0.0
    A = Z * np.sqrt(w)[:, None]
    size = np.sqrt(np.sum(A**2, axis=0))
    if m > N or not (size > 1e-100).all():
        return math.inf
    A = A / size
    R = qr(A, mode="r", check_finite=False)[0][:m]
    if np.abs(np.diag(R)).min() <= UNIT:
        return math.inf
    X = solve_triangular(R, np.eye(m), check_finite=False)
    U = A @ X
    eta = gamma(m + 8) * _frobenius(np.abs(A) @ np.abs(X))
    defect = _frobenius(U.T @ U - np.eye(m)) + gamma(N + 8) * (_frobenius(U) ** 2 + m)
    if not defect < 0.5 or not eta < 0.5:
        return math.inf
    smallest = math.sqrt(1 - defect) * (1 - 4 * UNIT) - eta
    pulled = np.abs(X).T @ (corr / size) * (1 + gamma(2 * m + N + 16))
    return _frobenius(pulled) / smallest * (1 + gamma(4)) + TINY


def _frobenius(matrix: Array) -> float:
    """An upper bound on the Frobenius norm."""
    return float(np.sqrt(np.sum(matrix**2))) * (1 + gamma(2 * matrix.size + 8))
