"""The risk of a linear network as a function of the product M = W_K ... W_1: convex problems in M.

kappa = 0: L(M) = E loss(M X, Y). Ridge with one hidden layer of width >= rank M: L(M) + 2 kappa |M|_*, the least risk
of all factors of M. `best_product` minimises over all M, `best_singular_product` over rank M < r = min(n_in, n_out).

Section 2.2 and its repairs: paper_notes.md, prop-2.2-ridge and linear-square-barrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.numerics import UNIT, Array
from theory.numerics import validation as check
from theory.risk import Risk

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Product:
    """A product of the weight matrices and what is known of it.

    `matrix`: M (n_out, n_in), one more column with an output bias; `value`: the least risk of a net with this product;
    `lower`: a bound on the minimum of the problem that it solves (roundings allowed for); `distance`: for squared loss
    a bound on |(M - M*) Sigma^{1/2}|_F to a minimiser M*.
    """

    matrix: Array
    value: float
    lower: float
    distance: float = float("inf")

    @property
    def gap(self) -> float:
        """value - lower."""
        return self.value - self.lower


def value_of(risk: Risk, M: Array) -> float:
    """L(M) + 2 kappa |M|_*: the least risk of factors of M. ValueError for another loss than squared and absolute."""
    X, Y, w = _data(risk)
    r = X @ M.T - Y
    loss = float(w @ (r**2 if risk.loss == "squared" else np.abs(r)).sum(axis=1))
    if risk.kappa == 0:
        return loss
    return loss + 2 * risk.kappa * float(np.linalg.norm(M, ord="nuc"))


def best_product(risk: Risk, *, gap: float = 1e-12, steps: int = 20_000) -> Product:
    """The minimiser over all M of L(M), or with ridge of L(M) + 2 kappa |M|_*.

    Least squares, least absolute deviations (a linear program), or the nuclear-norm problem by at most `steps`
    accelerated proximal gradients, until the duality gap is below gap * value. ValueError for ridge with the absolute
    loss, whose proximal problem has no closed form, and for other losses.
    """
    if risk.kappa > 0:
        if risk.loss != "squared":
            raise ValueError(f"loss must be 'squared' for the nuclear-norm problem; got {risk.loss!r}")
        return _nuclear(risk, gap, steps)
    return _least_squares(risk) if risk.loss == "squared" else _least_absolute(risk)


def best_singular_product(risk: Risk, best: Product | None = None, *, rng: Any = 0) -> Product:
    """The best M of rank below r = min(n_in, n_out), squared loss.

    kappa = 0: reduced-rank regression, exact: with the minimiser M* and s_r the smallest singular value of
    M* Sigma^{1/2} the minimum is L(M*) + s_r^2. Ridge: `lower` = min + s_r^2 by strong convexity of L in M Sigma^{1/2};
    it is attained (soft thresholding) when Sigma is a multiple of the identity. Otherwise `value` comes from a local
    search in factors of inner width r - 1, and the two may differ.
    """
    best = best_product(risk) if best is None else best
    X, _, w = _data(risk)
    r = min(X.shape[1], best.matrix.shape[0])
    root = _triangle(X * np.sqrt(w)[:, None]).T  # Sigma = root root^T
    U, s, _ = np.linalg.svd(best.matrix @ root)
    last = float(s[r - 1]) if len(s) >= r else 0.0
    scale = float(np.linalg.norm(best.matrix @ root))
    last_lower = max(0.0, last - best.distance - 64 * max(X.shape) * EPS * scale)
    lower = best.lower + last_lower**2
    if risk.kappa == 0 or last <= 64 * max(X.shape) * EPS * scale:
        P = U[:, : r - 1] @ U[:, : r - 1].T
        M = P @ best.matrix
        return Product(M, value_of(risk, M), lower)
    M = _ridge_factors(risk, best.matrix, r - 1, check.generator(rng))
    return Product(M, value_of(risk, M), lower)


def _data(risk: Risk) -> tuple[Array, Array, Array]:
    """X (with a column of ones for the biases), Y, weights; ValueError for a loss whose minimiser is not computed here."""
    check.choice(risk.loss, "risk.loss", ("squared", "absolute"))
    X = risk.sample.X
    X = np.hstack([X, np.ones((len(X), 1))]) if risk.network.bias else X
    return X, risk.sample.Y, risk.sample.weights


def _least_squares(risk: Risk) -> Product:
    X, Y, w = _data(risk)
    root = np.sqrt(w)[:, None]
    M, _, rank, s = np.linalg.lstsq(X * root, Y * root, rcond=None)
    value = value_of(risk, M.T)
    # A backward stable solution is exact for data off by a few n EPS, which moves M Sigma^{1/2} by at most `distance`
    # and, the minimum being flat, the risk by its square; the rest of `slip` is the evaluation.
    condition = float(s[0] / s[rank - 1]) if rank else 1.0
    energy = float(risk.sample.energy)
    distance = 16 * X.shape[1] * EPS * condition * np.sqrt(energy)
    slip = distance**2 + 8 * (max(X.shape) + 8) * EPS * energy
    return Product(M.T, value, max(0.0, value - slip), distance)


def _least_absolute(risk: Risk) -> Product:
    """min_M E |Y - M X|_1, output by output: the dual max <y, u> subject to X^T u = 0, |u_i| <= w_i gives the bound."""
    from scipy.optimize import linprog

    X, Y, w = _data(risk)
    N, n = X.shape
    keep = w > 0
    X, Y, w = X[keep], Y[keep], w[keep]
    N = len(X)
    equalities = np.hstack([X, np.eye(N), -np.eye(N)])
    cost = np.concatenate([np.zeros(n), w, w])
    bounds = [(None, None)] * n + [(0, None)] * (2 * N)
    rows, lower = [], 0.0
    for y in Y.T:
        found = linprog(cost, A_eq=equalities, b_eq=y, bounds=bounds, method="highs")
        if found.x is None:
            raise ValueError(f"least absolute deviations: the linear program failed ({found.message})")
        rows.append(found.x[:n])
        u = np.clip(found.eqlin.marginals, -w, w)
        u = u - X @ np.linalg.lstsq(X, u, rcond=None)[0]  # back into the null space, then into the box
        shrink = min(1.0, float(1 / np.max(np.abs(u) / w, initial=1.0)))
        size = float(np.abs(u) @ np.abs(y)) + float(np.abs(found.x[:n]) @ (np.abs(X.T) @ np.abs(u)))
        lower += max(0.0, shrink * float(u @ y) - 64 * max(N, n) * EPS * size)
    M = np.stack(rows)
    return Product(M, value_of(risk, M), lower)


def _triangle(A: Array) -> Array:
    """R of A = Q R."""
    return np.asarray(np.linalg.qr(A, mode="r"))


def _nuclear(risk: Risk, gap: float, steps: int) -> Product:
    X, Y, w = _data(risk)
    root = np.sqrt(w)[:, None]
    # Only X^T W X, X^T W Y and E|Y|^2 matter: a QR factorisation makes the problem (n_in + n_out) rows long.
    stacked = _triangle(np.hstack([X, Y]) * root)
    A, B = stacked[:, : X.shape[1]], stacked[:, X.shape[1] :]
    kappa = risk.kappa
    lipschitz = 2 * float(np.linalg.norm(A, ord=2)) ** 2
    M = np.zeros((Y.shape[1], X.shape[1]))
    if lipschitz == 0.0:
        return Product(M, value_of(risk, M), _nuclear_dual(A, B, M, kappa))
    start = np.linalg.lstsq(A, B, rcond=None)[0].T
    M = _factors(A, B, kappa, start, min(start.shape))
    look, momentum, step, stalled = M, 1.0, 1 / lipschitz, 0
    best = Product(M, value_of(risk, M), max(0.0, _nuclear_dual(A, B, M, kappa)))
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
            before = best.gap
            lower, value = max(best.lower, _nuclear_dual(A, B, M, kappa)), value_of(risk, M)
            best = Product(M, value, lower) if value <= best.value else Product(best.matrix, best.value, lower)
            stalled = 0 if best.gap < 0.9 * before else stalled + 1
            if best.gap <= gap * best.value or still or (stalled >= 10 and best.gap <= 1e-10 * best.value):
                break
    return Product(best.matrix, best.value, best.lower, float(np.sqrt(max(best.gap, 0.0))))  # strong convexity


def _factors(A: Array, B: Array, kappa: float, start: Array, width: int) -> Array:
    """A quasi-Newton minimiser of the same risk in factors W_2 W_1 of inner width `width`, from the best such `start`.

    Without poor local minima when width >= min(n_in, n_out); a local search below.
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


