"""Bounds of the convex problems in the product against least values found by other means, at any condition number."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from linear_oracles import absolute_minimum, instance, linear, squared_at, squared_minimum

from theory.linear_paths import barrier
from theory.linear_paths.exact import ExactLoss
from theory.linear_paths.nuclear_norm import _dual_in_floats, dual_bound
from theory.linear_paths.products import best_product, best_singular_product, value_of
from theory.networks import Network
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_least_squares_has_the_exact_minimum_between_its_bounds_and_the_lower_one_is_the_float_below(seed):
    for k in range(5):
        sample = instance([seed, k])
        found, least = best_product(linear(sample)), squared_minimum(sample)
        assert Fraction(found.lower) <= least <= Fraction(found.value)
        assert Fraction(np.nextafter(found.lower, np.inf)) > least  # nothing larger is a bound
        assert squared_at(sample, found.matrix) - least <= Fraction(found.distance) ** 2


@given(seeds)
def test_least_absolute_deviations_have_the_exact_minimum_between_their_bounds(seed):
    for k in range(3):
        sample = instance([seed, k])
        found, least = best_product(linear(sample, loss="absolute")), absolute_minimum(sample)
        assert Fraction(found.lower) <= least <= Fraction(found.value)


def test_well_conditioned_deviations_are_met_from_both_sides():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sample = Sample(rng.standard_normal((6, 3)), rng.standard_normal((6, 2)))
        found = best_product(linear(sample, loss="absolute"))
        assert found.gap <= 1e-13 * found.value


@given(seeds, st.floats(-16, 1))
def test_with_ridge_one_input_is_a_soft_threshold_and_nets_are_never_below_the_lower_bound(seed, digits):
    kappa = 10.0**digits
    sample = instance(seed)
    column = Sample(sample.X[:, :1], sample.Y, sample.weights)
    found = best_product(linear(column, kappa=kappa, penalty="ridge"))
    least = _threshold(column, kappa)
    assert not arb(found.lower) > least
    assert not arb(found.value) < least
    risk = linear(sample, kappa=kappa, penalty="ridge")
    found = best_product(risk)
    rng = np.random.default_rng(seed)
    for size in (0.0, 1e-8, 1e-4, 1e-1):
        M = found.matrix + size * rng.standard_normal(found.matrix.shape)
        assert value_of(risk, M) >= found.lower
    assert found.value <= value_of(risk, np.zeros_like(found.matrix)) * (1 + 1e-12)


def _threshold(sample, kappa):
    """min over m of E|y - m x|^2 + 2 kappa |m| for one input: E|y|^2 - max(|c| - kappa, 0)^2 / s, as a ball."""
    ctx.prec = 400
    x, w = ([Fraction(v) for v in A.tolist()] for A in (sample.X[:, 0], sample.weights))
    Y = [[Fraction(v) for v in row] for row in sample.Y.tolist()]
    s = sum(c * v * v for c, v in zip(w, x))
    energy = sum((c * v * v for c, row in zip(w, Y) for v in row), Fraction(0))
    c = [sum(a * v * row[j] for a, v, row in zip(w, x, Y)) for j in range(len(Y[0]))]
    length = _ball(sum(v * v for v in c)).sqrt() - arb(kappa)
    return _ball(energy) - length * length / _ball(s) if s and length > 0 else _ball(energy)


def _ball(q):
    return arb(fmpq(q.numerator, q.denominator))


@given(seeds)
def test_the_barrier_of_two_outputs_is_the_smaller_eigenvalue_above_the_minimum(seed):
    for k in range(3):
        sample = instance([seed, k])
        if sample.n_in < 2 or sample.n_out != 2:
            continue
        risk = Risk(Network((sample.n_in, 2, 2), activation="identity"), sample)
        found = best_singular_product(risk)
        least = squared_minimum(sample)
        true = _ball(least) + _smaller_eigenvalue(sample)
        assert not arb(found.lower) > true
        assert not arb(found.value) < true
        assert arb(np.nextafter(found.lower, np.inf)) > true or found.lower >= (1 - 1e-12) * float(true.mid())


def _smaller_eigenvalue(sample):
    """Of K, y^T K y = E|fit of <y, Y>|^2: by polarisation of what least squares leave of y_1, y_2 and y_1 + y_2."""
    ctx.prec = 2000

    def fitted(Y):
        part = [[v] for v in Y]
        energy = sum((w * v * v for w, v in zip(map(Fraction, sample.weights.tolist()), Y)), Fraction(0))
        return energy - squared_minimum(_Exact(sample, part))

    first, second = ([Fraction(row[j]) for row in sample.Y.tolist()] for j in range(2))
    a, b = fitted(first), fitted(second)
    c = (fitted([u + v for u, v in zip(first, second)]) - a - b) / 2
    return (_ball(a + b) - _ball((a - b) ** 2 + 4 * c * c).sqrt()) / 2


class _Exact:
    """What `squared_minimum` reads of a sample, with rational targets."""

    def __init__(self, sample, Y):
        self.X, self.weights = sample.X, sample.weights
        self.Y = np.array(Y, dtype=object)


@given(seeds, st.booleans())
def test_connected_is_said_only_where_it_is_so(seed, ridge):
    sample = instance(seed)
    options = {"kappa": 0.01, "penalty": "ridge"} if ridge else {}
    n, p = sample.n_in, sample.n_out
    try:
        found = barrier(Risk(Network((n, min(n, p), p), activation="identity"), sample, **options))
    except ValueError as error:  # what a path cannot resolve in floats is refused
        assert "rise must be larger" in str(error)  # noqa: PT017
        return
    assert found.lower <= found.upper
    if found.connected:
        assert found.lower <= found.minimum
    if found.connected is False and ridge:
        assert found.lower > found.minimum
    if min(n, p) == 1:  # the singular product is zero, its risk E|y|^2
        energy = sum(
            Fraction(w) * Fraction(v) ** 2 for w, row in zip(sample.weights.tolist(), sample.Y.tolist()) for v in row
        )
        assert Fraction(found.lower) <= energy <= Fraction(found.upper)


@pytest.mark.parametrize(("kappa", "connected"), [(0.0, False), (0.5, False), (3.0, True)])
def test_a_large_enough_ridge_removes_the_barrier(kappa, connected):
    data = Sample(np.sqrt(2) * np.eye(2), np.sqrt(2) * np.diag([2.0, 1.0]))
    risk = Risk(Network((2, 2, 2), activation="identity"), data, kappa=kappa, penalty="ridge" if kappa else None)
    assert barrier(risk).connected is connected


@given(st.integers(1, 4), st.integers(0, 2**32), st.sampled_from([0.125, 0.5, 2.0]))
def test_no_dual_point_says_more_than_the_least_risk_with_ridge(N, seed, kappa):
    """Numbers of few bits: gradients of size 0, 1 and 2 kappa, and residuals of zero, are all met."""
    rng = np.random.default_rng(seed)
    X, Y = rng.integers(-1, 2, (N, 1)).astype(float), rng.integers(-4, 5, (N, 2)) / 2.0
    Y[:, 1] *= rng.integers(2)
    sample = Sample(X, Y)
    loss, true = ExactLoss(linear(sample)), _threshold(sample, kappa)
    root = np.sqrt(sample.weights)[:, None]
    for M in ([[0.0], [0.0]], *rng.integers(-8, 9, (6, 2, 1)) / 4.0, best_product(linear(sample)).matrix):
        bound = dual_bound(loss, kappa, np.asarray(M))
        assert not arb(bound) > true
        assert bound >= 0
        assert _dual_in_floats(X * root, Y * root, np.asarray(M), kappa) == pytest.approx(bound, rel=1e-9, abs=1e-12)
    best = best_product(linear(sample, kappa=kappa, penalty="ridge"))
    assert dual_bound(loss, kappa, best.matrix) == pytest.approx(float(true.mid()), rel=1e-6, abs=1e-9)


def test_targets_without_a_trace_of_the_inputs_are_left_as_they_are():
    """E y x^T = 0: the least risk is E|y|^2, at M = 0, for every kappa; the gradient there is zero exactly."""
    sample = Sample([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [[1.0], [1.0], [2.0], [2.0]])
    for kappa in (0.0, 1e-6, 0.5, 10.0):
        risk = linear(sample, **({"kappa": kappa, "penalty": "ridge"} if kappa else {}))
        found = best_product(risk)
        assert found.lower == found.value == 2.5
        assert not found.matrix.any()
        assert dual_bound(ExactLoss(risk), max(kappa, 1.0), found.matrix) == 2.5
