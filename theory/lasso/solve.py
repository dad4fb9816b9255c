"""The convex second layer: min_b E|y - Z b|^2 + kappa |b|_1 for fixed features, subpaths (1) and (6) of Theorem 2.4.

Scaling, once and for all: the mean over the sample (weights sum to one), no factor 1/2, and kappa multiplies |b|_1
itself. So b = 0 is optimal exactly when kappa >= kappa_max = 2 max_j |E z_j y|, scikit-learn's alpha is kappa / 2, and

    P(b) = E (y - Z b)^2 + kappa |b|_1,      D(r) = E (2 y r - r^2)  for every r with |2 E z_j r| <= kappa for all j.

Weak duality P >= D is (rho - r)^2 >= 0 with rho = y - Z b; scaling any residual makes it feasible. Whatever solver
proposed b, the primal value (rounded up), the dual value (rounded down) and the gap are computed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.lasso import duality, solvers
from theory.lasso.duality import features
from theory.numerics import Array, up
from theory.numerics import validation as check

SOLVERS = ("lars", "cvxpy")

# By how much of kappa_max a path may miss the optimality conditions before it is walked again.
WALKED = 1e-8


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
    """The solution path of the lasso in kappa, piecewise linear between its knots.

    knots (K,) decrease strictly from kappa_max (beta = 0) to 0, or to where the path was cut; betas (K, m).
    """

    knots: Array
    betas: Array

    def at(self, kappa: float) -> Array:
        """beta (m,) at kappa >= knots[-1], by interpolation; zero above kappa_max."""
        kappa = check.number(kappa, "kappa", minimum=float(self.knots[-1]))
        k = int(np.searchsorted(-self.knots, -kappa))
        if k == 0 or k == len(self.knots):
            return self.betas[min(k, len(self.knots) - 1)].copy()
        left, right = self.knots[k - 1], self.knots[k]
        t = (left - kappa) / (left - right)
        return (1 - t) * self.betas[k - 1] + t * self.betas[k]

    @property
    def active(self) -> Array:
        """Number of nonzero weights at each knot, (K,)."""
        return np.count_nonzero(self.betas, axis=1)


def kappa_max(Z: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """2 max_j |E z_j y|: the smallest kappa for which beta = 0 is optimal (0 for no or all-zero features).

    Z (N, m), y (N,), weights (N,) as in `second_layer`.
    """
    Z, y, w = features(Z, y, weights)
    return float(2 * np.abs(Z.T @ (w * y)).max(initial=0.0))


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
    Z, y, w = features(Z, y, weights)
    if Z.shape[1] == 0 or not Z.any() or not y.any():
        beta = np.zeros(Z.shape[1])
    elif solver == "cvxpy":
        beta = solvers.interior_point(Z, y, w, kappa)
    else:
        beta = solvers.least_squares(Z, y, w) if kappa == 0 else solvers.lars(Z, y, w, kappa)
    found = certify(Z, y, kappa, beta, weights=w, solver=solver)
    if solver == "lars" and kappa > 0 and found.gap > duality.FINE * found.primal:
        # the Gram matrix squares the condition number; QR does not
        refined = solvers.refine(Z, y, w, kappa, beta)
        if refined is not None:
            other = certify(Z, y, kappa, refined, weights=w, solver=solver)
            found = other if other.gap < found.gap else found
    return found


def homotopy(Z: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None, kappa_min: float = 0.0) -> Homotopy:
    """The whole path of solutions from kappa_max down to kappa_min >= 0 (LARS with the lasso modification).

    scikit-learn's path is kept when it is optimal at its knots and between them; features that tie or repeat can lead
    it astray, and then the path is walked again from one event to the next, every turn solved by `active_set`. Z (N,
    m), y (N,), weights (N,) as in `second_layer`.
    """
    kappa_min = check.number(kappa_min, "kappa_min", minimum=0.0)
    Z, y, w = features(Z, y, weights)
    top = kappa_max(Z, y, weights=w)
    if top <= kappa_min:
        return Homotopy(np.array([kappa_min]), np.zeros((1, Z.shape[1])))
    G, q = solvers.gram(Z, y, w)
    alphas, betas = solvers.lars_path(G, q, kappa_min, whole=True)
    knots = 2 * alphas
    if not solvers.is_optimal(G, q, knots, betas, kappa_min, WALKED * top):
        knots, betas = solvers.walk(G, q, kappa_min)
    # A degenerate step repeats its knot; the last solution at each knot is the one that the path goes on from.
    keep = np.append(np.diff(knots) < 0, True)
    return Homotopy(knots[keep], betas[keep])


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
    of beta per feature.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    Z, y, w = features(Z, y, weights)
    beta = check.finite_array(beta, "beta", ndim=1)
    if beta.shape != Z.shape[1:]:
        raise ValueError(f"beta must have shape ({Z.shape[1]},), one weight per column of Z; got {beta.shape}")
    largest = float(np.abs(beta).max(initial=0.0))
    value = duality.primal(Z, y, w, kappa, beta) if largest < 1e200 else math.inf
    if not math.isfinite(value):
        raise ValueError(f"beta must keep the risk finite; got a risk of {value}, largest weight {largest}")
    bound = duality.dual(Z, y, w, kappa, beta, y - Z @ beta, value)
    return SecondLayer(beta, value, bound.value, float(up(value - bound.value)), kappa, solver, bound.radius)
