"""Solvers behind `theory.lasso.solve`: least squares, a homotopy, an active-set method, an interior-point reference.

They take a `Problem` p, or a Gram matrix G = E z z^T (m, m), q = E z y (m,) and penalties k, and return weights b
(m,) without any promise: `theory.lasso.duality` bounds what they are worth.

Homotopy: Efron, Hastie, Johnstone & Tibshirani 2004; active set: Lee, Battle, Raina & Ng 2007.
"""

from __future__ import annotations

import contextlib
import math
import warnings

import numpy as np

from theory.lasso.problem import Problem
from theory.numerics import TINY, UNIT, Array, times

# Penalties below this share of the features' size are rounded up to it: no weight can tell.
SMALLEST = 2.0**-200

# A working set pays from MANY columns on; it begins with FIRST of them, and holds one in FEW at most.
MANY, FIRST, FEW = 1024, 100, 3


def gram(p: Problem) -> tuple[Array, Array]:
    """G = A^T A (m, m) and q = A^T a (m,)."""
    return p.A.T @ p.A, p.A.T @ p.a


def least_squares(p: Problem) -> Array:
    """The solution of least norm for kappa = 0, in the units of p, (m,)."""
    from scipy.linalg import lstsq

    # gelsy: pivoted QR. Directions below the rounding of features of size one do not count.
    cutoff = 8 * p.A.shape[1] * UNIT
    return lstsq(p.A, p.a, cond=cutoff, lapack_driver="gelsy", check_finite=False)[0]


def lars_path(sizes: Array, G: Array, q: Array, kappa: float, *, whole: bool) -> tuple[Array, Array]:
    """scikit-learn's homotopy down to kappa: its knots (K,) and weights (K, m); or the last pair, unless whole.

    The path of the features as the user gave them, with the largest column and the targets of size one: kappa and the
    knots are penalties of that column, the weights are in the units of p. sizes: exponents of the columns, as in `Problem`.
    """
    from sklearn.linear_model import lars_path_gram

    shares = times(np.ones(len(q)), sizes - sizes.max())
    if (shares != 1).any():
        G, q = G * shares * shares[:, None], q * shares
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Degenerate columns are dropped with a warning; what is lost shows in the gap, and the active set mends it.
        warnings.simplefilter("ignore")
        try:
            alphas, _, betas = lars_path_gram(
                q, G, n_samples=1, max_iter=20 * len(q) + 100, alpha_min=kappa / 2, method="lasso", return_path=whole
            )
        except ValueError:  # of shapes, where it dropped a column and lost count: no step was made
            alphas, betas = np.abs(q).max(keepdims=True), np.zeros((len(q), 1))
    betas = np.atleast_2d(betas.T)
    betas = np.where(np.isfinite(betas), betas, 0.0)
    # a weight that leaves is left at a rounding error
    betas = np.where(np.abs(betas) > 1e-13 * np.abs(betas).max(axis=1, keepdims=True), betas, 0.0)
    return 2 * np.atleast_1d(alphas), betas * shares


def lars(p: Problem) -> Array:
    """The homotopy down to the penalties of p, mended by `active_set`, (m,): on few columns where few are used."""
    q = p.A.T @ p.a
    if (2 * np.abs(q) <= p.k).all():
        return np.zeros(len(q))
    found = _on_few(p, q) if len(q) >= MANY else None
    return _solved(p, np.arange(len(q)), p.A.T @ p.A, q) if found is None else found


