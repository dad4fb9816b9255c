"""Least absolute deviations, min over M of E|y - M x|_1, output by output (Section 2.2 for the absolute loss).

A linear program in floats proposes which points are fitted and a dual point u; the dual, max <y, u> subject to X^T u = 0
and |u_i| <= w_i, is then evaluated at a point close to u that is feasible in rationals.
"""

from __future__ import annotations

import numpy as np

from theory.linear_paths import exact
from theory.linear_paths.exact import ExactLoss, Rational, column_powers, tame
from theory.numerics import UNIT, Array


def least_absolute(loss: ExactLoss) -> tuple[Array, Rational]:
    """M (n_out, n) close to the least E|y - M x|_1 of `loss`, and a bound on that from below, rational."""
    columns = column_powers(loss.X)
    X, w = loss.X * columns, loss.weights
    U, s, _ = np.linalg.svd(X, full_matrices=False)
    basis = U[:, s > UNIT * s.max(initial=0.0)]  # orthonormal: an easy program at any condition number
    rows, lower = [], exact.fraction(0.0)
    for y in loss.Y.T:
        fit, u = _program(basis, y, w)
        if not loss.small:
            rows.append(columns * np.linalg.lstsq(X, fit, rcond=None)[0])
            continue
        fitted = np.abs(u) < w * (1 - 1e-9)
        lower += _dual(X, y, w, u, fitted)
        through = _fit(X[fitted], y[fitted]) if fitted.any() else np.zeros(X.shape[1])
        stable, none = np.linalg.lstsq(X, fit, rcond=None)[0], np.zeros(X.shape[1])
        proposals = tame(stable, through, none)
        rows.append(
            columns * min(proposals, key=lambda m: loss.absolute(exact.rational((columns * m)[None]), y[:, None]))
        )
    return np.stack(rows), lower


def _program(basis: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """Outputs close to those of least absolute deviation in the span of `basis` (N, n), and a dual point, (N,) each."""
    from scipy.optimize import linprog

    N, n = basis.shape
    size = float(1 / column_powers(y[:, None])[0])
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
    return exact.rounded(exact.solution(A.transpose() * A, A.transpose() * exact.rational(y[:, None])))[:, 0]


def _dual(X: Array, y: Array, w: Array, u: Array, fitted: Array) -> Rational:
    """max { <y, u> : X^T u = 0, |u_i| <= w_i } at a point near u that is feasible exactly; rational, at least 0.

    The points that the solution fits take up the rest X^T u; where they cannot, all points do.
    """
    A, v, target = exact.rational(X), exact.rational(u[:, None]), exact.rational(y[:, None])
    rest = A.transpose() * v
    value = exact.fraction(0.0)
    for free in (fitted, np.ones(len(u), dtype=bool)):
        part = exact.rational(X * free[:, None])
        point = v - part * exact.solution(part.transpose() * part, rest)
        if any(row[0] != 0 for row in (A.transpose() * point).tolist()):
            continue
        ratios = [abs(p) / exact.fraction(c) for (p,), c in zip(point.tolist(), w.tolist())]
        value = max(value, exact.inner(target, point) / max([exact.fraction(1.0), *ratios]))
    return value
