"""The predicates that other suites import: true when they should be, false with the place when not."""

import os
import subprocess
import sys
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given

from checks import predicates as holds
from checks import strategies as st
from theory.moves import Walk
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample


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


@given(st.samples(2), st.unit_pairs(2))
def test_the_kernel_is_within_its_bounds_and_a_foreign_kernel_is_not(sample, pair):
    for sharp in (False, True):
        assert holds.kernel_within_bounds(pair.w1, pair.w2, sample, sharp=sharp)


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


OUTSIDE = """
import numpy as np
from hypothesis import given, settings
from checks import predicates, strategies
from theory import linear_paths

@settings(max_examples=5)
@given(strategies.samples(2), strategies.unit_pairs(2))
def test_kernel(sample, pair):
    assert predicates.kernel_within_bounds(pair.w1, pair.w2, sample)

def test_my_straight_line_is_not_good_enough():
    from theory.networks import Network
    from theory.paths import Path
    from theory.risk import Risk, Sample
    net = Network((1, 2, 1), "identity")
    risk = Risk(net, Sample(np.ones((1, 1)), np.ones((1, 1))))
    a, b = net.pack([[[1.0], [0.0]], [[1.0, 0.0]]]), net.pack([[[-1.0], [0.0]], [[-1.0, 0.0]]])
    assert not predicates.stays_below(risk, Path(np.stack([a, b])), 0.5)
    assert predicates.stays_below(risk, linear_paths.connect(risk, a, b), 0.5)
"""


def test_a_suite_outside_the_repository_can_use_them(tmp_path):
    (tmp_path / "test_theirs.py").write_text(OUTSIDE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(File(holds.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
