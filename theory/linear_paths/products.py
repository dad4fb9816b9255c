"""The risk of a linear network as a function of the product M = W_K ... W_1: convex problems in M.

kappa = 0: L(M) = E loss(M X, Y). Ridge with one hidden layer of width >= rank M: L(M) + 2 kappa |M|_*, the least risk
of all factors of M. `best_product` minimises over all M, `best_singular_product` over rank M < r = min(n_in, n_out).

Floats propose, rationals decide (`exact`): a value is the risk of an M that is given, a lower bound the exact minimum of
least squares, or the dual objective at a point that is feasible exactly.

Section 2.2 and its repairs: paper_notes.md, prop-2.2-ridge and linear-square-barrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.linear_paths import exact
from theory.linear_paths.exact import ExactLoss, RationalMatrix, Squared
from theory.linear_paths.problem import LinearProblem, Units, normalised
from theory.numerics import UNIT, Array, down, float_below, up
from theory.numerics import validation as check
from theory.risk import Risk


@dataclass(frozen=True, eq=False)
class Product:
    """A product of the weight matrices and what is known of it, in exact arithmetic.

    `matrix`: M (n_out, n_in), one more column with an output bias; `value`: not below the least risk of a net with this
    product (`best_singular_product`: with one of rank < r that rounds to it); `lower`: not above the minimum of the
    problem that it solves; `distance`: for squared loss a bound on |(M - M*) Sigma^{1/2}|_F to a minimiser M*.
    """

    matrix: Array
    value: float
    lower: float
    distance: float = float("inf")

    @property
    def gap(self) -> float:
        """value - lower."""
        return self.value - self.lower

    def outside(self, units: Units) -> Product:
        """The same in the user's units."""
        distance = units.above(self.distance, units.y)
        return Product(units.product(self.matrix), units.above(self.value), units.below(self.lower), distance)


def value_of(risk: Risk, M: Array) -> float:
    """L(M) + 2 kappa |M|_*, the least risk of factors of M (n_out, n_in), rounded up."""
    return _value(LinearProblem(risk), M)


def best_product(risk: Risk, *, gap: float = 1e-12, steps: int = 20_000) -> Product:
    """The minimiser over all M of L(M), or with ridge (one hidden layer) of L(M) + 2 kappa |M|_*.

    Least squares, least absolute deviations (a linear program), or the nuclear-norm problem by at most `steps`
    accelerated proximal gradients, until the duality gap is below gap * value. ValueError for nets that are not linear,
    for ridge at another depth or with the absolute loss (its proximal problem has no closed form), and for data of a
    size that leaves no room to compute in.
    """
    problem, units = normalised(risk)
    return best_of(problem, gap, steps).outside(units)


def best_of(problem: LinearProblem, gap: float = 1e-12, steps: int = 20_000) -> Product:
    """The same for a problem behind the door, as in `best_product`; ValueError as there."""
    risk = problem.risk
    if risk.kappa == 0:
        return _least_squares(problem) if risk.loss == "squared" else _least_absolute(problem)
    if risk.loss != "squared":
        raise ValueError(f"loss must be 'squared' for the nuclear-norm problem; got {risk.loss!r}")
    if risk.network.depth != 2:
        raise ValueError(f"ridge is a nuclear norm for one hidden layer only; got widths {risk.network.widths}")
    return _nuclear(problem, gap, steps)


def best_singular_product(risk: Risk, best: Product | None = None, *, rng: Any = 0) -> Product:
    """The best M of rank below r = min(n_in, n_out), squared loss.

    kappa = 0: reduced-rank regression, exact: with the minimiser M* and s_r the smallest singular value of
    M* Sigma^{1/2} the minimum is L(M*) + s_r^2. Ridge: `lower` = min + s_r^2 by strong convexity of L in M Sigma^{1/2};
    it is attained (soft thresholding) when Sigma is a multiple of the identity. Otherwise `value` comes from a local
    search in factors of inner width r - 1, and the two may differ.

    best: what `best_product` gave for this risk, if known; rng: for the local search. ValueErrors of `best_product`.
    """
    problem, units = normalised(risk)
    if best is None:
        known = best_of(problem)
    else:
        lower, distance = -units.inside_above(-best.lower), units.inside_above(best.distance, units.y)
        known = Product(units.product(best.matrix, -1), units.inside_above(best.value), lower, distance)
    return best_singular_of(problem, known, check.generator(rng)).outside(units)


