"""Sections 3 and 4, appendices A and E: strings, disconnection, sublevel sets on grids."""

from __future__ import annotations

from fractions import Fraction

from checks.smt.shared import CHORD, TRANSFER
from checks.smt.statements import Lemma, lemma
from checks.smt.terms import (
    Formula,
    Real,
    Term,
    between,
    differ,
    equal,
    every,
    larger,
    magnitude,
    reals,
    relu,
    some,
    total,
)

t, w, c, f, s, g, j, x, h, L, p, q = reals("t w c f s g j x h L p q")
w1, w2, v1, v2 = reals("w_1 w_2 v_1 v_2")
n1, n2, n3, mu = reals("nu_1 nu_2 nu_3 mu")
Corners = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
PATH = between(0, t, 1)


def piece(start: tuple, end: tuple) -> Term:
    """(w_1 w_2 - 1)^2 along the segment."""
    first, second = ((1 - t) * Fraction(a) + t * Fraction(b) for a, b in zip(start, end))
    return (first * second - 1) ** 2


QUARTER = Fraction(1, 4)
PIECE = lemma(
    "half-piece",
    "(w_1 w_2 - 1)^2 is at most 1/64 on the piece from (1/2, 2) to (1, 1).",
    (PATH,),
    piece((Fraction(1, 2), 2), (1, 1)) <= Fraction(1, 64),
    but="at most 1/70, the level at which a grid without its middle accepts it",
    fails=piece((Fraction(1, 2), 2), (1, 1)) <= Fraction(1, 70),
)
EQUIDISTANT = lemma(
    "equidistant-hyperplane",
    "|x - a|^2 - |x - b|^2 = -2 <a - b, x - (a+b)/2> in the plane: with the right midpoint the term vanishes on that hyperplane alone.",
    (),
    equal(
        (x - p) ** 2 + (h - q) ** 2 - (x - w1) ** 2 - (h - w2) ** 2,
        -2 * ((p - w1) * (x - (p + w1) / 2) + (q - w2) * (h - (q + w2) / 2)),
    ),
    but="with the printed midpoint (a - b)/2",
    fails=equal(
        (x - p) ** 2 + (h - q) ** 2 - (x - w1) ** 2 - (h - w2) ** 2,
        -2 * ((p - w1) * (x - (p - w1) / 2) + (q - w2) * (h - (q - w2) / 2)),
    ),
)
TRANSLATION = lemma(
    "printed-term-depends-on-the-origin",
    "With the right midpoint the term does not change when everything moves by h (one dimension).",
    (),
    equal((p + h - (q + h)) * (x + h - (p + h + q + h) / 2), (p - q) * (x - (p + q) / 2)),
    but="with the printed midpoint",
    fails=equal((p + h - (q + h)) * (x + h - (p + h - (q + h)) / 2), (p - q) * (x - (p - q) / 2)),
)
NU = (n1, n2, n3)
nu_norm = n1**2 + n2**2 + n3**2


def two_units_on(
    name: str, words: str, corners: Corners, cosine: int, least: Real, above: Real, *root: Formula
) -> Lemma:
    """e(2) of the task x_i -> x_{i+1}: where nu is orthogonal to two independent rows of features |Y nu|^2 >= 3 e(2) |nu|^2.

    corners: in a basis of two unit vectors, twice whose inner product is `cosine`; least: 3 e(2); above: too much.
    """
    rows = tuple(tuple(relu(a * x + b * y) for x, y in corners) for a, b in ((v1, v2), (w1, w2)))
    minors = (rows[0][i] * rows[1][k] - rows[0][k] * rows[1][i] for i, k in ((0, 1), (0, 2), (1, 2)))
    given = (
        *(equal(total(n * z for n, z in zip(NU, row)), 0) for row in rows),
        some(*(differ(minor, 0) for minor in minors)),
    )
    first, second = (total(n * corners[(i + 1) % 3][k] for i, n in enumerate(NU)) for k in (0, 1))
    missed = first**2 + cosine * first * second + second**2
    return lemma(
        name,
        words,
        (*given, *root),
        missed >= least * nu_norm,
        but=f"at least {above} |nu|^2",
        where=given,
        fails=missed >= above * nu_norm,
    )


