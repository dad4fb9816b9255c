"""What an answer is tried on: for each exercise its instances in order of size, so the first failure is the smallest.

Each function is a generator without end: a few instances chosen by hand, among them the one that each usual mistake meets
first, then random ones that grow, the same every time. Whole numbers of few units, points and steps, so that a failure
can be followed by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from theory.networks import Network
from theory.numerics import Array
from theory.relu_kernel import pair
from theory.risk import Risk, Sample

Instance = dict[str, Any]

DIRECTIONS = ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8], [0.8, -0.6], [0.8, 0.6], [-0.6, 0.8], [-0.8, -0.6])
POINTS = ([[1.0, 0.0]], [[-1.0, 0.0]], [[1.0, 1.0]], [[0.0, 0.0]], [[3.0, 4.0], [3.0, -4.0]], [[0.0, 1.0], [-1.0, 0.0]])
EVERY = 12  # random instances of one size


def growing() -> Iterator[tuple[np.random.Generator, int]]:
    """A generator of numbers, and the size of the instance to be drawn next: 1, 2, 3, then 3 for ever."""
    rng = np.random.default_rng(0)
    for k in itertools.count():
        yield rng, min(1 + k // EVERY, 3)


def integers(rng: np.random.Generator, most: int, *shape: int, least: int | None = None) -> Array:
    """An array of this shape (...) of whole numbers from `least` (None: -most) to `most`, as floats."""
    return rng.integers(-most if least is None else least, most + 1, shape).astype(float)


def _points_and_units() -> Iterator[tuple[Array, Array, Array]]:
    """Two unit vectors w1, w2 (n,) and points X (N, n): at every angle from 0 to pi, near both ends, in 1 to 3 dimensions."""
    for sign, x in itertools.product((1.0, -1.0), (1.0, -1.0, 0.0)):
        yield np.array([1.0]), np.array([sign]), np.array([[x]])
    for x, y in ((1.0, 2.0), (2.0, 1.0), (3.0, 4.0)):  # the kernel is zero, it is not, it is just zero
        yield np.array([0.8, -0.6]), np.array([0.8, 0.6]), np.array([[x, y], [x, -y]])
    for one, other, points in itertools.product(DIRECTIONS[:2], DIRECTIONS, POINTS):
        yield np.array(one), np.array(other), np.array(points)
    for rng, size in growing():
        n = int(rng.integers(2, 4))
        w1, w2 = rng.standard_normal((2, n))
        near = rng.choice([0.0, 1e-8, 1.0, 1.0])  # every other pair is parallel, opposite, or almost
        w2 = w2 if near == 1 else rng.choice([-1.0, 1.0]) * w1 + near * w2
        X = integers(rng, size, int(rng.integers(1, 4)), n) * rng.choice([1.0, 1.0, 1e-3, 1e3])
        yield w1 / np.linalg.norm(w1), w2 / np.linalg.norm(w2), X


def pairs_on_samples() -> Iterator[Instance]:
    """Two unit vectors w1, w2 (n,) and points X (N, n)."""
    for w1, w2, X in _points_and_units():
        yield {"w1": w1, "w2": w2, "X": X}


def measured_pairs() -> Iterator[Instance]:
    """An angle alpha, ||w_m||_Z^2 and ||Sigma||: all that an answer is told of the units and points behind them."""
    for w1, w2, X in _points_and_units():
        g = pair(w1, w2)
        square = float(np.mean(np.maximum(X @ g.bisector, 0) ** 2))
        norm = float(np.linalg.norm(X.T @ X / len(X), 2))
        yield {"alpha": float(g.alpha), "square": square, "norm": norm, "w1": w1, "w2": w2, "X": X}


def segments() -> Iterator[Instance]:
    """A hat of three relu units somewhere on the segment, from wide to very narrow, low and high."""
    chosen = [(0.5, 0.25, 1.0), (0.5, 0.25, 8.0), (0.505, 0.004, 1.0), (0.505, 0.004, 0.125)]
    rng = np.random.default_rng(0)
    drawn = (
        (rng.uniform(0.1, 0.9), rng.choice([0.08, 0.01, 1e-3, 1e-5]), rng.choice([1.0, 0.01, 100.0]))
        for _ in itertools.count()
    )
    net = Network((1, 3, 1))
    risk = Risk(net, Sample(np.ones((1, 1)), np.zeros((1, 1))))
    for centre, half, height in itertools.chain(chosen, drawn):
        kinks = np.array([[centre - half], [centre], [centre + half]])
        out = height / half * np.array([[1.0, -2.0, 1.0]])
        a, b = (net.pack([t - kinks, out]) for t in (0.0, 1.0))
        yield {"risk": risk, "theta_a": a, "theta_b": b}


def wide_angles() -> Iterator[Instance]:
    """An angle alpha between 2 pi / 3 and pi."""
    rng = np.random.default_rng(0)
    drawn = (rng.uniform(2 * np.pi / 3 + 0.02, np.pi - 0.02) for _ in itertools.count())
    for alpha in itertools.chain([2.5, 3.0, 2.2], drawn):
        yield {"alpha": float(alpha)}


def dependent_features() -> Iterator[Instance]:
    """Features Z (h, N) of more units than points, and outgoing weights V (p, h)."""
    yield {"V": np.array([[1.0, 1.0]]), "Z": np.array([[1.0], [2.0]])}
    yield {"V": np.array([[1.0, 1.0]]), "Z": np.array([[0.0], [1.0]])}
    yield {"V": np.array([[1.0, 2.0, 3.0]]), "Z": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])}
    for rng, size in growing():
        N = int(rng.integers(1, size + 1))
        h, p = N + int(rng.integers(1, size + 1)), int(rng.integers(1, 3))
        yield {"V": integers(rng, size, p, h), "Z": integers(rng, size, h, N, least=0)}


def holes() -> Iterator[Instance]:
    """A net W (h, n), v (h,) with an idle unit `hole`, and another `unit`."""
    yield {"W": np.array([[1.0], [0.0]]), "v": np.array([1.0, 0.0]), "hole": 1, "unit": 0}
    yield {"W": np.array([[-1.0], [1.0], [2.0]]), "v": np.array([0.0, 1.0, -1.0]), "hole": 0, "unit": 2}
    for rng, size in growing():
        h, n = int(rng.integers(2, size + 3)), int(rng.integers(1, size + 1))
        W, v = integers(rng, size, h, n), integers(rng, size, h)
        hole, unit = (int(k) for k in rng.permutation(h)[:2])
        v[hole] = 0.0
        yield {"W": W, "v": v, "hole": hole, "unit": unit}


def many_units() -> Iterator[Instance]:
    """Features Z (m, N) of more units than points, and weights v (m,)."""
    yield {"Z": np.array([[1.0], [2.0]]), "v": np.array([1.0, 1.0])}
    yield {"Z": np.array([[1.0], [1.0]]), "v": np.array([1.0, -1.0])}
    yield {"Z": np.array([[2.0], [1.0]]), "v": np.array([1.0, 1.0])}
    for second in (1.0, -1.0):
        yield {"Z": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), "v": np.array([1.0, second, 1.0])}
    for rng, size in growing():
        N = int(rng.integers(1, size + 1))
        m = N + int(rng.integers(1, 2 * size + 1))
        yield {"Z": integers(rng, size, m, N, least=0), "v": integers(rng, size, m)}


def mixtures() -> Iterator[Instance]:
    """Features Z (m, N), weights v (m,), and how many units are to be drawn."""
    yield {"Z": np.array([[1.0]]), "v": np.array([1.0]), "units": 1}
    yield {"Z": np.array([[1.0], [0.0]]), "v": np.array([1.0, 1.0]), "units": 1}
    yield {"Z": np.array([[1.0], [0.0]]), "v": np.array([1.0, -1.0]), "units": 2}
    yield {"Z": np.array([[2.0, 0.0], [0.0, 1.0]]), "v": np.array([1.0, -1.0]), "units": 2}
    for rng, size in growing():
        m, N = int(rng.integers(1, size + 3)), int(rng.integers(1, size + 2))
        yield {"Z": integers(rng, size, m, N, least=0), "v": integers(rng, size, m), "units": int(rng.integers(1, 6))}


def polylines() -> Iterator[Instance]:
    """Points (V, n) of a polyline; a loop, and a place that is never left, stand behind the plain ones."""
    plain = [[[0], [2]], [[0], [2], [1]], [[0, 0], [3, 0], [3, 4]], [[0], [1], [0]], [[1], [1]], [[1], [1], [2]]]
    for chosen in plain:
        yield {"points": np.array(chosen, dtype=float)}
    for rng, size in growing():
        points = integers(rng, size, int(rng.integers(2, size + 3)), int(rng.integers(1, size + 1)))
        if rng.random() < 0.25:
            points[-1] = points[0]
        yield {"points": points}


def oriented() -> Iterator[Instance]:
    """Three units W (3, 2) on three points X (3, 2) with det Z != 0, of either sign."""
    X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    for order in itertools.permutations(range(3)):
        yield {"W": X[list(order)], "X": X}
    for rng, size in growing():
        W, X = integers(rng, size, 3, 2), integers(rng, size, 3, 2)
        while abs(np.linalg.det(np.maximum(W @ X.T, 0))) < 0.5:  # of whole numbers: zero or at least one
            W, X = integers(rng, size + 1, 3, 2), integers(rng, size + 1, 3, 2)
        yield {"W": W, "X": X}


def triangles() -> Iterator[Instance]:
    """Three points X (3, 2) around the origin, which is inside their triangle, at different distances."""
    yield {"X": np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])}
    yield {"X": np.array([[2.0, 0.0], [0.0, 1.0], [-2.0, -1.0]])}
    for rng, size in growing():
        X = integers(rng, size, 2, 2)
        if X[0, 0] * X[1, 1] == X[0, 1] * X[1, 0]:
            X = np.eye(2)
        yield {"X": np.concatenate([X, [-rng.choice([1.0, 0.5, 2.0], 2) @ X]])}
