"""Theorem 2.4, subpaths (1) and (6): a straight line in the second layer, the first one fixed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_2.exact_risk import ZERO, fractions, risk, small_sample
from theory.lasso import second_layer


def attack(setting: Setting, *, drift: Fraction = ZERO) -> Outcome:
    """F at rational t of the line is at most the chord, so at most the larger end.

    And the best second layer is no higher than the start (up to its gap). Rows that move by `drift` on the way out and
    back are a planted fault.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(150, 5_000))):
        n, m = int(rng.integers(1, 4)), int(rng.integers(1, 5))
        sample = small_sample(rng, int(rng.integers(1, 7)), n)
        X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
        W = fractions(rng.integers(-4, 5, size=(m, n))) / 8
        if k % 5 == 0:
            W[0] = 0 * W[0]  # a dead unit
        kappa = Fraction(int(rng.integers(0, 5)), 4)
        start = fractions(rng.integers(-3, 4, size=m))
        if k % 2:
            end = fractions(rng.integers(-3, 4, size=m))
        else:
            Z = np.maximum(sample.X @ W.astype(float).T, 0)
            best = second_layer(Z, sample.Y[:, 0], float(kappa), weights=sample.weights)
            end = fractions(best.beta)
        first, last = risk(X, y, p, W, start, kappa), risk(X, y, p, W, end, kappa)
        scale = float(p @ y**2) + float(first) or 1.0
        where = {"instance": k, "m": m, "kappa": float(kappa)}
        if not k % 2:
            tally.add((float(first - last) + best.gap) / scale, kind="the end is no higher", **where)
        for t in (Fraction(1, 7), Fraction(1, 2), Fraction(int(rng.integers(0, 12)), 11)):
            rows = W + fractions(drift * t * (1 - t))
            here = risk(X, y, p, rows, (1 - t) * start + t * end, kappa)
            tally.add(float((1 - t) * first + t * last - here) / scale, kind="chord", t=float(t), **where)
    return tally.outcome("in fractions, at rational t; kappa = 0, dead units and one sample included")


CLAIM = Claim(
    id="thm-2.4-subpath-1",
    headline="Moving the second layer straight to its best value keeps the loss below the larger end.",
    fault="the first layer drifts on the way there and back",
    source="Appendix B.4, subpaths (1) and (6)",
    statement="moving only the second layer, in a straight line, to the best one for the same first layer keeps the loss "
    "at most the larger end, lambda",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, drift=Fraction(1, 2)),
    proof="With W_1 fixed, F is a convex quadratic plus kappa times a norm in W_2.",
)
