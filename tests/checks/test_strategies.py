"""The strategies produce what they promise: first that each extreme case occurs, then that every draw is valid."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as hst

from checks import strategies as st
from theory.networks import Network
from theory.risk import Risk

NET = Network((2, 3, 1))
DEEP = Network((2, 3, 4, 1), bias=True)
SEARCH = settings(
    max_examples=2000,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow],
)


def occurs(strategy, condition):
    find(strategy, condition, settings=SEARCH)  # raises NoSuchExample otherwise


def angle_of(pair):
    return 2 * np.arctan2(np.linalg.norm(pair.w1 - pair.w2), np.linalg.norm(pair.w1 + pair.w2))


def parallel(theta):
    a, b = NET.weights(theta)[0][:2]
    return a.any() and b.any() and a @ b > 0 and a[0] * b[1] == a[1] * b[0]


@pytest.mark.parametrize("angle", [0.0, 1e-8, np.pi / 2, np.pi - 1e-8, np.pi])
def test_notable_angles_occur(angle):
    occurs(st.angles(), lambda a: a == angle)
    occurs(st.unit_pairs(3), lambda pair: pair.angle == angle)


def test_generic_angles_occur():
    occurs(st.angles(0.1, maximum=0.2), lambda a: 0.1 < a < 0.2)


def test_axes_and_generic_unit_vectors_occur():
    occurs(st.unit_vectors(3), lambda w: np.count_nonzero(w) == 1)
    occurs(st.unit_vectors(3), lambda w: np.count_nonzero(w) == 3 and len(set(np.abs(w))) == 3)
    occurs(st.unit_vectors(1), lambda w: w[0] == -1)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_second_moments_of_every_rank_occur(rank):
    occurs(st.second_moments(3), lambda sigma: np.linalg.matrix_rank(sigma) == rank)


@pytest.mark.parametrize(
    "condition",
    [
        lambda s: len(s) == 1,
        lambda s: len(s) > 2 and (s.X == s.X[0]).all() and (s.Y == s.Y[0]).all() and s.X.any(),
        lambda s: len(s) >= 3 and s.X.any() and np.linalg.matrix_rank(s.X) < 2,
        lambda s: not s.X.any(),
        lambda s: 0 < np.abs(s.X).min() and np.abs(s.X).max() > 1e8 * np.abs(s.X).min(),
        lambda s: (s.weights == 0).any(),
        lambda s: len(set(s.weights)) > 2,
        lambda s: not s.Y.any() and s.X.any(),
    ],
    ids=[
        "one atom",
        "repeated",
        "rank",
        "zero inputs",
        "heavy tails",
        "weightless atom",
        "unequal weights",
        "zero target",
    ],
)
def test_extreme_samples_occur(condition):
    occurs(st.samples(2), condition)


@pytest.mark.parametrize(
    "condition",
    [
        lambda theta: not NET.weights(theta)[0][1].any() and NET.weights(theta)[1][0, 1] != 0,
        lambda theta: NET.weights(theta)[1][0, 1] == 0 and NET.weights(theta)[0][1].all(),
        parallel,
        lambda theta: not NET.weights(theta)[1].any() and NET.weights(theta)[0].any(),
        lambda theta: not theta.any(),
        lambda theta: np.abs(theta).max() > 1e6,
    ],
    ids=["dead unit", "idle unit", "parallel rows", "zero second layer", "zero", "unequal layers"],
)
def test_extreme_parameters_occur(condition):
    occurs(st.parameter_vectors(NET), condition)


def test_dead_units_occur_in_every_hidden_layer_of_a_deep_net():
    X = np.random.default_rng(0).standard_normal((40, 2))
    kinds = ("dead_unit",)
    for layer in (1, 2):
        occurs(
            st.parameter_vectors(DEEP, kinds=kinds),
            lambda theta, layer=layer: (DEEP.features(theta, X, layer)[:, :-1] == 0).all(axis=0).any(),
        )


def test_extreme_networks_and_risks_occur():
    occurs(st.networks(), lambda net: net.depth == 1)
    occurs(st.networks(), lambda net: net.depth == 3 and net.bias and net.activation == "sigmoid" != net.output)
    occurs(st.networks(), lambda net: max(net.widths) == 1)
    occurs(st.risks(), lambda risk: risk.penalty == "second_layer_l1" and risk.kappa > 0)
    occurs(st.risks(), lambda risk: risk.penalty == "ridge" and risk.kappa == 0 and risk.loss == "absolute")
    for loss in ("logistic", "hinge", "softmax"):
        occurs(st.risks(losses=[loss], penalties=["path"]), lambda risk: risk.penalty == "path" and risk.kappa > 0)
    occurs(st.risks(penalties=["schatten"]), lambda risk: risk.exponents == (3.0, 3.0, 3.0))


@given(st.unit_pairs(4) | st.unit_pairs(2) | st.unit_pairs(1))
def test_pairs_have_their_angle(pair):
    for w in (pair.w1, pair.w2):
        assert np.linalg.norm(w) == pytest.approx(1, abs=1e-15 * 8)
    # cos and sin of angle / 2 are rounded once, the products and norms a few times more
    assert angle_of(pair) == pytest.approx(pair.angle, abs=1e-15 * 8)
    assert abs(pair.bisector @ pair.difference) <= 1e-15 * 8


@given(st.second_moments(3, rank=2))
def test_second_moments_are_symmetric_and_semidefinite(sigma):
    assert np.array_equal(sigma, sigma.T)
    values = np.linalg.eigvalsh(sigma)
    rounding = 50 * np.finfo(float).eps * max(values[-1], 0)
    assert values[0] >= -rounding
    assert values[0] <= rounding  # rank 2 of 3


@given(st.risks(), hst.data())
def test_every_risk_can_be_evaluated_at_every_parameter(risk, data):
    theta = data.draw(st.parameter_vectors(risk.network))
    assert isinstance(risk, Risk)
    assert np.isfinite(risk(theta))
    assert risk(theta) >= 0


@given(st.problems())
def test_a_problem_has_two_nets_that_fit_its_risk(problem):
    risk, a, b = problem
    assert problem.theta_a is a
    assert problem.theta_b is b
    assert a.shape == b.shape == (risk.network.size,)
    assert np.isfinite([risk(a), risk(b)]).all()


@given(st.problems(pairs=["reordered", "rescaled", "same"]))
def test_some_pairs_are_one_function(problem):
    risk, a, b = problem
    if risk.network.depth > 1:
        size = np.abs(risk.network.layers(np.abs(a), np.abs(risk.sample.X))[1][-1]).max()  # without cancellation
        outputs = [risk.network(theta, risk.sample.X) for theta in (a, b)]
        np.testing.assert_allclose(*outputs, rtol=0, atol=1e-12 * (1 + size))


@pytest.mark.parametrize(
    "condition",
    [
        lambda p: np.array_equal(p.theta_a, p.theta_b) and p.theta_a.any(),
        lambda p: not np.array_equal(p.theta_a, p.theta_b) and p.risk(p.theta_a) == p.risk(p.theta_b) > 0,
        lambda p: p.risk(p.theta_a) == 0 and p.risk(p.theta_b) > 0,
        lambda p: sum((p.theta_a[s] != p.theta_b[s]).any() for s in p.risk.network.slices) == 1 < p.risk.network.depth,
    ],
)
def test_extreme_problems_occur(condition):
    occurs(st.problems(), condition)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: st.unit_vectors(0), "dimension"),
        (lambda: st.unit_vectors(2.0), "dimension"),
        (lambda: st.unit_pairs(2, angle=0.5), "angle"),
        (lambda: st.angles(-1.0), "minimum"),
        (lambda: st.angles(1.0, maximum=0.5), "maximum"),
        (lambda: st.numbers(np.inf), "bound"),
        (lambda: st.second_moments(2, rank=3), "rank"),
        (lambda: st.samples(0), "inputs"),
        (lambda: st.samples(1, outputs=-1), "outputs"),
        (lambda: st.samples(1, max_size=0), "max_size"),
        (lambda: st.samples(1, weighted=2), "weighted"),
        (lambda: st.samples(1, kinds=()), "kinds"),
        (lambda: st.samples(1, kinds="generic"), "kinds"),
        (lambda: st.samples(1, kinds=["light"]), "kinds"),
        (lambda: st.networks(0), "max_width"),
        (lambda: st.networks(inputs=0), "inputs"),
        (lambda: st.networks(min_depth=3, max_depth=2), "max_depth"),
        (lambda: st.networks(activations=["softmax"]), "activations"),
        (lambda: st.networks(biases=[]), "biases"),
        (lambda: st.parameter_vectors("net"), "network"),
        (lambda: st.parameter_vectors(NET, kinds=["alive"]), "kinds"),
        (lambda: st.parameter_vectors(Network((2, 1)), kinds=["dead_unit"]), "kinds"),
        (lambda: st.parameter_vectors(NET, bound=0.0), "bound"),
        (lambda: st.risks(NET), "network"),
        (lambda: st.risks(losses=["huber"]), "losses"),
        (lambda: st.risks(penalties=["lasso"]), "penalties"),
        (lambda: st.risks(max_size=0), "max_size"),
    ],
)
def test_a_wrong_argument_is_named_at_once(call, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        call()


def test_without_hypothesis_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "checks.strategies")
    with pytest.raises(ModuleNotFoundError, match=r"needs hypothesis: pip install 'halfrect\[test\]'"):
        importlib.import_module("checks.strategies")
