"""The risk of a linear network as a function of the product M = W_K ... W_1: convex problems in M.

kappa = 0: L(M) = E loss(M X, Y). Ridge with one hidden layer of width >= rank M: L(M) + 2 kappa |M|_*, the least risk
of all factors of M. `best_product` minimises over all M, `best_singular_product` over rank M < r = min(n_in, n_out).

Floats propose, rationals decide (`exact`): a value is the risk of an M that is given, a lower bound the exact minimum of
least squares, or the dual objective at a point that is feasible exactly. Data too large for that (`ExactLoss.small`) get
the bound 0.

Section 2.2 and its repairs: paper_notes.md, prop-2.2-ridge and linear-square-barrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.linear_paths import exact
from theory.linear_paths.absolute_deviations import least_absolute
from theory.linear_paths.exact import column_powers, tame
from theory.linear_paths.nuclear_norm import dual_bound, factored, proximal_gradients, reduced
from theory.linear_paths.problem import LinearProblem, Scale, normalised
from theory.numerics import Array, down, float_below
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

    def outside(self, scale: Scale) -> Product:
        """The same in the user's units, by `scale`."""
        distance = scale.above(self.distance, scale.y)
        return Product(scale.product(self.matrix), scale.above(self.value), scale.below(self.lower), distance)


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
    problem, scale = normalised(risk)
    return best_of(problem, gap, steps).outside(scale)


def best_of(problem: LinearProblem, gap: float = 1e-12, steps: int = 20_000) -> Product:
    """The same for a problem behind the door, as in `best_product`; ValueError as there."""
    risk = problem.risk
    if risk.kappa == 0:
        if risk.loss == "squared":
            return _least_squares(problem)
        M, lower = least_absolute(problem.exact)
        return Product(M, _value(problem, M), float_below(lower))
    if risk.loss != "squared":
        raise ValueError(f"loss must be 'squared' for the nuclear-norm problem; got {risk.loss!r}")
    if risk.network.depth != 2:
        raise ValueError(f"ridge is a nuclear norm for one hidden layer only; got widths {risk.network.widths}")
    return _nuclear(problem, gap, steps)


def best_singular_product(risk: Risk, *, rng: Any = 0) -> Product:
    """The best M of rank below r = min(n_in, n_out), squared loss.

    kappa = 0: reduced-rank regression, exact: with the minimiser M* and s_r the smallest singular value of
    M* Sigma^{1/2} the minimum is L(M*) + s_r^2. Ridge: `lower` = min + s_r^2 by strong convexity of L in M Sigma^{1/2};
    it is attained (soft thresholding) when Sigma is a multiple of the identity. Otherwise `value` comes from a local
    search in factors of inner width r - 1, and the two may differ.

    rng: for the local search. ValueErrors of `best_product`.
    """
    problem, scale = normalised(risk)
    return best_singular_of(problem, best_of(problem), check.generator(rng)).outside(scale)


def best_singular_of(problem: LinearProblem, best: Product, rng: np.random.Generator) -> Product:
    """The same for a problem behind the door, as in `best_singular_product`."""
    loss, r = problem.exact, problem.rank
    root = np.asarray(np.linalg.qr(loss.X * np.sqrt(loss.weights)[:, None], mode="r")).T  # Sigma = root root^T
    if not loss.small:
        lower = 0.0
        proposals = [_cut(best.matrix, root, r - 1)]
    elif problem.risk.kappa == 0:
        M, least = loss.least_squares
        lower = float_below(least + exact.fraction(loss.last_singular_value(M).least()[0]))
        proposals = [_cut(A, root, r - 1) for A in tame(best.matrix, exact.rounded(M))]
    else:
        s = down(np.sqrt(loss.last_singular_value(exact.rational(best.matrix)).least()[0]))
        last = exact.fraction(max(0.0, float(down(s - best.distance))))
        lower = float_below(exact.fraction(best.lower) + last * last)
        proposals = [_ridge_factors(problem, best.matrix, r - 1, rng), _cut(best.matrix, root, r - 1)]
    return min((_of_low_rank(problem, M, r - 1, lower) for M in proposals), key=lambda found: found.value)


def _value(problem: LinearProblem, M: Array) -> float:
    value = problem.exact.above(M)
    if problem.risk.kappa == 0:
        return value
    penalty = 2 * exact.fraction(problem.risk.kappa) * exact.fraction(exact.nuclear_norm_above(M))
    return exact.sum_above(value, penalty)


def risk_above(problem: LinearProblem, *weights: Array) -> float:
    """The risk of the net with these weights W_1, ..., W_K, (h, n), ..., (n_out, h), of a problem; rounded up."""
    value = problem.exact.above(*weights)
    if problem.risk.kappa == 0:
        return value
    return exact.sum_above(value, exact.fraction(problem.risk.kappa) * exact.squares(*weights))


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
    if rank == 0:
        left, right = np.zeros((len(M), 1)), np.zeros((1, M.shape[1]))
    return Product(left @ right, risk_above(problem, right, left), lower)


def _least_squares(problem: LinearProblem) -> Product:
    loss = problem.exact
    root, columns = np.sqrt(loss.weights)[:, None], column_powers(loss.X)
    stable = np.linalg.lstsq(loss.X * columns * root, loss.Y * root, rcond=None)[0].T * columns
    if not loss.small:
        return Product(stable, loss.above(stable), 0.0)
    M, least = loss.least_squares
    value, best = min(
        ((loss(exact.rational(A)), A) for A in tame(stable, exact.rounded(M), np.zeros_like(stable))),
        key=lambda pair: pair[0],
    )
    return Product(best, exact.float_above(value), float_below(least), exact.root_above(value - least))


def _nuclear(problem: LinearProblem, gap: float, steps: int) -> Product:
    loss, kappa = problem.exact, problem.risk.kappa
    A, B = reduced(loss)
    M, dual = proximal_gradients(A, B, kappa, gap, steps)
    value = _value(problem, M)
    if not loss.small:
        return Product(M, value, 0.0, exact.root_above(exact.fraction(value)))
    lower = max(dual_bound(loss, kappa, M), dual_bound(loss, kappa, dual), float_below(loss.least_squares[1]))
    # F is strongly convex in M Sigma^{1/2}: F(M) >= F(M*) + |(M - M*) Sigma^{1/2}|^2.
    return Product(M, value, lower, exact.root_above(exact.fraction(value) - exact.fraction(lower)))


def _ridge_factors(problem: LinearProblem, M: Array, width: int, rng: np.random.Generator, restarts: int = 4) -> Array:
    """Local search for the best product of rank <= width, from M and from a few points around it."""
    if width == 0:
        return np.zeros_like(M)
    A, B = reduced(problem.exact)
    kappa = problem.risk.kappa
    size = float(np.linalg.norm(M)) / np.sqrt(M.size)
    starts = [M] + [M + size * rng.standard_normal(M.shape) for _ in range(restarts - 1)]
    found = [factored(A, B, kappa, start, width) for start in starts]
    return min(found, key=lambda M: np.sum((A @ M.T - B) ** 2) + 2 * kappa * np.linalg.norm(M, ord="nuc"))
