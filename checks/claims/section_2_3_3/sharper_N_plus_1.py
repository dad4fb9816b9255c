"""N samples and m >= N + 1 units: every level set is connected, for any kappa >= 0."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.instances import CERTIFIED, pair, problem, two_minima
from theory import exchange, pivots, relu_paths
from theory.barriers import permutation_barrier, two_unit_barrier
from theory.paths import Path
from theory.risk import Risk, Sample


def joined(risk: Risk, a: np.ndarray, b: np.ndarray) -> Path:
    """By exchanging units without a penalty, by pivots with one; the straight line where no unit is to spare."""
    connect = exchange.connect if risk.kappa == 0 else pivots.connect
    try:
        return connect(risk, a, b)
    except ValueError:
        return relu_paths.line(a, b, "straight")


def attack(setting: Setting, *, spare: int = 1) -> Outcome:
    """The certified maximum of the path is the larger end; at m = N the walls of two units stand. spare: units above N."""
    tally, rng = Tally(), setting.rng

    def judge(risk: Risk, a: np.ndarray, b: np.ndarray, **instance: object) -> None:
        larger = max(relu_paths.vertex_bound(risk, a), relu_paths.vertex_bound(risk, b))
        upper = float(relu_paths.piece_maxima(risk, joined(risk, a, b)).max())
        scale = max(larger, risk.sample.energy)
        tally.add((larger - upper) / scale + CERTIFIED, m=risk.network.widths[1], kappa=risk.kappa, **instance)

    for k in setting.each(range(setting.instances(30, 1000))):
        N, kappa = int(rng.integers(1, 6)), 0.0 if k % 2 else None
        risk = problem(rng, samples=N, width=N + spare, inputs=int(rng.integers(1, 5)), kappa=kappa)
        judge(risk, *pair(rng, risk), instance=k, N=N)
    for kappa in (0.0, 0.1):
        judge(*two_minima(2 + spare, kappa), what="two minima")
    sample = Sample(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]]))
    tally.add(1e-9 - abs(permutation_barrier(sample, 2).lower - 1 / 2), what="m = N, kappa = 0: wall at 1/2")
    tally.add(1e-9 - abs(two_unit_barrier(sample, 0.1).lower - 119 / 200), what="m = N, kappa = 1/10: wall at 119/200")
    return tally.outcome("exchange for kappa = 0, pivots for kappa > 0; margins in units of max(larger end, E Y^2)")


CLAIM = Claim(
    id="sharper-N+1",
    headline="With one unit more than samples every level set is connected, with or without a penalty.",
    fault="as many units as samples",
    source="ours; the remark on the empirical risk after Theorem 2.4. For kappa = 0: Nguyen 2019, 2021",
    statement="For N samples, one output and m >= N + 1 every level set of F is connected, for any kappa >= 0. Sharp at N = 2: X = +-1, Y = X, m = 2 has walls at 1/2 (kappa = 0) and at 119/200 (kappa = 1/10)",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, spare=0),
    proof="kappa = 0: exchange A's units for B's one at a time (deep-exchange). kappa > 0: the parametric simplex method (pivots), along which |b|_1 is convex and below both ends. "
    "Corollaries: sharper-2N, sharper-permutation, app-e1-threshold.",
)
