"""Solvers behind `theory.lasso.solve`: least squares, the homotopy in kappa, an active-set method, an interior-point reference.

They take checked arrays Z (N, m), y (N,), w (N,), or the Gram matrix G = E z z^T (m, m) and q = E z y (m,), and return
weights beta (m,) without any promise: `theory.lasso.duality` bounds what they are worth.

Homotopy: Efron, Hastie, Johnstone & Tibshirani 2004; active set: Lee, Battle, Raina & Ng 2007.
"""

from __future__ import annotations

import contextlib
import math
import warnings

import numpy as np

from theory.numerics import TINY, UNIT, Array


def gram_matrix(Z: Array, w: Array) -> Array:
    """G = E z z^T, (m, m)."""
    A = Z * np.sqrt(w)[:, None]
    return A.T @ A


def gram(Z: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """G = E z z^T (m, m) and q = E z y (m,)."""
    return gram_matrix(Z, w), Z.T @ (w * y)


def least_squares(Z: Array, y: Array, w: Array) -> Array:
    """The solution of least norm for kappa = 0, (m,)."""
    from scipy.linalg import lstsq

    # gelsy: pivoted QR, the solution of least norm; directions below the rounding of a product of this size do not count.
    root = np.sqrt(w)
    cutoff = 8 * max(Z.shape) * UNIT
    return lstsq(Z * root[:, None], y * root, cond=cutoff, lapack_driver="gelsy", check_finite=False)[0]


def lars_path(G: Array, q: Array, kappa: float, *, whole: bool) -> tuple[Array, Array]:
    """scikit-learn's homotopy down to kappa: alphas = kappa / 2 (K,), betas (K, m); or the last pair, unless whole."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path_gram

    with warnings.catch_warnings():
        # Degenerate columns are dropped with a warning; what is lost shows in the gap, and the active set mends it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        alphas, _, betas = lars_path_gram(
            q, G, n_samples=1, max_iter=20 * len(q) + 100, alpha_min=kappa / 2, method="lasso", return_path=whole
        )
    betas = np.atleast_2d(betas.T)
    # a weight that leaves is left at a rounding error
    betas = np.where(np.abs(betas) > 1e-13 * np.abs(betas).max(axis=1, keepdims=True), betas, 0.0)
    return np.atleast_1d(alphas), betas


def is_optimal(G: Array, q: Array, knots: Array, betas: Array, kappa_min: float, tolerance: float) -> bool:
    """Whether 2 |q - G beta| <= kappa, with equality and the right sign where beta is not 0, all along a path.

    knots (K,): falling values of kappa, the last at most kappa_min; betas (K, m); tolerance: absolute, in the units of
    kappa.
    """
    kappas = np.append(knots, (knots[1:] + knots[:-1]) / 2)
    points = np.concatenate([betas, (betas[1:] + betas[:-1]) / 2])
    c = 2 * (q - points @ G)
    outside = np.abs(c) - kappas[:, None]
    inside = np.where(points != 0, kappas[:, None] - np.sign(points) * c, 0.0)
    return knots[-1] <= kappa_min + tolerance and max(float(outside.max()), float(inside.max())) <= tolerance


def walk(G: Array, q: Array, kappa_min: float) -> tuple[Array, Array]:
    """The homotopy down to kappa_min: knots (K,) and betas (K, m).

    One event at a time: a weight vanishes or an idle unit reaches |2 E r z| = kappa. Just below each event `active_set`
    finds who is active, so that ties and repeated units need no rule of their own.
    """
    kappa, beta = 2 * float(np.abs(q).max()), np.zeros(len(q))
    knots, betas = [kappa], [beta]
    for _ in range(20 * len(q) + 100):
        probe = max(kappa_min, kappa * (1 - 1e-7))
        if probe == 0:
            break
        beta = active_set(G, q, probe, beta)
        knots, betas = [*knots, probe], [*betas, beta]
        active = np.flatnonzero(beta)
        s = np.sign(beta[active])
        sub = G[np.ix_(active, active)]
        speed = _solve(sub, s / 2)
        if speed is None:
            speed = np.linalg.lstsq(sub, s / 2, rcond=None)[0]
        c, rate = 2 * (q - G[:, active] @ beta[active]), 2 * G[:, active] @ speed
        idle = beta == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            times = [-beta[active] / speed, ((probe - c) / (1 - rate))[idle], ((probe + c) / (1 + rate))[idle]]
        slow = [np.abs(speed) > 0, np.abs(1 - rate)[idle] > 1e-9, np.abs(1 + rate)[idle] > 1e-9]
        ahead = np.concatenate([t[ok & (t > 0)] for t, ok in zip(times, slow)])
        time = min(float(ahead.min(initial=np.inf)), probe - kappa_min)
        beta = beta.copy()
        beta[active] += time * speed
        beta[active[np.abs(beta[active]) <= 1e-14 * np.abs(beta).max(initial=0.0)]] = 0.0
        kappa = probe - time
        knots, betas = [*knots, kappa], [*betas, beta]
        if kappa <= kappa_min:
            break
    return np.array(knots), np.array(betas)


def lars(Z: Array, y: Array, w: Array, kappa: float) -> Array:
    """The homotopy down to kappa, mended by `active_set`, (m,)."""
    G, q = gram(Z, y, w)
    if 2 * np.abs(q).max() <= kappa:
        return np.zeros(len(q))
    beta = lars_path(G, q, kappa, whole=False)[1][-1]
    return active_set(G, q, kappa, beta)


def refine(Z: Array, y: Array, w: Array, kappa: float, beta: Array) -> Array | None:
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

    beta (m,): the starting point; steps: at most so many patterns. Feature-sign search (Lee, Battle, Raina & Ng 2007):
    on the current signs the minimiser is a linear solve; the objective is minimised over the sign changes on the way;
    then the worst violated unit joins. Where the Gram matrix of the active units is singular, weights slide along its
    kernel, with |b|_1 not rising, until one of them vanishes; so at most one unit too many is active at any time. A
    unit that brings nothing is not tried again until one does.
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


def interior_point(Z: Array, y: Array, w: Array, kappa: float) -> Array:
    """cvxpy's answer, as it comes; its status decides nothing, the gap does."""
    import cvxpy as cp

    # in units in which features and targets are of order one: b = unit b', kappa = kappa' |Z| |y|
    A, target = Z * np.sqrt(w)[:, None], y * np.sqrt(w)
    size, level = float(np.sqrt(np.mean(np.sum(A**2, axis=0)))) or 1.0, float(np.linalg.norm(target)) or 1.0
    b = cp.Variable(Z.shape[1])
    fit = cp.sum_squares((A / size) @ b - target / level)
    problem = cp.Problem(cp.Minimize(fit + kappa / size / level * cp.norm1(b)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(cp.SolverError):
            problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-12, tol_feas=1e-12)
    solved = b.value is not None and np.isfinite(b.value).all()
    return np.asarray(b.value) * (level / size) if solved else np.zeros(Z.shape[1])
