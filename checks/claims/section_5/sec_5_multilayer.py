"""Section 5: does Theorem 2.4 extend to the multilayer case?"""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_5.instances import CERTIFIED, point, problem
from checks.claims.section_5.multilayer_2_4 import wide
from theory.deep_paths import connect, plan
from theory.networks import Network
from theory.risk import Risk, Sample


def rate(K: int) -> float:
    """The exponent of 1/m in the gap, squared loss, equal widths."""
    return 1 / (2 * K - 3)


def constant(K: int, level: float, V: float) -> float:
    """C with gap <= C M^-rate, M half of the width, zeta = 1: from s >= M^(2 rate) / 2 and l >= M^rate / 2."""
    b = (K - 2) / 2**0.5
    return 2 * level**0.5 * V * b + V**2 * (b**2 + 2)


def moved(rng: np.random.Generator) -> tuple[float, float]:
    """How far the covariance of the features of the last hidden layer moves with the parameters, and the bound on it.

    rho is 1-Lipschitz: d_k <= d_{k-1} |W_k| + |Z'_{k-1}| |W_k - W'_k|, and C = Z^T Z moves by at most d (|Z| + |Z'|).
    """
    hidden = rng.integers(1, 8, int(rng.integers(1, 4))).tolist()
    risk = problem(rng, hidden, N=5)
    a = point(rng, risk.network)
    b = a + 10 ** rng.uniform(-6, 0) * rng.standard_normal(len(a))
    p, far = np.sqrt(risk.sample.weights)[:, None], np.float64(0.0)
    Z = [p * risk.sample.X] * 2
    for V, W in list(zip(risk.network.weights(a), risk.network.weights(b)))[:-1]:
        far = far * np.linalg.norm(V, 2) + np.linalg.norm(Z[1]) * np.linalg.norm(V - W, 2)
        Z = [np.maximum(z @ matrix.T, 0) for z, matrix in zip(Z, (V, W))]
    distance = float(np.linalg.norm(Z[0].T @ Z[0] - Z[1].T @ Z[1]))
    return distance, float(far * (np.linalg.norm(Z[0]) + np.linalg.norm(Z[1])))


def attack(setting: Setting, *, exponent=rate) -> Outcome:
    """The gap that is promised falls at least as M^-1/(2K-3) at depth K = 2, 3, 4; two deep nets are joined within it."""
    tally, rng = Tally(), setting.rng
    sample = Sample(np.array([[1.0]]), np.array([[1.0]]))
    for K in (2, 3, 4):
        for power in setting.each(range(1, 12 if setting.full else 10)):
            M = 2**power
            risk = Risk(Network((1, *[2 * M] * (K - 1), 1)), sample, kappa=0.5, penalty="path")
            level, V = float(rng.uniform(0.05, 1)), float(rng.uniform(0.1, 2))
            gap = plan(risk, 1, level, V, 1.0).bound - level
            limit = constant(K, level, V) * M ** -exponent(K)
            tally.add((limit - gap) / limit + CERTIFIED, depth=K, width=2 * M, level=level, V=V)
    for k in range(setting.instances(40, 2000)):
        distance, limit = moved(rng)
        tally.add((limit - distance) / max(limit, 1e-300) + CERTIFIED, instance=k, what="covariance of the features")
    for k in range(setting.instances(1, 20)):
        risk, a, b = wide(rng, (96, 24), "squared")
        found = connect(risk, a, b, rng=rng, tool="trees")
        tally.add((found.promised - found.maximum.upper) / risk.scale + CERTIFIED, instance=k, what="a pair of nets")
    return tally.outcome("promised gaps against C M^-1/(2K-3), C explicit; covariances of features; a certified path")


CLAIM = Claim(
    id="sec-5-multilayer",
    headline="Yes: Theorem 2.4 extends to every depth, with a gap that vanishes as the layers get wide.",
    fault="the rate 1/m of one hidden layer at every depth",
    source="Section 5, first open question",
    statement='"Extending Theorem 2.4 to the multilayer case. We believe this is within reach, since the main analytic tool we use is that small changes in the parameters result in small changes in the '
    'covariance structure of the features. That remains the case in the multilayer case."',
    standing=Standing.CONJECTURE,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, exponent=lambda K: 1.0),
    proof="multilayer-2.4 with s ~ M^(2/(2K-3)), l = M / s^(K-2): the gap is O(M^(-1/(2K-3))), M half of the width, without assumptions on the nets or the law. That small changes of the "
    "parameters are small in the covariance of the features is right at any depth (rho is 1-Lipschitz), but another tool is needed for a rate: sampling units. Without a penalty, and for exact connectedness: deep-exchange. With ridge in its place and K >= 3 it is false (ridge-deep). Whether 1/(2K-3) is the true exponent is open.",
)
