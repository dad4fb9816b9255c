"""Corollary 2.5, proof: what removing one of several close rows costs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.compression import cells, merging_bound, removal_bound
from theory.lasso import second_layer
from theory.numerics import gamma
from theory.relu_paths import spectral_norm
from theory.risk import Sample


def attack(setting: Setting, *, forget_weight: bool = False) -> Outcome:
    """Removing one unit, and merging whole cells, cost at most what `theory.compression.covering` says (weights counted)."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(150, 10_000))):
        n, N, m = int(rng.integers(1, 5)), int(rng.integers(2, 10)), int(rng.integers(2, 9))
        X, y = rng.standard_normal((N, n)) * rng.choice([0.1, 1, 10]), rng.standard_normal(N)
        W = rng.standard_normal((m, n))
        W[1] = W[0] + 10.0 ** rng.uniform(-4, 0) * W[1]
        W /= np.linalg.norm(W, axis=1, keepdims=True)
        sample = Sample(X, y[:, None], rng.dirichlet(np.ones(N)))
        kappa = float(10 ** rng.uniform(-4, 0)) * float(np.sqrt(np.mean(X**2) * np.mean(y**2)))
        Z, p, S = np.maximum(X @ W.T, 0), sample.weights, spectral_norm(sample)
        b = second_layer(Z, y, kappa, weights=p).beta if k % 2 else 3 * rng.standard_normal(m)
        fit, norm = float(p @ (y - Z @ b) ** 2), float(np.abs(b).sum())
        moved = b.copy()
        moved[0], moved[1] = b[0] + b[1], 0.0
        after = float(p @ (y - Z @ moved) ** 2)
        shift = float(np.linalg.norm(W[0] - W[1])) * S**0.5 * (1 + gamma(n + 16))
        allowed = removal_bound(fit, 1.0 if forget_weight else b[1], shift)
        size = sample.energy + (norm**2) * S
        tally.add((fit + allowed - after) / size + gamma(8 * m + N + 64), instance=k, what="one", b=b[1], shift=shift)
        partition = cells(W, float(rng.uniform(0, 1.5)))
        merged = partition.merge(b)
        risk = float(p @ (y - Z @ merged) ** 2) + kappa * float(np.abs(merged).sum())
        allowed = merging_bound(fit, norm, partition.radius, S, kappa)
        tally.add((allowed - risk) / size + gamma(8 * m + N + 64), instance=k, what="all", cells=len(partition))
    return tally.outcome("one unit removed, then all cells merged at once; margins in units of E Y^2 + |b|_1^2 |Sigma|")


def witness() -> Witness:
    """Two rows at angle a with optimal weights of opposite sign: removal costs almost E Y^2 however small a is."""
    costs = []
    for q in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000)):
        s = 2 * q / (1 + q * q)  # sin(a/2); X = (tan(a/2), +-1), Y = -+1, |Sigma| = 1 = E Y^2
        kappa = s * s
        z = {-1: (Fraction(0), 2 * s), 1: (2 * s, Fraction(0))}  # features of the two rows on the two atoms
        y = {-1: Fraction(-1), 1: Fraction(1)}
        b = (1 - kappa / (2 * s)) / (2 * s)  # the weights (b, -b) are optimal: E r z_i = +-kappa/2, checked here
        residual = {x: y[x] - b * (z[x][0] - z[x][1]) for x in (-1, 1)}
        for i, sign in ((0, 1), (1, -1)):
            if (residual[-1] * z[-1][i] + residual[1] * z[1][i]) / 2 != sign * kappa / 2:
                raise ArithmeticError("the weights are not optimal")
        before = (residual[-1] ** 2 + residual[1] ** 2) / 2 + 2 * kappa * b
        costs.append((s, Fraction(1) - before))  # both weights on one row cancel: the function is zero, E Y^2 = 1
    return Witness(
        all(cost == (1 - s / 2) ** 2 for s, cost in costs),
        "X = (tan(a/2), +-1), Y = +-1, rows at +-a/2, kappa = sin^2(a/2), |Sigma| = E Y^2 = 1: removing one of two units "
        "costs (1 - sin(a/2)/2)^2, which tends to 1 as a -> 0; no constant C makes (C + a) a an upper bound",
        {"sin(a/2), cost": [(float(s), float(cost)) for s, cost in costs]},
    )


CLAIM = Claim(
    id="cor-2.5-removal",
    headline="Merging one of several close rows costs no more than their angle.",
    instead="The cost carries the weight of the row, and all rows of a cell must be merged at once.",
    fault="the weight of the row is forgotten",
    source="Appendix B.5",
    statement="Removing one of nu_m rows within angle a of each other raises the loss by at most (C + a) a, C = C(E Y^2)",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, forget_weight=True),
    refute=witness,
    repaired="by at most 2 |b_k| |n| sqrt(R) + b_k^2 |n|^2, |n| <= 2 sin(a/2) ||Sigma||^(1/2); all cells of radius r merged "
    "at once: risk at most (sqrt(R) + r ||Sigma||^(1/2) |b|_1)^2 + kappa |b|_1",
    proof="The residual changes by b_k (z(w_k) - z(w_j)); the printed step leaves out b_k, which may be 1/a.",
)
