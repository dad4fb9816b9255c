"""Appendix E.1, sharpened: as many units as points disconnect, one more (or an output bias) reconnects."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.barriers import permutation_barrier
from theory.maxima import path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.risk import Risk, Sample

# The path keeps the outputs but for rounding: a few units of |V| |Z| in the last place, squared or times the residual.
ROUNDING = 1e-9


def rise(risk: Risk, theta: np.ndarray, order: np.ndarray) -> float:
    """How far the certified maximum of the path round a freed unit, theta to its permuted copy, lies above F(theta)."""
    walk = Walk(risk.network, theta, risk.sample.X)
    goal = risk.network.permute(theta, 1, order.tolist())
    walk.free(1)
    walk.permute(1, order.tolist())
    walk.refit(1, risk.network.weights(goal)[1])
    if not np.array_equal(walk.theta, goal):
        return np.inf  # the path leads elsewhere
    return path_maximum(risk, walk.path).upper - risk(theta)


def attack(setting: Setting, *, spare: int = 1) -> Outcome:
    """m = N + spare units: from any net to any permuted copy at its own risk. m = N: a positive certified barrier.

    Random samples of every size, with repeated and opposite points, weights, one to four inputs; random permutations.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(25, 1000))):
        N, n, d = int(rng.integers(1, 7)), int(rng.integers(1, 5)), int(rng.integers(1, 4))
        X = rng.standard_normal((N, n))
        if N > 1 and k % 3 == 0:
            X[1] = X[0] * rng.choice([1.0, -1.0, 2.0, 0.0])
        sample = Sample(X, rng.standard_normal((N, d)), rng.uniform(0.1, 1, N))
        bias = bool(k % 2)
        width = N + spare - bias
        if width >= 2:
            network = Network((n, width, d), bias=bias)
            risk = Risk(network, sample)
            theta = rng.standard_normal(network.size)
            try:
                climbed = rise(risk, theta, rng.permutation(width))
            except ValueError:  # no unit can be freed
                climbed = np.inf
            tally.add(ROUNDING - climbed / risk(theta), N=N, n=n, width=width, bias=bias)
        turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(0.4, 1.4, 3))
        X = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        task = Sample(X, X[[1, 2, 0]])
        tally.add(permutation_barrier(task, 3).lower or -1.0, what="m = N: positive", X=X)
        reconnected = permutation_barrier(task, 3 + spare - bias, bias=bias, rng=0).upper
        tally.add(ROUNDING - reconnected, what="m = N + 1: zero", X=X, bias=bias)
    return tally.outcome(
        "any net with N + 1 units (an output bias counts as one) to its permuted copies; margins relative"
    )


CLAIM = Claim(
    id="app-e1-threshold",
    headline="One unit more than samples, or an output bias, reconnects every net with its permuted copies.",
    fault="no spare unit",
    source="Appendix E.1",
    statement="m = N is sharp: with N = 3 points and m = 3 units (no biases) the permutation task has a positive barrier between "
    "a net and its swap; with m = N + 1, or an output bias, any N points, every net is joined to every permuted copy at its own risk",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, spare=0),
    proof="N + 1 rows of features on N points are dependent: nu^T Z = 0, nu_k = 1. Moving W_2 to W_2 - W_2 e_k nu^T "
    "keeps W_2 Z and leaves unit k idle; round it the others move like a fifteen puzzle. A constant feature (the "
    "output bias) is one more row.",
)
