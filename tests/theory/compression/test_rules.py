"""The rules that propose layers, each against what it is said to do, done the slow way."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nightly import instances

from theory.compression.rules import FixedLayer
from theory.lasso import second_layer
from theory.oracle import normalised
from theory.risk import Sample

SEEDS = st.integers(0, 2**32)


def unit_rows(rng, m, n):
    W = rng.standard_normal((m, n))
    return W / np.linalg.norm(W, axis=1, keepdims=True)


def fixed(rng, m=4, n=2, N=9, l=2, alpha=0.0, kappa=0.05):
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)), rng.dirichlet(np.ones(N)))
    return FixedLayer(normalised(sample, kappa, "eq. (8)"), unit_rows(rng, m, n), l, alpha)


ONE = fixed(np.random.default_rng(0))


def angle(V, W):
    """Between rows of unit norm."""
    return 2 * np.arctan2(np.linalg.norm(V - W, axis=-1), np.linalg.norm(V + W, axis=-1))


@given(SEEDS, st.integers(2, 5), st.sampled_from([0.0, 1e-6, 0.1, 1.0, 2.5, np.pi]), st.floats(-9, 9), st.booleans())
def test_a_row_is_clipped_to_the_nearest_one_within_the_angle(seed, n, alpha, size, near):
    rng, layer = np.random.default_rng(seed), ONE
    layer.W, layer.alpha, V = unit_rows(rng, 4, n), alpha, unit_rows(rng, 4, n)
    if near:
        V = layer.W + 10.0 ** rng.uniform(-8, 0) * V
    V /= np.linalg.norm(V, axis=1, keepdims=True)
    found = layer.clip(10.0**size * V, np.arange(4))
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-14)
    assert (angle(found, layer.W) <= alpha).all()
    assert angle(found, V) == pytest.approx(np.maximum(angle(V, layer.W) - alpha, 0), abs=1e-8)


def test_no_row_and_the_opposite_row_are_clipped_to_something_feasible():
    layer = fixed(np.random.default_rng(1), alpha=0.3)
    assert layer.clip(0 * layer.W, np.arange(4)) == pytest.approx(layer.W, abs=1e-15)
    opposite = layer.clip(-layer.W, np.arange(4))
    assert (angle(opposite, layer.W) <= 0.3).all()


@instances(20)
@given(SEEDS, st.integers(1, 5), st.sampled_from([0.0, 0.05]))
def test_pursuit_takes_the_unit_that_leaves_least_each_time(seed, l, kappa):
    layer = fixed(np.random.default_rng(seed), m=6, n=3, N=12, l=l, kappa=kappa)
    A, y = layer.Z * np.sqrt(layer.w)[:, None], layer.y * np.sqrt(layer.w)
    assume((np.linalg.norm(A, axis=0) > 1e-6).all())

    def left(chosen):
        return np.sum((y - A[:, chosen] @ np.linalg.lstsq(A[:, chosen], y, rcond=None)[0]) ** 2)

    chosen = []
    for _ in range(l):
        values = {j: left([*chosen, j]) for j in range(6) if j not in chosen}
        best, *rest = sorted(values.values())
        assume(not rest or rest[0] - best > 1e-9)
        chosen.append(min(values, key=values.get))
    assert layer.pursue().tolist() == sorted(chosen)


def test_pursuit_ends_where_all_units_are_dependent_on_those_chosen():
    rng = np.random.default_rng(0)
    W = np.tile([[0.6, 0.8]], (3, 1))
    layer = FixedLayer(normalised(Sample(rng.standard_normal((9, 2)), np.ones((9, 1))), 0.0, ""), W, 3, 0.0)
    assert len(layer.pursue()) == 1


@instances(30)
@given(SEEDS, st.integers(1, 6), st.sampled_from([0.0, 0.1, 2.0]))
def test_merging_gives_each_unit_to_the_nearest_centre_of_its_sign(seed, l, alpha):
    rng = np.random.default_rng(seed)
    layer = fixed(rng, m=6, n=3, N=12, l=l, alpha=alpha, kappa=0.01)
    layer.full = b = np.where(rng.random(6) < 0.8, rng.standard_normal(6), 0.0)
    rows, weights = layer.merge(moved=False)
    active, centres = np.flatnonzero(b), np.flatnonzero(weights)
    assert np.array_equal(rows, layer.W)
    assert len(centres) <= l
    assert set(centres) <= set(active)
    if len(active) <= l:
        assert weights == pytest.approx(b)
    # signs lie 4 apart and rows at most 2: so a second centre is of the other sign, if there is one
    if l > 1 or len(set(np.sign(b[active]))) < 2:
        for sign in (-1, 1):
            of_sign = centres[np.sign(b[centres]) == sign]
            nearest = [of_sign[np.argmin(angle(layer.W[of_sign], layer.W[k]))] for k in active if np.sign(b[k]) == sign]
            sums = [sum(b[k] for k, c in zip(active[np.sign(b[active]) == sign], nearest) if c == j) for j in of_sign]
            assert weights[of_sign] == pytest.approx(sums)
            if alpha == 0:
                continue
            moved, same = layer.merge(moved=True)
            assert np.array_equal(same, weights)
            for j in of_sign:
                cell = [k for k, c in zip(active[np.sign(b[active]) == sign], nearest) if c == j]
                assert np.array_equal(moved[j], layer.clip(np.abs(b[cell]) @ layer.W[cell], j))


@instances(25)
@given(SEEDS, st.integers(1, 3))
def test_supports_are_small_enough_and_the_first_has_the_largest_weights(seed, l):
    rng = np.random.default_rng(seed)
    layer = fixed(rng, m=6, n=3, N=12, l=l, kappa=0.01)
    proposed = list(layer.supports(("homotopy", "pursuit", "maurey", "merging"), 3, rng))
    used = np.flatnonzero(layer.full)
    assert all(len(support) <= max(l, len(used) * (rule == "all units")) for support, rule in proposed)
    if len(used) <= l:
        assert [(support.tolist(), rule) for support, rule in proposed] == [(used.tolist(), "all units")]
        return
    size = np.abs(layer.full)
    assert proposed[0][1] == "largest weights"
    assert size[proposed[0][0]].sum() == pytest.approx(np.sort(size)[::-1][:l].sum())
    assert {rule for _, rule in proposed[1:]} == {"homotopy", "pursuit", "maurey", "merging"}
    assert sum(rule == "maurey" for _, rule in proposed) == 3
    assert all(set(support) <= set(used) for support, rule in proposed if rule in ("maurey", "merging"))


@instances(20)
@given(SEEDS, st.integers(1, 3), st.sampled_from([0.0, 1e-3, 0.1]))
def test_enumeration_finds_the_best_support_and_a_bound_below_all(seed, l, kappa):
    layer = fixed(np.random.default_rng(seed), m=5, n=3, N=12, l=l, kappa=kappa)
    b, lower = layer.enumerate()
    least = np.inf
    for support in combinations(range(5), l):
        chosen = np.array(support)
        solved = second_layer(layer.Z[:, chosen], layer.y, layer.kappa, weights=layer.w).beta
        whole = np.zeros(5)
        whole[chosen] = solved
        value = layer.value(layer.W, whole)
        least = min(least, value)
        assert layer.objective(whole) == pytest.approx(value, rel=1e-9, abs=1e-12)
        assert layer.objective(layer.refit(chosen)) == pytest.approx(value, rel=1e-7)
        if kappa > 0:
            assert layer.support_bound(chosen, solved) <= value
            assert layer.support_bound(chosen, solved) == pytest.approx(value, rel=1e-6)
    assert np.count_nonzero(b) <= l
    assert layer.objective(b) == pytest.approx(least, rel=1e-7)
    assert lower <= least
    assert lower == pytest.approx(least if kappa else 0.0, rel=1e-6)


@instances(20)
@given(SEEDS, st.sampled_from([0.0, 1e-4, 0.3, 2.0]), st.sampled_from([1e-3, 0.05]))
def test_no_layer_within_the_caps_gets_below_the_convex_bound(seed, alpha, kappa):
    rng = np.random.default_rng(seed)
    layer = fixed(rng, m=3, n=2, l=3, alpha=alpha, kappa=kappa)
    bound, values = layer.convex_bound(), []
    V, b = layer.improve(layer.W, layer.full, 20)
    for _ in range(6):
        values.append(layer.value(V, b))
        V = layer.clip(rng.standard_normal(V.shape), np.arange(3))
        b = second_layer(np.maximum(layer.X @ V.T, 0), layer.y, layer.kappa, weights=layer.w).beta
    assert bound <= min(values)
    if alpha == 0:
        assert bound == pytest.approx(layer.value(layer.W, layer.full), rel=1e-6)
