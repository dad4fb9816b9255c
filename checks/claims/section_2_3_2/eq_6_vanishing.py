"""Eq. (6): e(m) -> 0 "by universal approximation"; the limit is a convex problem whose value is rarely zero."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_risk import fractions, risk
from theory.numerics import gamma
from theory.oracle import finite, limit, smoothness_bound
from theory.relu_kernel import second_moment_norm
from theory.risk import Sample


def attack(setting: Setting, *, factor: float = 1.0) -> Outcome:
    """What e(m) tends to: e(inf) >= factor * each of its three lower bounds (2 is a planted fault).

    And e(l) <= e(inf) + ||Sigma|| (E Y^2 / (2 kappa))^2 / l.
    """
    tally = Tally()
    for k in setting.each(range(setting.instances(24, 600))):
        _penalty(setting.rng, tally, k, factor)
        _noise(setting.rng, tally, k, factor)
        _homogeneity(setting.rng, tally, k, factor)
        if k % 4 == 0:
            _rate(setting.rng, tally, k)
    return tally.outcome("e(inf) from below by duality or in rationals; nets from above")


def _penalty(rng: np.random.Generator, tally: Tally, k: int, factor: float) -> None:
    """kappa y / S - kappa^2 / (4 S^2), with equality when Y is one unit in a direction of largest second moment."""
    n, N = int(rng.integers(1, 4)), int(rng.integers(1, 10))
    if k % 3 == 0:
        X = np.abs(rng.standard_normal((N, 1)))
        sample = Sample(X, X)
    else:
        X = rng.standard_normal((N, n))
        sample = Sample(X, rng.standard_normal((N, 1)))
    scale = math.sqrt(sample.energy * float(np.linalg.eigvalsh(sample.second_moment)[-1]))
    kappa = float(2 * scale * rng.uniform(0.02, 0.9))
    bound = limit(sample, kappa, gap=1e-6)
    slack = bound.upper - factor * smoothness_bound(sample, kappa)
    tally.add(slack / sample.energy, instance=k, kind="penalty", N=N, n=n, kappa=kappa)


def _noise(rng: np.random.Generator, tally: Tally, k: int, factor: float) -> None:
    """kappa = 0 and Y not a function of X: the mean conditional variance stays, whatever the width; rational."""
    n, N = int(rng.integers(1, 4)), int(rng.integers(1, 6))
    X = np.repeat(rng.integers(-3, 4, size=(N, n)), 2, axis=0).astype(float)
    Y = rng.integers(-3, 4, size=(2 * N, 1)).astype(float)
    groups: dict[tuple[float, ...], list[Fraction]] = {}
    for x, y in zip(X.tolist(), Y[:, 0].tolist()):
        groups.setdefault(tuple(x), []).append(Fraction(y))
    spread = sum(sum((v - sum(ys) / len(ys)) ** 2 for v in ys) for ys in groups.values()) / (2 * N)
    # weights are 1/(2N) rounded, so both sides carry a relative error of a few units
    slack = limit(Sample(X, Y), 0.0).upper * (1 + gamma(8)) - factor * float(spread)
    tally.add(slack, instance=k, kind="noise", N=N, n=n)


def _homogeneity(rng: np.random.Generator, tally: Tally, k: int, factor: float) -> None:
    """kappa = 0, no bias: on a ray every net is linear, so the residual of a regression through 0 stays; rational."""
    t = rng.integers(1, 6, size=int(rng.integers(2, 6))).astype(float)
    y = rng.integers(-3, 4, size=len(t)).astype(float)
    direction = rng.integers(-3, 4, size=int(rng.integers(1, 4))).astype(float)
    direction[0] = 1.0
    a, b = [Fraction(v) for v in t.tolist()], [Fraction(v) for v in y.tolist()]
    residual = (sum(v * v for v in b) - sum(u * v for u, v in zip(a, b)) ** 2 / sum(u * u for u in a)) / len(b)
    slack = limit(Sample(t[:, None] * direction, y[:, None]), 0.0).upper * (1 + gamma(8)) - factor * float(residual)
    tally.add(slack, instance=k, kind="homogeneity", N=len(t))


def _rate(rng: np.random.Generator, tally: Tally, k: int) -> None:
    """e(l) - e(inf) <= ||Sigma|| (E Y^2 / (2 kappa))^2 / l: a net with l units as good as that is found."""
    n, N = int(rng.integers(1, 4)), int(rng.integers(4, 14))
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)))
    kappa = float(10 ** rng.uniform(-1.5, -0.5))
    end = limit(sample, kappa, gap=1e-6)
    spread = float(second_moment_norm(sample).upper)
    for l in (1, 2, 4):
        found = finite(sample, l, kappa, rng=rng, starts=1, bound=end)
        allowed = end.upper + spread * (sample.energy / (2 * kappa)) ** 2 / l
        tally.add((allowed - found.upper) / sample.energy, instance=k, kind="rate", l=l, kappa=kappa)


def witness() -> Witness:
    """Three samples of one or two points on the line; every number is a fraction."""
    one = np.array([[1.0]])
    # (i) penalty: X = Y = 1, rows in [-1, 1]: (1 - t)^2 + kappa t over t >= 0 is kappa - kappa^2/4
    kappa = Fraction(1, 2)
    floor = kappa - kappa**2 / 4
    reached = risk(
        fractions(one), fractions([1]), fractions([1]), fractions([[1]]), fractions([1]) * (1 - kappa / 2), kappa
    )
    penalty = limit(Sample(one, one), float(kappa))
    # (ii) noise: X = 1, Y = +-1
    noise = limit(Sample(np.ones((2, 1)), np.array([[1.0], [-1.0]])), 0.0)
    # (iii) homogeneity: X in {1, 2}, Y = 1: the best slope 3/5 leaves 1/10
    slope = limit(Sample(np.array([[1.0], [2.0]]), np.ones((2, 1))), 0.0)
    best = Fraction(1, 2) * ((1 - Fraction(3, 5)) ** 2 + (1 - Fraction(6, 5)) ** 2)
    refuted = (
        reached == floor
        and penalty.lower <= floor <= penalty.upper
        and penalty.lower > 0
        and noise.lower <= 1 <= noise.upper
        and slope.lower <= best <= slope.upper
        and min(noise.lower, slope.lower) > 0
    )
    return Witness(
        refuted,
        "e(inf) > 0 (i) for kappa = 1/2, X = Y = 1: kappa - kappa^2/4 = 7/16; (ii) for kappa = 0, X = 1, Y = +-1: 1; "
        "(iii) for kappa = 0, X in {1, 2}, Y = 1, no bias: 1/10",
        {
            "penalty": float(floor),
            "noise": 1.0,
            "homogeneity": float(best),
            "proved": [penalty.lower, noise.lower, slope.lower],
        },
    )


CLAIM = Claim(
    id="eq-6-vanishing",
    headline="The least risk of m units tends to zero.",
    instead="It tends to e(infinity), which is positive with a penalty, with noise, or without biases.",
    fault="the lower bounds on e(infinity), doubled",
    source="Section 2.3.2, below eq. (6)",
    statement="lim e(m) = 0 as m -> infinity, under very mild assumptions (Hornik, Cybenko)",
    standing=Standing.REMARK,
    reading=True,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REFUTED,
    evidence=Evidence.DUAL,
    confirm=attack,
    control=lambda setting: attack(setting, factor=2.0),
    refute=witness,
    repaired="lim e(m) = e(inf) = min over signed measures mu on the ball of E|Y - int z dmu|^2 + kappa |mu|, at the rate "
    "zeta^2 (E Y^2 / (2 kappa))^2 / m; it is positive when kappa > 0 and Y is not 0, when Y is noisy, and when Y is not "
    "positively homogeneous and there is no bias",
    proof="Weak duality with the residual s Y gives kappa y / zeta - kappa^2 / (4 zeta^2); a net is a function of X; "
    "relu is positively homogeneous; Maurey's sampling gives the rate.",
)
