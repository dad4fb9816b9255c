"""Whatever is passed where an argument belongs: a result without NaN, or a ValueError that names an argument."""

import dataclasses
import enum
import inspect
import re

import hostile
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import halfrect
from checks import predicates, strategies
from checks.certificates import document
from checks.tables import standardised
from halfrect.data import risk_of
from theory import (
    alignment,
    barriers,
    counterexamples,
    crossing,
    exchange,
    geodesics,
    landscapes,
    masses,
    moves,
    pivots,
    polynomial_tasks,
    relu_kernel,
    relu_paths,
    staircase,
    string_sampling,
    sublevel_trees,
)
from theory.barriers import lower_bounds, permutations
from theory.compression import covering, layers
from theory.deep import tasks
from theory.landscapes.trainers import train
from theory.lasso import solve
from theory.linear_paths import cases
from theory.linear_paths.descent import descend
from theory.maxima import segments
from theory.networks import Network
from theory.oracle import finite_width, infinite_width
from theory.paths import Path
from theory.population.maxima import compare
from theory.population.risk import TeacherRisk
from theory.relu_kernel import bounds, proof, sampling
from theory.relu_kernel.gaussian import arc_cosine
from theory.relu_paths import best_route, constants, sharper_routes, six_segments, sparsify, unit_rows
from theory.risk import Risk, Sample
from theory.string_sampling import algorithms

