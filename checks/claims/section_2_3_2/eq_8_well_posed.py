"""Eq. (8): delta_W(l, alpha; m) as printed bounds angles only."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_risk import fractions, risk
from theory.compression import delta
from theory.numerics import gamma
from theory.oracle import limit
from theory.risk import Sample


def attack(setting: Setting, *, norm: float = 1.0) -> Outcome:
    """The repaired eq. (8), rows of norm `norm`: layers found are feasible, and their risk is at least e(inf) > 0.

    Rows of norm 1.5 (weights divided by it: the same function) are a planted fault.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(14, 400))):
        n, N, m = int(rng.integers(1, 4)), int(rng.integers(1, 10)), int(rng.integers(1, 6))
        sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)))
        W = rng.standard_normal((m, n))
        W /= np.linalg.norm(W, axis=1, keepdims=True)
        kappa = float(10 ** rng.uniform(-2, -0.5))
        bound = limit(sample, kappa, gap=1e-4)
        l, alpha = int(rng.integers(0, m + 1)), float(rng.choice([0.0, np.pi, np.pi * rng.uniform() ** 2]))
        found = delta(sample, W, l, alpha, kappa, rng=rng, draws=2, rules=("homotopy", "pursuit", "maurey", "merging"))
        X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
        layer = risk(X, y, p, fractions(found.rows * norm), fractions(found.weights / norm), fractions([kappa])[0])
        scale, where = sample.energy, {"instance": k, "l": l, "alpha": alpha, "kappa": kappa}
        tally.add((float(layer) - bound.lower) / scale + gamma(64), kind="above the limit", **where)
        tally.add((found.upper - float(layer)) / scale + gamma(64), kind="value", **where)
        tally.add(l - len(found.active), kind="units", **where)
        lengths = np.linalg.norm(found.rows * norm, axis=1)
        tally.add(1e-9 - float(np.abs(lengths / norm - 1).max()), kind="length", **where)
        turn = 2 * np.arcsin(np.minimum(np.linalg.norm(found.rows - W, axis=1) / 2, 1.0))
        tally.add(alpha * (1 + 1e-12) + 1e-12 - float(turn.max()), kind="angle", **where)
    return tally.outcome("layers of every rule, against the dual bound of all layers")


def witness() -> Witness:
    """X = Y = 1, w = 0.1, kappa = 0.1, l = m = 1, alpha = 0, in fractions."""
    one, kappa, w = fractions([1]), Fraction(1, 10), Fraction(1, 10)
    X = one[:, None]

    def value(row: Fraction, gamma_: Fraction) -> Fraction:
        return risk(X, one, one, np.array([[row]], dtype=object), np.array([gamma_], dtype=object), kappa)

    frozen = value(w, Fraction(5))  # (1 - g/10)^2 + g/10 has its minimum at g = 5
    unit = value(Fraction(1), 1 - kappa / 2)  # (1 - g)^2 + g/10 at g = 19/20
    free = [value(Fraction(10**k), Fraction(1, 10**k)) for k in range(0, 9)]
    refuted = (
        frozen == Fraction(3, 4)
        and unit == kappa - kappa**2 / 4
        and all(v == kappa / 10**k for k, v in enumerate(free))
        and all(a > b > 0 for a, b in pairwise(free))
    )
    return Witness(
        refuted,
        "X = Y = 1, w = 1/10, kappa = 1/10: rows frozen 3/4, rows in the unit ball 39/400, as printed (angle 0 and any "
        "length s, weight 1/s) kappa / s, which tends to 0 and is not attained: a risk of 0 needs weight 0 and Y = 0. "
        "At w = 0 the angle means nothing",
        {"frozen": float(frozen), "unit rows": float(unit), "length 10^k": [float(v) for v in free]},
    )


CLAIM = Claim(
    id="eq-8-well-posed",
    headline="The compressed risk delta of eq. (8) is well defined.",
    instead="Only with rows of norm one: otherwise long rows make the penalty free.",
    fault="rows of norm 1.5",
    source="Section 2.3.2, eq. (8)",
    statement="delta_W(l, alpha; m) = min over |gamma|_0 <= l and |angle(w~_i, w_i)| <= alpha of "
    "E|Y - gamma Z(W~)|^2 + kappa |gamma|_1 is well defined",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.DUAL,
    confirm=attack,
    control=lambda setting: attack(setting, norm=1.5),
    refute=witness,
    repaired="with |w_i| = 1 (normalise first, weights take the lengths) and |w~_i| = 1 the minimum exists for kappa > 0 "
    "and is at least e(inf)",
    proof="As printed, w~ -> s w~, gamma -> gamma / s keeps the fit and divides the penalty by s. With unit rows the rows "
    "are in a compact set and |gamma|_1 <= E Y^2 / kappa.",
)
