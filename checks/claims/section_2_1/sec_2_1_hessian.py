"""Section 2.1: a strict local minimum has a vanishing gradient and a positive Hessian."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness


def attack(setting: Setting, *, positive: bool = False) -> Outcome:
    """F = |B x|^2 + |x|^4, strict at 0 for every integer B: gradient zero, and every principal minor of B^T B at least 0.

    positive: the printed statement, the Hessian is positive definite (the planted fault).
    """
    import flint

    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(200))):
        n, rank = int(rng.integers(1, 5)), int(rng.integers(0, 5))
        B = flint.fmpz_mat(rank, n, rng.integers(-3, 4, (rank, n)).ravel().tolist()) if rank else flint.fmpz_mat(1, n)
        H = B.transpose() * B
        chosen = [list(range(n))] if positive else [list(c) for k in range(1, n + 1) for c in combinations(range(n), k)]
        minors = [int(flint.fmpz_mat(len(c), len(c), [H[i, j] for i in c for j in c]).det()) for c in chosen]
        x = rng.integers(-3, 4, n)
        value = int(np.sum((np.array(B.tolist(), dtype=int) @ x) ** 2) + np.sum(x**2) ** 2)
        strict = value > 0 or not x.any()
        tally.add(min(minors) - int(positive) if strict else -1.0, n=n, rank=rank)
    return tally.outcome("principal minors of the Hessian at strict minima, in integers")


def witness() -> Witness:
    """x^4 is strict at 0 with second derivative 0; |x| = relu(x) + relu(-x) is strict at 0 and has no gradient."""
    h = Fraction(1, 1000)
    second = (h**4 - 2 * 0 + h**4) / h**2  # tends to the second derivative: 2 h^2
    slopes = (abs(h) / h, abs(-h) / -h)
    return Witness(
        second == 2 * h**2 and slopes == (1, -1),
        "x^4 has a strict minimum at 0 and second derivative 0 there; |x|, a sum of two ReLU units, has a strict minimum at 0 and no "
        "derivative",
        {"second difference of x^4": str(second), "one-sided slopes of |x|": list(map(str, slopes))},
    )


CLAIM = Claim(
    id="sec-2.1-hessian",
    headline="At a strict local minimum the gradient is zero and the Hessian is positive.",
    instead="Only nonnegative, and only where the risk is twice differentiable; ReLU risks need not be.",
    fault="the Hessian is said to be positive definite",
    source="Section 2.1, after Proposition 2.1",
    statement="Strict local minima implies that grad F(theta) = 0 and H F(theta) > 0.",
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, positive=True),
    refute=witness,
    repaired="Where F is twice continuously differentiable: grad F = 0 and H F >= 0. (The converse direction, H F > 0 implies strict, is true.)",
    proof="Second-order necessary conditions. x^4 shows that no more is true, |x| that ReLU risks need not have a gradient.",
)
