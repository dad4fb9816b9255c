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


def formula(found, exact):
    """An upper bound that is its formula, and hardly more."""
    assert exact * (1 - 1e-15) <= found <= exact * (1 + 1e-12)


@pytest.mark.parametrize(("x", "y"), [(3.0, 2.0), (0.5, 0.3)])
@pytest.mark.parametrize("kappa", [0.25, 2.0])
def test_the_constants_are_their_formulas_rounded_up(x, y, kappa):
    sample, S, y2 = Sample([[x]], [[y]]), x * x, y * y
    formula(constants.spectral_norm(sample), S)
    formula(constants.energy(sample), y2)
    found, root = constants.theorem_constants(sample, kappa), math.sqrt(S)
    formula(found.C1, 8 / 27 * root * y**3 / kappa)
    formula(found.C2, S * y2**2 / (16 * kappa**2))
    for alpha in (0.1, 2.0, math.pi):
        chord = 2 * math.sin(alpha / 2)
        formula(found.allowance(alpha), found.C1 * chord + found.C2 * chord**2)
        printed = 4 * alpha * max(y2, y) * S
        formula(constants.printed_allowance(sample, kappa, alpha), printed * (kappa**-0.5 + alpha * y / kappa))
        formula(
            constants.printed_allowance(sample, kappa, alpha, last_line=True),
            printed * (1 / kappa + alpha * y / kappa**2),
        )
    for level, width in ((0.1 * y2, 2), (0.4 * y2, 5), (3 * y2, 8)):
        norm = min(level, y2 / 2) / kappa
        formula(constants.maurey_excess(sample, kappa, level, width), S * norm**2 / (width // 2))
        formula(constants.maurey_excess(sample, kappa, level, width, zeta_squared=0.7), 0.7 * norm**2 / (width // 2))
        formula(constants.drop_excess(sample, kappa, level, width, 2), S * (2 * norm / width) ** 2)
    assert constants.drop_excess(sample, kappa, 1.0, 3, 0) == 0
    with pytest.raises(ValueError, match=r"units must be in 0\.\.3"):
        constants.drop_excess(sample, kappa, 1.0, 3, 4)


def test_moves_cost_their_formulas_rounded_up():
    rows, moved = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [3.0, 5.0], [0.0, 0.0]]
    formula(constants.perturbation(rows, moved, [1.0, -2.0, 9.0], [-0.5, 4.0, 1.0], 9.0), 0.75 * (1.5 + 6 * 5))
    formula(constants.joint_move_bound(0.25, 3.0), 0.25 + 3.0 + 9.0)
    formula(constants.joint_move_bound(4.0, 0.125), 4.0 + 0.5 + 0.125**2)


def test_the_largest_feature_is_that_of_one_of_the_rows_scaled_to_norm_one():
    sample = Sample([[1.0, 0.0], [2.0, -4.0]], [[0.0], [0.0]], [0.25, 0.75])
    for none in (np.zeros((0, 2)), [[0.0, 0.0], [-5.0, 0.0]]):  # nothing but the rounding of features
        assert constants.largest_feature(sample, none) < 1e-27
    formula(constants.largest_feature(sample, [[0.0, 0.0], [7.0, 0.0], [-1.0, 0.0]]), 0.25 + 0.75 * 4)
    formula(constants.largest_feature(sample, [[0.1, 0.0], [0.0, -0.2]]), 0.75 * 16)


def test_eight_twentysevenths_is_the_maximum_over_the_cube():
    t, p, q = np.meshgrid(*[np.linspace(0, 1, 61)] * 3)
    inside = 4 * t * (1 - t) * (p * (1 - p) + q * (1 - q)) * ((1 - t) * p + t * q)
    assert inside.max() == pytest.approx(8 / 27, rel=1e-12)  # at t = 1/2, p = q = 2/3


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda s: constants.theorem_constants(s, -1.0), "kappa"),
        (lambda s: constants.theorem_constants(s, 1.0).allowance(4.0), "alpha"),
        (lambda s: constants.largest_feature(s, np.ones((2, 5))), "rows"),
        (lambda s: constants.maurey_excess(s, 0.0, 1.0, 4), "kappa"),
        (lambda s: constants.maurey_excess(s, 1.0, 1.0, 1), "width"),
        (lambda s: constants.perturbation(np.eye(2), np.eye(3), np.ones(2), np.ones(2), 1.0), "rows"),
        (lambda s: constants.perturbation(np.eye(2), np.eye(2), np.ones(3), np.ones(2), 1.0), "rows"),
        (lambda s: constants.perturbation(np.eye(2), np.eye(2), np.ones(2), np.ones(3), 1.0), "rows"),
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
