"""Section 2.1: connected level sets are sufficient, not necessary, for the absence of poor local minima."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict

Matrix = np.ndarray[Any, np.dtype[np.object_]]  # (rows, columns) of Fractions


def attack(setting: Setting, *, factor: int = 1) -> Outcome:
    """Linear nets at the critical width, F = |W_2 W_1 - M|^2 with W_1, W_2, M all r x r and det M != 0.

    Disconnected: solutions with either sign of det W_1 exist, and det W_1 = 0 costs a positive amount (times `factor`,
    where a fault is planted). No poor minima: at every critical point that is not global an explicit step falls.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(60))):
        r = 1 + k % 3
        M = _invertible(rng, r)
        wall = factor * _lowest_square(M)
        W1, W2 = _two_solutions(rng, M)
        between = _determinant(W1[0]) * _determinant(W1[1])
        ends = max(_risk(M, a, b) for a, b in zip(W1, W2))
        tally.add(0 if between < 0 and ends < wall else -1, M=M, W1=W1[0])
        for W in _singular(rng, M):
            best = _best_with_inner(M, W)
            tally.add(float(best - wall), M=M, W1=W)
        tally.add(_fall_from_critical(rng, r) - 0.5, r=r)
        tally.add(_isolated_minima(Fraction(int(rng.integers(1, 20)), 20), factor), k=k)
    return tally.outcome(
        "linear nets at width r = 1, 2, 3 and ridge nets with two isolated minima, in rational arithmetic"
    )


def _invertible(rng: np.random.Generator, r: int) -> Matrix:
    while True:
        M = _rational(rng.integers(-4, 5, size=(r, r)))
        if _determinant(M) != 0:
            return M


def _two_solutions(rng: np.random.Generator, M: Matrix) -> tuple[list[Matrix], list[Matrix]]:
    """Two factorisations M = W_2 W_1 with opposite signs of det W_1."""
    A = _invertible(rng, len(M))
    B = A.copy()
    B[0] = -B[0]
    return [A, B], [_solve_right(M, A), _solve_right(M, B)]


def _lowest_square(M: Matrix) -> Fraction:
    """A positive lower bound of sigma_min(M)^2, the least |N - M|^2 over singular N.

    The other r - 1 eigenvalues of M^T M have a product of at most (trace / (r - 1))^(r - 1).
    """
    r, trace = len(M), sum((x * x for x in M.ravel()), Fraction(0))
    return _determinant(M) ** 2 / (trace / (r - 1)) ** (r - 1) if r > 1 else _determinant(M) ** 2


def _singular(rng: np.random.Generator, M: Matrix) -> list[Matrix]:
    """Inner matrices of determinant zero: zero, random, and the one that kills a coordinate direction of M."""
    r = len(M)
    random = _rational(rng.integers(-4, 5, size=(r, r)))
    random[0] = random[-1] if r > 1 else 0 * random[0]
    kill = _rational(np.eye(r, dtype=int))
    kill[int(rng.integers(r))] = Fraction(0)
    return [_rational(np.zeros((r, r), dtype=int)), random, kill]


def _best_with_inner(M: Matrix, W1: Matrix) -> Fraction:
    """min over W_2 of |W_2 W_1 - M|^2: row by row, the distance to the row space of W_1 (Gram-Schmidt)."""
    basis: list[Matrix] = []
    for row in W1:
        rest = _off(row, basis)
        if any(rest):
            basis.append(rest)
    return sum((_dot(rest, rest) for rest in (_off(row, basis) for row in M)), Fraction(0))


def _off(row: Matrix, basis: list[Matrix]) -> Matrix:
    for b in basis:
        row = row - b * (_dot(row, b) / _dot(b, b))
    return row


def _fall_from_critical(rng: np.random.Generator, r: int) -> int:
    """1 when the explicit step falls from a random critical point that is not global, else 0.

    M = diag(d); W_2 W_1 keeps the d_i of a proper subset, in a random basis of the hidden layer. With w^T W_1 = 0 and
    G = W_2 W_1 - M != 0, the step W_2 += s a w^T, W_1 += s^2 w b^T changes F by s^3 (2 a^T G b |w|^2) + O(s^4).
    """
    d = [Fraction(int(n)) for n in rng.integers(1, 6, size=r)]
    keep = rng.random(r) < 0.5
    keep[int(rng.integers(r))] = False
    M = _rational(np.zeros((r, r), dtype=int))
    W1, W2 = M.copy(), M.copy()
    for i in range(r):
        M[i, i] = d[i]
        W1[i, i], W2[i, i] = (Fraction(1), d[i]) if keep[i] else (Fraction(0), Fraction(0))
    basis = _invertible(rng, r)
    W1, W2 = basis @ W1, _solve_right(W2, basis)
    G = W2 @ W1 - M
    if any((W2.T @ G).ravel()) or any((G @ W1.T).ravel()):
        return 0  # not critical: the construction is wrong
    w = _left_null(W1)
    i, j = next((i, j) for i in range(r) for j in range(r) if G[i, j] != 0)
    a, b = _unit(r, i), _unit(r, j) * (-1 if G[i, j] > 0 else 1)
    start, s = _risk(M, W1, W2), Fraction(1)
    for _ in range(60):
        if _risk(M, W1 + np.outer(w, b) * s**2, W2 + np.outer(a, w) * s) < start:
            return 1
        s /= 2
    return 0


