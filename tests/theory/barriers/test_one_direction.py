"""Nets that see one direction, and one penalised unit, minimised exactly; barriers with a penalty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.barriers.lower_bounds import Reason
from theory.barriers.one_direction import one_direction_risk, one_unit_risk
from theory.barriers.penalised import (
    cyclic_order,
    penalised_lower_bound,
    spared_unit_risk,
    two_unit_barrier,
)
from theory.networks import Network
from theory.risk import Risk, Sample


def random_sample(rng, N, d):
    return Sample(rng.standard_normal((N, 2)), rng.standard_normal((N, d)), rng.uniform(0.1, 1, N))


def on_a_grid(sample, signs, kappa=0.0, size=20_000):
    """E|Y|^2 minus the gain of features rho(s <u, x>), s in signs, least over a grid of directions."""
    t = np.linspace(0, 2 * np.pi, size)
    U = np.stack([np.cos(t), np.sin(t)], axis=1)
    risk = np.full(size, sample.energy)
    for s in signs:
        z = np.maximum(s * U @ sample.X.T, 0)
        square, moment = z**2 @ sample.weights, np.linalg.norm((z * sample.weights) @ sample.Y, axis=1)
        risk -= np.where(square > 1e-12, np.maximum(moment - kappa / 2, 0) ** 2 / np.maximum(square, 1e-300), 0)
    return risk.min()


@given(st.integers(0, 2**32), st.integers(2, 9), st.integers(1, 3))
@instances(20)
def test_the_minimum_over_one_direction_is_enclosed(seed, N, d):
    sample = random_sample(np.random.default_rng(seed), N, d)
    found = one_direction_risk(sample)
    grid = on_a_grid(sample, (1, -1))
    assert found.upper - found.lower <= 1e-12 * sample.energy
    assert found.lower <= grid + 1e-13 * sample.energy
    assert grid <= found.upper + 1e-3 * sample.energy


@given(st.integers(0, 2**32), st.integers(2, 9), st.sampled_from([0.0, 0.01, 0.2, 5.0]))
@instances(20)
def test_the_best_penalised_unit_is_enclosed(seed, N, kappa):
    sample = random_sample(np.random.default_rng(seed), N, 1)
    found = one_unit_risk(sample, kappa)
    grid = on_a_grid(sample, (1,), kappa)
    assert found.upper - found.lower <= 1e-12 * sample.energy
    assert found.lower <= grid + 1e-13 * sample.energy
    assert grid <= found.upper + 1e-3 * sample.energy


@pytest.mark.parametrize("apart", [1e-8, 1e-25, 1e-60])
def test_points_on_one_ray_up_to_rounding_do_not_hide_the_best_unit(apart):
    sample = Sample([[1.0, 0.0], [1.0, apart]], [[1.0], [1.0]])
    found = one_unit_risk(sample, 0.1)
    assert found.lower <= 0.0975 <= found.upper <= 0.0975 * (1 + 1e-12)  # the unit (1, 0) with weight 0.95
    assert spared_unit_risk(sample, 0.1, 2) <= 0.0975
    assert two_unit_barrier(sample, 0.1).lower <= 0.0975
    assert one_direction_risk(sample).upper <= 1e-300
    apart = Sample([[1.0, 0.0], [1.0, apart], [-1.0, 1.0], [-1.0, 1.0 + 1e-16]], [[1.0], [2.0], [0.0], [1.0]])
    found = one_direction_risk(apart)
    assert found.lower <= on_a_grid(apart, (1, -1)) + 1e-13
    assert found.upper - found.lower <= 1e-12


def test_a_single_active_point_is_fitted_without_penalty():
    sample = Sample(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [-1.0]]))
    assert one_unit_risk(sample, 0.0).lower == pytest.approx(0.5, rel=1e-12)


def test_two_opposite_points_and_a_penalty_give_119_over_200():
    sample = Sample(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]]))
    assert one_unit_risk(sample, 0.1).lower == pytest.approx(0.595, rel=1e-14)
    assert one_unit_risk(sample, 0.1).lower <= 0.595
    barrier = two_unit_barrier(sample, 0.1)
    assert barrier.reason is Reason.SIGNS
    assert barrier.lower == pytest.approx(0.595)
    assert barrier.upper == pytest.approx(0.595)
    assert Risk(Network((1, 2, 1)), sample, kappa=0.1, penalty="second_layer_l1")(
        barrier.path.points[0]
    ) == pytest.approx(0.19)


@given(st.integers(0, 2**32))
@instances(8)
def test_with_a_penalty_the_swap_of_opposite_signs_costs_the_best_single_unit(seed):
    sample = random_sample(np.random.default_rng(seed), 7, 1)
    barrier = two_unit_barrier(sample, 0.05)
    if barrier.reason is Reason.SIGNS:
        assert barrier.lower <= barrier.upper <= barrier.lower + 1e-9 * sample.energy
    else:
        assert barrier.lower <= barrier.upper


def test_of_the_second_units_one_of_the_other_sign_is_taken_and_the_path_ends_at_the_swap():
    """Here the best of all has the same sign as the first, and nothing would separate the ends."""
    rng = np.random.default_rng(12)
    X = rng.standard_normal((4, 2))
    sample = Sample(X, np.abs(rng.standard_normal((4, 1))) + 0.1 * rng.standard_normal((4, 1)))
    barrier, network = two_unit_barrier(sample, 0.02), Network((2, 2, 1))
    assert barrier.reason is Reason.SIGNS
    assert 0 < barrier.lower <= barrier.upper <= barrier.lower * (1 + 1e-9)
    first, last = barrier.path.points[[0, -1]]
    assert np.array_equal(last, network.permute(first, 1, [1, 0]))
    assert not np.array_equal(last, first)


def test_signs_and_cyclic_order_are_read_off_exactly():
    rng = np.random.default_rng(0)
    sample = random_sample(rng, 6, 1)
    risk = Risk(Network((2, 3, 1)), sample, kappa=0.1, penalty="second_layer_l1")
    W = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    a = risk.network.pack([W, np.ones((1, 3))])
    assert penalised_lower_bound(risk, a, a).reason is Reason.NONE
    assert penalised_lower_bound(risk, a, risk.network.permute(a, 1, [1, 0, 2])).reason is Reason.CYCLE
    assert penalised_lower_bound(risk, a, risk.network.permute(a, 1, [1, 2, 0])).reason is Reason.NONE
    flipped = risk.network.pack([W, np.array([[1.0, -1.0, 1.0]])])
    assert penalised_lower_bound(risk, a, flipped).reason is Reason.SIGNS
    assert cyclic_order(W[[1, 0, 2]]) == (0, 2, 1)
    with pytest.raises(ValueError, match="unit ball"):
        penalised_lower_bound(risk, 2 * a, a)
    with pytest.raises(ValueError, match="kappa > 0"):
        penalised_lower_bound(Risk(Network((2, 3, 1)), sample), a, a)


def test_without_any_unit_the_risk_is_the_energy():
    sample = random_sample(np.random.default_rng(1), 5, 1)
    lower = []
    for width in (3, 2, 1):
        network = Network((2, width, 1))
        ends = [network.pack([np.full((width, 2), 0.5), np.full((1, width), v)]) for v in (0.1, -0.1)]
        risk = Risk(network, sample, kappa=0.1, penalty="second_layer_l1")
        lower.append(penalised_lower_bound(risk, *ends).lower)
    assert lower == sorted(lower)
    assert lower[-1] == pytest.approx(sample.energy, rel=1e-14)


def test_samples_that_do_not_fit_are_named():
    line = Sample(np.array([[1.0, 1.0], [2.0, 2.0]]), np.ones((2, 1)))
    with pytest.raises(ValueError, match="span a plane"):
        one_direction_risk(line)
    with pytest.raises(ValueError, match="span a plane"):
        one_direction_risk(Sample(np.zeros((2, 2)), np.ones((2, 1))))
    with pytest.raises(ValueError, match="one output"):
        one_unit_risk(Sample(np.eye(2), np.eye(2)), 0.1)
    with pytest.raises(ValueError, match="two inputs"):
        one_unit_risk(Sample(np.eye(3), np.ones((3, 1))), 0.1)
    with pytest.raises(ValueError, match="kappa"):
        two_unit_barrier(line, 0.0)
