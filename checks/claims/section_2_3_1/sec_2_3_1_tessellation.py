"""Section 2.3.1: a net on its own outputs, against its copy with two hidden units swapped."""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.counterexamples import Counterexample, tessellation
from theory.maxima import path_maximum
from theory.moves import Walk


def plane_task(rng: np.random.Generator, reducible: bool) -> Counterexample:
    """A 2-2-d net in the plane on its own outputs, at points around each of its kinks and in between.

    Reducible: one outgoing column is zero, or the rows are parallel.
    """
    angles = rng.uniform(0, 2 * np.pi) + np.array([0.0, rng.uniform(0.05, np.pi - 0.05)]) * rng.choice([-1, 1])
    d = int(rng.integers(1, 3))
    W = np.exp(rng.uniform(-1, 1, (2, 1))) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    V = rng.choice([-1, 1], size=(d, 2)) * rng.uniform(0.2, 2, size=(d, 2))
    if reducible:
        W[1] = W[0] * rng.uniform(0.5, 2) if rng.random() < 0.5 else W[1]
        V[:, 1] *= bool(np.allclose(W[0, 0] * W[1, 1] - W[0, 1] * W[1, 0], 0))
    kinks = np.concatenate([angles + np.pi / 2, angles - np.pi / 2])
    gaps = np.sort(np.mod(kinks, 2 * np.pi))
    middle = (gaps + np.append(gaps[1:], gaps[0] + 2 * np.pi)) / 2
    t = np.concatenate([kinks - 0.02, kinks + 0.02, middle, rng.uniform(0, 2 * np.pi, 4)])
    X = np.exp(rng.uniform(-1, 1, (len(t), 1))) * np.stack([np.cos(t), np.sin(t)], axis=1)
    return tessellation(W, V, X)


def wide_task(rng: np.random.Generator, reducible: bool) -> Counterexample:
    """A n-m-m net, m = 2..4, with independent outgoing columns; reducible: a column is zero.

    At m points where its features are independent (else the sample does not tell its units apart) and two more.
    """
    n, m = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    W, V = rng.standard_normal((m, n)), rng.standard_normal((m, m))
    while True:
        X = rng.standard_normal((64, n))
        pivots = qr(np.maximum(W @ X.T, 0), mode="r", pivoting=True)
        if abs(pivots[0][m - 1, m - 1]) > 1e-3:
            break
        W = rng.standard_normal((m, n))
    if reducible:
        V[:, 1] = 0
    return tessellation(W, V, X[pivots[1][: m + 2]])


def attack(setting: Setting, *, reducible: bool = False) -> Outcome:
    """The certified lower bound between the net and its swap is positive, though both have risk zero.

    Two units in the plane: the sign of det W_1. More: det Z on subsets of the points.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(30, 1000))):
        task = plane_task if k % 2 else wide_task
        found = task(rng, reducible)
        tally.add(found.lower if found.lower > 0 else -1.0, widths=found.risk.network.widths, reducible=reducible)
    return tally.outcome("random irreducible nets on samples that see each of their kinks; bounds in exact arithmetic")


def witness() -> Witness:
    """theta with v_2 = 0: unit 2 is idle, and the swap costs nothing. n = 1, rows of one sign: both kinks are at 0."""
    X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5], [0.25, -1.0], [2.0, 3.0]])
    plane = tessellation([[1.0, 0.5], [-0.25, 1.0]], [[2.0, 0.0]], X)
    walk = Walk(plane.risk.network, plane.theta_a, X)
    walk.permute(1, [1, 0])
    idle = path_maximum(plane.risk, walk.path).upper
    both = np.array([[1.0], [2.0], [-1.0]])
    line = tessellation([[1.0], [2.0]], [[1.0, 3.0]], both)
    walk_1 = Walk(line.risk.network, line.theta_a, both)
    walk_1.transfer(1, 1, 0)
    walk_1.permute(1, [1, 0])
    walk_1.refit(1, line.risk.network.weights(line.theta_b)[1])
    merged = path_maximum(line.risk, walk_1.path).upper
    reached = np.array_equal(walk.theta, plane.theta_b) and np.array_equal(walk_1.theta, line.theta_b)
    return Witness(
        reached and idle <= 1e-24 and merged <= 1e-24,
        "theta with v_2 = 0 and its swap are joined at risk zero (place, transfer, place), and so are two units with rows of "
        "one sign for n = 1 without biases, whose kinks coincide",
        {"idle unit, maximum": idle, "n = 1, maximum": merged},
    )


CLAIM = Claim(
    id="sec-2.3.1-tessellation",
    headline="A net and its permuted copy are not joined at risk 0 when the targets come from it.",
    instead="True for one hidden layer, two or more inputs and a net with no superfluous unit.",
    fault="nets with a superfluous unit",
    source="Section 2.3.1",
    statement="For p(x) > 0 and Y = Phi(X; theta), theta and its hidden permutation both have risk 0, but every path between "
    "them has a different tessellation somewhere and does not stay at risk 0",
    standing=Standing.REMARK,
    tightness=Tightness.LOWER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, reducible=True),
    refute=witness,
    repaired="One hidden layer, n >= 2, theta irreducible (nonzero outgoing columns, kink hyperplanes pairwise different): "
    "theta and its permuted copies lie in different components of {F <= lambda} for all lambda below some lambda_0 > 0",
    proof="Nets of small risk are near Phi(theta) on every ball, which is not affine across its kinks, so near each kink "
    "hyperplane some unit has its own; with enough balls on each, m units serve m hyperplanes, and the assignment of "
    "units to hyperplanes is locally constant.",
)
