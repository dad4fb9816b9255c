"""Section 2.2: linear networks. Matrices are 2 x 2, or vectors; what holds for all sizes is in the proofs of paper_notes.md."""

from __future__ import annotations

from fractions import Fraction

from checks.smt.shared import (
    CHORD,
    CRITICAL,
    LARGER_END,
    SCALAR_WALL,
    SINGULAR,
    TRANSFER,
    determinant,
    matrix,
    product,
    transposed,
)
from checks.smt.statements import Lemma, lemma
from checks.smt.terms import Term, between, differ, equal, every, magnitude, number, reals, total

t, s, x, y, a, b, c, d, e, g, h, p, q, r, z = reals("t s x y a b c d epsilon g h p q r z")
w1, w2, w3, w4, v1, v2, v3, d1, d2, d3, d4 = reals("w_1 w_2 w_3 w_4 v_1 v_2 v_3 d_1 d_2 d_3 d_4")
k, sigma, beta, tau1, tau2 = reals("kappa sigma beta tau_1 tau_2")
PATH = between(0, t, 1)
Z = tuple(reals(f"z_{i}1 z_{i}2") for i in (1, 2, 3))  # features of three units on two samples
V = (v1, v2, v3)


def minor(i: int, j: int) -> Term:
    """The determinant of rows i and j of Z."""
    return Z[i][0] * Z[j][1] - Z[i][1] * Z[j][0]


nu = (minor(1, 2), minor(2, 0), minor(0, 1))  # a relation of the three rows
freed = tuple(V[i] * nu[0] - V[0] * nu[i] for i in range(3))  # V nu_1 - V e_1 nu^T

A, M = matrix("A"), matrix("M")


def scalar(*w: Term) -> Term:
    """F of a chain of scalars on x = y = 1, without penalty."""
    out = w[0]
    for factor in w[1:]:
        out = out * factor
    return (1 - out) ** 2


RIDGE = scalar(w1, w2) + Fraction(3, 4) * (w1**2 + w2**2)


def one_unit_ridge(w: tuple[Term, Term], v: tuple[Term, Term]) -> Term:
    """F of one hidden unit, Sigma = diag(1/4, 1), Y = diag(3, 1) X, kappa = 7/16."""
    fit = ((3 - v[0] * w[0]) ** 2 + (v[1] * w[0]) ** 2) / 4 + (v[0] * w[1]) ** 2 + (1 - v[1] * w[1]) ** 2
    return fit + Fraction(7, 16) * (w[0] ** 2 + w[1] ** 2 + v[0] ** 2 + v[1] ** 2)


