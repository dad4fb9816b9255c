"""Ridge with one hidden layer as a convex problem: min over M of L(M) + 2 kappa |M|_*, squared loss (Proposition 2.2).

Accelerated proximal gradients (soft thresholding of singular values) in floats propose M; the dual is evaluated in
rationals, at a multiple of the residual that is feasible exactly.
"""

from __future__ import annotations

import numpy as np

from theory.linear_paths import exact
from theory.linear_paths.exact import ExactLoss, Rational, RationalMatrix, SquaredSingularValues
from theory.numerics import Array, float_below, up


def reduced(loss: ExactLoss) -> tuple[Array, Array]:
    """A (k, n), B (k, n_out) with k <= n + n_out, and `loss` at M is |A M^T - B|^2 but for rounding: by a QR factorisation."""
    stacked = np.asarray(np.linalg.qr(np.hstack([loss.X, loss.Y]) * np.sqrt(loss.weights)[:, None], mode="r"))
    return stacked[:, : loss.X.shape[1]], stacked[:, loss.X.shape[1] :]


def proximal_gradients(A: Array, B: Array, kappa: float, gap: float, steps: int) -> tuple[Array, Array]:
    """Accelerated proximal gradients for |A M^T - B|^2 + 2 kappa |M|_*: the M of least value, and that of best dual bound.

    A (k, n), B (k, m), M (m, n); at most `steps`, until the duality gap is below gap * value.
    """

    def value(M: Array) -> float:
        return float(np.sum((A @ M.T - B) ** 2)) + 2 * kappa * float(np.linalg.norm(M, ord="nuc"))

    M = np.zeros((B.shape[1], A.shape[1]))
    lipschitz = 2 * float(np.linalg.norm(A, ord=2)) ** 2
    if lipschitz == 0.0:
        return M, M
    n = A.shape[1]
    shrunk = np.linalg.lstsq(np.vstack([A, np.sqrt(kappa) * np.eye(n)]), np.vstack([B, 0 * M.T]), rcond=None)[0].T
    found = factored(A, B, kappa, shrunk, min(M.shape))
    M = best = min((M, shrunk, found), key=value)
    dual, least, lower = M, value(M), _dual_in_floats(A, B, M, kappa)
    look, momentum, step, stalled = M, 1.0, 1 / lipschitz, 0
    for k in range(steps):
        gradient = 2 * (A @ look.T - B).T @ A
        U, s, Vt = np.linalg.svd(look - step * gradient, full_matrices=False)
        new = (U * np.maximum(s - 2 * kappa * step, 0)) @ Vt
        if np.sum((look - new) * (new - M)) > 0:  # restart when the momentum points uphill
            momentum, look = 1.0, new
        else:
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            look = new + (momentum - 1) / following * (new - M)
            momentum = following
        still = np.array_equal(new, M)
        M = new
        if k % 20 == 19 or still:
            before = least - lower
            if _dual_in_floats(A, B, M, kappa) > lower:
                dual, lower = M, _dual_in_floats(A, B, M, kappa)
            if value(M) <= least:
                best, least = M, value(M)
            stalled = 0 if least - lower < 0.9 * before else stalled + 1
            if least - lower <= gap * least or still or (stalled >= 10 and least - lower <= 1e-10 * least):
                break
    return best, dual


def factored(A: Array, B: Array, kappa: float, start: Array, width: int) -> Array:
    """A quasi-Newton minimiser of the same risk in factors W_2 W_1 of inner width `width`, from the best such `start`.

    Without poor local minima when width >= min(n_in, n_out); a local search below. A (k, n), B (k, m), start (m, n).
    """
    from scipy.optimize import minimize

    m, n = start.shape
    U, s, Vt = np.linalg.svd(start, full_matrices=False)
    root = np.sqrt(s[:width])

    def risk(z: Array) -> tuple[float, Array]:
        W2, W1 = z[: m * width].reshape(m, width), z[m * width :].reshape(width, n)
        r = A @ W1.T @ W2.T - B
        G = 2 * r.T @ A
        gradient = np.concatenate([(G @ W1.T).ravel(), (W2.T @ G).ravel()]) + 2 * kappa * z
        return float(np.sum(r * r) + kappa * z @ z), gradient

    z = np.concatenate([(U[:, :width] * root).ravel(), (root[:, None] * Vt[:width]).ravel()])
    z = minimize(risk, z, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-16, "gtol": 1e-13}).x
    return z[: m * width].reshape(m, width) @ z[m * width :].reshape(width, n)


def _dual_in_floats(A: Array, B: Array, M: Array, kappa: float) -> float:
    """`dual_bound` without regard to rounding: tells the iteration when to stop."""
    T = 2 * (B - A @ M.T)
    operator, energy, inner = float(np.linalg.norm(T.T @ A, ord=2)), float(np.sum(T * T)), float(np.sum(T * B))
    if energy == 0 or inner <= 0:
        return 0.0
    best = 2 * inner / energy
    c = min(2 * kappa / operator, best) if operator > 0 else best
    return c * inner - c * c * energy / 4


def dual_bound(loss: ExactLoss, kappa: float, M: Array) -> float:
    """max { E<T, y> - E|T|^2 / 4 : |E x T^T|_op <= 2 kappa } at a multiple of T = 2 (y - M x), feasible exactly; >= 0.

    M (m, n): any, best close to a minimiser of `loss` with ridge.
    """
    S, C, energy = loss.moments
    D = exact.rational(M).transpose()
    G = 2 * (C - S * D)
    inner, size = 2 * (energy - exact.inner(C, D)), loss(D.transpose())
    if size == 0 or inner <= 0:
        return 0.0
    c = min(_feasible_multiple(G, kappa), inner / (2 * size))
    return float_below(c * inner - c * c * size)


def _feasible_multiple(G: RationalMatrix, kappa: float) -> Rational:
    """c rational with c |G|_op <= 2 kappa, as large as floats allow."""
    largest = operator_norm_squared(G).largest_above()
    if largest == 0:
        return exact.fraction(2.0**200)
    return 2 * exact.fraction(kappa) / exact.fraction(float(up(np.sqrt(largest))))


def operator_norm_squared(G: RationalMatrix) -> SquaredSingularValues:
    """The squares of the singular values of G, min(shape) of them."""
    return SquaredSingularValues(G * G.transpose() if G.nrows() <= G.ncols() else G.transpose() * G)