rng = np.random.default_rng(0)
X, Y, W = rng.standard_normal((4, 2)), rng.standard_normal((4, 1)), np.array([0.5, 0.2, 0.1, 0.2])
NET, SAMPLE = Network((2, 3, 1)), Sample(X, Y, W)
RISK = Risk(NET, SAMPLE)
BALL = Risk(NET, SAMPLE, kappa=0.1, penalty="second_layer_l1")
RIDGE = Risk(NET, SAMPLE, kappa=0.1, penalty="ridge")
LINEAR = Risk(Network((2, 3, 1), "identity"), SAMPLE)
TANH = Risk(Network((2, 3, 1), "tanh"), SAMPLE)
A, B = 0.4 * rng.standard_normal((2, NET.size))
PATH = Path(np.stack([A, A, B]), ("still", "straight"))
TEACHER = TeacherRisk(NET, np.eye(2), B)
CORNERS = Sample(*(np.array(v) for v in ([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [[1.0], [2.0], [3.0]])))
UNIT = np.array([[1.0, 0.0], [0.6, 0.8], [-0.8, 0.6]])
u, v = np.array([1.0, 0.0]), np.array([0.6, 0.8])
ENDS = {"theta_a": A, "theta_b": B}
FEW, FEW_BALL = Risk(NET, Sample(X[:2], Y[:2])), Risk(NET, Sample(X[:2], Y[:2]), kappa=0.1, penalty="second_layer_l1")
BIASED = Network((2, 2, 1), bias=True)
LAYERS = ([np.ones((2, 2)), np.ones((1, 2))], [np.ones(2), None])
NAMED = {"0.weight": np.ones((2, 2)), "0.bias": np.zeros(2), "2.weight": np.array([[1.0, 2.0]])}
LAYERED = halfrect.from_arrays(*LAYERS)
LEVEL = 1.1 * segments.path_maximum(RISK, PATH).upper

CALLS = {
    "Network": (Network, {"widths": (2, 3, 1), "activation": "relu", "output": "identity", "bias": False}),
    "net": (NET.__call__, {"theta": A, "X": X}),
    "net.features": (NET.features, {"theta": A, "X": X, "layer": 1}),
    "net.weights": (NET.weights, {"theta": A}),
    "net.pack": (NET.pack, {"weights": NET.weights(A)}),
    "net.permute": (NET.permute, {"theta": A, "layer": 1, "order": (2, 0, 1)}),
    "net.rescale": (NET.rescale, {"theta": A, "layer": 1, "factors": np.array([1.0, 2.0, 0.5])}),
    "net.without_biases": (BIASED.without_biases, {"theta": np.ones(BIASED.size)}),
    "net.with_biases": (NET.with_biases, {"theta": np.array([1.0, 2, 3, 4, 0, 1, 5, 6, 7])}),
    "risk.without_biases": (Risk(BIASED, SAMPLE).without_biases, {"theta": np.ones(BIASED.size)}),
    "halfrect.connect": (
        halfrect.connect,
        {"net_a": LAYERS, "net_b": NAMED, "X": X, "y": Y[:, 0], "loss": "squared", "rng": 0},
    ),
    "from_arrays": (halfrect.from_arrays, {"weights": LAYERS[0], "biases": LAYERS[1], "activation": "relu"}),
    "from_state_dict": (
        halfrect.from_state_dict,
        {"mapping": NAMED, "activation": "relu", "layout": "out_in", "order": ("0", "2"), "inputs": 2},
    ),
    "risk_of": (risk_of, {"net_a": LAYERED, "net_b": LAYERED, "X": X, "y": Y[:, 0], "loss": "squared"}),
    "Sample": (Sample, {"X": X, "Y": Y, "weights": W}),
    "Risk": (Risk, {"network": NET, "sample": SAMPLE, "loss": "squared", "kappa": 0.5, "penalty": "ridge"}),
    "Risk, schatten": (
        Risk,
        {
            "network": NET,
            "sample": Sample(X, np.sign(Y) + (Y == 0)),
            "loss": "hinge",
            "penalty": "schatten",
            "exponents": 2.0,
        },
    ),
    "Risk, labels": (Risk, {"network": Network((2, 2)), "sample": Sample(X, np.arange(len(X)) % 2), "loss": "softmax"}),
    "risk.pair": (BALL.pair, {"theta_a": A, "theta_b": B}),
    "risk": (BALL.__call__, {"theta": A}),
    "risk.batch": (TANH.batch, {"thetas": np.stack([A, B])}),
    "risk.gradient": (BALL.gradient, {"theta": A}),
    "risk.residuals": (RISK.residuals, {"theta": A}),
    "risk.row_norms": (RISK.row_norms, {"theta": A}),
    "risk.regulariser": (BALL.regulariser, {"theta": A}),
    "TeacherRisk": (TeacherRisk, {"network": NET, "second_moment": np.eye(2), "teacher": A, "noise": 0.1}),
    "teacher": (TEACHER.__call__, {"theta": A}),
    "teacher.gradient": (TEACHER.gradient, {"theta": A}),
    "teacher.draw": (TEACHER.draw, {"size": 3, "rng": 0}),
    "Path": (Path, {"points": PATH.points, "labels": PATH.labels}),
    "path.at": (PATH.at, {"t": np.array([0.0, 0.5, 1.0])}),
    "path.add": (PATH.__add__, {"other": PATH.reversed()}),
    "segment_maximum": (segments.segment_maximum, {"risk": RISK, "theta_0": A, "theta_1": B, "gap": 0.1, "budget": 50}),
    "segment_maximum, tanh": (segments.segment_maximum, {"risk": TANH, "theta_0": A, "theta_1": B, "budget": 50}),
    "path_maximum": (segments.path_maximum, {"risk": RISK, "path": PATH, "gap": 0.1, "ceiling": 5.0, "budget": 50}),
    "segment_maxima": (segments.segment_maxima, {"risk": BALL, "starts": A[None], "ends": B[None]}),
    "kernel": (bounds.kernel, {"w1": u, "w2": v, "measure": SAMPLE}),
    "kernel_enclosure": (bounds.kernel_enclosure, {"w1": u, "w2": v, "measure": SAMPLE}),
    "printed_bounds": (bounds.printed_bounds, {"w1": u, "w2": v, "measure": SAMPLE}),
    "sharp_bounds": (bounds.sharp_bounds, {"w1": u, "w2": v, "measure": SAMPLE}),
    "proof_terms": (proof.proof_terms, {"w1": u, "w2": v, "sample": SAMPLE}),
    "arc_cosine": (arc_cosine, {"w1": u, "w2": v, "second_moment": np.eye(2)}),
    "monte_carlo": (
        sampling.monte_carlo,
        {
            "w1": u,
            "w2": v,
            "sampler": lambda g, n: g.standard_normal((n, 2)),
            "draws": 100,
            "confidence": 0.9,
            "rng": 0,
        },
    ),
    "linear_paths.connect": (cases.connect, {"risk": LINEAR, **ENDS, "rise": 1e-9}),
    "linear_descent.descend": (descend, {"risk": LINEAR, "theta": A, "tolerance": 1e-6, "rng": 0}),
    "exchange.connect": (exchange.connect, {"risk": FEW, **ENDS}),
    "exchange.report": (exchange.report, {"risk": RISK, "path": PATH, "rise": 0.1}),
    "exchange.units_needed": (exchange.units_needed, {"network": NET, "sample": SAMPLE}),
    "permute_path": (exchange.permute_path, {"network": NET, "theta": A, "orders": ((0, 1, 2),)}),
    "pivots.connect": (pivots.connect, {"risk": FEW_BALL, **ENDS, "exact": True}),
    "pivots.connect, floats": (pivots.connect, {"risk": FEW_BALL, **ENDS, "exact": False}),
    "pivots.units_needed": (pivots.units_needed, {"risk": FEW_BALL, **ENDS, "exact": True}),
    "staircase.decide": (
        staircase.decide,
        {"X": ((1,), (-1,)), "Y": (1, -1), "fitted": (0.5, -0.5), "kappa": 0.5, "weights": (1, 1)},
    ),
    "staircase.vertices": (staircase.vertices, {"columns": ((1, 0), (0, 1), (1, 1)), "values": (1, 1)}),
    "relu_paths.connect": (best_route.connect, {"risk": BALL, **ENDS, "route": "maurey", "rng": 0}),
    "relu_paths.matching": (sharper_routes.matching, {"risk": RISK, **ENDS}),
    "six_segment": (six_segments.six_segment, {"risk": BALL, **ENDS, "active": 1, "angle": 0.1, "rng": 0}),
    "best_second_layer": (sparsify.best_second_layer, {"risk": BALL, "theta": A}),
    "unit_rows.to_unit_rows": (unit_rows.to_unit_rows, {"risk": BALL, "theta": A}),
    "second_layer": (solve.second_layer, {"Z": X, "y": Y[:, 0], "kappa": 0.1, "weights": W, "solver": "lars"}),
    "homotopy": (solve.homotopy, {"Z": X, "y": Y[:, 0], "weights": W, "kappa_min": 0.01}),
    "certify": (solve.certify, {"Z": X, "y": Y[:, 0], "kappa": 0.1, "beta": np.zeros(2), "weights": W}),
    "kappa_max": (solve.kappa_max, {"Z": X, "y": Y[:, 0], "weights": W}),
    "oracle.limit": (infinite_width.limit, {"sample": CORNERS, "kappa": 0.5, "steps": 3, "cones": 50}),
    "oracle.finite": (finite_width.finite, {"sample": CORNERS, "m": 1, "kappa": 0.5, "starts": 1, "rng": 0}),
    "smoothness_bound": (infinite_width.smoothness_bound, {"sample": CORNERS, "kappa": 0.5}),
    "delta": (layers.delta, {"sample": SAMPLE, "W": UNIT, "l": 1, "alpha": 0.2, "kappa": 0.1, "draws": 1}),
    "merging_bound": (covering.merging_bound, {"fit": 1.0, "norm": 2.0, "radius": 0.5, "spectral": 3.0, "kappa": 0.1}),
    "removal_bound": (covering.removal_bound, {"fit": 1.0, "weight": 2.0, "shift": 0.5}),
    "cells": (covering.cells, {"rows": np.eye(3), "radius": 0.5}),
    "constants": (constants.theorem_constants, {"sample": SAMPLE, "kappa": 0.1}),
    "maurey_excess": (constants.maurey_excess, {"sample": SAMPLE, "kappa": 0.1, "level": 1.0, "width": 3}),
    "permutation_barrier": (permutations.permutation_barrier, {"sample": CORNERS, "width": 3, "subsets": 2, "rng": 0}),
    "lower_bound": (lower_bounds.lower_bound, {"risk": Risk(NET, CORNERS), **ENDS, "subsets": 2, "rng": 0}),
    "shorten": (geodesics.shorten, {"risk": RISK, "path": PATH, "level": LEVEL, "beads": 4, "sweeps": 1}),
    "greedy": (algorithms.greedy, {"risk": RISK, **ENDS, "level": LEVEL, "trainer": "lm", "rng": 0}),
    "train": (train, {"risk": RISK, "starts": np.stack([A, B]), "target": 0.5, "trainer": "lm", "iterations": 3}),
    "compare": (compare, {"risk": TEACHER, "path": PATH, "sizes": [3], "rng": 0}),
    "gaussian_barrier": (counterexamples.gaussian_barrier, {"separation": 3.0}),
    "poor_minimum": (counterexamples.poor_minimum, {"share": 0.75}),
    "teacher_student": (counterexamples.teacher_student, {"angle": 1.0, "outputs": 1, "points": 12}),
    "sublevel_tree": (sublevel_trees.sublevel_tree, {"values": X, "periodic": False, "min_persistence": 0.1}),
    "sublevel_tree, sides": (sublevel_trees.sublevel_tree, {"values": X, "sides": np.sign(X)}),
    "landscape": (
        sublevel_trees.landscape,
        {"function": lambda points: points[:, 0], "axes": [np.array([0.0, 1.0])], "slab": 10},
    ),
    "align": (alignment.align, {"net": NET, "theta_a": A, "theta_b": B, "sample": SAMPLE}),
    "reorder": (alignment.reorder, {"net": NET, "theta": A, "orders": [np.array([1, 0, 2])]}),
    "alignment.lower_bound": (alignment.lower_bound, {"risk": RISK, **ENDS, "t": 0.5, "steps": 3}),
    "gaussian_lower_bound": (
        alignment.gaussian_lower_bound,
        {"rows_a": np.eye(2), "rows_b": np.eye(2)[::-1].copy(), "mass": 1.0, "mean": 3.0},
    ),
    "all_permutations": (barriers.all_permutations, {"width": 3}),
    "printed_exponent": (covering.printed_exponent, {"n": 2, "s": 1, "eta": 0.5}),
    "printed_best": (covering.printed_best, {"n": 2, "s": 1}),
    "weighted_exponent": (covering.weighted_exponent, {"n": 2, "s": 1}),
    "cells, order": (covering.cells, {"rows": np.eye(3), "radius": 0.5, "order": np.array([0, 2, 1])}),
    "mixture": (counterexamples.mixture, {"network": NET, "theta": A, "other": B, "share": 0.5, "X": X}),
    "gaussian_end_risk": (counterexamples.gaussian_end_risk, {"separation": 3.0}),
    "masses.bound": (masses.bound, {"risk": RIDGE, **ENDS}),
    "masses.balance": (masses.balance, {"risk": RIDGE, "theta": A, "chords": 2}),
    "used_units": (crossing.used_units, {"network": NET, "theta": A}),
    "polynomial_tasks.draw": (polynomial_tasks.draw, {"network": NET, "count": 2, "rng": 0}),
    "best_constant": (polynomial_tasks.best_constant, {"risk": RISK}),
    "power_law": (
        polynomial_tasks.power_law,
        {"levels": np.array([1.0, 2.0, 3.0]), "values": np.array([1.0, 4.0, 8.0])},
    ),
    "second_moment_norm": (relu_kernel.second_moment_norm, {"measure": SAMPLE}),
    "energy": (constants.energy, {"sample": SAMPLE}),
    "largest_feature": (constants.largest_feature, {"sample": SAMPLE, "rows": UNIT}),
    "printed_allowance": (constants.printed_allowance, {"sample": SAMPLE, "kappa": 0.1, "alpha": 0.1}),
    "perturbation": (
        constants.perturbation,
        {
            "rows": UNIT,
            "moved": UNIT[::-1].copy(),
            "weights": np.ones(3),
            "moved_weights": np.ones(3),
            "spectral": 1.0,
        },
    ),
    "drop_excess": (constants.drop_excess, {"sample": SAMPLE, "kappa": 0.1, "level": 1.0, "width": 3, "units": 1}),
    "into_ball": (relu_paths.into_ball, {"network": NET, "theta": A}),
    "normalised_length": (string_sampling.normalised_length, {"network": NET, "path": PATH, "biases": True}),
    "landscape_of": (landscapes.landscape_of, {"risk": RISK, "trainer": "lm", "iterations": 3}),
    "tasks.digits": (
        tasks.digits,
        {"X": np.zeros((4, 8, 8)), "y": np.arange(4), "X_test": np.zeros((1, 8, 8)), "y_test": np.arange(1)},
    ),
    "tasks.text": (
        tasks.text,
        {"train": np.zeros(500, int), "test": np.zeros(500, int), "vocabulary": 7, "width": 3, "interval": 2},
    ),
    "standardised": (standardised, {"X": X, "y": Y[:, 0]}),
    "connects": (predicates.connects, {"path": PATH, **ENDS}),
    "stays_below": (predicates.stays_below, {"risk": RISK, "path": PATH, "level": LEVEL, "rtol": 1e-9}),
    "keeps_function": (predicates.keeps_function, {"risk": RISK, "path": PATH, "growth": 64.0}),
    "moves_one_layer_at_a_time": (predicates.moves_one_layer_at_a_time, {"risk": RISK, "path": PATH}),
    "rows_in_unit_ball": (predicates.rows_in_unit_ball, {"risk": RISK, "path": PATH}),
    "is_upper_bound": (predicates.is_upper_bound, {"risk": RISK, "theta": A, "bound": LEVEL}),
    "kernel_within_bounds": (predicates.kernel_within_bounds, {"w1": u, "w2": v, "sample": SAMPLE, "sharp": True}),
    "rounding_at_vertices": (predicates.rounding_at_vertices, {"risk": RISK, "path": PATH}),
    "strategies.problems": (strategies.problems, {"max_size": 3, "pairs": ("same",), "losses": ("squared",)}),
    "strategies.samples": (strategies.samples, {"inputs": 2, "outputs": 1, "max_size": 3, "kinds": ("generic",)}),
    "strategies.networks": (
        strategies.networks,
        {"max_width": 2, "inputs": 2, "min_depth": 1, "activations": ("relu",)},
    ),
    "strategies.parameter_vectors": (strategies.parameter_vectors, {"network": NET, "bound": 1.0}),
    "strategies.second_moments": (strategies.second_moments, {"dimension": 2, "rank": 1}),
}
SIZES = {
    "function",
    "slab",
    "chords",
    "count",
    "vocabulary",
    "draws",
    "size",
    "sizes",
    "points",
    "nodes",
    "width",
    "beads",
    "subsets",
    "iterations",
    "sampler",
}
VIEWS = {"net.weights", "risk.regulariser"}  # of what was passed, NaN included
WORDS = re.compile(r"[A-Za-z_]\w+|[A-Za-z]")


def costly(name, value):
    """Whether a call may take as long or as much memory as it asks for, or calls code of the caller's."""
    if name not in SIZES:
        return False
    many = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value > 10**6
    return many or callable(value) or (isinstance(value, np.ndarray) and value.dtype == object)


def has_nan(value):
    """Whether there is a NaN anywhere in a result."""
    if isinstance(value, (float, complex, np.ndarray, np.generic)):
        array = np.asarray(value)
        return array.dtype.kind in "fc" and bool(np.isnan(array).any())
    if isinstance(value, (tuple, list)):
        return any(map(has_nan, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, enum.Enum)):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        if isinstance(value, counterexamples.Counterexample):
            del fields["barrier"]  # documented: nan where it is not known
        return any(map(has_nan, fields.values()))
    return False


def copies(values):
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in values.items()}