distance = d1**2 + d2**2 + d3**2 + d4**2
rows = (d1, Fraction(3, 4) + d2)
gain = rows[0] ** 2 / 4 + rows[1] ** 2 + Fraction(7, 16)  # of v_1^2 and of v_2^2
BEST_SECOND_LAYER = lemma(
    "best-second-layer",
    "One unit, Sigma = diag(1/4, 1), Y = diag(3, 1) X, kappa = 7/16: with g = w_1^2/4 + w_2^2 + kappa, g F >= g (13/4 + kappa |w|^2) - 9 w_1^2/16 - w_2^2.",
    (),
    gain * one_unit_ridge(rows, (v1, v2))
    >= gain * (Fraction(13, 4) + Fraction(7, 16) * (rows[0] ** 2 + rows[1] ** 2))
    - Fraction(9, 16) * rows[0] ** 2
    - rows[1] ** 2,
    but="without the loss of v_2",
    fails=gain * one_unit_ridge(rows, (v1, v2))
    >= gain * (Fraction(13, 4) + Fraction(7, 16) * (rows[0] ** 2 + rows[1] ** 2)) - Fraction(9, 16) * rows[0] ** 2,
)
best = (
    gain * (Fraction(13, 4) + Fraction(7, 16) * (rows[0] ** 2 + rows[1] ** 2))
    - Fraction(9, 16) * rows[0] ** 2
    - rows[1] ** 2
)
STRICT = lemma(
    "strict-poor-minimum",
    "Even with the best second layer F > 751/256 for 0 < |w - (0, 3/4)| <= 1/10.",
    (d1**2 + d2**2 > 0, d1**2 + d2**2 <= Fraction(1, 100)),
    best > Fraction(751, 256) * gain,
    but="for |w - (0, 3/4)| <= 2, which takes in (9/8, 0)",
    where=(d1**2 + d2**2 > 0, d1**2 + d2**2 <= 4),
    fails=best > Fraction(751, 256) * gain,
)
AT_THE_MINIMUM = lemma(
    "strict-in-the-second-layer",
    "At w = (0, 3/4) F is 751/256 + v_1^2 + (v_2 - 3/4)^2.",
    (),
    equal(
        one_unit_ridge((number(0), number(Fraction(3, 4))), (v1, v2)),
        Fraction(751, 256) + v1**2 + (v2 - Fraction(3, 4)) ** 2,
    ),
    but="at w = (9/8, 0) too",
    fails=one_unit_ridge((number(Fraction(9, 8)), number(0)), (v1, v2)) >= Fraction(751, 256),
)
curvature = Fraction(37, 64) * d1**2 - Fraction(3, 2) * d1 * d3 + d3**2 + d2**2 + d2 * d4 / 4 + d4**2
HESSIAN = lemma(
    "hessian-positive-definite",
    "The second-order part there is positive definite.",
    (distance > 0,),
    curvature > 0,
    but="and at least |d|^2 / 10",
    fails=10 * curvature >= distance,
)
FALLING = (tau1 >= 0, tau1 < tau2, tau2 <= 1)


def escape(tau: Term) -> Term:
    """The change of the risk along the two-layer escape."""
    return -(tau**2) * (s * t * sigma - t**2 * q * beta) + tau**4 * s**2 * t**2 * beta


def ridge_escape(tau: Term) -> Term:
    """The same with ridge."""
    return tau**2 * s**2 * (2 * k - sigma) + tau**4 * s**4 * beta


