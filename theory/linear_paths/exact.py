"""The risk of a linear network in rational arithmetic: what the bounds of this chapter are computed with.

Floats are rationals, so the second moments S = E x x^T, C = E x y^T and E|y|^2 of a sample are known exactly, and with
them the loss of any product M, the minimum of least squares (normal equations; any rank), and the signs of determinants.
No condition number enters. A real-rooted polynomial has all its roots >= x exactly when its coefficients in powers of
(t - x) alternate in sign (Descartes), which bounds singular values from both sides without a square root.

Section 2.2; what is bounded here is derived in paper_notes.md, prop-2.2-ridge and linear-square-barrier.

M is (n_out, n_in) everywhere, a flint.fmpq_mat; with an output bias it has one more column, and x one more entry 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory.numerics import TINY, Array, Rational, exact_rows, float_below, gamma, matrix, up
from theory.numerics import validation as check
from theory.risk import Risk

RationalMatrix = Any  # flint.fmpq_mat

# Exact normal equations take seconds up to about so many columns and entries of X.
COLUMNS = 80
ENTRIES = 500_000


@dataclass(frozen=True, eq=False)
class ExactLoss:
    """E loss(M x, y) as a function of the product M, with the sample of `risk`, and what follows from its moments.

    ValueError for a loss other than squared and absolute, whose minimisers are not computed here.
    """

    risk: Risk

    def __post_init__(self) -> None:
        check.choice(self.risk.loss, "risk.loss", ("squared", "absolute"))

    @cached_property
    def X(self) -> Array:
        """The inputs (N, n), with a column of ones where the network has biases; samples of weight 0 left out."""
        X = self.risk.sample.X[self._kept]
        return np.hstack([X, np.ones((len(X), 1))]) if self.risk.network.bias else X

    @cached_property
    def Y(self) -> Array:
        """The targets (N, n_out), samples of weight 0 left out."""
        return self.risk.sample.Y[self._kept]

    @cached_property
    def weights(self) -> Array:
        """Positive weights (N,)."""
        return self.risk.sample.weights[self._kept]

    @property
    def _kept(self) -> Array:
        return self.risk.sample.weights > 0

    @cached_property
    def moments(self) -> tuple[RationalMatrix, RationalMatrix, Rational]:
        """S (n, n), C (n, n_out), E|y|^2."""
        X, Y = rational(self.X), rational(self.Y)
        weighted = [[w * v for v in row] for (w,), row in zip(exact_rows(self.weights[:, None]), Y.tolist())]
        tilted = [[w * v for v in row] for (w,), row in zip(exact_rows(self.weights[:, None]), X.tolist())]
        return X.transpose() * matrix(tilted), X.transpose() * matrix(weighted), inner(Y, matrix(weighted))

    def __call__(self, M: RationalMatrix) -> Rational:
        """The loss at M, exactly."""
        if self.risk.loss == "squared":
            S, C, energy = self.moments
            return energy - 2 * inner(M, C.transpose()) + inner(M * S, M)
        return self.absolute(M, self.Y)

    def absolute(self, M: RationalMatrix, Y: Array) -> Rational:
        """E|M x - y|_1 for some targets Y (N, rows of M)."""
        residual = (rational(self.X) * M.transpose() - rational(Y)).tolist()
        return sum(w * abs(r) for (w,), row in zip(exact_rows(self.weights[:, None]), residual) for r in row)

    @property
    def small(self) -> bool:
        """Whether rational linear algebra takes seconds at most; where it does not, lower bounds are 0."""
        return self.X.shape[1] <= COLUMNS and self.X.size <= ENTRIES

    def above(self, *factors: Array) -> float:
        """A float not below the loss at the product W_K ... W_1 of float factors W_1, ..., W_K, (h, n), ..., (n_out, h)."""
        if self.small:
            M = rational(factors[0])
            for W in factors[1:]:
                M = rational(W) * M
            return float_above(self(M))
        outputs, size = self.X, np.abs(self.X)
        for W in factors:
            outputs, size = outputs @ W.T, size @ np.abs(W).T
        owed = 2 * gamma(sum(W.shape[1] for W in factors) + 4) * (size + np.abs(self.Y)) + TINY
        r = np.abs(outputs - self.Y) + owed
        value = float(self.weights @ (r * r if self.risk.loss == "squared" else r).sum(axis=1))
        return value * (1 + 2 * gamma(self.Y.size + 8))

    @cached_property
    def least_squares(self) -> tuple[RationalMatrix, Rational]:
        """A minimiser of E|M x - y|^2, free unknowns zero, and the minimum."""
        S, C, energy = self.moments
        M = solution(S, C).transpose()
        return M, energy - inner(M, C.transpose())

    def last_singular_value(self, M: RationalMatrix) -> SquaredSingularValues:
        """s_r(M S^{1/2})^2, r = min(n_in, n_out), from both sides."""
        S = self.moments[0]
        product = M * S * M.transpose() if M.nrows() <= M.ncols() else S * (M.transpose() * M)
        return SquaredSingularValues(product)


class SquaredSingularValues:
    """The eigenvalues of a rational matrix (k, k) known to be real and nonnegative: squares of singular values."""

    def __init__(self, A: RationalMatrix) -> None:
        self._polynomial = A.charpoly()
        self.degree = A.nrows()

    def all_at_least(self, x: Rational) -> bool:
        """Whether no eigenvalue is below x; exact."""
        return all(c == 0 or (c > 0) == even for c, even in self._signs(x))

    def all_at_most(self, x: Rational) -> bool:
        """Whether no eigenvalue is above x; exact."""
        return all(c >= 0 for c, _ in self._signs(x))

    def _signs(self, x: Rational) -> Iterator[tuple[Rational, bool]]:
        from flint import fmpq_poly

        shifted = self._polynomial(fmpq_poly([x, 1])).coeffs()
        for k, c in enumerate(shifted):
            yield c, (self.degree - k) % 2 == 0

    @property
    def singular(self) -> bool:
        """Whether the least eigenvalue is zero; exact."""
        return self.degree > 0 and self._polynomial[0] == 0

    def least(self) -> tuple[float, float]:
        """Neighbouring floats with the least eigenvalue between them (both 0 where it is zero)."""
        if self.singular:
            return 0.0, 0.0
        return _bisect(lambda x: not self.all_at_least(fraction(x)))

    def largest_above(self) -> float:
        """The least float that no eigenvalue exceeds."""
        return 0.0 if self.all_at_most(fraction(0.0)) else _bisect(lambda x: self.all_at_most(fraction(x)))[1]


def _bisect(holds: Any) -> tuple[float, float]:
    """Neighbouring nonnegative floats, `holds` false at the first and true at the second; monotone, false at 0."""
    low, high = np.array([0.0, np.finfo(float).max]).view(np.int64).tolist()  # floats in order
    while high - low > 1:
        middle = (low + high) // 2
        if holds(float(np.array(middle, dtype=np.int64).view(float))):
            high = middle
        else:
            low = middle
    first, second = np.array([low, high], dtype=np.int64).view(float).tolist()
    return first, second


def solution(S: RationalMatrix, C: RationalMatrix) -> RationalMatrix:
    """A solution D (n, p) of S D = C where there is one, free unknowns zero; S (n, n), C (n, p)."""
    n = S.nrows()
    table = matrix([left + right for left, right in zip(S.tolist(), C.tolist())])
    reduced, _ = table.rref()
    D = [[fraction(0.0)] * C.ncols() for _ in range(n)]
    for row in reduced.tolist():
        pivot = next((j for j in range(n) if row[j] != 0), None)
        if pivot is not None:
            D[pivot] = row[n:]
    return matrix(D)


def rational(A: Array) -> RationalMatrix:
    """A float matrix A (m, n) as a matrix of rationals, entry by entry the same numbers."""
    return matrix(exact_rows(A))


def inner(A: RationalMatrix, B: RationalMatrix) -> Rational:
    """<A, B>, the sum of the products of the entries."""
    return sum((u * v for a, b in zip(A.tolist(), B.tolist()) for u, v in zip(a, b)), fraction(0.0))


def squares(*matrices: Array) -> Rational:
    """The sum of the squares of all entries of float `matrices`, (m, n) each."""
    return sum((inner(rational(A), rational(A)) for A in matrices if A.size), fraction(0.0))


def fraction(value: float) -> Rational:
    """The value, rational."""
    return exact_rows([[value]])[0][0]


def rounded(M: RationalMatrix) -> Array:
    """The nearest floats, infinite beyond them."""
    return np.array([[_rounded(v) for v in row] for row in M.tolist()])


def _rounded(value: Rational) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def float_above(value: Rational) -> float:
    """The least float that is not below a rational value, perhaps infinite."""
    return math.inf if math.isinf(_rounded(value)) and value > 0 else -float_below(-value)


def sum_above(value: float, rest: Rational) -> float:
    """A float not below value + rest."""
    return value if math.isinf(value) else float_above(fraction(value) + rest)


def root_above(value: Rational) -> float:
    """A float not below the square root of a nonnegative rational value."""
    return float(up(math.sqrt(float_above(value)))) if value > 0 else 0.0


def orientation(W: Array) -> int:
    """The sign of det W, exactly: -1, 0 or 1; W (r, r)."""
    determinant = rational(W).det()
    return (determinant > 0) - (determinant < 0)


def nuclear_norm_above(M: Array) -> float:
    """A float not below |M|_*: with floats U S V^T close to M, |M|_* <= sum S_k |u_k| |v_k| + sqrt(rank) |M - U S V^T|_F."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    rest = rational(M) - rational(U) * rational(np.diag(s)) * rational(Vt)
    total = fraction(root_above(len(s) * inner(rest, rest)))
    for k, size in enumerate(s.tolist()):
        norms = root_above(squares(U[:, k : k + 1]) * squares(Vt[k : k + 1]))
        total += fraction(size) * fraction(norms)
    return float_above(total)


def column_powers(A: Array) -> Array:
    """Powers of two (n,), at most 2^500, that bring the columns of A, (N, n), to largest entries in [1/2, 1)."""
    return np.ldexp(1.0, np.minimum(-np.frexp(np.abs(A).max(axis=0, initial=0.0))[1], 500))


def tame(stable: Array, *others: Array) -> list[Array]:
    """`stable` (m, n) and those of the `others` (m, n) whose entries are not much larger.

    Where directions are hardly seen by the data, the exact minimiser has huge entries: it is a little better in
    rationals, and useless in floats, where its outputs are differences of huge numbers.
    """
    largest = 16 * float(np.abs(stable).max(initial=0.0))
    return [stable, *(A for A in others if float(np.abs(A).max(initial=0.0)) <= largest)]
