"""The second layer in any units: against the exact minimum in rationals, columns of unequal size, equivariance, range."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pytest
from exact_lasso import exact_minimum
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from checks.claims.section_2_3_2.exact_risk import fractions
from theory.lasso import duality
from theory.lasso.problem import normalised
from theory.lasso.solve import certify, homotopy, kappa_max, second_layer

SEEDS = st.integers(0, 2**32 - 1)

# The promised gap, relative to E y^2, where the bound holds for all weights.
TIGHT = 1e-8


@st.composite
def small(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At most three columns: generic, near-repeats down to the last bit, near-rays, sizes that differ by any factor."""
    rng = np.random.default_rng(draw(SEEDS))
    N, m = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    Z, y = np.maximum(rng.standard_normal((N, m)), 0), rng.standard_normal(N)
    if draw(st.booleans()):
        Z, y = np.round(2 * Z), np.round(2 * y)
    if m > 1 and draw(st.booleans()):
        Z[:, 1] = Z[:, 0] * (1 + 2.0 ** -draw(st.integers(1, 52)) * rng.integers(-1, 2, N))
    if draw(st.booleans()):
        Z = Z * 2.0 ** rng.integers(-draw(st.sampled_from([3, 40, 300])), 4, m)
    w = rng.dirichlet(np.ones(N)) if draw(st.booleans()) else np.full(N, 1 / N)
    return Z, y, w


@given(small(), st.sampled_from([0.0, 1e-30, 1e-15, 1e-9, 1e-3, 0.3, 1.0]))
def test_the_exact_minimum_is_between_the_bounds(problem, share):
    Z, y, w = problem
    kappa = share * kappa_max(Z, y, weights=w)
    found = second_layer(Z, y, kappa, weights=w)
    minimum = exact_minimum(Z, y, w, kappa)
    assert minimum <= Fraction(found.primal)
    if found.radius == np.inf:
        assert Fraction(found.dual) <= minimum
    poor = certify(Z, y, kappa, found.beta * 1.5, weights=w)
    assert minimum <= Fraction(poor.primal)
    if poor.radius == np.inf:
        assert Fraction(poor.dual) <= minimum


@settings(max_examples=6 * settings().max_examples)
@given(SEEDS, st.sampled_from([0.02, 0.3, 0.8]))
def test_the_dual_of_any_weights_is_below_the_exact_minimum(seed, share):
    """Weights that miss units and residuals far from feasible: what one feature gives up, others must not violate."""
    rng = np.random.default_rng(seed)
    Z, y = rng.standard_normal((4, 3)) + rng.standard_normal((4, 1)), rng.standard_normal(4)
    kappa = share * kappa_max(Z, y)
    beta = second_layer(Z, y, kappa).beta * rng.integers(0, 2, 3) * (1 + 10.0 ** -rng.integers(0, 9, 3))
    found = certify(Z, y, kappa, beta)
    assert Fraction(found.dual) <= exact_minimum(Z, y, np.full(4, 0.25), kappa)


@given(SEEDS, st.integers(2, 8), st.integers(1, 6), st.sampled_from([5, 30, 100, 300]), st.sampled_from([0, 1e-6, 0.1]))
def test_columns_that_differ_by_any_factor_are_solved_to_the_promised_gap(seed, N, m, span, share):
    rng = np.random.default_rng(seed)
    Z, y = np.maximum(rng.standard_normal((N + m, m)) + 0.5, 0), rng.standard_normal(N + m)
    scale = 2.0 ** rng.integers(-span, span + 1, m)
    top = np.sort(2 * np.abs(Z.T @ y) / len(y) * scale)
    kappa = share * float(rng.choice(top))  # in the range of any of the columns
    found = second_layer(Z * scale, y, kappa)
    assert found.radius == np.inf
    assert found.gap <= TIGHT * float(np.mean(y**2))
    if kappa == 0:  # a change of the units of single columns changes no bit
        plain = second_layer(Z, y, 0.0)
        assert (found.primal, found.dual) == (plain.primal, plain.dual)
        assert np.array_equal(found.beta, plain.beta / scale)


