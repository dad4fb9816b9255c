"""m >= N + 1: a net and its hidden permutations are joined at its own level."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.instances import CERTIFIED, point, problem
from theory import relu_paths
from theory.moves import Walk
from theory.paths import Path
from theory.relu_paths import connect
from theory.risk import Risk


def around_nothing(risk: Risk, a: np.ndarray, b: np.ndarray) -> Path:
    """The fault: the smallest unit is dropped to make a hole, instead of freed along a dependency."""
    net = risk.network
    _W, V = net.weights(a)
    short = V.copy()
    short[0, np.argmin(np.where(V[0] == 0, np.inf, np.abs(V[0])))] = 0.0
    walk = Walk(net, a, risk.sample.X)
    walk.refit(1, short)
    order = list(range(net.widths[1]))[::-1]
    walk.permute(1, order)
    end = net.permute(a, 1, order)
    walk.refit(1, net.weights(end)[1])
    return walk.path


def attack(setting: Setting, *, build=lambda risk, a, b: connect(risk, a, b, route="permutation")) -> Outcome:
    """The certified maximum is F(theta); for kappa = 0 the risk is constant, vertex by vertex."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(40, 1500))):
        N = int(rng.integers(1, 8))
        kappa = 0.0 if k % 3 == 0 else None
        risk = problem(rng, samples=N, width=N + 1 + int(rng.integers(2)), inputs=int(rng.integers(1, 5)), kappa=kappa)
        a = point(rng, risk, fitted=bool(rng.uniform() < 0.3))
        order = list(range(risk.network.widths[1]))[::-1]
        path = build(risk, a, risk.network.permute(a, 1, order))
        level = relu_paths.vertex_bound(risk, a)
        scale = max(level, risk.sample.energy)
        upper = float(relu_paths.piece_maxima(risk, path).max())
        tally.add((level - upper) / scale + CERTIFIED, instance=k, N=N, m=risk.network.widths[1], kappa=risk.kappa)
        if risk.kappa == 0:
            spread = float(np.ptp(risk.batch(path.points)))
            tally.add(CERTIFIED - spread / scale, instance=k, N=N, m=risk.network.widths[1], kappa=0.0, what="constant")
    return tally.outcome("units in reverse order; margins in units of max(F(theta), E Y^2); 1e-9 is equality")


CLAIM = Claim(
    id="sharper-permutation",
    headline="With one unit more than samples a net and its permuted copies are joined at no cost.",
    fault="the smallest unit is dropped to make room",
    source="ours; sec. 2.3.1 and Appendix E.1",
    statement="One output, or kappa = 0: for m >= N + 1 theta and its hidden permutations are joined at level F(theta)",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, build=around_nothing),
    proof="rank Z <= N < m, so one unit can be freed without raising |b|_1; the others move around it by place and "
    "transfer, and the freed unit returns on the permuted side.",
)