TRIANGLES = (
    two_units_on(
        "e(2)-around-the-origin",
        "Equilateral triangle around the origin: |Y nu|^2 >= |nu|^2/2 for every nu of two units, so e(2) >= 1/6.",
        ((1, 0), (0, 1), (-1, -1)),
        -1,
        Fraction(1, 2),
        Fraction(6, 10),
    ),
    two_units_on(
        "e(2)-at-0-60-120-degrees",
        "Three points at 0, 60 and 120 degrees: e(2) >= 1/6.",
        ((1, 0), (0, 1), (-1, 1)),
        1,
        Fraction(1, 2),
        Fraction(6, 10),
    ),
    two_units_on(
        "e(2)-of-e1-e2-and-their-sum",
        "Points (1, 0), (0, 1), (1, 1): |Y nu|^2 >= mu |nu|^2, mu the smaller root of mu^2 - 3 mu + 1, so e(2) >= (3 - sqrt 5)/6.",
        ((1, 0), (0, 1), (1, 1)),
        0,
        mu,
        Fraction(4, 10),
        equal(mu**2 - 3 * mu + 1, 0),
        mu < 1,
    ),
    two_units_on(
        "e(2)-of-opposite-points",
        "Points (1, 0), (-1, 0), (0, 1): |Y nu|^2 >= |nu|^2, so e(2) >= 1/3.",
        ((1, 0), (-1, 0), (0, 1)),
        0,
        1,
        Fraction(11, 10),
    ),
)
d1, d2, d3 = reals("d_1 d_2 d_3")
lagrange = (d1 * n2 - d2 * n1) ** 2 + (d1 * n3 - d3 * n1) ** 2 + (d2 * n3 - d3 * n2) ** 2
SQUARE = lemma(
    "singular-features-cost",
    "With d = y - a, <a, nu> = 0: <y, nu>^2 = <d, nu>^2 = |d|^2 |nu|^2 less three squares, so the targets y are missed by <y, nu>^2/|nu|^2 at least.",
    (),
    equal((d1 * n1 + d2 * n2 + d3 * n3) ** 2 + lagrange, (d1**2 + d2**2 + d3**2) * nu_norm),
    but="without the squares",
    fails=equal((d1 * n1 + d2 * n2 + d3 * n3) ** 2, (d1**2 + d2**2 + d3**2) * nu_norm),
)
features = tuple(reals(f"z_{i}1 z_{i}2 z_{i}3") for i in range(1, 5))  # four units on three points


def determinant3(a: tuple, b: tuple, c: tuple) -> Term:
    """Of three rows of three numbers."""
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])


SWAP = lemma(
    "a-swap-changes-the-sign",
    "Exchanging two units changes the sign of det Z.",
    (),
    equal(determinant3(*features[:3]), -determinant3(features[1], features[0], features[2])),
    but="as does a rotation of three",
    fails=equal(determinant3(*features[:3]), -determinant3(features[1], features[2], features[0])),
)
minors = tuple((-1) ** i * determinant3(*(row for k, row in enumerate(features) if k != i)) for i in range(4))
SPARE = lemma(
    "four-units-on-three-points",
    "Four rows of features on three points have the relation of their 3 x 3 minors: one unit can be freed.",
    (),
    every(*(equal(total(minors[i] * features[i][k] for i in range(4)), 0) for k in range(3))),
    but="with all signs positive",
    fails=every(*(equal(total((-1) ** i * minors[i] * features[i][k] for i in range(4)), 0) for k in range(3))),
)


def turned(point: tuple[Term, Term]) -> tuple[Term, Term]:
    """[[0, -1], [1, -1]] times the point."""
    return -point[1], point[0] - point[1]


