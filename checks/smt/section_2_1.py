"""Section 2.1: poor minima and connectedness."""

from __future__ import annotations

from fractions import Fraction

from checks.smt.shared import CRITICAL, SINGULAR, determinant, entries, matrix, product, same, transposed
from checks.smt.statements import Lemma, lemma
from checks.smt.terms import Formula, Term, between, differ, equal, every, reals, relu, total

u, w, v, t, a, b, x, q, e = reals("u w v t a b x q epsilon")
PATH = between(0, t, 1)


def one_unit(w: Term, v: Term) -> Term:
    """F of one unit on the sample x = y = 1."""
    return (1 - v * relu(w)) ** 2


W, F, U = matrix("W"), matrix("F"), matrix("U")
adjugate = ((F[1][1], -F[0][1]), (-F[1][0], F[0][0]))
scaled = entries(lambda i, j: determinant(F) * product(U, W)[i][j])
risk = (1 - u * v) ** 2 + (1 - q**2) * (u**2 + v**2)  # kappa = 1 - q^2

outgoing, incoming, idle = reals("a_1 a_2"), reals("b_1 b_2"), reals("w_1 w_2")
stepped = product(
    entries(lambda i, j: U[i][j] + e * outgoing[i] * idle[j]),
    entries(lambda i, j: W[i][j] + e**2 * idle[i] * incoming[j]),
)


def step_term(i: int, j: int, order: int) -> Term:
    """What the step adds to an entry of the product at this order in epsilon."""
    if order == 1:
        return outgoing[i] * (idle[0] * W[0][j] + idle[1] * W[1][j])
    if order == 2:
        return (U[i][0] * idle[0] + U[i][1] * idle[1]) * incoming[j]
    return (idle[0] ** 2 + idle[1] ** 2) * outgoing[i] * incoming[j]


def step_sum(*orders: int) -> Formula:
    """The product changes by these orders alone."""
    before = product(U, W)
    change = ((i, j, total(e**k * step_term(i, j, k) for k in orders)) for i in (0, 1) for j in (0, 1))
    return every(*(equal(stepped[i][j], before[i][j] + x) for i, j, x in change))


LOW = lemma(
    "below-1-both-positive",
    "Where (1 - v (w)_+)^2 < 1 both numbers are positive.",
    (one_unit(w, v) < 1,),
    (w > 0) & (v > 0),
    but="at most 1",
    where=(one_unit(w, v) <= 1,),
    fails=(w > 0) & (v > 0),
)
PLATEAU = lemma(
    "dead-plateau",
    "Where w <= 0 the risk is 1, whatever v: local minima that are not strict.",
    (w <= 0,),
    equal(one_unit(w, v), 1),
    but="for all w <= 1/10",
    where=(w <= Fraction(1, 10),),
    fails=equal(one_unit(w, v), 1),
)

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "prop-2.1-nonstrict": (
        PLATEAU,
        LOW,
        lemma(
            "down-to-v-0",
            "From any point the line to v = 0 stays at or below the larger of F and 1.",
            (PATH,),
            (one_unit(w, t * v) <= one_unit(w, v)) | (one_unit(w, t * v) <= 1),
            but="at or below 1",
            fails=one_unit(w, t * v) <= 1,
        ),
        lemma(
            "only-dead-points-are-poor",
            "Smallest: where w > 0 and F > 0 the risk falls along v, strictly.",
            (w > 0, differ(v * w, 1), t > 0, t * w**2 <= 1),
            one_unit(w, v + t * w * (1 - v * w)) < one_unit(w, v),
            but="for w <= 0 too",
            where=(differ(v * w, 1), t > 0, t * w**2 <= 1),
            fails=one_unit(w, v + t * w * (1 - v * w)) < one_unit(w, v),
        ),
    ),
    "intro-descent": (PLATEAU,),
    "sec-2.1-saddle": (
        LOW,
        lemma(
            "far-from-the-orbit",
            "Points with F < 1 are at a squared distance of more than 2 from the orbit (-a, -1/a).",
            (w > 0, v > 0, a > 0, equal(a * b, 1)),
            (w + a) ** 2 + (v + b) ** 2 > 2,
            but="more than 21/10",
            fails=(w + a) ** 2 + (v + b) ** 2 > Fraction(21, 10),
        ),
    ),
    "sec-2.1-orbits": (
        lemma(
            "positive-scaling",
            "a > 0 passes through the ReLU and cancels.",
            (a > 0, equal(a * b, 1)),
            equal(v * b * relu(a * w), v * relu(w)),
            but="a < 0 as well",
            where=(equal(a * b, 1),),
            fails=equal(v * b * relu(a * w), v * relu(w)),
        ),
        lemma(
            "factors-cancel",
            "U adj(F) F W = det(F) U W for 2 x 2 matrices.",
            (),
            same(product(product(U, adjugate), product(F, W)), scaled),
            but="in the order U F adj(F)^T W",
            fails=same(product(product(U, F), product(transposed(adjugate), W)), scaled),
        ),
    ),
    "sec-2.1-not-necessary": (
        SINGULAR,
        lemma(
            "step-along-an-idle-direction",
            "U + e a w^T, W + e^2 w b^T: the product changes by e a (w^T W) + e^2 (U w) b^T + e^3 |w|^2 a b^T, for 2 x 2 matrices.",
            (),
            step_sum(1, 2, 3),
            but="without the last term",
            fails=step_sum(1, 2),
        ),
        lemma(
            "wall-at-rank-0",
            "Where u = 0 the ridge risk (1 - uv)^2 + (1 - q^2)(u^2 + v^2) is at least 1.",
            (between(0, q, 1), equal(u, 0)),
            risk >= 1,
            but="for |u| <= 1/10",
            where=(between(0, q, 1), between(Fraction(-1, 10), u, Fraction(1, 10))),
            fails=risk >= 1,
        ),
        lemma(
            "level-of-the-minima",
            "The risk (1 - uv)^2 + (1 - q^2)(u^2 + v^2) is at least 1 - q^4 everywhere.",
            (between(0, q, 1),),
            risk >= 1 - q**4,
            but="at least 1 - q^5",
            fails=risk >= 1 - q**5,
        ),
        CRITICAL,
        lemma(
            "origin-is-no-minimum",
            "Along (t, t) it is below 1, its value at the origin, for 0 < t < q.",
            (between(0, t, q), t < q, t > 0, q <= 1),
            (1 - t**2) ** 2 + 2 * (1 - q**2) * t**2 < 1,
            but="for 0 < t < 3 q / 2",
            where=(q > 0, q <= 1, t > 0, 2 * t < 3 * q),
            fails=(1 - t**2) ** 2 + 2 * (1 - q**2) * t**2 < 1,
        ),
    ),
    "sec-2.1-hessian": (
        lemma(
            "x^4-strict",
            "x^4 has a strict minimum at 0.",
            (differ(x, 0),),
            x**4 > 0,
            but="that is quadratic: x^4 >= x^2 / 1000",
            fails=1000 * x**4 >= x**2,
        ),
        lemma(
            "x^4-flat",
            "No multiple of x^2 is below x^4: at x = epsilon / (1 + epsilon) it is above, and the second derivative at 0 must vanish.",
            (e > 0, equal(x * (1 + e), e)),
            x**4 < e * x**2,
            but="for x = 1 + epsilon as well",
            where=(e > 0, equal(x, 1 + e)),
            fails=x**4 < e * x**2,
        ),
    ),
}
