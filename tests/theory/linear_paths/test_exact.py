"""Rational arithmetic behind the bounds: singular values from both sides, determinants, norms; and the door."""

import math
from dataclasses import replace

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from theory.linear_paths import LinearProblem, barrier, cases, curves, exact
from theory.linear_paths.problem import normalised
from theory.linear_paths.products import best_product, risk_above
from theory.networks import Network
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


def conjugated(rng, eigenvalues):
    """A rational matrix with these eigenvalues, not symmetric."""
    k = len(eigenvalues)
    T = exact.rational(np.triu(rng.integers(-3, 4, (k, k)), 1) + np.eye(k))
    return T * exact.rational(np.diag(eigenvalues)) * T.inv()


@given(seeds, st.lists(st.floats(0, 1e30) | st.sampled_from([0.0, 1.0, 1e-300]), min_size=1, max_size=4))
def test_eigenvalues_are_enclosed_by_neighbouring_floats(seed, eigenvalues):
    found = exact.SquaredSingularValues(conjugated(np.random.default_rng(seed), eigenvalues))
    low, high = found.least()
    assert low <= min(eigenvalues) <= high
    assert high <= math.nextafter(low, math.inf)
    assert found.singular == (min(eigenvalues) == 0)
    assert found.largest_above() == max(eigenvalues)
    assert found.all_at_least(exact.fraction(min(eigenvalues)))
    assert not found.all_at_least(exact.fraction(math.nextafter(min(eigenvalues), math.inf)))
    assert not found.all_at_most(exact.fraction(math.nextafter(max(eigenvalues), -1.0)))


@given(seeds, st.integers(1, 4))
def test_orientation_is_the_sign_of_the_determinant_also_where_floats_see_zero(seed, r):
    rng = np.random.default_rng(seed)
    W = rng.integers(-2, 3, (r, r)).astype(float)
    assert exact.orientation(W) == np.sign(round(np.linalg.det(W)))
    tiny = np.eye(2) + np.array([[0, 1], [1, 0]])
    tiny[1, 1] += 2.0**-52
    assert exact.orientation(tiny) == 1
    assert exact.orientation(1e-300 * tiny[::-1]) == -1


@given(seeds)
def test_the_nuclear_norm_is_bounded_from_above_and_closely(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 5, 2)
    sizes = np.sort(rng.integers(0, 5, min(m, n)))[::-1].astype(float)
    P, Q = np.eye(m)[rng.permutation(m)], np.eye(n)[rng.permutation(n)]  # exactly orthogonal
    M = P[:, : len(sizes)] @ np.diag(sizes) @ Q[: len(sizes)]
    assert sizes.sum() <= exact.nuclear_norm_above(M) <= sizes.sum() * (1 + 1e-14)
    dense = rng.standard_normal((m, n))
    assert np.linalg.norm(dense, "nuc") * (1 - 1e-14) <= exact.nuclear_norm_above(dense)
    assert exact.nuclear_norm_above(dense) <= np.linalg.norm(dense, "nuc") * (1 + 1e-13)


@given(seeds)
def test_singular_normal_equations_are_solved_all_the_same(seed):
    rng = np.random.default_rng(seed)
    A = exact.rational(rng.integers(-2, 3, (3, 4)).astype(float))
    S, C = A.transpose() * A, A.transpose() * exact.rational(rng.standard_normal((3, 2)))
    assert S * exact.solution(S, C) == C


@pytest.mark.parametrize("value", [fmpq(0), fmpq(1, 3), fmpq(-1, 3), fmpq(10) ** 400, fmpq(1, 10**400), fmpq(2)])
def test_floats_above_and_roots(value):
    above = exact.float_above(value)
    assert above == math.inf or fmpq(*above.as_integer_ratio()) >= value
    if value >= 0 and above < math.inf:
        root = exact.root_above(value)
        assert fmpq(*root.as_integer_ratio()) ** 2 >= value


