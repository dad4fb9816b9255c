"""Nets on the sphere, clusters, and the exponents of Corollary 2.5."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.compression import covering

SEEDS = st.integers(0, 2**32 - 1)


def unit_rows(rng, m, n):
    W = rng.standard_normal((m, n))
    return W / np.linalg.norm(W, axis=1, keepdims=True)


@given(SEEDS, st.integers(1, 40), st.integers(1, 5), st.floats(0, 2))
def test_every_row_is_within_the_radius_of_its_centre_and_centres_are_apart(seed, m, n, radius):
    rng = np.random.default_rng(seed)
    W = unit_rows(rng, m, n)
    net = covering.cells(W, radius, order=rng.permutation(m))
    assert net.sizes.sum() == m
    assert (net.sizes > 0).all()
    assert (np.linalg.norm(W - W[net.centres[net.label]], axis=1) <= radius).all()
    apart = np.linalg.norm(W[net.centres][:, None] - W[net.centres], axis=-1) + 4 * np.eye(len(net))
    assert apart.min() > radius * (1 - 1e-12) - 1e-15


@given(SEEDS, st.integers(1, 30), st.floats(0, 2))
def test_merging_keeps_the_sum_and_does_not_raise_the_l1_norm(seed, m, radius):
    rng = np.random.default_rng(seed)
    b = rng.standard_normal(m)
    merged = covering.cells(unit_rows(rng, m, 2), radius).merge(b)
    assert merged.sum() == pytest.approx(b.sum(), abs=1e-12)
    assert np.abs(merged).sum() <= np.abs(b).sum() * (1 + 1e-12)


@given(SEEDS, st.integers(1, 60), st.integers(1, 4), st.floats(0.05, 2))
def test_the_fullest_cell_obeys_the_pigeonhole(seed, m, n, radius):
    net = covering.cells(unit_rows(np.random.default_rng(seed), m, n), radius)
    assert len(net.largest()) >= m / len(net)


def test_radius_zero_merges_equal_rows_only():
    net = covering.cells([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 0.0)
    assert net.centres.tolist() == [0, 1]
    assert net.label.tolist() == [0, 1, 0]


def test_no_rows_make_no_cells():
    assert len(covering.cells(np.zeros((0, 3)), 1.0)) == 0


@given(st.integers(1, 20), st.fractions(Fraction(1, 50), 50), st.fractions(0, 1))
def test_the_printed_argument_never_beats_its_balance_and_never_reaches_1_over_n(n, s, eta):
    best, at = covering.printed_best(n, s)
    assert best == s / (n * (s + 1) + 1)
    assert at < Fraction(1, n + 1)
    assert covering.printed_exponent(n, s, eta) <= best < Fraction(1, n)
    assert best < covering.weighted_exponent(n, s) < 1
    if n > 1:
        assert covering.weighted_exponent(n, s) < covering.cells_exponent(n) <= 1


@given(st.integers(1, 9), st.fractions(-1, 4), st.fractions(-1, 3, max_denominator=9))
def test_exponents_are_of_positive_s_and_eta_in_the_unit_interval_only(n, s, eta):
    inside = s > 0 and 0 <= eta <= 1
    calls = {covering.printed_exponent: inside, covering.printed_best: s > 0, covering.weighted_exponent: s > 0}
    for call, good in calls.items():
        given_ = (n, s, eta) if call is covering.printed_exponent else (n, s)
        if good:
            assert isinstance(call(*given_), Fraction | tuple)
            continue
        with pytest.raises(ValueError, match=r"^s must be positive"):
            call(*given_)
    for end in (0, 1):
        assert covering.printed_exponent(n, 1, end) == min(end, Fraction(1 - (n + 1) * end, n))


def features(W, X):
    return np.maximum(X @ W.T, 0)


@given(SEEDS, st.integers(1, 12), st.integers(1, 4), st.floats(0, 2), st.sampled_from([0.0, 0.1, 3.0]))
def test_no_merging_costs_more_than_its_bound(seed, m, n, radius, kappa):
    rng = np.random.default_rng(seed)
    W, X, b = unit_rows(rng, m, n), rng.standard_normal((7, n)), rng.standard_normal(m)
    y = features(W, X) @ b + rng.choice([0.0, 0.01, 1.0]) * rng.standard_normal(7)
    merged = covering.cells(W, radius).merge(b)

    def risk(b):
        return np.mean((y - features(W, X) @ b) ** 2)

    spectral = np.linalg.eigvalsh(X.T @ X / 7)[-1] * (1 + 1e-12)
    bound = covering.merging_bound(risk(b), np.abs(b).sum(), radius, spectral, kappa)
    assert risk(merged) + kappa * np.abs(merged).sum() <= bound * (1 + 1e-12) + 1e-14


def test_the_merging_bound_is_attained_by_one_unit_moved_against_its_residual():
    # x = 3, rows 1 and 0.5, b = (0, 2) merged into the first: b z goes from 3 to 6; y = 2 leaves residuals -1 and -4
    bound = covering.merging_bound(1.0, 2.0, 0.5, 9.0, 0.25)
    assert (6 - 2) ** 2 + 0.25 * 2 <= bound == pytest.approx(16.5, rel=1e-13)
    assert covering.merging_bound(0.0, 0.0, 1.0, 1.0, 7.0) == 0


@given(SEEDS, st.integers(1, 5), st.floats(-5, 5), st.sampled_from([0.0, 0.01, 1.0]))
def test_giving_a_weight_to_a_neighbour_costs_no_more_than_its_bound(seed, n, weight, noise):
    rng = np.random.default_rng(seed)
    X, (old, new) = rng.standard_normal((9, n)), unit_rows(rng, 2, n)
    r, shift = noise * rng.standard_normal(9), features(new[None], X)[:, 0] - features(old[None], X)[:, 0]
    cost = np.mean((r + weight * shift) ** 2) - np.mean(r**2)
    bound = covering.removal_bound(np.mean(r**2), weight, np.sqrt(np.mean(shift**2)))
    assert cost <= bound * (1 + 1e-12) + 1e-14


def test_the_removal_bound_is_attained_when_the_shift_is_parallel_to_the_residual():
    # residual 2, weight -3, shift -0.5: (2 + 1.5)^2 - 4
    assert 8.25 <= covering.removal_bound(4.0, -3.0, 0.5) == pytest.approx(8.25, rel=1e-13)
    assert covering.removal_bound(4.0, 3.0, 0.0) == covering.removal_bound(4.0, 0.0, 3.0) == 0


def test_merging_all_cells_has_the_exponent_of_a_sphere_of_one_dimension_less():
    assert [covering.cells_exponent(n) for n in (2, 3, 11)] == [1, Fraction(1, 2), Fraction(1, 10)]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: covering.cells([[1.0, np.nan]], 1.0), "rows"),
        (lambda: covering.cells([[1.0]], -1.0), "radius"),
        (lambda: covering.cells([[1.0], [2.0]], 1.0, order=[0, 0]), "order"),
        (lambda: covering.cells([[1.0]], 1.0).merge([1.0, 2.0]), "weights"),
        (lambda: covering.printed_exponent(2, 0, Fraction(1, 2)), "s"),
        (lambda: covering.cells_exponent(1), "n"),
        (lambda: covering.removal_bound(1.0, 1.0, -0.5), "shift"),
        (lambda: covering.removal_bound(-0.5, 1.0, 1.0), "fit"),
        (lambda: covering.merging_bound(-1.0, 1.0, 1.0, 1.0, 1.0), "fit"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        call()
