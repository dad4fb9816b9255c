"""The convex second layer: min_b E|y - Z b|^2 + kappa |b|_1 for fixed features, subpaths (1) and (6) of Theorem 2.4.

Scaling, once and for all: the mean over the sample (weights sum to one), no factor 1/2, and kappa multiplies |b|_1
itself. So b = 0 is optimal exactly when kappa >= kappa_max = 2 max_j |E z_j y|, scikit-learn's alpha is kappa / 2, and

    P(b) = E (y - Z b)^2 + kappa |b|_1,      D(r) = E (2 y r - r^2)  for every r with |2 E z_j r| <= kappa for all j.

Weak duality P >= D is (rho - r)^2 >= 0 with rho = y - Z b; scaling any residual makes it feasible. Whatever solver
proposed b, the primal value (rounded up), the dual value (rounded down) and the gap are computed here.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.lasso import duality, solvers
from theory.lasso.problem import Problem, check_features, normalised
from theory.numerics import Array, above, below, exponent, times, up
from theory.numerics import validation as check

SOLVERS = ("lars", "cvxpy")

# By how much of kappa_max the last point of a path may miss the optimality conditions at kappa_min.
REACHED = 1e-8


@dataclass(frozen=True, eq=False)
class SecondLayer:
    """A second layer with its certificate: dual <= P(b) for every b with |b|_1 <= radius, and P(beta) <= primal.

    Both hold in exact arithmetic. radius is inf, so that dual <= min P, except for kappa = 0 and features that are
    singular to working precision: there the infimum over all b rests on the last bits of Z (rounding turns a rank
    of 3 into full rank, and weights of 1e16 use it), so the bound is stated for |b|_1 <= radius.
    beta (m,); kappa; solver: who proposed beta. gap = primal - dual, rounded up.
    """

    beta: Array
    primal: float
    dual: float
    gap: float
    kappa: float
    solver: str
    radius: float = math.inf

    @property
    def active(self) -> Array:
        """Indices of the units that are used."""
        return np.flatnonzero(self.beta)

    @property
    def norm(self) -> float:
        """|beta|_1."""
        return float(np.abs(self.beta).sum())


@dataclass(frozen=True, eq=False)
class Homotopy:
    """The solution path of the lasso in kappa, piecewise linear between its knots: supports of every size.

    knots (K,) decrease strictly from kappa_max (beta = 0) to kappa_min, or to where the path was cut; betas (K, m).
    reached: whether the last beta is optimal at kappa_min (to 1e-8 of kappa_max in the optimality conditions, each
    feature scaled to size one). Features that tie, repeat or are below 1e-7 of the largest can lead the path astray; no
    beta comes with a promise (`second_layer` gives one).
    """

    knots: Array
    betas: Array
    reached: bool

    @property
    def active(self) -> Array:
        """Number of nonzero weights at each knot, (K,)."""
        return np.count_nonzero(self.betas, axis=1)


def kappa_max(Z: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """2 max_j |E z_j y|: the smallest kappa for which beta = 0 is optimal (0 for no or all-zero features).

    Z (N, m), y (N,), weights (N,) as in `second_layer`.
    """
    Z, y, w = check_features(Z, y, weights)
    e, f = exponent(Z), exponent(y)
    top = 2 * np.abs(times(Z, -e).T @ (w * times(y, -f))).max(initial=0.0)
    return check.no_overflow(float(times(top, e + f)), "y or Z")


def second_layer(
    Z: ArrayLike, y: ArrayLike, kappa: float, *, weights: ArrayLike | None = None, solver: str = "lars"
) -> SecondLayer:
    """The best second layer on features Z (N, m) for targets y (N,), with primal value, dual value and gap.

    kappa >= 0; weights as in `Sample`. solver "lars": homotopy on the Gram matrix, finished by an active-set method
    on the signs it found (kappa = 0: least squares); "cvxpy": an interior-point reference. Rank-deficient Z,
    zero or repeated columns, m > N and m = 0 are ordinary cases (kappa = 0: see `SecondLayer`; for kappa of the order
    of rounding errors and singular features the gap stays open for the same reason).
    ValueError on bad input.

    >>> found = second_layer([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], kappa=1.0)
    >>> found.beta.round(9).tolist(), round(found.primal, 9), found.gap < 1e-12
    ([2.0, 0.0], 2.625, True)
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    check.choice(solver, "solver", SOLVERS)
    p = normalised(*check_features(Z, y, weights), kappa)
    if not p.A.any() or not p.a.any():
        b = np.zeros(p.A.shape[1])
    elif solver == "cvxpy":
        b = solvers.interior_point(p)
    else:
        b = solvers.lars(p) if p.k.any() else solvers.least_squares(p)
    found = _certified(p, kappa, _weights(p.outward(b)), solver)
    if solver == "lars" and p.k.any() and found.gap > duality.FINE * found.primal:
        # the Gram matrix squares the condition number; QR does not
        refined = solvers.refine(p, b)
        if refined is not None:
            other = _certified(p, kappa, _weights(p.outward(refined)), solver)
            found = other if other.gap < found.gap else found
    return found


