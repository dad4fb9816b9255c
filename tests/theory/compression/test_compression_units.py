"""delta in any units and on bad instances: exact values in rationals, equivariance, range, and what is undecided."""

from __future__ import annotations

import warnings
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from exact_lasso import exact_minimum
from hypothesis import example, given
from hypothesis import strategies as st
from nightly import instances

from checks.claims.section_2_3_2.exact_risk import features, fractions, risk
from theory import lasso
from theory.compression import covering
from theory.compression.layers import delta, table
from theory.risk import Sample

SEEDS = st.integers(0, 2**32 - 1)
MANY = instances(200)


def exact_risk(sample: Sample, W, b, kappa: float) -> Fraction:
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    return risk(X, y, p, fractions(W), fractions(b), Fraction(kappa))


def unit(W: np.ndarray) -> np.ndarray:
    return W / np.hypot.reduce(np.abs(W), axis=1)[:, None]


@st.composite
def bad_layers(draw: st.DrawFn) -> tuple[Sample, np.ndarray, np.random.Generator]:
    """At most three units on at most five points: near-repeated rows, points on a ray but for the last bits, any size."""
    rng = np.random.default_rng(draw(SEEDS))
    N, n, m = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    X, W, y = rng.standard_normal((N, n)), rng.standard_normal((m, n)), rng.standard_normal(N)
    if draw(st.booleans()):
        X, y = rng.integers(-2, 3, (N, n)).astype(float), rng.integers(-2, 3, N).astype(float)
    if draw(st.booleans()):
        W[-1] = W[0] * (1 + 2.0 ** -rng.integers(1, 53, n))
    if draw(st.booleans()):
        X[-1] = X[0] * (1 + 10.0 ** -rng.integers(1, 17, n))
    sample = Sample(
        X * 2.0 ** rng.integers(-60, 61), (y * 2.0 ** rng.integers(-60, 61))[:, None], rng.dirichlet(np.ones(N))
    )
    return sample, unit(W), rng


@MANY
@given(bad_layers(), st.sampled_from([1e-9, 1e-4, 0.05, 0.5]))
def test_without_turning_the_exact_value_over_all_supports_is_between_the_bounds(problem, share):
    sample, W, rng = problem
    kappa = share * float(np.sqrt(sample.energy * np.trace(sample.second_moment))) + 1e-290
    Z = features(fractions(sample.X), fractions(W))
    y, w = sample.Y[:, 0], sample.weights
    for l in range(len(W) + 1):
        found = delta(sample, W, l, 0.0, kappa, rng=rng, draws=1)
        supports = [list(s) for s in combinations(range(len(W)), l)]
        exact = min(exact_minimum(Z[:, s], y, w, kappa) for s in supports)
        assert Fraction(found.lower) <= exact <= Fraction(found.upper)
        assert exact_risk(sample, found.rows, found.weights, kappa) <= Fraction(found.upper)


@given(bad_layers(), st.sampled_from([0.0, 1e-3, 0.3]), st.sampled_from([1e-9, 0.3, np.pi]))
def test_no_feasible_layer_is_below_the_lower_bound(problem, share, alpha):
    sample, W, rng = problem
    kappa = share * float(np.sqrt(sample.energy * np.trace(sample.second_moment)))
    l = int(rng.integers(0, len(W) + 1))
    found = delta(sample, W, l, alpha, kappa, rng=rng, draws=1, sweeps=4)
    if kappa > 0:
        assert exact_risk(sample, found.rows, found.weights, kappa) <= Fraction(found.upper)
    for turn in (0.0, 0.9 * alpha):
        across = rng.standard_normal(W.shape)
        across -= np.sum(across * W, axis=1, keepdims=True) * W
        across = unit(across) if W.shape[1] > 1 else 0 * W
        V = unit(np.cos(turn) * W + np.sin(turn) * across) if W.shape[1] > 1 else W
        support = rng.permutation(len(W))[:l]
        Z = np.maximum(sample.X @ V[support].T, 0) * np.sqrt(sample.weights)[:, None]
        b = np.zeros(len(W))
        b[support] = np.linalg.lstsq(Z, sample.Y[:, 0] * np.sqrt(sample.weights), rcond=1e-12)[0]
        assert exact_risk(sample, V, b, kappa) >= Fraction(found.lower)


@instances(15)
@given(SEEDS, st.integers(1, 3), st.integers(-300, 300), st.integers(-250, 250), st.sampled_from([0.0, 0.03]))
def test_delta_is_equivariant_under_powers_of_two_bit_for_bit(seed, n, i, j, kappa):
    rng = np.random.default_rng(seed)
    X, Y, W = rng.standard_normal((6, n)), rng.standard_normal((6, 1)), unit(rng.standard_normal((3, n)))
    plain, other = Sample(X, Y), Sample(np.ldexp(X, i), np.ldexp(Y, j))
    scaled = float(np.ldexp(kappa, i + j))
    for ours, theirs in zip(
        table(plain, W, [0, 1, 2], [0.0, 0.4, np.pi], kappa, rng=0, draws=1, sweeps=3),
        table(other, W, [0, 1, 2], [0.0, 0.4, np.pi], scaled, rng=0, draws=1, sweeps=3),
    ):
        for found, moved in zip(ours, theirs):
            assert moved.upper == np.ldexp(found.upper, 2 * j)
            assert moved.lower == np.ldexp(found.lower, 2 * j)
            assert np.array_equal(moved.rows, found.rows)
            assert np.array_equal(moved.weights, np.ldexp(found.weights, j - i))
            assert moved.rule == found.rule


