"""Bead trainers: they stop on the level, they terminate, and their model is the risk's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.landscapes.objectives import Objective
from theory.landscapes.trainers import LANDING, TRAINERS, train
from theory.networks import Network
from theory.numerics.rounding import gamma
from theory.risk import Risk, Sample

PROBLEMS = st.sampled_from(
    [
        ((1, 3, 1), "sigmoid", "squared", 0.0, None),
        ((1, 3, 3, 1), "tanh", "absolute", 0.0, None),
        ((2, 4, 1), "relu", "squared", 0.05, "second_layer_l1"),
        ((2, 3, 2), "relu", "absolute", 0.0, None),
        ((2, 2, 3, 1), "identity", "squared", 0.02, "ridge"),
    ]
)


def build(problem, seed, bias=False):
    widths, activation, loss, kappa, penalty = problem
    rng = np.random.default_rng(seed)
    sample = Sample(rng.uniform(-1, 1, (15, widths[0])), rng.uniform(-1, 1, (15, widths[-1])))
    return Risk(Network(widths, activation, bias=bias), sample, loss, kappa, penalty), rng


@settings(max_examples=25, deadline=None)
@given(PROBLEMS, st.integers(0, 2**32 - 1), st.sampled_from(TRAINERS), st.booleans())
def test_beads_stop_on_the_level_or_say_that_they_did_not(problem, seed, trainer, bias):
    risk, rng = build(problem, seed, bias)
    starts = rng.uniform(-1, 1, (4, risk.network.size))
    before = starts.copy()
    values = risk.batch(starts)
    target = float(0.8 * values.max())
    found = train(risk, starts, target, trainer=trainer, iterations=40)
    assert np.array_equal(starts, before)
    assert np.allclose(found.values, risk.batch(found.points), rtol=1e-13, atol=0)
    assert np.array_equal(found.reached, found.values <= target)
    above = values > target
    assert np.array_equal(found.points[~above], starts[~above])
    assert (found.values <= values).all()
    landed = above & found.reached
    assert (found.values[landed] >= (1 - LANDING) * target - 1e-12).all()
    assert found.evaluations >= len(starts)


@settings(max_examples=25, deadline=None)
@given(PROBLEMS, st.integers(0, 2**32 - 1), st.booleans())
def test_both_sweeps_give_the_risk_and_its_gradient_but_for_smoothed_absolute_values_in_the_model(problem, seed, bias):
    risk, rng = build(problem, seed, bias)
    thetas = rng.uniform(-1, 1, (3, risk.network.size))
    F, total, g, H = Objective(risk).derivatives(thetas, curvature=True)
    F2, _, g2, none = Objective(risk).derivatives(thetas)
    assert none is None
    assert np.array_equal(F, total)
    bound = gamma(200) * (1 + np.abs(g).sum() + np.abs(F).sum())
    assert np.abs(F - risk.batch(thetas)).max() <= bound
    assert np.abs(F - F2).max() <= bound
    assert np.abs(g2 - risk.gradient(thetas)).max() <= bound
    if risk.loss == "squared" and risk.penalty != "second_layer_l1":
        assert np.abs(g - g2).max() <= bound
    assert np.linalg.eigvalsh(H).min() >= -1e-12 * np.abs(H).max()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 3), st.floats(0.1, 3))
def test_the_gradient_of_the_springs_is_their_derivative(seed, zeta, kappa):
    risk, rng = build(((1, 3, 1), "sigmoid", "squared", 0.0, None), seed)
    left, right, theta = rng.uniform(-1, 1, (3, 1, risk.network.size))
    objective = Objective(risk, left, right, zeta, kappa)
    _, _, g, _ = objective.derivatives(theta)
    step = rng.standard_normal(theta.shape)
    h = 1e-6
    slope = (objective.values(theta + h * step)[1] - objective.values(theta - h * step)[1]) / (2 * h)
    assert slope == pytest.approx(float((g * step).sum()), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("apart", [1e-12, 0.25, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("zeta", [0.0, 0.7])
def test_in_the_middle_of_its_neighbours_the_springs_hold_a_bead_evenly(apart, zeta):
    """No angle is defined there: nothing is paid for it, and nothing is infinite or NaN, however near the neighbours are."""
    risk, rng = build(((1, 3, 1), "sigmoid", "squared", 0.0, None), 0)
    theta, u = rng.uniform(-1, 1, (2, 1, risk.network.size))
    u *= 0.5 * apart / np.linalg.norm(u)
    objective = Objective(risk, theta - u, theta + u, zeta, 0.7)
    for curvature in (False, True):
        F, total, g, H = objective.derivatives((objective.left + objective.right) / 2, curvature=curvature)
        assert total - F == pytest.approx(zeta * apart, abs=1e-9)
        assert np.isfinite(g).all()
        assert H is None or np.isfinite(H).all()


@pytest.mark.parametrize("target", [0.3, 1.0, 1.7])
@pytest.mark.parametrize("start", [-4.0, 3.0, 40.0])
def test_where_the_risk_is_affine_one_projection_lands_in_the_middle_of_the_band(target, start):
    """Newton's step for F = (1 - LANDING / 2) target is exact there."""
    risk = Risk(Network((1, 1), "identity"), Sample([[1.0]], [[0.0]]), "absolute")
    found = train(risk, [[start]], target, trainer="projection", radius=100.0, iterations=1, fallback=False)
    assert found.values[0] == pytest.approx((1 - LANDING / 2) * target, rel=1e-9)
    assert found.reached[0]