def homotopy(Z: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None, kappa_min: float = 0.0) -> Homotopy:
    """The path of solutions from kappa_max down to kappa_min >= 0 (scikit-learn's LARS with the lasso modification).

    Z (N, m), y (N,), weights (N,) as in `second_layer`. ValueError on bad input, and where knots or weights are beyond
    float64.
    """
    kappa_min = check.number(kappa_min, "kappa_min", minimum=0.0)
    p = normalised(*check_features(Z, y, weights), kappa_min)
    G, q = solvers.gram(p)
    if (2 * np.abs(q) <= p.k).all():
        return Homotopy(np.array([kappa_min]), np.zeros((1, len(q))), True)
    knots, b = solvers.lars_path(p.sizes, G, q, float(p.k.min()), whole=True)
    # A degenerate step repeats its knot; the last solution at each knot is the one that the path goes on from.
    keep = np.append(np.diff(knots) < 0, True)
    knots, b = knots[keep], b[keep]
    reached = _is_optimal(G, q, p.k, b[-1])
    return Homotopy(check.no_overflow(times(knots, p.level + p.largest), "y or Z"), _weights(p.outward(b)), reached)


def _is_optimal(G: Array, q: Array, k: Array, b: Array) -> bool:
    """Whether |2 (q - G b)| <= k, with equality and the right sign where b is not 0, up to REACHED of its size at b = 0."""
    c = 2 * (q - G @ b)
    miss = np.where(b != 0, np.abs(c - np.sign(b) * k), np.abs(c) - k)
    return bool(miss.max(initial=0.0) <= REACHED * 2 * np.abs(q).max(initial=0.0))


def certify(
    Z: ArrayLike,
    y: ArrayLike,
    kappa: float,
    beta: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    solver: str = "given",
) -> SecondLayer:
    """Primal value, feasible dual value and gap of any second layer beta (m,): every rounding is bounded.

    Z (N, m), y (N,), weights (N,) as in `second_layer`; solver: a name to report. ValueError unless there is one entry
    of beta per feature, and where the risk is beyond float64.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    Z, y, w = check_features(Z, y, weights)
    beta = check.finite_array(beta, "beta", ndim=1)
    if beta.shape != Z.shape[1:]:
        raise ValueError(f"beta must have shape ({Z.shape[1]},), one weight per column of Z; got {beta.shape}")
    return _certified(normalised(Z, y, w, kappa), kappa, beta, solver)


def _certified(p: Problem, kappa: float, beta: Array, solver: str) -> SecondLayer:
    """The bounds of beta (m,), found in the units of p and scaled back."""
    b = p.inward(beta)
    value = bound = math.inf
    if np.isfinite(b).all():
        with np.errstate(over="ignore", invalid="ignore"):
            rho, slip = duality.residual(p.A, p.a, b)
        value = up(duality.square(duality.ONE, rho, slip) + duality.cost(kappa, beta, -2 * p.level))
    primal = above(float(value), 2 * p.level)
    if not primal < math.inf:
        raise ValueError(
            f"Z, y, kappa and beta must keep the risk within float64; got weights up to {np.abs(beta).max(initial=0):g}, "
            f"targets near 2^{p.level}. Scale the data down"
        )
    found = duality.dual(p, b, rho, float(value))
    bound = below(found.value, 2 * p.level)
    radius = below(found.radius, p.level - p.largest)
    if found.radius < math.inf:
        radius = min(radius, sys.float_info.max)
    return SecondLayer(beta, primal, bound, float(up(primal - bound)), kappa, solver, radius)


def _weights(beta: Array) -> Array:
    """Weights in the user's units; ValueError where they are beyond float64."""
    if not np.isfinite(beta).all():
        raise ValueError("Z must not be so small next to y that weights overflow float64; scale Z up or y down")
    return beta
