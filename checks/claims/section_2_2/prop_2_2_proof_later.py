"""The authors' later proof: W_1(t) = U(t) S(t) V(t)^T of full rank, W_2(t) = W~(t) W_1(t)^{-1}; deficient ends by P, Q."""

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import identity, integers, left_inverse, rational


def attack(setting: Setting, *, bracket: bool = True) -> Outcome:
    """Exact: with the missing term the formula is a path from A to B over the straight line of products.

    W_2(t) = W~(t) W_1(t)^+ + [(1-t) W_2^A + t W_2^B] (I - W_1(t) W_1(t)^+) for any W_1(t) of full column rank.
    And deficient ends: after W_2 -> W_2 P_{col W_1} (straight, constant product) every column direction off col W_1 is
    in the kernel of W_2. bracket=False (the planted fault): the formula as printed, with W_1^+ for the inverse.
    """
    import flint

    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(60))):
        m, n = (int(k) for k in rng.integers(1, 4, 2))
        h = n + int(rng.integers(1, 3))
        W1a, W1b, bend = _regular_parabola(rng, h, n)
        W2a, W2b = integers(rng, m, h), integers(rng, m, h)
        good = True
        for k in range(9):
            t = flint.fmpq(k, 8)
            W1 = _between((W1a, W1b, bend), t)
            inverse = left_inverse(W1)
            line = W2b * W1b * t + W2a * W1a * (1 - t)
            W2 = line * inverse
            if bracket:
                W2 = W2 + (W2b * t + W2a * (1 - t)) * (identity(h) - W1 * inverse)
            good = good and W2 * W1 == line
            good = good and (k != 0 or W2 == W2a) and (k != 8 or W2 == W2b)
        deficient = W1a * integers(rng, n, n - 1) * integers(rng, n - 1, n) if n > 1 else W1a * 0
        good = good and _projection_repairs(deficient, W2a)
        tally.add(1.0 if good else -1.0, m=m, h=h, n=n, W1=str(W1a.tolist()), W2=str(W2a.tolist()))
    return tally.outcome("W_1(t) through three integer matrices, and deficient ends")


def _regular_parabola(rng: np.random.Generator, h: int, n: int) -> list:
    """Three integer matrices (h, n) whose parabola has full column rank at every eighth."""
    import flint

    while True:
        found = [integers(rng, h, n) for _ in range(3)]
        if all(_between(found, flint.fmpq(k, 8)).rank() == n for k in range(9)):
            return found


def _between(Ws, t):
    """A parabola from Ws[0] to Ws[1], bent by Ws[2]."""
    return Ws[1] * t + Ws[0] * (1 - t) + Ws[2] * (t * (1 - t))


def _projection_repairs(W1, W2) -> bool:
    """P projects on col W_1: W_2 P W_1 = W_2 W_1 all the way, and (W_2 P)(I - P) = 0."""
    import flint

    basis, rank = W1.transpose().rref()
    if rank == 0:
        return W2 * W1 == W1 * 0 if W2.nrows() == W1.nrows() else True
    columns = flint.fmpq_mat(rank, W1.nrows(), basis.entries()[: rank * W1.nrows()]).transpose()
    P = columns * left_inverse(columns)
    halfway = W2 * (identity(W1.nrows()) + P) / 2
    return halfway * W1 == W2 * W1 and W2 * P * (identity(W1.nrows()) - P) == W2 * 0


def witness() -> Witness:
    """The end condition, and the step with P = col(W_1)^perp and Q = Null(W_2)^perp."""
    W1, W2 = rational([[1], [0]]), rational([[1, 5]])
    end = W2 * W1 * left_inverse(W1)
    # W_1 = e1 e1^T (3 x 2), W_2 = (1, 1, 0): P = span(e2, e3) and Q = span(e1 + e2) meet in 0 only, but W_2 e2 = 1.
    f2 = rational([[0], [1], [0]])
    outer = rational([[1, 1, 0]])
    P_and_Q = rational([[0, 0, 1], [1, 0, 1], [0, 1, 0]])  # columns e2, e3, e1 + e2
    refuted = end != W2 and P_and_Q.rank() == 3 and (outer * f2)[0, 0] == 1
    return Witness(
        refuted,
        "W_1 = (1, 0)^T, W_2 = (1, 5): W_2 W_1 W_1^+ = (1, 0), not W_2. W_1 = e1 e1^T (3 x 2), W_2 = (1, 1, 0): "
        "P = span(e2, e3) meets Q = span(e1 + e2) in 0, yet e2 in P is not in Null(W_2): W_2 e2 = 1",
        {"end": str(end.tolist()), "W2 e2": 1},
    )


CLAIM = Claim(
    id="prop-2.2-proof-later",
    headline="The authors' later proof joins the nets by interpolated singular values.",
    instead="It misses its ends by a factor in the null space, which one line repairs; the step for deficient ranks fails.",
    fault="the formula as printed, with a pseudo-inverse for the inverse",
    source="A later version of the paper's appendix, quoted from memory; kappa = 0",
    statement=(
        "W_1(t) = U(t) S(t) V(t)^T joins W_1^A to W_1^B in full rank and W_2(t) = W~(t) W_1(t)^{-1} joins W_2^A to W_2^B; at "
        "deficient ends new directions for W_1 can be taken in P = col(W_1)^perp, which fall in Null(W_2) because "
        "P meets Q = Null(W_2)^perp in 0."
    ),
    repaired="W_2(t) = W~(t) W_1(t)^+ + [(1-t) W_2^A + t W_2^B] (I - W_1(t) W_1(t)^+) while the rank is constant; at deficient ends W_2 moves to W_2 P_{col W_1} first, at constant product.",
    reading=True,
    standing=Standing.PROOF_STEP,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, bracket=False),
    refute=witness,
    proof=(
        "W_1 is h x n with h > n and has only a left inverse; W~ W_1^+ agrees with W_2 on col(W_1) alone. Adding "
        "[(1-t) W_2^A + t W_2^B] (I - W_1 W_1^+) changes no product and is right at both ends. P and Q meeting in 0 does "
        "not put P inside Null(W_2); replacing W_2 by W_2 P_{col W_1} first, at constant product, does."
    ),
)