def best_singular_of(problem: LinearProblem, best: Product, rng: np.random.Generator) -> Product:
    """The same for a problem behind the door, as in `best_singular_product`."""
    loss, r = problem.exact, problem.rank
    root = _triangle(loss.X * np.sqrt(loss.weights)[:, None]).T  # Sigma = root root^T
    if problem.risk.kappa == 0:
        M, least = loss.least_squares
        lower = float_below(least + exact.fraction(loss.last_singular_value(M).least()[0]))
        proposals = [_cut(best.matrix, root, r - 1), _cut(exact.rounded(M), root, r - 1)]
    else:
        s = down(np.sqrt(loss.last_singular_value(exact.rational(best.matrix)).least()[0]))
        last = exact.fraction(max(0.0, float(down(s - best.distance))))
        lower = float_below(exact.fraction(best.lower) + last * last)
        proposals = [_ridge_factors(problem, best.matrix, r - 1, rng), _cut(best.matrix, root, r - 1)]
    return min((_of_low_rank(problem, M, r - 1, lower) for M in proposals), key=lambda found: found.value)


def _value(problem: LinearProblem, M: Array) -> float:
    value = problem.exact(exact.rational(M))
    if problem.risk.kappa > 0:
        value += 2 * exact.fraction(problem.risk.kappa) * exact.fraction(exact.nuclear_norm_above(M))
    return exact.float_above(value)


def _cut(M: Array, root: Array, rank: int) -> Array:
    """M (p, n) projected to its `rank` principal outputs: the best in |(. - M) root|."""
    U = np.linalg.svd(M @ root)[0][:, :rank]
    return U @ (U.T @ M)


def singular_product(problem: LinearProblem, M: Array) -> Product:
    """M (n_out, n_in) without its r-th singular value, and its risk in a problem; nothing is known from below."""
    return _of_low_rank(problem, M, problem.rank - 1, 0.0)