def same(a, b):
    return not isinstance(a, np.ndarray) or (a.dtype == b.dtype and a.tobytes() == b.tobytes())


@pytest.mark.parametrize("name", CALLS)
def test_the_valid_call_is_valid(name):
    function, good = CALLS[name]
    with hostile.bounded():
        assert not has_nan(function(**good))


def one_masked(value):
    """The array with its first entry masked, or of a list its first array."""
    if isinstance(value, list):
        return [one_masked(value[0]), *value[1:]]
    array = np.ma.array(value)
    array[(0,) * array.ndim] = np.ma.masked
    return array


def has_numbers(value):
    return isinstance(value, np.ndarray) or (isinstance(value, list) and isinstance(value[0], np.ndarray))


MASKABLE = [(name, key) for name, (_, good) in CALLS.items() for key, value in good.items() if has_numbers(value)]


@pytest.mark.parametrize(("name", "key"), MASKABLE, ids=lambda word: word)
def test_a_masked_entry_is_refused_wherever_arrays_go_in(name, key):
    function, good = CALLS[name]
    with hostile.bounded():
        result, message = hostile.refusal(function, **{**good, key: one_masked(good[key])})
    assert result is None
    assert "must not have masked entries" in message


def test_doors_without_a_call_above_refuse_masked_entries():
    order, theta = one_masked(np.array([0, 1, 2])), one_masked(A)
    images, labels = np.zeros((4, 8, 8, 1)), np.array([0, 1, 2, 3])
    idle = NET.pack([np.ones((3, 2)), np.array([[1.0, 0.0, 0.0]])])
    walk = moves.Walk(NET, idle, X)
    with hostile.bounded():
        for call in (
            lambda: NET.permute(A, 1, order),
            lambda: alignment.reorder(NET, A, [order]),
            lambda: exchange.permute_path(NET, A, [order]),
            lambda: covering.cells(np.eye(3), 0.5, order=order),
            lambda: alignment.align(NET, theta, B),
            lambda: sublevel_trees.sublevel_tree(X, sides=one_masked(X)),
            lambda: sublevel_trees.landscape(lambda points: one_masked(points[:, 0]), [[0.0, 1.0]]),
            lambda: sublevel_trees.sublevel_tree(X[0]).merge_level(np.ma.array(0, mask=True), 0),
            lambda: walk.place(1, one_masked(np.array([1, 2])), np.zeros((2, 2))),
            lambda: walk.transfer(1, one_masked(np.array([0])), np.array([1])),
            lambda: walk.free(1, among=one_masked(np.array([0, 1]))),
            lambda: tasks.digits(one_masked(images), labels, images, labels),
            lambda: tasks.digits(images, one_masked(labels), images, labels),
            lambda: tasks.text(one_masked(np.zeros(500, int)), np.zeros(500, int), vocabulary=7),
            lambda: risk_of(LAYERED, LAYERED, X, np.ma.array(list("abab"), mask=[1, 0, 0, 0])),
            lambda: risk_of(LAYERED, LAYERED, X, np.ma.array([0, 1, 0, 1], mask=[1, 0, 0, 0])),
            lambda: Risk(NET, SAMPLE, kappa=np.ma.masked, penalty="ridge"),
        ):
            assert "must not have masked entries" in (hostile.refusal(call)[1] or "")


@pytest.mark.parametrize("name", CALLS)
@hostile.FEW
@given(data=st.data())
def test_a_bad_argument_gives_a_result_without_nan_or_a_value_error_that_names_one(name, data):
    function, good = CALLS[name]
    spoiled = data.draw(st.sampled_from(sorted(good)))
    value = data.draw(hostile.arguments(good[spoiled]))
    assume(not costly(spoiled, value))
    given_ = {**good, spoiled: value}
    before = copies(given_)
    with hostile.bounded():
        result, message = hostile.refusal(function, **given_)
    assert all(same(given_[key], before[key]) for key in given_), "an argument was changed"
    if message is None:
        assert name in VIEWS or not has_nan(result)
    else:
        known = {*inspect.signature(function).parameters, "theta", "points", "weights", "X", "Z", "order"}
        assert known & set(WORDS.findall(message)), message
        assert len(message) < 500


def test_certificates_name_what_they_cannot_write(tmp_path):
    with pytest.raises(ValueError, match="upper"):
        document.save(tmp_path / "c.json", RISK, PATH, float("inf"))
