"""Section 2.3.3: Theorem 2.4, Corollary 2.5 and what is sharper."""

from __future__ import annotations

from fractions import Fraction

from checks.smt.shared import CAUCHY, CHORD, DUALITY, LARGER_END, LIPSCHITZ, MERGE, RAY, SIZES, TRANSFER
from checks.smt.statements import Lemma, lemma
from checks.smt.terms import Term, between, differ, equal, larger, magnitude, reals, relu, smaller, some, total, where

t, p, q, r, b, g, z, f, y, x, w, h, n, d, e, m, R, N, D, B = reals("t p q r b g z f y x w h n d e m R N D B")
b1, b2, b3, w1, w2, z1, z2, r1, r2, n1, n2, v1, v2, v3 = reals(
    "b_1 b_2 b_3 w_1 w_2 z_1 z_2 r_1 r_2 n_1 n_2 nu_1 nu_2 nu_3"
)
k, alpha = reals("kappa alpha")
PATH = between(0, t, 1)
half, tenth = Fraction(1, 2), Fraction(1, 10)


def two_points(*units: tuple) -> Term:
    """F for X = +-1, Y = X, kappa = 1/10 and units (b, w)."""
    right, left = 1 - total(b * relu(w) for b, w in units), -1 - total(b * relu(-w) for b, w in units)
    return (right**2 + left**2) / 2 + total(magnitude(b) for b, w in units) / 10


