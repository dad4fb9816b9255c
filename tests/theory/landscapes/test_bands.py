"""Elastic bands: springs straighten them, the level pushes them, their ends stay, and units do not matter."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.landscapes import tightened
from theory.networks import Network
from theory.risk import Risk, Sample

VALLEY = Risk(Network((1, 1, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))  # F = (w1 w2 - 1)^2 for w1 > 0
NET = Network((2, 3, 1), bias=True)


def surface(seed, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, 2))
    return Risk(NET, Sample(X, scale * np.sin(X[:, :1])))


def energy(risk, points, level, stiffness):
    """E as it is printed, bead by bead."""
    span = np.linalg.norm(points[-1] - points[0])
    springs = sum(float(np.sum((q - p) ** 2)) for p, q in pairwise(points)) * (len(points) - 1) / span**2
    push = [max(np.sqrt(risk(x) / level) - 1, 0) ** 2 for x in points[1:-1]]
    return springs + stiffness * float(np.mean(push))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0.01, 0.3, 10.0]), st.sampled_from([0.1, 10.0, 1e4]))
def test_the_energy_falls_and_the_ends_stay(seed, beads, level, stiffness):
    rng, risk = np.random.default_rng(seed), surface(seed)
    points = rng.standard_normal((beads + 2, NET.size))
    kept = points.copy()
    band, evaluations = tightened(risk, points, level, stiffness=stiffness, iterations=10)
    assert np.array_equal(points, kept), "the argument is not changed"
    assert band.shape == points.shape
    assert np.array_equal(band[[0, -1]], points[[0, -1]])
    assert energy(risk, band, level, stiffness) <= energy(risk, points, level, stiffness) * (1 + 1e-9)
    assert evaluations >= beads
    assert evaluations % beads == 0


@pytest.mark.parametrize("beads", [1, 2, 7])
def test_a_band_that_no_level_pushes_becomes_straight_and_evenly_spaced(beads):
    rng = np.random.default_rng(beads)
    points = rng.standard_normal((beads + 2, 2))
    band, _ = tightened(VALLEY, points, 1e9, stiffness=1.0, iterations=50)
    t = np.linspace(0, 1, beads + 2)[:, None]
    np.testing.assert_allclose(band, (1 - t) * points[0] + t * points[-1], atol=1e-4)


def test_the_slope_is_that_of_the_energy():
    """A minimum: no step along any coordinate lowers the energy by more than rounding of the stop."""
    rng, risk = np.random.default_rng(3), surface(3)
    points = rng.standard_normal((6, NET.size))
    band, _ = tightened(risk, points, 0.05, stiffness=5.0, iterations=4000)
    least = energy(risk, band, 0.05, 5.0)
    for k in range(1, 5):
        for p in range(NET.size):
            for h in (1e-2, -1e-2):
                moved = band.copy()
                moved[k, p] += h
                assert energy(risk, moved, 0.05, 5.0) >= least * (1 - 1e-4)


def test_a_band_over_a_ridge_goes_round_it():
    ends = np.array([[0.25, 4.0], [4.0, 0.25]])
    t = np.linspace(0, 1, 11)[:, None]
    line = (1 - t) * ends[0] + t * ends[1]
    band, _ = tightened(VALLEY, line, 0.04, stiffness=1e4, iterations=200)
    assert VALLEY.batch(line).max() > 1
    assert VALLEY.batch(band).max() < 0.06


@pytest.mark.parametrize("power", [-40, -1, 7, 40])
def test_units_do_not_matter(power):
    """Weights times c, targets and the root of the level times c^2: the same band, times c."""
    c = 2.0**power
    net = Network((2, 3, 1))
    rng = np.random.default_rng(1)
    X, points = rng.standard_normal((12, 2)), rng.standard_normal((6, net.size))
    here, there = (
        tightened(Risk(net, Sample(X, s**2 * X[:, :1])), s * points, 0.01 * s**4, stiffness=9.0, iterations=20)[0]
        for s in (1.0, c)
    )
    assert not np.array_equal(here, points)
    assert np.array_equal(c * here, there)


def test_a_loop_and_a_band_that_overflows_end():
    loop = np.array([[1.0, 1.0], [1.2, 1.0], [1.0, 1.0]])
    band, _ = tightened(VALLEY, loop, 0.04, stiffness=10.0, iterations=20)
    np.testing.assert_allclose(band, np.ones((3, 2)), atol=1e-3)
    high = np.array([[1.0, 1.0], [1e160, 1e160], [1.0, 2.0]])
    band, _ = tightened(VALLEY, high, 0.04, stiffness=10.0, iterations=20)
    assert band.shape == high.shape
    assert np.array_equal(band[[0, -1]], high[[0, -1]])