size = w1**2 + w2**2 + w3**2
LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "prop-2.2": (
        CHORD,
        TRANSFER,
        lemma(
            "free",
            "Three units on two samples: V nu_1 - V e_1 nu^T has column 1 zero and leaves the product as it is, times nu_1.",
            (),
            every(
                equal(freed[0], 0),
                *(
                    equal(total(freed[i] * Z[i][j] for i in range(3)), nu[0] * total(V[i] * Z[i][j] for i in range(3)))
                    for j in (0, 1)
                ),
            ),
            but="by dropping the unit instead",
            fails=every(*(equal(v2 * Z[1][j] + v3 * Z[2][j], total(V[i] * Z[i][j] for i in range(3))) for j in (0, 1))),
        ),
        lemma(
            "free-on-the-way",
            "On the whole piece from V nu_1 to V nu_1 - V e_1 nu^T the product is constant.",
            (PATH,),
            every(
                *(
                    equal(
                        total((V[i] * nu[0] - t * V[0] * nu[i]) * Z[i][j] for i in range(3)),
                        nu[0] * total(V[i] * Z[i][j] for i in range(3)),
                    )
                    for j in (0, 1)
                )
            ),
            but="for a vector nu that is no relation",
            fails=every(
                *(
                    equal(total((V[i] - t * V[0]) * Z[i][j] for i in range(3)), total(V[i] * Z[i][j] for i in range(3)))
                    for j in (0, 1)
                )
            ),
        ),
        lemma(
            "place",
            "An idle unit's row may be anything.",
            (),
            equal(v1 * x + 0 * y, v1 * x + 0 * z),
            but="if its weight is not 0",
            fails=equal(v1 * x + v2 * y, v1 * x + v2 * z),
        ),
        LARGER_END,
    ),
    "prop-2.2-width": (
        SCALAR_WALL,
        lemma(
            "last-layer-keeps-its-sign",
            "Widths (1, 2, 1, 1): (1 - w_3 (w_1 w_2))^2 < 1 only where w_3 is not 0.",
            (scalar(w1 * v1 + w2 * v2, w3) < 1,),
            differ(w3, 0),
            but="only where w_1 is not 0",
            fails=differ(w1, 0),
        ),
        lemma(
            "ridge-ends",
            "With ridge 3/4: at least 15/16 everywhere.",
            (),
            RIDGE >= Fraction(15, 16),
            but="at least 1",
            fails=RIDGE >= 1,
        ),
        lemma(
            "ridge-wall",
            "With ridge kappa the risk is at least 1 where w_1 = 0.",
            (k >= 0, equal(w1, 0)),
            scalar(w1, w2) + k * (w1**2 + w2**2) >= 1,
            but="where |w_1| <= 1/10",
            where=(k >= 0, between(Fraction(-1, 10), w1, Fraction(1, 10))),
            fails=scalar(w1, w2) + k * (w1**2 + w2**2) >= 1,
        ),
        lemma(
            "ridge-minimum",
            "For 0 <= kappa <= 1 the minimum is 1 - (1 - kappa)^2.",
            (between(0, k, 1),),
            scalar(w1, w2) + k * (w1**2 + w2**2) >= 1 - (1 - k) ** 2,
            but="with 9/10 of (1 - kappa)^2",
            fails=scalar(w1, w2) + k * (w1**2 + w2**2) >= 1 - Fraction(9, 10) * (1 - k) ** 2,
        ),
    ),
    "prop-2.2-ridge": (
        lemma(
            "chord-of-a-balancing-curve",
            "On the chord from 1 to H the product of the factors is 1 + s (1 - s)(H + 1/H - 2), at least 1.",
            (between(0, s, 1), h > 0, equal(h * g, 1)),
            equal((1 - s + s * h) * (1 - s + s * g), 1 + s * (1 - s) * (h + g - 2)) & (h + g >= 2),
            but="it is 1",
            fails=equal((1 - s + s * h) * (1 - s + s * g), 1),
        ),
        lemma(
            "balanced-factors-are-least",
            "w_1^2 + w_2^2 >= 2 |w_1 w_2|.",
            (),
            w1**2 + w2**2 >= 2 * magnitude(w1 * w2),
            but="21/10 of it",
            fails=w1**2 + w2**2 >= Fraction(21, 10) * magnitude(w1 * w2),
        ),
        lemma(
            "balancing-is-convex",
            "The squared norm g x^2 + y^2/g at the geometric mean of p^2 and q^2 is at most the mean of its values there.",
            (p > 0, q > 0, equal(p * g, 1), equal(q * h, 1)),
            x**2 * p * q + y**2 * g * h <= (x**2 * (p**2 + q**2) + y**2 * (g**2 + h**2)) / 2,
            but="9/10 of that mean",
            fails=x**2 * p * q + y**2 * g * h <= Fraction(9, 20) * (x**2 * (p**2 + q**2) + y**2 * (g**2 + h**2)),
        ),
        lemma(
            "cut",
            "A projection does not lengthen rows: <(x, y), (p, q)>^2 <= |(x, y)|^2 |(p, q)|^2.",
            (),
            (x * p + y * q) ** 2 <= (x**2 + y**2) * (p**2 + q**2),
            but="it shortens them to 9/10",
            fails=10 * (x * p + y * q) ** 2 <= 9 * (x**2 + y**2) * (p**2 + q**2),
        ),
        lemma(
            "turn",
            "A rotation of two hidden units, c^2 + s^2 = 1, leaves product and norms alone.",
            (equal(c**2 + s**2, 1),),
            equal((p * c - q * s) * (c * x - s * y) + (p * s + q * c) * (s * x + c * y), p * x + q * y)
            & equal((c * x - s * y) ** 2 + (s * x + c * y) ** 2, x**2 + y**2),
            but="whatever c^2 + s^2 is",
            where=(),
            fails=equal((p * c - q * s) * (c * x - s * y) + (p * s + q * c) * (s * x + c * y), p * x + q * y),
        ),
    ),
    "prop-2.2-ridge-depth": (
        lemma(
            "product-of-three",
            "27 a b c <= (a + b + c)^3 for the squares a, b, c of three weights: |product| <= |theta|^3 all the more.",
            (a >= 0, b >= 0, c >= 0),
            27 * a * b * c <= (a + b + c) ** 3,
            but="30 times the product",
            fails=30 * a * b * c <= (a + b + c) ** 3,
        ),
        lemma(
            "product-of-four",
            "256 a b c d <= (a + b + c + d)^4 for the squares of four weights.",
            (a >= 0, b >= 0, c >= 0, d >= 0),
            256 * a * b * c * d <= (a + b + c + d) ** 4,
            but="300 times the product",
            fails=300 * a * b * c * d <= (a + b + c + d) ** 4,
        ),
        lemma(
            "origin-is-a-strict-minimum",
            "Three scalars, E X^2 = 1, E YX = c: F(theta) > F(0) for 0 < 2 c |theta| < kappa.",
            (c > 0, k > 0, r > 0, equal(r**2, w1**2 + w2**2 + w3**2), 2 * c * r < k),
            (w1 * w2 * w3) ** 2 - 2 * c * w1 * w2 * w3 + k * r**2 > 0,
            but="for 2 c |theta| < 10 kappa",
            where=(c > 0, k > 0, size > 0, 4 * c**2 * size < 100 * k**2),
            fails=(w1 * w2 * w3) ** 2 - 2 * c * w1 * w2 * w3 + k * size > 0,
        ),
        lemma(
            "smallest-instance-is-strict",
            "(1 - w_3 w_2 w_1)^2 + |w|^2/100 is above 1 on 0 < |w|^2 <= 6/10000.",
            (size > 0, size <= Fraction(6, 10**4)),
            scalar(w1, w2, w3) + size / 100 > 1,
            but="on 0 < |w|^2 <= 7/10000",
            where=(size > 0, size <= Fraction(7, 10**4)),
            fails=scalar(w1, w2, w3) + size / 100 > 1,
        ),
        lemma(
            "wall-around-the-origin",
            "On |w|^2 = 3 kappa^2/c^2 (kappa = 1/100, c = 1) it is at least 1 + kappa^3/c^2 = 1.000001: every path from the origin climbs that.",
            (equal(size, Fraction(3, 10**4)),),
            scalar(w1, w2, w3) + size / 100 >= 1 + Fraction(1, 10**6),
            but="at least 1.000002 at (1, 1, 1)/100",
            where=(equal(w1, Fraction(1, 100)), equal(w2, w1), equal(w3, w1)),
            fails=scalar(w1, w2, w3) + size / 100 >= 1 + Fraction(2, 10**6),
        ),
        lemma(
            "height-of-the-wall",
            "In units of kappa/c, |w|^2 - 2 w_1 w_2 w_3 >= 1 on |w|^2 = 3: the wall is kappa^3/c^2 high for every kappa and c.",
            (equal(size, 3),),
            size - 2 * w1 * w2 * w3 >= 1,
            but="at least 11/10",
            fails=size - 2 * w1 * w2 * w3 >= Fraction(11, 10),
        ),
        lemma(
            "height-of-the-wall-at-depth-4",
            "In units of (kappa/c)^(1/2), |w|^2 - 2 w_1 w_2 w_3 w_4 >= 2 on |w|^2 = 4: the wall is 2 kappa^2/c high for four layers.",
            (equal(size + w4**2, 4),),
            size + w4**2 - 2 * w1 * w2 * w3 * w4 >= 2,
            but="at least 21/10",
            fails=size + w4**2 - 2 * w1 * w2 * w3 * w4 >= Fraction(21, 10),
        ),
        lemma(
            "two-layers-have-none",
            "For K = 2 the origin is a minimum when kappa >= c.",
            (c > 0, k >= c),
            (w1 * w2) ** 2 - 2 * c * w1 * w2 + k * (w1**2 + w2**2) >= 0,
            but="for smaller kappa as well",
            where=(c > 0, k > 0),
            fails=(w1 * w2) ** 2 - 2 * c * w1 * w2 + k * (w1**2 + w2**2) >= 0,
        ),
    ),
    "prop-2.2-no-strict-minima": (
        BEST_SECOND_LAYER,
        STRICT,
        AT_THE_MINIMUM,
        HESSIAN,
        lemma(
            "scaling-is-free",
            "(1 + epsilon) W_1, W_2 / (1 + epsilon): the product stays, entry by entry.",
            (equal(g * (1 + e), 1),),
            equal((g * x) * ((1 + e) * y), x * y),
            but="scaling one layer alone",
            fails=equal(x * ((1 + e) * y), x * y),
        ),
    ),
    "prop-2.2-decreasing": (
        CRITICAL,
        BEST_SECOND_LAYER,
        STRICT,
        AT_THE_MINIMUM,
        HESSIAN,
        lemma(
            "escape-falls",
            "K = 2: -tau^2 (s t sigma - t^2 q beta) + tau^4 s^2 t^2 beta falls strictly on [0, 1] if t beta (q + 2 s^2) <= s sigma; q = |W_2 w|^2.",
            (sigma > 0, beta > 0, s > 0, t > 0, q >= 0, t * beta * (q + 2 * s**2) <= s * sigma, *FALLING),
            escape(tau2) < escape(tau1),
            but="if t beta (q + s^2) <= s sigma",
            where=(sigma > 0, beta > 0, s > 0, t > 0, q >= 0, t * beta * (q + s**2) <= s * sigma, *FALLING),
            fails=escape(tau2) < escape(tau1),
        ),
        lemma(
            "escape-falls-with-ridge",
            "With ridge, tau^2 s^2 (2 kappa - sigma) + tau^4 s^4 beta falls strictly on [0, 1] if 2 s^2 beta <= sigma - 2 kappa.",
            (beta > 0, s > 0, k >= 0, sigma > 2 * k, 2 * s**2 * beta <= sigma - 2 * k, *FALLING),
            ridge_escape(tau2) < ridge_escape(tau1),
            but="if s^2 beta <= sigma - 2 kappa",
            where=(beta > 0, s > 0, k >= 0, sigma > 2 * k, s**2 * beta <= sigma - 2 * k, *FALLING),
            fails=ridge_escape(tau2) < ridge_escape(tau1),
        ),
        lemma(
            "straight-to-the-minimum",
            "A parabola falls strictly on the way to its minimum.",
            (a > 0, *FALLING),
            a * (1 - tau2) ** 2 < a * (1 - tau1) ** 2,
            but="and beyond it, until 2",
            where=(a > 0, tau1 >= 0, tau1 < tau2, tau2 <= 2),
            fails=a * (1 - tau2) ** 2 < a * (1 - tau1) ** 2,
        ),
    ),
    "prop-2.2-proof-published": (
        lemma(
            "wide-matrices-have-no-left-inverse",
            "W^T W is singular for W = (w_1, w_2).",
            (),
            equal((w1 * w1) * (w2 * w2) - (w1 * w2) ** 2, 0),
            but="for 2 x 2 matrices as well",
            fails=equal(determinant(product(transposed(A), A)), 0),
        ),
        lemma(
            "right-inverse",
            "W W^T = w_1^2 + w_2^2 is not 0 unless W is.",
            (differ(w1, 0) | differ(w2, 0),),
            w1**2 + w2**2 > 0,
            but="and at least 1",
            fails=w1**2 + w2**2 >= 1,
        ),
    ),
    "prop-2.2-proof-later": (
        lemma(
            "repaired-second-layer",
            "W_2 = M W_1^+ + Q (I - W_1 W_1^+) has the product M, for W_1 = (w_1, w_2)^T, times |W_1|^2.",
            (),
            equal(
                (x * w1 + v1 * (w1**2 + w2**2) - (v1 * w1 + v2 * w2) * w1) * w1
                + (x * w2 + v2 * (w1**2 + w2**2) - (v1 * w1 + v2 * w2) * w2) * w2,
                x * (w1**2 + w2**2),
            ),
            but="and is Q where M = Q W_1 fails",
            fails=equal((x * w1 + v1 * (w1**2 + w2**2) - (v1 * w1 + v2 * w2) * w1), v1 * (w1**2 + w2**2)),
        ),
        lemma(
            "and-starts-at-W2",
            "Where M = W_2 W_1 and Q = W_2 it is W_2.",
            (equal(x, v1 * w1 + v2 * w2),),
            equal(x * w1 + v1 * (w1**2 + w2**2) - (v1 * w1 + v2 * w2) * w1, v1 * (w1**2 + w2**2)),
            but="without the second term, as printed",
            fails=equal(x * w1, v1 * (w1**2 + w2**2)),
        ),
    ),
    "linear-square-barrier": (
        SCALAR_WALL,
        SINGULAR,
        lemma(
            "scalar-barrier-with-ridge",
            "(1 - x)^2 + 2 kappa |x| at x = 0 is above the minimum by (1 - kappa)^2, the squared soft threshold, for kappa <= 1.",
            (between(0, k, 1),),
            (1 - x) ** 2 + 2 * k * magnitude(x) >= 1 - (1 - k) ** 2,
            but="by 9/10 of it",
            fails=(1 - x) ** 2 + 2 * k * magnitude(x) >= 1 - Fraction(9, 10) * (1 - k) ** 2,
        ),
    ),
    "eq-12": (
        lemma(
            "nuclear-norm-of-scalars",
            "|w_2 w_1| <= (w_1^2 + w_2^2) / 2.",
            (),
            2 * magnitude(w1 * w2) <= w1**2 + w2**2,
            but="9/10 of it",
            fails=2 * magnitude(w1 * w2) <= Fraction(9, 10) * (w1**2 + w2**2),
        ),
        lemma(
            "equality-is-attained",
            "With w_1 = z, w_2 = +-z there is equality.",
            (),
            equal(2 * magnitude(z * z), z**2 + z**2) & equal(2 * magnitude(z * -z), z**2 + z**2),
            but="with w_2 = 2 z",
            fails=equal(2 * magnitude(z * (2 * z)), z**2 + (2 * z) ** 2),
        ),
        lemma(
            "hadamard",
            "|det M| is at most the product of the lengths of its columns.",
            (),
            determinant(M) ** 2 <= (M[0][0] ** 2 + M[1][0] ** 2) * (M[0][1] ** 2 + M[1][1] ** 2),
            but="9/10 of it, squared",
            fails=determinant(M) ** 2
            <= Fraction(9, 10) * (M[0][0] ** 2 + M[1][0] ** 2) * (M[0][1] ** 2 + M[1][1] ** 2),
        ),
        lemma(
            "nuclear-norm-of-2x2",
            "W_1 = diag(p, q), W_2 with columns of lengths x, y: |W_2 W_1|_*^2 = p^2 x^2 + q^2 y^2 + 2 p q |det W_2| <= (|W_1|^2 + |W_2|^2)^2/4.",
            (p >= 0, q >= 0, x >= 0, y >= 0, d**2 <= x**2 * y**2),
            4 * (p**2 * x**2 + q**2 * y**2 + 2 * p * q * d) <= (p**2 + q**2 + x**2 + y**2) ** 2,
            but="9/10 of it",
            fails=4 * (p**2 * x**2 + q**2 * y**2 + 2 * p * q * d) <= Fraction(9, 10) * (p**2 + q**2 + x**2 + y**2) ** 2,
        ),
    ),
}
