"""Activation patterns of a sample, and the convex program over them (Pilanci & Ergen 2020).

The hyperplanes <w, x_i> = 0 cut the space of rows w into cones. On each of them the features relu(<w, x_i>) are linear
in w, so a net is a sum of linear units in cones, and a penalty on |b| |w| is a sum of norms.

Throughout X (N, n) are inputs, y (N,) targets, w (N,) weights that sum to one.
"""

from __future__ import annotations

import math
import warnings
from itertools import combinations, product

import numpy as np

from theory.numerics import TINY, Array
from theory.oracle.units import inside

# Largest size, patterns times entries of X, of a program handed to cvxpy.
ENTRIES = 60_000


def patterns_of(X: Array, W: Array) -> Array:
    """The distinct activation patterns (P, N) of rows W (M, n)."""
    return np.unique((X @ W.T > 0).T, axis=0)


def patterns(X: Array) -> Array:
    """Activation patterns (P, N) of X w for w off the breakpoints; all of them for n <= 2 or points in general position.

    n >= 3: every n - 1 samples meet on a ray, and around it each of them may be on either side. ValueError when they
    have more than ENTRIES entries.
    """
    _, size, V = np.linalg.svd(X, full_matrices=False)
    X = X @ V[size > 1e-12 * max(size[0], TINY)].T  # only the span of the inputs matters
    N, n = X.shape
    if n == 0:
        return np.zeros((0, N), dtype=bool)
    count = 2 if n == 1 else 2 * N if n == 2 else 2**n * math.comb(N, n - 1)
    if count * N * n > ENTRIES:
        raise ValueError(
            f"sample must be small enough for method 'patterns': {count} patterns of {N} samples in {n} dimensions "
            f"exceed {ENTRIES} entries; use method 'columns'"
        )
    if n == 1:
        return np.concatenate([X.T > 0, X.T < 0])
    if n == 2:
        middle = np.arctan2(X[:, 1], X[:, 0])[X.any(axis=1)]
        ends = np.unique(np.mod(np.concatenate([middle - np.pi / 2, middle + np.pi / 2]), 2 * np.pi))
        angles = (ends + np.append(ends[1:], ends[:1] + 2 * np.pi)) / 2
        return np.unique(np.stack([np.cos(angles), np.sin(angles)], axis=1) @ X.T > 0, axis=0)
    found = []
    for subset in combinations(range(N), n - 1):
        w = np.linalg.svd(X[list(subset)])[2][-1]
        for sign in (1.0, -1.0):
            pattern = sign * (X @ w) > 0
            for sides in product((False, True), repeat=n - 1):
                pattern[list(subset)] = sides
                found.append(pattern.copy())
    return np.unique(np.array(found).reshape(-1, N), axis=0)


def pattern_units(X: Array, y: Array, w: Array, kappa: float, patterns: Array) -> Array:
    """Units of the convex reformulation: on each pattern D a pair of cone-constrained linear units, penalised by norm.

    patterns (P, N) as `patterns` gives them. Rows (M, n) in the unit ball; none when the solver fails.
    """
    import cvxpy as cp

    n = X.shape[1]
    if len(patterns) == 0:
        return np.zeros((0, n))
    blocks = np.concatenate([pattern[:, None] * X for pattern in patterns], axis=1) * np.sqrt(w)[:, None]
    plus, minus = cp.Variable((len(patterns), n)), cp.Variable((len(patterns), n))
    signs = np.where(patterns, 1.0, -1.0)
    inner = [cp.multiply(signs, V @ X.T) >= 0 for V in (plus, minus)]
    fit = cp.sum_squares(blocks @ cp.reshape(plus - minus, (len(patterns) * n,), order="C") - y * np.sqrt(w))
    norms = cp.sum(cp.norm(plus, 2, axis=1)) + cp.sum(cp.norm(minus, 2, axis=1))
    problem = cp.Problem(cp.Minimize(fit + kappa * norms), inner)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the bound decides, not the status
        try:
            problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
        except cp.SolverError:
            return np.zeros((0, n))
    if plus.value is None or minus.value is None:
        return np.zeros((0, n))
    V = np.concatenate([plus.value, minus.value])
    size = np.linalg.norm(V, axis=1)
    return inside(V[size > 1e-7 * size.max(initial=0.0)])


def spanning_units(X: Array) -> Array:
    """Rows (M, n) whose features span what any features can.

    One between neighbouring breakpoints, seen in a fixed plane, and the axes of R^n in its frame.
    """
    n = X.shape[1]
    if n == 1:
        return np.array([[1.0], [-1.0]])
    plane = np.eye(n) if n == 2 else np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
    points = X @ plane[:2].T
    angles = np.arctan2(points[:, 1], points[:, 0])
    ends = np.sort(np.mod(np.concatenate([angles - np.pi / 2, angles + np.pi / 2]), 2 * np.pi))
    middle = (ends + np.append(ends[1:], ends[0] + 2 * np.pi)) / 2
    rows = np.stack([np.cos(middle), np.sin(middle)], axis=1) @ plane[:2]
    return np.concatenate([rows, plane, -plane])
