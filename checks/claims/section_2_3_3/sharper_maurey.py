"""Omega(lambda) is connected inside Omega(lambda + O(1/m)), whatever the dimension."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.instances import CERTIFIED, pair, problem
from theory import relu_paths
from theory.networks import Network
from theory.relu_paths import connect
from theory.risk import Risk, Sample


def orthants(m: int, share: float) -> tuple[Risk, np.ndarray, np.ndarray]:
    """m samples, each seen by one unit: half the units must go, and the maximum is lambda + (1 - share)^2 / 2.

    X = sqrt(m) e_i, Y = 1, kappa = 2 share / sqrt(m): weights (1 - share) / sqrt(m) are optimal. The other net is a
    permutation, and any path that the route builds passes through m/2 units.
    """
    X = np.sqrt(m) * np.eye(m)
    net = Network((m, m, 1))
    risk = Risk(net, Sample(X, np.ones((m, 1))), kappa=2 * share / np.sqrt(m), penalty="second_layer_l1")
    a = net.pack([np.eye(m), np.full((1, m), (1 - share) / np.sqrt(m))])
    return risk, a, net.permute(a, 1, list(range(m))[::-1])


def attack(setting: Setting, *, factor: float = 1.0) -> Outcome:
    """Certified maximum <= lambda + factor * zeta^2 min(lambda, E Y^2/2)^2 / (kappa^2 floor(m/2)), zeta of the rows met."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(40, 2000))):
        if k % 5 == 0:
            risk, a, b = orthants(2 * int(rng.integers(1, 9)), float(rng.uniform(0.3, 0.7)))
        else:
            width = int(rng.integers(2, 25))
            risk = problem(rng, samples=int(rng.integers(1, 30)), width=width, inputs=int(rng.integers(1, 6)))
            a, b = pair(rng, risk)
        path = connect(risk, a, b, route="maurey")
        level = max(relu_paths.vertex_bound(risk, a), relu_paths.vertex_bound(risk, b))
        rows = np.concatenate([risk.network.weights(theta)[0] for theta in (a, b)])
        zeta2 = relu_paths.largest_feature(risk.sample, rows)
        m = risk.network.widths[1]
        allowed = level + factor * relu_paths.maurey_excess(risk.sample, risk.kappa, level, m, zeta_squared=zeta2)
        upper = float(relu_paths.piece_maxima(risk, path).max())
        tally.add((allowed - upper) / max(level, risk.sample.energy) + CERTIFIED, instance=k, m=m, kappa=risk.kappa)
    return tally.outcome("margins in units of max(lambda, E Y^2); zeta^2 over the rows met, at most the theorem's")


CLAIM = Claim(
    id="sharper-maurey",
    headline="The energy gap is at most of order 1/m, whatever the dimension.",
    fault="a tenth of the bound",
    source="ours; sharpens Corollary 2.5",
    statement="For kappa > 0 and m >= 2, Omega(lambda) is connected inside "
    "Omega(lambda + zeta^2 min(lambda, E Y^2/2)^2 / (kappa^2 floor(m/2))), zeta^2 = sup_{|w|=1} ||w||_Z^2",
    standing=Standing.OURS,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, factor=0.1),
    proof="With the best second layer kappa |b|_1 <= min(lambda, E Y^2/2). Draw l = floor(m/2) units with probability "
    "proportional to |b_i|: unbiased, the same l1 norm, variance at most |b|_1^2 zeta^2 / l. Two such nets fit side by side.",
)
