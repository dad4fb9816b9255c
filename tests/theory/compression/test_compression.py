"""Robust compressibility: every layer is feasible, every bound holds, and small cases are exact."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from checks.claims.section_2_3_2.exact_risk import fractions, risk
from theory.compression.layers import RULES, delta, table
from theory.oracle.infinite_width import limit
from theory.risk import Sample


@st.composite
def layers(draw: st.DrawFn) -> tuple[Sample, np.ndarray, float, np.random.Generator]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, N, m = draw(st.integers(1, 3)), draw(st.integers(1, 8)), draw(st.integers(1, 5))
    W = rng.standard_normal((m, n))
    if draw(st.booleans()):
        W[-1] = W[0]
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)), rng.dirichlet(np.ones(N)))
    return sample, W, draw(st.sampled_from([0.0, 0.01, 0.1, 1.0])), rng


def exact(sample, layer, kappa) -> Fraction:
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    return risk(X, y, p, fractions(layer.rows), fractions(layer.weights), Fraction(kappa))


@instances(30)
@given(layers(), st.data())
def test_what_is_returned_is_feasible_and_its_risk_is_below_the_upper_bound(problem, data):
    sample, W, kappa, rng = problem
    l = data.draw(st.integers(0, len(W)))
    alpha = data.draw(st.sampled_from([0.0, 1e-6, 0.2, np.pi / 2, np.pi]))
    found = delta(sample, W, l, alpha, kappa, rng=rng, draws=2)
    assert exact(sample, found, kappa) <= Fraction(found.upper)
    assert found.lower <= found.upper
    assert np.count_nonzero(found.weights) <= l
    assert np.linalg.norm(found.rows, axis=1) == pytest.approx(1, abs=1e-11)
    turn = 2 * np.arcsin(np.minimum(np.linalg.norm(found.rows - W, axis=1) / 2, 1))
    assert (turn <= alpha + 1e-12).all()
    assert np.array_equal(found.rows[found.weights == 0], W[found.weights == 0])
    if alpha == 0:
        assert np.array_equal(found.rows, W)
    if kappa > 0:
        assert found.upper >= limit(sample, kappa, gap=1e-3).lower


@instances(20)
@given(layers())
def test_without_turning_all_supports_are_enumerated_and_the_bounds_meet(problem):
    sample, W, kappa, rng = problem
    values = []
    for l in range(len(W) + 1):
        found = delta(sample, W, l, 0.0, kappa, rng=rng)
        if kappa > 0:
            assert found.upper - found.lower <= 1e-7 * sample.energy
        values.append(found.upper)
    assert values[0] == pytest.approx(sample.energy)
    assert all(a >= b - 1e-9 * sample.energy for a, b in pairwise(values))


@instances(6)
@given(layers())
def test_a_table_never_rises_in_either_direction(problem):
    sample, W, kappa, rng = problem
    values = np.array(
        [[c.upper for c in row] for row in table(sample, W, [0, 1, len(W)], [0, 0.4, 2.0], kappa, rng=rng)]
    )
    assert (np.diff(values, axis=0) <= 0).all()
    assert (np.diff(values, axis=1) <= 0).all()


@pytest.mark.parametrize("rule", [r for r in RULES if r not in ("oracle",)])
def test_each_rule_alone_compresses_a_layer_with_parallel_rows_to_one_unit(rule):
    """Four copies of one row, all weights of one sign: one unit does the same."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 2))
    w = np.array([0.6, 0.8])
    sample = Sample(X, np.maximum(X @ w, 0)[:, None])
    best = delta(sample, np.tile(w, (4, 1)), 1, 0.0, 0.05, rules=(rule,), rng=0)
    alone = delta(sample, w[None], 1, 0.0, 0.05)
    assert best.upper == pytest.approx(alone.upper, rel=1e-9)


def test_free_rows_reach_the_oracle():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((15, 2))
    sample = Sample(X, np.sin(X[:, :1]))
    W = np.tile([[1.0, 0.0]], (4, 1))
    free = delta(sample, W, 4, np.pi, 0.01, rng=0)
    assert free.upper <= 1.02 * limit(sample, 0.01).upper
    assert free.lower == pytest.approx(limit(sample, 0.01).lower, rel=1e-6)


def test_turning_helps_where_the_rows_are_slightly_off():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((50, 3))
    target = np.array([1.0, 0.0, 0.0])
    off = np.array([np.cos(0.3), np.sin(0.3), 0.0])
    sample = Sample(X, np.maximum(X @ target, 0)[:, None])
    frozen, part, whole = (delta(sample, off[None], 1, a, 0.01, rng=0).upper for a in (0.0, 0.15, 0.31))
    best = delta(sample, target[None], 1, 0.0, 0.01).upper
    assert frozen > part > whole
    assert whole == pytest.approx(best, rel=1e-3)


def test_the_witness_of_the_printed_form():
    """X = Y = 1, kappa = 0.1: 0.0975 with unit rows."""
    one = Sample(np.ones((1, 1)), np.ones((1, 1)))
    assert delta(one, np.ones((1, 1)), 1, 0.0, 0.1).upper == pytest.approx(0.0975, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"l": 5}, "l must be at most the number of rows, m = 2; got 5"),
        ({"l": -1}, "l must be an integer >= 0"),
        ({"l": 1.5}, "l must be an integer"),
        ({"alpha": -0.1}, "alpha must be a finite number in"),
        ({"alpha": 3.2}, "alpha must be a finite number in"),
        ({"kappa": -1.0}, "kappa must be a finite number in"),
        (
            {"W": np.array([[2.0, 0.0], [0.0, 1.0]])},
            "W must have unit rows; row 0 has norm 2. Divide each row by its norm",
        ),
        ({"W": np.zeros((2, 2))}, "W must have unit rows; row 0 has norm 0"),
        ({"W": np.eye(3)}, "W must have shape"),
        ({"sample": Sample(np.eye(2), np.ones((2, 2)))}, "sample must have one output"),
        ({"rules": ("luck",)}, "rules must be one of"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"sample": Sample(np.eye(2), np.ones((2, 1))), "W": np.eye(2), "l": 1, "alpha": 0.1, "kappa": 0.1}
    with pytest.raises(ValueError, match=message):
        delta(**(good | change))


def test_a_warm_layer_must_be_feasible():
    sample = Sample(np.eye(2), np.ones((2, 1)))
    wide = delta(sample, np.eye(2), 2, 0.5, 0.1)
    with pytest.raises(ValueError, match="warm must come from the same rows"):
        delta(sample, np.eye(2), 1, 0.5, 0.1, warm=wide)


def test_the_active_units_are_those_of_positive_weight():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((6, 2))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    found = delta(Sample(rng.standard_normal((8, 2)), rng.standard_normal((8, 1))), W, 2, 0.0, 0.05, rng=0)
    assert found.active.tolist() == np.flatnonzero(found.weights).tolist()
    assert 1 <= len(found.active) <= 2
