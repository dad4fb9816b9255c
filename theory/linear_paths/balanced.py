"""Ridge in two linear layers: the balanced factorisation of W_2 W_1, continuous in the product.

min { |W_1|^2 + |W_2|^2 : W_2 W_1 = M } = 2 |M|_* (nuclear norm), so kappa > 0 turns the risk into
L(M) + 2 kappa |M|_* on balanced factors, which is convex in M. With n_in <= n_out (else transpose) and an isometry
Q (h, n_in) the factors

    W_1(M) = Q (M^T M)^{1/4},   W_2(M) = U S^{1/2} V^T Q^T,   M = U S V^T,

are balanced and continuous in M everywhere: sigma -> sigma^{1/2} is an odd spectral function with value 0 at 0, so
crossings and rank changes do no harm. A path from A to B (`connect_ridge`):

1. buy slack: ridge refits of one layer at a time, convex pieces that lower the risk unless A is critical;
2. cut off what the product does not use (norms fall, one layer at a time);
3. balance along W_1 <- G W_1, W_2 <- W_2 G^{-1}, G = P^{s/2}: the product stays, the norm is convex in s and
   smallest at s = 1;
4. go along the section from M_A to M_B, where the risk is convex in t;
5. rotate the hidden space until the isometry is that of B, at constant risk; and back through 3, 2, 1 of B.

3, 4 and 5 are curves, drawn as chords. On a chord of 3 or 5 the product leaves M along a straight line, by
s(1 - s) W_2 (H + H^{-1} - 2) W_1 with H the step, so its largest effect is in the middle: second order in the step, and
fourth order in the risk where M is a minimum.

In the functions problem is the `LinearProblem`, theta (P,), W1 (h, n) and W2 (m, h), n <= m, are what
`LinearProblem.factors` gives (transposed when n_in > n_out), M (m, n) products (M_0 the first and M_1 the last), Q (h,
n) isometries, O (h, h) orthogonal; ceiling: a risk that no chord may exceed. Lemma and proof: paper_notes.md,
prop-2.2-ridge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from theory.linear_paths.curves import chords, complement, rotation, splice
from theory.linear_paths.problem import LinearProblem
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk

# Singular values of the product below this fraction of |W_1| |W_2| (its rounding) are cut off before balancing.
CUT = 1e-14


@dataclass(frozen=True, eq=False)
class Factors:
    """Balanced factors of a product: W_1 = R S^{1/2} V^T, W_2 = U S^{1/2} R^T, R (h, k) with orthonormal columns.

    U (m, k), S (k,), V (n, k): the singular value decomposition of the product, of rank k.
    """

    U: Array
    S: Array
    V: Array
    R: Array

    @property
    def product(self) -> Array:
        """M = U S V^T, (m, n)."""
        return (self.U * self.S) @ self.V.T


def section(M: Array, *Q: Array, powers: tuple[float, ...] = (2.0, 2.0)) -> tuple[Array, ...]:
    """The balanced factors of M (m, n), n <= m, for isometries Q_k (h_k, n) of the hidden spaces: continuous in M.

    W_k = Q_k V S^(p/p_k) V^T Q_(k-1)^T with M = U S V^T and 1/p = sum 1/p_k; powers: the p_k, of as many layers.
    """
    U, S, Vt = np.linalg.svd(M, full_matrices=False)
    p, frames = 1 / sum(1 / x for x in powers), [np.eye(M.shape[1]), *Q]
    inner = [(Vt.T * S ** (p / x)) @ Vt for x in powers[:-1]]
    layers = [after @ W @ before.T for W, (before, after) in zip(inner, pairwise(frames))]
    return *layers, (U * S ** (p / powers[-1])) @ Vt @ frames[-1].T


def isometry(factors: Factors, sign: float | None = None) -> Array:
    """Q (h, n) with Q V = R; for h = n and rank below n with determinant of the given sign."""
    R, V = factors.R, factors.V
    free = complement(R)[:, : V.shape[0] - V.shape[1]]
    Q = R @ V.T + free @ complement(V).T
    if sign is not None and free.shape[1] and np.linalg.det(Q) * sign < 0:
        free[:, -1] *= -1
        Q = R @ V.T + free @ complement(V).T
    return Q


def refit_outer(risk: Risk, W1: Array) -> Array:
    """W_2 of least risk for this W_1, squared loss and ridge (kappa > 0), (n_out, h)."""
    root = np.sqrt(risk.sample.weights)[:, None]
    U, s, Vt = np.linalg.svd(risk.sample.X @ W1.T * root, full_matrices=False)
    return (risk.sample.Y * root).T @ (U * (s / (s**2 + risk.kappa))) @ Vt


def refit_inner(risk: Risk, W2: Array) -> Array:
    """W_1 of least risk for this W_2, squared loss and ridge (kappa > 0), (h, n_in)."""
    sample = risk.sample
    cross = (sample.Y * sample.weights[:, None]).T @ sample.X
    d, Q = np.linalg.eigh(W2.T @ W2)
    e, P = np.linalg.eigh(sample.second_moment)
    return Q @ ((Q.T @ W2.T @ cross @ P) / (np.outer(np.maximum(d, 0), np.maximum(e, 0)) + risk.kappa)) @ P.T


def buy_slack(risk: Risk, theta: Array, rounds: int = 3) -> Path:
    """Ridge refits of one layer, `rounds` of both, each kept only if it lowers the risk; none for the absolute loss."""
    points, labels = [theta], []
    if risk.loss != "squared":
        return Path(theta[None])
    for k in range(2 * rounds):
        W1, W2 = risk.network.weights(points[-1])
        new = [W1, refit_outer(risk, W1)] if k % 2 == 0 else [refit_inner(risk, W2), W2]
        point = risk.network.pack(new)
        if risk(point) < risk(points[-1]):
            points.append(point)
            labels.append(f"ridge refit of W_{2 - k % 2}")
    return Path(np.stack(points), tuple(labels))


def balancing(problem: LinearProblem, theta: Array) -> tuple[Path, Callable[[float], tuple[Array, Array]], Factors]:
    """The way to the section: cut off what the product does not use, then the balancing curve, and where it ends.

    The product stays (but for singular values at rounding level) and the norm falls, on the curve strictly unless the
    factors are balanced already.
    """
    W1, W2 = problem.factors(theta)
    U, S, Vt = np.linalg.svd(W2 @ W1, full_matrices=False)
    k = int(np.sum(S > CUT * max(float(np.linalg.norm(W1) * np.linalg.norm(W2)), np.finfo(float).tiny)))
    U, S, V = U[:, :k], S[:k], Vt[:k].T
    B = np.linalg.qr(W1 @ V)[0]
    cut_1 = W1 @ V @ V.T
    cut_2 = W2 @ B @ B.T
    points = [problem.vector(W1, W2), problem.vector(cut_1, W2), problem.vector(cut_1, cut_2)]
    path = Path(np.stack(points), ("cut off unused inputs", "cut off unused hidden directions"))
    inner, outer = B.T @ W1 @ V, U.T @ W2 @ B  # (k, k): outer @ inner = S
    # P = inner^{-T} S inner^{-1} = outer^T S^{-1} outer balances; take it from the better conditioned factor.
    if k and np.linalg.cond(inner) < np.linalg.cond(outer):
        Z = np.sqrt(S)[:, None] * np.linalg.inv(inner)
    else:
        Z = outer / np.sqrt(S)[:, None]
    d, E = np.linalg.svd(Z)[1:]
    E = E.T

    def curve(s: float) -> tuple[Array, Array]:
        return B @ (E * d**s @ E.T) @ inner @ V.T, U @ outer @ (E * d**-s @ E.T) @ B.T

    left, _, right = np.linalg.svd(B @ (E * d @ E.T) @ inner / np.sqrt(S), full_matrices=False)
    return path, curve, Factors(U, S, V, left @ right)


def to_section(problem: LinearProblem, theta: Array, ceiling: float) -> tuple[Path, Factors]:
    """From theta to balanced factors of its product, the risk at most that of theta but for rounding."""
    cut, curve, factors = balancing(problem, theta)
    half = np.sqrt(factors.S)
    end = problem.vector((factors.R * half) @ factors.V.T, (factors.U * half) @ factors.R.T)
    return splice(cut, chords(problem, curve, ceiling, "balance"), Path(end[None])), factors


def along_section(problem: LinearProblem, M_0: Array, M_1: Array, Q: Array, ceiling: float) -> Path:
    """The section from M_0 to M_1 (m, n) under one isometry."""
    return chords(problem, lambda t: section((1 - t) * M_0 + t * M_1, Q), ceiling, "straight in the product, balanced")


def rotate(problem: LinearProblem, M: Array, Q: Array, O: Array, ceiling: float) -> Path:
    """The section of M under isometries from Q to O Q, det O = 1."""
    turn = rotation(O)
    W1, W2 = section(M, Q)
    return chords(problem, lambda s: (turn(s) @ W1, W2 @ turn(s).T), ceiling, "rotate the hidden space")
