"""With a penalty, two given nets that differ in a sign or in the order of their rows are e(m - 1) apart."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.barriers import Reason, penalised_lower_bound, two_unit_barrier
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import gamma
from theory.paths import Path
from theory.risk import Risk, Sample


def in_the_ball(net: Network, thetas: np.ndarray) -> np.ndarray:
    """Parameter vectors (V, P) with the rows of W_1 that are too long shortened to the unit sphere, from inside."""
    rows = thetas[:, net.slices[0]].reshape(len(thetas), net.widths[1], net.widths[0])
    rows = rows / (np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1) * (1 + gamma(16)))
    return np.concatenate([rows.reshape(len(thetas), net.widths[1] * net.widths[0]), thetas[:, net.slices[1]]], axis=1)


def shaken(net: Network, path: Path, rng: np.random.Generator) -> Path:
    """The path with twice as many vertices, all but its ends moved at random inside the unit ball."""
    points = path.at(np.linspace(0, 1, 2 * len(path) + 1))
    points[1:-1] += 10.0 ** rng.uniform(-4, 0) * rng.standard_normal(points[1:-1].shape)
    points[1:-1] = in_the_ball(net, points[1:-1])
    return Path(points)


def problem(rng: np.random.Generator) -> tuple[Sample, float]:
    """A small sample of one or two inputs and a penalty; every third time with two points nearly on one ray."""
    n, N = int(rng.integers(1, 3)), int(rng.integers(2, 6))
    X, Y = rng.standard_normal((N, n)), rng.standard_normal((N, 1))
    if n == 2 and rng.integers(3) == 0:
        X[1] = X[0] * rng.uniform(0.5, 2) + 10.0 ** -rng.integers(4, 26) * rng.standard_normal(2)
    sample = Sample(X, Y, rng.dirichlet(np.ones(N)))
    return sample, float(rng.uniform(0.02, 0.4)) * float(np.sqrt(sample.energy * np.trace(sample.second_moment)))


def attack(setting: Setting, *, factor: float = 1.0) -> Outcome:
    """No path gets below `factor` times the bound: the one built to meet it, straight ones, and random ones."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(15, 500))):
        sample, kappa = problem(rng)
        net = Network((sample.n_in, 2, 1))
        risk = Risk(net, sample, kappa=kappa, penalty="second_layer_l1")
        built = two_unit_barrier(sample, kappa)
        paths = []
        if built.path is not None and built.reason is not Reason.NONE:
            paths += [(built.lower, built.path, "built"), (built.lower, shaken(net, built.path, rng), "built, shaken")]
        a, b = in_the_ball(net, rng.standard_normal((2, net.size)))
        for far, what in ((b, "another net"), (net.permute(a, 1, [1, 0]), "its swap")):
            bound = penalised_lower_bound(risk, a, far)
            if bound.reason is not Reason.NONE:
                straight = Path(np.stack([a, far]))
                paths += [(bound.lower, straight, what), (bound.lower, shaken(net, straight, rng), f"{what}, shaken")]
        for lower, path, what in paths:
            slack = (path_maximum(risk, path).value - factor * lower) / sample.energy
            tally.add(slack + gamma(1000), instance=k, n=sample.n_in, N=len(sample), kappa=kappa, what=what)
    return tally.outcome("two units, one or two inputs; e(1) enclosed; margins in units of E Y^2")


CLAIM = Claim(
    id="penalised-barrier",
    headline="With a penalty, two given nets that differ in a sign cannot be joined below the risk of one unit fewer.",
    fault="the bound raised by a tenth",
    source="ours; for eq. (6) and the exact reading of Corollary 2.5",
    statement="kappa > 0, one output, rows of W_1 in the unit ball, m = 2, n <= 2: if two nets differ in the sign of an outgoing "
    "weight (n = 1: or of a row), every path between them reaches e(1), which is enclosed; a net with F <= e(1) "
    "whose weights have opposite signs is joined to its swap by a path that climbs to e(1) exactly",
    standing=Standing.OURS,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, factor=1.1),
    proof="Where the sign turns, a weight or a row is zero, or two rows are parallel: a net of m - 1 units at no larger norm, "
    "so F >= e(m - 1). For m = 2, e(1) is the least of finitely many values at roots of polynomials, enclosed in balls. The "
    "path refits to the best single unit, swaps round the idle one and refits again: convex pieces, with e(1) as their maximum.",
)