def _on_few(p: Problem, q: Array) -> Array | None:
    """The solution on a growing working set of columns, the most violated first; None when it grows beyond 1/FEW of them.

    Only the Gram matrix of the working set is formed. What is left out is not violated at the end (working sets:
    Johnson & Guestrin 2015).
    """
    m = len(q)
    columns = _largest(2 * np.abs(q) - p.k, FIRST)
    A = p.A[:, columns]
    G, q = A.T @ A, A.T @ p.a
    b = _solved(p, columns, G, q)
    while True:
        violation = 2 * np.abs(p.A.T @ (p.a - A @ b)) - p.k * (1 + 1e-10)
        violation[columns] = 0.0
        new = _largest(violation, max(len(b) // 2, 2 * int(np.count_nonzero(b)) + 50 - len(b)))
        if len(new) == 0:
            beta = np.zeros(m)
            beta[columns] = b
            return beta
        if FEW * (len(b) + len(new)) > m:
            return None
        B = p.A[:, new]
        C = A.T @ B
        G, q, b = np.block([[G, C], [C.T, B.T @ B]]), np.append(q, B.T @ p.a), np.append(b, np.zeros(len(new)))
        A, columns = np.hstack([A, B]), np.append(columns, new)
        b = active_set(G, q, np.maximum(p.k[columns], SMALLEST), b)


def _largest(values: Array, count: int) -> Array:
    """Indices of the `count` largest of some numbers that are positive."""
    order = np.argsort(-values, kind="stable")[:count]
    return order[values[order] > 0]


def _solved(p: Problem, columns: Array, G: Array, q: Array) -> Array:
    """The homotopy on some columns of p, mended by `active_set`."""
    start = lars_path(p.sizes[columns], G, q, float(p.k[columns].min()), whole=False)[1][-1]
    return active_set(G, q, np.maximum(p.k[columns], SMALLEST), start)


def refine(p: Problem, b: Array) -> Array | None:
    """b (m,) solved anew on its signs, in the units of p, by QR, which does not square the condition number; None when that fails."""
    from scipy.linalg import qr, solve_triangular

    used = np.flatnonzero(b)
    if not 0 < len(used) <= len(p.a):
        return None
    Q, R = qr(p.A[:, used], mode="economic", check_finite=False)
    diagonal = np.abs(np.diag(R))
    if not diagonal.min() > 8 * len(used) * UNIT * diagonal.max():
        return None
    pull = solve_triangular(R, p.k[used] / 2 * np.sign(b[used]), trans="T", check_finite=False)
    solution = solve_triangular(R, Q.T @ p.a - pull, check_finite=False)
    if (np.sign(solution) != np.sign(b[used])).any():
        return None
    refined = b.copy()
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


def active_set(G: Array, q: Array, kappa: float | Array, beta: Array, *, steps: int = 2000) -> Array:
    """min_b b^T G b - 2 q^T b + sum_j kappa_j |b_j| from a starting point, one sign pattern after another.

    beta (m,): the starting point; kappa: one penalty or (m,); steps: at most so many patterns. Feature-sign search (Lee,
    Battle, Raina & Ng 2007): on the current signs the minimiser is a linear solve; the objective is minimised over the
    sign changes on the way; then the worst violated unit joins. Where the Gram matrix of the active units is singular,
    weights slide along its kernel, with the penalty not rising, until one of them vanishes; so at most one unit too many
    is active at any time. Features are scaled to a size near one first, so that rank does not depend on their units.
    """
    e, kappa = np.frexp(np.sqrt(np.diag(G)))[1], np.broadcast_to(kappa, q.shape)
    if not e.any():
        return _active_set(G, q, kappa, beta.copy(), steps)
    G, q = times(G, -(e + e[:, None])), times(q, -e)
    return times(_active_set(G, q, times(kappa, -e), times(beta, e), steps), -e)


def _active_set(G: Array, q: Array, kappa: Array, beta: Array, steps: int) -> Array:
    """`active_set` for features of a size near one, kappa (m,)."""
    signs = np.sign(beta)
    size = np.sqrt(np.diag(G))
    lowest, idle, last = math.inf, np.zeros(len(q), dtype=bool), -1
    for _ in range(steps if len(q) else 0):
        active = np.flatnonzero(signs)
        if len(active):
            b, s, settled = _settle(G[np.ix_(active, active)], q[active], kappa[active], signs[active], beta[active])
            beta[active], signs[active] = b, s
            if not settled:
                continue
        image = G[:, active] @ beta[active]
        objective = beta @ image - 2 * q @ beta + kappa @ np.abs(beta)
        if objective < lowest - 8 * UNIT * abs(objective):
            lowest, idle[:] = objective, False
        elif last >= 0:
            idle[last] = True
        gradient = 2 * (q - image)
        rounding = 8 * UNIT * (np.abs(q) + size * float(size @ np.abs(beta)))
        violation = np.where((signs == 0) & ~idle, np.abs(gradient) - kappa * (1 + 1e-12) - rounding, -np.inf)
        last = int(np.argmax(violation))
        if not violation[last] > 0:
            break
        signs[last] = np.sign(gradient[last])
    return beta


def _settle(G: Array, q: Array, kappa: Array, s: Array, b: Array) -> tuple[Array, Array, bool]:
    """One step of `active_set` on the active units with signs s: weights, signs, and whether the signs are kept."""
    target = _solve(G, q - kappa / 2 * s)
    if target is None:
        kernel = _kernel(G)
        if kernel.size:
            b, gone = _slide(kernel, kappa, s, b)
            return b, np.where(np.arange(len(s)) == gone, 0.0, s), False
        target = b + np.linalg.lstsq(G, q - kappa / 2 * s - G @ b, rcond=None)[0]
    b = _line_search(G, q, kappa, s, b, target)
    return b, np.sign(b), np.array_equal(np.sign(b), s)


def _kernel(G: Array) -> Array:
    """An orthonormal basis (k, d) of the kernel of a positive semidefinite matrix, up to rounding."""
    values, vectors = np.linalg.eigh(G)
    return vectors[:, values <= len(G) * 4 * UNIT * max(values[-1], TINY)]


def _slide(kernel: Array, kappa: Array, s: Array, b: Array) -> tuple[Array, int]:
    """Weights b with signs s moved along the kernel so that the penalty does not rise, to where a first one vanishes."""
    d = -kernel @ (kernel.T @ (kappa * s))
    if np.linalg.norm(d) <= 1e-9 * np.linalg.norm(kappa):  # constant: either way, but not against a zero weight
        d = kernel[:, 0]
        free = [bool((v * s < 0).any()) and bool((b[v * s < 0] != 0).all()) for v in (d, -d)]
        d = -d if (free[1] and not free[0]) or not (d * s < 0).any() else d
    shrinking = d * s < 0
    ratios = np.where(shrinking, np.abs(b) / np.where(shrinking, np.abs(d), 1.0), np.inf)
    gone = int(np.argmin(ratios))
    b = b + ratios[gone] * d
    b[gone] = 0.0
    return b, gone


def _line_search(G: Array, q: Array, kappa: Array, s: Array, b: Array, target: Array) -> Array:
    """The best of the target and the points on the way to it where a weight changes sign (set to exactly zero)."""
    crossing = np.divide(b, b - target, out=np.full(len(b), np.inf), where=target * s < 0)
    vanishing = np.where((target == 0) | (np.abs(target) < 1e-14 * np.abs(target).max(initial=0.0)))[0]
    target = target.copy()
    target[vanishing] = 0.0
    if not (crossing < 1).any():
        return target
    move = target - b
    times = np.append(np.unique(crossing[crossing < 1]), 1.0)
    linear, quadratic = move @ (G @ b - q), move @ (G @ move)
    points = b + times[:, None] * move
    values = quadratic * times**2 + 2 * linear * times + np.abs(points) @ kappa
    best = int(np.argmin(values))
    result = points[best]
    result[crossing == times[best]] = 0.0
    return result


def interior_point(p: Problem) -> Array:
    """cvxpy's answer (m,) in the units of p, as it comes; its status decides nothing, the gap does."""
    import cvxpy as cp

    b = cp.Variable(p.A.shape[1])
    fit = cp.sum_squares(p.A @ b - p.a)
    problem = cp.Problem(cp.Minimize(fit + p.k @ cp.abs(b)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with contextlib.suppress(cp.SolverError):
            problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-12, tol_feas=1e-12)
    solved = b.value is not None and np.isfinite(b.value).all()
    return np.asarray(b.value) if solved else np.zeros(p.A.shape[1])
