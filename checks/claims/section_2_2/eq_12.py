"""Eq. (12): the nuclear norm of a product is at most half the squared norms of its factors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import square_sum


def attack(setting: Setting, *, factor: Fraction = Fraction(1)) -> Outcome:
    """|W_2 W_1|_* <= factor (|W_1|^2 + |W_2|^2) / 2 for two columns, decided in rationals.

    M (m, 2) has |M|_*^2 = tr G + 2 sqrt(det G), G = M^T M. Balanced factors W_1 = D, W_2 = D attain equality, so that 9/10
    is a planted fault.
    """
    import flint

    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(300))):
        m, h = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        W2 = flint.fmpq_mat(m, h, rng.integers(-4, 5, m * h).tolist())
        W1 = flint.fmpq_mat(h, 2, rng.integers(-4, 5, h * 2).tolist())
        if k % 4 == 0:
            d = rng.integers(0, 5, 2).tolist()
            W1 = W2 = flint.fmpq_mat(2, 2, [d[0], 0, 0, d[1]])
        M = W2 * W1
        G = M.transpose() * M
        bound = flint.fmpq(factor.numerator, factor.denominator) * (square_sum(W1) + square_sum(W2)) / 2
        rest = bound * bound - (G[0, 0] + G[1, 1])  # |M|_*^2 <= bound^2 iff rest >= 0 and rest^2 >= 4 det G
        tally.add(0.0 if rest >= 0 and rest * rest >= 4 * G.det() else -1.0, shapes=[m, h, 2], balanced=k % 4 == 0)
    return tally.outcome("products with two columns, in rationals; balanced factors attain equality")


def witness() -> Witness:
    """h = 1: the line between two products of rank one leaves the products of one unit, so no factors attain its norm."""
    a, b = np.array([[1, 0], [0, 0]]), np.array([[0, 0], [0, 1]])
    middle = [[Fraction(int(x), 2) for x in row] for row in (a + b).tolist()]
    determinant = middle[0][0] * middle[1][1] - middle[0][1] * middle[1][0]
    return Witness(
        determinant != 0,
        "one hidden unit: e1 e1^T and e2 e2^T are products, half their sum is I/2, of rank two, and no product of one unit; the minimum that "
        "is said to give |W(t)|_* does not exist there. The hidden width must be at least the rank",
        {"middle": str(middle)},
    )


CLAIM = Claim(
    id="eq-12",
    headline="Half the squared norms of two factors is at least the nuclear norm of their product, and equal for some factors.",
    instead="The inequality always; equality needs as many hidden units as the product has rank.",
    fault="nine tenths of the bound",
    source="Appendix B.2, eq. (12) and the displays around it; the non-convexity said in section 2.2",
    statement="|X|_* = min over U V^T = X of (|U|^2 + |V|^2)/2; hence |W_2 W_1|_* <= (|W_1|^2 + |W_2|^2)/2, the loss is minored by "
    "E|Y - W X|^2 + 2 kappa |W|_*, convex in W, and a linear path in W stays below; along it the minimising factors attain the norm.",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, factor=Fraction(9, 10)),
    refute=witness,
    repaired="The inequality for all factors; equality for some factors iff the hidden width is at least the rank of the product, which the straight "
    "path between two products keeps only for width >= min(n_in, n_out).",
    proof="2 <U, V> <= |U|^2 + |V|^2 over the singular vectors; U = A S^(1/2), V = B S^(1/2) from the singular value decomposition attain it with rank "
    "many columns. (1 - w2 w1)^2 is neither convex nor concave in (w1, w2): the loss is not, the minorant is convex in W.",
)
