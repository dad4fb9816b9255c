"""Sizes and NaN: bounds in other units, data beyond the range, and undecided numbers that count as the unsafe case."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.barriers import one_direction, penalised, permutations, scaling
from theory.barriers.dependent_features import least_risk
from theory.barriers.lower_bounds import Reason, lower_bound
from theory.barriers.one_direction import one_direction_risk, one_unit_risk
from theory.barriers.penalised import penalised_lower_bound, spared_unit_risk, two_unit_barrier
from theory.barriers.permutations import permutation_barrier
from theory.barriers.zero_risk import components
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.rays import rays
from theory.risk import Risk, Sample

EXPONENTS = st.integers(-300, 300)
CYCLE = [1, 2, 0]


def data(seed, N=3, d=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, 2)), rng.standard_normal((N, d)), rng.uniform(0.1, 1, N)


def in_other_units(X, Y, w, x, y):
    return Sample(X, Y, w), Sample(np.ldexp(X, x), np.ldexp(Y, y), w)


@given(st.integers(0, 2**32), EXPONENTS, EXPONENTS, st.integers(2, 4), st.integers(1, 2), st.booleans())
@instances(25)
def test_permutation_barriers_do_not_see_units(seed, x, y, width, d, bias):
    one, other = in_other_units(*data(seed, 3 if seed % 3 else 5, d), x, y)
    base, found = (permutation_barrier(s, width, bias=bias and x == 0, rng=0) for s in (one, other))
    assert found.reason is base.reason
    assert (found.lower, found.upper) == (np.ldexp(base.lower, 2 * y), np.ldexp(base.upper, 2 * y))
    W, V = Network((2, width, d), bias=bias and x == 0).weights(base.path.points)
    assert np.array_equal(Network((2, width, d), bias=bias and x == 0).weights(found.path.points)[0], W)
    assert len(W) == len(V)


@given(st.integers(0, 2**32), st.integers(-40, 40), st.integers(-40, 40), st.booleans())
@instances(15)
def test_the_path_handed_back_has_the_maximum_that_it_is_said_to_have(seed, x, y, bias):
    _, sample = in_other_units(*data(seed), x, y)
    barrier = permutation_barrier(sample, 3, bias=bias, rng=0)
    risk = Risk(Network((2, 3, 1), bias=bias), sample)
    assert path_maximum(risk, barrier.path).upper == pytest.approx(barrier.upper, rel=1e-9, abs=1e-14 * sample.energy)


@given(st.integers(0, 2**32), EXPONENTS, EXPONENTS, st.sampled_from([(3, 3), (6, 2), (5, 2), (4, 3)]))
@instances(25)
def test_lower_bounds_between_two_nets_do_not_see_units(seed, x, y, shape):
    N, width = shape
    one, other = in_other_units(*data(seed, N), x, y)
    network = Network((2, width, 1))
    a = np.random.default_rng(seed).standard_normal(network.size)
    b = network.permute(a, 1, [1, 0, *range(2, width)])
    W, V = network.weights(a)
    moved = network.pack([W, np.ldexp(V, y - x)])
    base = lower_bound(Risk(network, one), a, b, rng=0)
    found = lower_bound(Risk(network, other), moved, network.permute(moved, 1, [1, 0, *range(2, width)]), rng=0)
    assert (found.lower, found.reason) == (np.ldexp(base.lower, 2 * y), base.reason)


@given(st.integers(0, 2**32), EXPONENTS, EXPONENTS, st.sampled_from([0.0, 0.01, 0.2, 5.0]))
@instances(25)
def test_least_risks_do_not_see_units(seed, x, y, kappa):
    one, other = in_other_units(*data(seed, 4), x, y)
    penalty = np.ldexp(kappa, x + y)
    for bound in (one_direction_risk, lambda s: one_unit_risk(s, kappa if s is one else penalty)):
        base, found = bound(one), bound(other)
        assert (found.lower, found.upper) == (np.ldexp(base.lower, 2 * y), np.ldexp(base.upper, 2 * y))
        assert found.direction == base.direction
    base, found = (least_risk(rays(s)) for s in (one, other))
    assert found.lower == np.ldexp(base.lower, 2 * y)
    assert found.geometry is base.geometry
    assert np.array_equal(found.normal, base.normal)
    assert np.array_equal(found.directions, base.directions)


@given(st.integers(0, 2**32), EXPONENTS, EXPONENTS)
@instances(10)
def test_penalised_bounds_do_not_see_units(seed, x, y):
    one, other = in_other_units(*data(seed, 5), x, y)
    kappa, penalty = 0.05, np.ldexp(0.05, x + y)
    for width in (1, 2, 3):
        assert spared_unit_risk(other, penalty, width) == np.ldexp(spared_unit_risk(one, kappa, width), 2 * y)
    base, found = two_unit_barrier(one, kappa), two_unit_barrier(other, penalty)
    assert found.reason is base.reason
    assert (found.lower, found.upper) == (np.ldexp(base.lower, 2 * y), np.ldexp(base.upper, 2 * y))
    network = Network((2, 3, 1))
    rng = np.random.default_rng(seed)
    W, V = rng.standard_normal((3, 2)) / 4, rng.standard_normal((1, 3))
    ends = [network.pack([W, V]), network.pack([W, np.ldexp(V, y - x)])]
    bounds = [
        penalised_lower_bound(Risk(network, s, kappa=k, penalty="second_layer_l1"), a, network.permute(a, 1, [1, 0, 2]))
        for s, k, a in zip((one, other), (kappa, penalty), ends)
    ]
    assert bounds[1].lower == np.ldexp(bounds[0].lower, 2 * y)
    assert bounds[1].reason is bounds[0].reason


@given(EXPONENTS, EXPONENTS)
@instances(10)
def test_components_do_not_see_units(x, y):
    X = np.array([[1.0, 0.25], [-0.75, 1.5], [-0.5, -1.0]])
    base, found = (components(s) for s in in_other_units(X, X[CYCLE], None, x, y))
    assert (found.number, found.free, found.geometry) == (base.number, base.free, base.geometry)
    assert found.barrier == np.ldexp(base.barrier, 2 * y)


@given(st.integers(0, 2**32), st.integers(-1074, 1023), st.integers(-1074, 1023), st.integers(-1074, 1023))
@instances(15)
def test_any_size_gives_a_bound_or_a_value_error(seed, x, y, k):
    X, Y, w = data(seed)
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore", under="ignore"):
        X = np.clip(np.ldexp(X, x + rng.integers(-60, 60, X.shape) * (seed % 2)), -1e308, 1e308)
        Y, kappa = np.clip(np.ldexp(Y, y), -1e308, 1e308), float(np.clip(np.ldexp(1.5, k), 5e-324, 1e308))
    sample, network = Sample(X, Y, w), Network((2, 2, 1))
    theta = np.array([1.0, 0.0, 0.0, 1.0, 1.0, -1.0])
    swapped = network.permute(theta, 1, [1, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in (
            lambda: permutation_barrier(sample, 2, rng=0),
            lambda: permutation_barrier(sample, 3, rng=0),
            lambda: permutation_barrier(sample, 2, bias=True, rng=0),
            lambda: one_direction_risk(sample),
            lambda: one_unit_risk(sample, kappa),
            lambda: lower_bound(Risk(network, sample), theta, swapped, rng=0),
            lambda: components(sample),
            lambda: two_unit_barrier(sample, kappa),
        ):
            try:
                found = call()
            except ValueError:
                continue
            if hasattr(found, "upper"):
                assert 0 <= found.lower <= found.upper
            else:
                assert found.barrier >= 0


def test_targets_whose_squares_overflow_are_refused_or_bounded_by_infinity():
    sample = Sample(np.eye(2), np.array([[1e200], [-1e200]]))
    for call in (lambda: permutation_barrier(sample, 2), lambda: spared_unit_risk(sample, 0.1, 2)):
        with pytest.raises(ValueError, match="Y"):
            call()
    with pytest.raises(ValueError, match="X spans more"):
        permutation_barrier(Sample(np.diag([1e300, 1e-300]), np.ones((2, 1))), 2)
    assert one_direction_risk(sample).upper == 0  # relu(x_1 - x_2) and relu(x_2 - x_1)
    for found in (one_unit_risk(sample, 0.1), lower_bound(Risk(Network((2, 2, 1)), sample), np.ones(6), np.ones(6))):
        assert found.lower == np.finfo(float).max
        assert found.upper == np.inf


def test_what_scaling_promises():
    sample, kappa, scale = scaling.normalised(Sample([[12.0, 1.0]], [[0.375]]), 0.5)
    assert (scale.x, scale.y) == (4, -1)
    assert (sample.X.tolist(), sample.Y.tolist(), kappa) == ([[0.75, 0.0625]], [[0.75]], 0.0625)
    assert scale.above(1.0) == scale.below(1.0) == 0.25
    assert scale.below(np.nan) == 0
    assert scale.above(np.nan) == scale.above(np.inf) == np.inf
    tiny = scaling.DataScale(0, -1000)
    assert (tiny.below(1.0), tiny.above(1.0)) == (0.0, 5e-324)
    assert scaling.DataScale(0, 600).above(1.0) == np.inf


def test_an_undecided_term_is_the_unsafe_case(monkeypatch):
    sample = Sample(*data(0, 5))
    right = one_direction_risk(sample), one_unit_risk(sample, 0.1)
    plain = one_direction.evaluate

    def undecided(p, t):
        from flint import arb

        return arb("nan") if t == 1 else plain(p, t)

    monkeypatch.setattr(one_direction, "evaluate", undecided)
    assert one_direction_risk(sample).lower == 0 < right[0].lower
    assert one_unit_risk(sample, 0.1).lower < right[1].lower
    assert np.isfinite(one_unit_risk(sample, 0.1).upper)


def test_an_undecided_maximum_is_infinite(monkeypatch):
    class Undecided:
        upper = np.nan

    for module in (permutations, penalised):
        monkeypatch.setattr(module, "path_maximum", lambda risk, path: Undecided)
    sample = Sample(*data(1, 3, 2))
    for width in (3, 4):
        assert permutation_barrier(sample, width, rng=0).upper == np.inf
    assert two_unit_barrier(Sample(*data(1, 5)), 0.1).upper == np.inf


def test_an_undecided_search_proves_nothing(monkeypatch):
    from theory.barriers import dependent_features

    X = np.array([[1.0, 0.25], [-0.75, 1.5], [-0.5, -1.0]])
    monkeypatch.setattr(dependent_features, "_search", lambda *_: (np.nan, np.zeros(3)))
    assert least_risk(rays(Sample(X, X[CYCLE]))).lower == 0
    assert permutation_barrier(Sample(X, X[CYCLE]), 3, rng=0).reason is Reason.NONE


def test_an_undecided_limit_or_norm_proves_nothing(monkeypatch):
    class Undecided:
        lower = np.nan

    network = Network((2, 2, 1))
    risk = Risk(network, Sample(*data(2, 5)), kappa=0.1, penalty="second_layer_l1")
    theta = network.pack([np.eye(2), np.ones((1, 2))])
    monkeypatch.setattr(penalised, "limit", lambda *_: Undecided)
    assert penalised_lower_bound(risk, theta, theta).lower == 0
    monkeypatch.setattr(Risk, "row_norms", lambda self, theta: np.array([np.nan]))
    with pytest.raises(ValueError, match="unit ball"):
        penalised_lower_bound(risk, theta, theta)


def test_an_undecided_least_risk_proves_nothing(monkeypatch):
    from dataclasses import replace

    from theory.barriers import dependent_features, lower_bounds

    X = np.array([[1.0, 0.25], [-0.75, 1.5], [-0.5, -1.0]])
    sample = Sample(X, X[CYCLE])
    plain = dependent_features.least_risk
    nothing = one_direction.DirectionRisk(np.nan, np.nan, (1.0, 0.0))
    for module in (lower_bounds, permutations):
        monkeypatch.setattr(module, "least_risk", lambda *a, **k: replace(plain(*a, **k), lower=np.nan))
        monkeypatch.setattr(module, "one_direction_risk", lambda points: nothing)
    for width in (2, 3):
        risk = Risk(Network((2, width, 2)), sample)
        a = np.random.default_rng(width).standard_normal(risk.network.size)
        found = lower_bound(risk, a, risk.network.permute(a, 1, [1, 0, *range(2, width)]))
        assert (found.lower, found.reason) == (0.0, Reason.NONE)
        barrier = permutation_barrier(sample, width, rng=0)
        assert (barrier.lower, barrier.reason) == (0.0, Reason.NONE)


def test_a_start_of_undecided_risk_gives_way(monkeypatch):
    from dataclasses import replace

    from theory.barriers import permutation_paths

    X = np.array([[1.0, 0.25], [-0.75, 1.5], [-0.5, -1.0]])
    plain = permutation_paths.starts
    best = permutation_barrier(Sample(X, X[CYCLE]), 3, rng=0)

    def first_undecided(sample, least):
        for k, start in enumerate(plain(sample, least)):
            yield replace(start, reduced_risk=np.nan) if k == 0 else start

    monkeypatch.setattr(permutation_paths, "starts", first_undecided)
    assert permutation_barrier(Sample(X, X[CYCLE]), 3, rng=0).upper == pytest.approx(best.upper, abs=1e-6)
