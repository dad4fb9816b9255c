"""More general regularisers: ridge on both layers does as the mixed penalty of Theorem 2.4, with 2 kappa for kappa."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory import masses
from theory.maxima import path_maximum
from theory.networks import Network
from theory.relu_paths import largest_feature
from theory.risk import Risk, Sample

CHORDS = 8


def attack(setting: Setting, *, factor: float = 1.0) -> Outcome:
    """Ridge: certified maximum of the path by tosses <= lambda + factor * (bound - lambda), chords of the curve allowed for."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(8, 300))):
        if k % 2 == 0:  # each sample is seen by one unit: half of them must go
            m = 4 + 2 * int(rng.integers(0, 3))
            share = float(rng.uniform(0.45, 0.6))
            risk = Risk(
                Network((m, m, 1)), Sample(np.sqrt(m) * np.eye(m), np.ones(m)), kappa=share / m**0.5, penalty="ridge"
            )
            root = ((1 - share) / m**0.5) ** 0.5
            a = risk.network.pack([root * np.eye(m), np.full((1, m), root)])
            b = risk.network.permute(a, 1, list(range(m))[::-1])
        else:
            m, N, q = int(rng.integers(2, 10)), int(rng.integers(10, 20)), int(rng.integers(1, 3))
            sample = Sample(rng.standard_normal((N, 2)), rng.standard_normal((N, q)))
            risk = Risk(Network((2, m, q)), sample, kappa=float(10 ** rng.uniform(-2, -0.5)), penalty="ridge")
            a, b = rng.standard_normal((2, risk.network.size)) / m**0.25
        level = max(risk(a), risk(b))
        allowed = level + factor * (masses.bound(risk, a, b) - level)
        path = masses.connect(risk, a, b, chords=CHORDS, rng=rng)
        upper = path_maximum(risk, path, ceiling=chorded(risk, a, b, allowed, CHORDS)).upper
        tally.add(
            (chorded(risk, a, b, allowed, CHORDS) - upper) / max(level, risk.scale), instance=k, m=m, kappa=risk.kappa
        )
    return tally.outcome(f"{CHORDS} chords a leg; margins in units of max(lambda, E Y^2)")


def chorded(risk: Risk, a: np.ndarray, b: np.ndarray, allowed: float, chords: int) -> float:
    """What chords may reach where the curve stays below `allowed`: outputs miss it by at most 3 V zeta / (2 J^2) in the mean.

    (sqrt a')^2 - sqrt^2 between neighbours: sum over units at most 2 V (pi / 2J)^2 on a leg and V (2/J)^2 in balancing, a quarter of it in the middle.
    """
    rows = np.concatenate([risk.network.weights(theta)[0] for theta in (a, b)])
    V = max(risk(a), risk(b)) / (2 * risk.kappa)
    miss = 1.5 * V * largest_feature(risk.sample, rows) ** 0.5 / chords**2
    return float((allowed**0.5 + miss) ** 2 * (1 + 1e-9))


CLAIM = Claim(
    id="rem-2.4-regularisation",
    headline="More general regularisers yield similar results: ridge on both layers does, with one hidden layer.",
    fault="a tenth of the excess",
    source="Section 2.3.3, remarks after Theorem 2.4",
    statement=(
        "'Our regularization term is currently a mix between l2 norm constraints on the first layer and l1 norm constraints on the second layer. We believe this is an artifact of our proof technique, and "
        "we conjecture that more general regularizations yield similar results.' Read for ridge on both layers of one hidden relu layer."
    ),
    standing=Standing.CONJECTURE,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, factor=0.1),
    proof=(
        "Balance units; then w = |V|^(1/2) u, b = V / |V|^(1/2), the output is sum V_i z(u_i) and the penalty 2 kappa sum |V_i|: straight lines in the masses V are curves on which F is convex, and a unit of "
        "mass 0 has no row. So the path of sharper-maurey is one for ridge, with 2 kappa for kappa: gap zeta^2 V^2 / floor(m/2), V = min(lambda, E|Y|^2/2) / (2 kappa). With three layers or "
        "more it is false for ridge (ridge-deep) and true for the path norm (multilayer-2.4)."
    ),
)
