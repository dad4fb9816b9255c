"""The predicates that other suites import: true when they should be, false with the place when not."""

import numpy as np
import pytest
from hypothesis import given

from checks import predicates as holds
from checks import strategies as st
from checks.exercises import attempts
from theory.moves import Walk
from theory.networks import Network
from theory.paths import Path
from theory.relu_kernel.bounds import kernel
from theory.risk import LOSSES, PENALTIES, Risk, Sample


def walk(seed=0, activation="relu"):
    """A risk on fewer samples than units, and a path of free, place and transfer moves."""
    rng = np.random.default_rng(seed)
    net = Network((2, 6, 1), activation)
    X, Y = rng.standard_normal((4, 2)), rng.standard_normal((4, 1))
    W = rng.standard_normal((6, 2))
    theta = net.pack([W / np.linalg.norm(W, axis=1, keepdims=True), rng.standard_normal((1, 6))])
    steps = Walk(net, theta, X)
    hole = steps.free(1)
    steps.place(1, hole, steps.incoming(1)[(hole + 1) % 6])
    steps.transfer(1, (hole + 1) % 6, hole)
    return Risk(net, Sample(X, Y)), steps.path


def test_a_path_of_moves_keeps_the_function_and_moves_one_layer_at_a_time():
    for seed in range(20):
        risk, path = walk(seed)
        assert holds.keeps_function(risk, path)
        assert holds.moves_one_layer_at_a_time(risk, path)
        assert holds.rows_in_unit_ball(risk, path)
        assert holds.stays_below(risk, path, risk(path.points[0]))
        assert holds.connects(path, path.points[0], path.points[-1])


def test_a_dropped_vertex_a_nudged_end_and_a_lowered_level_are_caught():
    risk, path = walk()
    broken = Path(np.delete(path.points, 1, axis=0))
    assert not holds.moves_one_layer_at_a_time(risk, broken)
    bumped = path.points.copy()
    bumped[1] *= 1.0 + 1e-6
    assert not holds.keeps_function(risk, Path(bumped))
    nudged = np.nextafter(path.points[0], 2)
    assert not holds.connects(path, nudged, path.points[-1])
    judgement = holds.stays_below(risk, path, 0.9 * risk(path.points[0]))
    assert not judgement
    assert judgement.margin < 0
    assert judgement.where["piece"] >= 0
    assert not holds.rows_in_unit_ball(risk, Path(1.01 * path.points))


@given(st.problems(losses=LOSSES, penalties=PENALTIES))
def test_a_constant_path_is_never_above_its_own_value(problem):
    risk, theta, _ = problem
    for path in (Path(theta[None]), Path(np.stack([theta, theta]))):
        assert holds.stays_below(risk, path, risk(theta))


def test_a_path_at_risk_zero_is_not_above_zero_and_one_a_little_higher_is():
    risk = Risk(Network((1, 2, 1)), Sample([[1.0], [2.0]], [[1.0], [2.0]]))
    theta = np.array([1.0, 0.0, 1.0, 0.0])
    assert risk(theta) == 0
    assert holds.stays_below(risk, Path(np.stack([theta, theta])), 0.0)
    for bump in (1e-6, 1e-3, 1.0):  # risks of 2.5e-12 and more
        judgement = holds.stays_below(risk, Path(np.stack([theta, theta + [bump, 0, 0, 0]])), 0.0)
        assert not judgement
        assert judgement.where["atol"] < 1e-6 * judgement.where["value"]
    assert not holds.stays_below(risk, Path(np.stack([theta, theta])), 0.0, atol=0.0)  # what the default was


@given(st.problems(pairs=["apart", "one_layer"]))
def test_the_allowance_hides_no_path_that_is_seen_above_the_level(problem):
    """The planted fault: a level that the path exceeds by more than the rounding of the risk at its ends."""
    risk, a, b = problem
    path = Path(np.stack([a, b]))
    top, rounding = max(risk(a), risk(b)), holds.rounding_at_vertices(risk, path)
    level = 0.9 * top - 2 * rounding
    if level >= 0 and top > 0:
        assert not holds.stays_below(risk, path, level)


@given(st.samples(2), st.unit_pairs(2))
def test_the_kernel_is_within_its_bounds_and_a_foreign_kernel_is_not(sample, pair):
    for sharp in (False, True):
        assert holds.kernel_within_bounds(pair.w1, pair.w2, sample, sharp=sharp)
        mine = float(kernel(pair.w1, pair.w2, sample))
        assert holds.kernel_within_bounds(pair.w1, pair.w2, sample, sharp=sharp, value=mine)
    size = float(np.trace(sample.second_moment))
    assert not holds.kernel_within_bounds(pair.w1, pair.w2, sample, value=1.01 * size + 1.0)


def test_an_upper_bound_must_allow_for_rounding():
    risk, path = walk()
    theta = path.points[0]
    assert holds.is_upper_bound(risk, theta, risk(theta) * (1 + 1e-9))
    assert not holds.is_upper_bound(risk, theta, risk(theta) * (1 - 1e-12))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda risk, path: holds.stays_below(risk, path, -1.0), "level"),
        (lambda risk, path: holds.stays_below(risk, path, 1.0, rtol=-1), "rtol"),
        (lambda risk, path: holds.keeps_function(risk, path, growth=0.5), "growth"),
        (lambda risk, path: holds.connects(path, np.zeros(3), path.points[0]), "theta_a"),
    ],
)
def test_bad_input_names_the_argument(call, name):
    with pytest.raises(ValueError, match=name):
        call(*walk())


@pytest.mark.parametrize("module", [holds, st, attempts])
def test_all_lists_what_is_public(module):
    """Its own functions, classes and constants; what it imports from elsewhere is not offered."""
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    constants = {name for name in vars(module) if name.isupper() and name in module.__all__}
    assert set(module.__all__) == {name for name in own if not name.startswith("_")} | constants


@pytest.mark.parametrize("output", ["identity", "sigmoid"])
def test_sigmoid_units_of_zero_rows_and_zero_inputs_keep_the_function_when_they_are_reordered(output):
    rng = np.random.default_rng(0)
    for bias, scale in ((False, 0.0), (True, 0.0), (False, 1e-17), (False, 1.0)):
        net = Network((2, 7, 1), "sigmoid", output, bias=bias)
        theta = rng.standard_normal(net.size)
        net.weights(theta)[0][:] *= scale
        swapped = net.permute(theta, 1, rng.permutation(7).tolist())
        for X in (np.zeros((3, 2)), rng.standard_normal((3, 2))):
            risk = Risk(net, Sample(X, np.zeros((3, 1))))
            assert holds.keeps_function(risk, Path(np.stack([theta, swapped])))
            moved = theta.copy()
            moved[-1] += 1e-9
            assert not holds.keeps_function(risk, Path(np.stack([theta, moved])))