def test_a_confined_bead_stays_equidistant_from_its_neighbours():
    risk, rng = build(((1, 3, 3, 1), "tanh", "squared", 0.0, None), 3)
    left, right = rng.uniform(-1, 1, (2, 5, risk.network.size))
    middle = (left + right) / 2
    objective = Objective(risk, left, right, kappa=np.inf)
    found = train(risk, middle, 0.9 * float(risk.batch(middle).min()), objective=objective)
    assert (found.points != middle).any()
    near, far = (np.linalg.norm(found.points - end, axis=1) for end in (left, right))
    assert near == pytest.approx(far, rel=1e-10)


def test_a_level_that_no_bead_can_reach_ends_the_training():
    risk = Risk(Network((1, 2, 1)), Sample(np.ones((2, 1)), np.array([[0.0], [1.0]])))
    found = train(risk, np.ones((2, 4)), 0.2, iterations=50)  # the two samples contradict each other: F >= 1/4
    assert not found.reached.any()
    assert (found.values >= 0.25).all()


def test_on_a_large_sample_beads_stop_on_the_level_of_the_whole_sample():
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, (5000, 1))
    risk = Risk(Network((1, 4, 1), "tanh", bias=True), Sample(x, np.sin(3 * x)))
    starts = rng.uniform(-1, 1, (4, risk.network.size))
    found = train(risk, starts, 0.05)
    assert found.reached.all()
    assert np.allclose(found.values, risk.batch(found.points), rtol=1e-12)
    assert (found.values >= (1 - LANDING) * 0.05 - 1e-12).all()
    lone = Risk(risk.network, Sample(x, np.sin(3 * x), (np.arange(5000) == 1).astype(float)))  # no weight on the part
    assert train(lone, starts, 1e-3).reached.all()


def test_the_rescue_is_called_when_the_first_trainer_fails():
    risk, rng = build(((1, 3, 1), "sigmoid", "squared", 0.0, None), 5)
    starts = rng.uniform(-1, 1, (3, risk.network.size))
    target = 0.7 * float(risk.batch(starts).min())
    alone = train(risk, starts, target, trainer="adam", iterations=2, fallback=False)
    helped = train(risk, starts, target, trainer="adam", iterations=2000)
    assert not alone.reached.any()
    assert helped.reached.sum() >= alone.reached.sum()


@pytest.mark.parametrize(
    ("settings_", "named"),
    [
        ({"trainer": "sgd"}, "trainer"),
        ({"iterations": 0}, "iterations"),
        ({"radius": -1.0}, "radius"),
        ({"starts": np.full((1, 6), np.nan)}, "starts"),
        ({"starts": np.ones(6)}, "starts"),
        ({"target": np.inf}, "target"),
    ],
)
def test_bad_arguments_are_named(settings_, named):
    risk, _ = build(((1, 3, 1), "sigmoid", "squared", 0.0, None), 0)
    arguments = {"starts": np.ones((1, 6)), "target": 0.1, **settings_}
    with pytest.raises(ValueError, match=named):
        train(risk, arguments.pop("starts"), arguments.pop("target"), **arguments)
