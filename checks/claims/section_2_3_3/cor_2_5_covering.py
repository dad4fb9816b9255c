"""Appendix B.5: how many balls cover the sphere, and why rows may be given norm one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict


def attack(setting: Setting, *, less: int = 0) -> Outcome:
    """Separated points on the sphere are at most (1 + 2/eps)^n, and longer rows within the ball never raise the risk.

    A maximal eps-separated set is an eps-net. less: the planted fault, the exponent n - less. The second part in rationals.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(60, 3000))):
        n, eps = 1 + k % 4, float(rng.uniform(0.2, 1.5))
        points = rng.standard_normal((150, n))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        net: list[np.ndarray] = []
        for point in points:
            if all(np.linalg.norm(point - other) > eps for other in net):
                net.append(point)
        tally.add((1 + 2 / eps) ** (n - less) - len(net), n=n, eps=eps, net=len(net))
        x, w, b = rng.integers(-5, 6, (4, n)), rng.integers(-3, 4, n), Fraction(int(rng.integers(-5, 6)), 3)
        r, kappa = 1 + Fraction(int(rng.integers(0, 9)), 4), Fraction(1, 7)
        y = [int(v) for v in rng.integers(-5, 6, 4)]
        short, long = (
            sum((Fraction(t) - c * max(s * int(v), Fraction(0))) ** 2 for t, v in zip(y, x @ w)) + kappa * abs(c)
            for c, s in ((b, Fraction(1)), (b / r, r))
        )
        tally.add(0.0 if long <= short else -1.0, n=n, lengthened=float(r))
    return tally.outcome("greedy nets on random points of the sphere; longer rows in rationals")


CLAIM = Claim(
    id="cor-2.5-covering",
    headline="A sphere is covered by (1 + 2/eps)^n balls, and rows may be taken of norm one.",
    fault="one dimension less in the exponent",
    source="Appendix B.5, first two paragraphs",
    statement="Without loss of generality |w_k| = 1; and N(S^(n-1), eps) <= (1 + 2/eps)^n.",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, less=1),
    proof="Balls of radius eps/2 around eps-separated points are disjoint and lie in a ball of radius 1 + eps/2: compare volumes. A row r w with weight b / r is the "
    "same function with a smaller penalty.",
)
