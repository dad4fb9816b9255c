"""Section 5: does it help to ask for connectedness up to permutations only?"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict

KAPPA = Fraction(1, 10)
X = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
Y = (1, 1, -1, -1)


def risk(rows: list[tuple[Fraction, Fraction]], weights: list[Fraction]) -> Fraction:
    """F on the four points +-e_1 (Y = 1), +-e_2 (Y = -1), penalty kappa sum |b| |w|, exact."""
    total = Fraction(0)
    for x, y in zip(X.tolist(), Y):
        f = sum(b * max(x[0] * w[0] + x[1] * w[1], Fraction(0)) for w, b in zip(rows, weights))
        total += (y - f) ** 2 / 4
    # |w| is irrational in general: max(|w_1|, |w_2|) <= |w| keeps every margin on the safe side
    return total + KAPPA * sum(abs(b) * max(abs(w[0]), abs(w[1])) for w, b in zip(rows, weights))


def attack(setting: Setting, *, units: int = 2) -> Outcome:
    """Nets with at most two units have F >= e(2) = 1 - 2 (1/2 - kappa)^2 on the four points; three units reach e(3).

    So no path below e(2) leads from signs (+, +, -) to (+, -, -), both at e(3), and no permutation turns one into the other.
    units: a third unit is the planted fault.
    """
    tally, rng = Tally(), setting.rng
    wall = 1 - 2 * (Fraction(1, 2) - KAPPA) ** 2
    axes = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    for k in setting.each(range(setting.instances(400, 40_000))):
        if k % 4 == 0:
            chosen = rng.permutation(4)[:units]
            rows = [(Fraction(axes[i][0]), Fraction(axes[i][1])) for i in chosen]
            weights = [(1 if i < 2 else -1) * (1 - 2 * KAPPA) for i in chosen]
        else:
            rows = [(Fraction(int(p), 16), Fraction(int(q), 16)) for p, q in rng.integers(-16, 17, (units, 2))]
            weights = [Fraction(int(b), 8) for b in rng.integers(-24, 25, units)]
        tally.add(
            float(risk(rows, weights) - wall), rows=[list(map(str, w)) for w in rows], weights=list(map(str, weights))
        )
    ends = [_net(signs) for signs in ((0, 1, 2), (0, 2, 3))]
    same = risk(*ends[0]) == risk(*ends[1]) == 1 - 3 * (Fraction(1, 2) - KAPPA) ** 2
    tally.add(0.0 if same else -1.0, ends="e(3)")
    return tally.outcome("four points, nets of two units in rationals; |w| from below in the penalty")


def _net(axes: tuple[int, ...]) -> tuple[list[tuple[Fraction, Fraction]], list[Fraction]]:
    directions = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    rows = [(Fraction(directions[i][0]), Fraction(directions[i][1])) for i in axes]
    return rows, [(1 if i < 2 else -1) * (1 - 2 * KAPPA) for i in axes]


CLAIM = Claim(
    id="sec-5-symmetry",
    headline="Connectedness up to permutations is no cure: it fails exactly, and helps the rate only below 1/m^2.",
    fault="a third unit on the wall",
    source="Section 5, third open question",
    statement=(
        "The paper asks whether asking for connectedness up to discrete symmetry improves the asymptotics. Answer: level sets can be disconnected modulo permutations at every "
        "odd width; gap_S <= gap <= max(gap_S, zeta^2 V^2 / m^2), so that only what is below 1/m^2 can be gained; and gap_S >= c m^(-2 - 3/(d-1)) for infinitely many m in "
        "examples, so the exponent 2 of sharper-drop cannot be improved by dividing."
    ),
    standing=Standing.CONJECTURE,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, units=3),
    proof=(
        "Data invariant under (x, y) -> (T x, -y): a minimiser with p positive weights has an image with m - p of them, and p is constant on components of Omega(lambda) for lambda in "
        "[e(m), e(m-1)) (sharper-sign-invariance); permutations keep it. From pi(B) refit and drop the least unit, at the exact cost b_i^2 |z_i|^2 <= zeta^2 V^2 / m^2, permute round the hole. "
        "The lower rate: two spheres, positive measures, and how well the cosine transform of m atoms approximates a constant (paper_notes.md)."
    ),
)
