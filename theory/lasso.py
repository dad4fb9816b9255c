"""The convex second layer: min_b E|y - Z b|^2 + kappa |b|_1 for fixed features, subpaths (1) and (6) of Theorem 2.4.

Scaling, once and for all: the mean over the sample (weights sum to one), no factor 1/2, and kappa multiplies |b|_1
itself. So b = 0 is optimal exactly when kappa >= kappa_max = 2 max_j |E z_j y|, scikit-learn's alpha is kappa / 2, and

    P(b) = E (y - Z b)^2 + kappa |b|_1,      D(r) = E (2 y r - r^2)  for every r with |2 E z_j r| <= kappa for all j.

Weak duality P >= D is (rho - r)^2 >= 0 with rho = y - Z b; scaling any residual makes it feasible. Whatever solver
proposed b, the primal value (rounded up), the dual value (rounded down) and the gap are computed here.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import duality
from theory import validation as check
from theory.duality import features
from theory.rounding import TINY, UNIT, up

Array = NDArray[Any]

SOLVERS = ("lars", "cvxpy")


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
    """2 max_j |E z_j y|: the smallest kappa for which beta = 0 is optimal (0 for no or all-zero features)."""
    Z, y, w = features(Z, y, weights)
    return float(2 * np.abs(Z.T @ (w * y)).max(initial=0.0))


def second_layer(
    Z: ArrayLike, y: ArrayLike, kappa: float, *, weights: ArrayLike | None = None, solver: str = "lars"
) -> SecondLayer:
    """The best second layer on features Z (N, m) for targets y (N,), with primal value, dual value and gap.

    kappa >= 0; weights as in `Sample`. solver "lars": homotopy on the Gram matrix, finished by an active-set method
    on the signs it found (kappa = 0: least squares); "cvxpy": an interior-point reference. Rank-deficient Z,
    zero or repeated columns, m > N and m = 0 are ordinary cases (kappa = 0: see `SecondLayer.radius`).
    ValueError on bad input.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    check.choice(solver, "solver", SOLVERS)
    Z, y, w = features(Z, y, weights)
    if Z.shape[1] == 0 or not Z.any() or not y.any():
        beta = np.zeros(Z.shape[1])
    elif solver == "cvxpy":
        beta = _interior_point(Z, y, w, kappa)
    else:
        beta = _least_squares(Z, y, w) if kappa == 0 else _lars(Z, y, w, kappa)
    return certify(Z, y, kappa, beta, weights=w, solver=solver)


def homotopy(Z: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None, kappa_min: float = 0.0) -> Homotopy:
    """The whole path of solutions from kappa_max down to kappa_min >= 0 (LARS with the lasso modification)."""
    kappa_min = check.number(kappa_min, "kappa_min", minimum=0.0)
    Z, y, w = features(Z, y, weights)
    top = kappa_max(Z, y, weights=w)
    if top <= kappa_min:
        return Homotopy(np.array([kappa_min]), np.zeros((1, Z.shape[1])))
    alphas, betas = _lars_path(*_gram(Z, y, w), kappa_min, whole=True)
    # A degenerate step repeats its knot; the last solution at each knot is the one that the path goes on from.
    keep = np.append(np.diff(alphas) < 0, True)
    return Homotopy(2 * alphas[keep], betas[keep])


def certify(
    Z: ArrayLike,
    y: ArrayLike,
    kappa: float,
    beta: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    solver: str = "given",
) -> SecondLayer:
    """Primal value, feasible dual value and gap of any second layer beta (m,): every rounding is bounded."""
    kappa = check.number(kappa, "kappa", minimum=0.0)
    Z, y, w = features(Z, y, weights)
    beta = check.finite_array(beta, "beta", ndim=1)
    if beta.shape != Z.shape[1:]:
        raise ValueError(f"beta must have shape ({Z.shape[1]},), one weight per column of Z; got {beta.shape}")
    value = duality.primal(Z, y, w, kappa, beta)
    bound = duality.dual(Z, y, w, kappa, beta, y - Z @ beta, value)
    if not math.isfinite(value):
        raise ValueError(f"beta must keep the risk finite; got a risk of {value}, largest weight {np.abs(beta).max()}")
    return SecondLayer(beta, value, bound.value, float(up(value - bound.value)), kappa, solver, bound.radius)


