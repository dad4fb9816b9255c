"""Section 2.3.1: half-rectified networks are generally disconnected."""

from __future__ import annotations

from fractions import Fraction

from checks.smt.shared import MERGE, TRANSFER, determinant, entries, matrix, squares
from checks.smt.statements import Lemma, lemma
from checks.smt.terms import Term, between, equal, reals, relu, total

u, v, w, x, z, g, h, p, q, r, f = reals("u v w x z g h p q r f")
a, b, c, d, pi = reals("a b c d pi")
b1, b2, w1, w2 = reals("b_1 b_2 w_1 w_2")
P = matrix("P")
first, second = reals("a_1 a_2 w_1 w_2"), reals("b_1 b_2 v_1 v_2")  # outgoing and incoming weights of two units
mixed = entries(lambda i, j: p * first[i] * first[2 + j] + q * second[i] * second[2 + j])  # p A + q B, both of rank one
polar = (first[0] * second[1] - first[1] * second[0]) * (first[2] * second[3] - first[3] * second[2])
from_identity = (P[0][0] - 1) ** 2 + P[0][1] ** 2 + P[1][0] ** 2 + (P[1][1] - 1) ** 2


def two_units(*units: tuple[Term, Term]) -> Term:
    """F on X = +-1, Y = X, without penalty."""
    return ((1 - total(b * relu(w) for b, w in units)) ** 2 + (-1 - total(b * relu(-w) for b, w in units)) ** 2) / 2


mixture = ((pi - v * relu(u)) ** 2 + (1 - pi - v * relu(-u)) ** 2) / 2

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "sec-2.3.1-gaussians": (
        lemma(
            "determinant-of-two-units",
            "det(p A + q B) = p q D for units A = a w^T, B = b v^T, D = det(a, b) det(w, v): one sign for all p, q >= 0.",
            (p >= 0, q >= 0),
            equal(determinant(mixed), p * q * polar),
            but="with the opposite sign",
            fails=equal(determinant(mixed), -p * q * polar),
        ),
        lemma(
            "identity-far-from-det-at-most-0",
            "A 2 x 2 matrix with det <= 0 is at a squared distance of at least 1 from the identity.",
            (determinant(P) <= 0,),
            from_identity >= 1,
            but="with det <= 1/10",
            where=(determinant(P) <= Fraction(1, 10),),
            fails=from_identity >= 1,
        ),
        lemma(
            "determinant-at-most-half-the-square",
            "det Q <= |Q|^2 / 2.",
            (),
            2 * determinant(P) <= squares(P),
            but="9/20 of |Q|^2",
            fails=20 * determinant(P) <= 9 * squares(P),
        ),
        lemma(
            "both-signs",
            "|P - I|^2 + g >= 1 where det P <= g/2, in units of sqrt 2: the sum of both distances is at least 2.",
            (g >= 0, 2 * determinant(P) <= g),
            from_identity + g >= 1,
            but="where det P <= 3 g/5",
            where=(g >= 0, 5 * determinant(P) <= 3 * g),
            fails=from_identity + g >= 1,
        ),
        lemma(
            "one-direction-costs-half",
            "Given <u, X>, |u| = 1, the variances 1 - u_1^2 and 1 - u_2^2 have the mean 1/2.",
            (equal(u**2 + v**2, 1),),
            equal((1 - u**2) / 2 + (1 - v**2) / 2, Fraction(1, 2)),
            but="whatever the length of u is",
            where=(),
            fails=equal((1 - u**2) / 2 + (1 - v**2) / 2, Fraction(1, 2)),
        ),
    ),
    "sec-2.3.1-tessellation": (
        TRANSFER,
        MERGE,
        lemma(
            "two-units-on-the-line",
            "n = 1, X = +-1, Y = X: two units of which one row vanishes have F >= 1/2, so units of opposite signs cannot change places.",
            (equal(w1, 0),),
            two_units((b1, w1), (b2, w2)) >= Fraction(1, 2),
            but="without a vanishing row",
            where=(),
            fails=two_units((b1, w1), (b2, w2)) >= Fraction(1, 2),
        ),
        lemma(
            "rows-keep-their-signs",
            "Below 1/2 the rows have opposite signs.",
            (w1 * w2 >= 0,),
            two_units((b1, w1), (b2, w2)) >= Fraction(1, 2),
            but="with three units, the third of any sign",
            fails=two_units((b1, w1), (b2, w2), (h, r)) >= Fraction(1, 2),
        ),
    ),
    "sec-2.3.1-mixture": (
        lemma(
            "no-longer-critical",
            "x = +-1, Phi = (x)_+, Phi' = (-x)_+, any pi < 1: a small step of v from 1 towards pi lowers the risk.",
            (between(0, pi, 1), pi < 1, between(0, h, 1), h > 0, equal(v, 1 - h * (1 - pi))),
            (v - pi) ** 2 < (1 - pi) ** 2,
            but="away from pi",
            where=(between(0, pi, 1), pi < 1, between(0, h, 1), h > 0, equal(v, 1 + h * (1 - pi))),
            fails=(v - pi) ** 2 < (1 - pi) ** 2,
        ),
        lemma(
            "right-valley",
            "For u > 0 the risk is at least (1 - pi)^2 / 2, reached where u v = pi.",
            (between(0, pi, 1), u >= 0),
            mixture >= (1 - pi) ** 2 / 2,
            but="for u < 0 too",
            where=(between(0, pi, 1),),
            fails=mixture >= (1 - pi) ** 2 / 2,
        ),
        lemma(
            "left-valley",
            "For u < 0 the risk is at least pi^2 / 2.",
            (between(0, pi, 1), u <= 0),
            mixture >= pi**2 / 2,
            but="at least 11/20 pi^2",
            fails=mixture >= Fraction(11, 20) * pi**2,
        ),
        lemma(
            "wall-between",
            "On u = 0 the risk is (pi^2 + (1 - pi)^2) / 2: the barrier.",
            (equal(u, 0),),
            equal(mixture, (pi**2 + (1 - pi) ** 2) / 2),
            but="for u <= 1/4",
            where=(between(0, pi, 1), between(0, u, Fraction(1, 4))),
            fails=mixture >= (pi**2 + (1 - pi) ** 2) / 2,
        ),
        lemma(
            "poor-minimum-is-isolated-from-below",
            "For pi = 3/4 the valley u < 0 lies above 9/32, the other reaches 1/32: with the wall at 5/16 between.",
            (u <= 0,),
            ((Fraction(3, 4) - v * relu(u)) ** 2 + (Fraction(1, 4) - v * relu(-u)) ** 2) / 2 >= Fraction(9, 32),
            but="above 10/32",
            fails=((Fraction(3, 4) - v * relu(u)) ** 2 + (Fraction(1, 4) - v * relu(-u)) ** 2) / 2 >= Fraction(10, 32),
        ),
    ),
}
