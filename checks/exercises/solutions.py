"""For teachers: one right answer to each exercise, with the reason. The tests hold each to its judge.

Learners see no line of this: an attempt that fails shows what the right answer gives on the instance that it fails on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theory.numerics import Array
from theory.risk import Risk


def kernel(w1: Array, w2: Array, X: Array) -> float:
    """ex-1: the definition, one mean over the rows."""
    return float(np.mean(np.maximum(X @ w1, 0) * np.maximum(X @ w2, 0)))


def upper(risk: Risk, theta_a: Array, theta_b: Array) -> float:
    """ex-2: between two kinks of its units this net is linear in t, its squared error convex: ends and kinks decide."""
    (W_a, _), (W_b, _) = risk.network.weights(theta_a), risk.network.weights(theta_b)
    before, after = ((W @ risk.sample.X.T).ravel() for W in (W_a, W_b))
    turns = before * after < 0
    t = np.concatenate([[0.0], before[turns] / (before - after)[turns], [1.0]])[:, None]
    return float(risk.batch((1 - t) * theta_a + t * theta_b).max())


def lower(alpha: float, square: float, norm: float) -> float:
    """ex-3: the product of the two forms is <x, p>^2 - <x, d>^2, p = cos(alpha/2) w_m, |d| = sin(alpha/2).

    The best for one who is told no more: points (a, +-b) with a^2 = square, b^2 = norm lie in A where this is
    positive, and attain it; where it is not, points on the edges of A and off it give the kernel 0.
    """
    return float(max(np.cos(alpha / 2) ** 2 * square - np.sin(alpha / 2) ** 2 * norm, 0.0))


def atoms(alpha: float) -> Array:
    """ex-4: one atom (1, 2) in B, just beyond the edge (1, cot(alpha/2)) of A, where |x|^2 is least against <x, w_m>^2."""
    return np.array([[1.0, 1e-3 + 1 / np.tan(alpha / 2)]])


def free(V: Array, Z: Array) -> Array:
    """ex-5: h > N rows of Z are dependent, nu Z = 0; take as much of nu away as empties the column where |nu| is largest."""
    nu = np.linalg.svd(Z.T)[2][-1]
    k = np.argmax(np.abs(nu))
    new: Array = V - np.outer(V[:, k], nu / nu[k])
    new[:, k] = 0
    return new


def slide(W: Array, v: Array, hole: int, unit: int) -> list[tuple[Array, Array]]:
    """ex-6: nobody sees the incoming row of the hole: copy the unit there; then hand the outgoing weight over."""
    copied, moved = W.copy(), v.copy()
    copied[hole] = W[unit]
    moved[hole], moved[unit] = v[unit], 0.0
    return [(copied, v), (copied, moved)]


def sparsify(Z: Array, v: Array) -> Array:
    """ex-7: Caratheodory. Along a dependence nu Z = 0 the l1 norm is linear until a weight vanishes: walk where it falls."""
    v = v.copy()
    while np.count_nonzero(v) > Z.shape[1]:
        active = np.flatnonzero(v)
        nu = np.linalg.svd(Z[active].T)[2][-1]
        nu = nu if nu @ np.sign(v[active]) >= 0 else -nu
        ratio = np.where(nu * v[active] > 0, v[active] / np.where(nu == 0, 1, nu), np.inf)
        k = np.argmin(ratio)
        v[active] -= ratio[k] * nu
        v[active[k]] = 0
    return v


def coin_toss(Z: Array, v: Array, units: int) -> float:
    """ex-8: the variance of one draw over `units`; one draw has E|g|^2 = |v|_1 sum_j |v_j| |z_j|^2 and mean f."""
    second = np.abs(v).sum() * np.abs(v) @ (Z**2).mean(axis=1)
    return float((second - ((v @ Z) ** 2).mean()) / units)


def normalised_length(points: Array) -> float:
    """ex-9: the sum of the lengths of the pieces, divided; the two cases where the ends are one place."""
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    straight = float(np.linalg.norm(points[-1] - points[0]))
    return length / straight if straight else float("inf") if length else 1.0


def side(W: Array, X: Array) -> float:
    """ex-10: a determinant is continuous, and zero on the wall only."""
    return float(np.sign(np.linalg.det(np.maximum(W @ X.T, 0))))


def barrier(X: Array) -> float:
    """ex-11: two units fit two points; what is lost on a wall is the least eigenvalue of a pair's Gram matrix, over N = 3."""
    return float(min(np.linalg.eigvalsh(X[pair] @ X[pair].T)[0] for pair in ([0, 1], [0, 2], [1, 2])) / 3)


_IN_ORDER: tuple[Callable[..., Any], ...] = (
    kernel,
    upper,
    lower,
    atoms,
    free,
    slide,
    sparsify,
    coin_toss,
    normalised_length,
    side,
    barrier,
)
SOLUTIONS = {f"ex-{number}": solution for number, solution in enumerate(_IN_ORDER, start=1)}
