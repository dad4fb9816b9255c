"""Appendix B.2 as published: W_k(t) = t W^B + (1-t) W^A + t(1-t) V, W_{k-1}(t) = pinv(W_k(t)) W~(t)."""

from fractions import Fraction
from typing import Any

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import full_rank, integers, rational, right_inverse


def attack(setting: Setting, *, prepend: bool = True) -> Outcome:
    """Exact: the repaired path joins A to B, W_2(t) W_1(t) is the straight line of products, and W_2 never loses rank.

    The repair for ends of full row rank: first W_1^A -> pinv(W_2^A) W_2^A W_1^A in a straight line at constant product,
    then the printed path with the right inverse W^T (W W^T)^{-1}, then back to W_1^B the same way.
    prepend=False (the planted fault): the printed path alone.
    """
    import flint

    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(60))):
        m, n = (int(k) for k in rng.integers(1, 4, 2))
        h = m + int(rng.integers(1, 3))
        W2a, W2b = (full_rank(rng, m, h) for _ in range(2))
        W1a, W1b, V = integers(rng, h, n), integers(rng, h, n), integers(rng, m, h, 1000)
        product_a, product_b = W2a * W1a, W2b * W1b
        path: list[tuple[Any, Any, Any]] = []
        full = True
        for k in range(9):
            t = flint.fmpq(k, 8)
            W2 = W2b * t + W2a * (1 - t) + V * (t * (1 - t))
            line = product_b * t + product_a * (1 - t)
            full = full and W2.rank() == m
            path.append((W2, right_inverse(W2) * line if full else W1a, line))
        if prepend:
            starts = [(W2a, W1a + (path[0][1] - W1a) * flint.fmpq(k, 4), product_a) for k in range(5)]
            ends = [(W2b, path[-1][1] + (W1b - path[-1][1]) * flint.fmpq(k, 4), product_b) for k in range(5)]
            path = starts + path + ends
        good = full and all(W2 * W1 == line for W2, W1, line in path)
        good = good and path[0][:2] == (W2a, W1a) and path[-1][:2] == (W2b, W1b)
        tally.add(1.0 if good else -1.0, m=m, h=h, n=n, W2=str(W2a.tolist()), W1=str(W1a.tolist()))
    return tally.outcome("ends of full row rank, V generic, h >= m + 1")


def witness() -> Witness:
    """The smallest instance for each step that fails."""
    W2, W1 = rational([[1, 0]]), rational([[1], [5]])
    end = right_inverse(W2) * W2 * W1
    singular = (W2.transpose() * W2).det() == 0
    # A deficient end: W_2^A = 0, W_1^A = (3, 4); as t -> 0 the path tends to pinv(W_2^B + V) W_2^B W_1^B, whatever W_1^A.
    W2b, W1b, V = rational([[1, 1]]), rational([[1], [0]]), rational([[0, 1]])
    limit = right_inverse(W2b + V) * (W2b * W1b)
    # h = m = 1: W_2(t) = t - (1 - t) + t (1 - t) V changes sign, so it vanishes somewhere in (0, 1), for every V.
    signs = [[t * 1 + (1 - t) * -1 + t * (1 - t) * v for t in (Fraction(0), Fraction(1))] for v in range(-9, 10)]
    refuted = end != W1 and singular and limit != rational([[3], [4]]) and all(a * b < 0 for a, b in signs)
    return Witness(
        refuted,
        "(i) fails: W_2 = (1, 0), W_1 = (1, 5)^T has pinv(W_2) W_2 W_1 = (1, 0)^T. The printed (W^T W)^{-1} W^T is "
        "singular for W_2 = (1, 0). W_2^A = 0, W_1^A = (3, 4)^T: the path starts with a jump to (1/5, 2/5)^T. h = m = 1: "
        "from -1 to 1 W_2(t) has a zero for every V",
        {"end": str(end.tolist()), "limit": str(limit.tolist())},
    )


CLAIM = Claim(
    id="prop-2.2-proof-published",
    headline="The published proof joins the two nets by an interpolation and a pseudo-inverse.",
    instead="It misses an end, its pseudo-inverse is singular, and it jumps where weights are rank deficient.",
    fault="the printed path alone, without the pieces that it lacks",
    source="Appendix B.2, kappa = 0, conditions (i)-(iii)",
    statement=(
        "W_k(t) = t W_k^B + (1-t) W_k^A + t(1-t) V with V drawn iid and W_{k-1}(t) = pinv(W_k(t)) W~(t), "
        "pinv(W) = (W^T W)^{-1} W^T, satisfy (i) W_{k-1}(0) = W_{k-1}^A, W_{k-1}(1) = W_{k-1}^B, (ii) the same for W_k, "
        "(iii) W_k(t) W_{k-1}(t) = W~(t)."
    ),
    repaired="After W_{k-1} has moved straight to W_k^+ W_k W_{k-1} at either end, with the right inverse W^T (W W^T)^{-1}, and hidden width at least n_out + 1: (i)-(iii) hold for almost every V at ends of full rank. The proof of prop-2.2 here asks for no rank.",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, prepend=False),
    refute=witness,
    proof=(
        "At t = 0 the formula gives pinv(W_2) W_2 W_1, the projection of W_1 on the row space of W_2. Straight pieces "
        "from W_1 to its projection, at constant product, repair (i) when W_2 has full row rank at the ends; where it "
        "has not, the path jumps. The inverse meant is W^T (W W^T)^{-1}; W_k(t) keeps full row rank for generic V when "
        "h >= m + 1 (matrices of lower rank have codimension h - m + 1 >= 2), not when h = m."
    ),
)
