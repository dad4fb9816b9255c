"""Lemmas and small matrices that several sections use."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from checks.smt.statements import lemma
from checks.smt.terms import Formula, Term, between, equal, every, larger, magnitude, reals, relu

t, p, q, r, b, g, z, w, y, f, u, v, k = reals("t p q r b g z w y f u v kappa")
w1, w2, d1, d2, R, N, S, n = reals("w_1 w_2 d_1 d_2 R N S n")
PATH = between(0, t, 1)
Matrix = tuple[tuple[Term, Term], tuple[Term, Term]]


def matrix(name: str) -> Matrix:
    """A 2 x 2 matrix of variables."""
    m11, m12, m21, m22 = reals(" ".join(f"{name}_{i}{j}" for i in (1, 2) for j in (1, 2)))
    return (m11, m12), (m21, m22)


def entries(entry: Callable[[int, int], Term]) -> Matrix:
    """The 2 x 2 matrix with these entries, counted from 0."""
    return (entry(0, 0), entry(0, 1)), (entry(1, 0), entry(1, 1))


def product(A: Matrix, B: Matrix) -> Matrix:
    """A B for 2 x 2 matrices."""
    return entries(lambda i, j: A[i][0] * B[0][j] + A[i][1] * B[1][j])


def transposed(A: Matrix) -> Matrix:
    """A with rows and columns exchanged."""
    return (A[0][0], A[1][0]), (A[0][1], A[1][1])


def squares(A: Matrix) -> Term:
    """The sum of the squared entries."""
    return A[0][0] ** 2 + A[0][1] ** 2 + A[1][0] ** 2 + A[1][1] ** 2


def same(A: Matrix, B: Matrix) -> Formula:
    """All four entries are equal."""
    return every(*(equal(A[i][j], B[i][j]) for i in (0, 1) for j in (0, 1)))


def determinant(A: Matrix) -> Term:
    """Of a 2 x 2 matrix."""
    return A[0][0] * A[1][1] - A[0][1] * A[1][0]


LIPSCHITZ = lemma(
    "relu-lipschitz",
    "ReLU is 1-Lipschitz.",
    (),
    magnitude(relu(p) - relu(q)) <= magnitude(p - q),
    but="with the constant 9/10",
    fails=magnitude(relu(p) - relu(q)) <= Fraction(9, 10) * magnitude(p - q),
)
DUALITY = lemma(
    "weak-duality",
    "2 y r - r^2 - 2 f r is at most the squared error (y - f)^2, whatever r is: weak duality, pointwise.",
    (),
    2 * y * r - r**2 - 2 * f * r <= (y - f) ** 2,
    but="with 3 y r in place of 2 y r",
    fails=3 * y * r - r**2 - 2 * f * r <= (y - f) ** 2,
)
RAY = lemma(
    "optimal-along-its-ray",
    "At a net that is optimal along its ray, kappa |b|_1 = 2 E (Y - f) f, which is at most E Y^2 / 2.",
    (),
    2 * (y - f) * f <= y**2 / 2,
    but="at most 0.49 E Y^2",
    fails=2 * (y - f) * f <= Fraction(49, 100) * y**2,
)

CHORD = lemma(
    "squares-are-convex",
    "Along a segment a squared residual is at most its chord.",
    (PATH,),
    ((1 - t) * p + t * q) ** 2 <= (1 - t) * p**2 + t * q**2,
    but="at most 9/10 of it",
    fails=((1 - t) * p + t * q) ** 2 <= Fraction(9, 10) * ((1 - t) * p**2 + t * q**2),
)
SIZES = lemma(
    "magnitudes-are-convex",
    "Along a segment the magnitude of a weight is at most its chord.",
    (PATH,),
    magnitude((1 - t) * b + t * g) <= (1 - t) * magnitude(b) + t * magnitude(g),
    but="at most 9/10 of it",
    fails=magnitude((1 - t) * b + t * g) <= Fraction(9, 10) * ((1 - t) * magnitude(b) + t * magnitude(g)),
)
LARGER_END = lemma(
    "larger-end",
    "Along a segment a squared and an absolute residual are at most their larger end.",
    (PATH,),
    (((1 - t) * p + t * q) ** 2 <= larger(p**2, q**2))
    & (magnitude((1 - t) * p + t * q) <= larger(magnitude(p), magnitude(q))),
    but="at most the end, where convexity is said to give a descent",
    fails=((1 - t) * p + t * q) ** 2 <= p**2,
)
CAUCHY = lemma(
    "cauchy-schwarz",
    "One more atom: from S^2 <= R N follows (S + r n)^2 <= (R + r^2)(N + n^2), so (E r n)^2 <= E r^2 E n^2 for any number of atoms.",
    (R >= 0, N >= 0, S**2 <= R * N),
    (S + r * n) ** 2 <= (R + r**2) * (N + n**2),
    but="9/10 of the right side",
    fails=(S + r * n) ** 2 <= Fraction(9, 10) * (R + r**2) * (N + n**2),
)
TRANSFER = lemma(
    "transfer",
    "Units with equal rows may pass weight to each other: the output does not change.",
    (),
    equal((b + t) * relu(z) + (g - t) * relu(z), b * relu(z) + g * relu(z)),
    but="with rows z and w",
    fails=equal((b + t) * relu(z) + (g - t) * relu(w), b * relu(z) + g * relu(w)),
)
MERGE = lemma(
    "parallel-rows-merge",
    "Units on one ray are one unit of no larger weight: rows r z and q z, 0 <= r, q <= 1.",
    (between(0, r, 1), between(0, q, 1)),
    equal(b * relu(r * z) + g * relu(q * z), (b * r + g * q) * relu(z))
    & (magnitude(b * r + g * q) <= magnitude(b) + magnitude(g)),
    but="on opposite rays too",
    where=(between(0, r, 1), between(-1, q, 0)),
    fails=equal(b * relu(r * z) + g * relu(q * z), (b * r + g * q) * relu(z)),
)


SCALAR_WALL = lemma(
    "scalar-wall",
    "(1 - w_1 w_2)^2 < 1 only where w_1 w_2 > 0: the sign of w_1 is constant below the barrier 1.",
    ((1 - w1 * w2) ** 2 < 1,),
    w1 * w2 > 0,
    but="at the barrier too",
    where=((1 - w1 * w2) ** 2 <= 1,),
    fails=w1 * w2 > 0,
)
CRITICAL = lemma(
    "critical-points",
    "(1 - uv)^2 + kappa (u^2 + v^2), 0 < kappa < 1: critical points are the origin and u = v with u^2 = 1 - kappa.",
    (k > 0, k < 1, equal((1 - u * v) * v, k * u), equal((1 - u * v) * u, k * v)),
    (equal(u, 0) & equal(v, 0)) | (equal(u, v) & equal(u**2, 1 - k)),
    but="the origin alone",
    where=(k > 0, k < 1, equal(u, v), equal((1 - u * v) * v, k * u), equal(k, Fraction(3, 4))),
    fails=equal(u, 0) & equal(v, 0),
)
M = matrix("M")
from_diagonal = (M[0][0] - d1) ** 2 + M[0][1] ** 2 + M[1][0] ** 2 + (M[1][1] - d2) ** 2
SINGULAR = lemma(
    "nearest-singular-matrix",
    "A singular 2 x 2 matrix is at a squared distance of at least d_2^2 from diag(d_1, d_2), d_1 >= d_2 >= 0 (Eckart-Young).",
    (d2 >= 0, d1 >= d2, equal(determinant(M), 0)),
    from_diagonal >= d2**2,
    but="11/10 of it",
    fails=from_diagonal >= Fraction(11, 10) * d2**2,
)
