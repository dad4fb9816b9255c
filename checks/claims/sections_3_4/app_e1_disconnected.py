"""Appendix E.1: the three-point permutation task, a net and its copy with two units swapped."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.barriers import least_risk, permutation_barrier
from theory.networks import Network
from theory.rays import rays
from theory.risk import Risk, Sample

CYCLIC = ((1, 2, 0), (2, 0, 1))
ANGLE_GRID = 72  # directions a side of the two-angle brute force
PARALLEL = 1e-6  # pairs of feature rows closer than this are left to the exact bound
SLACK = 1e-8  # of E|Y|^2: the cross product of rows at least PARALLEL apart is right to 16 u / PARALLEL < 2e-9


def triangle(rng: np.random.Generator, kind: int) -> np.ndarray:
    """Corners of all sorts: around the origin, in a half-plane, nearly and exactly opposite, of different lengths."""
    if kind == 0:
        angles = np.array([0.0, 120.0, 240.0]) + rng.uniform(-25, 25, 3)
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 170, 3))
    elif kind == 2:
        angles = np.array([0.0, 180 + rng.choice([-1, 1]) * 10 ** rng.uniform(-3, 1), rng.uniform(20, 160)])
    elif kind == 3:
        a, b = rng.integers(1, 9, size=(2, 2)) * rng.choice([-1, 1], size=(2, 2))
        b = b + (a[0] * b[1] == a[1] * b[0]) * np.array([0, 1])  # off the line of the opposite points
        return np.stack([a, -a * rng.integers(1, 4), b]).astype(float)
    else:
        return rng.standard_normal((3, 2))
    radius = np.exp(rng.uniform(-1, 1, 3))[:, None]
    turn = np.radians(angles + rng.uniform(0, 360))
    return radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def brute_force(sample: Sample, rng: np.random.Generator) -> float:
    """The least risk of a two-unit net over a grid of two angles, randomly turned."""
    t = 2 * np.pi * (np.arange(ANGLE_GRID) + rng.random()) / ANGLE_GRID
    Z = np.maximum(np.stack([np.cos(t), np.sin(t)], axis=1) @ sample.X.T, 0)
    Z = Z[Z.any(axis=1)]
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    i, j = np.triu_indices(len(Z), 1)
    nu = np.cross(Z[i], Z[j])
    size = np.linalg.norm(nu, axis=1)
    nu = nu[size > PARALLEL] / size[size > PARALLEL, None]
    return float((np.sum((nu @ sample.Y) ** 2, axis=1) / np.sum(nu**2 / sample.weights, axis=1)).min())


def random_paths(
    risk: Risk, start: np.ndarray, order: tuple[int, ...], count: int, rng: np.random.Generator
) -> np.ndarray:
    """The risk where det Z changes sign, on `count` strings with random beads whose outgoing weights are refitted."""
    net, sample = risk.network, risk.sample
    end = net.permute(start, 1, order)
    beads = rng.integers(1, 5)
    W = rng.standard_normal((count, beads, 3, 2)) + rng.random((count, 1, 1, 1)) * net.weights(start)[0]
    Z = np.maximum(W @ sample.X.T, 0)
    V = np.linalg.pinv(Z, rcond=1e-6)
    V = sample.Y.T @ V * rng.uniform(0.5, 1, size=(count, beads, 1, 1))
    inner = net.pack([W, V])
    points = np.concatenate(
        [np.broadcast_to(start, (count, 1, net.size)), inner, np.broadcast_to(end, (count, 1, net.size))], axis=1
    )

    def at(s: np.ndarray) -> np.ndarray:
        piece = np.minimum(s.astype(int), beads)
        u = (s - piece)[:, None]
        rows = np.arange(count)
        return (1 - u) * points[rows, piece] + u * points[rows, piece + 1]

    def sign(s: np.ndarray) -> np.ndarray:
        return np.linalg.det(np.maximum(net.weights(at(s))[0] @ sample.X.T, 0)) > 0

    low, high = np.zeros(count), np.full(count, beads + 1.0)
    first = sign(low)
    for _ in range(60):
        middle = (low + high) / 2
        same = sign(middle) == first
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.minimum(risk.batch(at(low)), risk.batch(at(high)))


def attack(setting: Setting, *, order: tuple[int, ...] = (1, 0, 2), most: int = 1000) -> Outcome:
    """e(2), certified, is positive for cyclic targets; no two-unit net, no path and no random string gets below it.

    The height of the constructed path must meet it. `order`: how the far end's units are permuted; a fault when even.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(min(most, setting.instances(15, 1000)))):
        X = triangle(rng, k % 5)
        for target in (CYCLIC[k % 2], list(permutations(range(3)))[k % 6]):
            sample = Sample(X, X[list(target)])
            lower, scale = least_risk(rays(sample)).lower, sample.energy
            if tuple(target) in CYCLIC:
                tally.add(lower / scale if lower > 0 else -1.0, what="e(2) > 0", X=X, target=target)
            tally.add((brute_force(sample, rng) - lower) / scale + SLACK, what="two angles", X=X, target=target)
            barrier = permutation_barrier(sample, 3, order=order, rng=0)
            tally.add((barrier.upper - lower) / scale, what="the path stays above", X=X, target=target)
            tally.add(1e-6 - (barrier.upper - lower) / scale, what="lower and upper meet", X=X, target=target)
            if barrier.path is None:
                raise ArithmeticError("the permutation task must come with a path")
            risk = Risk(Network((2, 3, 2)), sample)
            heights = random_paths(risk, barrier.path.points[0], (1, 0, 2), 10, rng)
            tally.add_many((heights - lower) / scale + SLACK, height=heights)
    return tally.outcome(
        "triangles around the origin, in a half-plane, nearly and exactly antipodal; margins over E|Y|^2"
    )


CLAIM = Claim(
    id="app-e1-disconnected",
    headline="In the permutation task a net and its swap are not connected.",
    fault="an even permutation, which can be carried out",
    source="Appendix E.1",
    statement="2-3-2 ReLU net without biases mapping three points to each other cyclically: a net and its copy with "
    "the first two hidden units swapped are not connected at equivalent power",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, order=(1, 2, 0), most=5),
    proof="The swap turns the sign of det Z. Where det Z = 0 the net is a net of two units, so every path climbs to "
    "e(2) = (1/3) min |Y nu|^2 over unit nu with two sign changes along the curve of feature rows; the null vector of Y "
    "has one only, so e(2) > 0. A path that merges down to the best two units, swaps round the idle one and comes back "
    "attains it. 2 components when the origin is inside the triangle, else 6.",
)
