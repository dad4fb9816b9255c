"""Remark after Theorem 2.4: the empirical measure in place of P, and the trivial regime when M outgrows L."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3 import sharper_N_plus_1
from checks.claims.section_2_3_3.instances import CERTIFIED, pair, problem
from theory import relu_paths
from theory.barriers import permutation_barrier
from theory.relu_paths import certify, six_segment
from theory.risk import Sample


def attack(setting: Setting, *, spare: int = 1) -> Outcome:
    """Theorem 2.4 on empirical measures of a few points; from m = N + spare on the gap is zero, and at m = N it is not."""
    tally, rng = Tally(), setting.rng
    for k in range(setting.instances(6, 200)):
        angle = float(rng.choice([0.0, 0.05, 0.5]))
        width = int(rng.integers(1, 7))
        risk = problem(rng, samples=int(rng.integers(1, 8)), width=width, inputs=2)
        path = six_segment(risk, *pair(rng, risk), active=width, angle=angle, rng=rng)
        for s in certify(risk, path, angle):
            scale = max(s.larger_end, risk.sample.energy)
            tally.add((s.allowed - s.upper) / scale + CERTIFIED, instance=k, subpath=s.number, angle=angle)
    for k in setting.each(range(setting.instances(10, 200))):
        width = 2 + spare + k % 3
        risk, a, b = sharper_N_plus_1.two_minima(width, (0.0, 0.1)[k % 2])
        path = sharper_N_plus_1.joined(risk, a, b)
        upper = float(relu_paths.piece_maxima(risk, path).max())
        tally.add(
            CERTIFIED + relu_paths.vertex_bound(risk, a) - upper, what="trivial regime", width=width, kappa=risk.kappa
        )
    for _ in range(setting.instances(2, 50)):  # three points of the plane, three units: a wall; four: none
        turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(0.4, 1.4, 3))
        X = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        tally.add(permutation_barrier(Sample(X, X[[1, 2, 0]]), 3).lower or -1.0, what="m = N = 3: a wall")
    return tally.outcome("the subpaths of Theorem 2.4 on samples; the larger end from N + 1 units on; margins relative")


CLAIM = Claim(
    id="rem-2.4-empirical",
    headline="Theorem 2.4 holds for the empirical measure; from one unit more than samples on, it says less than is true.",
    fault="the trivial regime is taken to begin at m = N",
    source="Remark after Theorem 2.4",
    statement="The extension to empirical risk is accomplished by replacing P by the empirical measure; the asymptotic analysis has to avoid the trivial regime when M outgrows L",
    standing=Standing.REMARK,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, spare=0),
    proof="thm-2.4 is a statement on any law with second moments, an empirical one included. On N samples the trivial regime begins at m = N + 1 at the latest: there every level set is connected "
    "(sharper-N+1), and with m = N it need not be (walls at 1/2 and 119/200 for N = 2). For m <= N the rates of sharper-maurey and sharper-drop are statements on the sample too.",
)