ROWS = (between(-1, w1, 1), between(-1, w2, 1))
E1 = lemma(
    "e(1)-of-two-points",
    "X = +-1, Y = X, kappa = 1/10: one unit in the unit ball costs at least 119/200.",
    (between(-1, w, 1),),
    two_points((b, w)) >= Fraction(119, 200),
    but="at least 6/10",
    fails=two_points((b, w)) >= Fraction(6, 10),
)
one_point = (1 - b * w) ** 2 / 2 + magnitude(b) / 10
OPPOSITE_ROWS = lemma(
    "rows-of-opposite-signs",
    "X = +-1, Y = X, kappa = 1/10: with rows of opposite signs each unit serves one point, and the risk is the sum of (1 - b w)^2/2 + |b|/10 for (b_1, w_1) and (-b_2, -w_2).",
    (w1 >= 0, w2 <= 0),
    equal(
        two_points((b1, w1), (b2, w2)),
        ((1 - b1 * w1) ** 2 + (1 - b2 * w2) ** 2) / 2 + magnitude(b1) / 10 + magnitude(b2) / 10,
    ),
    but="also with rows of one sign",
    where=(w1 >= 0,),
    fails=equal(
        two_points((b1, w1), (b2, w2)),
        ((1 - b1 * w1) ** 2 + (1 - b2 * w2) ** 2) / 2 + magnitude(b1) / 10 + magnitude(b2) / 10,
    ),
)
E2 = lemma(
    "e(2)-of-two-points",
    "(1 - b w)^2/2 + |b|/10 is at least 19/200 for a row in the unit ball, so two units with rows of opposite signs cost at least 19/100.",
    (between(-1, w, 1),),
    one_point >= Fraction(19, 200),
    but="at least 20/200",
    fails=one_point >= Fraction(20, 200),
)
ONE_SIGN_OF_ROWS = lemma(
    "rows-of-one-sign",
    "X = +-1, Y = X, kappa = 1/10: two units with rows of one sign, or one of them 0, cost at least 119/200.",
    (some(between(0, w1, 1) & between(0, w2, 1), between(-1, w1, 0) & between(-1, w2, 0)),),
    two_points((b1, w1), (b2, w2)) >= Fraction(119, 200),
    but="with rows of any signs",
    where=ROWS,
    fails=two_points((b1, w1), (b2, w2)) >= Fraction(119, 200),
)
ONE_SIGN_OF_WEIGHTS = lemma(
    "weights-of-one-sign",
    "X = +-1, Y = X, kappa = 1/10: two units with weights of one sign, or one of them 0, cost at least 119/200.",
    (*ROWS, some((b1 >= 0) & (b2 >= 0), (b1 <= 0) & (b2 <= 0))),
    two_points((b1, w1), (b2, w2)) >= Fraction(119, 200),
    but="at least 6/10",
    fails=two_points((b1, w1), (b2, w2)) >= Fraction(6, 10),
)
DROPPED = lemma(
    "dropped-unit",
    "At a second layer with 2 b E r z = kappa |b|, a dropped unit raises the risk by exactly b^2 E z^2 (two atoms, any weights).",
    (between(0, p, 1), k >= 0, equal(2 * b * (p * r1 * z1 + (1 - p) * r2 * z2), k * magnitude(b))),
    equal(
        p * (r1 + b * z1) ** 2 + (1 - p) * (r2 + b * z2) ** 2 - k * magnitude(b),
        p * r1**2 + (1 - p) * r2**2 + b**2 * (p * z1**2 + (1 - p) * z2**2),
    ),
    but="where 2 b E r z is half of kappa |b|",
    where=(between(0, p, 1), k >= 0, equal(4 * b * (p * r1 * z1 + (1 - p) * r2 * z2), k * magnitude(b))),
    fails=equal(
        p * (r1 + b * z1) ** 2 + (1 - p) * (r2 + b * z2) ** 2 - k * magnitude(b),
        p * r1**2 + (1 - p) * r2**2 + b**2 * (p * z1**2 + (1 - p) * z2**2),
    ),
)
LEAST = lemma(
    "least-weights",
    "The least of three weights is at most a third of their sum: m = 3, k = 1 of k B / m.",
    (between(0, b1, b2), b2 <= b3),
    3 * b1 <= b1 + b2 + b3,
    but="at most 3/10 of the sum",
    fails=b1 <= Fraction(3, 10) * (b1 + b2 + b3),
)
moved = (1 - t) * p + t * q
noise = (1 - t) * b * (relu(p) - relu(moved)) + t * g * (relu(q) - relu(moved))
ETA = lemma(
    "moving-rows-and-weights",
    "n_i is at most t(1-t) (|b| + |g|) times the distance of the pre-activations, pointwise.",
    (PATH,),
    magnitude(noise) <= t * (1 - t) * (magnitude(b) + magnitude(g)) * magnitude(p - q),
    but="at most 9/10 of it",
    fails=magnitude(noise) <= Fraction(9, 10) * t * (1 - t) * (magnitude(b) + magnitude(g)) * magnitude(p - q),
)
same_signs = [b * (b - t * v) >= 0 for b, v in ((b1, v1), (b2, v2), (b3, v3))]
SLIDE = lemma(
    "caratheodory-slide",
    "Sliding three positive weights along a relation of their features, until one vanishes, does not raise their sum.",
    (b1 > 0, b2 > 0, b3 > 0, t >= 0, *same_signs, v1 + v2 + v3 >= 0),
    magnitude(b1 - t * v1) + magnitude(b2 - t * v2) + magnitude(b3 - t * v3) <= b1 + b2 + b3,
    but="beyond the first weight that vanishes",
    where=(b1 > 0, b2 > 0, b3 > 0, t >= 0, v1 + v2 + v3 >= 0),
    fails=magnitude(b1 - t * v1) + magnitude(b2 - t * v2) + magnitude(b3 - t * v3) <= b1 + b2 + b3,
)
SLIDE_ONE = lemma(
    "sliding-one-weight",
    "Until it vanishes the magnitude of each weight changes by t times its sign times nu: linear in t, for any number of units.",
    (t >= 0, b * (b - t * v1) >= 0, differ(b, 0)),
    equal(magnitude(b - t * v1), magnitude(b) - t * (where(b > 0, v1) - where(b < 0, v1))),
    but="beyond that as well",
    where=(t >= 0, differ(b, 0)),
    fails=equal(magnitude(b - t * v1), magnitude(b) - t * (where(b > 0, v1) - where(b < 0, v1))),
)
cube = (1 - 4 * e**2) * 2 * (m - m**2 - d**2) * (m - 2 * e * d)
CUBE = lemma(
    "eight-27ths",
    "4t(1-t)(p(1-p) + q(1-q))((1-t)p + tq) <= 8/27 on the cube, written in e = t - 1/2, m = (p+q)/2, d = (p-q)/2.",
    (between(-half, e, half), between(0, m + d, 1), between(0, m - d, 1)),
    cube <= Fraction(8, 27),
    but="at most 9/10 of it",
    fails=cube <= Fraction(9, 10) * Fraction(8, 27),
)
t_, p_, q_ = e + half, m + d, m - d

