"""The oracle risk and its limit: enclosed, reached by explicit nets, the same by different formulations."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from checks.claims.section_2_3_2.exact_risk import fractions, optimal_oracle, risk, small_sample
from checks.strategies import samples
from theory.oracle import finite_width, infinite_width, new_unit
from theory.oracle.finite_width import curve, finite
from theory.oracle.infinite_width import limit, smoothness_bound
from theory.oracle.scaling import normalised
from theory.risk import Sample


def exact_value(sample: Sample, bound) -> Fraction:
    """The risk of the units of a bound, in fractions."""
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    return risk(X, y, p, fractions(bound.units), fractions(bound.weights), Fraction(bound.kappa))


@instances(30)
@given(st.integers(1, 2).flatmap(samples), st.floats(1e-3, 1.0), st.integers(0, 2**32))
def test_the_limit_is_between_its_bounds_and_below_every_net(sample, share, seed):
    kappa = share * 2 * np.sqrt(sample.energy * np.trace(sample.second_moment)) + 1e-12
    bound = limit(sample, kappa)
    assert bound.lower <= bound.upper
    assert bound.upper - bound.lower <= 1e-6 * sample.energy + 1e-280
    assert exact_value(sample, bound) <= Fraction(bound.upper)
    assert (np.linalg.norm(bound.units, axis=1) <= 1).all()
    assert smoothness_bound(sample, kappa) <= bound.upper
    rng = np.random.default_rng(seed)
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    W = rng.standard_normal((3, sample.n_in))
    W = fractions(W / np.linalg.norm(W, axis=1, keepdims=True) * 0.999)
    b = fractions(rng.standard_normal(3) * np.sqrt(sample.energy))
    assert risk(X, y, p, W, b, Fraction(kappa)) >= Fraction(bound.lower)


@instances(6)
@given(st.integers(0, 2**32), st.integers(1, 3), st.floats(0.01, 0.5))
def test_column_generation_and_the_pattern_program_agree(seed, n, kappa):
    rng = np.random.default_rng(seed)
    N = int(rng.integers(1, 9))
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)), rng.dirichlet(np.ones(N)))
    columns, patterns = limit(sample, kappa), limit(sample, kappa, method="patterns")
    assert columns.gap <= 1e-5 * sample.energy
    assert patterns.gap <= 1e-5 * sample.energy
    assert max(columns.lower, patterns.lower) <= min(columns.upper, patterns.upper)


def test_one_sample_has_the_soft_threshold_as_limit():
    """X = x, Y = y: min (y - |x| t)^2 + kappa |t| = kappa |y|/|x| - kappa^2 / (4 |x|^2) for kappa < 2 |x| |y|."""
    for x in ([[2.0]], [[3.0, 4.0]], [[1.0, 2.0, 2.0]]):
        size, kappa = float(np.linalg.norm(x)), 0.3
        bound = limit(Sample(np.array(x), np.array([[-5.0]])), kappa)
        value = kappa * 5 / size - kappa**2 / (4 * size**2)
        assert bound.lower <= value <= bound.upper
        assert bound.upper - bound.lower <= 1e-7 * value
        assert limit(Sample(np.array(x), np.array([[-5.0]])), 10 * size + 1).upper == pytest.approx(25, rel=1e-12)


def test_plus_and_minus_one_need_two_units():
    """X = +-1, Y = X, kappa = 0.1: e(0) = 1, e(1) = 0.595, e(2) = e(inf) = 0.19."""
    sample = Sample(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]]))
    values = [e.upper for e in curve(sample, [0, 1, 2, 3], 0.1, rng=0)]
    assert values == pytest.approx([1, 0.595, 0.19, 0.19], rel=1e-12)
    assert limit(sample, 0.1).lower == pytest.approx(0.19, rel=1e-12)


def test_the_circle_with_a_constant_target_has_the_known_limit():
    """X uniform on the circle, Y = 1: e(inf) = kappa pi - kappa^2 pi^2 / 4; 720 atoms come close."""
    a = 2 * np.pi * (np.arange(720) + 0.5) / 720
    bound = limit(Sample(np.stack([np.cos(a), np.sin(a)], axis=1), np.ones((720, 1))), 0.1)
    assert bound.upper == pytest.approx(0.1 * np.pi - 0.01 * np.pi**2 / 4, rel=1e-4)
    assert bound.gap <= 1e-7


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_without_a_penalty_the_limit_is_what_no_function_of_the_rays_can_fit(seed, n):
    """Against least squares on the features of many random rows, which span all features of a small sample."""
    rng = np.random.default_rng(seed)
    sample = small_sample(rng, int(rng.integers(1, 8)), n)
    bound = limit(sample, 0.0)
    Z = np.maximum(sample.X @ rng.standard_normal((n, 400)), 0) * np.sqrt(sample.weights)[:, None]
    y = sample.Y[:, 0] * np.sqrt(sample.weights)
    left = y - Z @ np.linalg.lstsq(Z, y, rcond=1e-10)[0]
    assert bound.lower <= bound.upper == pytest.approx(left @ left, abs=1e-9)
    reached = float(exact_value(sample, bound))
    assert bound.lower - 1e-12 <= reached <= bound.upper + 1e-9


def test_many_samples_without_a_penalty_cost_no_dense_algebra():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(3000), np.ones(3000)])
    assert limit(Sample(X, rng.standard_normal((3000, 1))), 0.0).upper == 0.0


def test_a_thousand_samples_on_the_plane_are_closed_by_an_exact_next_unit():
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.uniform(-1, 1, 1000), np.ones(1000)])
    bound = limit(Sample(X, np.sin(4 * X[:, :1])), 1e-3)
    assert bound.gap <= 1e-8 * bound.upper


def test_a_cut_budget_leaves_bounds_that_hold():
    rng = np.random.default_rng(2)
    sample = Sample(rng.standard_normal((30, 3)), rng.standard_normal((30, 1)))
    rough, fine = limit(sample, 0.05, steps=2, cones=16), limit(sample, 0.05)
    assert rough.lower <= fine.upper
    assert fine.lower <= rough.upper
    assert fine.gap <= 1e-6 * fine.upper


@instances(8)
@given(st.integers(0, 2**32), st.sampled_from([1, 2]))
def test_no_searched_net_beats_the_exact_oracle_of_a_tiny_sample(seed, m):
    rng = np.random.default_rng(seed)
    sample = small_sample(rng, int(rng.integers(1, 4)), 2, span=2)
    value = optimal_oracle(sample, m)[0]
    found = finite(sample, m, 0.0, rng=rng)
    assert exact_value(sample, found) >= value
    assert Fraction(found.lower) <= value <= Fraction(found.upper)


def test_searched_oracle_risks_fall_and_stay_above_the_limit():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 2))
    sample = Sample(X, np.sin(2 * X[:, :1]) * X[:, 1:])
    nets = curve(sample, [0, 1, 2, 4, 8], 0.02, rng=0, starts=2)
    values = [net.upper for net in nets]
    assert all(a >= b for a, b in pairwise(values))
    assert values[0] == pytest.approx(sample.energy)
    for m, net in zip([0, 1, 2, 4, 8], nets):
        assert len(net.units) <= m
        assert net.lower <= net.upper
        assert exact_value(sample, net) <= Fraction(net.upper)
    assert values[-1] < 0.6 * values[0]


def test_the_same_seed_gives_the_same_net():
    rng = np.random.default_rng(4)
    sample = Sample(rng.standard_normal((10, 3)), rng.standard_normal((10, 1)))
    a, b = (finite(sample, 2, 0.05, rng=7) for _ in range(2))
    assert np.array_equal(a.units, b.units)
    assert a.upper == b.upper


def test_a_target_of_zero_and_a_sample_at_the_origin_need_no_units():
    rng = np.random.default_rng(5)
    zero = limit(Sample(rng.standard_normal((5, 3)), np.zeros((5, 1))), 0.1)
    assert zero.upper <= 1e-280
    assert len(zero.units) == 0
    for kappa in (0.0, 0.1):
        for n in (1, 2, 3):
            origin = limit(Sample(np.zeros((2, n)), np.array([[1.0], [3.0]])), kappa)
            assert origin.lower == pytest.approx(5.0)
            assert origin.upper == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: limit(Sample(s.X, np.ones((3, 2))), 0.1), "sample must have one output"),
        (lambda s: limit(s, -1.0), "kappa must be a finite number"),
        (lambda s: limit(s, 0.1, method="guess"), "method must be one of"),
        (lambda s: limit(s, 0.0, method="columns"), "method must be 'auto' for kappa = 0"),
        (lambda s: limit((s.X, s.Y), 0.1), "sample must be a Sample"),
        (lambda s: finite(s, -1, 0.1), "m must be an integer >= 0"),
        (lambda s: finite(s, 2, 0.1, bound=limit(s, 0.2)), "bound must be of the same kappa"),
        (lambda s: curve(s, [3, 1], 0.1), "widths must not decrease"),
        (lambda s: finite(s, 0, 0.1, warm=limit(s, 0.1)), "warm must have at most m = 0 units"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(Sample(np.eye(3)[:, :2], np.array([[1.0], [2.0], [3.0]])))


def test_a_bound_that_the_cones_decide_is_not_asked_for_again_and_again(monkeypatch):
    """Few cones in five dimensions: what they allow is known after the first units. The planted fault: no round is one too many."""
    rng, asked = np.random.default_rng(0), []
    sample = Sample(rng.standard_normal((20, 5)), rng.standard_normal((20, 1)))
    best_unit = new_unit.best_unit

    def watched(X, c, **options):
        asked.append(options)
        return best_unit(X, c, **options)

    monkeypatch.setattr(new_unit, "best_unit", watched)
    found = limit(sample, 0.1, cones=64, gap=1e-3, steps=20)
    rounds = len(asked)
    monkeypatch.setattr(infinite_width, "STUCK", 100)
    longer = limit(sample, 0.1, cones=64, gap=1e-3, steps=20)
    assert rounds <= 4 < len(asked) - rounds
    assert found.gap > 1e-3 * found.upper
    assert longer.lower >= found.lower >= longer.lower - 1e-3 * longer.upper
    assert longer.upper <= found.upper <= longer.upper * (1 + 1e-3)


def test_too_many_patterns_are_refused_by_name():
    rng = np.random.default_rng(6)
    sample = Sample(rng.standard_normal((200, 4)), rng.standard_normal((200, 1)))
    with pytest.raises(ValueError, match="sample must be small enough for method 'patterns'"):
        limit(sample, 0.1, method="patterns")


@pytest.mark.parametrize(("x", "y", "kappa"), [(3.0, 2.0, 0.5), (3.0, 2.0, 7.0), (0.5, 0.3, 0.1), (0.5, 0.3, 1.0)])
def test_the_smoothness_bound_is_its_formula_rounded_down(x, y, kappa):
    formula = kappa * y / x - kappa**2 / (4 * x**2) if kappa < 2 * x * y else y**2
    assert formula * (1 - 1e-12) <= smoothness_bound(Sample([[x]], [[y]]), kappa) <= formula * (1 + 1e-15)


def test_three_opposite_pairs_leave_one_direction_that_no_net_sees():
    """u + v - (u + v) = 0: every net is orthogonal to (1, 1, -1, -1, -1, 1) on the points u, v, u + v and their opposites."""
    half, nu = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1, 1, -1, -1, -1, 1])
    y = np.array([3.0, -1.0, 2.0, 5.0, 0.0, 7.0])
    bound, least = limit(Sample(np.vstack([half, -half]), y[:, None]), 0.0), (nu @ y) ** 2 / 36
    assert least > 0
    assert least * (1 - 1e-15) <= bound.lower <= bound.upper <= least * (1 + 1e-15)


def test_units_of_the_limit_are_proposed_however_small_their_weights():
    """Several units share the work, each with a weight below one in units of the data."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2))
    sample = Sample(X, np.sin(3 * X[:, :1]) * X[:, 1:])
    bound, p = limit(sample, 0.15), normalised(sample, 0.15)
    assert 0 < np.abs(p.weights(bound.weights)).max() < 1
    names = {name for _, name in finite_width._proposals(p, 2, bound, 1, rng)}
    assert names == {"largest units of the limit", "homotopy on the limit", "Maurey draw of the limit", "random start"}
