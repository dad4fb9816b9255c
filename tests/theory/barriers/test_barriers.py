"""Certified barriers: lower bounds for every path, paths that meet them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.barriers.invariants import all_permutations, is_odd, is_rotation, line_up
from theory.barriers.lower_bounds import Reason, lower_bound
from theory.barriers.permutations import permutation_barrier
from theory.barriers.zero_risk import components
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.rays import rays
from theory.risk import Risk, Sample

CYCLE = [1, 2, 0]
AROUND, ASIDE = (0, 120, 240), (0, 60, 120)


def corners(*degrees):
    t = np.radians(degrees)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def task(X, target=CYCLE):
    X = np.asarray(X, dtype=float)
    return Sample(X, X[target])


@given(st.integers(0, 2**32), st.sampled_from([(1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1), (0, 1, 2)]), st.booleans())
@instances(30)
def test_on_triangles_lower_and_upper_meet(seed, target, lengths):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((3, 2)) if lengths else corners(*rng.uniform(0, 360, 3))
    sample = task(X, list(target))
    barrier = permutation_barrier(sample, 3)
    assert barrier.lower <= barrier.upper <= barrier.lower + 1e-6 * sample.energy
    network = Network((2, 3, 2))
    start, end = barrier.path.points[[0, -1]]
    assert np.array_equal(end, network.permute(start, 1, [1, 0, 2]))
    certified = path_maximum(Risk(network, sample), barrier.path)  # in other units the allowance for rounding differs
    assert certified.value <= barrier.upper <= certified.upper + 1e-7 * sample.energy


@pytest.mark.parametrize("degrees", [AROUND, ASIDE, (0, 179.9, 90), (0, 180.1, 90)])
def test_cyclic_maps_always_have_a_barrier(degrees):
    assert permutation_barrier(task(corners(*degrees)), 3).lower > 0


@pytest.mark.parametrize("order", [o for o in all_permutations(3) if o != (0, 1, 2)])
def test_in_a_half_plane_every_permutation_has_the_same_barrier(order):
    barrier = permutation_barrier(task(corners(*ASIDE)), 3, order=order)
    assert barrier.lower == pytest.approx(1 / 6)
    assert barrier.upper == pytest.approx(1 / 6)
    assert barrier.reason is (Reason.DETERMINANT if is_odd(order) else Reason.ORDER)


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1)])
def test_around_the_origin_three_cycles_are_free(order):
    barrier = permutation_barrier(task(corners(*AROUND)), 3, order=order)
    assert barrier.reason is Reason.ROTATION
    assert barrier.lower == 0
    assert barrier.upper < 1e-6


def test_components_are_two_around_the_origin_and_six_beside_it():
    around, aside, opposite = (
        components(task(X)) for X in (corners(*AROUND), corners(*ASIDE), [[1, 0], [-1, 0], [0, 1]])
    )
    assert (around.number, aside.number, opposite.number) == (2, 6, 6)
    assert around.free == ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    assert aside.free == ((0, 1, 2),)
    rng = np.random.default_rng(0)
    assert components(Sample(rng.standard_normal((4, 5)), rng.standard_normal((4, 4)))).number == 2


def test_components_are_refused_where_they_are_not_known():
    with pytest.raises(ValueError, match="no net of zero risk"):
        components(task([[1, 0], [2, 0], [0, 1]]))
    with pytest.raises(ValueError, match="dependent features too"):
        components(task(corners(0, 50, 100), [0, 1, 2]))
    with pytest.raises(ValueError, match="3 points on different rays"):
        components(Sample(np.random.default_rng(0).standard_normal((4, 2)), np.eye(4)))


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 4), st.booleans())
@instances(25)
def test_one_unit_more_than_points_makes_every_permutation_free(seed, N, n, bias):
    rng = np.random.default_rng(seed)
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 2)), rng.uniform(0.1, 1, N))
    width = max(2, N + 1 - bias)
    barrier = permutation_barrier(sample, width, order=rng.permutation(width), bias=bias, rng=0)
    assert barrier.reason in (Reason.FREE, Reason.UNSOLVABLE)  # one input: every point lies on one of two rays
    assert barrier.upper <= barrier.lower + 1e-12 * sample.energy


def test_an_output_bias_alone_reconnects_the_triangle():
    barrier = permutation_barrier(task(corners(*AROUND)), 3, bias=True)
    assert barrier.upper < 1e-12
    hidden = Network((2, 3, 2), bias=True).weights(barrier.path.points)[0]
    assert not hidden[..., -1].any()


@pytest.mark.parametrize("X", [[[1, 0], [2, 0], [0, 1]], [[1, 0], [1, 0], [0, 1]], [[0, 0], [1, 0], [0, 1]]])
def test_points_that_a_net_cannot_tell_apart_are_said_to_be_unsolvable(X):
    barrier = permutation_barrier(task(X), 3)
    assert barrier.reason is Reason.UNSOLVABLE
    assert barrier.lower > 0
    assert barrier.upper == pytest.approx(barrier.lower, rel=1e-9)


def test_a_repeated_point_with_the_same_target_changes_only_its_weight():
    X = corners(10, 70, 130)
    Y = X[CYCLE]
    twice = permutation_barrier(Sample(X[[0, 1, 2, 2]], Y[[0, 1, 2, 2]]), 3)
    weighted = permutation_barrier(Sample(X, Y, np.array([1.0, 1.0, 2.0])), 3)
    assert twice.lower == pytest.approx(weighted.lower, rel=1e-9)
    assert twice.upper == pytest.approx(twice.lower, rel=1e-6)


@given(st.integers(0, 2**32), st.integers(4, 8), st.sampled_from([(2, 1), (2, 2), (3, 3), (2, 4)]))
@instances(12)
def test_with_more_points_than_units_the_bound_holds_on_the_best_path_found(seed, N, shape):
    rng = np.random.default_rng(seed)
    width, n = shape
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 2)))
    barrier = permutation_barrier(sample, width, rng=0)
    assert 0 <= barrier.lower <= barrier.upper


@given(st.integers(0, 2**32), st.sampled_from([(3, 3, 2), (5, 2, 2), (4, 3, 2), (6, 3, 3)]))
@instances(25)
def test_no_random_path_between_separated_nets_stays_below_the_bound(seed, shape):
    rng = np.random.default_rng(seed)
    N, width, n = shape
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 2)))
    risk = Risk(Network((n, width, 2)), sample)
    a = rng.standard_normal(risk.network.size)
    b = risk.network.permute(a, 1, [1, 0, *range(2, width)])
    bound = lower_bound(risk, a, b, rng=0).lower
    beads = np.stack([a, *rng.standard_normal((3, len(a))), b])
    t = np.linspace(0, 1, 400)[:, None, None]
    line = ((1 - t) * beads[:-1] + t * beads[1:]).reshape(-1, len(a))
    assert risk.batch(line).max() >= bound


def test_the_bound_holds_between_any_two_nets_and_is_symmetric():
    rng = np.random.default_rng(3)
    sample = task(corners(*ASIDE))
    risk = Risk(Network((2, 3, 2)), sample)
    a = permutation_barrier(sample, 3).path.points[0]
    for order in all_permutations(3):
        b = risk.network.permute(a, 1, order)
        there, back = lower_bound(risk, a, b), lower_bound(risk, b, a)
        assert there.lower == back.lower
        assert (there.lower > 0.16) == (order != (0, 1, 2))
        assert there.path is None
    nudged = a + 1e-6 * rng.standard_normal(a.size)
    assert lower_bound(risk, a, nudged).reason is Reason.NONE


def test_the_order_along_the_arc_is_the_order_of_the_angles():
    points = rays(task(corners(*ASIDE)))
    W = corners(100, 20, 60)
    assert line_up(points, W) == [1, 2, 0]
    assert line_up(points, np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])) is None


@pytest.mark.parametrize(
    ("order", "kept"), [((1, 2, 0), True), ((1, 0, 3, 2), True), ((1, 0, 2), False), ((0, 1, 2), True)]
)
def test_rotations_are_the_permutations_with_cycles_of_one_length(order, kept):
    assert is_rotation(order) is kept


def test_two_units_in_the_plane_are_separated_by_the_determinant_of_the_rows():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False) + 0.1
    X = np.stack([np.cos(t), np.sin(t)], axis=1)
    network = Network((2, 2, 1))
    theta = network.pack([np.eye(2), np.ones((1, 2))])
    risk = Risk(network, Sample(X, network(theta, X)))
    swap = network.permute(theta, 1, [1, 0])
    bound = lower_bound(risk, theta, swap)
    assert bound.reason is Reason.DIRECTION
    inner = rng.standard_normal((200, 2, 6))
    for beads in inner:
        points = np.stack([theta, *beads, swap])
        s = np.linspace(0, 1, 200)[:, None, None]
        assert risk.batch(((1 - s) * points[:-1] + s * points[1:]).reshape(-1, 6)).max() >= bound.lower
    assert lower_bound(risk, theta, theta).lower == 0


@pytest.mark.parametrize(
    ("settings_", "what"),
    [
        ({"width": 1}, "width must be at least 2"),
        ({"width": 2.5}, "width must be an integer"),
        ({"width": 3, "order": (0, 0, 1)}, "order must be a permutation"),
        ({"width": 3, "order": (0.5, 1, 2)}, "order must be a permutation"),
        ({"width": 3, "order": (1, 0)}, "order must be a permutation"),
        ({"width": 3, "subsets": 0}, "subsets"),
        ({"width": 3, "bias": 2}, "bias"),
    ],
)
def test_bad_input_is_named(settings_, what):
    with pytest.raises(ValueError, match=what):
        permutation_barrier(task(corners(*ASIDE)), **settings_)
    with pytest.raises(ValueError, match="Sample"):
        permutation_barrier(corners(*ASIDE), 3)


def test_other_networks_are_refused():
    sample = task(corners(*ASIDE))
    for network, loss in (
        (Network((2, 3, 3, 2)), "squared"),
        (Network((2, 3, 2), "tanh"), "squared"),
        (Network((2, 3, 2)), "absolute"),
    ):
        risk = Risk(network, sample, loss)
        with pytest.raises(ValueError, match="one hidden relu layer"):
            lower_bound(risk, np.zeros(network.size), np.zeros(network.size))
    with pytest.raises(ValueError, match="theta_b"):
        lower_bound(Risk(Network((2, 3, 2)), sample), np.zeros(12), np.zeros(11))


def test_the_same_seed_gives_the_same_barrier():
    sample = Sample(np.random.default_rng(0).standard_normal((9, 3)), np.random.default_rng(1).standard_normal((9, 2)))
    first, second = (permutation_barrier(sample, 3, rng=5, subsets=8) for _ in range(2))
    assert first.lower == second.lower
    assert np.array_equal(first.path.points, second.path.points)


def test_points_on_one_ray_at_different_distances_are_met_by_the_path():
    X = np.array([[1.0, 0.25], [3.0, 0.75], [-0.5, 1.0], [-1.0, -1.25], [-10.0, -12.5]])
    sample = Sample(X, np.random.default_rng(0).standard_normal((5, 2)))
    assert permutation_barrier(sample, 3).lower > 0
    assert permutation_barrier(sample, 3).gap <= 1e-6 * sample.energy


def test_scales_of_points_and_targets_do_not_matter():
    X = corners(10, 75, 130)
    base = permutation_barrier(task(X), 3).lower
    for scale in (2.0**-400, 2.0**300):
        assert permutation_barrier(Sample(scale * X, X[CYCLE]), 3).lower == pytest.approx(base, rel=1e-9)


def test_with_targets_zero_nothing_stands_in_the_way():
    barrier = permutation_barrier(Sample(corners(*AROUND), np.zeros((3, 2))), 3)
    assert barrier.reason is Reason.NONE
    assert barrier.lower == 0
    assert barrier.upper <= 1e-299
