"""What Theorem 2.4 allows: constants, their scaling, and that bounds are bounds."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.relu_paths import constants
from theory.risk import Sample

SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, n=3):
    rng = np.random.default_rng(seed)
    N = int(rng.integers(1, 9))
    return Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)), rng.dirichlet(np.ones(N))), rng


@given(SEEDS)
def test_energy_and_spectral_norm_are_bounds_in_rational_arithmetic(seed):
    sample, rng = draw(seed)
    exact = sum(Fraction(p) * Fraction(y) ** 2 for p, y in zip(sample.weights, sample.Y[:, 0]))
    assert Fraction(constants.energy(sample)) >= exact
    w = [Fraction(v) for v in rng.standard_normal(3)]
    form = sum(Fraction(p) * sum(a * Fraction(c) for a, c in zip(w, x)) ** 2 for p, x in zip(sample.weights, sample.X))
    assert Fraction(constants.spectral_norm(sample)) * sum(a * a for a in w) >= form


@given(SEEDS)
def test_the_largest_feature_is_at_most_the_spectral_norm_and_at_least_each_feature(seed):
    sample, rng = draw(seed)
    W = rng.standard_normal((5, 3)) * 10.0 ** rng.integers(-3, 3, size=(5, 1))
    zeta2 = constants.largest_feature(sample, W)
    z = np.maximum(sample.X @ (W / np.linalg.norm(W, axis=1, keepdims=True)).T, 0)
    assert zeta2 >= (sample.weights @ z**2).max()
    assert zeta2 <= constants.spectral_norm(sample) * (1 + 1e-12)


@given(SEEDS, st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.01, 3), st.floats(0, math.pi))
def test_the_corrected_constants_scale_as_the_risk_does(seed, s, c, kappa, alpha):
    sample, _ = draw(seed)
    scaled = Sample(s * sample.X, c * sample.Y, sample.weights)
    before = constants.theorem_constants(sample, kappa).allowance(alpha)
    assert constants.theorem_constants(scaled, c * s * kappa).allowance(alpha) == pytest.approx(c**2 * before, rel=1e-9)


def test_the_printed_constant_does_not_scale():
    sample, _ = draw(0)
    scaled = Sample(1e-4 * sample.X, sample.Y, sample.weights)
    before, after = (constants.printed_allowance(x, k, 0.1) for x, k in ((sample, 0.1), (scaled, 1e-5)))
    assert after < 1e-2 * before
    louder = Sample(sample.X, 1e6 * sample.Y, sample.weights)
    before, after = (constants.printed_allowance(x, k, 0.1, last_line=True) for x, k in ((sample, 0.1), (louder, 1e5)))
    assert after < 1e12 * 1e-4 * before


def test_angle_zero_costs_nothing_even_without_a_penalty():
    sample, _ = draw(1)
    assert constants.theorem_constants(sample, 0.0).allowance(0.0) == 0
    assert constants.theorem_constants(sample, 0.0).allowance(0.1) == math.inf
    assert constants.printed_allowance(sample, 0.0, 0.0) == 0
    assert constants.printed_allowance(sample, 0.0, 0.1) == math.inf
    assert constants.perturbation(np.eye(3), np.eye(3), np.ones(3), np.ones(3), 1.0) == 0
    assert constants.joint_move_bound(0.5, 0.0) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda s: constants.theorem_constants(s, -1.0), "kappa"),
        (lambda s: constants.theorem_constants(s, 1.0).allowance(4.0), "alpha"),
        (lambda s: constants.largest_feature(s, np.ones((2, 5))), "rows"),
        (lambda s: constants.maurey_excess(s, 0.0, 1.0, 4), "kappa"),
        (lambda s: constants.maurey_excess(s, 1.0, 1.0, 1), "width"),
        (lambda s: constants.perturbation(np.eye(2), np.eye(3), np.ones(2), np.ones(2), 1.0), "rows"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        call(draw(0)[0])


@pytest.mark.parametrize("k", [-300, -1000, 300, 1000])
def test_rows_of_any_size_are_seen_and_a_tiny_move_is_one(k):
    """Rows whose squares underflow have directions; a move whose squares underflow is no rest."""
    sample, rows = Sample([[1.0, 2.0], [-1.0, 0.5]], [[1.0], [0.0]]), np.array([[3.0, 1.0], [-1.0, 2.0]])
    found = constants.largest_feature(sample, rows)
    assert constants.largest_feature(sample, np.ldexp(rows, k)) == pytest.approx(found, rel=1e-12)
    moved, ones = rows + 0.5, np.ones(2)
    noise = constants.perturbation(rows, moved, ones, ones, 1.0)
    assert constants.perturbation(np.ldexp(rows, k), np.ldexp(moved, k), ones, ones, 1.0) >= np.ldexp(noise, k) * (
        1 - 1e-9
    )
    assert constants.perturbation(rows, rows, ones, ones, 1.0) == 0.0
