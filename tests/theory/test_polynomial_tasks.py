"""The polynomial tasks and the published procedure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import polynomial_tasks
from theory.landscapes.trainers import train
from theory.risk import Risk, Sample
from theory.string_sampling.runs import Status


def test_the_tasks_are_those_of_the_published_scripts():
    quadratic, cubic = (polynomial_tasks.task(name, points=100) for name in polynomial_tasks.TASKS)
    assert quadratic.network.size == 24  # weights only
    assert cubic.network.size == 33  # 24 weights and 9 biases
    assert quadratic.loss == cubic.loss == "absolute"
    assert quadratic.network.output == "sigmoid"
    assert cubic.network.output == "identity"
    assert (quadratic.sample.Y.min() > 0.1) & (quadratic.sample.Y.max() < 0.85)
    assert cubic.sample.Y.min() < 0 < cubic.sample.Y.max()


def test_the_best_constants_are_the_plateaus():
    assert polynomial_tasks.best_constant(polynomial_tasks.task("quadratic", points=4000)) == pytest.approx(
        0.1875, abs=1e-4
    )
    assert polynomial_tasks.best_constant(polynomial_tasks.task("cubic", points=4000)) == pytest.approx(
        0.158203, abs=1e-4
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["squared", "absolute"]))
def test_no_constant_beats_the_best_constant(seed, loss):
    rng = np.random.default_rng(seed)
    sample = Sample(rng.standard_normal((9, 1)), rng.standard_normal((9, 1)), rng.uniform(0, 1, 9) + 1e-3)
    risk = Risk(polynomial_tasks.task("cubic").network, sample, loss)
    constants = np.concatenate([np.linspace(-3, 3, 400), sample.Y[:, 0]])[:, None]
    apart = np.abs(constants - sample.Y[:, 0]) ** (1 if loss == "absolute" else 2)
    assert polynomial_tasks.best_constant(risk) <= (apart @ sample.weights).min() + 1e-12


def test_ends_are_the_first_iterates_below_their_levels():
    risk = polynomial_tasks.task("quadratic", points=16)
    levels = (0.15, 0.1)
    ends = polynomial_tasks.trained_ends(risk, levels, 3, rng=0, steps=3000)
    for level, found in zip(levels, ends):
        there = ~np.isnan(found[:, 0])
        assert there.any()
        assert (risk.batch(found[there]) < level).all()
    assert np.isnan(polynomial_tasks.trained_ends(risk, (1e-9,), 2, rng=0, steps=10)).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 100), st.sampled_from([0.1, 0.05]))
def test_the_published_procedure_terminates_and_is_believed_only_where_certified(seed, level):
    risk, rng = polynomial_tasks.task("quadratic", points=16), np.random.default_rng(seed)
    found = train(risk, polynomial_tasks.draw(risk.network, 6, rng=rng), 0.98 * level, fallback=False)
    a, b = found.points[found.reached][:2]
    result = polynomial_tasks.authors_string(risk, a, b, level, steps=500, depth=4)
    assert result.beads >= 3
    assert result.maximum.upper >= risk.batch(result.string.at(np.linspace(0, 1, 301))).max()
    assert (result.path is not None) == (result.status is Status.CONNECTED)
    if result.status is Status.CONNECTED:
        assert result.maximum.upper <= level
    if result.status is Status.ACCEPTED:
        t = polynomial_tasks.GRID[:, None]
        for p, q in zip(result.string.points[:-1], result.string.points[1:]):
            assert risk.batch((1 - t) * p + t * q).max() < polynomial_tasks.ACCEPTANCE * level * (1 + 1e-9)


def test_a_bead_that_cannot_reach_its_target_ends_the_published_procedure_too():
    risk = polynomial_tasks.task("quadratic", points=16)
    found = train(risk, polynomial_tasks.draw(risk.network, 4, rng=1), 0.02, fallback=False)
    a, b = found.points[found.reached][:2]
    assert polynomial_tasks.authors_string(risk, a, b, 0.02, alpha=1e-6, steps=30).status is Status.BEAD


def test_a_power_law_is_recovered():
    levels = np.geomspace(1e-3, 1, 7)
    slope, fit = polynomial_tasks.power_law(levels, 3 * levels**-0.5)
    assert slope == pytest.approx(-0.5)
    assert fit == pytest.approx(1.0)