@given(SEEDS, st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_subnormal_features_have_honest_bounds(seed, N, m, fitted):
    """Times the root of a weight they would lose digits, which no scaling brings back."""
    rng = np.random.default_rng(seed)
    Z = np.ldexp(rng.standard_normal((N, m)), rng.integers(-1074, -1000, m))
    y = (
        Z @ np.ldexp(rng.standard_normal(m), rng.integers(500, 800, m))
        if fitted
        else rng.standard_normal(N) * 2.0**-200
    )
    w = rng.dirichlet(np.ones(N))
    found = certify(Z, y, 0.0, np.ldexp(rng.standard_normal(m), rng.integers(500, 800, m)), weights=w)
    minimum = exact_minimum(Z, y, w, 0.0)
    assert minimum <= Fraction(found.primal)
    if found.radius == np.inf:
        assert Fraction(found.dual) <= minimum


def test_the_smallest_features_fit_as_well_as_any():
    z = np.array([1.0, 2.0, 3.0, 1.0])
    assert certify(z[:, None] * 2.0**-1074, z * 2.0**-500, 0.0, [2.0**574]).dual == 0  # they fit exactly


@pytest.mark.parametrize("size", [1e-170, 1e-300, 5e-324, 1e170, 1e300])
def test_lengths_are_bounded_whatever_their_squares_do(size):
    assert duality._frobenius(np.array([[size, 0.0], [0.0, 0.0]])) >= size
    assert duality._shift(np.eye(3, 2), np.array([size, 0.0])) >= size


def test_many_samples_do_not_make_a_feature_dependent():
    """The threshold of the rank does not grow with N: a column 1e-12 off another is no copy of it."""
    rng = np.random.default_rng(0)
    z, off, y = rng.standard_normal((3, 20_000))
    Z = np.stack([z, z + 1e-12 * off], axis=1)
    found = second_layer(Z, y + 1e3 * off, 0.0)
    assert found.primal < 20  # without the second column it is 1e6


EXPONENTS = st.integers(-300, 300)


def same(found, other, value: int, weight: int) -> None:
    assert np.array_equal(found.beta, np.ldexp(other.beta, weight))
    assert found.primal == np.ldexp(other.primal, value)
    assert found.dual == np.ldexp(other.dual, value)
    assert found.gap == np.ldexp(other.gap, value)
    if other.radius < 2.0**400 or other.radius == np.inf:
        assert found.radius == np.ldexp(other.radius, weight)


@given(small(), st.sampled_from([0.0, 1e-9, 0.1, 0.7]), EXPONENTS, EXPONENTS)
def test_every_bound_is_equivariant_under_powers_of_two_bit_for_bit(problem, share, i, j):
    Z, y, w = problem
    assume(Z.max() >= 0.1 and y.any())
    Z[(Z > 0) & (Z < 2.0**-60)] = 0.0  # keep what is scaled, and its weights, among the normal numbers
    top = kappa_max(Z, y, weights=w)
    kappa = share * top
    Zi, yj, kij = np.ldexp(Z, i), np.ldexp(y, j), float(np.ldexp(kappa, i + j))
    assert kappa_max(Zi, yj, weights=w) == np.ldexp(top, i + j)
    plain = second_layer(Z, y, kappa, weights=w)
    assume(plain.dual == 0 or plain.dual > 2.0**-300)
    same(second_layer(Zi, yj, kij, weights=w), plain, 2 * j, j - i)
    given_ = certify(Zi, yj, kij, np.ldexp(plain.beta * 0.75, j - i), weights=w)
    same(given_, certify(Z, y, kappa, plain.beta * 0.75, weights=w), 2 * j, j - i)
    path, other = homotopy(Z, y, weights=w, kappa_min=kappa), homotopy(Zi, yj, weights=w, kappa_min=kij)
    assert np.array_equal(other.knots, np.ldexp(path.knots, i + j))
    assert np.array_equal(other.betas, np.ldexp(path.betas, j - i))
    assert other.reached == path.reached


def refused(call):
    """The result, or None where it was refused in one sentence."""
    try:
        return call()
    except ValueError as error:
        message = str(error)
    assert any(name in message for name in ("Z", "y", "kappa"))
    assert "\n" not in message
    return None


@given(
    SEEDS,
    st.integers(-1074, 1023),
    st.integers(-1074, 1023),
    st.integers(-1074, 1023),
    st.sampled_from([0, 500, 1000]),
    st.sampled_from(["lars", "cvxpy"]),
)
def test_any_finite_input_gives_bounds_or_one_sentence(seed, i, j, k, span, solver):
    rng = np.random.default_rng(seed)
    Z = np.ldexp(rng.uniform(-1, 1, (3, 2)), np.clip(i - rng.integers(0, span + 1, (3, 2)), -1074, 1023))
    y = np.ldexp(rng.uniform(-1, 1, 3), np.clip(j - rng.integers(0, span + 1, 3), -1074, 1023))
    kappa = float(np.ldexp(rng.uniform(0, 1), k))
    w = np.ldexp(rng.uniform(0, 1, 3) + 0.1, -rng.integers(0, span + 1, 3))
    w = w / w.sum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = refused(lambda: second_layer(Z, y, kappa, weights=w, solver=solver))
        refused(lambda: kappa_max(Z, y, weights=w))
        refused(lambda: homotopy(Z, y, weights=w, kappa_min=kappa))
    if found is None:
        return
    E, (Zf, yf, wf, b) = Fraction(kappa), (fractions(v) for v in (Z, y, w, found.beta))
    risk = wf @ (yf - Zf @ b) ** 2 + E * sum(abs(v) for v in b)
    assert risk <= Fraction(found.primal)
    minimum = exact_minimum(Z, y, w, kappa)
    assert minimum <= Fraction(found.primal)
    if found.radius == np.inf:
        assert Fraction(found.dual) <= minimum


def test_what_is_undecided_is_no_bound():
    """A NaN planted in a residual: the lower bounds fall to 0, the upper bound rises to infinity."""
    rng = np.random.default_rng(0)
    Z, y, w = rng.standard_normal((6, 2)), rng.standard_normal(6), np.full(6, 1 / 6)
    bad = y.copy()
    bad[2] = np.nan
    assert duality.primal(Z, bad, w, 0.1, np.ones(2)) == np.inf
    assert duality.primal(Z, y, w, 0.1, np.ones(2), blur=bad) == np.inf
    assert duality.correlation(Z, w, bad) == np.inf
    assert duality.scaled_dual(y, w, 0.1, bad, 1.0) == 0.0
    assert duality.scaled_dual(y, w, 0.1, y, np.nan) == 0.0
    for kappa in (0.0, 0.1):
        p = normalised(Z, y, w, kappa)
        b = second_layer(Z, y, kappa).beta
        assert duality.dual(p, p.inward(b), bad, 1.0).value == 0.0
        assert duality.dual(p, np.array([np.nan, 1.0]), p.a, 1.0).value >= 0.0
        assert duality.dual(p, p.inward(b), p.a - p.A @ p.inward(b), np.nan).value > 0.0


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-100, 1e100, 1e153])
def test_extreme_targets_have_honest_bounds(size):
    found = second_layer([[1.0], [2.0]], [size, -3 * size], 0.1 * size)
    assert found.dual <= found.primal <= max(10 * size**2, 1e-322)
