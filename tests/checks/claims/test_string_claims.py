"""The exact oracles behind the claims on strings, against arithmetic of another kind; and what pins their constants."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binomtest

from checks.claim import Setting, Verdict
from checks.claims.sections_3_4 import (
    alg_1_runtime,
    app_a_fixed_points,
    app_a_hyperplane,
    app_a_same_loss,
    fig_1_ptb,
    sampling_misses,
    sec_3_1_geodesic,
    sec_3_2_alpha,
    sec_3_2_worst_case,
    sublevel_tree,
    valley,
)
from checks.claims.sections_3_4 import hyperplane_protocol as protocol

eighths = st.integers(-40, 40).map(lambda k: Fraction(k, 8))
points = st.tuples(eighths, eighths)
positive = st.integers(1, 64).map(lambda k: Fraction(k, 16))


def setting(seed=0):
    return Setting(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(2))
def test_constants_of_ours_cannot_be_improved_by_a_tenth(seed):
    assert alg_1_runtime.attack(setting(seed)).holds
    assert alg_1_runtime.attack(setting(seed), factor=1.1).margin < 0
    assert sublevel_tree.attack(setting(seed)).holds
    assert sublevel_tree.attack(setting(seed), factor=0.9).margin < 0
    assert sec_3_2_alpha.attack(setting(seed), factor=Fraction(9, 10)).margin < 0


def test_the_planted_fault_on_grids_is_caught_without_any_table():
    assert sampling_misses.attack(setting()).holds
    assert sampling_misses.attack(setting(), lowered=1e-6).margin < 0


@given(points, points, eighths)
def test_the_highest_point_of_a_segment_is_that_of_a_fine_grid(p, q, c):
    t = np.linspace(0, 1, 2001)
    x, y = (float(p[k]) + t * float(q[k] - p[k]) for k in (0, 1))
    seen, true = np.abs(x * y - float(c)).max(), float(valley.highest(p, q, c))
    assert seen <= true + 1e-9
    assert true <= seen + 1e-3


@given(st.floats(0.01, 0.9), st.floats(1e-4, 0.9), st.integers(1, 30), st.integers(0, 2**30))
def test_no_chain_of_low_pieces_is_shorter_than_the_bound(a, level, pieces, seed):
    """Random chains along the arm, kept where every chord is low; the equal chain at 1 - L is low by construction."""
    rng = np.random.default_rng(seed)
    logs = np.sort(np.concatenate([[math.log(a), -math.log(a)], rng.uniform(math.log(a), -math.log(a), pieces - 1)]))
    w1 = np.exp(logs)
    products = np.concatenate([[1], rng.uniform(1 - level, 1 + level, pieces - 1), [1]])[: pieces + 1]
    chain = [(Fraction(float(u)), Fraction(float(p / u))) for u, p in zip(w1, products)]
    if all(valley.highest(p, q, Fraction(1)) <= Fraction(level) for p, q in pairwise(chain)):
        assert pieces >= valley.fewest_pieces(a, level) * (1 - 1e-9)


@pytest.mark.parametrize("level", [0.02, 0.3, 0.9])
def test_the_bound_on_pieces_is_attained_by_equal_ratios_below_the_valley(level):
    ratio = math.exp(2 * math.acosh(math.sqrt((1 + level) / (1 - level))))
    p, q = (1.0, 1 - level), (ratio, (1 - level) / ratio)
    assert float(valley.highest(*((Fraction(x), Fraction(y)) for x, y in (p, q)), Fraction(1))) == pytest.approx(level)
    assert valley.fewest_pieces(ratio**-3.5, level) == pytest.approx(7)


def test_a_corner_needs_two_beads_a_depth_and_a_curve_twice_as_many_as_before():
    assert valley.cornered(1) == ([], True)  # L0 = 1/4: the straight line is low
    for depth in range(2, 7):
        assert valley.cornered(depth) == ([1] + [2] * depth, True)
        assert valley.doubling(depth) == [2**k for k in range(depth)]


@pytest.mark.parametrize("both", [False, True])
def test_the_worst_case_over_all_patterns_is_where_every_piece_fails(both):
    for depth in range(1, 4):
        worst = sec_3_2_worst_case.worst(depth, both=both)
        assert worst == sec_3_2_worst_case.models(lambda piece: True, depth, both=both)
        assert worst == (2**depth - 1 if both else depth)
    assert sec_3_2_worst_case.models(lambda piece: False, 5, both=both) == 1


@given(positive, positive, positive, positive)
def test_the_bound_on_lengths_is_below_the_length_of_the_curve(c, p, q, share):
    """w1 w2 = c itself is a path in every level set."""
    level = c * c * share / 8
    least = sec_3_1_geodesic.least_length(c, level, (p, c / p), (q, c / q))
    if p == q:
        return
    length = quad(lambda x: math.sqrt(1 + float(c) ** 2 / x**4), float(min(p, q)), float(max(p, q)), limit=200)[0]
    assert 1 <= least <= length / math.hypot(float(p - q), float(c / p - c / q)) + 1e-6


@given(st.data(), st.integers(1, 3), st.integers(1, 3), eighths)
def test_mean_risks_along_segments_are_integrals(data, depth, width, y):
    signs = st.lists(st.integers(-2, 2), min_size=depth * width, max_size=depth * width)
    a, b = data.draw(signs), data.draw(signs)

    def risk(t):
        w = ((1 - t) * np.array(a) + t * np.array(b)).reshape(depth, width)
        return (w.prod(axis=0).sum() - float(y)) ** 2

    exact = float(app_a_same_loss.mean_risk(tuple(a), tuple(b), width, y))
    assert exact == pytest.approx(quad(risk, 0, 1)[0], rel=1e-6, abs=1e-9)


def test_the_mean_of_the_straight_line_by_depth():
    assert [app_a_same_loss.straight(k) for k in (1, 2, 3)] == [Fraction(2, 3), Fraction(7, 15), Fraction(12, 35)]


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_the_gradient_of_the_hills_is_that_of_differences(x, y):
    h = 1e-5
    H = app_a_fixed_points.hills
    u, v = app_a_fixed_points.hills_gradient(x, y)
    assert u == pytest.approx((H(x + h, y) - H(x - h, y)) / (2 * h), abs=1e-5)
    assert v == pytest.approx((H(x, y + h) - H(x, y - h)) / (2 * h), abs=1e-5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_sign_test_is_the_exact_binomial_one(first, second):
    mine = protocol.sign_test(first, second)
    assert mine == (pytest.approx(binomtest(first, first + second).pvalue) if first + second else 1.0)


def table(**wins):
    """20 pairs a task; wins[task]: the algorithm that connects all of them alone."""
    rows = []
    for task in protocol.LEVELS:
        winner = wins.get(task)
        for pair in range(20):
            flags = [winner in (None, name) for name in protocol.ALGORITHMS]
            rows.append(protocol.Pair(task, pair, *flags, 2.0, 2.0, 1, 1))
    return rows


def test_the_rule_reads_each_verdict_off_a_table():
    tasks = list(protocol.LEVELS)
    assert protocol.rule(table()) is Verdict.OPEN
    assert protocol.rule(table(**dict.fromkeys(tasks, "hyperplane"))) is Verdict.HOLDS
    assert protocol.rule(table(**dict.fromkeys(tasks[:2], "hyperplane"))) is Verdict.OPEN
    assert protocol.rule(table(quadratic="greedy")) is Verdict.REFUTED
    assert protocol.rule(table(quadratic="greedy", cubic="hyperplane")) is Verdict.OPEN


def test_the_shipped_table_is_whole_and_keeps_its_allowance():
    rows = protocol.shipped()
    assert [(row.task, row.pair) for row in rows] == [(t, k) for t in protocol.LEVELS for k in range(protocol.PAIRS)]
    for row in rows:
        for name in protocol.ALGORITHMS:
            done, length = getattr(row, name), getattr(row, f"{name}_length")
            assert done is not math.isnan(length)
            assert not done or (length >= 1 and getattr(row, f"{name}_evaluations") <= protocol.ALLOWANCE)
    assert protocol.rule(rows) is app_a_hyperplane.CLAIM.verdict


def test_the_length_of_the_language_model_falls_below_every_threshold():
    for threshold in (150.0, 200.0, 300.0, 700.0):
        assert fig_1_ptb.falls("ptb_lstm", threshold) > fig_1_ptb.SIGMAS