def _nuclear_dual(A: Array, B: Array, M: Array, kappa: float) -> float:
    """max { <T, B> - |T|^2 / 4 : |T^T A|_op <= 2 kappa } at a feasible multiple of the residual; roundings deducted."""
    T = 2 * (B - A @ M.T)
    unit = 4 * (sum(A.shape) + B.shape[1]) * UNIT
    size = unit * float(np.linalg.norm(T) * np.linalg.norm(A))
    operator = float(np.linalg.norm(T.T @ A, ord=2)) + size
    energy = float(np.sum(T * T))
    c = min(1.0, 2 * kappa / operator) if operator > 0 else 1.0
    inner = float(np.sum(T * B))
    if energy > 0:
        c = min(c, max(0.0, 2 * inner / energy))
    slip = unit * (float(np.linalg.norm(T) * np.linalg.norm(B)) + energy)
    return c * inner - c * c * energy / 4 - slip


def _ridge_factors(risk: Risk, M: Array, width: int, rng: np.random.Generator, restarts: int = 4) -> Array:
    """Local search for the best product of rank <= width, from M and from a few points around it."""
    if width == 0:
        return np.zeros_like(M)
    X, Y, w = _data(risk)
    stacked = _triangle(np.hstack([X, Y]) * np.sqrt(w)[:, None])
    A, B = stacked[:, : X.shape[1]], stacked[:, X.shape[1] :]
    size = float(np.linalg.norm(M)) / np.sqrt(M.size)
    starts = [M] + [M + size * rng.standard_normal(M.shape) for _ in range(restarts - 1)]
    found = [_factors(A, B, risk.kappa, start, width) for start in starts]
    return min(found, key=lambda product: value_of(risk, product))