@given(seeds)
def test_the_risk_at_a_point_is_exact_and_the_door_keeps_it(seed):
    rng = np.random.default_rng(seed)
    widths = tuple(int(n) for n in rng.integers(1, 4, 3))
    data = Sample(rng.standard_normal((3, widths[0])), 1e3 * rng.standard_normal((3, widths[2])), rng.random(3))
    risk = Risk(Network(widths, activation="identity"), data, kappa=0.1, penalty="ridge")
    theta = rng.standard_normal(risk.network.size)
    problem = LinearProblem(risk)
    weights = risk.network.weights(theta)
    above = risk_above(problem, *weights)
    assert above == pytest.approx(risk(theta), rel=1e-12)
    inner, units = normalised(risk)
    assert units.above(risk_above(inner, *risk.network.weights(units.inside(theta)))) == above
    assert np.array_equal(problem.vector(*problem.factors(theta)), theta)
    W1, W2 = problem.factors(theta)
    assert W1.shape[1] <= W2.shape[0]
    M = weights[1] @ weights[0]
    np.testing.assert_allclose(problem.turn(W2 @ W1), M, rtol=1e-12, atol=1e-12)
    assert np.abs(inner.risk.sample.X).max() < 2  # an odd difference of powers costs one
    assert 0.5 <= np.abs(inner.risk.sample.Y).max() < 1


@pytest.mark.parametrize(
    ("widths", "kappa", "name"),
    [
        ((2, 3), 0.0, "one layer"),
        ((2, 3), 1.0, "one layer"),
        ((2, 3, 2), 0.0, "kappa = 0, wide"),
        ((2, 3, 3, 3, 2), 0.0, "kappa = 0, wide"),
        ((3, 2, 2), 0.0, "kappa = 0, width r"),
        ((2, 3, 2), 1.0, "ridge, wide"),
        ((2, 2, 4), 1.0, "ridge, width r"),
        ((2, 1, 2), 0.0, None),
        ((2, 2, 2, 2), 0.0, None),
        ((2, 3, 3, 2), 1.0, None),
    ],
)
def test_which_theorem_applies(widths, kappa, name):
    data = Sample(np.ones((1, widths[0])), np.ones((1, widths[-1])))
    problem = LinearProblem(
        Risk(Network(widths, activation="identity"), data, kappa=kappa, penalty="ridge" if kappa else None)
    )
    if name is None:
        with pytest.raises(ValueError, match=r"width|kappa must be 0"):
            cases.which(problem)
    else:
        assert cases.which(problem).name.startswith(name)


def test_a_curve_that_is_nowhere_is_not_called_low():
    problem = LinearProblem(Risk(Network((1, 2, 1), "identity"), Sample([[1.0]], [[1.0]])))
    with pytest.raises(ValueError, match="finite"):
        curves.chords(problem, lambda s: (np.full((2, 1), np.nan), np.ones((1, 2))), 10.0, "nowhere")


def test_division_by_a_singular_matrix_gives_the_nearest():
    W = np.array([[1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(curves.divided(np.array([[3.0, 4.0]]), W), [[3.0, 0.0]])


@given(seeds, st.sampled_from(["squared", "absolute"]))
def test_large_data_get_rounded_values_and_no_lower_bound(seed, loss):
    rng = np.random.default_rng(seed)
    n = exact.COLUMNS + 1
    X, Y = rng.standard_normal((3, n)), rng.standard_normal((3, 2))
    risk = Risk(Network((n, 3, 2), activation="identity"), Sample(X, Y), loss=loss)
    W = risk.network.weights(rng.standard_normal(risk.network.size))
    large = exact.ExactLoss(risk)
    assert not large.small
    true = large(exact.rational(W[1]) * exact.rational(W[0]))
    assert true <= exact.fraction(large.above(*W)) <= true * fmpq(10**9 + 1, 10**9)
    found = best_product(risk)
    assert found.lower == 0
    assert found.value <= 1e-20 * n if loss == "squared" else found.value <= 1e-10 * n
    assert barrier(replace(risk, network=Network((n, 2, 2), "identity"), loss="squared")).connected is None
