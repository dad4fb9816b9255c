"""The risk of a one-hidden-layer ReLU net with one output, in fractions, and e(m) of tiny samples in the plane."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, combinations_with_replacement, pairwise
from typing import Any

import numpy as np

from theory.numerics import Array, matrix
from theory.rays import rays, sorted_directions
from theory.risk import Sample

ZERO = Fraction(0)


def fractions(values: Any) -> Array:
    """An object array of fractions, each equal to the float (or integer) it comes from."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(values, dtype=object))


def features(X: Array, W: Array) -> Array:
    """relu(X W^T) in fractions."""
    T = X @ W.T
    return np.where(T > 0, T, 0 * T)


def risk(X: Array, y: Array, p: Array, W: Array, b: Array, kappa: Fraction) -> Fraction:
    """sum p (y - b relu(W x))^2 + kappa |b|_1 in fractions: X (N, n), y and p (N,), W (m, n), b (m,)."""
    out = features(X, W) @ b if len(b) else y * 0
    return Fraction(p @ (y - out) ** 2 + kappa * sum((abs(v) for v in b), ZERO))


def optimal_oracle(sample: Sample, m: int) -> tuple[Fraction, Array, Array]:
    """e(m) for kappa = 0 and inputs in the plane, with a net that attains it: rows W (k, 2) and weights b (k,).

    A unit s relu(<u, x>) is linear in u between two neighbouring breakpoints v, v': relu(<a v + a' v', x>) =
    a z(v) + a' z(v') for a, a' >= 0. So e(m) is a minimum over m arcs and signs of least squares over a, a' >= 0, and
    that is attained on some support with a > 0, where it is plain least squares.
    """
    points = rays(sample)
    directions = [[Fraction(int(v.p), int(v.q)) for v in d] for d in sorted_directions(points)]
    if len(directions) == 2:  # inputs on one line: an arc must be shorter than a half circle
        directions = [d for a, b in directions for d in ([a, b], [-b, a])]
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    V = np.array(directions, dtype=object)
    Z = features(X, V)
    arcs = [*pairwise(range(len(V))), (len(V) - 1, 0)]
    signed = [(arc, s) for arc in arcs for s in (1, -1)]
    best, units = Fraction(p @ y**2), (V[:0], np.array([], dtype=object))
    for choice in combinations_with_replacement(signed, m):
        columns = [(k, s) for arc, s in choice for k in arc]
        for size in range(1, len(columns) + 1):
            for support in combinations(columns, size):
                A = np.stack([s * Z[:, k] for k, s in support], axis=1)
                a = _solve(A.T @ (p[:, None] * A), A.T @ (p * y))
                if a is None or any(v <= 0 for v in a):
                    continue
                value = Fraction(p @ (y - A @ a) ** 2)
                if value < best:
                    best, units = value, _units(choice, support, a, V)
    return best, *units


def _units(choice: Any, support: Any, a: Array, V: Array) -> tuple[Array, Array]:
    """One row and weight per arc of `choice`, from the coefficients of its two ends."""
    left = list(zip(support, a))
    rows, weights = [], []
    for arc, s in choice:
        u = V[0] * 0
        for end in arc:
            hit = next((i for i, ((k, sign), _) in enumerate(left) if k == end and sign == s), None)
            if hit is not None:
                u = u + left.pop(hit)[1] * V[end]
        rows.append(u)
        weights.append(Fraction(s))
    return np.array(rows, dtype=object), np.array(weights, dtype=object)


def _solve(G: Array, q: Array) -> Array | None:
    """G^-1 q in fractions; None when G is singular."""
    from flint import fmpq, fmpq_mat

    square = matrix([[fmpq(v.numerator, v.denominator) for v in row] for row in G])
    if square.det() == 0:
        return None
    found = square.solve(fmpq_mat(len(q), 1, [fmpq(v.numerator, v.denominator) for v in q]))
    return np.array([Fraction(int(v.p), int(v.q)) for v in found.entries()], dtype=object)


def small_sample(rng: np.random.Generator, N: int, n: int, *, span: int = 3) -> Sample:
    """A random sample with small integer entries, zero rows and repeated points included."""
    X = rng.integers(-span, span + 1, size=(N, n)).astype(float)
    if not X.any():
        X[0, 0] = 1.0
    return Sample(X, rng.integers(-span, span + 1, size=(N, 1)).astype(float))