def _isolated_minima(q: Fraction, factor: int) -> float:
    """F = (1 - uv)^2 + (1 - q^2)(u^2 + v^2), 0 < q < 1: +-(q, q) are its only minima, and u = 0 is a wall between them.

    Critical points are 0 and +-(q, q): from (1 - uv) v = kappa u and (1 - uv) u = kappa v, (1 - uv)^2 = kappa^2 or
    u = v = 0, and 1 - uv = -kappa would give u = -v, uv <= 0. At 0, F(t, t) < F(0) for small t.
    """
    kappa = 1 - q * q

    def F(u: Fraction, v: Fraction) -> Fraction:
        return (1 - u * v) ** 2 + kappa * (u * u + v * v)

    critical = all((1 - u * u) * u == kappa * u for u in (q, -q))
    t = q / 2
    saddle = F(t, t) < F(Fraction(0), Fraction(0))
    level = F(q, q) * factor
    if not (critical and saddle and F(q, q) == F(-q, -q)):
        return -1.0
    return float(min(F(Fraction(0), Fraction(v)) for v in range(-3, 4)) - level)  # on u = 0: 1 + kappa v^2


def _risk(M: Matrix, W1: Matrix, W2: Matrix) -> Fraction:
    return sum((x * x for x in (W2 @ W1 - M).ravel()), Fraction(0))


def _rational(matrix: Any) -> Matrix:
    return np.vectorize(lambda n: Fraction(int(n)), otypes=[object])(matrix)


def _dot(a: Matrix, b: Matrix) -> Fraction:
    return sum((x * y for x, y in zip(a, b)), Fraction(0))


def _unit(r: int, i: int) -> Matrix:
    return _rational(np.eye(r, dtype=int)[i])


def _determinant(A: Matrix) -> Fraction:
    if len(A) == 1:
        return A[0, 0]
    minors = (np.delete(A[1:], j, axis=1) for j in range(len(A)))
    return sum(((-1) ** j * A[0, j] * _determinant(minor) for j, minor in enumerate(minors)), Fraction(0))


def _solve_right(B: Matrix, A: Matrix) -> Matrix:
    """B A^-1 by Cramer's rule: entry (i, j) replaces row j of A by row i of B."""
    result = B.copy()
    for i in range(len(B)):
        for j in range(len(A)):
            changed = A.copy()
            changed[j] = B[i]
            result[i, j] = _determinant(changed) / _determinant(A)
    return result


def _left_null(A: Matrix) -> Matrix:
    """A nonzero w with w^T A = 0, for singular A: the row dependency that Gram-Schmidt finds."""
    rows: list[Matrix] = []
    weights: list[Matrix] = []
    for i, row in enumerate(A):
        combination = _unit(len(A), i)
        for b, c in zip(rows, weights):
            share = _dot(row, b) / _dot(b, b)
            row, combination = row - b * share, combination - c * share
        if not any(row):
            return combination
        rows.append(row)
        weights.append(combination)
    raise ValueError("the rows of A are independent")


CLAIM = Claim(
    id="sec-2.1-not-necessary",
    headline="Without poor minima level sets can still be disconnected.",
    fault="steps a thousand times too long, which no longer fall",
    source="Section 2.1, last paragraph",
    statement="Connected level sets are sufficient, not necessary, for the absence of poor local minima.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, factor=1000),
    proof=(
        "F = |W_2 W_1 - M|^2 with r x r matrices and det M != 0: below sigma_min(M)^2 no point has det W_1 = 0, and "
        "(-1) on one hidden unit changes its sign, so the level set is disconnected; yet at every critical point that is "
        "not global a hidden direction is unused, and a step through it falls. (1 - uv)^2 + kappa (u^2 + v^2), kappa < 1, "
        "has two isolated minima at one level, as the paper says."
    ),
)