EXPONENTS = st.integers(-1074, 1023)


@example(26449, 0, 0, None, 1000)  # the full weights are 1e200, and so are the means of cells
@given(SEEDS, EXPONENTS, EXPONENTS, st.one_of(st.none(), EXPONENTS), st.sampled_from([0, 100, 1000]))
def test_any_finite_sample_gives_bounds_or_one_sentence(seed, i, j, k, span):
    rng = np.random.default_rng(seed)
    clip = lambda e: np.clip(e, -1074, 1023)  # noqa: E731
    X = np.ldexp(rng.uniform(-1, 1, (4, 2)), clip(i - rng.integers(0, span + 1, (4, 2))))
    Y = np.ldexp(rng.uniform(-1, 1, (4, 1)), clip(j - rng.integers(0, span + 1, (4, 1))))
    sample = Sample(X, Y, np.ldexp(rng.uniform(0.1, 1, 4), -rng.integers(0, span + 1, 4)))
    kappa, W = 0.0 if k is None else float(np.ldexp(rng.uniform(0.5, 1), k)), unit(rng.standard_normal((3, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found, message = delta(sample, W, 2, float(rng.choice([0.0, 0.3, np.pi])), kappa, rng=0, sweeps=2), ""
        except ValueError as error:
            found, message = None, str(error)
    if found is None:
        assert any(name in message for name in ("sample", "kappa"))
        assert "\n" not in message
        return
    assert found.lower <= found.upper
    reached = exact_risk(sample, found.rows, found.weights, kappa)
    assert Fraction(found.lower) <= reached <= Fraction(found.upper)


def test_what_is_undecided_is_no_lower_bound(monkeypatch):
    rng = np.random.default_rng(0)
    sample, W = Sample(rng.standard_normal((8, 2)), rng.standard_normal((8, 1))), unit(rng.standard_normal((3, 2)))
    assert delta(sample, W, 1, 0.0, 0.05).lower > 0
    monkeypatch.setattr(lasso, "correlation", lambda Z, w, r: np.nan)
    for alpha in (0.0, 0.1):
        assert delta(sample, W, 1, alpha, 0.05).lower == 0.0


# --- clusters ------------------------------------------------------------------------------------------------------

MAGNITUDES = st.floats(0, allow_infinity=False)


@MANY
@given(MAGNITUDES, MAGNITUDES, MAGNITUDES, MAGNITUDES, MAGNITUDES)
def test_merging_and_removal_bounds_are_above_the_formula_for_any_floats(fit, norm, radius, spectral, kappa):
    """(sqrt(R) + s)^2 <= B where B - R - s^2 >= 0 and (B - R - s^2)^2 >= 4 R s^2, s^2 = r^2 |Sigma| |b|_1^2 rational."""
    R, N, r, S, K = (Fraction(v) for v in (fit, norm, radius, spectral, kappa))
    for call, square, rest in (
        (lambda: covering.merging_bound(fit, norm, radius, spectral, kappa), r * r * S * N * N, R + K * N),
        (lambda: covering.removal_bound(fit, -norm, radius), (N * r) ** 2, Fraction(0)),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                bound = Fraction(call())
            except ValueError as error:
                assert "fit" in str(error)  # noqa: PT017
                assert 2 * (square + R) + rest >= Fraction(2) ** 1022
                continue
        cross = bound - rest - square
        assert cross >= 0
        assert cross**2 >= 4 * R * square
        least = bound * (1 - Fraction(1, 10**12)) - 2 * Fraction(2) ** -1074
        cross = least - rest - square
        assert cross <= 0 or cross**2 <= 4 * R * square


@given(SEEDS, st.integers(-1070, 1020), st.sampled_from([0, 30, 2000]), st.floats(0, 2))
def test_cells_hold_in_exact_arithmetic_at_any_size(seed, size, span, radius):
    rng = np.random.default_rng(seed)
    rows = np.ldexp(rng.uniform(-2, 2, (6, 2)), np.maximum(size - rng.integers(0, span + 1, (6, 1)), -1074))
    reach = float(np.ldexp(radius, size))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = covering.cells(rows, reach)
    for k, label in enumerate(found.label):
        apart = fractions(rows[k]) - fractions(rows[found.centres[label]])
        assert apart @ apart <= Fraction(reach) ** 2


def test_rows_a_hair_apart_are_not_equal():
    assert len(covering.cells([[0.0, 0.0], [1e-200, 0.0]], 0.0)) == 2
    with pytest.raises(ValueError, match="weights is too large"):
        covering.cells([[1.0], [1.0]], 0.0).merge([1e308, 1e308])
