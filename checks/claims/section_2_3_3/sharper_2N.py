"""N samples and m >= 2N units: every level set is connected."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.instances import CERTIFIED, pair, problem
from theory import relu_paths
from theory.crossing import cross
from theory.moves import Walk
from theory.paths import Path
from theory.relu_paths import connect
from theory.risk import Risk


def truncated(risk: Risk, a: np.ndarray, b: np.ndarray) -> Path:
    """The fault: units are dropped down to N instead of being freed along dependencies."""
    net, halves = risk.network, []
    for theta in (a, b):
        W, V = net.weights(theta)
        kept = np.argsort(-np.abs(V[0]), kind="stable")[: len(risk.sample)]
        short = net.pack([W, np.where(np.isin(np.arange(net.widths[1]), kept), V, 0)])
        halves.append(relu_paths.line(theta, short, "drop units"))
    walk = Walk.along(net, halves[0], risk.sample.X)
    cross(walk, halves[1].points[-1])
    return walk.path + halves[1].reversed()


def attack(setting: Setting, *, build=lambda risk, a, b: connect(risk, a, b, route="caratheodory")) -> Outcome:
    """The certified maximum of the path is the larger end, kappa = 0 included."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(40, 1500))):
        N = int(rng.integers(1, 8))
        kappa = 0.0 if k % 3 == 0 else None
        risk = problem(rng, samples=N, width=2 * N + int(rng.integers(3)), inputs=int(rng.integers(1, 5)), kappa=kappa)
        a, b = pair(rng, risk)
        path = build(risk, a, b)
        larger = max(relu_paths.vertex_bound(risk, a), relu_paths.vertex_bound(risk, b))
        upper = float(relu_paths.piece_maxima(risk, path).max())
        scale = max(larger, risk.sample.energy)
        tally.add((larger - upper) / scale + CERTIFIED, instance=k, N=N, m=risk.network.widths[1], kappa=risk.kappa)
    return tally.outcome("margins in units of the larger of the risk at the ends and E Y^2; 1e-9 is equality")


CLAIM = Claim(
    id="sharper-2N",
    headline="With two units per sample every level set is connected.",
    fault="units are dropped instead of freed along dependencies",
    source="ours; the remark on the empirical risk after Theorem 2.4",
    statement="One output, or kappa = 0: for N samples and m >= 2N every level set of F is connected, for any kappa >= 0",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, build=truncated),
    proof="Caratheodory in R^N: the same outputs with at most N units and no larger l1 norm, along dependencies of the "
    "features; the other net's N units fit into the idle ones, and the refit between two second layers is convex.",
)
