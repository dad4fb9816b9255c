"""Section 2.3.2: the kernel (Proposition 2.3 and the remarks after it), the oracle risk, compressibility.

A pair of unit vectors at the angle alpha meets x through two numbers only, u = <x, w_m> and v = <x, d^>: with
c = cos(alpha/2), s = sin(alpha/2) >= 0 the pre-activations are c u - s v and c u + s v. Where c^2 + s^2 = 1 matters, it is
multiplied in, so that every statement holds for all c, s >= 0 and no equation has to be solved.
"""

from __future__ import annotations

from fractions import Fraction

from checks.smt.shared import CAUCHY, DUALITY, LIPSCHITZ, RAY
from checks.smt.statements import Lemma, lemma
from checks.smt.terms import between, differ, equal, larger, magnitude, reals, relu, smaller, where

c, s, u, v, t, p, q, r, b, g, z, f, y, x, w, h, a = reals("c s u v t p q r b g z f y x w h a")
S, M, L, V, k = reals("S M L V kappa")

ANGLE = (c >= 0, s >= 0)
minus, plus = c * u - s * v, c * u + s * v
kernel = relu(minus) * relu(plus)
active = (minus >= 0) & (plus >= 0)  # A
wedge = (u >= 0) & ((minus < 0) | (plus < 0))  # B
main, across = c**2 * relu(u) ** 2, s**2 * v**2
sin2 = 4 * c**2 * s**2  # sin^2(alpha), up to a factor (c^2 + s^2)^2 = 1
one = c**2 + s**2