def _of_low_rank(problem: LinearProblem, M: Array, rank: int, lower: float) -> Product:
    """M cut to factors of inner width `rank`; its value is the risk of the net with these very factors, rounded up."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    half = np.sqrt(s[:rank])
    left, right = U[:, :rank] * half, half[:, None] * Vt[:rank]
    product = exact.rational(left) * exact.rational(right) if rank else exact.rational(np.zeros_like(M))
    value = problem.exact(product) + exact.fraction(problem.risk.kappa) * exact.squares(left, right)
    return Product(exact.rounded(product), exact.float_above(value), lower)


def _least_squares(problem: LinearProblem) -> Product:
    loss = problem.exact
    M, least = loss.least_squares
    root, columns = np.sqrt(loss.weights)[:, None], _powers(loss.X)
    stable = np.linalg.lstsq(loss.X * columns * root, loss.Y * root, rcond=None)[0].T * columns
    value, best = min(
        ((loss(exact.rational(A)), A) for A in filter(_finite, (stable, exact.rounded(M), np.zeros_like(stable)))),
        key=lambda pair: pair[0],
    )
    return Product(best, exact.float_above(value), float_below(least), exact.root_above(value - least))


def _finite(A: Array) -> bool:
    return bool(np.isfinite(A).all())


def _powers(A: Array) -> Array:
    """Powers of two (n,) that bring the columns of A (N, n) to largest entries in [1/2, 1)."""
    with np.errstate(over="ignore"):
        return np.minimum(np.ldexp(1.0, -np.frexp(np.abs(A).max(axis=0, initial=0.0))[1]), 2.0**1000)


def _least_absolute(problem: LinearProblem) -> Product:
    """min_M E |Y - M X|_1, output by output: a linear program proposes which points are fitted and a dual point."""
    loss = problem.exact
    columns = _powers(loss.X)
    X, w = loss.X * columns, loss.weights
    U, s, _ = np.linalg.svd(X, full_matrices=False)
    basis = U[:, s > UNIT * s.max(initial=0.0)]  # orthonormal: an easy program at any condition number
    rows, lower = [], exact.fraction(0.0)
    for y in loss.Y.T:
        fit, u = _absolute_program(basis, y, w)
        fitted = np.abs(u) < w * (1 - 1e-9)
        lower += _absolute_dual(X, y, w, u, fitted)
        through = _fit(X[fitted], y[fitted]) if fitted.any() else np.zeros(X.shape[1])
        proposals = [columns * m for m in (np.linalg.lstsq(X, fit, rcond=None)[0], through, np.zeros(X.shape[1]))]
        rows.append(min(filter(_finite, proposals), key=lambda m: loss.absolute(exact.rational(m[None]), y[:, None])))
    M = np.stack(rows)
    return Product(M, _value(problem, M), float_below(lower))


def _absolute_program(basis: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """Outputs close to those of least absolute deviation in the span of `basis` (N, n), and a dual point, (N,) each."""
    from scipy.optimize import linprog

    N, n = basis.shape
    size = float(1 / _powers(y[:, None])[0])
    found = linprog(
        np.concatenate([np.zeros(n), w, w]) / w.max(),
        A_eq=np.hstack([basis, np.eye(N), -np.eye(N)]),
        b_eq=y / size,
        bounds=[(None, None)] * n + [(0, None)] * (2 * N),
        method="highs",
    )
    if found.x is None:  # nothing proposed
        return np.zeros(N), np.zeros(N)
    return basis @ found.x[:n] * size, np.clip(found.eqlin.marginals * w.max(), -w, w)


def _fit(X: Array, y: Array) -> Array:
    """A least squares solution (n,), from exact normal equations."""
    A = exact.rational(X)
    return exact.rounded(exact.least_squares(A.transpose() * A, A.transpose() * exact.rational(y[:, None])))[:, 0]


def _absolute_dual(X: Array, y: Array, w: Array, u: Array, fitted: Array) -> Any:
    """max { <y, u> : X^T u = 0, |u_i| <= w_i } at a point near u that is feasible exactly; rational, at least 0.

    The points that the solution fits take up the rest X^T u; where they cannot, all points do.
    """
    A, v, target = exact.rational(X), exact.rational(u[:, None]), exact.rational(y[:, None])
    rest = A.transpose() * v
    value = exact.fraction(0.0)
    for free in (fitted, np.ones(len(u), dtype=bool)):
        part = exact.rational(X * free[:, None])
        point = v - part * exact.least_squares(part.transpose() * part, rest)
        if any(row[0] != 0 for row in (A.transpose() * point).tolist()):
            continue
        ratios = [abs(p) / exact.fraction(c) for (p,), c in zip(point.tolist(), w.tolist())]
        value = max(value, exact.inner(target, point) / max([exact.fraction(1.0), *ratios]))
    return value


def _triangle(A: Array) -> Array:
    """R of A = Q R."""
    return np.asarray(np.linalg.qr(A, mode="r"))


def _reduced(loss: ExactLoss) -> tuple[Array, Array]:
    """A (k, n), B (k, n_out) with k <= n + n_out and L(M) = |A M^T - B|^2 but for rounding: by a QR factorisation."""
    stacked = _triangle(np.hstack([loss.X, loss.Y]) * np.sqrt(loss.weights)[:, None])
    return stacked[:, : loss.X.shape[1]], stacked[:, loss.X.shape[1] :]


def _nuclear(problem: LinearProblem, gap: float, steps: int) -> Product:
    loss, kappa = problem.exact, problem.risk.kappa
    A, B = _reduced(loss)
    M = _proximal_gradients(A, B, kappa, gap, steps)
    value = _value(problem, M)
    lower = max(_nuclear_dual(loss, kappa, M), float_below(loss.least_squares[1]))
    # F is strongly convex in M Sigma^{1/2}: F(M) >= F(M*) + |(M - M*) Sigma^{1/2}|^2.
    return Product(M, value, lower, exact.root_above(exact.fraction(value) - exact.fraction(lower)))


def _proximal_gradients(A: Array, B: Array, kappa: float, gap: float, steps: int) -> Array:
    """Accelerated proximal gradients for |A M^T - B|^2 + 2 kappa |M|_*; the M of least value that was looked at."""

    def value(M: Array) -> float:
        return float(np.sum((A @ M.T - B) ** 2)) + 2 * kappa * float(np.linalg.norm(M, ord="nuc"))

    M = np.zeros((B.shape[1], A.shape[1]))
    lipschitz = 2 * float(np.linalg.norm(A, ord=2)) ** 2
    if lipschitz == 0.0:
        return M
    n = A.shape[1]
    shrunk = np.linalg.lstsq(np.vstack([A, np.sqrt(kappa) * np.eye(n)]), np.vstack([B, 0 * M.T]), rcond=None)[0].T
    found = factored(A, B, kappa, shrunk, min(M.shape))
    M = best = min((M, shrunk, found), key=value)
    least, lower = value(M), _dual_in_floats(A, B, M, kappa)
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
            lower = max(lower, _dual_in_floats(A, B, M, kappa))
            if value(M) <= least:
                best, least = M, value(M)
            stalled = 0 if least - lower < 0.9 * before else stalled + 1
            if least - lower <= gap * least or still or (stalled >= 10 and least - lower <= 1e-10 * least):
                break
    return best


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
    """`_nuclear_dual` without regard to rounding: tells the iteration when to stop."""
    T = 2 * (B - A @ M.T)
    operator, energy = float(np.linalg.norm(T.T @ A, ord=2)), float(np.sum(T * T))
    c = min(2 * kappa / operator if operator > 0 else 1.0, 2 * float(np.sum(T * B)) / energy if energy > 0 else 1.0)
    return max(0.0, c * float(np.sum(T * B)) - c * c * energy / 4)


def _nuclear_dual(loss: ExactLoss, kappa: float, M: Array) -> float:
    """max { E<T, y> - E|T|^2 / 4 : |E x T^T|_op <= 2 kappa } at a multiple of T = 2 (y - M x), feasible exactly; >= 0."""
    S, C, energy = loss.moments
    D = exact.rational(M).transpose()
    G = 2 * (C - S * D)
    inner, size = 2 * (energy - exact.inner(C, D)), loss(D.transpose())
    if size == 0 or inner <= 0:
        return 0.0
    c = min(feasible_multiple(G, kappa), inner / (2 * size))
    return max(0.0, float_below(c * inner - c * c * size))


def feasible_multiple(G: RationalMatrix, kappa: float) -> Any:
    """c rational with c |G|_op <= 2 kappa, as large as floats allow."""
    largest = operator_norm_squared(G).largest_above()
    if largest == 0:
        return exact.fraction(2.0**200)
    return 2 * exact.fraction(kappa) / exact.fraction(float(up(np.sqrt(largest))))


def operator_norm_squared(G: RationalMatrix) -> Squared:
    """The squares of the singular values of G, min(shape) of them."""
    return Squared(G * G.transpose() if G.nrows() <= G.ncols() else G.transpose() * G)


def _ridge_factors(problem: LinearProblem, M: Array, width: int, rng: np.random.Generator, restarts: int = 4) -> Array:
    """Local search for the best product of rank <= width, from M and from a few points around it."""
    if width == 0:
        return np.zeros_like(M)
    A, B = _reduced(problem.exact)
    kappa = problem.risk.kappa
    size = float(np.linalg.norm(M)) / np.sqrt(M.size)
    starts = [M] + [M + size * rng.standard_normal(M.shape) for _ in range(restarts - 1)]
    found = [factored(A, B, kappa, start, width) for start in starts]
    return min(found, key=lambda M: np.sum((A @ M.T - B) ** 2) + 2 * kappa * np.linalg.norm(M, ord="nuc"))
