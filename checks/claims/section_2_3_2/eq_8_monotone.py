"""Eq. (8): delta_W(l, alpha; m) falls with l and with alpha, starts at E Y^2 and stays above e(l)."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.compression import delta, table
from theory.numerics import gamma
from theory.oracle import limit
from theory.risk import Sample

ALPHAS = (0.0, 0.3, np.pi)


def attack(setting: Setting, *, turned: bool = False) -> Outcome:
    """Enclosures of delta on a grid: lower bounds at larger (l, alpha) are not above upper bounds at smaller ones.

    At alpha = 0 all supports are enumerated and the enclosure is tight. `turned`, a planted fault, asks for a rise in l.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(3, 90))):
        n, N, m = int(rng.integers(1, 4)), int(rng.integers(1, 9)), int(rng.integers(2, 5))
        sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)))
        W = rng.standard_normal((m, n))
        W /= np.linalg.norm(W, axis=1, keepdims=True)
        if k % 3 == 0:
            W[1] = W[0]
        kappa = 0.0 if k % 5 == 4 else float(10 ** rng.uniform(-2, -0.5))
        scale = sample.energy
        grid = table(sample, W, range(m + 1), ALPHAS, kappa, rng=rng, draws=2)
        exact = [delta(sample, W, l, 0.0, kappa, rules=("enumeration", "homotopy"), rng=rng) for l in range(m + 1)]
        end = limit(sample, kappa)
        for l in range(m + 1):
            where = {"instance": k, "l": l, "kappa": kappa}
            tally.add((exact[l].upper - grid[l][0].lower) / scale, kind="enumerated", **where)
            for j, alpha in enumerate(ALPHAS):
                found = grid[l][j]
                tally.add((found.upper - found.lower) / scale, kind="enclosure", alpha=alpha, **where)
                tally.add((found.upper - end.lower) / scale, kind="above e(inf)", alpha=alpha, **where)
                if j:
                    tally.add((exact[l].upper - found.lower) / scale, kind="alpha", alpha=alpha, **where)
                    tally.add((grid[l][j - 1].upper - found.upper) / scale, kind="feasible", alpha=alpha, **where)
            if l:
                before, after = (exact[l], exact[l - 1]) if turned else (exact[l - 1], exact[l])
                tally.add((before.upper - after.lower) / scale, kind="l", alpha=0.0, **where)
        zero = grid[0]
        tally.add(gamma(64) - max(abs(c.upper - scale) for c in zero) / scale, kind="delta(0, .)", instance=k)
    return tally.outcome("all supports enumerated at alpha = 0, feasible layers and dual bounds beyond")


CLAIM = Claim(
    id="eq-8-monotone",
    headline="More units and larger angles never raise the compressed risk.",
    fault="a rise is asked for where it falls",
    source="ours, to eq. (8); what the proofs of Theorem 2.4 and Corollary 2.5 use of it",
    statement="delta_W(l, alpha; m) is non-increasing in l and alpha, delta_W(0, .; m) = E Y^2, e(l) <= delta_W(l, .; m)",
    standing=Standing.OURS,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.DUAL,
    confirm=attack,
    control=lambda setting: attack(setting, turned=True),
    proof="The feasible set grows with l and alpha; with l = 0 it is the zero net; l units with rows in the ball are "
    "feasible for e(l). (In the repaired form of eq-8-well-posed.)",
)
