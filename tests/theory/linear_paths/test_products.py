"""The best products of linear nets: bounds on the minimum, against normal equations solved in rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from theory.linear_paths.products import best_product, best_singular_product, value_of
from theory.networks import Network
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


def exact(A):
    return fmpq_mat([[fmpq(*Fraction(v).as_integer_ratio()) for v in row] for row in A.tolist()])


def fraction(q):
    return Fraction(int(q.p), int(q.q))


def trace(A):
    return fraction(sum((A[i, i] for i in range(A.nrows())), fmpq(0)))


def normal_equations(sample):
    """(M* (n_out, n_in), Sigma, the least risk), exactly; Sigma must be regular."""
    X, Y, W = exact(sample.X), exact(sample.Y), exact(np.diag(sample.weights))
    sigma, cross = X.transpose() * W * X, X.transpose() * W * Y
    M = sigma.solve(cross)
    r = Y - X * M
    return M.transpose(), sigma, trace(r.transpose() * W * r)


def linear(sample, **penalty):
    n_in, n_out = sample.n_in, sample.n_out
    return Risk(Network((n_in, max(n_in, n_out), n_out), activation="identity"), sample, **penalty)


@given(seeds, st.sampled_from([0, 3, 6]), st.sampled_from([1.0, 1e-3, 0.0]), st.sampled_from([1e-6, 1.0, 1e5]))
def test_least_squares_is_bounded_from_below_and_its_minimiser_located_whatever_the_condition(
    seed, digits, noise, scale
):
    rng = np.random.default_rng(seed)
    n, p, N = int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(6, 12))
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
    X = rng.standard_normal((N, n)) @ (basis * np.logspace(0, -digits, n))
    Y = scale * (X @ rng.standard_normal((n, p)) + noise * rng.standard_normal((N, p)))
    sample = Sample(X, Y, rng.random(N) + 0.1)
    found = best_product(linear(sample))
    M, sigma, least = normal_equations(sample)
    off = exact(found.matrix) - M
    assert Fraction(found.lower) <= least
    assert trace(off * sigma * off.transpose()) <= Fraction(found.distance) ** 2
    assert found.lower <= found.value <= float(least) * (1 + 1e-10) + 1e-12 * 10.0**digits * sample.energy
    assert (
        found.value - found.lower
        <= 1e-11 * 10.0 ** (2 * digits - 6 if digits else 0) * sample.energy + 1e-13 * sample.energy
    )


def test_repeated_columns_and_no_data_are_ordinary():
    X = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    found = best_product(linear(Sample(X, X[:, :1] ** 2)))
    least = normal_equations(Sample(X[:, :1], X[:, :1] ** 2))[2]
    assert Fraction(found.lower) <= least <= Fraction(found.value) * (1 + Fraction(1, 10**12))
    nothing = best_product(linear(Sample(np.zeros((2, 2)), np.ones((2, 1)))))
    assert nothing.lower <= 1 == nothing.value
    assert not nothing.matrix.any()


@given(seeds, st.integers(1, 8), st.sampled_from([0.0, 1.0]))
def test_least_absolute_deviations_of_one_input_are_bounded_by_the_best_ratio(seed, N, bias):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((N, 1)), rng.standard_normal((N, 2)) + bias
    sample = Sample(X, Y, rng.random(N) + 0.1)
    found = best_product(linear(sample, loss="absolute"))
    x, w = (list(map(Fraction, v.tolist())) for v in (X[:, 0], sample.weights))
    least = Fraction(0)
    for y in (list(map(Fraction, column)) for column in Y.T.tolist()):
        ratios = [b / a for a, b in zip(x, y) if a]
        least += min(sum(c * abs(b - m * a) for a, b, c in zip(x, y, w)) for m in ratios)
    assert Fraction(found.lower) <= least <= Fraction(found.value) * (1 + Fraction(1, 10**13))
    assert found.gap <= 1e-9 * found.value + 1e-12


@given(seeds, st.floats(1e-4, 2), st.sampled_from([1e-4, 1.0, 1e4]))
def test_with_ridge_one_input_and_one_output_are_a_soft_threshold(seed, kappa, scale):
    rng = np.random.default_rng(seed)
    sample = Sample(rng.standard_normal((5, 1)), scale * rng.standard_normal((5, 1)), rng.random(5) + 0.1)
    found = best_product(linear(sample, kappa=kappa, penalty="ridge"))
    x, y, w = (list(map(Fraction, v.ravel().tolist())) for v in (sample.X, sample.Y, sample.weights))
    a, b = sum(c * u * u for c, u in zip(w, x)), sum(c * u * v for c, u, v in zip(w, x, y))
    m = max(abs(b) - Fraction(kappa), Fraction(0)) / a * (1 if b > 0 else -1)
    least = sum(c * (v - m * u) ** 2 for c, u, v in zip(w, x, y)) + 2 * Fraction(kappa) * abs(m)
    assert Fraction(found.lower) <= least
    assert found.value == pytest.approx(float(least), rel=1e-9)
    assert found.gap <= 1e-9 * found.value
    assert abs(found.matrix[0, 0] - float(m)) * np.sqrt(float(a)) <= found.distance * (1 + 1e-9) + 1e-7 * scale


@given(seeds)
def test_the_least_risk_of_factors_is_the_nuclear_norm(seed):
    rng = np.random.default_rng(seed)
    sample = Sample(rng.standard_normal((4, 3)), rng.standard_normal((4, 2)))
    risk, M = linear(sample, kappa=0.3, penalty="ridge"), rng.standard_normal((2, 3))
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    W1, W2 = np.zeros((3, 3)), np.zeros((2, 3))
    W1[:2], W2[:, :2] = np.sqrt(s)[:, None] * Vt, U * np.sqrt(s)
    assert value_of(risk, M) == pytest.approx(risk(risk.network.pack([W1, W2])), rel=1e-12)


@pytest.mark.parametrize("penalty", [None, "ridge"])
def test_the_best_singular_product_is_singular_bounded_and_no_worse_than_the_projected_minimiser(penalty):
    better = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((12, 3)) @ np.diag([3.0, 1.0, 0.3])
        sample = Sample(X, X @ rng.standard_normal((3, 3)) + 0.3 * rng.standard_normal((12, 3)))
        risk = linear(sample, **({} if penalty is None else {"kappa": 0.05, "penalty": "ridge"}))
        best = best_product(risk)
        found = best_singular_product(risk, rng=0)
        assert np.linalg.svd(found.matrix)[1][-1] <= 1e-9 * np.linalg.norm(found.matrix)
        assert best.lower <= found.lower <= found.value * (1 + 1e-12)
        U, s, _ = np.linalg.svd(best.matrix @ np.linalg.cholesky(sample.second_moment))
        if s[-1] > 1e-9 and penalty == "ridge":
            projected = value_of(risk, U[:, :2] @ U[:, :2].T @ best.matrix)
            assert found.value <= projected * (1 + 1e-9)
            better += found.value < projected * (1 - 1e-4)
        if penalty is None:  # reduced-rank regression: the minimum plus the least singular value squared, exactly
            assert found.value == pytest.approx(best.value + s[-1] ** 2, rel=1e-9)
            assert found.lower == pytest.approx(found.value, rel=1e-9)
    assert better > 0 or penalty is None