# --- the solvers -----------------------------------------------------------------------------------------------


def _gram_matrix(Z: Array, w: Array) -> Array:
    A = Z * np.sqrt(w)[:, None]
    return A.T @ A


def _gram(Z: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """G = E z z^T (m, m) and q = E z y (m,)."""
    return _gram_matrix(Z, w), Z.T @ (w * y)


def _least_squares(Z: Array, y: Array, w: Array) -> Array:
    from scipy.linalg import lstsq

    # gelsy: pivoted QR, the solution of least norm; directions below the rounding of a product of this size do not count.
    root = np.sqrt(w)
    cutoff = 8 * max(Z.shape) * UNIT
    return lstsq(Z * root[:, None], y * root, cond=cutoff, lapack_driver="gelsy", check_finite=False)[0]


def _lars_path(G: Array, q: Array, kappa: float, *, whole: bool) -> tuple[Array, Array]:
    """scikit-learn's homotopy down to kappa: alphas = kappa / 2 (K,) and betas (K, m), or only the last pair."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path_gram

    with warnings.catch_warnings():
        # Degenerate columns are dropped with a warning; what is lost shows in the gap, and the active set mends it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        alphas, _, betas = lars_path_gram(
            q, G, n_samples=1, max_iter=20 * len(q) + 100, alpha_min=kappa / 2, method="lasso", return_path=whole
        )
    return np.atleast_1d(alphas), np.atleast_2d(betas.T)


def _lars(Z: Array, y: Array, w: Array, kappa: float) -> Array:
    G, q = _gram(Z, y, w)
    if 2 * np.abs(q).max() <= kappa:
        return np.zeros(len(q))
    beta = _lars_path(G, q, kappa, whole=False)[1][-1]
    beta = active_set(G, q, kappa, beta)
    refined = _refine(Z, y, w, kappa, beta)
    return beta if refined is None else refined


def _refine(Z: Array, y: Array, w: Array, kappa: float, beta: Array) -> Array | None:
    """beta solved anew on its signs by QR, which does not square the condition number; None when that fails."""
    from scipy.linalg import qr, solve_triangular

    used = np.flatnonzero(beta)
    if not 0 < len(used) <= len(y):
        return None
    root = np.sqrt(w)
    Q, R = qr(Z[:, used] * root[:, None], mode="economic", check_finite=False)
    diagonal = np.abs(np.diag(R))
    if diagonal.min() <= 8 * len(y) * UNIT * diagonal.max():
        return None
    pull = solve_triangular(R, np.sign(beta[used]), trans="T", check_finite=False)
    solution = solve_triangular(R, Q.T @ (y * root) - kappa / 2 * pull, check_finite=False)
    if (np.sign(solution) != np.sign(beta[used])).any():
        return None
    refined = beta.copy()
    refined[used] = solution
    return refined


def _solve(G: Array, q: Array) -> Array | None:
    """G^-1 q by Cholesky; None when G is singular to working precision."""
    from scipy.linalg import cho_factor, cho_solve

    try:
        factor = cho_factor(G, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.abs(np.diag(factor[0]))
    if len(q) and diagonal.min() <= math.sqrt(len(q) * UNIT) * math.sqrt(np.diag(G).max()):
        return None
    return cho_solve(factor, q, check_finite=False)


def active_set(G: Array, q: Array, kappa: float, beta: Array, *, steps: int = 2000) -> Array:
    """min_b b^T G b - 2 q^T b + kappa |b|_1 from a starting point, by solving for one sign pattern after another.

    Feature-sign search (Lee, Battle, Raina & Ng 2007): on the current signs the minimiser is a linear solve; the
    objective is minimised over the sign changes on the way; then the worst violated unit joins. Where the Gram matrix
    of the active units is singular, weights slide along its kernel, with |b|_1 not rising, until one of them vanishes;
    so at most one unit too many is active at any time. A unit that brings nothing is not tried again until one does.
    """
    beta, signs = beta.copy(), np.sign(beta)
    size = np.sqrt(np.diag(G))
    lowest, idle, last = math.inf, np.zeros(len(q), dtype=bool), -1
    for _ in range(steps if len(q) else 0):
        active = np.flatnonzero(signs)
        if len(active):
            sub, s, b = G[np.ix_(active, active)], signs[active], beta[active]
            target = _solve(sub, q[active] - kappa / 2 * s)
            kernel = _kernel(sub) if target is None else None
            if kernel is not None and kernel.size:
                b, gone = _slide(kernel, s, b)
                beta[active], signs[active[gone]] = b, 0.0
                continue
            if target is None:
                target = b + np.linalg.lstsq(sub, q[active] - kappa / 2 * s - sub @ b, rcond=None)[0]
            b = _line_search(sub, q[active], kappa, s, b, target)
            settled = np.array_equal(np.sign(b), s)
            beta[active], signs[active] = b, np.sign(b)
            if not settled:
                continue
        image = G[:, active] @ beta[active]
        objective = beta @ image - 2 * q @ beta + kappa * np.abs(beta).sum()
        if objective < lowest - 8 * UNIT * abs(objective):
            lowest, idle[:] = objective, False
        elif last >= 0:
            idle[last] = True
        gradient = 2 * (q - image)
        rounding = 8 * UNIT * (np.abs(q) + size * float(size @ np.abs(beta)))
        violation = np.where((signs == 0) & ~idle, np.abs(gradient) - kappa - rounding, -np.inf)
        last = int(np.argmax(violation))
        if violation[last] <= 1e-12 * kappa:
            break
        signs[last] = np.sign(gradient[last])
    return beta


def _kernel(G: Array) -> Array:
    """An orthonormal basis (k, d) of the kernel of a positive semidefinite matrix, up to rounding."""
    values, vectors = np.linalg.eigh(G)
    return vectors[:, values <= len(G) * 4 * UNIT * max(values[-1], TINY)]


def _slide(kernel: Array, s: Array, b: Array) -> tuple[Array, int]:
    """Weights b with signs s moved along the kernel so that |b|_1 does not rise, to where a first one vanishes."""
    d = -kernel @ (kernel.T @ s)
    if np.linalg.norm(d) <= 1e-9 * math.sqrt(len(s)):  # |b|_1 is constant: either way, but not against a zero weight
        d = kernel[:, 0]
        free = [bool((v * s < 0).any()) and bool((b[v * s < 0] != 0).all()) for v in (d, -d)]
        d = -d if (free[1] and not free[0]) or not (d * s < 0).any() else d
    shrinking = d * s < 0
    ratios = np.where(shrinking, np.abs(b) / np.where(shrinking, np.abs(d), 1.0), np.inf)
    gone = int(np.argmin(ratios))
    b = b + ratios[gone] * d
    b[gone] = 0.0
    return b, gone


def _line_search(G: Array, q: Array, kappa: float, s: Array, b: Array, target: Array) -> Array:
    """The best of the target and the points on the way to it where a weight changes sign (set to exactly zero)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where(target * s < 0, b / (b - target), np.inf)
    vanishing = np.where((target == 0) | (np.abs(target) < 1e-14 * np.abs(target).max(initial=0.0)))[0]
    target = target.copy()
    target[vanishing] = 0.0
    if not (crossing < 1).any():
        return target
    move = target - b
    times = np.append(np.unique(crossing[crossing < 1]), 1.0)
    linear, quadratic = move @ (G @ b - q), move @ (G @ move)
    points = b + times[:, None] * move
    values = quadratic * times**2 + 2 * linear * times + kappa * np.abs(points).sum(axis=1)
    best = int(np.argmin(values))
    result = points[best]
    result[crossing == times[best]] = 0.0
    return result


def _interior_point(Z: Array, y: Array, w: Array, kappa: float) -> Array:
    """cvxpy's answer, as it comes; its status decides nothing, the gap does."""
    import cvxpy as cp

    root = np.sqrt(w)
    b = cp.Variable(Z.shape[1])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(Z * root[:, None] @ b - y * root) + kappa * cp.norm1(b)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(cp.SolverError):
            problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-12, tol_feas=1e-12)
    return np.zeros(Z.shape[1]) if b.value is None or not np.isfinite(b.value).all() else np.asarray(b.value)
