"""What an answer is tried on: one strategy for each exercise of `checks.exercises.attempts`, small when shrunk.

Whole numbers of few units, points and steps, so that the smallest failure can be followed by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from checks import strategies
from theory.networks import Network
from theory.risk import Risk, Sample

Array = NDArray[Any]
Instance = dict[str, Any]


def integers(draw: st.DrawFn, shape: tuple[int, ...], least: int = -3, most: int = 3) -> Array:
    """An array of this shape (...) of whole numbers, as floats."""
    return draw(arrays(float, shape, elements=st.integers(least, most).map(float)))


@st.composite
def pairs_on_samples(draw: st.DrawFn) -> Instance:
    """Two unit vectors w1, w2 (n,) and points X (N, n)."""
    n = draw(st.integers(1, 3))
    found, sample = draw(strategies.unit_pairs(n)), draw(strategies.samples(n))
    return {"w1": found.w1, "w2": found.w2, "X": np.array(sample.X)}


@st.composite
def segments(draw: st.DrawFn) -> Instance:
    """A hat of three relu units somewhere on the segment, from wide to very narrow."""
    centre = draw(st.floats(0.1, 0.9, allow_subnormal=False))
    half = draw(st.sampled_from([0.08, 0.01, 1e-3, 1e-5]))
    net = Network((1, 3, 1))
    risk = Risk(net, Sample(np.ones((1, 1)), np.zeros((1, 1))))
    kinks = np.array([[centre - half], [centre], [centre + half]])
    a, b = (net.pack([t - kinks, [[1 / half, -2 / half, 1 / half]]]) for t in (0.0, 1.0))
    return {"risk": risk, "theta_a": a, "theta_b": b}


def wide_angles() -> st.SearchStrategy[Instance]:
    """An angle alpha between 2 pi / 3 and pi."""
    return st.floats(2 * np.pi / 3 + 0.02, np.pi - 0.02).map(lambda alpha: {"alpha": alpha})


@st.composite
def dependent_features(draw: st.DrawFn) -> Instance:
    """Features Z (h, N) of more units than points, and outgoing weights V (p, h)."""
    N, p = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    h = N + draw(st.integers(1, 3))
    return {"V": integers(draw, (p, h)), "Z": integers(draw, (h, N), 0, 3)}


@st.composite
def holes(draw: st.DrawFn) -> Instance:
    """A net W (h, n), v (h,) with an idle unit `hole`, and another `unit`."""
    h, n = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    W, v = integers(draw, (h, n)), integers(draw, (h,))
    hole = draw(st.integers(0, h - 1))
    unit = (hole + draw(st.integers(1, h - 1))) % h
    v[hole] = 0.0
    return {"W": W, "v": v, "hole": hole, "unit": unit}


@st.composite
def many_units(draw: st.DrawFn) -> Instance:
    """Features Z (m, N) of more units than points, and weights v (m,)."""
    N = draw(st.integers(1, 3))
    m = draw(st.integers(N + 1, 3 * N + 2))
    return {"Z": integers(draw, (m, N), 0, 3), "v": integers(draw, (m,))}


@st.composite
def mixtures(draw: st.DrawFn) -> Instance:
    """Features Z (m, N), weights v (m,), and how many units are to be drawn."""
    m, N = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    return {"Z": integers(draw, (m, N), 0, 3), "v": integers(draw, (m,)), "units": draw(st.integers(1, 5))}


@st.composite
def polylines(draw: st.DrawFn) -> Instance:
    """Points (V, n) of a polyline: loops, and a place that is never left, among them."""
    return {"points": integers(draw, (draw(st.integers(2, 5)), draw(st.integers(1, 3))))}


@st.composite
def oriented(draw: st.DrawFn) -> Instance:
    """Three units W (3, 2) on three points X (3, 2) with det Z != 0, of either sign."""
    W, X = integers(draw, (3, 2)), integers(draw, (3, 2))
    if abs(np.linalg.det(np.maximum(W @ X.T, 0))) < 0.5:
        X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
        W = X[draw(st.permutations(range(3)))]
    return {"W": W, "X": X}


@st.composite
def triangles(draw: st.DrawFn) -> Instance:
    """Three points X (3, 2) around the origin, which is inside their triangle, at different distances."""
    X = integers(draw, (2, 2))
    if X[0, 0] * X[1, 1] == X[0, 1] * X[1, 0]:
        X = np.eye(2)
    inside = draw(arrays(float, 2, elements=st.sampled_from([1.0, 0.5, 2.0])))
    return {"X": np.concatenate([X, [-inside @ X]])}