UPPER = lemma(
    "kernel-upper",
    "The product of two activations is at most the square of the activation of their mean.",
    ANGLE,
    kernel <= main,
    but="with cos(alpha) in place of cos^2(alpha/2), as the remark prints it",
    fails=kernel <= (c**2 - s**2) * relu(u) ** 2,
)
LOWER = lemma(
    "kernel-lower",
    "On the half space of the bisector the product of the pre-activations is at most the product of the activations.",
    ANGLE,
    where((u >= 0), c**2 * u**2 - s**2 * v**2) <= kernel,
    but="with 9/10 of s^2",
    fails=where((u >= 0), c**2 * u**2 - Fraction(9, 10) * s**2 * v**2) <= kernel,
)
GAP = lemma(
    "kernel-gap",
    "What the kernel loses against its upper bound is exactly the smaller of c^2 u^2 and s^2 v^2 on the half space.",
    ANGLE,
    equal(main - kernel, where(u >= 0, smaller(c**2 * u**2, s**2 * v**2))),
    but="at most 9/10 of it",
    fails=main - kernel <= Fraction(9, 10) * where(u >= 0, smaller(c**2 * u**2, s**2 * v**2)),
)
RANGE = lemma(
    "kernel-range",
    "The atom p w_m + q d^, p >= 0, has the kernel max(0, c^2 p^2 - s^2 q^2): every value of the range is attained.",
    (*ANGLE, p >= 0),
    equal(relu(c * p - s * q) * relu(c * p + s * q), larger(0, c**2 * p**2 - s**2 * q**2)),
    but="for a negative p too",
    where=ANGLE,
    fails=equal(relu(c * p - s * q) * relu(c * p + s * q), larger(0, c**2 * p**2 - s**2 * q**2)),
)
SYMMETRIC = lemma(
    "kernel-symmetric",
    "For x and -x together the kernel exceeds half the inner product by at most half of s^2 v^2, and never falls below it.",
    ANGLE,
    between(0, kernel + relu(-minus) * relu(-plus) - minus * plus, s**2 * v**2),
    but="at most 9/10 of that",
    fails=kernel + relu(-minus) * relu(-plus) - minus * plus <= Fraction(9, 10) * s**2 * v**2,
)
PRINTED = lemma(
    "kernel-printed",
    "Pointwise with the printed factor 2 (s^2 + sin^2(alpha)), on v^2 alone; E v^2 is at most the norm.",
    ANGLE,
    main * one - 2 * (s**2 * one + sin2) * v**2 <= kernel * one,
    but="with a tenth of s^2 + sin^2(alpha)",
    fails=main * one - Fraction(1, 10) * (s**2 * one + sin2) * v**2 <= kernel * one,
)
COVARIANCE = lemma(
    "second-moment-not-covariance",
    "A point mass obeys the lower bound with the second moment, on the half space.",
    ANGLE,
    main - s**2 * v**2 <= kernel,
    but="with the covariance of a point mass, which is 0",
    fails=main <= kernel,
)
b1, b2, w1, w2 = reals("b_1 b_2 w_1 w_2")

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "eq-6-monotone": (
        lemma(
            "gain-of-a-unit",
            "One more unit with weight b changes the risk by -2 b q + b^2 z + kappa |b|, at best by -(|q| - kappa/2)_+^2 / z.",
            (z > 0, k >= 0),
            z * (-2 * b * q + b**2 * z + k * magnitude(b)) >= -(relu(magnitude(q) - k / 2) ** 2),
            but="at best 9/10 of that",
            fails=z * (-2 * b * q + b**2 * z + k * magnitude(b)) >= -Fraction(9, 10) * relu(magnitude(q) - k / 2) ** 2,
        ),
        lemma(
            "gain-is-attained",
            "With the weight (|q| - kappa/2) / z towards q the risk falls by exactly that much: e(m) falls strictly while a unit helps.",
            (z > 0, k >= 0, q > k / 2, equal(b * z, q - k / 2)),
            equal(z * (-2 * b * q + b**2 * z + k * magnitude(b)), -((q - k / 2) ** 2)),
            but="also where the unit does not help, q < kappa/2",
            where=(z > 0, k >= 0, q >= 0, equal(b * z, q - k / 2)),
            fails=equal(z * (-2 * b * q + b**2 * z + k * magnitude(b)), -((q - k / 2) ** 2)),
        ),
    ),
    "eq-6-vanishing": (
        DUALITY,
        RAY,
        lemma(
            "penalty-keeps-one-sample-away",
            "X = Y = 1: two units in the unit ball cost at least kappa - kappa^2/4, for 0 <= kappa <= 2.",
            (between(0, k, 2), between(-1, w1, 1), between(-1, w2, 1)),
            (1 - b1 * relu(w1) - b2 * relu(w2)) ** 2 + k * (magnitude(b1) + magnitude(b2)) >= k - k**2 / 4,
            but="at least kappa - kappa^2/5",
            fails=(1 - b1 * relu(w1) - b2 * relu(w2)) ** 2 + k * (magnitude(b1) + magnitude(b2)) >= k - k**2 / 5,
        ),
        lemma(
            "noise-keeps-any-net-away",
            "X = 1, Y = +-1: every output f costs at least 1.",
            (),
            ((1 - f) ** 2 + (1 + f) ** 2) / 2 >= 1,
            but="more than 1",
            fails=((1 - f) ** 2 + (1 + f) ** 2) / 2 > 1,
        ),
        lemma(
            "one-slope-per-ray",
            "X in {1, 2}, Y = 1: without biases the best slope leaves 1/10.",
            (),
            ((1 - f) ** 2 + (1 - 2 * f) ** 2) / 2 >= Fraction(1, 10),
            but="leaves 101/1000",
            fails=((1 - f) ** 2 + (1 - 2 * f) ** 2) / 2 >= Fraction(101, 1000),
        ),
    ),
    "eq-6-attained": (
        lemma(
            "jump-against-slope",
            "Over the pair (+-a, x) a function of slope at most L misses (x, 0) by at least (|x| - 2 a L)_+^2 / 2.",
            (a >= 0, L >= 0, magnitude(p - q) <= 2 * a * L),
            (x - p) ** 2 + q**2 >= relu(magnitude(x) - 2 * a * L) ** 2 / 2,
            but="by 11/20 of that square",
            fails=(x - p) ** 2 + q**2 >= Fraction(11, 20) * relu(magnitude(x) - 2 * a * L) ** 2,
        ),
    ),
    "prop-2.3": (UPPER, LOWER, PRINTED, COVARIANCE),
    "prop-2.3-sharp": (
        UPPER,
        LOWER,
        GAP,
        RANGE,
        SYMMETRIC,
        lemma(
            "half-space-against-norm",
            "With V = E v^2 <= S a kernel of at least c^2 M - s^2 V is at least c^2 M - s^2 S.",
            (*ANGLE, between(0, M, S), between(0, V, S), p >= c**2 * M - s**2 * V),
            p >= c**2 * M - s**2 * S,
            but="with 9/10 of s^2 S",
            fails=p >= c**2 * M - Fraction(9, 10) * s**2 * S,
        ),
        lemma(
            "gap-against-norm",
            "A gap of at most c^2 E u^2 and at most s^2 E v^2 is at most min(c^2, s^2) S.",
            (*ANGLE, between(0, M, S), between(0, V, S), g <= c**2 * M, g <= s**2 * V),
            g <= smaller(c**2, s**2) * S,
            but="9/10 of it",
            fails=g <= Fraction(9, 10) * smaller(c**2, s**2) * S,
        ),
    ),
    "prop-2.3-proof": (
        lemma(
            "equation-17",
            "(17) with r = cos(alpha/2): the kernel is c^2 u^2 on the half space, less c^2 u^2 on B, less s^2 v^2 on A.",
            ANGLE,
            equal(kernel, main - where(wedge, c**2 * u**2) - where(active, s**2 * v**2)),
            but="without the last term",
            fails=equal(kernel, main - where(wedge, c**2 * u**2)),
        ),
        lemma(
            "wedge-across",
            "On B c^2 u^2 <= s^2 v^2: E1 <= s^2 E[v^2 1_B].",
            ANGLE,
            where(wedge, c**2 * u**2) <= where(wedge, s**2 * v**2),
            but="with 9/10 of it",
            fails=where(wedge, c**2 * u**2) <= Fraction(9, 10) * where(wedge, s**2 * v**2),
        ),
        lemma(
            "wedge-energy",
            "E1 <= c^2 s^2 |x|^2 on B, with sin(alpha/2) where the paper has sin(alpha).",
            ANGLE,
            where(wedge, c**2 * u**2 * one) <= where(wedge, c**2 * s**2 * (u**2 + v**2)),
            but="with 9/10 of it",
            fails=where(wedge, c**2 * u**2 * one) <= Fraction(9, 10) * where(wedge, c**2 * s**2 * (u**2 + v**2)),
        ),
        lemma(
            "wedge-printed-energy",
            "(18), first step, as printed, holds up to alpha = 2 pi/3 (4 c^2 >= 1).",
            (*ANGLE, 4 * c**2 >= one),
            where(wedge, c**2 * u**2 * one**2) <= where(wedge, c**2 * sin2 * (u**2 + v**2)),
            but="beyond 2 pi/3",
            where=(*ANGLE, 4 * c**2 < one),
            fails=where(wedge, c**2 * u**2 * one**2) <= where(wedge, c**2 * sin2 * (u**2 + v**2)),
        ),
        lemma(
            "wedge-printed-energy-fails-always",
            "At every angle between 2 pi/3 and pi it fails: at the points (t s, c) of B with 4 c^2 < t^2 < 1.",
            (c > 0, s > 0, between(0, t, 1), t < 1, 4 * c**2 < t**2 * one),
            (c * t * s < s * c) & (c**2 * (t * s) ** 2 * one**2 > c**2 * sin2 * ((t * s) ** 2 + c**2)),
            but="below 2 pi/3 as well",
            where=(c > 0, s > 0, between(Fraction(9, 10), t, 1), t < 1),
            fails=(c * t * s < s * c) & (c**2 * (t * s) ** 2 * one**2 > c**2 * sin2 * ((t * s) ** 2 + c**2)),
        ),
        lemma(
            "wedge-printed-norm",
            "(18), second step, as printed, holds up to 3 pi/4: min(c^2, s^2) <= 2 c^2 sin^2(alpha) where 2 sin^2(alpha) >= 1 or c^2 >= 1/2.",
            (*ANGLE, (2 * sin2 >= one**2) | (2 * c**2 >= one)),
            smaller(c**2, s**2) * one**2 <= 2 * c**2 * sin2,
            but="beyond 3 pi/4 for X = (u, +-v), |u|, |v| <= 1",
            where=(*ANGLE, u <= 1, between(0, v, 1)),
            fails=where(wedge, c**2 * u**2 * one**2) <= 2 * c**2 * sin2,
        ),
        lemma(
            "wedge-printed-norm-fails-always",
            "At every angle between 3 pi/4 and pi it fails, for X = (1, +-1), whose second moment has the norm 1.",
            (c > 0, s > 0, 2 * sin2 < one**2, 2 * c**2 < one),
            (c < s) & (c**2 * one**2 > 2 * c**2 * sin2),
            but="at every obtuse angle",
            where=(c > 0, s > 0, 2 * c**2 < one),
            fails=(c < s) & (c**2 * one**2 > 2 * c**2 * sin2),
        ),
        lemma(
            "radius",
            "Unit vectors (1, 0) and (p, q): |w_1 + w_2|^2/4 is (1 + cos(alpha))/2.",
            (equal(p**2 + q**2, 1),),
            equal(((1 + p) ** 2 + q**2) / 4, (1 + p) / 2),
            but="the square of it, as the printed radius says",
            fails=equal(((1 + p) ** 2 + q**2) / 4, ((1 + p) / 2) ** 2),
        ),
        COVARIANCE,
    ),
    "remark-2.3-energy": (
        lemma(
            "energy-in-the-span",
            "|Q x|^2 may replace the norm: c^2 u^2 - (u^2 + v^2)(s^2 + sin^2(alpha)) is at most the kernel.",
            ANGLE,
            main * one - (u**2 + v**2) * (s**2 * one + sin2) <= kernel * one,
            but="with u^2 alone in place of u^2 + v^2",
            fails=main * one - u**2 * (s**2 * one + sin2) <= kernel * one,
        ),
        lemma(
            "energy-is-the-weaker-bound",
            "The replacement weakens the bound wherever E|QX|^2 exceeds the norm.",
            (*ANGLE, s > 0, M >= 0, S > 0, x > S),
            c**2 * M - x * (s**2 + sin2) < c**2 * M - S * (s**2 + sin2),
            but="also where it does not",
            where=(*ANGLE, s > 0, M >= 0, S > 0, x > 0),
            fails=c**2 * M - x * (s**2 + sin2) < c**2 * M - S * (s**2 + sin2),
        ),
    ),
    "remark-2.3-taylor": (
        lemma(
            "taylor-at-every-angle",
            "With s <= alpha/2 and c^2 = 1 - s^2 the sharp bound is at least (1 - alpha^2/4) M - alpha^2/4 S.",
            (between(0, s, 1), a >= 2 * s, M >= 0, S >= 0),
            (1 - s**2) * M - s**2 * S >= (1 - a**2 / 4) * M - a**2 / 4 * S,
            but="with 9/10 of the last term",
            fails=(1 - s**2) * M - s**2 * S >= (1 - a**2 / 4) * M - Fraction(9, 40) * a**2 * S,
        ),
        lemma(
            "printed-first-inequality",
            "At alpha = 0, for X = +-x in one dimension, the kernel is half the second moment.",
            (x > 0,),
            equal(relu(x) ** 2 / 2 + relu(-x) ** 2 / 2, x**2 / 2),
            but="as printed, it is at least 2 / (3 x^2)",
            fails=2 <= 3 * x**2 * (relu(x) ** 2 / 2 + relu(-x) ** 2 / 2),
        ),
    ),
    "remark-2.3-upper": (
        UPPER,
        lemma(
            "half-space-energy",
            "c^2 (u)_+^2 <= c^2 u^2: the repaired chain ends at cos^2(alpha/2) times the norm.",
            ANGLE,
            main <= c**2 * u**2,
            but="with cos(alpha) in place of cos^2(alpha/2)",
            fails=main <= (c**2 - s**2) * u**2,
        ),
        lemma(
            "second-inequality-at-acute-angles",
            "cos(alpha) M <= cos(alpha) S for M <= S while cos(alpha) >= 0.",
            (*ANGLE, s <= c, between(0, M, S)),
            (c**2 - s**2) * M <= (c**2 - s**2) * S,
            but="at every angle",
            where=(*ANGLE, between(0, M, S)),
            fails=(c**2 - s**2) * M <= (c**2 - s**2) * S,
        ),
    ),
    "remark-2.3-linear-metric": (
        lemma(
            "half-space-metric",
            "The kernel exceeds the metric of the half space by (s^2 v^2 - c^2 u^2)_+, which lives on B.",
            ANGLE,
            equal(kernel - where(u >= 0, minus * plus), where(wedge, s**2 * v**2 - c**2 * u**2)),
            but="by half of that at most",
            fails=kernel - where(u >= 0, minus * plus) <= where(wedge, s**2 * v**2 - c**2 * u**2) / 2,
        ),
        lemma(
            "half-space-error",
            "That error is between 0 and s^2 v^2 on B.",
            ANGLE,
            between(0, kernel - where(u >= 0, minus * plus), where(wedge, s**2 * v**2)),
            but="at most 9/10 of it",
            fails=kernel - where(u >= 0, minus * plus) <= Fraction(9, 10) * where(wedge, s**2 * v**2),
        ),
        SYMMETRIC,
        lemma(
            "error-grows-with-the-angle",
            "As the pair opens (s grows, c falls) the error grows.",
            (between(0, p, c), between(0, s, q)),
            where(u >= 0, relu(s**2 * v**2 - c**2 * u**2)) <= where(u >= 0, relu(q**2 * v**2 - p**2 * u**2)),
            but="strictly, if s grows",
            where=(between(0, p, c), s >= 0, s < q),
            fails=where(u >= 0, relu(s**2 * v**2 - c**2 * u**2)) < where(u >= 0, relu(q**2 * v**2 - p**2 * u**2)),
        ),
        lemma(
            "no-constant-at-angle-0",
            "X = x, w = 1: the kernel of (w, w) is at most the linear metric.",
            (),
            relu(x) ** 2 <= x**2,
            but="and at least a millionth of it",
            fails=relu(x) ** 2 >= x**2 / 10**6,
        ),
    ),
    "eq-8-well-posed": (
        lemma(
            "penalty-void-without-unit-rows",
            "Rows times r, weights divided by r: the same output, and the penalty divided by r.",
            (r > 0, equal(g * r, b), k >= 0),
            equal(g * relu(r * u), b * relu(u)) & equal(r * k * magnitude(g), k * magnitude(b)),
            but="for r < 0 too",
            where=(differ(r, 0), equal(g * r, b), k >= 0),
            fails=equal(g * relu(r * u), b * relu(u)),
        ),
        lemma(
            "rows-frozen-at-a-tenth",
            "X = Y = 1, w = 1/10, kappa = 1/10: the best weight costs 3/4.",
            (),
            (1 - g / 10) ** 2 + magnitude(g) / 10 >= Fraction(3, 4),
            but="76/100",
            fails=(1 - g / 10) ** 2 + magnitude(g) / 10 >= Fraction(76, 100),
        ),
        lemma(
            "rows-in-the-unit-ball",
            "X = Y = 1, kappa = 1/10: with rows in the unit ball at least 39/400.",
            (between(-1, w, 1),),
            (1 - g * relu(w)) ** 2 + magnitude(g) / 10 >= Fraction(39, 400),
            but="with rows of any length",
            where=(),
            fails=(1 - g * relu(w)) ** 2 + magnitude(g) / 10 >= Fraction(39, 400),
        ),
    ),
    "eq-8-monotone": (DUALITY, LIPSCHITZ, CAUCHY),
}