once = turned((x, h))
twice = turned(once)
hat = relu(f + 1) - 2 * relu(f) + relu(f - 1)

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "alg-1-recursion": (
        PIECE,
        lemma(
            "left-half-is-done",
            "(w_1 w_2 - 1)^2 is at most 1/64 on the piece from (1/4, 4) to (1/2, 2).",
            (PATH,),
            piece((QUARTER, 4), (Fraction(1, 2), 2)) <= Fraction(1, 64),
            but="and at most 1/4 from (1, 1) to (4, 1/4), which the printed return never looks at",
            fails=piece((1, 1), (4, QUARTER)) <= QUARTER,
        ),
        lemma(
            "right-half-stays",
            "From (1, 1) to (4, 1/4) it is at most 81/256.",
            (PATH,),
            piece((1, 1), (4, QUARTER)) <= Fraction(81, 256),
            but="at most 80/256",
            fails=piece((1, 1), (4, QUARTER)) <= Fraction(80, 256),
        ),
    ),
    "alg-1-sound": (PIECE,),
    "alg-1-runtime": (
        lemma(
            "chord-of-a-hyperbola",
            "On the chord from (p, 1/p) to (q, 1/q) the product is 1 + t(1-t)(p-q)^2/(pq): the excess is of second order in the distance of the ends.",
            (PATH, p > 0, q > 0, equal(p * w, 1), equal(q * x, 1)),
            equal(((1 - t) * p + t * q) * ((1 - t) * w + t * x), 1 + t * (1 - t) * (p - q) ** 2 * w * x),
            but="it is 1",
            fails=equal(((1 - t) * p + t * q) * ((1 - t) * w + t * x), 1),
        ),
    ),
    "app-a-hyperplane": (EQUIDISTANT, TRANSLATION),
    "app-a-hyperplane-formula": (EQUIDISTANT, TRANSLATION),
    "app-a-breadth-first": (
        lemma(
            "two-arms",
            "(w_1 w_2 - c)^2 < c^2 only where w_1 is not 0: the barrier between the arms is c^2.",
            (c > 0, (w1 * w2 - c) ** 2 < c**2),
            w1 * w2 > 0,
            but="at the barrier too",
            where=(c > 0, (w1 * w2 - c) ** 2 <= c**2),
            fails=w1 * w2 > 0,
        ),
    ),
    "app-e1-disconnected": (SWAP, SQUARE, *TRIANGLES, CHORD),
    "app-e1-parameters": (
        lemma(
            "triangle-by-one-matrix",
            "[[0, -1], [1, -1]] moves any point round a triangle: three times is the identity, and the corners add up to 0.",
            (),
            every(*(equal(turned(twice)[i], (x, h)[i]) & equal((x, h)[i] + once[i] + twice[i], 0) for i in (0, 1))),
            but="twice is the identity",
            fails=every(*(equal(twice[i], (x, h)[i]) for i in (0, 1))),
        ),
    ),
    "app-e1-threshold": (SPARE, TRANSFER),
    "sampling-misses": (
        lemma(
            "hat",
            "relu(f+1) - 2 relu(f) + relu(f-1) is the hat (1 - |f|)_+.",
            (),
            equal(hat, relu(1 - magnitude(f))),
            but="(1 - |f|)_+ + |f|/100",
            fails=equal(hat, relu(1 - magnitude(f)) + magnitude(f) / 100),
        ),
        lemma(
            "grid-sees-zero",
            "At all grid points j <= g and j >= g + 1 the hat of f = s (j - g - 1/2) is 0 once s >= 2.",
            (s >= 2, (j <= g) | (j >= g + 1), equal(f, s * (j - g - Fraction(1, 2)))),
            equal(hat, 0),
            but="once s >= 19/10",
            where=(10 * s >= 19, (j <= g) | (j >= g + 1), equal(f, s * (j - g - Fraction(1, 2)))),
            fails=equal(hat, 0),
        ),
    ),
    "sublevel-tree": (
        lemma(
            "inside-an-edge",
            "On an edge of length h an L-Lipschitz function is at most L h / 2 above its larger end.",
            (between(0, x, h), L >= 0, magnitude(f - p) <= L * x, magnitude(f - q) <= L * (h - x)),
            f <= larger(p, q) + L * h / 2,
            but="L h / 3",
            fails=f <= larger(p, q) + L * h / 3,
        ),
        lemma(
            "corner-of-a-cube",
            "A corner of the plane's cell of mesh h is within h sqrt 2: r^2 <= 2 h^2.",
            (between(0, x, h), between(0, w, h)),
            x**2 + w**2 <= 2 * h**2,
            but="r^2 <= 19/10 h^2",
            fails=x**2 + w**2 <= Fraction(19, 10) * h**2,
        ),
    ),
    "sec-3.1-geodesic": (
        lemma(
            "detours-are-longer",
            "Lengths x, h of two vectors of the plane: <a, b> <= x h, so |a + b| <= |a| + |b| and no path is shorter than the segment.",
            (x >= 0, h >= 0, equal(x**2, p**2 + q**2), equal(h**2, w1**2 + w2**2)),
            p * w1 + q * w2 <= x * h,
            but="9/10 of it",
            fails=p * w1 + q * w2 <= Fraction(9, 10) * x * h,
        ),
    ),
}
