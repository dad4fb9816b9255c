"""What the paths to the permuted net are built from: rows chosen in rationals, units that turn, and what a barrier says."""

import math

import numpy as np
import pytest

from theory.barriers import free_paths, permutation_paths
from theory.barriers.dependent_features import least_risk
from theory.barriers.lower_bounds import Barrier, Reason
from theory.barriers.permutations import permutation_barrier
from theory.networks import Network
from theory.numerics import exact_rows, rank
from theory.paths import Path
from theory.rays import feature_rows, rays
from theory.risk import Risk, Sample


def test_a_barrier_says_what_is_not_known_and_how_large_its_weights_are():
    path = Path([[1.0, -3.0], [2.0, 0.5]])
    found = Barrier(0.25, 1.0, path, Reason.ORDER)
    assert (found.gap, found.largest_weight) == (0.75, 3.0)
    assert math.isnan(Barrier(0.25, 1.0, None, found.reason).largest_weight)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("repeats", [0, 1, 3])
def test_rows_are_chosen_whose_features_are_independent_though_the_first_are_not(bias, repeats):
    rng = np.random.default_rng(repeats)
    X = rng.integers(-4, 5, (5, 2)) + 0.5
    points = rays(Sample(np.column_stack([X, np.ones(5)]) if bias else X, np.ones((5, 1))))
    pool = rng.integers(-9, 10, (40, len(points.X[0]))).astype(float)
    pool = np.concatenate([np.tile(pool[:1], (repeats, 1)), pool])
    constant = [[points.constant * 0 + 1] * len(points)] if bias else []
    independent = rank(constant + feature_rows(points, exact_rows(pool)))
    chosen = free_paths._spanning_exactly(points, pool, independent, bias)
    assert len(chosen) == independent - bias
    assert rank(constant + feature_rows(points, exact_rows(chosen))) == independent


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("turn", [0.0, 0.7, 2.0])
def test_three_units_turn_to_each_others_places_at_no_risk(order, turn):
    """Three points around the origin: at every bead the three features are independent, so the refitted net is exact."""
    angles = turn + np.array([0.0, 2.0, 4.1])
    sample = Sample(np.column_stack([np.cos(angles), np.sin(angles)]), [[1.0], [-2.0], [3.0]])
    network, risk = Network((2, 3, 1)), Risk(Network((2, 3, 1)), sample)
    path = permutation_paths.turning(network, sample, least_risk(rays(sample)), order, 20)
    assert risk.batch(path.points).max() <= 1e-20
    assert np.array_equal(path.points[-1], network.permute(path.points[0], 1, order))
    steps = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
    assert steps.max() <= 0.25 * np.linalg.norm(path.points, axis=1).max()
    assert permutation_barrier(sample, 3, order=order).upper <= 1e-3