# Two units on (1, 0) -> 1, (1, 1) -> 2 with kappa = 1/4: (1, 0) is turned by alpha = 2 arctan(x), (0, 1) is dropped. The second
# layers (1, 3/4) and turned/length are optimal; everything is multiplied by what clears the denominators.
clear = 1 + x**2
ahead = (1 - x**2, 1 - x**2 + 2 * x)  # the turned unit on the two samples, times `clear`
length = ahead[0] ** 2 + ahead[1] ** 2
turned = clear * (ahead[0] + 2 * ahead[1] - clear / 4)
sides = [
    (4 * length * clear * target, z, length * clear * Fraction(3, 2) * on)
    for z, target, on in zip(ahead, (1, 2), (0, 1))
]
path = total((y - (length + turned) * (clear + z) - b) ** 2 for y, z, b in sides)
chord = total((y - 2 * (length * clear + turned * z) - b) ** 2 for y, z, b in sides)
FIRST_ORDER = lemma(
    "excess-of-first-order",
    "X in {(1,0), (1,1)}, Y in {1, 2}, kappa = 1/4, e_1 turned by alpha, e_2 dropped, t = 1/2: path and chord differ by alpha/27 at least, 0 < alpha <= 1/50.",
    (x > 0, 100 * x <= 1),
    27 * magnitude(path - chord) >= 2 * x * 32 * (length * clear) ** 2,
    but="by alpha/20 at least",
    fails=20 * magnitude(path - chord) >= 2 * x * 32 * (length * clear) ** 2,
)

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "thm-2.4": (
        LIPSCHITZ,
        ETA,
        lemma(
            "normalising-a-row",
            "Row to r w and weight to b/r, both straight: the factor of the output is 1 + t(1-t)(r-1)^2/r.",
            (PATH, r > 0, equal(h * r, 1)),
            equal((1 - t + t * r) * (1 - t + t * h) * r, r + t * (1 - t) * (r - 1) ** 2),
            but="the factor is 1",
            fails=equal((1 - t + t * r) * (1 - t + t * h), 1),
        ),
        lemma(
            "normalising-does-not-raise",
            "One row at a time, from the best second layer: no risk while 4 |b| z (r-1)^3 <= 27 kappa r, with z = E z(w)^2 and |w| = 1/r.",
            (PATH, r >= 1, b >= 0, z >= 0, 4 * b * z * (r - 1) ** 3 <= 27 * k * r),
            t * (1 - t) ** 2 * b**2 * (r - 1) ** 4 * z <= k * b * (r - 1) * r,
            but="with 9/10 of what the penalty saves",
            fails=t * (1 - t) ** 2 * b**2 * (r - 1) ** 4 * z <= Fraction(9, 10) * k * b * (r - 1) * r,
        ),
    ),
    "thm-2.4-subpath-1": (CHORD, SIZES, DUALITY),
    "thm-2.4-subpath-3": (
        E1,
        OPPOSITE_ROWS,
        E2,
        ONE_SIGN_OF_ROWS,
        LARGER_END,
        TRANSFER,
        lemma(
            "re-slotting-count",
            "With |A| + |B| <= m there are m - |A u B| >= |A n B| slots that are idle in both.",
            (p >= 0, q >= 0, between(0, n, p), n <= q, p + q <= m),
            m - (p + q - n) >= n,
            but="more than |A n B|",
            fails=m - (p + q - n) > n,
        ),
    ),
    "thm-2.4-eta": (
        ETA,
        lemma(
            "printed-eta",
            "With weights of one sign the printed factor 2 |eta_2| suffices, pointwise.",
            (PATH, b >= 0, g >= 0),
            magnitude(noise) <= 2 * magnitude((1 - t) * b + t * g) * magnitude(p - q),
            but="with weights of any sign, as printed",
            where=(PATH,),
            fails=magnitude(noise) <= 2 * magnitude((1 - t) * b + t * g) * magnitude(p - q),
        ),
    ),
    "thm-2.4-constant": (
        FIRST_ORDER,
        CUBE,
        lemma(
            "cube-in-the-old-letters",
            "The substitution is an identity.",
            (),
            equal(cube, 4 * t_ * (1 - t_) * (p_ * (1 - p_) + q_ * (1 - q_)) * ((1 - t_) * p_ + t_ * q_)),
            but="with the opposite sign of e",
            fails=equal(cube, 4 * t_ * (1 - t_) * (p_ * (1 - p_) + q_ * (1 - q_)) * (t_ * p_ + (1 - t_) * q_)),
        ),
        lemma(
            "penalty-at-an-optimum",
            "y^2 = R^2 + kappa |b|_1 + f^2 and f >= y - R, R <= y, give kappa |b|_1 <= 2 R (y - R); R is the root of the squared part.",
            (between(0, R, y), f >= y - R),
            y**2 - R**2 - f**2 <= 2 * R * (y - R),
            but="at most 19/10 R (y - R)",
            fails=y**2 - R**2 - f**2 <= Fraction(19, 10) * R * (y - R),
        ),
        RAY,
        lemma(
            "second-order-constant",
            "t(1-t) <= 1/4 and kappa |b|_1, kappa |g|_1 <= y^2/2: kappa^2 N^2 <= (alpha y^2/4)^2, so C2 = 1/16.",
            (PATH, between(0, b, y**2 / 2), between(0, g, y**2 / 2), alpha >= 0),
            t * (1 - t) * (b + g) * alpha <= alpha * y**2 / 4,
            but="with 9/10 of it",
            fails=t * (1 - t) * (b + g) * alpha <= Fraction(9, 40) * alpha * y**2,
        ),
        CAUCHY,
        lemma(
            "price-of-moving",
            "(sqrt R + N)^2 + P <= D + 2 N sqrt D + N^2 where R + P <= D; r and d are the roots of R and D.",
            (r >= 0, d >= 0, N >= 0, p >= 0, r**2 + p <= d**2),
            (r + N) ** 2 + p <= d**2 + 2 * N * d + N**2,
            but="without N^2",
            fails=(r + N) ** 2 + p <= d**2 + 2 * N * d,
        ),
        lemma(
            "first-order-constant",
            "With kappa B <= 2 p (y - p), kappa G <= 2 q (y - q) and r <= (1-t) p + t q: 2 t(1-t) (kappa B + kappa G) r <= 8/27 y^3.",
            (
                PATH,
                y > 0,
                between(0, p, y),
                between(0, q, y),
                z1 <= 2 * p * (y - p),
                z2 <= 2 * q * (y - q),
                r >= 0,
                r <= (1 - t) * p + t * q,
            ),
            2 * t * (1 - t) * (z1 + z2) * r <= Fraction(8, 27) * y**3,
            but="9/10 of it",
            fails=2 * t * (1 - t) * (z1 + z2) * r <= Fraction(9, 10) * Fraction(8, 27) * y**3,
        ),
        lemma(
            "swapped-units-cancel",
            "Units of opposite weights that change places cancel half way.",
            (),
            equal(b * relu((p + q) / 2) - b * relu((q + p) / 2), 0),
            but="a third of the way",
            fails=equal(b * relu((2 * p + q) / 3) - b * relu((2 * q + p) / 3), 0),
        ),
    ),
    "cor-2.5-rate": (
        lemma(
            "best-exponent-of-the-argument",
            "eta s = (1 - (n+1) eta) / n is solved by eta = 1/(n(s+1)+1), and the exponent s/(n(s+1)+1) is below 1/n.",
            (n >= 1, r > 0, equal(e * (n * (r + 1) + 1), 1)),
            equal(n * e * r, 1 - (n + 1) * e) & (n * e * r < 1),
            but="and at least 1/(n+1)",
            fails=e * r * (n + 1) >= 1,
        ),
        lemma(
            "coin-toss",
            "One draw of two units with probabilities p, 1-p has the mean squared error (y-f)^2 + V^2 E z^2 - f^2.",
            (between(0, p, 1),),
            equal(
                p * (y - h * z1) ** 2 + (1 - p) * (y - h * z2) ** 2,
                (y - h * (p * z1 + (1 - p) * z2)) ** 2
                + h**2 * (p * z1**2 + (1 - p) * z2**2)
                - h**2 * (p * z1 + (1 - p) * z2) ** 2,
            ),
            but="and no excess",
            fails=equal(p * (y - h * z1) ** 2 + (1 - p) * (y - h * z2) ** 2, (y - h * (p * z1 + (1 - p) * z2)) ** 2),
        ),
        lemma(
            "some-outcome-is-no-worse",
            "Of two outcomes one is at most the mean.",
            (between(0, p, 1),),
            smaller(x, y) <= p * x + (1 - p) * y,
            but="both are",
            fails=larger(x, y) <= p * x + (1 - p) * y,
        ),
        lemma(
            "cells-of-the-sphere",
            "(x+1)^n - (x-1)^n <= 2 n (x+1)^(n-1) for x = 2/r >= 1, n = 2.",
            (x >= 1,),
            (x + 1) ** 2 - (x - 1) ** 2 <= 4 * (x + 1),
            but="without the factor 2",
            fails=(x + 1) ** 2 - (x - 1) ** 2 <= 2 * (x + 1),
        ),
        lemma(
            "cells-of-the-sphere-step",
            "From n to n + 1: p and q stand for (x+1)^(n-1) and (x-1)^n.",
            (x >= 1, n >= 1, between(0, q, (x + 1) * p), p >= 0, (x + 1) * p - q <= 2 * n * p),
            (x + 1) ** 2 * p - (x - 1) * q <= 2 * (n + 1) * (x + 1) * p,
            but="to n + 1/2",
            fails=(x + 1) ** 2 * p - (x - 1) * q <= 2 * (n + half) * (x + 1) * p,
        ),
        lemma(
            "gap-does-not-close",
            "X = Y = 1, kappa = 1/10: an output f of weights |b|_1 >= |f| costs at least 39/400, whatever the width.",
            (b >= magnitude(f),),
            (1 - f) ** 2 + b / 10 >= Fraction(39, 400),
            but="at least 4/40",
            fails=(1 - f) ** 2 + b / 10 >= Fraction(4, 40),
        ),
    ),
    "cor-2.5-removal": (
        lemma(
            "removal",
            "Giving a weight to the neighbour costs at most 2 |b| |n| |r| + b^2 n^2, pointwise.",
            (),
            (r + b * n) ** 2 - r**2 <= 2 * magnitude(b) * magnitude(n) * magnitude(r) + b**2 * n**2,
            but="without the weight b, as printed",
            fails=(r + b * n) ** 2 - r**2 <= 2 * magnitude(n) * magnitude(r) + n**2,
        ),
        lemma(
            "two-close-rows",
            "X = (tan(a/2), +-1), Y = +-1, rows at +-a/2, kappa = h^2, h = sin(a/2): the best second layer costs h - h^2/4.",
            (between(0, h, 1),),
            ((1 - 2 * h * b1) ** 2 + (1 + 2 * h * b2) ** 2) / 2 + h**2 * (magnitude(b1) + magnitude(b2))
            >= h - h**2 / 4,
            but="it costs 1, as merged rows do",
            fails=((1 - 2 * h * b1) ** 2 + (1 + 2 * h * b2) ** 2) / 2 + h**2 * (magnitude(b1) + magnitude(b2)) >= 1,
        ),
        LIPSCHITZ,
        CAUCHY,
    ),
    "cor-2.5-connected": (
        E1,
        OPPOSITE_ROWS,
        E2,
        ONE_SIGN_OF_ROWS,
        ONE_SIGN_OF_WEIGHTS,
        MERGE,
    ),
    "sharper-maurey": (
        RAY,
        CAUCHY,
        lemma(
            "penalty-below-the-level",
            "kappa |b|_1 <= min(lambda, y^2/2) from F <= lambda and the optimality along the ray.",
            (between(0, B, y**2 / 2), R >= 0, R + B <= h),
            B <= smaller(h, y**2 / 2),
            but="9/10 of it",
            fails=B <= Fraction(9, 10) * smaller(h, y**2 / 2),
        ),
    ),
    "sharper-2N": (SLIDE_ONE, SLIDE, CHORD, SIZES),
    "sharper-permutation": (TRANSFER, SLIDE_ONE, SLIDE),
    "sharper-sign-invariance": (E1, ONE_SIGN_OF_ROWS, ONE_SIGN_OF_WEIGHTS, MERGE),
    "penalised-barrier": (E1, ONE_SIGN_OF_ROWS, ONE_SIGN_OF_WEIGHTS),
    "sharper-N+1": (CHORD, SIZES, TRANSFER, SLIDE_ONE, SLIDE),
    "sharper-drop": (DROPPED, LEAST, CHORD, SIZES, TRANSFER),
    "rem-2.4-regularisation": (
        lemma(
            "balanced-units",
            "Ridge on a unit, b^2 + w^2, is at least 2 |b| |w|.",
            (),
            b**2 + w**2 >= 2 * magnitude(b * w),
            but="11/10 of it",
            fails=b**2 + w**2 >= Fraction(22, 10) * magnitude(b * w),
        ),
        lemma(
            "balancing-a-unit",
            "Row times r, weight divided by r: the same output.",
            (r > 0, equal(h * r, b)),
            equal(h * relu(r * z), b * relu(z)),
            but="for r < 0 as well",
            where=(equal(h * r, b),),
            fails=equal(h * relu(r * z), b * relu(z)),
        ),
    ),
    "cor-2.5-covering": (
        lemma(
            "longer-rows-cost-nothing",
            "Row times r >= 1, weight divided by r: the same output, and no larger weight.",
            (r >= 1, equal(h * r, b)),
            equal(h * relu(r * z), b * relu(z)) & (magnitude(h) <= magnitude(b)),
            but="for r >= 9/10",
            where=(10 * r >= 9, equal(h * r, b)),
            fails=equal(h * relu(r * z), b * relu(z)) & (magnitude(h) <= magnitude(b)),
        ),
    ),
}
